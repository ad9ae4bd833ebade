/** The fields of ErrorResponse and NoticeResponse ("53.8. Error and Notice Message Fields"). */
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

/** Field type characters that the gateway uses. */
export const FIELD = {
  severity: 'S',
  /** Severity, never translated. */
  severityPlain: 'V',
  sqlState: 'C',
  message: 'M',
  detail: 'D',
  hint: 'H',
  position: 'P',
} as const;

/** Field type character → value, in the order of the message. */
export type ResponseFields = ReadonlyMap<string, string>;

/** Not strict about UTF-8: before start-up ends a server may answer in the encoding of its own system. */
export function decodeResponseFields(
  name: string,
  buffer: Buffer,
  start: number,
  end: number,
): ResponseFields {
  const reader = new MessageReader(name, buffer, start, end);
  const fields = new Map<string, string>();
  for (let code = reader.uint8(); code !== 0; code = reader.uint8()) {
    fields.set(String.fromCharCode(code), reader.lenientString());
  }
  reader.finish();
  return fields;
}

export function encodeResponseFields(type: number, fields: ResponseFields): Buffer {
  const writer = new MessageWriter(type);
  for (const [code, value] of fields) writer.uint8(code.charCodeAt(0)).string(value);
  return writer.uint8(0).finish();
}

/** The fields of a response of the gateway's own, in the server's order. */
export function makeResponseFields(response: {
  readonly severity: 'ERROR' | 'FATAL' | 'PANIC' | 'WARNING' | 'NOTICE';
  /** Five characters. */
  readonly sqlState: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  /** 1-based, in characters of the statement. */
  readonly position?: number | undefined;
}): ResponseFields {
  const fields = new Map<string, string>([
    [FIELD.severity, response.severity],
    [FIELD.severityPlain, response.severity],
    [FIELD.sqlState, response.sqlState],
    [FIELD.message, response.message],
  ]);
  if (response.detail !== undefined) fields.set(FIELD.detail, response.detail);
  if (response.hint !== undefined) fields.set(FIELD.hint, response.hint);
  if (response.position !== undefined) fields.set(FIELD.position, String(response.position));
  return fields;
}
