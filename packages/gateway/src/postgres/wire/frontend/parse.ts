/** Parse: the client prepares a statement. */
import { FRONTEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import type { ByteRange } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

export interface Parse {
  /** Empty: the unnamed statement. */
  readonly statement: string;
  /** Where the text lies, without its NUL. */
  readonly text: ByteRange;
  /** Types the client gave to the first parameters; 0 = not given. */
  readonly parameterTypes: readonly number[];
}

export function decodeParse(buffer: Buffer, start: number, end: number): Parse {
  const reader = new MessageReader('Parse', buffer, start, end);
  const statement = reader.string();
  const text = reader.stringRange();
  const parameterTypes = reader.uint32s(reader.uint16());
  reader.finish();
  return { statement, text, parameterTypes };
}

export function encodeParse(parse: {
  readonly statement: string;
  readonly text: string | Uint8Array;
  readonly parameterTypes: readonly number[];
}): Buffer {
  const writer = new MessageWriter(FRONTEND.parse).string(parse.statement).string(parse.text);
  writer.uint16(parse.parameterTypes.length);
  for (const type of parse.parameterTypes) writer.uint32(type);
  return writer.finish();
}
