/** FunctionCall: the client calls a function by its OID (fast-path interface). */
import { FRONTEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import type { ByteRange } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

export interface FunctionCall {
  readonly functionOid: number;
  /** None: all text. One: for all. Else one per argument. */
  readonly argumentFormats: readonly number[];
  /** Where each value lies in the message's buffer; undefined = null. */
  readonly arguments: readonly (ByteRange | undefined)[];
  readonly resultFormat: number;
}

export function decodeFunctionCall(buffer: Buffer, start: number, end: number): FunctionCall {
  const reader = new MessageReader('FunctionCall', buffer, start, end);
  const functionOid = reader.uint32();
  const argumentFormats = reader.uint16s(reader.uint16());
  const count = reader.uint16();
  if (argumentFormats.length > 1 && argumentFormats.length !== count) {
    throw reader.malformed('number of argument formats');
  }
  const values: (ByteRange | undefined)[] = [];
  for (let index = 0; index < count; index++) values.push(reader.nullableRange());
  const resultFormat = reader.uint16();
  reader.finish();
  return { functionOid, argumentFormats, arguments: values, resultFormat };
}

export function encodeFunctionCall(call: {
  readonly functionOid: number;
  readonly argumentFormats: readonly number[];
  readonly arguments: readonly (Uint8Array | null)[];
  readonly resultFormat: number;
}): Buffer {
  const writer = new MessageWriter(FRONTEND.functionCall)
    .uint32(call.functionOid)
    .uint16s(call.argumentFormats);
  writer.uint16(call.arguments.length);
  for (const value of call.arguments) writer.nullableBytes(value);
  return writer.uint16(call.resultFormat).finish();
}
