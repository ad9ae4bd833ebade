import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { PostgresServer } from '../support/postgres-server.ts';
import {
  bind,
  copyData,
  copyDone,
  execute,
  frame,
  parse,
  query,
  RawSession,
  sync,
} from '../support/raw-session.ts';
import { directEndpoint, Harness, play, shape, startServer, type Step } from './harness.ts';

const all = (...messages: readonly Buffer[]): Buffer => Buffer.concat(messages);
const copyFail = (reason: string): Buffer => frame('f', Buffer.from(`${reason}\0`));
const terminateCopy = (text: string): Buffer => all(copyData(text), copyDone());
const TABLE = query('create temp table t(a int, b text)');
const COUNT = query('select a + 0, b || b from t order by a');
const pgBinary = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const binaryRow = (value: number): Buffer => {
  const row = Buffer.from('000200000004000000000000000178', 'hex');
  row.writeInt32BE(value, 6);
  return row;
};

let server: PostgresServer;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

interface Case {
  readonly title: string;
  readonly steps: readonly Step[];
  /** Per call: kind, status, rows. */
  readonly calls: readonly (readonly [string, string, number?])[];
}

const CASES: readonly Case[] = [
  {
    title: 'COPY in as text, CSV and binary, then out again in each',
    steps: [
      TABLE,
      { send: query('copy t from stdin'), until: 'G' },
      terminateCopy('1\tx\n2\ty\n'),
      { send: query('copy t from stdin with (format csv)'), until: 'G' },
      all(copyData('3,"z'), copyData('z"\n4,w\n'), copyDone()),
      { send: query('copy t from stdin with (format binary)'), until: 'G' },
      all(frame('d', pgBinary, Buffer.alloc(8), binaryRow(5), Buffer.from('ffff', 'hex')), copyDone()),
      query('copy t to stdout'),
      query('copy t to stdout with (format csv)'),
      query('copy t to stdout with (format binary)'),
    ],
    calls: [
      ['create', 'ok'],
      ['copy', 'ok', 2],
      ['copy', 'ok', 2],
      ['copy', 'ok', 1],
      ['copy', 'ok', 5],
      ['copy', 'ok', 5],
      ['copy', 'ok', 5],
    ],
  },
  {
    title: 'CopyFail, and data that the server rejects',
    steps: [
      TABLE,
      { send: query('copy t from stdin'), until: 'G' },
      all(copyData('1\tx\n'), copyFail('changed my mind')),
      { send: query('copy t from stdin'), until: 'G' },
      all(copyData('not a number\tx\n'), copyData('2\ty\n'), copyDone()),
      COUNT,
    ],
    calls: [
      ['create', 'ok'],
      ['copy', 'cancelled'],
      ['copy', 'error'],
      ['select', 'ok', 0],
    ],
  },
  {
    title: 'COPY in the extended protocol, with the Sync of the Execute ignored as the server ignores it',
    steps: [
      TABLE,
      { send: all(parse('', 'copy t from stdin'), bind('', '', []), execute(), sync()), until: 'G' },
      all(copyData('1\tx\n'), sync(), frame('H'), copyData('2\ty\n'), copyDone(), sync()),
      COUNT,
    ],
    calls: [
      ['create', 'ok'],
      ['copy', 'ok', 2],
      ['select', 'ok', 2],
    ],
  },
  {
    title: 'COPY in the extended protocol that fails before it starts, with everything sent ahead',
    steps: [
      TABLE,
      {
        send: all(
          parse('', "copy t from stdin delimiter 'ab'"),
          bind('', '', []),
          execute(),
          sync(),
          copyData('1\n'),
          copyDone(),
          sync(),
        ),
        until: 'Z',
        times: 2,
      },
      query('select 1'),
    ],
    calls: [
      ['create', 'ok'],
      ['copy', 'error'],
      ['select', 'ok', 1],
    ],
  },
  {
    title: 'COPY in sent ahead in one write with the Query, and a command behind it',
    steps: [
      TABLE,
      {
        send: all(query('copy t from stdin'), copyData('1\tx\n'), copyDone(), query('select 1')),
        until: 'Z',
        times: 2,
      },
      COUNT,
    ],
    calls: [
      ['create', 'ok'],
      ['copy', 'ok', 1],
      ['select', 'ok', 1],
      ['select', 'ok', 1],
    ],
  },
  {
    title: 'two COPYs in one Query',
    steps: [
      TABLE,
      { send: query('copy t from stdin; copy t from stdin'), until: 'G' },
      { send: terminateCopy('1\tx\n'), until: 'G' },
      terminateCopy('2\ty\n3\tz\n'),
      COUNT,
    ],
    calls: [
      ['create', 'ok'],
      ['multi', 'ok', 3],
      ['select', 'ok', 3],
    ],
  },
  {
    title: 'FunctionCall, with arguments in binary and an error',
    steps: [
      // int4pl is 177, int4div 154.
      functionCall(177, [2, 3]),
      functionCall(154, [1, 0]),
      query('begin'),
      functionCall(154, [1, 0]),
      query('rollback'),
    ],
    calls: [
      ['function', 'ok'],
      ['function', 'error'],
      ['begin', 'ok'],
      ['function', 'error'],
      ['rollback', 'ok'],
    ],
  },
  {
    title: 'large objects through the fast-path interface',
    steps: [
      query('begin'),
      // lo_creat 957 with mode 0x60000 would give a new OID each time; lo_create 715 takes one.
      functionCall(715, [424_242]),
      functionCall(952, [424_242, 0x60000]),
      functionCall(955, [0, Buffer.from('hello')]),
      functionCall(956, [0, 0, 0]),
      functionCall(954, [0, 5]),
      functionCall(964, [424_242]),
      query('commit'),
    ],
    calls: [
      ['begin', 'ok'],
      ['function', 'ok'],
      ['function', 'ok'],
      ['function', 'ok'],
      ['function', 'ok'],
      ['function', 'ok'],
      ['function', 'ok'],
      ['commit', 'ok'],
    ],
  },
  {
    title: 'notices and changes of reported settings',
    steps: [
      query("do $$ begin raise notice 'hello'; end $$"),
      query("set datestyle to 'SQL, DMY'"),
      query('reset datestyle'),
    ],
    calls: [
      ['do', 'ok'],
      ['set', 'ok'],
      ['reset', 'ok'],
    ],
  },
];

function int(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeIntBE(value, 0, bytes);
  return buffer;
}

function functionCall(oid: number, values: readonly (number | Buffer)[]): Buffer {
  const fields = values.flatMap((value) => {
    const bytes = Buffer.isBuffer(value) ? value : int(value, 4);
    return [int(bytes.length, 4), bytes];
  });
  return frame('F', int(oid, 4), int(1, 2), int(1, 2), int(values.length, 2), ...fields, int(1, 2));
}

for (const { title, steps, calls } of CASES) {
  test(title, { timeout: 20_000 }, async () => {
    const direct = await play(directEndpoint(server), steps);
    const harness = await Harness.start(server);
    const through = await play(harness.endpoint, steps);
    const record = await harness.finish();
    assert.deepEqual(through, direct);
    assert.equal(record.verdict, 'VERIFIED');
    const seen = record.calls.map(({ kind, result }) => [kind, result?.['status'], result?.['rows']]);
    assert.deepEqual(
      seen,
      calls.map(([kind, status, rows]) => [kind, status, rows]),
    );
  });
}

test('COPY data and rows have keyed digests that the sealed key reproduces', async () => {
  const harness = await Harness.start(server);
  const session = await harness.connect();
  session.send(TABLE);
  await session.receiveUntil();
  session.send(query('copy t from stdin'));
  await session.receiveUntil('G');
  const sent = [copyData('1\tx\n'), copyData('2\ty\n')];
  session.send(...sent, copyDone());
  await session.receiveUntil();
  session.send(query('select * from t; copy t to stdout'));
  const answer = await session.receiveUntil();
  session.end();
  const { calls, leaves, digestKeys } = await harness.finish();
  const opened = leaves.find(
    ({ type, session: id }) => type === 'session.opened' && id === calls.at(-1)!.session,
  );
  const key = digestKeys.get(opened!.session!)!;
  const digest = (messages: readonly Buffer[]): string =>
    createHash('sha256').update(key).update(Buffer.concat(messages)).digest('base64url');
  assert.equal(calls.at(-2)?.result?.['copied'], digest(sent));
  const rows = answer.filter(({ type }) => 'Dd'.includes(type)).map(({ type, body }) => frame(type, body));
  assert.equal(rows.length, 4);
  assert.equal(calls.at(-1)?.result?.['delivered'], digest(rows));
});

test('a notification arrives while the listener is idle', async () => {
  const harness = await Harness.start(server);
  const listener = await harness.connect();
  listener.send(query('listen news'));
  await listener.receiveUntil();
  const other = await RawSession.connect(directEndpoint(server));
  other.send(query("notify news, 'extra'"));
  await other.receiveUntil();
  const message = await listener.receive();
  assert.equal(message.type, 'A');
  assert.ok(message.body.includes('news\0extra\0'));
  other.end();
  listener.end();
  assert.equal((await harness.finish()).verdict, 'VERIFIED');
});

test('a pinned setting changed behind our back ends the session', async () => {
  const harness = await Harness.start(server);
  const session = await harness.connect();
  session.send(query(`do $$ begin execute 'se' || 't client_encoding to latin1'; end $$`));
  const messages = await session.receiveUntil('E');
  assert.match(messages.at(-1)!.body.toString(), /FATAL.*C57P01.*pins/s);
  const { leaves, verdict } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
  assert.ok(leaves.some((leaf) => leaf.type === 'session.closed' && leaf['reason'] === 'CS_SESSION_PIN'));
});

test('set_config by the fast-path interface is refused like SET', async () => {
  const harness = await Harness.start(server);
  const session = await harness.connect();
  session.send(functionCall(2078, [Buffer.from('role'), Buffer.from('postgres'), Buffer.from([0])]));
  const answer = await session.receiveUntil();
  assert.equal(shape(answer), 'EZ');
  assert.match(answer[0]!.body.toString(), /C42501/);
  session.end();
  const { calls } = await harness.finish();
  assert.equal(calls.at(-1)?.type, 'call.denied');
});
