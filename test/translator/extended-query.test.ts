import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import type { PostgresServer } from '../support/postgres-server.ts';
import { bind, execute, frame, parse, query, sync } from '../support/raw-session.ts';
import { directEndpoint, Harness, play, startServer, type RecordedCall, type Step } from './harness.ts';

const flush = (): Buffer => frame('H');
const describeStatement = (name: string): Buffer => frame('D', Buffer.from(`S${name}\0`));
const describePortal = (name: string): Buffer => frame('D', Buffer.from(`P${name}\0`));
const closeStatement = (name: string): Buffer => frame('C', Buffer.from(`S${name}\0`));
const all = (...messages: readonly Buffer[]): Buffer => Buffer.concat(messages);

let server: PostgresServer;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

interface Case {
  readonly title: string;
  readonly steps: readonly Step[];
  /** Per call: kind, status, statement, parameters. */
  readonly calls: readonly (readonly [string, string, string | undefined, (readonly (string | null)[])?])[];
}

const TABLE = query('create temp table t(a int primary key, b text)');
const TABLE_CALL = ['create', 'ok', 'create temp table t(a int primary key, b text)'] as const;

const CASES: readonly Case[] = [
  {
    title: 'a cached prepared statement executed twice is two calls, each with its own parameters',
    steps: [
      all(parse('s', 'select $1::int'), describeStatement('s'), sync()),
      all(bind('', 's', ['1']), execute(), sync()),
      all(bind('', 's', ['2']), execute(), sync()),
    ],
    calls: [
      ['prepare', 'ok', 'select $1::int'],
      ['select', 'ok', 'select $1::int', ['1']],
      ['select', 'ok', 'select $1::int', ['2']],
    ],
  },
  {
    title: 'an error in the middle of a pipeline skips what follows, and each is recorded as it went',
    steps: [
      TABLE,
      all(
        parse('', 'insert into t values ($1::int, $2)'),
        bind('', '', ['1', 'x']),
        execute(),
        bind('', '', ['1', null]),
        execute(),
        bind('', '', ['3', 'z']),
        execute(),
        sync(),
      ),
      query('select count(*) from t'),
    ],
    calls: [
      TABLE_CALL,
      ['insert', 'ok', 'insert into t values ($1::int, $2)', ['1', 'x']],
      ['insert', 'error', 'insert into t values ($1::int, $2)', ['1', null]],
      ['insert', 'skipped', 'insert into t values ($1::int, $2)', ['3', 'z']],
      ['select', 'ok', 'select count(*) from t'],
    ],
  },
  {
    title: 'several series in one write: an error in the first does not touch the second',
    steps: [
      {
        send: all(
          parse('', 'select 1/$1::int'),
          bind('', '', ['0']),
          execute(),
          sync(),
          parse('', 'select 2'),
          bind('', '', []),
          describePortal(''),
          execute(),
          sync(),
        ),
        until: 'Z',
        times: 2,
      },
    ],
    calls: [
      ['select', 'error', 'select 1/$1::int', ['0']],
      ['select', 'ok', 'select 2'],
    ],
  },
  {
    title: 'a portal with a row limit: each further Execute is a fetch that resumes the one before',
    steps: [
      query('begin'),
      all(parse('', 'select generate_series(1,5)'), bind('p', '', []), execute('p', 2), sync()),
      all(execute('p', 2), sync()),
      all(execute('p', 2), sync()),
      query('commit'),
      all(execute('p', 2), sync()),
    ],
    calls: [
      ['begin', 'ok', 'begin'],
      ['select', 'ok', 'select generate_series(1,5)'],
      ['fetch', 'ok', 'select generate_series(1,5)'],
      ['fetch', 'ok', 'select generate_series(1,5)'],
      ['commit', 'ok', 'commit'],
      ['fetch', 'error', undefined],
    ],
  },
  {
    title:
      'Parse without Execute is a prepare, Bind without Execute a plan, and the Execute after it resumes the plan',
    steps: [
      { send: all(parse('s', 'select $1::text'), flush()), until: '1' },
      { send: all(bind('', 's', ['v']), flush()), until: '2' },
      { send: all(execute(), flush()), until: 'C' },
      sync(),
    ],
    calls: [
      ['prepare', 'ok', 'select $1::text'],
      ['plan', 'ok', 'select $1::text', ['v']],
      ['select', 'ok', 'select $1::text'],
    ],
  },
  {
    title: 'a Parse that fails leaves the older statement of that name, and the record knows it',
    steps: [
      all(parse('s', 'select 1'), sync()),
      {
        send: all(parse('s', 'select 2'), sync(), bind('', 's', []), execute(), sync()),
        until: 'Z',
        times: 2,
      },
    ],
    calls: [
      ['prepare', 'ok', 'select 1'],
      ['prepare', 'error', 'select 2'],
      ['select', 'ok', 'select 1'],
    ],
  },
  {
    title: 'Close, then the same name again with another text',
    steps: [
      all(parse('s', 'select 1'), sync()),
      all(closeStatement('s'), parse('s', 'select 22'), bind('', 's', []), execute(), sync()),
    ],
    calls: [
      ['prepare', 'ok', 'select 1'],
      ['select', 'ok', 'select 22'],
    ],
  },
  {
    title: 'a statement that SQL prepared is executed by its name',
    steps: [
      all(parse('s', 'select 1'), sync()),
      query('deallocate s; prepare s as select 2'),
      all(bind('', 's', []), execute(), sync()),
    ],
    calls: [
      ['prepare', 'ok', 'select 1'],
      ['multi', 'ok', 'deallocate s; prepare s as select 2'],
      ['execute', 'ok', undefined],
    ],
  },
  {
    title: 'DEALLOCATE of one name leaves the texts of the others known',
    steps: [
      all(parse('s', 'select 1'), parse('r', 'select 2'), sync()),
      query('deallocate s'),
      all(bind('', 'r', []), execute(), sync()),
    ],
    calls: [
      ['prepare', 'ok', 'select 1'],
      ['prepare', 'ok', 'select 2'],
      ['deallocate', 'ok', 'deallocate s'],
      ['select', 'ok', 'select 2'],
    ],
  },
  {
    title: 'a deferred constraint that fails at Sync: the last command did not hold',
    steps: [
      query('create temp table d(a int unique deferrable initially deferred)'),
      all(parse('', 'insert into d values (1),(1)'), bind('', '', []), execute(), sync()),
    ],
    calls: [
      ['create', 'ok', 'create temp table d(a int unique deferrable initially deferred)'],
      ['insert', 'error', 'insert into d values (1),(1)'],
    ],
  },
  {
    title: 'an empty statement, and a Query between Parse and Bind without Sync',
    steps: [
      all(parse('', ''), bind('', '', []), execute(), sync()),
      query(''),
      all(parse('n', 'select 5'), query('select 6'), bind('', 'n', []), execute(), sync()),
      { send: Buffer.alloc(0), until: 'Z' },
    ],
    calls: [
      ['empty', 'ok', ''],
      ['empty', 'ok', ''],
      ['prepare', 'ok', 'select 5'],
      ['select', 'ok', 'select 6'],
      ['select', 'ok', 'select 5'],
    ],
  },
  {
    title: 'several Parses and Binds before their Executes',
    steps: [
      all(
        parse('a', 'select $1::int'),
        parse('b', 'select $1::text'),
        bind('pa', 'a', ['1']),
        bind('pb', 'b', ['two']),
        execute('pa'),
        execute('pb'),
        sync(),
      ),
    ],
    calls: [
      ['plan', 'ok', 'select $1::text', ['two']],
      ['select', 'ok', 'select $1::int', ['1']],
      ['select', 'ok', 'select $1::text'],
    ],
  },
];

for (const { title, steps, calls } of CASES) {
  test(title, async () => {
    const direct = await play(directEndpoint(server), steps);
    const harness = await Harness.start(server);
    const through = await play(harness.endpoint, steps);
    const record = await harness.finish();
    assert.deepEqual(through, direct);
    assert.equal(record.verdict, 'VERIFIED');
    assert.deepEqual(
      ofClient(record.calls),
      calls.map(([kind, status, statement, params]) => ({ kind, status, statement, params })),
    );
  });
}

function ofClient(calls: readonly RecordedCall[]): unknown[] {
  return calls.map(({ kind, result, statement, params }) => ({
    kind,
    status: result?.['status'],
    statement,
    params,
  }));
}

test('the names of what SQL made, and what a call resumes, are on the record', async () => {
  const harness = await Harness.start(server);
  await play(harness.endpoint, [
    query('prepare s as select 2'),
    all(bind('', 's', []), execute(), sync()),
    query('begin; declare c cursor for select generate_series(1,3)'),
    all(execute('c', 1), sync()),
    all(parse('', 'select generate_series(1,3)'), bind('p', '', []), execute('p', 1), sync()),
    all(execute('p', 1), sync()),
  ]);
  const { calls, verdict } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
  const [, byName, , cursor, first, second] = calls;
  assert.equal(byName?.statementName, 's');
  assert.equal(cursor?.statementName, 'c');
  assert.equal(cursor?.kind, 'fetch');
  assert.equal(second?.resumes, first?.id);
  assert.equal(first?.result?.['suspended'], true);
  assert.equal(first?.result?.['rows'], 1);
});
