/** A session with a real server that asks for values in either format and gives them back, byte for byte. */
import {
  decodeDataRow,
  decodeRowDescription,
  encodeBind,
  encodeDescribe,
  encodeExecute,
  encodeParse,
  encodeSync,
} from '../../packages/gateway/src/postgres/wire/index.ts';
import { errorFields, frame, RawSession, type RawEndpoint, type RawMessage } from '../support/raw-session.ts';

export interface TypedParameter {
  readonly value: Buffer | null;
  readonly typeOid: number;
  readonly format: number;
}

export interface TypedAnswer {
  readonly typeOids: readonly number[];
  readonly rows: readonly (readonly (Buffer | null)[])[];
}

export class TypedSession {
  readonly #session: RawSession;

  private constructor(session: RawSession) {
    this.#session = session;
  }

  static async connect(endpoint: RawEndpoint): Promise<TypedSession> {
    const typed = new TypedSession(await RawSession.connect(endpoint));
    await typed.query("SET timezone = 'UTC'", 0);
    return typed;
  }

  /** All columns in one format. @throws Error with the server's words */
  async query(
    text: string,
    format: number,
    parameters: readonly TypedParameter[] = [],
  ): Promise<TypedAnswer> {
    this.#session.send(
      encodeParse({ statement: '', text, parameterTypes: parameters.map(({ typeOid }) => typeOid) }),
      encodeBind({
        portal: '',
        statement: '',
        parameterFormats: parameters.map((parameter) => parameter.format),
        parameters: parameters.map(({ value }) => value),
        resultFormats: [format],
      }),
      encodeDescribe({ kind: 'portal', name: '' }),
      encodeExecute({ portal: '', maxRows: 0 }),
      encodeSync(),
    );
    const messages = await this.#session.receiveUntil();
    const error = messages.find(({ type }) => type === 'E');
    if (error !== undefined)
      throw new Error(`${errorFields(error).get('C')}: ${errorFields(error).get('M')}`);
    const description = messages.find(({ type }) => type === 'T');
    return {
      typeOids: description === undefined ? [] : typesOf(description),
      rows: messages.filter(({ type }) => type === 'D').map(fieldsOf),
    };
  }

  end(): void {
    this.#session.end();
  }
}

function typesOf({ type, body }: RawMessage): number[] {
  const message = frame(type, body);
  return decodeRowDescription(message, 0, message.length).map(({ typeOid }) => typeOid);
}

function fieldsOf({ type, body }: RawMessage): (Buffer | null)[] {
  const message = frame(type, body);
  return decodeDataRow(message, 0, message.length).map((range) =>
    range === undefined ? null : Buffer.from(message.subarray(range.start, range.end)),
  );
}
