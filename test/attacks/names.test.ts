/** No Execute is ever recorded with another statement's text, however its name came to mean something else. */
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import type { PostgresServer } from '../support/postgres-server.ts';
import { bind, execute, frame, parse, query, sync } from '../support/raw-session.ts';
import { directEndpoint, Harness, play, startServer, type Step } from '../translator/harness.ts';

const all = (...messages: readonly Buffer[]): Buffer => Buffer.concat(messages);
const run = (name: string): Buffer => all(bind('', name, []), execute());
const inOneWrite = (times: number, ...messages: readonly Buffer[]): Step => ({
  send: all(...messages),
  until: 'Z',
  times,
});
const SWAP = 'deallocate s; prepare s as select 2';
const close = (kind: 'S' | 'P', name: string): Buffer => frame('C', Buffer.from(`${kind}${name}\0`));

/** What the last call is recorded as: a text, or `name:` and the name alone. */
const CASES: readonly (readonly [title: string, steps: readonly Step[], last: string])[] = [
  [
    'SQL swaps the statement while its Parse is under way in another series',
    [inOneWrite(3, parse('s', 'select 1'), sync(), query(SWAP), run('s'), sync())],
    'name:s',
  ],
  [
    'SQL swaps the statement while its Parse is under way in the same series',
    [inOneWrite(2, parse('s', 'select 1'), query(SWAP), run('s'), sync())],
    'name:s',
  ],
  [
    'the swap itself comes by the extended protocol, all in one series',
    [
      inOneWrite(
        1,
        parse('s', 'select 1'),
        parse('', 'deallocate s'),
        run(''),
        parse('', 'prepare s as select 2'),
        run(''),
        run('s'),
        sync(),
      ),
    ],
    'name:s',
  ],
  [
    'the same text of two Parses of one name, the second behind a swap',
    [
      inOneWrite(
        3,
        parse('s', 'select 1'),
        sync(),
        query('deallocate s'),
        parse('s', 'select 3'),
        run('s'),
        sync(),
      ),
    ],
    'select 3',
  ],
  [
    'a Close under way, then the name again',
    [
      inOneWrite(
        2,
        parse('s', 'select 1'),
        sync(),
        close('S', 's'),
        parse('s', 'select 4'),
        run('s'),
        sync(),
      ),
    ],
    'select 4',
  ],
  [
    'a Parse refused by the policy leaves the older statement of that name',
    [
      all(parse('s', 'select 5'), sync()),
      all(parse('s', 'set role x'), run('s'), sync()),
      all(run('s'), sync()),
    ],
    'select 5',
  ],
  ['a statement that nobody made', [all(run('nobody'), sync())], 'name:nobody'],
  [
    'the unnamed statement behind a Query in the same series is gone',
    [inOneWrite(2, parse('', 'select 6'), query('select 7'), run(''), sync())],
    'name:',
  ],
];

let server: PostgresServer;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

for (const [title, steps, last] of CASES) {
  test(title, { timeout: 20_000 }, async () => {
    const harness = await Harness.start(server);
    const through = await play(harness.endpoint, steps);
    const { verdict, calls } = await harness.finish();
    assert.equal(verdict, 'VERIFIED');
    const call = calls.at(-1);
    assert.equal(call?.statement ?? `name:${call?.statementName}`, last);
    if (calls.some(({ type }) => type === 'call.denied')) return;
    assert.deepEqual(through, await play(directEndpoint(server), steps));
  });
}
