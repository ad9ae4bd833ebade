import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import type { ScopeConfig } from '../config/scope-section.ts';
import type { Access } from '../policy/access.ts';
import { accessOf, grantOf, scopeConfig } from './authorization-fixture.ts';
import { tellMissing, type MissingItem } from './refusal-text.ts';
import type { UnknownName } from './touched.ts';

const SCOPE = scopeConfig(['bank.customers: select(customer_id,segment)', 'bank.accounts: select']);

interface Said {
  readonly detail: string;
  readonly hint: string;
  readonly missing: readonly MissingItem[];
}

interface Asked {
  readonly demands?: readonly Access[];
  readonly unknownNames?: readonly UnknownName[];
  readonly kind?: string;
  readonly scope?: ScopeConfig;
}

/** What a client hears when everything that the scope does not cover is missing. */
function refusalOf(text: string | undefined, asked: Asked): Said {
  const { demands = [], unknownNames = [], kind = 'select', scope = SCOPE } = asked;
  const grant = grantOf(scope);
  const missing = grant.scope.missing(demands);
  const { detail = '', hint = '' } = tellMissing({
    grant,
    kind,
    touched: { demands, unknownNames },
    missing,
    text,
  });
  const line = JSON.parse(detail.split('\n').at(-1) ?? '') as { missing: readonly MissingItem[] };
  return { detail, hint, missing: line.missing };
}

test('a refusal says what is missing, what is covered and how to ask, for people and for programs', () => {
  const said = refusalOf('SELECT segment, ssn FROM bank.customers', {
    demands: [accessOf('select bank.customers(segment,ssn)')],
  });
  assert.equal(
    said.detail,
    `Grant reports does not cover, or no policy permits, for this select: column ssn of bank.customers.
It covers select of bank.customers (customer_id, segment).
{"refused":"CS_STATEMENT_DENIED","grant":"reports","target":"bank","command":"select","missing":[{"relation":"bank.customers","columns":["ssn"]}]}`,
  );
  assert.equal(
    said.hint,
    'Ask the owner of target bank to extend grant reports, for select: column ssn of bank.customers. Names that the target does not have are refused in the same words.',
  );
});

const relation = (written: string): UnknownName => ({ kind: 'relation', written });
const column = (written: string): UnknownName => ({ kind: 'column', written });

/**
 * The same statement about what is there and not covered, and about what is not there. Both names have the same length here, so that
 * one can be put in the place of the other: everything that the client gets must be equal then, byte for byte.
 */
const ALIKE: readonly {
  readonly what: string;
  readonly text: (name: string) => string;
  readonly real: Asked;
  readonly absent: Asked;
  readonly names: readonly [real: string, absent: string];
}[] = [
  {
    what: 'a relation with its schema',
    text: (name) => `SELECT pan FROM bank.${name} AS c`,
    names: ['cards', 'nocat'],
    real: { demands: [accessOf('select bank.cards(pan)')] },
    absent: { unknownNames: [relation('bank.nocat')] },
  },
  {
    what: 'a relation that the search path finds',
    text: (name) => `SELECT pan FROM ${name}`,
    names: ['cards', 'nocat'],
    real: { demands: [accessOf('select bank.cards(pan)')] },
    absent: { unknownNames: [relation('nocat')] },
  },
  {
    what: 'a relation of which the caller tries to learn the schema by a comment',
    text: (name) => `SELECT 1 FROM ${name} /* bank.${name} */`,
    names: ['cards', 'nocat'],
    real: { demands: [accessOf('select bank.cards()')] },
    absent: { unknownNames: [relation('nocat')] },
  },
  {
    what: 'a relation of which the caller tries to learn the schema by an alias',
    text: (name) => `SELECT public.${name} FROM ${name} AS public`,
    names: ['cards', 'nocat'],
    real: { demands: [accessOf('select bank.cards(*)')] },
    absent: { unknownNames: [relation('nocat'), column('public.nocat')] },
  },
  {
    what: 'a relation whose columns are unknown as well',
    text: (name) => `SELECT a, b FROM bank.${name}`,
    names: ['cards', 'nocat'],
    real: { demands: [accessOf('select bank.cards()')], unknownNames: [column('a'), column('b')] },
    absent: { unknownNames: [relation('bank.nocat'), column('a'), column('b')] },
  },
  {
    what: 'a relation in a schema that is not there',
    text: (name) => `DELETE FROM ${name}.t WHERE id = 1`,
    names: ['vault', 'nosch'],
    real: { demands: [accessOf('delete vault.t()'), accessOf('select vault.t(id)')], kind: 'delete' },
    absent: { unknownNames: [relation('nosch.t')], kind: 'delete' },
  },
  {
    what: 'a quoted relation',
    text: (name) => `SELECT 1 FROM bank."${name}"`,
    names: ['Cards', 'NoCat'],
    real: { demands: [accessOf('select bank.Cards()')] },
    absent: { unknownNames: [relation('bank.NoCat')] },
  },
  {
    what: 'a relation in upper case',
    text: (name) => `SELECT 1 FROM BANK.${name.toUpperCase()}`,
    names: ['cards', 'nocat'],
    real: { demands: [accessOf('select bank.cards()')] },
    absent: { unknownNames: [relation('bank.nocat')] },
  },
  {
    what: 'a relation beside one that is covered',
    text: (name) => `SELECT status, pan FROM bank.accounts JOIN bank.${name} USING (account_id)`,
    names: ['cards', 'nocat'],
    real: {
      demands: [
        accessOf('select bank.accounts(account_id,status)'),
        accessOf('select bank.cards(account_id,pan)'),
      ],
    },
    absent: {
      demands: [accessOf('select bank.accounts(account_id,status)')],
      unknownNames: [relation('bank.nocat'), column('pan')],
    },
  },
  {
    what: 'a column of a relation of which others are covered',
    text: (name) => `SELECT ${name} FROM bank.customers`,
    names: ['ssn', 'zzz'],
    real: { demands: [accessOf('select bank.customers(ssn)')] },
    absent: { demands: [accessOf('select bank.customers()')], unknownNames: [column('zzz')] },
  },
  {
    what: 'a column behind an alias',
    text: (name) => `SELECT c.${name} FROM bank.customers c`,
    names: ['ssn', 'zzz'],
    real: { demands: [accessOf('select bank.customers(ssn)')] },
    absent: { demands: [accessOf('select bank.customers()')], unknownNames: [column('c.zzz')] },
  },
  {
    what: 'a column in a join',
    text: (name) => `SELECT c.${name} FROM bank.customers c, bank.accounts a`,
    names: ['ssn', 'zzz'],
    real: { demands: [accessOf('select bank.accounts()'), accessOf('select bank.customers(ssn)')] },
    absent: {
      demands: [accessOf('select bank.accounts()'), accessOf('select bank.customers()')],
      unknownNames: [column('c.zzz')],
    },
  },
  {
    what: 'a function',
    text: (name) => `SELECT app.${name}(1)`,
    names: ['pay', 'nop'],
    real: { demands: [accessOf('execute app.pay')] },
    absent: { unknownNames: [{ kind: 'routine', written: 'app.nop' }] },
  },
  {
    what: 'a function of another owner’s rights',
    text: (name) => `SELECT app.${name}(1)`,
    names: ['pay', 'nop'],
    real: {
      demands: [{ kind: 'routine', verb: 'execute', schema: 'app', name: 'pay', class: 'security-definer' }],
    },
    absent: { unknownNames: [{ kind: 'routine', written: 'app.nop' }] },
  },
  {
    what: 'a schema for DDL',
    text: (name) => `CREATE TABLE ${name}.t (a int)`,
    names: ['vault', 'nosch'],
    real: { demands: [accessOf('ddl vault')], kind: 'create' },
    absent: { unknownNames: [{ kind: 'schema', written: 'nosch' }], kind: 'create' },
  },
];

for (const { what, text, names, real, absent } of ALIKE) {
  test(`what is there and what is not look the same: ${what}`, () => {
    const [realName, absentName] = names;
    const there = refusalOf(text(realName), real);
    const swap = (said: string): string =>
      said.replaceAll(absentName, realName).replaceAll(absentName.toUpperCase(), realName.toUpperCase());
    const gone = refusalOf(text(absentName), absent);
    assert.equal(swap(gone.detail), there.detail);
    assert.equal(swap(gone.hint), there.hint);
    assert.doesNotMatch(JSON.stringify(there.missing), /indirect/);
  });
}

test('nothing is named that the text does not name', () => {
  const secret = /secret/;
  const cases: readonly (readonly [string, readonly Access[]])[] = [
    ['SELECT * FROM bank.report', [accessOf('select bank.secret_base(a)', { via: 'bank.report' })]],
    ['SELECT * FROM bank.customers', [accessOf('select bank.customers(customer_id,secret)')]],
    ['SELECT c FROM bank.customers c', [accessOf('select bank.customers(secret,segment)')]],
    ['INSERT INTO bank.accounts DEFAULT VALUES', [accessOf('execute app.secret_trigger')]],
    [
      'INSERT INTO bank.accounts DEFAULT VALUES',
      [
        {
          kind: 'routine',
          verb: 'execute',
          schema: 'app',
          name: 'secret_trigger',
          class: 'own',
          via: 'bank.accounts',
        },
      ],
    ],
    [String.raw`SELECT 1 FROM U&"\0073ecret"`, [accessOf('select bank.secret()')]],
  ];
  for (const [text, demands] of cases) {
    const said = refusalOf(text, { demands });
    assert.doesNotMatch(`${said.detail} ${said.hint}`, secret, text);
    assert.equal(said.missing.length, 1);
  }
  assert.deepEqual(
    refusalOf('SELECT * FROM bank.customers', { demands: [accessOf('select bank.customers(*)')] }).missing,
    [{ relation: 'bank.customers', columns: '*' }],
  );
});

test('what another names in a comment is still not told when it is reached through a view', () => {
  const said = refusalOf('SELECT 1 FROM v /* bank.secret ssn */', {
    demands: [accessOf('select bank.secret(ssn)', { via: 'bank.v' })],
  });
  assert.deepEqual(said.missing, [{ indirect: true }]);
});

test('without the text no name is told at all', () => {
  const said = refusalOf(undefined, {
    demands: [accessOf('select bank.cards(pan)')],
    unknownNames: [relation('bank.nocat')],
  });
  assert.deepEqual(said.missing, [{ indirect: true }]);
});

test('the order of what is missing does not tell what is there', () => {
  const text = 'SELECT 1 FROM bank.aaa, bank.bbb, bank.ccc';
  const variants = [
    {
      demands: [accessOf('select bank.aaa()'), accessOf('select bank.bbb()')],
      unknownNames: [relation('bank.ccc')],
    },
    { demands: [accessOf('select bank.ccc()')], unknownNames: [relation('bank.bbb'), relation('bank.aaa')] },
    { unknownNames: [relation('bank.ccc'), relation('bank.aaa'), relation('bank.bbb')] },
  ].map((asked) => refusalOf(text, asked).detail);
  assert.equal(new Set(variants).size, 1);
});

test('other kinds of access are told by the words that allow them', () => {
  const said = refusalOf('LISTEN x; CREATE TEMP TABLE t (a int); SELECT query_to_xml($1)', {
    kind: 'multi',
    demands: [
      accessOf('special listen'),
      accessOf('insert pg_temp.t()', { class: 'temp' }),
      { kind: 'routine', verb: 'execute', schema: 'pg_catalog', name: 'query_to_xml', class: 'dynamic-sql' },
    ],
  });
  assert.deepEqual(said.missing, [
    { allow: 'create-temp' },
    { function: 'query_to_xml', allow: 'dynamic-sql' },
    { allow: 'listen' },
  ]);
});

test('hostile names stay one line of JSON, and what a scope takes', () => {
  const name = 'a\n{missing:[]}\\ ';
  const written = `"${name}"`;
  const said = refusalOf(`SELECT 1 FROM bank.${written}`, {
    demands: [{ ...accessOf('select bank.x()'), name } as Access],
  });
  assert.deepEqual(said.missing, [{ relation: `bank.${written}` }]);
});

test('where names with dots or quotes could be mistaken for others, none is told', () => {
  for (const text of [
    'SELECT cards FROM "x.cards"',
    'SELECT 1 FROM cards AS "bank.cards"',
    'SELECT 1 FROM "a""b", cards',
  ]) {
    const there = refusalOf(text, { demands: [accessOf('select bank.cards()')] });
    const gone = refusalOf(text, { unknownNames: [relation('x.cards')] });
    assert.deepEqual(there.missing, [{ indirect: true }]);
    assert.equal(there.detail, gone.detail);
  }
});

test('a list that is long is cut, and says by how much', () => {
  const names = Array.from({ length: 45 }, (_, index) => `t${String(index).padStart(2, '0')}`);
  const said = refusalOf(`SELECT 1 FROM ${names.map((name) => `bank.${name}`).join(', ')}`, {
    demands: names.map((name) => accessOf(`select bank.${name}()`)),
  });
  assert.equal(said.missing.length, 20);
  assert.match(said.detail, /and 25 more\.\n.*"more":25\}$/s);
});

test('names are looked for within bounds only', () => {
  const long = refusalOf(`SELECT 1 FROM cards ${' '.repeat(20_000)}`, {
    demands: [accessOf('select bank.cards()')],
  });
  assert.deepEqual(long.missing, [{ indirect: true }]);
  const names = Array.from({ length: 101 }, (_, index) => `t${index}`);
  const many = refusalOf(names.join(), { demands: names.map((name) => accessOf(`select bank.${name}()`)) });
  assert.deepEqual(many.missing, [{ indirect: true }]);
});

test('a name that is longer than any object’s is not told, whether one was meant or not', () => {
  const long = 'n'.repeat(70);
  const said = refusalOf(`SELECT 1 FROM ${long}`, { unknownNames: [relation(long)] });
  assert.deepEqual(said.missing, [{ indirect: true }]);
  const cut = refusalOf(`SELECT 1 FROM ${long}`, {
    demands: [{ ...accessOf('select bank.x()'), name: 'n'.repeat(63) } as Access],
  });
  assert.deepEqual(cut.missing, [{ indirect: true }]);
});

const FRAGMENTS =
  'cards,Cards,"cards","Cards",bank,public,.,"bank", ,select,*,/*,*/,\',"x.cards",c,ssn,1'.split(',');

test('property: whatever the text is, the same statement is answered the same with an object there and without', () => {
  const text = fc.array(fc.constantFrom(...FRAGMENTS, '$$', '--', 'U&', '\n'), { maxLength: 14 });
  const name = fc.constantFrom('cards', 'Cards', 'c', 'bank', 'x.cards', 'n"q');
  const schema = fc.constantFrom('bank', 'public', 'Hidden', 'a.b');
  fc.assert(
    fc.property(
      text,
      name,
      schema,
      fc.boolean(),
      fc.boolean(),
      (parts, object, place, isQualified, isRoutine) => {
        const statement = parts.join('');
        // A name with a dot or a quote can be meant only by a text that has it in quotes.
        fc.pre(!/[."]/.test(object) || /"x\.cards"|U&"/.test(statement));
        const access: Access = isRoutine
          ? { kind: 'routine', verb: 'execute', schema: place, name: object, class: 'own' }
          : {
              kind: 'relation',
              verb: 'select',
              schema: place,
              name: object,
              columns: ['ssn'],
              class: 'data',
            };
        const there = refusalOf(statement, { demands: [access], scope: scopeConfig([]) });
        const gone = refusalOf(statement, {
          unknownNames: [
            {
              kind: isRoutine ? 'routine' : 'relation',
              written: isQualified ? `${place}.${object}` : object,
            },
          ],
          scope: scopeConfig([]),
        });
        assert.deepEqual(gone, there);
      },
    ),
    { numRuns: 5_000 },
  );
});
