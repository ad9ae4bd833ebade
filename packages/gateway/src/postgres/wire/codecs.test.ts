import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { isCountersignError } from '../../errors.ts';
import * as wire from './index.ts';
import type { ByteRange } from './index.ts';

type Decode<T> = (buffer: Buffer, start: number, end: number) => T;

/** One codec: any message it can send comes back as it was, and no bytes make it throw anything but our error. */
interface Row<T> {
  readonly name: string;
  readonly messages: fc.Arbitrary<T>;
  readonly encode: (message: T) => Buffer;
  readonly decode: Decode<T>;
}

const rows: { readonly name: string; check: () => void; corpus: () => Buffer[]; decode: Decode<unknown> }[] =
  [];

/** Messages are decoded from the middle of a larger buffer, so that an offset forgotten somewhere shows. */
const BEFORE = Buffer.from('....');
const AFTER = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0]);

function row<T>(spec: Row<T>): void {
  rows.push({
    name: spec.name,
    check: () => {
      fc.assert(
        fc.property(spec.messages, (message) => {
          const bytes = spec.encode(message);
          const inside = Buffer.concat([BEFORE, bytes, AFTER]);
          assert.deepEqual(spec.decode(inside, BEFORE.length, BEFORE.length + bytes.length), message);
        }),
        { numRuns: 60 },
      );
    },
    corpus: () => fc.sample(spec.messages, { numRuns: 12, seed: 7 }).map((message) => spec.encode(message)),
    decode: (buffer, start, end) => spec.decode(buffer, start, end),
  });
}

const text = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .map((value) => value.replaceAll('\0', '').toWellFormed());
const name = text.filter((value) => value !== '');
const bytes = fc.uint8Array({ maxLength: 80 }).map((value) => Buffer.from(value));
const nullable = fc.option(bytes, { nil: null });
const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const int16 = fc.integer({ min: -0x8000, max: 0x7fff });
const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const key = fc.uint8Array({ minLength: 4, maxLength: 256 }).map((value) => Buffer.from(value));
const nothing = fc.constant(undefined);

const slice = (buffer: Buffer, range: ByteRange): Buffer =>
  Buffer.from(buffer.subarray(range.start, range.end));
const slices = (buffer: Buffer, ranges: readonly (ByteRange | undefined)[]): (Buffer | null)[] =>
  ranges.map((range) => (range === undefined ? null : slice(buffer, range)));

function emptyRow(
  label: string,
  encode: () => Buffer,
  decode: (buffer: Buffer, start: number, end: number) => void,
): void {
  row<undefined>({
    name: label,
    messages: nothing,
    encode,
    decode: (b, s, e) => decode(b, s, e) as undefined,
  });
}

emptyRow('Flush', wire.encodeFlush, wire.decodeFlush);
emptyRow('Sync', wire.encodeSync, wire.decodeSync);
emptyRow('Terminate', wire.encodeTerminate, wire.decodeTerminate);
emptyRow('CopyDone', wire.encodeCopyDone, wire.decodeCopyDone);
emptyRow('ParseComplete', wire.encodeParseComplete, wire.decodeParseComplete);
emptyRow('BindComplete', wire.encodeBindComplete, wire.decodeBindComplete);
emptyRow('CloseComplete', wire.encodeCloseComplete, wire.decodeCloseComplete);
emptyRow('NoData', wire.encodeNoData, wire.decodeNoData);
emptyRow('PortalSuspended', wire.encodePortalSuspended, wire.decodePortalSuspended);
emptyRow('EmptyQueryResponse', wire.encodeEmptyQueryResponse, wire.decodeEmptyQueryResponse);

const packetKinds = fc.constantFrom('ssl' as const, 'gssenc' as const);
row<wire.StartupPacket>({
  name: 'SSLRequest and GSSENCRequest',
  messages: packetKinds.map((kind) => ({ kind })),
  encode: (packet) => (packet.kind === 'ssl' ? wire.encodeSSLRequest() : wire.encodeGSSENCRequest()),
  decode: wire.decodeStartupPacket,
});
row({
  name: 'CancelRequest',
  messages: fc.record({ processId: uint32, key }, { noNullPrototype: true }),
  encode: wire.encodeCancelRequest,
  decode: (b, s, e) => {
    const packet = wire.decodeStartupPacket(b, s, e);
    if (packet.kind !== 'cancel') throw wire.protocolViolation('not a cancel request');
    return packet.cancel;
  },
});
row({
  name: 'StartupMessage',
  messages: fc.record(
    {
      protocolVersion: uint16.map((minor) => wire.PROTOCOL_3_0 + minor),
      parameters: fc
        .uniqueArray(fc.tuple(name, text), { maxLength: 5, selector: ([first]) => first })
        .map((pairs) => new Map(pairs) as ReadonlyMap<string, string>),
    },
    { noNullPrototype: true },
  ),
  encode: wire.encodeStartupMessage,
  decode: (b, s, e) => {
    const packet = wire.decodeStartupPacket(b, s, e);
    if (packet.kind !== 'startup') throw wire.protocolViolation('not a start-up message');
    return packet.startup;
  },
});
row({
  name: 'PasswordMessage',
  messages: text,
  encode: wire.encodePasswordMessage,
  decode: (b, s, e) => wire.decodePasswordMessage(b, s, e).password.toString('utf8'),
});
row({
  name: 'SASLInitialResponse',
  messages: fc.record({ mechanism: text, data: nullable }, { noNullPrototype: true }),
  encode: wire.encodeSASLInitialResponse,
  decode: wire.decodeSASLInitialResponse,
});
row({
  name: 'SASLResponse',
  messages: bytes,
  encode: wire.encodeSASLResponse,
  decode: wire.decodeSASLResponse,
});
row({
  name: 'Query',
  messages: text,
  encode: wire.encodeQuery,
  decode: (b, s, e) => slice(b, wire.decodeQuery(b, s, e)).toString('utf8'),
});
row({
  name: 'Parse',
  messages: fc.record(
    { statement: text, text, parameterTypes: fc.array(uint32, { maxLength: 5 }) },
    { noNullPrototype: true },
  ),
  encode: wire.encodeParse,
  decode: (b, s, e) => {
    const parse = wire.decodeParse(b, s, e);
    return {
      ...parse,
      text: slice(b, parse.text).toString('utf8'),
      parameterTypes: [...parse.parameterTypes],
    };
  },
});
row({
  name: 'Bind',
  messages: fc
    .record(
      {
        portal: text,
        statement: text,
        parameterFormats: fc.array(uint16, { maxLength: 1 }),
        parameters: fc.array(nullable, { maxLength: 5 }),
        resultFormats: fc.array(uint16, { maxLength: 5 }),
      },
      { noNullPrototype: true },
    )
    .map((bind) => bind),
  encode: wire.encodeBind,
  decode: (b, s, e) => {
    const bind = wire.decodeBind(b, s, e);
    return {
      ...bind,
      parameterFormats: [...bind.parameterFormats],
      parameters: slices(b, bind.parameters),
      resultFormats: [...bind.resultFormats],
    };
  },
});
const namedObject = fc.record(
  { kind: fc.constantFrom('statement' as const, 'portal' as const), name: text },
  { noNullPrototype: true },
);
row({ name: 'Describe', messages: namedObject, encode: wire.encodeDescribe, decode: wire.decodeDescribe });
row({ name: 'Close', messages: namedObject, encode: wire.encodeClose, decode: wire.decodeClose });
row({
  name: 'Execute',
  messages: fc.record({ portal: text, maxRows: int32 }, { noNullPrototype: true }),
  encode: wire.encodeExecute,
  decode: wire.decodeExecute,
});
row({
  name: 'FunctionCall',
  messages: fc.record(
    {
      functionOid: uint32,
      argumentFormats: fc.array(uint16, { maxLength: 1 }),
      arguments: fc.array(nullable, { maxLength: 5 }),
      resultFormat: uint16,
    },
    { noNullPrototype: true },
  ),
  encode: wire.encodeFunctionCall,
  decode: (b, s, e) => {
    const call = wire.decodeFunctionCall(b, s, e);
    return { ...call, argumentFormats: [...call.argumentFormats], arguments: slices(b, call.arguments) };
  },
});
row({ name: 'CopyFail', messages: text, encode: wire.encodeCopyFail, decode: wire.decodeCopyFail });
row({
  name: 'CopyData',
  messages: bytes,
  encode: wire.encodeCopyData,
  decode: (b, s, e) => slice(b, wire.decodeCopyData(b, s, e)),
});
row<wire.Authentication>({
  name: 'Authentication',
  messages: fc.oneof(
    fc.constantFrom({ kind: 'ok' as const }, { kind: 'cleartext-password' as const }),
    key.map((salt) => ({ kind: 'md5-password' as const, salt: salt.subarray(0, 4) })),
    fc.array(name, { maxLength: 4 }).map((mechanisms) => ({ kind: 'sasl' as const, mechanisms })),
    bytes.map((data) => ({ kind: 'sasl-continue' as const, data })),
    bytes.map((data) => ({ kind: 'sasl-final' as const, data })),
  ),
  encode: (message) => {
    switch (message.kind) {
      case 'ok':
        return wire.encodeAuthenticationOk();
      case 'cleartext-password':
        return wire.encodeAuthenticationCleartextPassword();
      case 'md5-password':
        return wire.encodeAuthenticationMD5Password(message.salt);
      case 'sasl':
        return wire.encodeAuthenticationSASL(message.mechanisms);
      case 'sasl-continue':
        return wire.encodeAuthenticationSASLContinue(message.data);
      case 'sasl-final':
        return wire.encodeAuthenticationSASLFinal(message.data);
      default:
        return assert.fail();
    }
  },
  decode: wire.decodeAuthentication,
});
row({
  name: 'BackendKeyData',
  messages: fc.record({ processId: uint32, key }, { noNullPrototype: true }),
  encode: wire.encodeBackendKeyData,
  decode: wire.decodeBackendKeyData,
});
row({
  name: 'NegotiateProtocolVersion',
  messages: fc.record(
    { protocolVersion: uint32, unknownOptions: fc.array(text, { maxLength: 4 }) },
    { noNullPrototype: true },
  ),
  encode: wire.encodeNegotiateProtocolVersion,
  decode: wire.decodeNegotiateProtocolVersion,
});
row({
  name: 'ParameterStatus',
  messages: fc.record({ name: text, value: text }, { noNullPrototype: true }),
  encode: wire.encodeParameterStatus,
  decode: wire.decodeParameterStatus,
});
row({
  name: 'ReadyForQuery',
  messages: fc.constantFrom<wire.TransactionStatus>('I', 'T', 'E'),
  encode: wire.encodeReadyForQuery,
  decode: wire.decodeReadyForQuery,
});
const fields = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...'SVCMDHPpqWstcdnFLR'.split('')), text), {
    maxLength: 8,
    selector: ([code]) => code,
  })
  .map((pairs) => new Map(pairs) as wire.ResponseFields);
row({
  name: 'ErrorResponse',
  messages: fields,
  encode: wire.encodeErrorResponse,
  decode: wire.decodeErrorResponse,
});
row({
  name: 'NoticeResponse',
  messages: fields,
  encode: wire.encodeNoticeResponse,
  decode: wire.decodeNoticeResponse,
});
row({
  name: 'NotificationResponse',
  messages: fc.record({ processId: uint32, channel: text, payload: text }, { noNullPrototype: true }),
  encode: wire.encodeNotificationResponse,
  decode: wire.decodeNotificationResponse,
});
row({
  name: 'CommandComplete',
  messages: text,
  encode: wire.encodeCommandComplete,
  decode: wire.decodeCommandComplete,
});
row({
  name: 'RowDescription',
  messages: fc.array(
    fc.record(
      {
        name: text,
        tableOid: uint32,
        columnNumber: int16,
        typeOid: uint32,
        typeSize: int16,
        typeModifier: int32,
        format: uint16,
      },
      { noNullPrototype: true },
    ),
    { maxLength: 4 },
  ),
  encode: wire.encodeRowDescription,
  decode: wire.decodeRowDescription,
});
row({
  name: 'DataRow',
  messages: fc.array(nullable, { maxLength: 5 }),
  encode: wire.encodeDataRow,
  decode: (b, s, e) => {
    const row = slices(b, wire.decodeDataRow(b, s, e));
    assert.equal(wire.dataRowFieldCount(b, s, e), row.length);
    return row;
  },
});
row({
  name: 'ParameterDescription',
  messages: fc.array(uint32, { maxLength: 6 }),
  encode: wire.encodeParameterDescription,
  decode: wire.decodeParameterDescription,
});
const copyResponse = fc.record(
  { format: fc.constantFrom(0, 1), columnFormats: fc.array(uint16, { maxLength: 5 }) },
  { noNullPrototype: true },
) as fc.Arbitrary<wire.CopyResponse>;
row({
  name: 'CopyInResponse',
  messages: copyResponse,
  encode: wire.encodeCopyInResponse,
  decode: wire.decodeCopyInResponse,
});
row({
  name: 'CopyOutResponse',
  messages: copyResponse,
  encode: wire.encodeCopyOutResponse,
  decode: wire.decodeCopyOutResponse,
});
row({
  name: 'CopyBothResponse',
  messages: copyResponse,
  encode: wire.encodeCopyBothResponse,
  decode: wire.decodeCopyBothResponse,
});
row({
  name: 'FunctionCallResponse',
  messages: nullable,
  encode: wire.encodeFunctionCallResponse,
  decode: (b, s, e) => {
    const range = wire.decodeFunctionCallResponse(b, s, e);
    return range === undefined ? null : slice(b, range);
  },
});

for (const { name: label, check } of rows) {
  test(`${label}: what is encoded comes back, from the middle of a buffer`, check);
}

/** Decode or refuse; anything but our error is a bug. Returns whether it was refused. */
function refuses(decode: Decode<unknown>, buffer: Buffer, start: number, end: number): boolean {
  try {
    decode(buffer, start, end);
    return false;
  } catch (error) {
    if (!isCountersignError(error, 'CS_PROTOCOL_VIOLATION')) throw error;
    return true;
  }
}

/** A message cut short anywhere is refused, or is a shorter message where the last field has no length of its own. */
const OPEN_ENDED = new Set(['SASLResponse', 'CopyData', 'Authentication', 'CancelRequest', 'BackendKeyData']);

for (const { name: label, corpus, decode } of rows) {
  test(`${label}: cut short at every byte`, () => {
    for (const message of corpus()) {
      for (let end = 0; end < message.length; end++) {
        // The bytes behind the cut are still there: a decoder that reads on would not notice by itself.
        const refused = refuses(decode, message, 0, end);
        assert.ok(refused || OPEN_ENDED.has(label), `accepted ${end} of ${message.length} bytes`);
      }
    }
  });

  test(`${label}: one byte more is refused`, () => {
    if (OPEN_ENDED.has(label)) return;
    for (const message of corpus()) {
      const longer = Buffer.concat([message, Buffer.from([0])]);
      assert.ok(refuses(decode, longer, 0, longer.length));
    }
  });

  test(`${label}: mutated bytes decode or are refused, never anything else`, () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...corpus()),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
        (message, changes) => {
          const mutated = Buffer.from(message);
          for (const [at, byte] of changes) mutated[at % mutated.length] = byte;
          refuses(decode, mutated, 0, mutated.length);
        },
      ),
      { numRuns: 300 },
    );
  });
}
