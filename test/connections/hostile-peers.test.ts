/** Peers that do not keep to the protocol: each gets a proper refusal or nothing, and the next client is served. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import { CountersignError } from '../../packages/gateway/src/errors.ts';
import { issueToken } from '../../packages/gateway/src/identity/token.ts';
import {
  decodeAuthentication,
  decodeNegotiateProtocolVersion,
  encodeCancelRequest,
  encodeGSSENCRequest,
  encodeSASLInitialResponse,
  encodeSSLRequest,
  encodeStartupMessage,
} from '../../packages/gateway/src/postgres/wire/index.ts';
import { PumpGateway, type PumpOptions } from './pump-gateway.ts';
import { RawPeer } from './raw-peer.ts';
import { TlsFiles } from './tls-files.ts';

const V3 = 0x30000;
const startup = (parameters: Readonly<Record<string, string>> = {}, protocolVersion = V3): Buffer =>
  encodeStartupMessage({
    protocolVersion,
    parameters: new Map(Object.entries({ user: 'alice', database: 'bank', ...parameters })),
  });

let tls: TlsFiles;
let plain: PumpGateway;
let encrypted: PumpGateway;
const extra: PumpGateway[] = [];

const listenerTls = (required: boolean): NonNullable<PumpOptions['listener']> => {
  const { cert, key } = tls.issue('gateway');
  return { tls: { cert: { kind: 'file', name: cert }, key: { kind: 'file', name: key }, required } };
};

before(async () => {
  tls = new TlsFiles();
  plain = await PumpGateway.start();
  encrypted = await PumpGateway.start({ listener: listenerTls(false) });
});

afterEach(async () => {
  for (const gateway of extra.splice(0)) await gateway.close();
  // Whatever was tried: the listener still takes a client as far as its authentication.
  for (const gateway of [plain, encrypted]) {
    const peer = await RawPeer.connect(gateway.port);
    assert.equal((await peer.send(startup()).message()).type, 'R');
    peer.destroy();
    await peer.closed();
  }
});

after(async () => {
  await plain.close();
  await encrypted.close();
  tls.remove();
});

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};

async function startGateway(options: PumpOptions): Promise<PumpGateway> {
  const gateway = await PumpGateway.start(options);
  extra.push(gateway);
  return gateway;
}

const BROKEN: readonly (readonly [why: string, bytes: Buffer, sqlState: string])[] = [
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), '08P01'],
  ['a length of zero', Buffer.alloc(8), '08P01'],
  ['a length above 10,000 bytes', Buffer.concat([int32(10_005), int32(V3)]), '08P01'],
  ['a length of 4 GiB', Buffer.concat([int32(-1), int32(V3)]), '08P01'],
  ['protocol 2', Buffer.concat([int32(296), int32(0x20000), Buffer.alloc(288)]), '0A000'],
  ['an SSLRequest with more in it', Buffer.concat([int32(12), int32(80_877_103), int32(0)]), '08P01'],
  [
    'bytes after the last parameter',
    Buffer.concat([int32(18), int32(V3), Buffer.from('user\0a\0\0xx').subarray(0, 10)]),
    '08P01',
  ],
  ['a parameter without a value', Buffer.concat([int32(13), int32(V3), Buffer.from('user\0')]), '08P01'],
  [
    'no user',
    encodeStartupMessage({ protocolVersion: V3, parameters: new Map([['database', 'bank']]) }),
    '08P01',
  ],
  ['replication', startup({ replication: 'true' }), '0A000'],
];

for (const [why, bytes, sqlState] of BROKEN) {
  test(`refused: ${why}`, async () => {
    const peer = await RawPeer.connect(plain.port);
    assert.equal((await peer.send(bytes).error()).sqlState, sqlState);
    assert.equal((await peer.closed()).length, 0);
  });
}

test('encryption is declined where there is none, GSS always, each once', async () => {
  const peer = await RawPeer.connect(plain.port);
  assert.equal((await peer.send(encodeGSSENCRequest()).bytes(1)).toString(), 'N');
  assert.equal((await peer.send(encodeSSLRequest()).bytes(1)).toString(), 'N');
  assert.equal((await peer.send(encodeSSLRequest()).error()).sqlState, '08P01');
  const again = await RawPeer.connect(plain.port);
  await again.send(encodeGSSENCRequest()).bytes(1);
  assert.equal((await again.send(encodeGSSENCRequest()).error()).sqlState, '08P01');
});

for (const [name, request] of [
  ['SSLRequest', encodeSSLRequest()],
  ['GSSENCRequest', encodeGSSENCRequest()],
] as const) {
  test(`plain bytes behind an ${name} are not taken for what follows it (CVE-2021-23214)`, async () => {
    const peer = await RawPeer.connect(encrypted.port);
    const error = await peer.send(request, startup()).error();
    assert.equal(error.sqlState, '08P01');
    assert.match(error.detail, /unencrypted bytes/);
    await peer.closed();
  });
}

test('plain bytes in the place of a TLS handshake end it', async () => {
  const peer = await RawPeer.connect(encrypted.port);
  await peer.send(encodeSSLRequest()).bytes(1);
  const rest = await peer.send(startup()).closed();
  assert.ok(!rest.includes('alice') && rest[0] !== 0x52);
  assert.equal(encrypted.refusals.at(-1)?.error.code, 'CS_PROTOCOL_VIOLATION');
});

async function directTls(port: number, protocols: string[]): Promise<ReturnType<typeof connectTls>> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: protocols });
  socket.on('error', () => {});
  await new Promise<void>((resolve) => {
    socket.once('secureConnect', () => resolve());
    socket.once('close', () => resolve());
  });
  return socket;
}

test('direct TLS needs the ALPN name of the protocol', async () => {
  const good = await directTls(encrypted.port, ['postgresql']);
  assert.equal(good.alpnProtocol, 'postgresql');
  good.write(startup());
  const [answer] = (await once(good, 'data')) as [Buffer];
  const request = decodeAuthentication(answer, 0, answer.length);
  assert.deepEqual(request, { kind: 'sasl', mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] });
  good.destroy();
  const without = await directTls(encrypted.port, []);
  const [refusal] = (await once(without, 'data')) as [Buffer];
  assert.equal(String.fromCharCode(refusal[0] ?? 0), 'E');
  without.destroy();
  const other = await directTls(encrypted.port, ['http/1.1']);
  assert.equal(other.alpnProtocol, null);
  assert.ok(other.destroyed);
});

test('direct TLS where there is no certificate', async () => {
  const socket = await directTls(plain.port, ['postgresql']);
  assert.ok(socket.destroyed);
});

test('a request for TLS inside TLS', async () => {
  const socket = await directTls(encrypted.port, ['postgresql']);
  socket.write(encodeSSLRequest());
  const [refusal] = (await once(socket, 'data')) as [Buffer];
  assert.equal(String.fromCharCode(refusal[0] ?? 0), 'E');
  socket.destroy();
});

test('a client that must use TLS and does not', async () => {
  const gateway = await startGateway({ listener: listenerTls(true) });
  const peer = await RawPeer.connect(gateway.port);
  assert.match((await peer.send(startup()).error()).message, /CS_TLS_REQUIRED/);
});

test('newer protocols and options are negotiated down', async () => {
  const peer = await RawPeer.connect(plain.port);
  const { type, bytes } = await peer.send(startup({ '_pq_.later': '1' }, 0x3270f)).message();
  assert.equal(type, 'v');
  assert.deepEqual(decodeNegotiateProtocolVersion(bytes, 0, bytes.length), {
    protocolVersion: 0x30002,
    unknownOptions: ['_pq_.later'],
  });
  assert.equal((await peer.message()).type, 'R');
  peer.destroy();
});

test('one byte at a time is as good as all at once', async () => {
  const peer = await RawPeer.connect(plain.port);
  peer.socket.setNoDelay(true);
  for (const byte of startup()) {
    peer.send(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await peer.message()).type, 'R');
  peer.destroy();
});

test('a client that stalls is ended, and keeps nobody waiting', async () => {
  const gateway = await startGateway({ limits: { handshakeTimeoutMs: 1500 } });
  const stalled = await Promise.all(Array.from({ length: 20 }, async () => RawPeer.connect(gateway.port)));
  for (const peer of stalled) peer.send(startup().subarray(0, 6));
  const other = await RawPeer.connect(gateway.port);
  assert.equal((await other.send(startup()).message()).type, 'R');
  other.destroy();
  for (const peer of stalled) assert.match((await peer.error()).message, /CS_HANDSHAKE_TIMEOUT/);
  for (const peer of stalled) await peer.closed();
  assert.equal(gateway.listener.counts.pending, 0);
});

test('a stalled TLS handshake is ended too', async () => {
  const gateway = await startGateway({ limits: { handshakeTimeoutMs: 200 }, listener: listenerTls(false) });
  const peer = await RawPeer.connect(gateway.port);
  await peer.send(encodeSSLRequest()).bytes(1);
  peer.send(Buffer.from([0x16, 3, 1, 2]));
  assert.equal((await peer.closed()).length, 0);
});

test('limits: pending, per address and per listener', async () => {
  const gateway = await startGateway({ limits: { pendingConnections: 3, connectionsPerAddress: 2 } });
  const first = await RawPeer.connect(gateway.port);
  await first.send(startup()).message();
  const second = await RawPeer.connect(gateway.port);
  await second.send(startup()).message();
  const third = await RawPeer.connect(gateway.port);
  assert.match((await third.send(startup()).error()).message, /CS_CONNECTION_LIMIT/);
  await third.closed();
  const elsewhere = await RawPeer.connect(gateway.port, '127.0.0.2');
  assert.equal((await elsewhere.send(startup()).message()).type, 'R');
  // No place is left: the address that holds most of them gives one up, and is told.
  const beyond = await RawPeer.connect(gateway.port, '127.0.0.3');
  assert.equal((await beyond.send(startup()).message()).type, 'R');
  assert.match((await first.error()).message, /CS_CONNECTION_LIMIT/);
  await first.closed();
  for (const peer of [second, elsewhere, beyond]) peer.destroy();
  assert.equal(gateway.listener.counts.refused.get('CS_CONNECTION_LIMIT'), 2);
});

test('an address that is not allowed is told so before it says anything', async () => {
  const gateway = await startGateway({ listener: { allow: ['127.0.0.2/32'] } });
  const denied = await RawPeer.connect(gateway.port);
  assert.match((await denied.error()).message, /CS_ADDRESS_DENIED/);
  const allowed = await RawPeer.connect(gateway.port, '127.0.0.2');
  assert.equal((await allowed.send(startup()).message()).type, 'R');
  allowed.destroy();
});

test('a cancel with an unknown key is answered by silence', async () => {
  const before = plain.listener.counts.cancelsUnknown;
  for (const key of [Buffer.alloc(4), Buffer.alloc(32), Buffer.alloc(256)]) {
    const peer = await RawPeer.connect(plain.port);
    assert.equal((await peer.send(encodeCancelRequest({ processId: 1, key })).closed()).length, 0);
  }
  assert.equal(plain.listener.counts.cancelsUnknown, before + 3);
});

test('something else in the place of a password', async () => {
  for (const bytes of [
    Buffer.from('Q\0\0\0\x0dselect 1\0'),
    Buffer.from('p\x7f\xff\xff\xff', 'latin1'),
    Buffer.from('p\0\0\0\x05x'),
  ]) {
    const peer = await RawPeer.connect(plain.port);
    await peer.send(startup()).message();
    assert.equal((await peer.send(bytes).error()).sqlState, '08P01');
  }
});

test('a mechanism that was not offered', async () => {
  const peer = await RawPeer.connect(plain.port);
  await peer.send(startup()).message();
  const message = encodeSASLInitialResponse({
    mechanism: 'SCRAM-SHA-256-PLUS',
    data: Buffer.from('p=tls-server-end-point,,n=,r=abc'),
  });
  assert.equal((await peer.send(message).error()).sqlState, '08P01');
});

/** The server-first-message that a user gets, without the nonce. */
async function challengeOf(user: string): Promise<string> {
  const peer = await RawPeer.connect(plain.port);
  await peer.send(startup({ user })).message();
  const first = encodeSASLInitialResponse({ mechanism: 'SCRAM-SHA-256', data: Buffer.from('n,,n=,r=abc') });
  const { bytes } = await peer.send(first).message();
  peer.destroy();
  const challenge = decodeAuthentication(bytes, 0, bytes.length);
  assert.equal(challenge.kind, 'sasl-continue');
  return challenge.kind === 'sasl-continue' ? challenge.data.toString().replace(/^r=abc[^,]*,/, '') : '';
}

test('the salt of a user that does not exist is the same at every try, and like a real one', async () => {
  const mock = await challengeOf('nobody');
  assert.equal(await challengeOf('nobody'), mock);
  assert.notEqual(await challengeOf('nobody2'), mock);
  const real = await challengeOf('alice');
  assert.equal(mock.length, real.length);
  assert.equal(mock.split(',')[1], real.split(',')[1]);
  // One that has tokens only is asked for the same as one that does not exist.
  assert.equal((await challengeOf('robot')).length, mock.length);
});

test('nobody gets in while the record cannot be written', async () => {
  const gateway = await startGateway({});
  gateway.record.failure = new CountersignError('CS_RECORD_FAILED');
  const peer = await RawPeer.connect(gateway.port);
  const { token } = issueToken(gateway.keys.token, { principal: 'robot', target: 'bank' }, 60_000);
  await peer.send(startup({ user: 'robot', options: '-c countersign.auth=token' })).message();
  const password = Buffer.from(`${token}\0`);
  const error = await peer.send('p', int32(password.length + 4), password).error();
  assert.match(error.message, /CS_RECORD_FAILED/);
  assert.equal(gateway.clients.length, 0);
});

test('mutated openings break nothing', async () => {
  const gateway = await startGateway({ listener: listenerTls(false), limits: { pendingConnections: 1000 } });
  const password = Buffer.from('not a token\0');
  const openings = [
    Buffer.concat([startup({ options: '-c countersign.grant=g' }), Buffer.from('p'), int32(4)]),
    Buffer.concat([
      startup({ user: 'robot', options: '-c countersign.auth=token' }),
      Buffer.from('p'),
      int32(password.length + 4),
      password,
    ]),
    Buffer.concat([
      startup(),
      encodeSASLInitialResponse({ mechanism: 'SCRAM-SHA-256', data: Buffer.from('n,,n=,r=abc') }),
    ]),
    encodeCancelRequest({ processId: 1, key: Buffer.alloc(32) }),
    encodeSSLRequest(),
    encodeGSSENCRequest(),
  ];
  // A fixed sequence (xorshift), so that a failure comes again.
  let state = 0x2545f491;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  for (let round = 0; round < 400; round++) {
    const bytes = Buffer.from(openings[random(openings.length)] ?? '');
    for (let i = random(4); i >= 0; i--) bytes[random(bytes.length)] = random(256);
    const peer = await RawPeer.connect(gateway.port);
    peer.socket.end(bytes.subarray(0, 1 + random(bytes.length)));
    await peer.closed();
  }
  assert.deepEqual(
    gateway.refusals.filter(({ error }) => error.code === 'CS_INTERNAL'),
    [],
  );
  assert.equal(gateway.clients.length, 0);
  const peer = await RawPeer.connect(gateway.port);
  assert.equal((await peer.send(startup()).message()).type, 'R');
  peer.destroy();
});

test('shutting down tells those who wait', async () => {
  const gateway = await startGateway({});
  const peer = await RawPeer.connect(gateway.port);
  await peer.send(startup()).message();
  await gateway.listener.stopAccepting();
  assert.match((await peer.error()).message, /CS_SHUTTING_DOWN/);
  await assert.rejects(RawPeer.connect(gateway.port));
});
