import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { inspectStatement } from './inspect.ts';

const cases: readonly [text: string, kind: string, effect: string][] = [
  ['', 'empty', 'read'],
  [' ;; -- nothing', 'empty', 'read'],
  ['SELECT abalance FROM pgbench_accounts WHERE aid = 1;', 'select', 'read'],
  ['select count(*), sum(x), coalesce(a, 0) from t where b in (1, 2)', 'select', 'read'],
  ['(select 1) union (select 2)', 'select', 'read'],
  ['table t', 'table', 'read'],
  ['values (1), (2)', 'values', 'read'],
  ['show all', 'show', 'read'],
  ['fetch 10 from c', 'fetch', 'read'],
  ['explain select f(1)', 'explain', 'read'],
  ['explain analyze select 1', 'explain', 'unknown'],
  ['explain (analyze, buffers) delete from t', 'explain', 'unknown'],
  // What can write, or hides code
  ['select pay(1)', 'select', 'unknown'],
  ['select "pay"(1)', 'select', 'unknown'],
  ['select "count"(1)', 'select', 'unknown'],
  ['select public.count(1)', 'select', 'unknown'],
  ['select U&"p\\0061y"(1)', 'select', 'unknown'],
  ['select U&"p!0061y" UESCAPE \'!\' (1)', 'select', 'unknown'],
  ['select pay /* x */ (1)', 'select', 'unknown'],
  ["select nextval('s')", 'select', 'unknown'],
  ['select 1 into t2', 'select', 'write'],
  ['select * from t for update', 'select', 'write'],
  ['select * from t for no key update', 'select', 'write'],
  ['select * from t for key share', 'select', 'write'],
  ['select * from t for share', 'select', 'write'],
  ['with x as (delete from t returning *) select * from x', 'select', 'write'],
  ['with x as (select 1) insert into t select * from x', 'insert', 'write'],
  ['with recursive x as (select 1) select * from x', 'select', 'read'],
  ['insert into t values (1)', 'insert', 'write'],
  ['update t set a = 1', 'update', 'write'],
  ['merge into t using s on true when matched then delete', 'merge', 'write'],
  ['copy t (a, b) from stdin', 'copy', 'write'],
  ['copy t (a, b) to stdout (format csv)', 'copy', 'read'],
  ['copy (select pay(1)) to stdout', 'copy', 'unknown'],
  ['copy (delete from t returning *) to stdout', 'copy', 'write'],
  ["copy t to program 'sh'", 'copy', 'write'],
  ["copy t to '/tmp/stdout'", 'copy', 'write'],
  ['call p()', 'call', 'unknown'],
  ['do $$ begin end $$', 'do', 'unknown'],
  ['execute p(1)', 'execute', 'unknown'],
  ['notify c', 'notify', 'write'],
  ['create table t (a int)', 'create', 'write'],
  ['drop view v', 'drop', 'write'],
  ['create role r', 'create', 'admin'],
  ['alter system set x = 1', 'alter', 'admin'],
  ['grant select on t to r', 'grant', 'admin'],
  ['set constraints all immediate', 'set', 'write'],
  ['set search_path = a', 'set', 'read'],
  ['discard all', 'discard', 'unknown'],
  // Not a command's first word, or no end
  ['gibberish', 'unknown', 'unknown'],
  ["'select'", 'unknown', 'unknown'],
  ['"select" 1', 'unknown', 'unknown'],
  ['1', 'unknown', 'unknown'],
  ["select '", 'select', 'unknown'],
  ['select 1 /*', 'select', 'unknown'],
  // Several
  ['select 1; select 2', 'multi', 'read'],
  ['select 1; delete from t', 'multi', 'write'],
  ['select 1; select pay(1)', 'multi', 'unknown'],
  ['create role r; select 1', 'multi', 'admin'],
  ['select 1;;', 'select', 'read'],
  ["select ';'", 'select', 'read'],
  ['create rule r as on insert to t do (delete from u; delete from v)', 'create', 'write'],
  [
    'create function f() returns int begin atomic select case when true then 1 end; select 2; end',
    'create',
    'write',
  ],
  ['create or replace procedure p() begin atomic delete from t; end; select 1', 'multi', 'write'],
];

for (const [text, kind, effect] of cases) {
  test(`${kind}, ${effect}: ${text}`, () => {
    const inspection = inspectStatement(text);
    assert.deepEqual({ kind: inspection.kind, effect: inspection.effect }, { kind, effect });
  });
}

const verbs: readonly [text: string, verb: string | undefined, effect: string][] = [
  ['BEGIN', 'begin', 'read'],
  ['start transaction isolation level serializable', 'begin', 'read'],
  ['commit', 'commit', 'write'],
  ['END', 'commit', 'write'],
  ["commit prepared 'x'", 'commit', 'write'],
  ['rollback', 'rollback', 'read'],
  ['abort', 'rollback', 'read'],
  ["rollback prepared 'x'", 'rollback', 'write'],
  ['rollback work to savepoint s', 'rollback-to', 'read'],
  ['rollback to s', 'rollback-to', 'read'],
  ['savepoint s', 'savepoint', 'read'],
  ['release s', 'release', 'read'],
  ["prepare transaction 'x'", 'prepare', 'write'],
  ['prepare p as select 1', undefined, 'read'],
  ['begin; commit', undefined, 'write'],
  ['select 1', undefined, 'read'],
];

for (const [text, verb, effect] of verbs) {
  test(`transaction ${verb}: ${text}`, () => {
    const inspection = inspectStatement(text);
    assert.deepEqual({ verb: inspection.transaction, effect: inspection.effect }, { verb, effect });
  });
}

test('the number of statements is counted', () => {
  assert.equal(inspectStatement('select 1; ; select 2; select 3;').statements, 3);
});

test('a kind never repeats a word of the caller’s', () => {
  const word = fc.stringMatching(/^[a-z_]{1,12}$/u);
  fc.assert(
    fc.property(word, (first) => {
      const { kind } = inspectStatement(`${first} x`);
      assert.ok(kind === 'unknown' || kind === first);
      if (kind === first) assert.ok(inspectStatement(first).kind === first);
    }),
  );
  assert.equal(inspectStatement('ssn_123_45_6789 x').kind, 'unknown');
});

test('no text makes it throw', () => {
  const fragments = fc.constantFrom(
    'set',
    'reset',
    'set_config',
    '(',
    ')',
    ',',
    "'a'",
    '=',
    'to',
    ';',
    'do',
    '$$',
    'execute',
    'alter',
    'role',
    'U&"',
    '"',
    "'",
    '\\',
    'uescape',
    'local',
    'session',
    'time',
    'zone',
    'é',
    '\ud800',
    '1',
    '-',
    '/*',
    '*/',
  );
  fc.assert(
    fc.property(fc.array(fragments, { maxLength: 30 }), (parts) => {
      inspectStatement(parts.join(' '));
    }),
    { numRuns: 3_000 },
  );
});

test('long texts of every shape are read in linear time', () => {
  // Quadratic reading of these would take hours, linear reading milliseconds: the runner's own timeout decides.
  const shapes = [
    "''",
    "'",
    '$$',
    '$a$ $b',
    '/*',
    '--\n',
    '"',
    "'a'\n",
    'set_config ',
    'set ',
    ';set a=',
    "E'\\'",
    'U&"\\',
    'do $$',
    '((((',
    "execute 'do ''execute '",
  ];
  for (const shape of shapes) inspectStatement(shape.repeat(200_000 / shape.length));
});
