/** Targets that do not keep to the protocol, or somebody in between: the dial fails, in time, and gives nothing away. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, test } from 'node:test';
import type { LoginConfig, PostgresTargetConfig } from '../../packages/gateway/src/config/config.ts';
import { dialTarget } from '../../packages/gateway/src/postgres/upstream/dial.ts';
import type { TargetConnection } from '../../packages/gateway/src/postgres/upstream/target-connection.ts';
import {
  encodeAuthenticationCleartextPassword,
  encodeAuthenticationMD5Password,
  encodeAuthenticationOk,
  encodeAuthenticationSASL,
  encodeAuthenticationSASLContinue,
  encodeAuthenticationSASLFinal,
  encodeBackendKeyData,
  encodeErrorResponse,
  encodeNegotiateProtocolVersion,
  encodeParameterStatus,
  encodeReadyForQuery,
  makeResponseFields,
} from '../../packages/gateway/src/postgres/wire/index.ts';
import { testSecrets, testTarget } from './pump-gateway.ts';

const servers: Server[] = [];
const sockets = new Set<Socket>();
/** All that the fake targets were sent. */
let heard = '';

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
  sockets.clear();
  heard = '';
});

/** Sends the answers one by one, each when something was received. */
async function fakeTarget(
  ...answers: readonly (Buffer | 'close' | ((received: Buffer) => Buffer))[]
): Promise<number> {
  const server = createServer((socket) => {
    let turn = 0;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('data', (received: Buffer) => {
      heard += received.toString('latin1');
      const answer = answers[turn++];
      if (answer === 'close') socket.destroy();
      else if (answer !== undefined) socket.write(typeof answer === 'function' ? answer(received) : answer);
    });
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const LOGIN: LoginConfig = { user: 'app', password: { kind: 'env', name: 'swordfish' } };

async function dial(port: number, changes: Partial<PostgresTargetConfig> = {}): Promise<TargetConnection> {
  const target = testTarget(port, { connectTimeoutMs: 20_000, ...changes });
  return dialTarget(target, LOGIN, { secrets: testSecrets, principal: 'alice' });
}

const requireTls = { tls: { mode: 'require', direct: false } } as const;
const OK = encodeAuthenticationOk();
const pins = [
  encodeParameterStatus({ name: 'client_encoding', value: 'UTF8' }),
  encodeParameterStatus({ name: 'standard_conforming_strings', value: 'on' }),
];
const READY = encodeReadyForQuery('I');
const welcome = Buffer.concat([
  OK,
  ...pins,
  encodeBackendKeyData({ processId: 7, key: Buffer.alloc(4) }),
  READY,
]);
const error = (sqlState: string): Buffer =>
  encodeErrorResponse(makeResponseFields({ severity: 'FATAL', sqlState, message: 'words of the target' }));
const firstOf = (received: Buffer): string => /r=([^,]*)$/.exec(received.toString('latin1'))?.[1] ?? '';
const challenge = (received: Buffer): Buffer =>
  encodeAuthenticationSASLContinue(Buffer.from(`r=${firstOf(received)}xyz,s=c2FsdA==,i=4096`));
const sasl = encodeAuthenticationSASL(['SCRAM-SHA-256']);

type Answers = readonly (Buffer | 'close' | ((received: Buffer) => Buffer))[];

const ROWS: readonly (readonly [
  why: string,
  code: string,
  answers: Answers,
  changes?: Partial<PostgresTargetConfig>,
])[] = [
  ['closes at once', 'CS_TARGET_UNAVAILABLE', ['close']],
  ['answers with something else', 'CS_TARGET_UNAVAILABLE', [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')]],
  ['announces a huge message', 'CS_TARGET_UNAVAILABLE', [Buffer.from('R\x7f\xff\xff\xff', 'latin1')]],
  ['does not offer TLS', 'CS_TARGET_UNAVAILABLE', [Buffer.from('N')], requireTls],
  ['answers a request for TLS with an error', 'CS_TARGET_UNAVAILABLE', [error('XX000')], requireTls],
  [
    'has plain bytes behind its agreement to TLS (CVE-2021-23222)',
    'CS_TARGET_UNAVAILABLE',
    [Buffer.concat([Buffer.from('S'), welcome])],
    requireTls,
  ],
  ['wants Kerberos', 'CS_TARGET_AUTHN', [Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 7])]],
  ['offers only mechanisms that we do not know', 'CS_TARGET_AUTHN', [encodeAuthenticationSASL(['PLAIN'])]],
  ['offers only -PLUS without TLS', 'CS_TARGET_AUTHN', [encodeAuthenticationSASL(['SCRAM-SHA-256-PLUS'])]],
  ['says OK before it proved that it knows the password', 'CS_TARGET_AUTHN', [sasl, challenge, welcome]],
  [
    'does not know the password',
    'CS_TARGET_AUTHN',
    [sasl, challenge, encodeAuthenticationSASLFinal(Buffer.from(`v=${Buffer.alloc(32).toString('base64')}`))],
  ],
  [
    'repeats our nonce',
    'CS_TARGET_AUTHN',
    [
      sasl,
      (received) => encodeAuthenticationSASLContinue(Buffer.from(`r=${firstOf(received)},s=c2FsdA==,i=4096`)),
    ],
  ],
  [
    'wants a billion iterations',
    'CS_TARGET_AUTHN',
    [
      sasl,
      (received) =>
        encodeAuthenticationSASLContinue(Buffer.from(`r=${firstOf(received)}x,s=c2FsdA==,i=999999999`)),
    ],
  ],
  [
    'negotiates upwards',
    'CS_TARGET_UNAVAILABLE',
    [encodeNegotiateProtocolVersion({ protocolVersion: 0x30003, unknownOptions: [] })],
  ],
  [
    'reports another encoding',
    'CS_SESSION_PIN',
    [Buffer.concat([OK, encodeParameterStatus({ name: 'client_encoding', value: 'LATIN1' }), READY])],
  ],
  ['reports no pins at all', 'CS_SESSION_PIN', [Buffer.concat([OK, READY])]],
  [
    'begins in a transaction',
    'CS_TARGET_UNAVAILABLE',
    [Buffer.concat([OK, ...pins, encodeReadyForQuery('T')])],
  ],
];

for (const [why, code, answers, changes] of ROWS) {
  test(`a target that ${why}`, async () => {
    const port = await fakeTarget(...answers);
    await assert.rejects(dial(port, changes), (failure: Error & { code?: string; detail?: string }) => {
      assert.equal(failure.code, code);
      assert.ok(!`${failure.message} ${failure.detail}`.includes('words of the target'));
      return true;
    });
    assert.ok(!heard.includes('swordfish'));
  });
}

test('a target that never answers', async () => {
  const port = await fakeTarget();
  await assert.rejects(dial(port, { connectTimeoutMs: 200 }), {
    code: 'CS_TARGET_UNAVAILABLE',
    detail: 'no answer in time',
  });
});

test('a target that never finishes TLS', async () => {
  const port = await fakeTarget(Buffer.from('S'));
  await assert.rejects(dial(port, { ...requireTls, connectTimeoutMs: 200 }), {
    code: 'CS_TARGET_UNAVAILABLE',
  });
});

test('no password in clear where TLS was wanted and not got', async () => {
  const port = await fakeTarget(Buffer.from('N'), encodeAuthenticationCleartextPassword());
  await assert.rejects(dial(port, { tls: { mode: 'prefer', direct: false } }), { code: 'CS_TARGET_AUTHN' });
  assert.ok(!heard.includes('swordfish'));
});

test('an MD5 answer does not hold the password', async () => {
  const port = await fakeTarget(encodeAuthenticationMD5Password(Buffer.from('salt')), welcome);
  (await dial(port)).socket.destroy();
  assert.ok(!heard.includes('swordfish'));
  assert.match(heard, /md5[0-9a-f]{32}/);
});

test('a pooler that knows only protocol 3.0 is asked again', async () => {
  const requests: number[] = [];
  const port = await fakeTarget((received) => {
    requests.push(received.readUInt32BE(4));
    return requests.length === 1 ? error('08P01') : welcome;
  });
  const connection = await dial(port);
  assert.deepEqual(requests, [0x30002, 0x30000]);
  assert.deepEqual([connection.protocolVersion, connection.backendPid], ['3.0', 7]);
  connection.socket.destroy();
});

test('what comes behind ReadyForQuery is handed over', async () => {
  const port = await fakeTarget(Buffer.concat([welcome, Buffer.from('later')]));
  const connection = await dial(port);
  assert.equal(connection.leftover.toString(), 'later');
  connection.socket.destroy();
});
