/** A server that does not keep to what it said: the session ends, or nothing is told; what it says never passes as it is. */
import { strict as assert } from 'node:assert';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { encodeDataRow } from '../../packages/gateway/src/postgres/wire/backend/data-row.ts';
import { frame, query, SessionLost, type RawMessage } from '../support/raw-session.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';
import type { Harness } from '../translator/harness.ts';
import { run, SETUP, startMasked } from './masked-gateway.ts';

const SECRET = 'told by the server';
/** Sessions that send this text are lied to. */
const MARK = '/* lie */';

/** What is told in place of a message; undefined: the message itself. */
type Lie = (type: string, body: Buffer) => readonly Buffer[] | undefined;

let server: PostgresServer;
let proxy: Server;
let harness: Harness;
let lie: Lie;

function relay(client: Socket): void {
  const target = connect(server.port, server.host);
  let pending: Buffer = Buffer.alloc(0);
  let isLying = false;
  client.on('data', (chunk: Buffer) => {
    isLying ||= chunk.includes(MARK);
    target.write(chunk);
  });
  target.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 5 && pending.length > pending.readInt32BE(1)) {
      const end = 1 + pending.readInt32BE(1);
      const type = String.fromCharCode(pending[0]!);
      const told = isLying ? lie(type, pending.subarray(5, end)) : undefined;
      for (const message of told ?? [pending.subarray(0, end)]) client.write(message);
      pending = pending.subarray(end);
    }
  });
  for (const [one, other] of [
    [client, target],
    [target, client],
  ] as const) {
    one.on('error', () => {});
    one.on('close', () => other.destroy());
  }
}

before(async () => {
  server = await startTestPostgres();
  await run(server, SETUP);
  proxy = createServer(relay);
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
  const { host, user, password } = server;
  const { port } = proxy.address() as AddressInfo;
  harness = await startMasked({ ...server, host, user, password, port });
});

after(async () => {
  proxy?.close();
  await server?.stop();
});

/** Everything that the client gets, and whether its session was ended. */
async function told(
  text: string,
  how: Lie,
): Promise<{ readonly answer: RawMessage[]; readonly isLost: boolean }> {
  lie = how;
  const session = await harness.connect();
  const answer: RawMessage[] = [];
  session.send(query(`${text} ${MARK}`));
  try {
    do answer.push(await session.receive());
    while (answer.at(-1)!.type !== 'Z');
    return { answer, isLost: false };
  } catch (error) {
    assert.ok(error instanceof SessionLost);
    return { answer, isLost: true };
  } finally {
    session.destroy();
  }
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const field = (value: string): Buffer => Buffer.concat([int32(value.length), Buffer.from(value)]);
const row = (...values: readonly string[]): Buffer =>
  encodeDataRow(values.map((value) => Buffer.from(value)));
const rawRow = (...parts: readonly Buffer[]): Buffer => frame('D', Buffer.from([0, 3]), ...parts);
const inPlaceOf =
  (which: string, ...messages: readonly Buffer[]): Lie =>
  (type) =>
    type === which ? messages : undefined;
const data = (text: string): Buffer => frame('d', Buffer.from(text));
const error = (...fields: readonly string[]): Buffer => frame('E', Buffer.from(`${fields.join('\0')}\0\0`));

const SELECT = 'select id, ssn, note from customers order by id limit 1';
const COPY = 'copy (select id, ssn from customers order by id limit 1) to stdout';

const BROKEN: Readonly<Record<string, readonly [text: string, lie: Lie]>> = {
  'fewer fields than described': [SELECT, inPlaceOf('D', row('1', SECRET))],
  'more fields than described': [SELECT, inPlaceOf('D', row('1', SECRET, 'note', SECRET))],
  'no field': [SELECT, inPlaceOf('D', row())],
  'a field longer than its row': [
    SELECT,
    inPlaceOf('D', rawRow(field('1'), int32(100), Buffer.from(SECRET))),
  ],
  'the last field longer than its row': [
    SELECT,
    inPlaceOf('D', rawRow(field('1'), field('x'), int32(100), Buffer.from(SECRET))),
  ],
  'a negative length': [SELECT, inPlaceOf('D', rawRow(field('1'), int32(-5), field(SECRET), field('x')))],
  'bytes behind the last field': [
    SELECT,
    inPlaceOf('D', rawRow(field('1'), field('x'), field('y'), Buffer.from(SECRET))),
  ],
  'a description of no column': [
    SELECT,
    (type) =>
      type === 'T' ? [frame('T', Buffer.from([0, 0]))] : type === 'D' ? [row('1', SECRET, 'x')] : undefined,
  ],
  'a description that is cut off': [SELECT, inPlaceOf('T', frame('T', Buffer.from(`\0\x03${SECRET}\0`)))],
  'COPY data where rows were said': [SELECT, inPlaceOf('D', data(`${SECRET}\n`))],
  'COPY data that nobody announced': [
    COPY,
    (type) => (type === 'H' ? [] : type === 'd' ? [data(`${SECRET}\n`)] : undefined),
  ],
  'COPY data after CopyInResponse': [
    COPY,
    (type) =>
      type === 'H' ? [frame('G', Buffer.alloc(3))] : type === 'd' ? [data(`${SECRET}\n`)] : undefined,
  ],
  'another message': [SELECT, inPlaceOf('D', frame('K', Buffer.from(SECRET)))],
};

for (const [what, [text, how]] of Object.entries(BROKEN)) {
  test(`the session ends: ${what}`, async () => {
    const { answer, isLost } = await told(text, how);
    assert.equal(isLost, true);
    assert.ok(!answer.some(({ body }) => body.includes(SECRET)));
    assert.ok(answer.at(-1)!.body.includes('CS_PROTOCOL_VIOLATION'));
  });
}

const WITHHELD: Readonly<Record<string, readonly [text: string, lie: Lie]>> = {
  'a COPY row of another shape': [COPY, inPlaceOf('d', data(`1\t${SECRET}\tmore\n${SECRET}\n`))],
  'a COPY row without an end': [COPY, inPlaceOf('d', data(`1\t${SECRET}`))],
  'a COPY in another format': [COPY, inPlaceOf('H', frame('H', Buffer.from([1, 0, 2, 0, 1, 0, 1])))],
  'the result of a function': [SELECT, inPlaceOf('D', frame('V', field(SECRET)))],
  'rows that nobody described': [
    SELECT,
    (type) => (type === 'T' ? [] : type === 'D' ? [row('1', SECRET, 'x')] : undefined),
  ],
  'a second result': [
    SELECT,
    (type, body) => (type === 'C' ? [row('1', SECRET, 'x'), frame('C', body)] : undefined),
  ],
  'an error that is all value': [
    SELECT,
    inPlaceOf('D', error(`S${SECRET}`, `V${SECRET}`, `C${SECRET}`, `M${SECRET}`)),
  ],
  'a setting': [SELECT, inPlaceOf('D', frame('S', Buffer.from(`some.setting\0${SECRET}\0`)))],
};

for (const [what, [text, how]] of Object.entries(WITHHELD)) {
  test(`nothing is told: ${what}`, async () => {
    const { answer } = await told(text, how);
    assert.ok(!answer.some(({ body }) => body.includes(SECRET)));
  });
}

test('the record holds', async () => {
  const { verdict, calls } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
  assert.ok(calls.some(({ result }) => result?.['sqlstate'] === 'XX000'));
});
