/** The set-ups in which every attempt is played, each on a server of its own. */
import type { PostgresMajor } from '../../support/postgres-server.ts';
import { CONTROLS, tryControl } from './controls.ts';
import { ATTEMPTS } from './corpus/index.ts';
import { ANYBODY, Door, type Attacker } from './door.ts';
import { nameOf, tryAttempt, type Verdict } from './try-attempt.ts';
import { World } from './world.ts';

/** Through the gateway: with the `masking` section, or without it. */
export type Setup = 'masking' | 'without-masking';

export interface LaneResult {
  readonly setup: Setup;
  /** By id. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** Statements that must pass, and what was wrong. */
  readonly wrongControls: readonly string[];
  readonly seconds: number;
}

export interface LaneOptions {
  readonly major?: PostgresMajor;
  /** Ids. Default: all. */
  readonly only?: readonly string[];
  readonly onVerdict?: (verdict: Verdict) => void;
}

const attackers = (): readonly Attacker[] => {
  const words = new Map<string, Attacker['words']>([[ANYBODY, {}]]);
  for (const attempt of ATTEMPTS) words.set(nameOf(attempt), attempt.grant ?? {});
  return Array.from(words, ([name, each]) => ({ name, words: each }));
};

/** Servers that still run; a test file stops them when it ends. */
const running = new Set<World>();

export async function stopWorlds(): Promise<void> {
  for (const world of running) await world.stop();
  running.clear();
}

export async function runLane(
  setup: Setup,
  { major = 18, only, onVerdict }: LaneOptions = {},
): Promise<LaneResult> {
  const started = performance.now();
  const world = await World.start(major);
  running.add(world);
  const door = await Door.open(world, setup === 'masking', attackers());
  const verdicts = new Map<string, Verdict>();
  const wrongControls: string[] = [];
  try {
    for (const control of CONTROLS) wrongControls.push(...(await tryControl(door, control)));
    for (const attempt of ATTEMPTS) {
      if (only !== undefined && !only.includes(attempt.id)) continue;
      if ((attempt.since ?? 0) > major) continue;
      const verdict = await tryAttempt(door, attempt);
      verdicts.set(attempt.id, verdict);
      onVerdict?.(verdict);
    }
  } finally {
    await door.close();
    running.delete(world);
    await world.stop();
  }
  return { setup, verdicts, wrongControls, seconds: (performance.now() - started) / 1000 };
}

/** Ids of attempts that got something. */
export function leakedIn({ verdicts }: LaneResult): readonly string[] {
  return ATTEMPTS.filter(({ id }) => (verdicts.get(id)?.leaks.length ?? 0) > 0).map(({ id }) => id);
}
