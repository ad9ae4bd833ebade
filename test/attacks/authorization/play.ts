/** Plays the steps of an attack in one session and keeps every byte of the answers. */
import type { Client } from 'pg';
import {
  bind,
  copyData,
  copyDone,
  errorFields,
  execute,
  frame,
  parse,
  query,
  RawSession,
  sync,
  type RawMessage,
} from '../../support/raw-session.ts';
import type { Step } from './attack.ts';

/** A safety net, far from what any step takes: an attack that runs into it counts as hung and fails the run. */
const STEP_LIMIT_MS = 30_000;

export interface Answer {
  readonly messages: readonly RawMessage[];
  /** SQLSTATEs of the errors in it. */
  readonly errors: readonly string[];
  readonly lost: boolean;
}

/** Placeholders of the texts: `{{port}}` and so on. */
export type Fill = (text: string) => string;

export interface Stage {
  readonly fill: Fill;
  /** A superuser's connection to the same database. */
  readonly observer: Client;
  /** Somebody else runs this beside the attack; resolves when the gateway can know of it. */
  readonly outside: (sql: string) => Promise<void>;
}

const int32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
};
const int16 = (value: number): Buffer => {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
};

async function functionCall(stage: Stage, routine: string, values: readonly string[]): Promise<Buffer> {
  const { rows } = await stage.observer.query<{ oid: string }>('select $1::regproc::oid as oid', [routine]);
  const parts = values.flatMap((value) => {
    const text = Buffer.from(value);
    return [int32(text.length), text];
  });
  return frame('F', int32(Number(rows[0]?.oid)), int16(0), int16(values.length), ...parts, int16(0));
}

async function typedParse(
  stage: Stage,
  name: string,
  text: string,
  types: readonly string[],
): Promise<Buffer> {
  const { rows } = await stage.observer.query<{ oid: string }>(
    'select t::regtype::oid as oid from unnest($1::text[]) with ordinality u(t, n) order by n',
    [types],
  );
  const oids = rows.map(({ oid }) => int32(Number(oid)));
  return frame('P', Buffer.from(`${name}\0${text}\0`), int16(oids.length), ...oids);
}

const describeStatement = (name: string): Buffer => frame('D', Buffer.from(`S${name}\0`));

async function bytesOf(step: Step, stage: Stage): Promise<Buffer> {
  const { fill } = stage;
  if (typeof step === 'string') return query(fill(step));
  switch (step.kind) {
    case 'extended':
      return Buffer.concat([
        ...(step.text === undefined ? [] : [parse('', fill(step.text))]),
        bind('', step.name ?? '', step.values),
        execute(),
        sync(),
      ]);
    case 'parse':
      return Buffer.concat([
        step.types === undefined
          ? parse(step.name, fill(step.text))
          : await typedParse(stage, step.name, fill(step.text), step.types),
        sync(),
      ]);
    case 'describe':
      return Buffer.concat([describeStatement(step.name), sync()]);
    case 'pipeline':
      return Buffer.concat([
        ...step.texts.flatMap((text) => [parse('', fill(text)), bind('', '', []), execute()]),
        sync(),
      ]);
    case 'copy-in':
      return query(fill(step.text));
    case 'function-call':
      return await functionCall(stage, step.routine, step.arguments);
    case 'bytes':
      return frame('Q', Buffer.from(`${fill(step.text)}\0`, 'latin1'));
    default:
      // What happens outside is not sent.
      return Buffer.alloc(0);
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

async function playStep(session: RawSession, step: Step, stage: Stage): Promise<Answer> {
  if (typeof step !== 'string' && step.kind === 'outside') {
    await stage.outside(stage.fill(step.sql));
    return { messages: [], errors: [], lost: false };
  }
  session.send(await bytesOf(step, stage));
  const copying = typeof step !== 'string' && step.kind === 'copy-in';
  let { messages, lost } = await receive(session, copying ? 'ZG' : 'Z');
  if (copying && !lost && messages.at(-1)?.type === 'G') {
    session.send(copyData(step.data), copyDone());
    const rest = await receive(session, 'Z');
    messages = [...messages, ...rest.messages];
    lost = rest.lost;
  }
  const errors = messages
    .filter(({ type }) => type === 'E')
    .map((message) => errorFields(message).get('C') ?? '');
  return { messages, errors, lost };
}

export class Hung extends Error {}

/** Plays until the end or until the session is lost. `beforeEnd` runs while the session is still there. */
export async function playSteps(
  session: RawSession,
  steps: readonly Step[],
  stage: Stage,
  beforeEnd: () => Promise<void>,
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (const step of steps) {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Hung('a step got no answer')), STEP_LIMIT_MS);
    });
    try {
      answers.push(await Promise.race([playStep(session, step, stage), limit]));
    } finally {
      clearTimeout(timer);
    }
    if (answers.at(-1)?.lost === true) break;
  }
  await beforeEnd();
  return answers;
}
