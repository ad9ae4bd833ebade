/**
 * The weekly form: `npm run test:faults -- [--minutes N] [--seed S]`. Power cuts, the fault schedule and the kill loop take turns until
 * the time is over. Prints the seed, what was done and every violation; ends with 1 when there was
 * one, and with 2 when there was no time for some part.
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
/** Most of each kind per round. A round takes some minutes; with less time left, each part takes a third of it. */
const ROUND = { powerLossMs: 60_000, faults: 60, kills: 40 } as const;
/** One fault of the schedule takes about a second, between its start and its checks. */
const MS_PER_FAULT = 1000;
const LEAST_FAULTS = 10;

function tell(part: string, partSeed: number, found: readonly string[]): void {
  for (const text of found) {
    violations.push(text);
    console.log(`VIOLATION (${part}, seed ${partSeed}): ${text}`);
  }
}

const leftMs = (): number => endsAt - performance.now();
const isOver = (): boolean => leftMs() <= 0;

console.log(`seed ${seed}`);
while (!isOver()) {
  const partSeed = random.between(0, 0x7fff_ffff);
  const forMs = Math.min(ROUND.powerLossMs, leftMs() / 3);
  // Each round has a run of its own, and as many of its states, chosen evenly, as there is time for.
  const power = await losePower({ seed: partSeed, forMs, states: Math.ceil(forMs / 250), nested: 20 });
  totals.powerCuts += power.states;
  totals.cutRecoveries += power.nested;
  tell('power', partSeed, power.violations);
  if (isOver()) break;
  const faults = Math.max(LEAST_FAULTS, Math.min(ROUND.faults, Math.floor(leftMs() / 2 / MS_PER_FAULT)));
  const schedule = await runSchedule({ seed: partSeed, faults });
  totals.faults += schedule.faults;
  totals.kills += schedule.kills;
  totals.statements += schedule.statements;
  totals.acknowledged += schedule.acknowledged;
  tell('schedule', partSeed, schedule.violations);
  if (isOver()) break;
  const minutes = leftMs() / 60_000;
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
const missing = Object.entries(totals).filter(([part, count]) => count === 0 && part !== 'rounds');
for (const [part] of missing) console.log(`Not done: ${part}. Give it more --minutes.`);
process.exitCode = violations.length > 0 ? 1 : missing.length > 0 ? 2 : 0;
