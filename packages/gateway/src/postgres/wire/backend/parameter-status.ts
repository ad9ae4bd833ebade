/** ParameterStatus: the server reports the value of a setting, at start-up and whenever it changes. */
import { BACKEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

export interface ParameterStatus {
  readonly name: string;
  readonly value: string;
}

export function decodeParameterStatus(buffer: Buffer, start: number, end: number): ParameterStatus {
  const reader = new MessageReader('ParameterStatus', buffer, start, end);
  const name = reader.string();
  const value = reader.lenientString();
  reader.finish();
  return { name, value };
}

export function encodeParameterStatus(status: ParameterStatus): Buffer {
  return new MessageWriter(BACKEND.parameterStatus).string(status.name).string(status.value).finish();
}
