/** Statements that are long enough to be read on another thread: nothing about them is different for who sends or examines them. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SHORT_TEXT_BYTES } from '../../packages/gateway/src/postgres/analysis/session-analysis.ts';
import { answers } from '../floods/two-principals.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { bind, execute, frame, parse, query, sync } from '../support/raw-session.ts';
import { directEndpoint, Harness, play, startServer } from './harness.ts';

const TIMEOUT = { timeout: 60_000 };

let server: PostgresServer;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

/** A statement with thousands of words behind it. */
const long = (text: string): string => `${text} where 1 in (${'1,'.repeat(SHORT_TEXT_BYTES)}1)`;
/** As long as a text may be. */
const ENDLESS = `select 1 in (${'1,'.repeat(500_000)}1)`;

/** Gives the thread something to do for a while, in another's name. */
async function occupy({ gateway }: Harness): Promise<void> {
  const lease = gateway.catalogs.lease(gateway.config.targets[0]!);
  const base = await lease.get();
  lease.release();
  const names = { searchPath: ['public'], temporary: new Set<string>() };
  await gateway.analysis.texts.read('another', Buffer.from(ENDLESS), { base, moved: [], names }).reading;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('long and short statements in one write: answered and recorded in their order', TIMEOUT, async () => {
  const harness = await Harness.start(server);
  const steps = [
    Buffer.concat([query(long('select 1')), query('select 2'), query(long('select 3')), query('selec 4')]),
    { send: Buffer.alloc(0), until: 'Z', times: 3 },
    {
      send: Buffer.concat([
        parse('a', long('select 5')),
        bind('', 'a', []),
        execute(),
        parse('', long('select $1::int')),
        bind('', '', ['6']),
        execute(),
        sync(),
        query(long('select 7')),
      ]),
      until: 'Z',
      times: 2,
    },
    // An error in the middle of a series: the server skips the long text behind it.
    Buffer.concat([
      bind('', 'nowhere', []),
      parse('b', long('select 8')),
      bind('', 'b', []),
      execute(),
      sync(),
    ]),
    Buffer.concat([parse('b', long('select 9')), bind('', 'b', []), execute(), sync()]),
    query(`begin; ${long('select 10')}; commit`),
    query(`select length('${'x'.repeat(1_000_000)}')`),
    query(`select 11 -- ${'x'.repeat(2_000_000)}`),
    query('select 12'),
  ];
  const direct = await play(directEndpoint(server), steps);
  const through = await play(harness.endpoint, steps);
  const tooLong = through.findIndex((answer) => answer.includes('C54000'));
  assert.ok(tooLong > 0, 'what is too long for the gateway is still told so');
  assert.deepEqual(through.slice(0, tooLong), direct.slice(0, tooLong));
  assert.deepEqual(through.slice(-3), direct.slice(-3));
  assert.equal(harness.gateway.analysis.texts.counts.read, 9);
  assert.equal(harness.gateway.analysis.texts.counts.failed, 0);
  const record = await harness.finish();
  assert.equal(record.verdict, 'VERIFIED');
  const numbers = record.calls.map(
    ({ statement }) => /(?:select|selec) (?:\$1|\d+|length)/.exec(statement ?? '')?.[0],
  );
  assert.deepEqual(
    numbers.filter((text) => text !== undefined),
    [1, 2, 3]
      .map((n) => `select ${n}`)
      .concat(
        'selec 4',
        'select 5',
        'select $1',
        'select 7',
        'select 8',
        'select 9',
        'select 10',
        'select length',
        'select 12',
      ),
  );
});

test('what a long statement may not do, it may not do at its end either', TIMEOUT, async () => {
  const harness = await Harness.start(server);
  const hidden = `${long('select 1')}; set session_replication_role = replica`;
  const session = await harness.connect();
  session.send(query(hidden), parse('', hidden), sync(), query('show session_replication_role'));
  assert.deepEqual(await answers(session, 3), ['42501', '42501']);
  session.end();
  const record = await harness.finish();
  assert.equal(record.verdict, 'VERIFIED');
  const denied = record.calls.filter(({ type }) => type === 'call.denied');
  assert.deepEqual(
    denied.map(({ statement, reasons }) => [statement === hidden, reasons]),
    [
      [true, ['CS_SETTING_DENIED']],
      [true, ['CS_SETTING_DENIED']],
    ],
  );
});

test(
  'a client that says goodbye behind a long statement: it is executed, and it left by itself',
  TIMEOUT,
  async () => {
    const harness = await Harness.start(server);
    const session = await harness.connect();
    session.send(query('create table goodbye (a text)'));
    assert.deepEqual(await answers(session, 1), []);
    session.send(query(long('insert into goodbye select')), frame('X'));
    session.socket.end();
    await until(() => harness.gateway.sessions.size === 0);
    const record = await harness.finish();
    assert.equal(record.verdict, 'VERIFIED');
    assert.equal(record.calls.at(-1)?.kind, 'insert');
    assert.equal(record.calls.at(-1)?.result?.['status'], 'ok');
    assert.equal(record.leaves.find(({ type }) => type === 'session.closed')?.['reason'], 'client');
  },
);

test(
  'sessions that end while their texts wait: nothing of them is executed or left behind',
  TIMEOUT,
  async () => {
    const harness = await Harness.start(server);
    const { gateway } = harness;
    const sessions = await Promise.all(Array.from({ length: 6 }, () => harness.connect()));
    const before = occupy(harness);
    for (const session of sessions) session.send(query(long('select 1')));
    await until(() => gateway.analysis.texts.counts.waiting === 7);
    await gateway.reload({ ...gateway.config, grants: [] });
    await until(() => gateway.sessions.size === 0);
    assert.equal(gateway.analysis.texts.counts.waiting, 1, 'only the one that is being read is left');
    await before;
    const record = await harness.finish();
    assert.equal(record.verdict, 'VERIFIED');
    // The gateway's own sessions end like those of a client.
    const closed = record.leaves.filter(
      ({ type, reason }) => type === 'session.closed' && reason !== 'client',
    );
    assert.deepEqual(
      closed.map((leaf) => leaf['reason']),
      sessions.map(() => 'CS_GRANT_ENDED'),
    );
    const revoked = record.leaves.findIndex(({ type }) => type === 'grant.revoked');
    const later = record.leaves.slice(revoked).filter(({ type }) => type === 'call.intent');
    assert.deepEqual(later, []);
  },
);

test('a connection that breaks while its text waits', TIMEOUT, async () => {
  const harness = await Harness.start(server);
  const { gateway } = harness;
  const sessions = await Promise.all(Array.from({ length: 6 }, () => harness.connect()));
  const text = query(long('select 1'));
  const before = occupy(harness);
  for (const session of sessions) session.send(text);
  await until(() => gateway.analysis.texts.counts.waiting === 7);
  for (const session of sessions) session.socket.resetAndDestroy();
  await before;
  await until(() => gateway.sessions.size === 0 && gateway.analysis.texts.counts.waiting === 0);
  const other = await harness.connect();
  other.send(text);
  assert.deepEqual(await answers(other, 1), []);
  other.end();
  const record = await harness.finish();
  assert.equal(record.verdict, 'VERIFIED');
});

test(
  'a long text that cannot be read is refused, and so are those behind it, until one can',
  TIMEOUT,
  async () => {
    const harness = await Harness.start(server);
    await harness.gateway.analysis.texts.close();
    const session = await harness.connect();
    session.send(query(long('select 1')), query('select 1'));
    assert.deepEqual(await answers(session, 2), ['54001']);
    session.send(parse('', long('select 1')), bind('', '', []), execute(), sync(), query('select 1'));
    assert.deepEqual(await answers(session, 2), ['54001']);
    session.end();
    const record = await harness.finish();
    assert.equal(record.verdict, 'VERIFIED');
    const denied = record.calls.filter(({ type }) => type === 'call.denied');
    assert.deepEqual(
      denied.map(({ kind, reasons }) => [kind, reasons.join()]),
      [
        ['unknown', 'CS_STATEMENT_TOO_COMPLEX,deadline'],
        ['unknown', 'CS_STATEMENT_TOO_COMPLEX,deadline'],
      ],
    );
  },
);
