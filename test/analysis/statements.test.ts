/**
 * What every kind of statement demands, on the catalog of a real server. The cases are in `cases/*.txt`: a sentence, the statement, the meaning
 * (effect, demands; then what is reached, unknown, changed, executed, where there is any).
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { indexCatalog } from '../../packages/gateway/src/postgres/catalog/catalog-index.ts';
import type { Catalog, CatalogRelation } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { inspectStatement } from '../../packages/gateway/src/postgres/inspect/inspect.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { analyze, loadFixture, outcomeOf, written } from './fixture.ts';

const CASES = join(import.meta.dirname, 'cases');

interface Case {
  readonly says: string;
  readonly sql: string;
  readonly outcome: readonly string[];
}

function readCases(file: string): readonly Case[] {
  const blocks = readFileSync(join(CASES, file), 'utf8').trim().split(/\n\n+/u);
  return blocks.map((block) => {
    const lines = block.split('\n');
    const outcome = lines.filter((line) => line.startsWith('=> ')).map((line) => line.slice(3));
    const sql = lines.filter((line) => !line.startsWith('=> ') && !line.startsWith('-- ')).join('\n');
    const says = lines[0] ?? '';
    assert.ok(says.startsWith('-- ') && outcome.length > 0, `a case of ${file} is not one: ${block}`);
    return { says: says.slice(3), sql, outcome };
  });
}

let server: PostgresServer;
let catalog: Catalog;

before(async () => {
  server = await startTestPostgres();
  catalog = await loadFixture(server);
});

after(async () => {
  await server.stop();
});

const files = readdirSync(CASES);

test('there are cases, each said once', () => {
  const all = files.flatMap((file) => readCases(file));
  assert.ok(all.length >= 300);
  const statements = all.map(({ sql }) => sql);
  assert.deepEqual(
    statements.filter((sql, index) => statements.indexOf(sql) !== index),
    [],
  );
});

for (const file of files) {
  describe(file, () => {
    for (const { says, sql, outcome } of readCases(file)) {
      test(`${says}: ${sql}`, () => {
        assert.deepEqual(outcomeOf(analyze(sql, catalog)), outcome);
      });
    }
  });
}

/** What the words alone cannot tell. */
const DIFFERENT_EFFECTS: readonly string[] = [
  // A cursor that outlives its transaction, another role: specials count as writes.
  'DECLARE c CURSOR WITH HOLD FOR SELECT 1',
  // Planning may run an own function.
  'EXPLAIN SELECT app.check_it(1)',
  'SET LOCAL ROLE joe',
  'SET ROLE joe',
  'SET SESSION AUTHORIZATION joe',
];

test('kind and effect agree with what the words alone say', () => {
  const differ: string[] = [];
  for (const { sql } of files.flatMap((file) => readCases(file))) {
    const meaning = analyze(sql, catalog);
    const words = inspectStatement(sql);
    if (meaning.unreadable !== undefined) continue;
    assert.equal(meaning.kind, words.kind, sql);
    assert.notEqual(meaning.effect, 'unknown', sql);
    const isMore = words.effect === 'write' && meaning.effect === 'admin';
    const isSame = words.effect === 'unknown' || words.effect === meaning.effect;
    if (!isSame && !isMore) differ.push(sql);
  }
  assert.deepEqual(differ.sort(), DIFFERENT_EFFECTS);
});

/** The fixture with one event trigger. */
function withEventTrigger(enabled: string): Catalog {
  const routine = catalog.routines('app', 'on_write')[0];
  assert.ok(routine);
  const eventTriggers = [{ name: 'x', event: 'ddl_command_end', routineOid: routine.oid, enabled }];
  return indexCatalog({ ...catalog.data, epoch: `${catalog.epoch}+${enabled}`, eventTriggers });
}

const DEFINITIONS = [
  'CREATE TABLE x (a int)',
  'DROP TABLE t',
  'SELECT a INTO x FROM t',
  'GRANT SELECT ON t TO joe',
];

for (const sql of DEFINITIONS) {
  test(`event triggers fire for ${sql}`, () => {
    const demands = analyze(sql, withEventTrigger('O')).demands.map((access) => written(access));
    assert.ok(demands.includes('execute app.on_write'), demands.join('; '));
    const disabled = analyze(sql, withEventTrigger('D')).demands.map((access) => written(access));
    assert.ok(!disabled.includes('execute app.on_write'));
  });
}

test('a function that an event trigger or a cast runs is dropped along with it by administrators only', () => {
  const demands = analyze('DROP FUNCTION app.on_write CASCADE', withEventTrigger('D')).demands;
  assert.ok(demands.some((access) => written(access) === 'special admin'));
  const routine = catalog.routines('scratch', 'f')[0];
  assert.ok(routine);
  const casts = [
    { sourceTypeOid: 23, targetTypeOid: 25, routineOid: routine.oid, context: 'explicit' as const },
  ];
  const withCast = indexCatalog({ ...catalog.data, epoch: 'cast', casts });
  const dropped = analyze('DROP FUNCTION f(int) CASCADE', withCast).demands.map((access) => written(access));
  assert.ok(dropped.includes('special admin'), dropped.join('; '));
});

test('event triggers do not fire for data', () => {
  for (const sql of ['SELECT a FROM t', 'INSERT INTO t VALUES (1)', 'SET work_mem = 1', 'TRUNCATE t']) {
    const demands = analyze(sql, withEventTrigger('O')).demands.map((access) => written(access));
    assert.ok(!demands.includes('execute app.on_write'), sql);
  }
});

test('an unknown search_path refuses unqualified names of definitions too', () => {
  const names = { searchPath: undefined, temporary: new Set<string>() };
  for (const sql of [
    'CREATE TABLE x (a int)',
    'DROP TABLE t',
    'TRUNCATE t',
    'LOCK t',
    'COMMENT ON TABLE t IS NULL',
  ]) {
    assert.equal(analyze(sql, catalog, names).unreadable?.reason, 'unknown-search-path', sql);
  }
  assert.equal(analyze('DROP TABLE scratch.t', catalog, names).unreadable, undefined);
});

test('when any name may be temporary, both are demanded', () => {
  const names = { searchPath: ['scratch'], temporary: '*' } as const;
  const demands = analyze('DROP TABLE t', catalog, names).demands.map((access) => written(access));
  assert.deepEqual(demands, ['ddl scratch.t', 'special create-temp']);
  assert.deepEqual(
    analyze('TRUNCATE t', catalog, names).demands.map((access) => written(access)),
    ['truncate pg_temp.t(*)', 'truncate scratch.t()'],
  );
});

test('without foreign keys in the snapshot, what follows them is refused', () => {
  const relations = catalog.data.relations.map((relation) => {
    const copy: { -readonly [Key in keyof CatalogRelation]: CatalogRelation[Key] } = { ...relation };
    delete copy.referencedBy;
    return copy;
  });
  const blind = indexCatalog({ ...catalog.data, epoch: 'blind', relations });
  for (const sql of ['TRUNCATE bank.account CASCADE', 'DROP TABLE bank.account CASCADE']) {
    const demands = analyze(sql, blind).demands.map((access) => written(access));
    assert.ok(demands.includes('special admin'), `${sql}: ${demands.join('; ')}`);
  }
});

/** Deterministic: the same mutations in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('statements put together from pieces of others are judged or refused with a reason, never a failure', () => {
  const words = files.flatMap((file) => readCases(file)).map(({ sql }) => sql.split(/\b/u));
  const random = randomFrom(7);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const reasons = new Map<string, number>();
  for (let round = 0; round < 3000; round++) {
    const statement = [...pick(words)];
    const other = pick(words);
    const at = Math.floor(random() * statement.length);
    const from = Math.floor(random() * other.length);
    statement.splice(at, Math.floor(random() * 3), ...other.slice(from, from + 1 + Math.floor(random() * 6)));
    const sql = statement.join('');
    const { unreadable } = analyze(sql, catalog);
    const reason = unreadable?.reason ?? 'judged';
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    assert.notEqual(reason, 'parser-failure', sql);
  }
  // Most are no SQL; enough are, so that the test sees something.
  assert.ok((reasons.get('judged') ?? 0) > 300, JSON.stringify([...reasons]));
});
