/**
 * Attacks that the gateway withstood when they were first tried, and must go on withstanding: the answers are the server's
 * own, the record is whole, and each command is on it as it went.
 */
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import type { PostgresServer } from '../support/postgres-server.ts';
import { bind, execute, frame, parse, query, sync } from '../support/raw-session.ts';
import { directEndpoint, Harness, play, startServer, type Step } from '../translator/harness.ts';

const all = (...messages: readonly Buffer[]): Buffer => Buffer.concat(messages);
const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const named = (text: string): Buffer => Buffer.from(`${text}\0`);
const run = (text: string): Buffer => all(parse('', text), bind('', '', []), execute());
const flush = (): Buffer => frame('H');
const describe = (kind: 'S' | 'P', name: string): Buffer => frame('D', named(kind + name));
const close = (kind: 'S' | 'P', name: string): Buffer => frame('C', named(kind + name));
const inOneWrite = (times: number, ...messages: readonly Buffer[]): Step => ({
  send: all(...messages),
  until: 'Z',
  times,
});
const int4div = (a: number, b: number): Buffer =>
  frame('F', int32(154), int16(1), int16(1), int16(2), int32(4), int32(a), int32(4), int32(b), int16(1));
const many = (count: number): Buffer =>
  frame(
    'B',
    named(''),
    named('many'),
    int16(0),
    int16(count),
    ...Array.from({ length: count }, (_, index) => all(int32(1), Buffer.from(String(index % 10)))),
    int16(0),
  );
const binary = frame(
  'B',
  named(''),
  named(''),
  int16(1),
  int16(1),
  int16(1),
  int32(4),
  int32(7),
  int16(1),
  int16(1),
);
const MANY = `select count(*) from (values ${Array.from({ length: 65_535 }, (_, at) => `($${at + 1}::text)`).join(',')}) v`;
const T = query('create temp table t(a int primary key)');
const COUNT = query('select count(*) from t');
const insert = (value: number): string => `insert into t values (${value})`;

/** [title, steps, statuses of the calls]. */
const CASES: readonly (readonly [string, readonly Step[], readonly string[]])[] = [
  [
    'simple and extended mixed in one series: the error of a Query takes the Execute before it along',
    [T, inOneWrite(2, run(insert(1)), query('select 1/0'), run(insert(2)), sync()), COUNT],
    ['ok', 'ok', 'error', 'ok', 'ok'],
  ],
  [
    'everything but Sync is skipped behind an error: Query, FunctionCall, Flush, COPY data, Close',
    [
      T,
      inOneWrite(
        1,
        bind('', 'nowhere', []),
        query(insert(1)),
        int4div(1, 1),
        flush(),
        frame('d', Buffer.from('1\n')),
        frame('c'),
        close('S', ''),
        run(insert(2)),
        sync(),
      ),
      COUNT,
    ],
    ['ok', 'error', 'skipped', 'skipped', 'skipped', 'ok'],
  ],
  [
    'FunctionCall in the middle of a series, with an error',
    [T, inOneWrite(3, run(insert(1)), int4div(4, 2), run(insert(2)), int4div(1, 0), sync()), COUNT],
    ['ok', 'ok', 'ok', 'ok', 'error', 'ok'],
  ],
  [
    'Syncs alone, Flushes alone, and more Syncs than commands',
    [inOneWrite(5, sync(), flush(), sync(), flush(), sync(), run('select 1'), sync(), sync())],
    ['ok'],
  ],
  [
    'Describe and Close of what is not there, and of what is',
    [
      all(describe('S', 'nothing'), sync()),
      all(describe('P', 'nothing'), sync()),
      all(close('S', 'nothing'), close('P', 'nothing'), sync()),
      all(parse('s', 'select 1'), describe('S', 's'), close('S', 's'), describe('S', 's'), sync()),
    ],
    ['ok'],
  ],
  [
    'row limits: none, negative, one, and a portal run to its end and again',
    [
      query('begin'),
      all(parse('', 'select generate_series(1,3)'), bind('a', '', []), execute('a', -1), sync()),
      all(bind('b', '', []), execute('b', 1), execute('b', 1), execute('b', 0), execute('b', 0), sync()),
      all(execute('nothing', 1), sync()),
      query('rollback'),
    ],
    ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'error', 'ok'],
  ],
  [
    'a portal of a write, run twice',
    [T, all(parse('', insert(1)), bind('p', '', []), execute('p'), execute('p'), sync()), COUNT],
    ['ok', 'ok', 'error', 'ok'],
  ],
  ['values in binary, in and out', [all(parse('', 'select $1::int'), binary, execute(), sync())], ['ok']],
  [
    'as many parameters as the protocol can count',
    [all(parse('many', MANY), many(65_535), execute(), sync())],
    ['ok'],
  ],
  [
    'fewer values than the statement has',
    [all(parse('', 'select $1::int + $2::int'), bind('', '', ['1']), execute(), sync()), query('select 1')],
    ['error', 'ok'],
  ],
  [
    'no statement at all: empty, blank, semicolons, a comment',
    [
      query(''),
      query(' \n'),
      query(';;'),
      query('-- nothing'),
      inOneWrite(2, run(''), query(''), run(';'), sync()),
    ],
    ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ],
  [
    'a flood of notices, and settings reported in the middle of a pipeline',
    [
      query(`do $$ begin for i in 1..2000 loop raise notice 'n %', i; end loop; end $$`),
      inOneWrite(
        3,
        run(`set datestyle to 'SQL'`),
        sync(),
        run('select 1'),
        sync(),
        run('reset datestyle'),
        sync(),
      ),
    ],
    ['ok', 'ok', 'ok', 'ok'],
  ],
  [
    'COMMIT and ROLLBACK in the middle of a series',
    [
      T,
      all(run('begin'), run(insert(1)), run('commit'), run('begin'), run(insert(2)), run('rollback'), sync()),
      COUNT,
    ],
    ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'],
  ],
  [
    'a deferred error at the COMMIT of a series, with commands behind it',
    [
      query('create temp table d(a int unique deferrable initially deferred)'),
      all(
        run('begin'),
        run('insert into d values (1),(1)'),
        run('commit'),
        run('insert into d values (2)'),
        sync(),
      ),
      query('select count(*) from d'),
    ],
    ['ok', 'ok', 'ok', 'error', 'skipped', 'ok'],
  ],
  [
    'names as long as they get',
    [
      all(
        parse('n'.repeat(30_000), 'select 1'),
        bind('p'.repeat(9_000), 'n'.repeat(30_000), []),
        execute('p'.repeat(9_000)),
        sync(),
      ),
    ],
    ['ok'],
  ],
];

let server: PostgresServer;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

for (const [title, steps, statuses] of CASES) {
  test(title, { timeout: 30_000 }, async () => {
    const direct = await play(directEndpoint(server), steps);
    const harness = await Harness.start(server);
    const through = await play(harness.endpoint, steps);
    const { verdict, calls } = await harness.finish();
    assert.deepEqual(through, direct);
    assert.equal(verdict, 'VERIFIED');
    assert.deepEqual(
      calls.map(({ result }) => result?.['status']),
      statuses,
    );
  });
}

/** Ways around the list of settings that only the server can confirm: each is refused, and nothing has changed after it. */
const BYPASSES: readonly string[] = [
  `DO E'BEGIN\\nSET session_replication_role=replica; END'`,
  `DO 'BEGIN SE'\n'T session_replication_role=replica; END'`,
  `DO U&'BEGIN \\0053ET session_replication_role=replica; END'`,
  `DO $$ BEGIN EXECUTE E'\\x53ET session_replication_role=replica'; END $$`,
  `DO $$ BEGIN EXECUTE $q$DO $z$BEGIN SET session_replication_role=replica; END$z$ $q$; END $$`,
  `SELECT query_to_xml(E'SELECT \\x73et_config(\\'session_replication_role\\',\\'replica\\',false)',true,true,'')`,
  `SELECT 1; SET/**/session_replication_role/**/=/**/replica`,
  `SELECT 'a\\'; SET session_replication_role = replica; --'`,
  `COPY (SELECT set_config('session_replication_role','replica',false)) TO STDOUT`,
  `PREPARE x AS SELECT set_config('session_replication_role','replica',false)`,
  `MERGE INTO pg_settings p USING (SELECT 1) q ON p.name = 'session_replication_role' WHEN MATCHED THEN UPDATE SET setting = 'replica'`,
  `UPDATE pg_catalog.pg_settings SET setting = 'replica' WHERE name = 'session_replication_role'`,
  `SELECT set_config('session_replication_role','replica',false) INTO TEMP x`,
  `ALTER ROLE CURRENT_USER SET session_replication_role = replica`,
  `SET SESSION SESSION AUTHORIZATION postgres`,
];

test('no known way changes a setting that is not allowed', { timeout: 30_000 }, async () => {
  const harness = await Harness.start(server);
  for (const text of BYPASSES) {
    const answers = await play(harness.endpoint, [
      query(text),
      all(parse('', text), bind('', '', []), execute(), sync()),
      query('show session_replication_role'),
    ]);
    assert.equal(
      answers.filter((answer) => answer.startsWith('E') && answer.includes('C42501')).length,
      2,
      text,
    );
    assert.ok(
      answers.some((answer) => answer.startsWith('D') && answer.endsWith('origin')),
      text,
    );
  }
  const { verdict, calls } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
  assert.equal(calls.filter(({ type }) => type === 'call.denied').length, 2 * BYPASSES.length);
});
