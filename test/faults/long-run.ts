/**
 * The weekly form: `npm run test:faults -- [--minutes N] [--seed S]`. Power cuts, the fault schedule and the kill loop take turns until
 * the time is over. Prints the seed, what was done and every violation; ends with 1 when there was one.
 */

import { parseArgs } from 'node:util';
import { runKillLoop } from '../kill/kill-loop.ts';
import { Prng } from '../kill/prng.ts';
import { runSchedule } from './fault-schedule.ts';
import { losePower } from './power-loss.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, seed: { type: 'string' } },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 0x7fff_ffff));
const endsAt = performance.now() + Number(values.minutes) * 60_000;
const random = new Prng(seed);
const violations: string[] = [];
const totals = {
  rounds: 0,
  powerCuts: 0,
  cutRecoveries: 0,
  faults: 0,
  kills: 0,
  statements: 0,
  acknowledged: 0,
};
/** Of each kind, per round; a round takes some minutes, and the last one is cut short between its parts. */
const ROUND = { powerLossMs: 60_000, faults: 60, kills: 40 } as const;

function tell(part: string, partSeed: number, found: readonly string[]): void {
  for (const text of found) {
    violations.push(text);
    console.log(`VIOLATION (${part}, seed ${partSeed}): ${text}`);
  }
}

const isOver = (): boolean => performance.now() >= endsAt;

console.log(`seed ${seed}`);
while (!isOver()) {
  const partSeed = random.between(0, 0x7fff_ffff);
  const forMs = Math.min(ROUND.powerLossMs, endsAt - performance.now());
  // Each round has a run of its own, and as many of its states, chosen evenly, as there is time for.
  const power = await losePower({ seed: partSeed, forMs, states: Math.ceil(forMs / 250), nested: 20 });
  totals.powerCuts += power.states;
  totals.cutRecoveries += power.nested;
  tell('power', partSeed, power.violations);
  if (isOver()) break;
  const schedule = await runSchedule({ seed: partSeed, faults: ROUND.faults });
  totals.faults += schedule.faults;
  totals.kills += schedule.kills;
  totals.statements += schedule.statements;
  totals.acknowledged += schedule.acknowledged;
  tell('schedule', partSeed, schedule.violations);
  if (isOver()) break;
  const minutes = (endsAt - performance.now()) / 60_000;
  const kill = await runKillLoop({ build: 'real', seed: partSeed, kills: ROUND.kills, minutes });
  totals.kills += kill.kills;
  totals.statements += kill.statements;
  totals.acknowledged += kill.acknowledged;
  tell(
    'kill',
    partSeed,
    kill.violations.map(({ kind, detail }) => `${kind}: ${detail}`),
  );
  if (!kill.verdict.startsWith('VERIFIED'))
    tell('kill', partSeed, [kill.verdict, ...kill.findings.slice(0, 5)]);
  totals.rounds++;
  console.log(JSON.stringify({ ...totals, violations: violations.length }));
}
console.log(JSON.stringify({ seed, ...totals, violations: violations.length }));
process.exitCode = violations.length === 0 ? 0 : 1;
