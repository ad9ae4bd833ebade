/**
 * What the clients of the kill loop do: writes, functions and triggers with side effects, simple and extended,
 * pipelined, in and out of transactions, COPY, errors in the middle, and a Bind that is never executed. Every command
 * carries a marker that nothing else carries, so that what happened can be told from what was recorded.
 */

import type { Prng } from './prng.ts';
import { bind, copyData, copyDone, execute, parse, query, RawSession, sync } from '../support/raw-session.ts';
import type { RawEndpoint, RawMessage } from '../support/raw-session.ts';

const INSERT = 'insert into kill_work (marker) values ($1)';

interface Turn {
  readonly session: RawSession;
  readonly random: Prng;
  /** The next marker of this client. */
  readonly mark: () => string;
}

/** A turn sends its messages, waits for the answer and gives the markers of the writes that were acknowledged. */
type Act = (turn: Turn) => Promise<string[]>;

/** The last ReadyForQuery says that no transaction is open, and no error came: then the writes are done. */
function acknowledged(answer: readonly RawMessage[], markers: readonly string[]): string[] {
  const last = answer.at(-1);
  const isIdle = last?.type === 'Z' && last.body.toString('latin1') === 'I';
  return isIdle && !answer.some((message) => message.type === 'E') ? [...markers] : [];
}

const simpleInsert: Act = async ({ session, mark }) => {
  const marker = mark();
  session.send(query(`insert into kill_work (marker) values ('${marker}')`));
  return acknowledged(await session.receiveUntil(), [marker]);
};

const simpleFunction: Act = async ({ session, mark }) => {
  const marker = mark();
  session.send(query(`select kill_effect('${marker}')`));
  return acknowledged(await session.receiveUntil(), []);
};

const severalStatements: Act = async ({ session, mark }) => {
  const [first, second] = [mark(), mark()];
  session.send(query(`insert into kill_work (marker) values ('${first}'); select kill_effect('${second}')`));
  return acknowledged(await session.receiveUntil(), [first]);
};

const transaction: Act = async ({ session, mark }) => {
  const markers = [mark(), mark()];
  const commands = [
    'begin',
    ...markers.map((marker) => `insert into kill_work (marker) values ('${marker}')`),
    `commit /* ${markers.join(' ')} */`,
  ];
  session.send(...commands.map(query));
  const answer: RawMessage[] = [];
  for (const _ of commands) answer.push(...(await session.receiveUntil()));
  return acknowledged(answer, markers);
};

const pipeline: Act = async ({ session, random, mark }) => {
  const markers = Array.from({ length: random.between(2, 6) }, mark);
  session.send(
    ...markers.flatMap((marker) => [parse('', INSERT), bind('', '', [marker]), execute()]),
    sync(),
  );
  return acknowledged(await session.receiveUntil(), markers);
};

const preparedStatement: Act = async ({ session, mark }) => {
  const markers = [mark(), mark()];
  for (const marker of markers) session.send(bind('', 'keep', [marker]), execute(), sync());
  const answer = [...(await session.receiveUntil()), ...(await session.receiveUntil())];
  return acknowledged(answer, markers);
};

const pipelineWithError: Act = async ({ session, mark }) => {
  const markers = [mark(), mark(), mark()];
  const texts = [
    `select kill_effect('${markers[0]}')`,
    `select 1 / 0 /* ${markers[1]} */`,
    `select kill_effect('${markers[2]}')`,
  ];
  session.send(...texts.flatMap((text) => [parse('', text), bind('', '', []), execute()]), sync());
  await session.receiveUntil();
  return [];
};

const bindOnly: Act = async ({ session, mark }) => {
  session.send(parse('', `select kill_fold('${mark()}')`), bind('', '', []), sync());
  await session.receiveUntil();
  return [];
};

const copyIn: Act = async ({ session, random, mark }) => {
  const marker = mark();
  session.send(query(`copy kill_work (marker) from stdin /* ${marker} */`));
  const answer = await session.receiveUntil('GZ');
  if (answer.at(-1)?.type === 'Z') return [];
  const rows = random.between(1, 20);
  session.send(...Array.from({ length: rows }, (_, row) => copyData(`${marker}/${row}\n`)), copyDone());
  return acknowledged(await session.receiveUntil(), [marker]);
};

const portalInPieces: Act = async ({ session, mark }) => {
  const text = `select kill_effect('${mark()}' || '/' || n) from generate_series(1, 5) as n`;
  session.send(
    parse('', text),
    bind('slow', '', []),
    execute('slow', 2),
    execute('slow', 2),
    execute('slow'),
    sync(),
  );
  await session.receiveUntil();
  return [];
};

const read: Act = async ({ session, mark }) => {
  session.send(query(`select count(*) from kill_work where marker = '${mark()}'`));
  await session.receiveUntil();
  return [];
};

const ACTS: readonly Act[] = [
  simpleInsert,
  simpleFunction,
  severalStatements,
  transaction,
  pipeline,
  pipeline,
  preparedStatement,
  pipelineWithError,
  bindOnly,
  copyIn,
  portalInPieces,
  read,
];

export interface ClientRun {
  /** Markers of acknowledged writes. */
  readonly acknowledged: string[];
  /** Turns that were answered in full. */
  turns: number;
}

/**
 * One client, until its session is lost, which is how a kill looks from here. The connection itself may fail for the
 * same reason. Any other failure is thrown, unless a failing disk may be the reason (`mayLose`).
 */
export async function runClient(
  endpoint: RawEndpoint,
  random: Prng,
  label: string,
  isKilled: () => boolean,
  mayLose: () => boolean = isKilled,
  onTurn: () => void = () => {},
): Promise<ClientRun> {
  const run: ClientRun = { acknowledged: [], turns: 0 };
  let number = 0;
  try {
    const session = await RawSession.connect(endpoint);
    session.send(parse('keep', INSERT), sync());
    await session.receiveUntil();
    const mark = (): string => `m${label}.${number++}`;
    while (!isKilled()) {
      run.acknowledged.push(...(await random.pick(ACTS)({ session, random, mark })));
      run.turns++;
      onTurn();
    }
    session.destroy();
  } catch (error) {
    if (!mayLose()) throw error;
  }
  return run;
}
