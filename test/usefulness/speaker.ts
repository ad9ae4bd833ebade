/** Says statements over real connections, by the protocol that is asked for, and tells all that came back. */
import {
  decodeDataRow,
  decodeRowDescription,
  encodeBind,
  encodeDescribe,
  encodeExecute,
  encodeParse,
  encodeSync,
} from '../../packages/gateway/src/postgres/wire/index.ts';
import {
  copyData,
  copyDone,
  errorFields,
  frame,
  query,
  RawSession,
  type RawEndpoint,
  type RawMessage,
} from '../support/raw-session.ts';
import type { Protocol, Step } from './case.ts';

export type Column = ReturnType<typeof decodeRowDescription>[number];

export interface Result {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly (Buffer | null)[])[];
  /** COPY … TO STDOUT. */
  readonly copied: Buffer;
  readonly tag: string;
}

export interface Answer {
  readonly results: readonly Result[];
  readonly error?: { readonly code: string; readonly message: string; readonly detail: string };
}

export class Speaker {
  readonly #session: RawSession;

  private constructor(session: RawSession) {
    this.#session = session;
  }

  static async connect(endpoint: RawEndpoint & { readonly options?: string }): Promise<Speaker> {
    return new Speaker(await RawSession.connect(endpoint));
  }

  async say(step: Step, protocol: Protocol): Promise<Answer> {
    if (typeof step === 'object' && 'copyIn' in step) return await this.#copyIn(step.copyIn, step.data);
    const [sql, ...params] = typeof step === 'string' ? [step] : step;
    if (protocol === 'simple' && params.length === 0) this.#session.send(query(sql));
    else this.#sendExtended(sql, params, protocol === 'binary' ? 1 : 0);
    return answerOf(await this.#session.receiveUntil('Z'));
  }

  #sendExtended(text: string, params: readonly (string | null)[], format: number): void {
    this.#session.send(
      encodeParse({ statement: '', text, parameterTypes: [] }),
      encodeBind({
        portal: '',
        statement: '',
        parameterFormats: [],
        parameters: params.map((value) => (value === null ? null : Buffer.from(value))),
        resultFormats: [format],
      }),
      encodeDescribe({ kind: 'portal', name: '' }),
      encodeExecute({ portal: '', maxRows: 0 }),
      encodeSync(),
    );
  }

  async #copyIn(sql: string, data: string): Promise<Answer> {
    this.#session.send(query(sql));
    const begun = await this.#session.receiveUntil('ZG');
    if (begun.at(-1)?.type === 'Z') return answerOf(begun);
    this.#session.send(copyData(data), copyDone());
    return answerOf(await this.#session.receiveUntil('Z'));
  }

  end(): void {
    this.#session.end();
  }
}

function answerOf(messages: readonly RawMessage[]): Answer {
  const results: Result[] = [];
  let columns: readonly Column[] = [];
  let rows: (readonly (Buffer | null)[])[] = [];
  let copied: Buffer[] = [];
  for (const { type, body } of messages) {
    if (type === 'T') columns = columnsOf(body);
    else if (type === 'D') rows.push(fieldsOf(body));
    else if (type === 'd') copied.push(body);
    else if (type === 'C') {
      const tag = body.toString('utf8', 0, body.length - 1);
      results.push({ columns, rows, copied: Buffer.concat(copied), tag });
      [columns, rows, copied] = [[], [], []];
    }
  }
  const failed = messages.find(({ type }) => type === 'E');
  if (failed === undefined) return { results };
  const fields = errorFields(failed);
  return {
    results,
    error: { code: fields.get('C') ?? '', message: fields.get('M') ?? '', detail: fields.get('D') ?? '' },
  };
}

function columnsOf(body: Buffer): readonly Column[] {
  const message = frame('T', body);
  return decodeRowDescription(message, 0, message.length);
}

function fieldsOf(body: Buffer): (Buffer | null)[] {
  const message = frame('D', body);
  return decodeDataRow(message, 0, message.length).map((range) =>
    range === undefined ? null : Buffer.from(message.subarray(range.start, range.end)),
  );
}
