/** Plays the steps of an attempt in one session and keeps every byte that comes back. */
import {
  bind,
  copyData,
  copyDone,
  execute,
  frame,
  parse,
  query,
  sync,
  type RawMessage,
  type RawSession,
} from '../../support/raw-session.ts';
import type { Attempt, GrantWords, Step } from './attempt.ts';

/** A safety net, far from what any step takes. */
const STEP_LIMIT_MS = 30_000;
/** Rows that are fetched one by one before the rest is left. */
const PORTAL_ROWS = 15;

/** What came back for one request of one step. */
export interface Answer {
  readonly step: number;
  /** `simple`, `extended`, `copy csv`, … */
  readonly way: string;
  readonly messages: readonly RawMessage[];
  readonly lost: boolean;
}

export interface Stage {
  fill(text: string): string;
  oidOf(routine: string): Promise<number>;
  outside(sql: string): Promise<void>;
  grant(words: GrantWords): Promise<void>;
}

interface Request {
  readonly way: string;
  readonly bytes: Buffer;
  /** Goes into a COPY FROM STDIN. */
  readonly data?: string;
}

const int16 = (value: number): Buffer => {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
};
const int32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
};

const describePortal = (): Buffer => frame('D', Buffer.from('P\0'));

/** As `bind`, but the results in binary. */
function bindBinary(name: string, values: readonly string[]): Buffer {
  const plain = bind('', name, values);
  return frame('B', plain.subarray(5, -2), int16(1), int16(1));
}

const bound = (name: string, values: readonly string[], binary: boolean): Buffer =>
  binary ? bindBinary(name, values) : bind('', name, values);

const extendedBytes = (text: string, values: readonly string[], binary: boolean): Buffer =>
  Buffer.concat([parse('', text), bound('', values, binary), describePortal(), execute(), sync()]);

const COPY_WAYS = ['text', 'csv, header', 'binary'] as const;

const isOneQuery = (text: string): boolean =>
  /^\s*(?:select|values|table|with)\b/iu.test(text) && !/;\s*\S/u.test(text);

function everyWay(text: string): readonly Request[] {
  return [
    { way: 'simple', bytes: query(text) },
    { way: 'extended', bytes: extendedBytes(text, [], false) },
    { way: 'binary', bytes: extendedBytes(text, [], true) },
    ...COPY_WAYS.map((format) => ({
      way: `copy ${format}`,
      bytes: query(`copy (${text.replace(/;\s*$/u, '')}) to stdout with (format ${format})`),
    })),
  ];
}

async function functionCall(stage: Stage, step: Extract<Step, { kind: 'function-call' }>): Promise<Buffer> {
  const parts = step.arguments.flatMap((value) => {
    const text = Buffer.from(stage.fill(value));
    return [int32(text.length), text];
  });
  const oid = await stage.oidOf(step.routine);
  return frame(
    'F',
    int32(oid),
    int16(0),
    int16(step.arguments.length),
    ...parts,
    int16(step.binary === true ? 1 : 0),
  );
}

async function requestsOf(step: Step, attempt: Attempt, stage: Stage): Promise<readonly Request[]> {
  if (typeof step === 'string') {
    const text = stage.fill(step);
    return attempt.once !== true && isOneQuery(text)
      ? everyWay(text)
      : [{ way: 'simple', bytes: query(text) }];
  }
  switch (step.kind) {
    case 'extended': {
      const values = step.values.map((value) => stage.fill(value));
      const way = step.binary === true ? 'binary' : 'extended';
      if (step.text !== undefined)
        return [{ way, bytes: extendedBytes(stage.fill(step.text), values, step.binary === true) }];
      // As drivers do with a statement that they know: no description is asked for.
      const bytes = [bound(step.name ?? '', values, step.binary === true), execute(), sync()];
      return [{ way: `${way} again`, bytes: Buffer.concat(bytes) }];
    }
    case 'parse':
      return [{ way: 'parse', bytes: Buffer.concat([parse(step.name, stage.fill(step.text)), sync()]) }];
    case 'describe':
      return [
        { way: 'describe', bytes: Buffer.concat([frame('D', Buffer.from(`S${step.name}\0`)), sync()]) },
      ];
    case 'pipeline': {
      const parts = step.texts.flatMap((text) => [parse('', stage.fill(text)), bind('', '', []), execute()]);
      return [{ way: 'pipeline', bytes: Buffer.concat([...parts, sync()]) }];
    }
    case 'portal': {
      const fetches = Array.from({ length: PORTAL_ROWS }, () => execute('', 1));
      const opened = [parse('', stage.fill(step.text)), bound('', [], step.binary === true)];
      return [{ way: 'portal', bytes: Buffer.concat([...opened, ...fetches, sync()]) }];
    }
    case 'copy-in':
      return [{ way: 'copy in', bytes: query(stage.fill(step.text)), data: stage.fill(step.data) }];
    case 'function-call':
      return [{ way: 'function call', bytes: await functionCall(stage, step) }];
    default:
      return [];
  }
}

async function receive(
  session: RawSession,
  types: string,
): Promise<{ messages: RawMessage[]; lost: boolean }> {
  const messages: RawMessage[] = [];
  try {
    for (;;) {
      const message = await session.receive();
      messages.push(message);
      if (types.includes(message.type)) return { messages, lost: false };
    }
  } catch {
    return { messages, lost: true };
  }
}

async function ask(
  session: RawSession,
  { bytes, data }: Request,
): Promise<{ messages: RawMessage[]; lost: boolean }> {
  session.send(bytes);
  const first = await receive(session, data === undefined ? 'Z' : 'ZG');
  if (data === undefined || first.lost || first.messages.at(-1)?.type !== 'G') return first;
  session.send(copyData(data), copyDone());
  const rest = await receive(session, 'Z');
  return { messages: [...first.messages, ...rest.messages], lost: rest.lost };
}

export class Hung extends Error {}

async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Hung('a step got no answer')), STEP_LIMIT_MS);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

const RECEIVED = '{{received}}';

/** Text of the first cell of the first row so far. */
function firstCell(answers: readonly Answer[]): string {
  const row = answers.flatMap(({ messages }) => messages).find(({ type }) => type === 'D');
  const length = row?.body.readInt32BE(2) ?? -1;
  return row === undefined || length < 0 ? '' : row.body.toString('utf8', 6, 6 + length);
}

/** Plays until the end or until the session is lost. */
export async function playAttempt(
  session: RawSession,
  attempt: Attempt,
  stage: Stage,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const filling: Stage = {
    ...stage,
    fill: (text) =>
      stage.fill(text.includes(RECEIVED) ? text.replaceAll(RECEIVED, firstCell(answers)) : text),
  };
  for (const [index, step] of attempt.steps.entries()) {
    if (typeof step !== 'string' && step.kind === 'outside') {
      await stage.outside(stage.fill(step.sql));
      continue;
    }
    if (typeof step !== 'string' && step.kind === 'grant') {
      await stage.grant(step.words);
      continue;
    }
    for (const request of await requestsOf(step, attempt, filling)) {
      const { messages, lost } = await within(ask(session, request));
      answers.push({ step: index, way: request.way, messages, lost });
      if (lost) return answers;
    }
  }
  return answers;
}
