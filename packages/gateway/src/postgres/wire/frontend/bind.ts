/** Bind: the client gives a prepared statement its parameter values and so makes a portal. */
import { FRONTEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import type { ByteRange } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

/** Format codes ("53.7"): text, binary. */
export const TEXT_FORMAT = 0;
export const BINARY_FORMAT = 1;

export interface Bind {
  /** Empty: the unnamed portal. */
  readonly portal: string;
  /** Empty: the unnamed statement. */
  readonly statement: string;
  /** None: all text. One: for all. Else one per parameter. */
  readonly parameterFormats: readonly number[];
  /** Where each value lies in the message's buffer; undefined = null. */
  readonly parameters: readonly (ByteRange | undefined)[];
  /** As `parameterFormats`, for the columns of the result. */
  readonly resultFormats: readonly number[];
}

export function decodeBind(buffer: Buffer, start: number, end: number): Bind {
  const reader = new MessageReader('Bind', buffer, start, end);
  const portal = reader.string();
  const statement = reader.string();
  const parameterFormats = reader.uint16s(reader.uint16());
  const count = reader.uint16();
  if (parameterFormats.length > 1 && parameterFormats.length !== count) {
    throw reader.malformed('number of parameter formats');
  }
  const parameters: (ByteRange | undefined)[] = [];
  for (let index = 0; index < count; index++) parameters.push(reader.nullableRange());
  const resultFormats = reader.uint16s(reader.uint16());
  reader.finish();
  return { portal, statement, parameterFormats, parameters, resultFormats };
}

/** The format code of parameter `index`. */
export function parameterFormat(formats: readonly number[], index: number): number {
  return formats.length === 1 ? formats[0]! : (formats[index] ?? TEXT_FORMAT);
}

export function encodeBind(bind: {
  readonly portal: string;
  readonly statement: string;
  readonly parameterFormats: readonly number[];
  readonly parameters: readonly (Uint8Array | null)[];
  readonly resultFormats: readonly number[];
}): Buffer {
  const writer = new MessageWriter(FRONTEND.bind).string(bind.portal).string(bind.statement);
  writer.uint16s(bind.parameterFormats).uint16(bind.parameters.length);
  for (const value of bind.parameters) writer.nullableBytes(value);
  return writer.uint16s(bind.resultFormats).finish();
}
