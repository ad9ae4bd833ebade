/** ParameterDescription: the server names the types of a statement's parameters. */
import { BACKEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

/** Type OIDs. */
export function decodeParameterDescription(buffer: Buffer, start: number, end: number): readonly number[] {
  const reader = new MessageReader('ParameterDescription', buffer, start, end);
  const types = reader.uint32s(reader.uint16());
  reader.finish();
  return types;
}

export function encodeParameterDescription(types: readonly number[]): Buffer {
  const writer = new MessageWriter(BACKEND.parameterDescription).uint16(types.length);
  for (const type of types) writer.uint32(type);
  return writer.finish();
}
