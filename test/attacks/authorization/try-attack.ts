/** One attack, from its set-up to the verdict. */
import type { Attack } from './attack.ts';
import type { Control } from './controls.ts';
import { judge, locksHeld, receivedBytes } from './judge.ts';
import { Hung, playSteps, type Answer } from './play.ts';
import { RawSession } from '../../support/raw-session.ts';
import { changedKeys } from './state.ts';
import type { Arena } from './world.ts';

/** How an attacker gets in: through a gateway or straight. */
export interface Door {
  readonly arena: Arena;
  connect(attack: Attack): Promise<RawSession>;
  /** After a change from outside: resolves when the gateway can know of it. */
  settle(): Promise<void>;
  /** After the database was made anew. */
  restored(): Promise<void>;
  close(): Promise<void>;
}

export interface Verdict {
  readonly id: string;
  readonly succeeded: boolean;
  readonly findings: readonly string[];
  /** SQLSTATEs and messages of the errors that it met, or why it got no session. */
  readonly errors: readonly string[];
  readonly messages: readonly string[];
  readonly ms: number;
}

const REFUSED: Answer = { messages: [], errors: ['no session'], lost: true };

/** Sessions of the attacker: everything in the database that is not ours. */
const OF_THE_ATTACKER = `datname = current_database() and backend_type = 'client backend'
  and application_name not in ('observer', 'template') and usename not in ('cs_catalog', 'cs_roles') and pid <> pg_backend_pid()`;

const LEFT = `select count(*)::int as n from pg_stat_activity where ${OF_THE_ATTACKER}`;

async function untilGone(arena: Arena): Promise<void> {
  for (let round = 0; round < 2000; round += 1) {
    const { rows } = await arena.observer.query<{ n: number }>(LEFT);
    if (rows[0]?.n === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  // It hangs: nothing else ends it.
  await arena.observer.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where ${OF_THE_ATTACKER}`,
  );
}

interface Notes {
  readonly locks: string[];
  readonly excused: Set<string>;
}

async function playIn(door: Door, attack: Attack, notes: Notes): Promise<readonly Answer[]> {
  const { arena } = door;
  let session: RawSession;
  try {
    session = await door.connect(attack);
  } catch (error) {
    const code = (error as { code?: string }).code ?? 'no session';
    return [{ ...REFUSED, errors: [code] }];
  }
  const outside = async (sql: string): Promise<void> => {
    const before = await arena.state();
    await arena.observer.query(sql);
    for (const key of changedKeys(before, await arena.state())) notes.excused.add(key);
    await door.settle();
  };
  try {
    return await playSteps(
      session,
      attack.steps,
      { fill: (text) => arena.fill(text), observer: arena.observer, outside },
      async () => void notes.locks.push(...(await locksHeld(arena, attack))),
    );
  } finally {
    session.end();
    session.destroy();
    await untilGone(arena);
  }
}

const messageOf = (body: Buffer): string => /\0M([^\0]*)/u.exec(body.toString('utf8'))?.[1] ?? '';

export async function tryAttack(door: Door, attack: Attack): Promise<Verdict> {
  const { arena } = door;
  const started = performance.now();
  let before = arena.baseline;
  if (attack.setup !== undefined) {
    await arena.observer.query(arena.fill(attack.setup));
    await arena.observer.query('reset search_path');
    await door.settle();
    before = await arena.state();
  }
  const notes: Notes = { locks: [], excused: new Set() };
  let answers: readonly Answer[] = [];
  let hung = false;
  try {
    answers = await playIn(door, attack, notes);
  } catch (error) {
    if (!(error instanceof Hung)) throw error;
    hung = true;
  }
  const { findings, changed } = await judge(arena, attack, { answers, before, ...notes });
  if (changed.length > 0 || attack.setup !== undefined) {
    await arena.restore(changed);
    await door.restored();
  }
  return {
    id: attack.id,
    succeeded: findings.length > 0,
    findings,
    errors: hung ? ['hung'] : answers.flatMap(({ errors }) => errors),
    messages: answers.flatMap(({ messages }) =>
      messages.filter(({ type }) => type === 'E').map(({ body }) => messageOf(body)),
    ),
    ms: performance.now() - started,
  };
}

/** What is wrong with the answer to a statement that must pass; empty: nothing. */
export async function tryControl(door: Door, control: Control): Promise<readonly string[]> {
  const { arena } = door;
  const attack: Attack = { ...control, goal: 'read', how: 'a control' };
  const notes: Notes = { locks: [], excused: new Set() };
  const answers = await playIn(door, attack, notes);
  const wrong = answers.flatMap(({ errors, messages }) => [
    ...errors,
    ...messages.filter(({ type }) => type === 'E').map(({ body }) => messageOf(body)),
  ]);
  if (control.received !== undefined && !receivedBytes(answers).includes(control.received)) {
    wrong.push(`${control.received} was not received`);
  }
  if (control.check !== undefined) {
    const { rows } = await arena.observer.query<unknown[]>({ text: control.check, rowMode: 'array' });
    if (rows[0]?.[0] !== true) wrong.push('the check says no');
  }
  const changed = changedKeys(arena.baseline, await arena.state());
  if (changed.length > 0) {
    await arena.restore(changed);
    await door.restored();
  }
  return wrong;
}

/** Straight to the server as its superuser: no wall at all. */
export function openDoor(arena: Arena): Door {
  const { server } = arena.world;
  return {
    arena,
    connect: (attack) => {
      const endpoint = {
        host: server.host,
        port: server.port,
        user: server.user,
        password: server.password,
        database: attack.database ?? arena.database,
        ...(attack.options === undefined ? {} : { options: attack.options }),
      };
      return RawSession.connect(endpoint);
    },
    settle: () => Promise.resolve(),
    restored: () => Promise.resolve(),
    close: () => arena.close(),
  };
}
