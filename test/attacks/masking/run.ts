/**
 * Every attempt in both set-ups, and the whole table: `node test/attacks/masking/run.ts`.
 *
 *   --setup masking|without-masking   only this one
 *   --without-masking                 the same as --setup without-masking
 *   --only MASK-001                   only this attempt, told in full; may be given again
 *   --major 15                        the target's PostgreSQL; default 18
 *   --family sinks                    only this family; may be given again
 *   --slow                            each attempt that took long
 *   --leaks                           each attempt that got something, with what it got
 */
import { parseArgs } from 'node:util';
import { POSTGRES_MAJORS } from '../../support/postgres-server.ts';
import { ATTEMPTS, FAMILIES, unprovenIn } from './corpus/index.ts';
import { THROUGH_MASK } from './known.ts';
import { leakedIn, runLane, stopWorlds, type LaneResult, type Setup } from './lanes.ts';
import { tableOf } from './table.ts';
import type { Verdict } from './try-attempt.ts';

const { values } = parseArgs({
  options: {
    setup: { type: 'string', multiple: true },
    'without-masking': { type: 'boolean' },
    only: { type: 'string', multiple: true },
    major: { type: 'string' },
    family: { type: 'string', multiple: true },
    slow: { type: 'boolean' },
    leaks: { type: 'boolean' },
  },
});

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const SLOW_MS = 1000;

/** Ids of what was asked for; undefined: all. */
const only =
  values.family === undefined
    ? values.only
    : FAMILIES.filter(({ name }) => values.family?.includes(name)).flatMap(({ attempts }) =>
        attempts.map(({ id }) => id),
      );

/** What one attempt got, or why it got nothing. */
function tell(setup: Setup, verdict: Verdict): void {
  const { how, steps } = ATTEMPTS.find(({ id }) => id === verdict.id)!;
  print(`${setup} ${verdict.id} ${verdict.leaks.length > 0 ? 'LEAKED' : 'held'}: ${how}`);
  print(`  ${JSON.stringify(steps).slice(0, 400)}`);
  for (const leak of verdict.leaks.slice(0, 8)) print(`  ${leak}`);
  if (values.only === undefined && verdict.leaks.length > 0) return;
  for (const error of verdict.errors) print(`  ${error.slice(0, 400)}`);
}

/** Told at once: what was asked for, what should not have leaked, and what should have. */
function watch(setup: Setup, verdict: Verdict): void {
  const leaked = verdict.leaks.length > 0;
  const wanted =
    values.only !== undefined ||
    (setup === 'masking'
      ? leaked && values.leaks === true
      : unprovenIn(new Set(leaked ? [verdict.id] : []), new Set([verdict.id])).length > 0);
  if (wanted) tell(setup, verdict);
  if (values.slow === true && verdict.ms > SLOW_MS) print(`${verdict.id} ${verdict.ms.toFixed(0)} ms`);
}

async function main(): Promise<number> {
  const wanted: readonly Setup[] =
    values['without-masking'] === true ? ['without-masking'] : ['without-masking', 'masking'];
  const lanes = new Map<Setup, LaneResult>();
  let wrong = 0;
  for (const setup of wanted.filter((each) => values.setup?.includes(each) ?? true)) {
    const major = POSTGRES_MAJORS.find((each) => String(each) === values.major);
    const lane = await runLane(setup, {
      ...(major === undefined ? {} : { major }),
      ...(only === undefined ? {} : { only }),
      onVerdict: (verdict) => watch(setup, verdict),
    });
    lanes.set(setup, lane);
    for (const control of lane.wrongControls) print(`${setup}: ${control}`);
    wrong += lane.wrongControls.length;
  }
  const [masking, without] = [lanes.get('masking'), lanes.get('without-masking')];
  print(
    tableOf({ ...(masking === undefined ? {} : { masking }), ...(without === undefined ? {} : { without }) }),
  );
  const unknown =
    masking === undefined ? [] : leakedIn(masking).filter((id) => THROUGH_MASK[id] === undefined);
  if (masking !== undefined) print(`\nLeaked for no known reason: ${unknown.join(' ') || 'none'}`);
  wrong += unknown.length;
  print(
    `\n${[...lanes.values()].map(({ setup, seconds }) => `${setup} ${seconds.toFixed(0)} s`).join(', ')}`,
  );
  return wrong;
}

try {
  process.exitCode = (await main()) === 0 ? 0 : 1;
} finally {
  await stopWorlds();
}
