import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { isCountersignError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { configJsonSchema } from './json-schema.ts';
import { ConfigError } from './problem.ts';
import type { ConfigProblem } from './problem.ts';
import { parseConfig, readConfig } from './read-config.ts';

const NOW_US = BigInt(Date.parse('2026-01-01T00:00:00Z')) * 1_000n;
const FILE = '/etc/countersign/countersign.yaml';

/** A valid configuration; each case of the tables below changes one line of it. */
const VALID = `version: 1
node: gateway-1
state: ./state
log:
  origin: example.com/countersign
  signingKey: file:keys/log.pem
vault:
  custodianKey: file:/keys/custodian.pem
listen:
  postgres:
    address: 127.0.0.1:6432
limits:
  idleTimeout: 0
targets:
  bank:
    protocol: postgres
    hosts: ['127.0.0.1']
    database: bank
    logins:
      reporting:
        user: bank_reporting
        password: env:BANK_PASSWORD
principals:
  - name: agent
    owner: Reporting Team
    kind: agent
grants:
  - id: report
    principal: agent
    target: bank
    login: reporting
    expires: 2027-01-01
    scope: { relations: [{ on: [public.accounts], verbs: [select] }] }
`;

function problemsOf(text: string): readonly ConfigProblem[] {
  try {
    return parseConfig(text, FILE, { nowUs: NOW_US }).warnings;
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test('a valid file becomes what the gateway works with', () => {
  const { config, warnings } = parseConfig(VALID, FILE, { nowUs: NOW_US });
  assert.deepEqual(warnings, []);
  assert.equal(config.stateDirectory, '/etc/countersign/state');
  assert.deepEqual(config.log.signingKey, { kind: 'file', name: '/etc/countersign/keys/log.pem' });
  assert.deepEqual(config.vault, {
    custodianKey: { kind: 'file', name: '/keys/custodian.pem' },
    retentionClass: 'standard',
  });
  assert.deepEqual(config.record, {
    timeoutMs: 2_000,
    segmentBytes: 67_108_864,
    resultDelayMs: 20,
    heartbeatMs: 60_000,
    checkpointMs: 1_000,
    minFreeBytes: 268_435_456,
    warnFreeBytes: 1_073_741_824,
  });
  const [target] = config.targets;
  assert.deepEqual(target?.hosts, [{ host: '127.0.0.1', port: 5_432 }]);
  assert.deepEqual(target?.tls, { mode: 'disable', direct: false });
  assert.deepEqual(target?.logins, {
    reporting: { user: 'bank_reporting', password: { kind: 'env', name: 'BANK_PASSWORD' } },
  });
  assert.equal(config.grants[0]?.expiresAtUs, BigInt(Date.parse('2027-01-01')) * 1_000n);
  assert.equal(config.demo, false);
});

test('a target may have a retention class of its own, which a schedule must know', () => {
  const target = VALID.replace('    logins:', '    retentionClass: ledger\n    logins:');
  const { config } = parseConfig(target, FILE, { nowUs: NOW_US });
  assert.equal(config.targets[0]?.retentionClass, 'ledger');
  assert.equal(parseConfig(VALID, FILE, { nowUs: NOW_US }).config.targets[0]?.retentionClass, undefined);
  const schedule = (name: string): string => `${target}
custody:
  officers:
    - { name: a, owner: A, key: H62UPXQisUK7JpPIAk8qyQKCyBTvtD9WBtwo2ZhtWD0 }
    - { name: b, owner: B, key: 9wXEELzq-ogdBoG_vCxPjcsOuDjj3eOqIdQL-QZdkMQ }
    - { name: c, owner: C, key: V9ex17QO-aHyegHgmh2dOBgiuKLYwoECItDXb7_zORs }
retention:
  classes:
    ${name}: { keep: 90d }
`;
  assert.deepEqual(problemsOf(schedule('ledger')), []);
  const [problem, ...others] = problemsOf(schedule('ledgers'));
  assert.deepEqual(others, []);
  assert.equal(problem?.severity, 'error');
  assert.match(problem?.path ?? '', /retentionClass/);
  assert.match(problem?.hint ?? '', /did you mean ledgers/);
  assert.equal(problemsOf(target.replace('ledger', '../x'))[0]?.severity, 'error');
});

test('a target beyond loopback is verified unless the file says otherwise', () => {
  const { config } = parseConfig(VALID.replace("['127.0.0.1']", '[db.internal]'), FILE, { nowUs: NOW_US });
  assert.equal(config.targets[0]?.tls.mode, 'verify-full');
});

/** A mistake in the scope of the grant. */
function scopeError(
  from: string,
  to: string,
  place: string,
  path: string,
  said: RegExp,
): readonly [string, string, string, ErrorCode, string, RegExp] {
  return [from, to, place, 'CS_CONFIG_INVALID', `grants[0].scope.${path}`, said];
}

/** What is changed, by what, and what must be said: where, code, path, and a part of message or hint. */
const ERRORS: readonly (readonly [string, string, string, ErrorCode, string, RegExp])[] = [
  scopeError('[public.accounts]', '[accounts]', '33:33', 'relations[0].on[0]', /schema\.name/),
  scopeError('[public.accounts]', "['public.acc*']", '33:33', 'relations[0].on[0]', /double quotes/),
  scopeError('[public.accounts]', '[]', '33:32', 'relations[0].on', /must not be empty/),
  scopeError('[select]', '[selct]', '33:59', 'relations[0].verbs[0]', /did you mean select\?/),
  scopeError('[select]', '[execute]', '33:59', 'relations[0].verbs[0]', /must be one of all, select/),
  scopeError(
    '[select]',
    '[select, delete], columns: [id]',
    '33:85',
    'relations[0].columns',
    /delete is about whole rows/,
  ),
  scopeError('[select]', "[select], columns: ['*']", '33:78', 'relations[0].columns[0]', /leave columns out/),
  scopeError('[select]', '[select], column: [id]', '33:68', 'relations[0].column', /did you mean columns\?/),
  scopeError(
    'relations:',
    'allow: [lisen], relations:',
    '33:22',
    'allow[0]',
    /is not known: did you mean listen\?/,
  ),
  scopeError('relations:', 'ddl: [a.b], relations:', '33:20', 'ddl[0]', /the name of a schema/),
  scopeError('relations:', 'ddl: [pg_temp], relations:', '33:20', 'ddl[0]', /allow create-temp/),
  scopeError('relations:', 'functions: [f], relations:', '33:26', 'functions[0]', /schema\.name/),
  scopeError('relations:', 'relation:', '33:14', 'relation', /did you mean relations\?/),
  [
    '    login: reporting\n',
    '',
    '28:5',
    'CS_CONFIG_INVALID',
    'grants[0]',
    /report has no login, and bank has no section roles/,
  ],
  ['version: 1', 'version: 2', '1:10', 'CS_CONFIG_INVALID', 'version', /must be 1/],
  ['node: gateway-1', 'node: Gateway 1', '2:7', 'CS_CONFIG_INVALID', 'node', /1 to 63 of a-z/],
  ['state: ./state\n', '', '1:1', 'CS_CONFIG_INVALID', 'state', /is missing/],
  [
    'idleTimeout: 0',
    'idle_timeout: 5m',
    '13:3',
    'CS_CONFIG_INVALID',
    'limits.idle_timeout',
    /did you mean idleTimeout\?/,
  ],
  ['idleTimeout: 0', 'zzz: 1', '13:3', 'CS_CONFIG_INVALID', 'limits.zzz', /valid here: connections, /],
  ['idleTimeout: 0', 'idleTimeout: 5', '13:16', 'CS_CONFIG_INVALID', 'limits.idleTimeout', /with a unit/],
  ['idleTimeout: 0', 'maxStatement: 1MB', '13:17', 'CS_CONFIG_INVALID', 'limits.maxStatement', /with a unit/],
  ['idleTimeout: 0', 'connections: 0', '13:16', 'CS_CONFIG_INVALID', 'limits.connections', /at least 1/],
  ['idleTimeout: 0', 'connections: many', '13:16', 'CS_CONFIG_INVALID', 'limits.connections', /a number/],
  [
    'state: ./state',
    'state: ./state\nrecord: { heartbeat: 5m }',
    '4:22',
    'CS_CONFIG_INVALID',
    'record.heartbeat',
    /between/,
  ],
  [
    'env:BANK_PASSWORD',
    'correct-horse',
    '22:19',
    'CS_CONFIG_INVALID',
    'targets.bank.logins.reporting.password',
    /a reference/,
  ],
  ['file:keys/log.pem', 'keys/log.pem', '6:15', 'CS_CONFIG_INVALID', 'log.signingKey', /a reference/],
  ['127.0.0.1:6432', '6432', '11:14', 'CS_CONFIG_INVALID', 'listen.postgres.address', /.*/],
  [
    '127.0.0.1:6432',
    '0.0.0.0:6432',
    '11:14',
    'CS_CONFIG_INVALID',
    'listen.postgres.address',
    /beyond loopback needs TLS/,
  ],
  [
    'kind: agent',
    'kind: robot',
    '26:11',
    'CS_CONFIG_INVALID',
    'principals[0].kind',
    /human, agent or service/,
  ],
  [
    'principal: agent',
    'principal: agemt',
    '29:16',
    'CS_CONFIG_INVALID',
    'grants[0].principal',
    /did you mean agent\?/,
  ],
  ['target: bank', 'target: vault', '30:13', 'CS_CONFIG_INVALID', 'grants[0].target', /no such target/],
  ['login: reporting', 'login: teller', '31:12', 'CS_CONFIG_INVALID', 'grants[0].login', /no such login/],
  ['2027-01-01', '2027-02-30', '32:14', 'CS_CONFIG_INVALID', 'grants[0].expires', /a moment/],
  [
    'principals:',
    'principals:\n  - { name: gateway, owner: x, kind: agent }',
    '24:13',
    'CS_CONFIG_INVALID',
    'principals[0].name',
    /reserved/,
  ],
  ['id: report', 'id: gateway.bank.x', '28:9', 'CS_CONFIG_INVALID', 'grants[0].id', /reserved/],
  [
    'grants:',
    'grants:\n  - {id: report, principal: agent, target: bank, login: reporting, expires: 2027-01-01, scope: {ddl: [x]}}',
    '29:9',
    'CS_CONFIG_INVALID',
    'grants[1].id',
    /given twice/,
  ],
  [
    'protocol: postgres',
    'protocol: mcp',
    '16:15',
    'CS_CONFIG_NOT_BUILT',
    'targets.bank.protocol',
    /does not speak mcp/,
  ],
  ['version: 1', 'version: 1\nworkers: 4', '2:10', 'CS_CONFIG_NOT_BUILT', 'workers', /one worker/],
  ['version: 1', 'version: 1\nmask: {}', '2:1', 'CS_CONFIG_INVALID', 'mask', /did you mean masking\?/],
  ['version: 1', 'version: 1\napprovals: {}', '2:1', 'CS_CONFIG_NOT_BUILT', 'approvals', /approvals/],
  ['version: 1', 'version: 1\noauth: []', '2:1', 'CS_CONFIG_NOT_BUILT', 'oauth', /OAuth/],
  ['version: 1', 'version: 1\noauth: {}', '2:1', 'CS_CONFIG_NOT_BUILT', 'oauth', /OAuth/],
  [
    'custodianKey',
    'retentionClasses: {}\n  custodianKey',
    '8:3',
    'CS_CONFIG_NOT_BUILT',
    'vault.retentionClasses',
    /retention/,
  ],
  [
    '  postgres:\n    address',
    '  mcp: {}\n  postgres:\n    address',
    '10:3',
    'CS_CONFIG_NOT_BUILT',
    'listen.mcp',
    /MCP/,
  ],
  [
    'database: bank',
    'database: bank\n    console: {}',
    '19:5',
    'CS_CONFIG_NOT_BUILT',
    'targets.bank.console',
    /web console/,
  ],
  [
    'login: reporting',
    'login: reporting\n    rows: [accounts]',
    '32:5',
    'CS_CONFIG_NOT_BUILT',
    'grants[0].rows',
    /row predicates/,
  ],
];

for (const [from, to, place, code, path, said] of ERRORS) {
  const text = VALID.replace(from, to);
  test(`refused with its place: ${to.replaceAll('\n', ' ⏎ ') || `no ${from.trim()}`}`, () => {
    const errors = problemsOf(text).filter((problem) => problem.severity === 'error');
    assert.equal(errors.length, 1, JSON.stringify(errors));
    const [problem] = errors;
    assert.ok(problem !== undefined);
    assert.equal(problem.code, code);
    if (path !== '') assert.equal(problem.path, path);
    if (place !== '') assert.equal(`${problem.line}:${problem.column}`, place);
    assert.match(`${problem.message} ${problem.hint ?? ''}`, said);
    assert.throws(
      () => parseConfig(text, FILE, { nowUs: NOW_US }),
      (error) => isCountersignError(error, code),
    );
  });
}

test('every problem is told, in the order of the file', () => {
  const text = VALID.replace('version: 1', 'version: 3')
    .replace('kind: agent', 'kind: robot')
    .replace('idleTimeout: 0', 'idle: 1');
  assert.deepEqual(
    problemsOf(text).map((problem) => problem.path),
    ['version', 'limits.idle', 'principals[0].kind'],
  );
});

test('no problem quotes a value: it may be a secret in the wrong place', () => {
  const secret = 'hunter2-hunter2';
  const places = [
    'version: 1',
    'gateway-1',
    'file:keys/log.pem',
    '127.0.0.1:6432',
    'env:BANK_PASSWORD',
    'kind: agent',
    '2027-01-01',
  ];
  for (const place of places) {
    const key = place.includes(': ') ? `${place.split(': ')[0]}: ` : '';
    assert.doesNotMatch(
      JSON.stringify(problemsOf(VALID.replace(place, `${key}${secret}`))),
      /hunter2/,
      place,
    );
  }
  for (const broken of [`a: "${secret}`, `- ${secret}\nb`, `${secret}: [`, `x: *${secret}`]) {
    assert.doesNotMatch(JSON.stringify(problemsOf(broken)), /hunter2/, broken);
  }
});

test('what is doubtful is a warning and does not stop the gateway', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['2027-01-01', '2025-01-01', /the grant has ended/],
    ['scope: { relations: [{ on: [public.accounts], verbs: [select] }] }', 'scope: {}', /covers nothing/],
    ['    scope: { relations: [{ on: [public.accounts], verbs: [select] }] }\n', '', /covers nothing/],
    ["hosts: ['127.0.0.1']", 'hosts: [db.internal]\n    tls: { mode: disable }', /can be read and changed/],
    ["hosts: ['127.0.0.1']", 'hosts: [db.internal]\n    tls: { mode: require }', /can pose as the target/],
  ];
  for (const [from, to, said] of cases) {
    const { warnings } = parseConfig(VALID.replace(from, to), FILE, { nowUs: NOW_US });
    assert.equal(warnings.length, 1, to);
    assert.match(warnings[0]?.message ?? '', said);
  }
});

test('a key given twice, a tag, and a file that is not a map are refused', () => {
  assert.match(problemsOf(`${VALID}version: 1\n`)[0]?.message ?? '', /given twice/);
  assert.equal(problemsOf('!!js/function x').length > 0, true);
  assert.equal(problemsOf('just text').length > 0, true);
  assert.equal(problemsOf('').length > 0, true);
});

test('a file that is not there is named, and what to do', () => {
  assert.throws(
    () => readConfig('/nonexistent/countersign.yaml'),
    (error) => error instanceof ConfigError && /ENOENT.*countersign init/.test(error.detail ?? ''),
  );
});

test('the reference configuration is valid and knows every key', () => {
  const file = new URL('../../../../examples/countersign.yaml', import.meta.url).pathname;
  const { warnings } = readConfig(file, { nowUs: NOW_US });
  assert.deepEqual(warnings, []);
  const text = readFileSync(file, 'utf8');
  const schema = JSON.parse(configJsonSchema()) as SchemaNode;
  const missing = keysOf(schema).filter((key) => !new RegExp(`\\b${key}:`).test(text));
  // `workers` has one possible value.
  assert.deepEqual(missing, ['workers']);
});

test('the published JSON schema is the one of the code', () => {
  const file = new URL('../../../../docs/countersign.schema.json', import.meta.url);
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), JSON.parse(configJsonSchema()));
});

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
}

function keysOf(node: SchemaNode): string[] {
  const keys: string[] = [];
  for (const [key, child] of Object.entries(node.properties ?? {})) keys.push(key, ...keysOf(child));
  const { additionalProperties: named, items } = node;
  if (typeof named === 'object') keys.push(...keysOf(named));
  if (items !== undefined) keys.push(...keysOf(items));
  return keys;
}
