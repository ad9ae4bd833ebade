/** Whether an attack succeeded: only what was received and what really changed counts, not what was answered. */
import type { Attack, Step } from './attack.ts';
import { CANARIES } from './fixture.ts';
import type { Answer } from './play.ts';
import { SCOPES } from './scopes.ts';
import { changedKeys, type State } from './state.ts';
import type { Arena } from './world.ts';

/** What the text of a canary goes on with. */
const TOKEN = /[\w-]*/u;

function sentTexts(steps: readonly Step[]): string {
  return steps
    .filter((step) => typeof step === 'string' || step.kind !== 'outside')
    .map((step) => (typeof step === 'string' ? step : JSON.stringify(step)))
    .join('\n');
}

export function receivedBytes(answers: readonly Answer[]): string {
  return answers
    .flatMap(({ messages }) => messages.map(({ type, body }) => `${type}${body.toString('latin1')}`))
    .join('\n');
}

/** Canaries in what came back, also as hexadecimal digits, without those that the attacker sent. */
function canariesIn(received: string, sent: string): string[] {
  const found: string[] = [];
  for (const canary of CANARIES) {
    for (let at = received.indexOf(canary); at >= 0; at = received.indexOf(canary, at + 1)) {
      const token = canary + (TOKEN.exec(received.slice(at + canary.length))?.[0] ?? '');
      if (!sent.includes(token)) found.push(token);
    }
    const hex = Buffer.from(canary).toString('hex');
    if (received.includes(hex) && !sent.includes(hex)) found.push(`${canary} in hexadecimal`);
  }
  return [...new Set(found)].slice(0, 3);
}

function wordsOf(step: Step): string[] {
  const text = typeof step === 'string' ? step : 'text' in step ? (step.text ?? '') : '';
  return text.match(/\w+/gu) ?? [];
}

/** Names that differ between the two texts become one, so that only what was answered can differ. */
function answersDiffer(attack: Attack, answers: readonly Answer[]): boolean {
  const [first, second] = attack.differs!;
  if (answers[first] === undefined || answers[second] === undefined) return true;
  const one = wordsOf(attack.steps[first]!);
  const two = wordsOf(attack.steps[second]!);
  const neutral = (answer: Answer, own: readonly string[]): string => {
    let text = receivedBytes([answer]);
    own.forEach((word, index) => {
      if (one[index] !== two[index]) text = text.replaceAll(word, '?');
    });
    return text;
  };
  return neutral(answers[first], one) !== neutral(answers[second], two);
}

const LOCKS = `select l.mode || ' ' || coalesce(n.nspname || '.' || c.relname, l.locktype) as held
  from pg_locks l left join pg_class c on c.oid = l.relation left join pg_namespace n on n.oid = c.relnamespace
  where l.granted and l.pid <> pg_backend_pid() and l.database = (select oid from pg_database where datname = current_database())
  and (l.locktype = 'advisory' or (l.locktype = 'relation' and n.nspname !~ '^pg_' and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')))
  and l.mode <> 'AccessShareLock'`;

const MAY_LOCK: Readonly<Record<Attack['scope'], RegExp>> = {
  reader: /^$/,
  teller: /^Row(Exclusive|Share)Lock /,
  builder: / (scratch|public\.visits$)/,
  caller: /^RowExclusiveLock bank\.transfers/,
};

/** Locks beyond the scope, while the session is still open. */
export async function locksHeld(arena: Arena, attack: Attack): Promise<string[]> {
  const { rows } = await arena.observer.query<{ held: string }>(LOCKS);
  return rows.map(({ held }) => held).filter((held) => !MAY_LOCK[attack.scope].test(held));
}

export interface Found {
  /** What shows that it succeeded; empty: it did not. */
  readonly findings: readonly string[];
  /** Keys of the state that differ from the fresh copy: it has to be made anew. */
  readonly changed: readonly string[];
}

export interface Seen {
  readonly answers: readonly Answer[];
  readonly locks: readonly string[];
  /** The state before, set-up included. */
  readonly before: State;
  /** Keys that somebody else changed meanwhile. */
  readonly excused: ReadonlySet<string>;
}

async function checkPassed(arena: Arena, check: string): Promise<boolean> {
  try {
    const { rows } = await arena.observer.query<unknown[]>({ text: arena.fill(check), rowMode: 'array' });
    return rows[0]?.[0] === true;
  } catch {
    // What it asks for is not there: nothing was done.
    return false;
  }
}

const isAimedAtVictim = ({ steps }: Attack): boolean => JSON.stringify(steps).includes('{{victim}}');

export async function judge(
  arena: Arena,
  attack: Attack,
  { answers, locks, before, excused }: Seen,
): Promise<Found> {
  const received = receivedBytes(answers);
  const sent = sentTexts(attack.steps);
  const after = await arena.state();
  const beyond = changedKeys(before, after).filter(
    (key) => !excused.has(key) && !SCOPES[attack.scope].mayChange.test(key),
  );
  const findings = [
    ...canariesIn(received, sent).map((canary) => `received ${canary}`),
    ...(attack.received !== undefined && received.includes(attack.received)
      ? [`received ${attack.received.replace('\0', '')}`]
      : []),
    ...beyond.slice(0, 3).map((key) => `changed ${key}`),
    ...locks.map((lock) => `held ${lock}`),
    ...(attack.check !== undefined && (await checkPassed(arena, attack.check)) ? ['the check says so'] : []),
    ...(attack.differs !== undefined && answersDiffer(attack, answers) ? ['the answers differ'] : []),
    ...arena.world.places.folder.taken().map((name) => `made the file ${name}`),
    ...(arena.world.places.listener.taken() > 0 ? ['connected to the listener'] : []),
    ...arena.notified.splice(0).map(() => 'notified another session'),
    ...((await arena.victim.wasHurt(arena.observer, isAimedAtVictim(attack)))
      ? ['hurt another session']
      : []),
  ];
  return { findings, changed: after === arena.baseline ? [] : changedKeys(arena.baseline, after) };
}
