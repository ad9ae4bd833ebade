/** One attempt, played against both databases, from its set-up to the verdict. */
import { errorFields } from '../../support/raw-session.ts';
import type { Attempt } from './attempt.ts';
import { canariesOf, canaryOf, COLUMNS_WITH_CANARIES, type Side } from './canaries.ts';
import { CanaryFinder, type Received } from './find-canaries.ts';
import { differencesOf, piecesOf } from './game.ts';
import { Hung, playAttempt, type Answer } from './play.ts';
import { ANYBODY, type Door } from './door.ts';
import { databaseOf, SIDES } from './world.ts';

export interface Verdict {
  readonly id: string;
  /** Values or bits that came through: empty is what masking is for. */
  readonly leaks: readonly string[];
  /** Whether any was seen as such, not only told apart. */
  readonly seen: boolean;
  /** SQLSTATE and message of every error that was met, of the first side. */
  readonly errors: readonly string[];
  /** The gateway said no to at least one of its requests. */
  readonly refused: boolean;
  /** Bytes that were looked at, both sides. */
  readonly bytes: number;
  readonly ms: number;
}

const FINDERS: Readonly<Record<Side, CanaryFinder>> = {
  a: new CanaryFinder(canariesOf('a')),
  b: new CanaryFinder(canariesOf('b')),
};

const GUESS = new RegExp(`\\{\\{(${COLUMNS_WITH_CANARIES.join('|')})(\\d+)(?::(\\d+))?\\}\\}`, 'gu');

/** What the attacker guesses is the same whatever the database holds: the values of the first. */
export function fillIn(text: string, side: Side): string {
  return text
    .replaceAll('{{database}}', databaseOf(side))
    .replaceAll(GUESS, (_, column: string, row: string, length: string | undefined) => {
      const value = canaryOf('a', column, Number(row)).literal;
      return length === undefined ? value : value.slice(0, Number(length));
    });
}

/** One query that leaves nothing behind needs no session of its own. */
function sharesSession(attempt: Attempt): boolean {
  const { steps, once, setup } = attempt;
  const isOne = steps.length === 1 && typeof steps[0] === 'string';
  return isOne && once !== true && setup === undefined && nameOf(attempt) === ANYBODY;
}

interface Played {
  readonly answers: readonly Answer[];
  readonly received: Buffer;
  readonly hung: boolean;
}

async function playOn(door: Door, attempt: Attempt, name: string, side: Side): Promise<Played> {
  const { world } = door;
  if (attempt.setup !== undefined) {
    await world.outside(side, attempt.setup);
    await door.look();
  }
  const isShared = sharesSession(attempt);
  const { session, chunks } = isShared ? await door.shared(name, side) : await door.connect(name, side);
  const from = chunks.length;
  let answers: readonly Answer[] = [];
  let hung = false;
  try {
    answers = await playAttempt(session, attempt, {
      fill: (text) => fillIn(text, side),
      oidOf: (routine) => world.oidOf(side, routine),
      outside: async (sql) => {
        await world.outside(side, sql);
        await door.look();
      },
      grant: (words) => door.regrant(name, words),
    });
  } catch (error) {
    if (!(error instanceof Hung)) throw error;
    hung = true;
  } finally {
    if (!isShared || hung || answers.at(-1)?.lost === true) await door.end(session);
  }
  return { answers, received: Buffer.concat(chunks.slice(from)), hung };
}

const errorsOf = (answers: readonly Answer[]): readonly string[] =>
  answers.flatMap(({ step, way, messages }) =>
    messages
      .filter(({ type }) => type === 'E')
      .map((message) => {
        const fields = errorFields(message);
        return `step ${step} ${way}: ${fields.get('C')} ${fields.get('M')} ${fields.get('D') ?? ''}`;
      }),
  );

export async function tryAttempt(door: Door, attempt: Attempt): Promise<Verdict> {
  const started = performance.now();
  const name = nameOf(attempt);
  const leaks: string[] = [];
  const played: Partial<Record<Side, Played>> = {};
  let bytes = 0;
  const received: Partial<Record<Side, Received>> = {};
  for (const side of SIDES) {
    const regrants = attempt.steps.some((step) => typeof step !== 'string' && step.kind === 'grant');
    if (regrants) await door.regrant(name, attempt.grant ?? {});
    const { answers, received: raw, hung } = await playOn(door, attempt, name, side);
    played[side] = { answers, received: raw, hung };
    if (hung) leaks.push(`${side}: hung`);
    const judged = answers.filter(({ step }) => attempt.granted?.includes(step) !== true);
    if (attempt.corrupts !== undefined && (await door.world.holds(side, attempt.corrupts)))
      leaks.push(`${side}: what was masked was written`);
    received[side] = {
      pieces: piecesOf(judged, attempt.residue === true),
      raw: attempt.granted === undefined && attempt.residue !== true ? raw : undefined,
    };
    bytes += raw.length;
  }
  for (const side of SIDES) {
    for (const { column, what } of FINDERS[side].findNews(
      received[side]!,
      received[side === 'a' ? 'b' : 'a']!,
    ))
      leaks.push(`${side}: ${column} (${JSON.stringify(what)})`);
  }
  const seen = leaks.length > 0;
  const options = { residue: attempt.residue === true, granted: attempt.granted ?? [] };
  leaks.push(...differencesOf(played.a!.answers, played.b!.answers, options));
  if (await door.world.isChanged()) await door.restore();
  const errors = errorsOf(played.a!.answers);
  return {
    id: attempt.id,
    leaks,
    seen,
    errors,
    refused: errors.some((error) => /: 42501 countersign/u.test(error)),
    bytes,
    ms: performance.now() - started,
  };
}

/** Attempts whose grant says something have a grant, and a budget, of their own. */
export function nameOf({ id, grant, steps }: Attempt): string {
  const own = grant !== undefined || steps.some((step) => typeof step !== 'string' && step.kind === 'grant');
  return own ? id.toLowerCase().replace('mask-', 'own') : ANYBODY;
}
