/**
 * Kills the gateway at random moments under load, starts it again on the same state, and afterwards holds everything
 * the target did against the record. `SIGKILL` alone would leave the page cache; the file layer under the journal
 * therefore keeps every write to itself until it is synced, so that a kill takes what a power cut would take.
 */

import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayFolder, GatewayProcess, spawnGateway } from '../support/gateway-process.ts';
import type { StartOptions } from '../support/gateway-process.ts';
import { readLeaves, verifyRecord } from '../support/record-view.ts';
import { compare } from './compare.ts';
import type { Violation } from './compare.ts';
import { Prng } from './prng.ts';
import { readRecordedCalls } from './recorded-calls.ts';
import { Target, TARGET_LOGIN, TARGET_PASSWORD } from './target.ts';
import { runClient } from './workload.ts';

/** `real` is the product; the other two are broken on purpose and exist to show that the loop would notice. */
export type Build = 'real' | 'forward-first' | 'no-sync';

const faults = (spec: object): NodeJS.ProcessEnv => ({ COUNTERSIGN_FAULTS: JSON.stringify(spec) });

const BUILDS: Readonly<Record<Build, StartOptions>> = {
  real: { arguments: ['--unsafe-faults'], environment: faults({ loseUnsynced: true }) },
  'forward-first': {
    program: join(import.meta.dirname, 'broken-forward-first.ts'),
  },
  'no-sync': {
    // The sync says yes at once; the bytes follow when they like. Recovery may notice by itself that the journal ends before the
    // log does and refuse to start; the loss is accepted then, so that the comparison below is what has to find it.
    arguments: ['--unsafe-faults', '--accept-loss'],
    environment: faults({ loseUnsynced: true, lazySyncMs: 30 }),
  },
};

export interface KillOptions {
  readonly build: Build;
  readonly seed: number;
  /** Ends after so many kills … */
  readonly kills: number;
  /** … or after so many minutes, whichever comes first. */
  readonly minutes?: number;
  readonly report?: (text: string) => void;
}

export interface KillReport {
  readonly kills: number;
  /** Kills that hit a gateway which was still recovering. */
  readonly killsAtStart: number;
  readonly statements: number;
  readonly effects: number;
  readonly rows: number;
  readonly acknowledged: number;
  readonly leaves: number;
  readonly intents: number;
  /** The verifier's word on the log after the last start, held against every checkpoint seen on the way. */
  readonly verdict: string;
  readonly findings: readonly string[];
  readonly violations: readonly Violation[];
}

interface Tally {
  kills: number;
  killsAtStart: number;
  readonly acknowledged: string[];
  /** Every checkpoint that a kill left behind: later logs must contain them all. */
  readonly checkpoints: Set<string>;
}

/** No client has got its first answer after so long: nothing is slow here, somebody waits for ever. */
const STANDSTILL_MS = 120_000;

async function standstill(): Promise<never> {
  await sleep(STANDSTILL_MS, undefined, { ref: false });
  throw new Error(`no client got an answer within ${STANDSTILL_MS / 1000} s`);
}

/** One life of the gateway under load, ended by SIGKILL. */
async function killUnderLoad(
  folder: GatewayFolder,
  options: StartOptions,
  random: Prng,
  tally: Tally,
): Promise<void> {
  const gateway = await GatewayProcess.start(folder, options);
  const endpoint = folder.endpoint(gateway.port);
  let isKilled = false;
  const killed = (): boolean => isKilled;
  const underWay = Promise.withResolvers<void>();
  const load = Promise.all(
    Array.from({ length: random.between(1, 5) }, (_, client) => {
      const own = new Prng(random.between(0, 0xffff_ffff));
      return runClient(endpoint, own, `${tally.kills}.${client}`, killed, killed, underWay.resolve);
    }),
  );
  try {
    // A client that finds something wrong is heard at once, not after the kill. Some kills fall into the opening of sessions.
    if (random.next() < 0.8) await Promise.race([underWay.promise, load, standstill()]);
    await Promise.race([sleep(random.between(40, 260)), load]);
  } finally {
    isKilled = true;
    await gateway.kill();
  }
  for (const run of await load) tally.acknowledged.push(...run.acknowledged);
}

/** Kills it while it starts: recovery itself must survive a crash at any point. */
async function killAtStart(folder: GatewayFolder, options: StartOptions, random: Prng): Promise<void> {
  const child = spawnGateway(folder, options);
  child.stderr?.resume();
  const exited = once(child, 'exit');
  await sleep(random.between(50, 450));
  child.kill('SIGKILL');
  await exited;
}

async function killRepeatedly(folder: GatewayFolder, options: KillOptions, tally: Tally): Promise<void> {
  const random = new Prng(options.seed);
  const build = BUILDS[options.build];
  const endsAt =
    options.minutes === undefined ? Number.POSITIVE_INFINITY : Date.now() + options.minutes * 60_000;
  while (tally.kills < options.kills && Date.now() < endsAt) {
    if (random.next() < 0.1) {
      await killAtStart(folder, build, random);
      tally.killsAtStart++;
    } else {
      await killUnderLoad(folder, build, random, tally);
    }
    tally.kills++;
    const checkpoint = join(folder.stateDirectory, 'log', 'checkpoint');
    if (existsSync(checkpoint)) tally.checkpoints.add(readFileSync(checkpoint, 'utf8'));
    if (tally.kills % 25 === 0) options.report?.(`${options.build}: ${tally.kills} kills`);
  }
}

/**
 * The last start recovers what the last kill left; a polite end brings all of it into the log, and `software.stopped` as the
 * last leaf says so. On a machine so busy that the record was degraded when the end came, the journal keeps the rest for
 * the next start: what a further start brings to light was never lost, and what was lost no start brings back.
 */
async function bringIntoLog(folder: GatewayFolder, options: StartOptions): Promise<void> {
  for (let start = 0; start < 3; start++) {
    const last = await GatewayProcess.start(folder, options);
    const code = await last.stop();
    if (code !== 0) throw new Error(`the last gateway ended with exit code ${code}`);
    if (readLeaves(folder.stateDirectory).at(-1)?.type === 'software.stopped') return;
  }
  throw new Error('the gateway never came to a complete end');
}

/** Runs the loop against a server and a state of its own and says what was found. */
export async function runKillLoop(options: KillOptions): Promise<KillReport> {
  const target = await Target.start();
  const folder = await GatewayFolder.create({
    target: {
      port: target.server.port,
      database: target.database,
      user: TARGET_LOGIN,
      password: TARGET_PASSWORD,
    },
    record: { segment: '1MiB', checkpoint: '100ms' },
  });
  try {
    const tally: Tally = { kills: 0, killsAtStart: 0, acknowledged: [], checkpoints: new Set() };
    await killRepeatedly(folder, options, tally);
    await bringIntoLog(folder, options.build === 'no-sync' ? { arguments: ['--accept-loss'] } : {});
    const account = await target.account();
    const record = readRecordedCalls(folder.stateDirectory, folder.custodianKey);
    const violations = compare({
      target: account.log,
      rows: account.rows,
      acknowledged: tally.acknowledged,
      calls: record.calls,
    });
    const verified = await verifyRecord(folder.stateDirectory, [...tally.checkpoints]);
    return {
      kills: tally.kills,
      killsAtStart: tally.killsAtStart,
      statements: account.log.statements.length,
      effects: account.log.effects.length,
      rows: account.rows.length,
      acknowledged: tally.acknowledged.length,
      leaves: record.leaves,
      intents: record.calls.length,
      verdict: verified.verdict,
      findings: verified.findings.map((finding) => `${finding.code}: ${finding.message}`),
      violations,
    };
  } finally {
    folder.remove();
    await target.stop();
  }
}
