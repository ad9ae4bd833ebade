/** COPY inside the extended protocol: what a Sync there means depends on whether the COPY still goes on. */
import { strict as assert } from 'node:assert';
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
  SessionLost,
  sync,
} from '../support/raw-session.ts';
import { directEndpoint, Harness, play, startServer, type Step } from '../translator/harness.ts';

const all = (...messages: readonly Buffer[]): Buffer => Buffer.concat(messages);
const run = (text: string): Buffer => all(parse('', text), bind('', '', []), execute());
const flush = (): Buffer => frame('H');
const INSERT = 'insert into seen values (1)';
const COUNT = query('select count(*) from seen');

let server: PostgresServer;
before(async () => {
  server = await startServer();
  await play(directEndpoint(server), [
    query(`create table t(a int); create table seen(a int); create table guarded(a int);
      create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
      create trigger guard before insert on guarded for each statement execute function refuse()`),
  ]);
});
after(() => server.stop());

/** [title, steps, statuses]. Every one behaves as it does at the server itself. */
const CASES: readonly (readonly [string, readonly Step[], readonly string[]])[] = [
  [
    'data that the server rejects, and a Sync without the end of the COPY',
    [
      { send: all(run('copy t from stdin'), flush()), until: 'G' },
      all(copyData('bad\n'), sync()),
      query(INSERT),
      COUNT,
      query('truncate seen'),
    ],
    ['error', 'ok', 'ok', 'ok'],
  ],
  [
    'commands behind a COPY that failed, up to its Sync, do not run',
    [
      { send: all(run('copy t from stdin'), flush()), until: 'G' },
      all(copyData('bad\n'), copyDone(), run(INSERT), sync()),
      COUNT,
    ],
    ['error', 'skipped', 'ok'],
  ],
  [
    'data and the end of it before the server asked, in one packet with the COPY and what follows',
    [
      {
        send: all(run('copy t from stdin'), copyData('1\n'), copyDone(), run(INSERT), sync()),
        until: 'Z',
      },
      COUNT,
      query('truncate seen'),
    ],
    ['ok', 'ok', 'ok', 'ok'],
  ],
  [
    'COPY data and its end where no COPY is',
    [
      { send: all(copyData('1\n'), copyDone(), frame('f', Buffer.from('x\0')), COUNT), until: 'Z' },
      all(run('select 1'), copyData('1\n'), copyDone(), sync()),
      {
        send: all(copyData('1\n'), parse('', 'select 2'), copyDone(), bind('', '', []), execute(), sync()),
        until: 'Z',
      },
    ],
    ['ok', 'ok', 'ok'],
  ],
  [
    'COPY to the client in a series, and commands behind it',
    [all(run('copy (values (1),(2)) to stdout'), run(INSERT), sync()), COUNT, query('truncate seen')],
    ['ok', 'ok', 'ok', 'ok'],
  ],
  [
    'a COPY whose text was forgotten',
    [
      all(parse('c', 'copy t from stdin'), sync()),
      query('deallocate all'),
      all(parse('c', 'copy t from stdin'), sync()),
      query('prepare p as select 1'),
      { send: all(bind('', 'c', []), execute(), sync()), until: 'G' },
      all(copyData('bad\n'), sync()),
      query('select 1'),
    ],
    ['ok', 'ok', 'ok', 'ok', 'error', 'ok'],
  ],
];

for (const [title, steps, statuses] of CASES) {
  test(title, { timeout: 20_000 }, async () => {
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

/** Rows of `seen`, which is emptied. */
async function takeSeen(): Promise<number> {
  const answers = await play(directEndpoint(server), [query('delete from seen')]);
  return Number(/^C DELETE (\d+)/.exec(answers[0] ?? '')?.[1]);
}

/**
 * A Sync in a COPY and a command right behind it: whether the COPY had failed by then only the target knows. The session may
 * end over it, but the command has run exactly if the record says so.
 */
const TORN: readonly (readonly [title: string, messages: readonly Buffer[]])[] = [
  ['behind bad data', [run('copy t from stdin'), copyData('bad\n'), sync(), query(INSERT)]],
  ['behind a trigger that refuses the COPY', [run('copy guarded from stdin'), sync(), query(INSERT)]],
  ['in a series of its own', [run('copy guarded from stdin'), sync(), run(INSERT), sync()]],
  ['behind a COPY that goes on', [run('copy t from stdin'), copyData('1\n'), sync(), query(INSERT)]],
];

for (const [title, messages] of TORN) {
  test(
    `a command behind a Sync inside COPY is recorded as it went: ${title}`,
    { timeout: 20_000 },
    async () => {
      const harness = await Harness.start(server);
      for (let time = 0; time < 3; time++) {
        const session = await harness.connect();
        session.send(...messages);
        try {
          await session.receiveUntil('Z');
          await session.receiveUntil('Z');
        } catch (error) {
          assert.ok(error instanceof SessionLost);
        }
        session.end();
      }
      const { verdict, calls } = await harness.finish();
      assert.equal(verdict, 'VERIFIED');
      const recorded = calls.filter(
        ({ statement, result }) => statement === INSERT && result?.['status'] === 'ok',
      );
      assert.equal(await takeSeen(), recorded.length);
    },
  );
}
