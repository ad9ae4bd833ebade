/** A client that has authenticated and then breaks the protocol: the session ends, on the record, and nothing else does. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PostgresServer } from '../support/postgres-server.ts';
import {
  bind,
  errorFields,
  frame,
  parse,
  query,
  RawSession,
  SessionLost,
  sync,
} from '../support/raw-session.ts';
import type { RawMessage } from '../support/raw-session.ts';
import { Harness, startServer } from '../translator/harness.ts';

const header = (type: string, length: number): Buffer => {
  const bytes = Buffer.alloc(5);
  bytes.write(type, 'latin1');
  bytes.writeUInt32BE(length, 1);
  return bytes;
};

const lies: readonly [name: string, bytes: Buffer][] = [
  ['a type that no message has', frame('!', Buffer.from('x'))],
  ['a message that only servers send', frame('Z', Buffer.from('I'))],
  ['a password after start-up', frame('p', Buffer.from('secret\0'))],
  ['a length of 3', header('Q', 3)],
  ['a length of 0', header('S', 0)],
  ['a negative length', header('Q', 0xffff_ffff)],
  ['a length beyond the protocol’s limit', header('B', 0x4000_0000)],
  ['a Sync of 1 MB', header('S', 1_000_000)],
  ['a Sync with a body', frame('S', Buffer.from('x'))],
  ['a Query without its NUL', frame('Q', Buffer.from('SELECT 1'))],
  ['a Query with a NUL inside', frame('Q', Buffer.from('INSERT INTO hostile VALUES (1)\0; SELECT 1\0'))],
  ['a Parse that ends early', frame('P', Buffer.from('\0SELECT 1\0'))],
  ['a Parse with a name that is not UTF-8', frame('P', Buffer.from([0xff, 0, 0x31, 0, 0, 0]))],
  [
    'a Bind whose value is longer than the message',
    frame('B', Buffer.from([0, 0, 0, 0, 0, 1, 0, 0, 0, 9, 1, 0, 0])),
  ],
  ['a Bind with length -2', frame('B', Buffer.from([0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe, 0, 0]))],
  ['an Execute without its limit', frame('E', Buffer.from('\0'))],
  ['a Describe of neither', frame('D', Buffer.from('X\0'))],
  [
    'a lie behind a lawful pipeline',
    Buffer.concat([
      parse('', 'INSERT INTO hostile VALUES (2)'),
      bind('', '', []),
      frame('E', Buffer.from('\0')),
    ]),
  ],
];

let server: PostgresServer;
let harness: Harness;

before(async () => {
  server = await startServer();
  harness = await Harness.start(server);
});

after(async () => {
  await server?.stop();
});

async function untilLost(session: RawSession): Promise<RawMessage[]> {
  const messages: RawMessage[] = [];
  for (;;) {
    try {
      messages.push(await session.receive());
    } catch (error) {
      if (error instanceof SessionLost) return messages;
      throw error;
    }
  }
}

test('each lie ends its session with a fatal error, and only that session', async () => {
  const bystander = await harness.connect();
  bystander.send(query('CREATE TABLE hostile (a int)'));
  await bystander.receiveUntil();
  for (const [name, bytes] of lies) {
    const session = await harness.connect();
    session.send(bytes);
    const answer = await untilLost(session);
    const error = answer.find((message) => message.type === 'E');
    assert.ok(error !== undefined, `${name}: no error`);
    const fields = errorFields(error);
    assert.deepEqual([fields.get('V'), fields.get('C')], ['FATAL', '08P01'], name);
    assert.ok(!JSON.stringify([...fields]).includes('SELECT'), name);
  }
  bystander.send(query('SELECT count(*) FROM hostile'));
  const answer = await bystander.receiveUntil();
  const row = answer.find((message) => message.type === 'D');
  assert.equal(row?.body.toString('latin1', 6), '0', 'something of a lie was executed');
  bystander.end();
});

test('a body that comes later than its header does not hold memory, and a lawful session goes on beside it', async () => {
  const slow = await Promise.all(Array.from({ length: 20 }, () => harness.connect()));
  for (const session of slow) session.send(header('B', 0x3fff_fff0));
  const session = await harness.connect();
  session.send(query('SELECT 1'), sync());
  assert.ok((await session.receiveUntil()).some((message) => message.type === 'D'));
  await session.receiveUntil();
  session.end();
  for (const each of slow) each.destroy();
});

test('the record says why each session ended', async () => {
  const { verdict, leaves, calls } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
  const reasons = leaves.filter((leaf) => leaf.type === 'session.closed').map((leaf) => leaf['reason']);
  assert.equal(reasons.filter((reason) => reason === 'CS_PROTOCOL_VIOLATION').length, lies.length);
  assert.ok(calls.every((call) => call.statement?.includes('VALUES (1)') !== true));
});
