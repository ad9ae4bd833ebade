import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCountersignError } from '../../errors.ts';
import * as wire from './index.ts';

const isViolation = (error: unknown): boolean => isCountersignError(error, 'CS_PROTOCOL_VIOLATION');

type Decode = (buffer: Buffer, start: number, end: number) => unknown;

/** A message from its type and body; the length word tells the truth, since lies about it are the framer's matter. */
function message(type: string, ...body: readonly (string | number | readonly number[])[]): Buffer {
  const parts = body.map((part) =>
    typeof part === 'string'
      ? Buffer.from(part, 'latin1')
      : Buffer.from(typeof part === 'number' ? [part] : part),
  );
  const bytes = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length + 4);
  return Buffer.concat([Buffer.from(type, 'latin1'), length, bytes]);
}

const int16 = (value: number): readonly number[] => [(value >>> 8) & 0xff, value & 0xff];
const int32 = (value: number): readonly number[] => [...int16(value >>> 16), ...int16(value)];

const refused: readonly [string, Decode, Buffer][] = [
  ['Query without its NUL', wire.decodeQuery, message('Q', 'SELECT 1')],
  [
    'Query with a NUL inside: the server would stop there, a log would not',
    wire.decodeQuery,
    message('Q', 'SELECT 1\0; DROP TABLE t\0'),
  ],
  ['Query of nothing at all', wire.decodeQuery, message('Q')],
  [
    'Parse with more types than it says',
    wire.decodeParse,
    message('P', '\0', 'SELECT 1\0', int16(0), int32(23)),
  ],
  [
    'Parse that says more types than it has',
    wire.decodeParse,
    message('P', '\0', 'SELECT 1\0', int16(2), int32(23)),
  ],
  ['Parse with a name that is not UTF-8', wire.decodeParse, message('P', '\xff\0', 'SELECT 1\0', int16(0))],
  [
    'Bind with a value longer than the message',
    wire.decodeBind,
    message('B', '\0\0', int16(0), int16(1), int32(5), 'abcd', int16(0)),
  ],
  ['Bind with length -2', wire.decodeBind, message('B', '\0\0', int16(0), int16(1), int32(-2), int16(0))],
  [
    'Bind with the most negative length',
    wire.decodeBind,
    message('B', '\0\0', int16(0), int16(1), int32(-0x80000000), int16(0)),
  ],
  [
    'Bind with two formats for three values',
    wire.decodeBind,
    message('B', '\0\0', int16(2), int16(0), int16(1), int16(3), int32(-1), int32(-1), int32(-1), int16(0)),
  ],
  [
    'Bind that says 65,535 values and has one',
    wire.decodeBind,
    message('B', '\0\0', int16(0), int16(0xffff), int32(-1), int16(0)),
  ],
  ['Bind without result formats', wire.decodeBind, message('B', '\0\0', int16(0), int16(0))],
  ['Execute without its row limit', wire.decodeExecute, message('E', '\0')],
  ['Describe of neither statement nor portal', wire.decodeDescribe, message('D', 'X\0')],
  ['Close without a name', wire.decodeClose, message('C', 'S')],
  [
    'FunctionCall whose argument is cut',
    wire.decodeFunctionCall,
    message('F', int32(1), int16(0), int16(1), int32(4), 'ab'),
  ],
  [
    'SASLInitialResponse with length -2',
    wire.decodeSASLInitialResponse,
    message('p', 'SCRAM-SHA-256\0', int32(-2)),
  ],
  [
    'SASLInitialResponse with a byte too much',
    wire.decodeSASLInitialResponse,
    message('p', 'SCRAM-SHA-256\0', int32(1), 'ab'),
  ],
  ['PasswordMessage with a NUL inside', wire.decodePasswordMessage, message('p', 'secret\0more\0')],
  ['Sync with a body', wire.decodeSync, message('S', 0)],
  ['ReadyForQuery with another status', wire.decodeReadyForQuery, message('Z', 'X')],
  ['ReadyForQuery without a status', wire.decodeReadyForQuery, message('Z')],
  ['BackendKeyData with a key of 3 bytes', wire.decodeBackendKeyData, message('K', int32(1), 'abc')],
  [
    'BackendKeyData with a key of 257 bytes',
    wire.decodeBackendKeyData,
    message('K', int32(1), 'x'.repeat(257)),
  ],
  ['ErrorResponse without its end', wire.decodeErrorResponse, message('E', 'SERROR\0')],
  ['ErrorResponse that goes on after its end', wire.decodeErrorResponse, message('E', 'SERROR\0\0', 'X\0')],
  [
    'RowDescription that says more columns than it has',
    wire.decodeRowDescription,
    message('T', int16(0xffff)),
  ],
  ['DataRow of one byte', wire.decodeDataRow, message('D', 0)],
  ['DataRow with a byte after the last field', wire.decodeDataRow, message('D', int16(1), int32(-1), 0)],
  ['CopyInResponse with format 2', wire.decodeCopyInResponse, message('G', 2, int16(0))],
  [
    'NegotiateProtocolVersion that says four billion options',
    wire.decodeNegotiateProtocolVersion,
    message('v', int32(196608), int32(-1)),
  ],
  [
    'AuthenticationMD5Password with a salt of 3 bytes',
    wire.decodeAuthentication,
    message('R', int32(5), 'abc'),
  ],
  ['AuthenticationOk with data', wire.decodeAuthentication, message('R', int32(0), 0)],
  [
    'AuthenticationSASL without the end of its list',
    wire.decodeAuthentication,
    message('R', int32(10), 'SCRAM-SHA-256\0'),
  ],
];

for (const [name, decode, bytes] of refused) {
  test(`refused: ${name}`, () => {
    assert.throws(() => decode(bytes, 0, bytes.length), isViolation);
  });
}

/** A start-up packet from what follows its length word. */
function packet(...body: readonly (string | readonly number[])[]): Buffer {
  return message('', ...body);
}

const refusedPackets: readonly [string, Buffer][] = [
  ['length 7', Buffer.from([0, 0, 0, 7, 0, 3, 0])],
  ['length 10,005', Buffer.from([0, 0, 0x27, 0x15, 0, 3, 0, 0])],
  ['a TLS ClientHello', Buffer.from([0x16, 3, 1, 2, 0, 1, 0, 1])],
  ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a length that is not the packet’s', Buffer.from([0, 0, 0, 9, 0, 3, 0, 0])],
  ['StartupMessage without its last NUL', packet(int32(196608), 'user\0alice\0')],
  ['StartupMessage with a name and no value', packet(int32(196608), 'user\0\0')],
  ['StartupMessage that goes on after its end', packet(int32(196608), 'user\0alice\0\0', 'database\0x\0\0')],
  ['StartupMessage with the user twice', packet(int32(196608), 'user\0alice\0user\0bob\0\0')],
  ['SSLRequest with something behind it', packet(int32(80877103), 'x')],
  ['CancelRequest without a key', packet(int32(80877102), int32(1))],
  ['CancelRequest with a key of 257 bytes', packet(int32(80877102), int32(1), 'x'.repeat(257))],
];

for (const [name, bytes] of refusedPackets) {
  test(`start-up refused: ${name}`, () => {
    assert.throws(() => wire.decodeStartupPacket(bytes, 0, bytes.length), isViolation);
  });
}

test('start-up: a packet of major version 2 or 4 is told apart, not decoded', () => {
  for (const protocolVersion of [0x0002_0000, 0x0004_0000]) {
    const bytes = packet(int32(protocolVersion), 'anything');
    assert.deepEqual(wire.decodeStartupPacket(bytes, 0, bytes.length), {
      kind: 'unsupported',
      protocolVersion,
    });
  }
});

test('start-up: the length is known from four bytes, and not before', () => {
  const bytes = wire.encodeSSLRequest();
  assert.equal(wire.startupPacketLength(bytes, 0, 3), undefined);
  assert.equal(wire.startupPacketLength(bytes, 0, 4), 8);
});

test('a string with a NUL cannot be sent: it would end the field and begin another', () => {
  assert.throws(() => wire.encodeQuery('SELECT 1\0'), isViolation);
  assert.throws(() => wire.encodeParameterStatus({ name: 'a', value: 'b\0c' }), isViolation);
  const parameters = new Map([['user', 'alice\0options\0-c x=y']]);
  assert.throws(
    () => wire.encodeStartupMessage({ protocolVersion: wire.PROTOCOL_3_0, parameters }),
    isViolation,
  );
});

const tags: readonly [string, number][] = [
  ['SELECT 0', 0],
  ['SELECT 12345', 12_345],
  ['INSERT 0 7', 7],
  ['UPDATE 1000000000000', 1_000_000_000_000],
  ['COPY 3', 3],
  ['BEGIN', -1],
  ['CREATE TABLE', -1],
  ['', -1],
  ['42', -1],
  ['X9', -1],
];
for (const [tag, rows] of tags) {
  test(`rows of the tag "${tag}"`, () => {
    const bytes = Buffer.concat([Buffer.from('99'), wire.encodeCommandComplete(tag)]);
    assert.equal(wire.commandCompleteRows(bytes, 2, bytes.length), rows);
  });
}

test('one format code counts for every parameter, none means text', () => {
  assert.equal(wire.parameterFormat([], 3), wire.TEXT_FORMAT);
  assert.equal(wire.parameterFormat([1], 3), wire.BINARY_FORMAT);
  assert.equal(wire.parameterFormat([1, 0, 1], 1), wire.TEXT_FORMAT);
});

test('a message text that is not UTF-8 still reads in an error: a server answers so before start-up ends', () => {
  const bytes = message('E', 'SFEHLER\0', 'MKein Zugriff f\xfcr x\0', 0);
  assert.equal(wire.decodeErrorResponse(bytes, 0, bytes.length).get('M'), 'Kein Zugriff f\uFFFDr x');
});

test('the gateway’s own responses carry the fields in the server’s order', () => {
  const own = wire.makeResponseFields({ severity: 'FATAL', sqlState: '57P01', message: 'm', hint: 'h' });
  assert.deepEqual([...own.keys()], ['S', 'V', 'C', 'M', 'H']);
});

test('every message has a name, a side and a limit', () => {
  assert.equal(wire.messageName('frontend', 0x44), 'describe');
  assert.equal(wire.messageName('backend', 0x44), 'dataRow');
  assert.equal(wire.protocolMaxBodyBytes('frontend', wire.FRONTEND.execute), 9_996);
  assert.equal(wire.protocolMaxBodyBytes('frontend', wire.FRONTEND.query), 0x3ffffffe - 4);
  assert.equal(wire.protocolMaxBodyBytes('backend', wire.BACKEND.readyForQuery), 29_996);
  assert.equal(wire.protocolMaxBodyBytes('backend', wire.FRONTEND.bind), -1);
});
