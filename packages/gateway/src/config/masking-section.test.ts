import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LiveGrant } from '../grants/live-grant.ts';
import { deriveMaskingKeys } from '../masking/derive-keys.ts';
import { BUILT_IN_CLASSES, NO_UNMASK } from '../masking/rules.ts';
import { isCountersignError } from '../errors.ts';
import type { CountersignConfig, GrantConfig } from './config.ts';
import { BUILT_IN_CLASS_NAMES, defaultRules } from './masking-section.ts';
import { ConfigError, formatProblem } from './problem.ts';
import { parseConfig } from './read-config.ts';

const NOW_US = BigInt(Date.parse('2026-01-01T00:00:00Z')) * 1_000n;

interface Sections {
  readonly masking?: string;
  readonly target?: string;
  readonly grant?: string;
}

const FULL: Required<Sections> = {
  masking: `masking:
  key: env:MASKING_KEY
  classes:
    customer_ref: { transform: token }
    balance: { transform: bucket, size: 1000 }
    opened: { transform: bucket, size: quarter, derived: refuse }
    pan: { keep: 6 }
    note: { transform: null }
`,
  target: `    classes:
      public.customers: { ssn: ssn, mail: email }
      'public."odd.name"': { "a b": customer_ref }
    classesFrom: [configuration, comments]
`,
  grant: `    unmask: [email, pan]
    writeClasses: [all]
    budgets: { ssn: { values: 20 }, pan: { values: 3, per: hour } }
`,
};

function textOf({ masking = FULL.masking, target = FULL.target, grant = FULL.grant }: Sections): string {
  return `version: 1
state: ./state
log: { origin: example.com/countersign, signingKey: 'file:log.pem' }
vault: { custodianKey: 'file:custodian.pem' }
listen: { postgres: { address: '127.0.0.1:6432' } }
${masking}targets:
  bank:
    protocol: postgres
    hosts: ['127.0.0.1']
    database: bank
    logins: { app: { user: app } }
${target}principals:
  - { name: agent, owner: Reporting, kind: agent }
grants:
  - id: report
    principal: agent
    target: bank
    login: app
    expires: 2027-01-01
    scope: { allow: [listen] }
${grant}`;
}

function read(sections: Sections = {}): CountersignConfig {
  return parseConfig(textOf(sections), '/x.yaml', { nowUs: NOW_US }).config;
}

function problemsOf(sections: Sections): readonly string[] {
  try {
    const { warnings } = parseConfig(textOf(sections), '/x.yaml', { nowUs: NOW_US });
    return warnings.map((problem) => formatProblem('x', problem));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => formatProblem('x', problem));
  }
}

test('the sections become rules, bindings and what the grant says', () => {
  const { masking, targets, grants } = read();
  assert.ok(masking !== undefined);
  const { rules } = masking;
  const transforms = [...rules.classes.values()].map(({ name, transform }) => [name, transform] as const);
  assert.deepEqual(Object.fromEntries(transforms), {
    account_number: { kind: 'keep-last', count: 4 },
    address: { kind: 'redact' },
    balance: { kind: 'bucket', size: 1000 },
    customer_ref: { kind: 'token' },
    dob: { kind: 'year' },
    email: { kind: 'email-domain' },
    free_text: { kind: 'detect' },
    ip: { kind: 'redact' },
    name: { kind: 'redact' },
    note: { kind: 'null' },
    opened: { kind: 'bucket', size: 'quarter' },
    pan: { kind: 'keep-last', count: 6 },
    phone: { kind: 'redact' },
    secret: { kind: 'redact' },
    ssn: { kind: 'redact' },
  });
  assert.equal(rules.classes.get('opened')?.derived, 'refuse');
  assert.deepEqual(
    [rules.minGroup, [...rules.aggregates], rules.detect, rules.maxRowBytes],
    [5, ['avg', 'sum'], 'none', 16_777_216],
  );
  assert.deepEqual(
    targets[0]?.classes?.map(({ schema, relation, column, class: name }) => [schema, relation, column, name]),
    [
      ['public', 'customers', 'ssn', 'ssn'],
      ['public', 'customers', 'mail', 'email'],
      ['public', 'odd.name', 'a b', 'customer_ref'],
    ],
  );
  assert.deepEqual(targets[0]?.classesFrom, ['configuration', 'comments']);
  assert.deepEqual(grants[0]?.masking, {
    unmask: new Set(['email', 'pan']),
    writeClasses: 'all',
    budgets: new Map([
      ['ssn', { values: 20, period: 'day' }],
      ['pan', { values: 3, period: 'hour' }],
    ]),
  });
});

test('without the sections nothing is masked, and every built-in class has its transform', () => {
  const { masking, targets, grants } = read({ masking: '', target: '', grant: '' });
  assert.equal(masking, undefined);
  assert.equal(targets[0]?.classes, undefined);
  assert.equal(grants[0]?.masking, undefined);
  assert.deepEqual(BUILT_IN_CLASS_NAMES, [...BUILT_IN_CLASSES]);
  assert.deepEqual([...defaultRules().classes.keys()], BUILT_IN_CLASSES.toSorted());
});

function versionOf(masking: string): string {
  return (
    read({ masking: `masking: { key: 'env:K', ${masking} }\n`, target: '', grant: '' }).masking?.rules
      .version ?? ''
  );
}

test('the version of the rules is of what they say, not of how they are written', () => {
  assert.equal(versionOf(''), defaultRules().version);
  assert.equal(versionOf('minGroup: 5, aggregates: [sum, avg, sum], classes: { ssn: {} }'), versionOf(''));
  const different = [
    'minGroup: 6',
    'aggregates: []',
    'detect: all',
    'classes: { own: {} }',
    'maxRowBytes: 1MiB',
  ];
  assert.equal(new Set(['', ...different].map(versionOf)).size, different.length + 1);
});

/** What is written, and the line that says what is wrong with it. */
const REFUSED: readonly (readonly [what: string, sections: Sections, said: RegExp])[] = [
  ['no key', { masking: 'masking: {}\n' }, /^x:6:10: error: masking\.key: is missing$/],
  ['a key itself', { masking: 'masking: { key: 0123456789abcdef }\n' }, /masking\.key: must be a reference/],
  [
    'a transform that is mistyped',
    { masking: 'masking: { key: "env:K", classes: { a: { transform: keeplast } } }\n' },
    /masking\.classes\.a\.transform: is not known: did you mean keep-last\?/,
  ],
  [
    'keep without keep-last',
    { masking: 'masking: { key: "env:K", classes: { ssn: { transform: token, keep: 4 } } }\n' },
    /masking\.classes\.ssn\.keep: goes with transform keep-last only/,
  ],
  [
    'keep with a default that is none',
    { masking: 'masking: { key: "env:K", classes: { ssn: { keep: 4 } } }\n' },
    /masking\.classes\.ssn\.keep: goes with transform keep-last only/,
  ],
  [
    'a bucket without a size',
    { masking: 'masking: { key: "env:K", classes: { a: { transform: bucket } } }\n' },
    /masking\.classes\.a\.transform: needs size/,
  ],
  [
    'a bucket of size 0',
    { masking: 'masking: { key: "env:K", classes: { a: { transform: bucket, size: 0 } } }\n' },
    /masking\.classes\.a\.size: must be (at least|above) 0/,
  ],
  [
    'a class that cannot be named',
    { masking: 'masking: { key: "env:K", classes: { all: {} } }\n' },
    /masking\.classes\.all: is reserved/,
  ],
  [
    'a class with an odd name',
    { masking: 'masking: { key: "env:K", classes: { Own-Class: {} } }\n' },
    /masking\.classes\.Own-Class: must be 1 to 32 of a-z/,
  ],
  [
    'an aggregate that shows single values',
    { masking: 'masking: { key: "env:K", aggregates: [max] }\n' },
    /masking\.aggregates\[0\]: must be one of avg, sum/,
  ],
  [
    'a group of one',
    { masking: 'masking: { key: "env:K", minGroup: 1 }\n' },
    /masking\.minGroup: must be at least 2/,
  ],
  [
    'a routine with a wildcard',
    { masking: 'masking: { key: "env:K", routines: { "bank.*": nothing } }\n' },
    /masking\.routines\.bank\.\*: must be one schema\.name/,
  ],
  [
    'texts to a service far away in clear',
    { masking: 'masking: { key: "env:K", recogniser: { url: "http://other/analyze" } }\n' },
    /masking\.recogniser\.url: plain HTTP beyond loopback/,
  ],
  [
    'a class that nobody defines',
    { target: '    classes: { public.customers: { ssn: snn } }\n' },
    /^x:20:41: error: targets\.bank\.classes\.public\.customers\.ssn: no such class \(did you mean ssn\?\)$/,
  ],
  [
    'a relation without its schema',
    { target: '    classes: { customers: { ssn: ssn } }\n' },
    /targets\.bank\.classes\.customers: must be schema\.name/,
  ],
  [
    'a column given twice',
    { target: '    classes: { public.c: { ssn: ssn }, "\\"public\\".c": { ssn: pan } }\n' },
    /this column is given twice: the relation is written in two ways/,
  ],
  [
    'a column given twice in one relation',
    { target: '    classes: { public.c: { ssn: ssn, ssn: pan } }\n' },
    /a key is given twice/,
  ],
  [
    'classes that classesFrom leaves out',
    { target: '    classes: { public.c: { ssn: ssn } }\n    classesFrom: [comments]\n' },
    /targets\.bank\.classes: classesFrom leaves the configuration out/,
  ],
  [
    'an origin of classes that there is none of',
    { target: '    classesFrom: [comment]\n' },
    /targets\.bank\.classesFrom\[0\]: is not known: did you mean comments\?/,
  ],
  [
    'unmask of a class that nobody defines',
    { grant: '    unmask: [ssn, emil]\n' },
    /grants\[0\]\.unmask\[1\]: no such class \(did you mean email\?\)/,
  ],
  [
    'writeClasses of one',
    { grant: '    writeClasses: [ssn_]\n' },
    /grants\[0\]\.writeClasses\[0\]: no such class \(did you mean ssn\?\)/,
  ],
  [
    'a budget for one',
    { grant: '    budgets: { zzzzzz: { values: 1 } }\n' },
    /grants\[0\]\.budgets\.zzzzzz: no such class \(there are: account_number, /,
  ],
  [
    'a budget of nothing',
    { grant: '    budgets: { ssn: { values: 0 } }\n' },
    /grants\[0\]\.budgets\.ssn\.values: must be at least 1/,
  ],
  [
    'classes that nothing would mask',
    { masking: '', target: FULL.target },
    /targets\.bank\.classes: nothing is masked without a section masking/,
  ],
  [
    'unmask where nothing is masked',
    { masking: '', target: '', grant: '    unmask: [email]\n' },
    /grants\[0\]\.unmask: nothing is masked without a section masking/,
  ],
  [
    'budgets where nothing is masked',
    { masking: '', target: '', grant: '    budgets: { ssn: { values: 1 } }\n' },
    /grants\[0\]\.budgets: nothing is masked without a section masking/,
  ],
];

for (const [what, sections, said] of REFUSED) {
  test(`refused: ${what}`, () => {
    const problems = problemsOf({ target: '', grant: '', ...sections });
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems[0] ?? '', said);
    assert.throws(() => read({ target: '', grant: '', ...sections }), ConfigError);
  });
}

test('a target whose columns can have no class is a warning', () => {
  assert.match(
    problemsOf({ target: '    classesFrom: [configuration]\n', grant: '' }).join('\n'),
    /^x:\d+:\d+: warning: targets\.bank\.classesFrom: no column of bank can have a class/,
  );
  assert.deepEqual(problemsOf({ target: '    classesFrom: [labels]\n', grant: '' }), []);
});

test('a grant that unmasks everything is a warning', () => {
  assert.match(
    problemsOf({ grant: '    unmask: [all]\n' }).join('\n'),
    /^x:\d+:\d+: warning: grants\[0\]\.unmask: report lets every/,
  );
  assert.equal(read({ grant: '    unmask: [ssn, all]\n' }).grants[0]?.masking?.unmask, 'all');
});

function grantOf(grant: string): GrantConfig {
  const [config] = read({ grant }).grants;
  assert.ok(config !== undefined);
  return config;
}

test('a reload that changes what a grant unmasks ends it; another order does not', () => {
  const clock = { wallMs: () => 0, bootMs: () => 0 };
  const live = new LiveGrant(
    grantOf('    unmask: [email, pan]\n    budgets: { ssn: { values: 2 } }\n'),
    clock,
  );
  assert.ok(
    live.isSameAs(grantOf('    unmask: [pan, email, pan]\n    budgets: { ssn: { values: 2, per: day } }\n')),
  );
  for (const other of [
    '',
    '    unmask: [email]\n    budgets: { ssn: { values: 2 } }\n',
    '    unmask: [all]\n    budgets: { ssn: { values: 2 } }\n',
    '    unmask: [email, pan]\n    budgets: { ssn: { values: 3 } }\n',
    '    unmask: [email, pan]\n    budgets: { ssn: { values: 2, per: hour } }\n',
    '    unmask: [email, pan]\n    writeClasses: [pan]\n    budgets: { ssn: { values: 2 } }\n',
  ]) {
    assert.equal(live.isSameAs(grantOf(other)), false, other);
  }
  assert.deepEqual(new LiveGrant(grantOf(''), clock).masking, NO_UNMASK);
});

test('keys are derived, each for its use; a short secret is refused', () => {
  const keys = deriveMaskingKeys(Buffer.alloc(32, 1));
  assert.deepEqual(
    Object.values(keys).map((key: Buffer) => key.length),
    [64, 32, 32, 32],
  );
  const texts = Object.values(keys).map((key: Buffer) => key.toString('hex').slice(0, 64));
  assert.equal(new Set(texts).size, 4);
  assert.deepEqual(deriveMaskingKeys(Buffer.alloc(32, 1)), keys);
  assert.notDeepEqual(deriveMaskingKeys(Buffer.alloc(33, 1)), keys);
  assert.throws(
    () => deriveMaskingKeys(Buffer.from('short-masking-secret')),
    (error) => isCountersignError(error, 'CS_CONFIG_INVALID') && !/short-masking/.test(error.detail ?? ''),
  );
});
