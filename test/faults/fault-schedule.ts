/**
 * The real gateway in front of a real PostgreSQL, under load, on a disk that fails at random: calls that fail, stop halfway or stall for
 * a while, mixed with kills. Afterwards everything the target did is held against the record, as in the kill loop.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  countFaults,
  FAULT_CALLS,
  writeFaultControl,
  type FaultControl,
} from '../../packages/gateway/src/record/journal/faulty-file-layer.ts';
import { compare } from '../kill/compare.ts';
import { Prng } from '../kill/prng.ts';
import { readRecordedCalls } from '../kill/recorded-calls.ts';
import { Target, TARGET_LOGIN, TARGET_PASSWORD } from '../kill/target.ts';
import { runClient } from '../kill/workload.ts';
import { GatewayFolder, GatewayProcess, type StartOptions } from '../support/gateway-process.ts';
import { readLeaves, verifyRecord } from '../support/record-view.ts';

export interface ScheduleOptions {
  readonly seed: number;
  /** Faults in a row. */
  readonly faults: number;
  readonly report?: (text: string) => void;
}

export interface ScheduleReport {
  readonly faults: number;
  /** Calls that the disk really failed. */
  readonly hits: number;
  readonly kills: number;
  readonly statements: number;
  readonly acknowledged: number;
  readonly gaps: number;
  readonly verdict: string;
  /** What should never be: effects without a record, findings other than gaps. */
  readonly violations: readonly string[];
}

const PLACES = [
  '.seg',
  '/journal/',
  '/log/',
  '/log/checkpoint',
  '/vault/blocks/',
  '/vault/keys/',
  '',
] as const;

function randomFault(random: Prng): FaultControl {
  const where = { path: random.pick(PLACES), skip: random.between(0, 5) };
  const calls = random.next() < 0.5 ? {} : { calls: [random.pick(FAULT_CALLS)] };
  if (random.next() < 0.25) return { ...where, ...calls, stall: true };
  const fail = random.pick(['EIO', 'ENOSPC', 'EROFS'] as const);
  return { ...where, ...calls, fail, ...(random.next() < 0.3 ? { short: true } : {}) };
}

interface Load {
  readonly acknowledged: string[];
  stop(): Promise<void>;
}

/** Clients that come back when their session is lost, until they are stopped. */
function startLoad(folder: GatewayFolder, port: number, random: Prng, label: string): Load {
  const acknowledged: string[] = [];
  const state = { isOver: false };
  const client = async (number: number): Promise<void> => {
    for (let life = 0; !state.isOver; life++) {
      const own = new Prng(random.between(0, 0xffff_ffff));
      // A marker has three numbers.
      const name = `${label}.${number * 100_000 + life}`;
      const run = await runClient(
        folder.endpoint(port),
        own,
        name,
        () => state.isOver,
        () => true,
      );
      acknowledged.push(...run.acknowledged);
      if (run.turns === 0) await sleep(20);
    }
  };
  const clients = Promise.all([0, 1, 2].map(client));
  return {
    acknowledged,
    stop: async () => {
      state.isOver = true;
      await clients;
    },
  };
}

export async function runSchedule(options: ScheduleOptions): Promise<ScheduleReport> {
  const random = new Prng(options.seed);
  const directory = mkdtempSync(join(tmpdir(), 'countersign-schedule-'));
  const controlFile = join(directory, 'control.json');
  const target = await Target.start();
  const folder = await GatewayFolder.create({
    target: {
      port: target.server.port,
      database: target.database,
      user: TARGET_LOGIN,
      password: TARGET_PASSWORD,
    },
    record: { segment: '1MiB', timeout: '300ms', checkpoint: '100ms' },
  });
  const start: StartOptions = {
    arguments: ['--unsafe-faults'],
    environment: { COUNTERSIGN_FAULTS: JSON.stringify({ loseUnsynced: true, controlFile }) },
  };
  const acknowledged: string[] = [];
  let kills = 0;
  let done = 0;
  let isSound = false;
  try {
    while (done < options.faults) {
      writeFaultControl(controlFile, undefined);
      const gateway = await GatewayProcess.start(folder, start);
      const load = startLoad(folder, gateway.port, random, `${kills}`);
      let isDead = false;
      do {
        await sleep(random.between(30, 150));
        const fault = randomFault(random);
        options.report?.(`life ${kills}: ${JSON.stringify(fault)}`);
        writeFaultControl(controlFile, fault);
        await sleep(random.between(10, 400));
        done++;
        isDead = random.next() < 0.2 || done >= options.faults;
        if (!isDead) writeFaultControl(controlFile, undefined);
        // The record may be one that stops for good: then the process has ended, and is started again like after a kill.
        isDead ||= gateway.child.exitCode !== null;
      } while (!isDead);
      await gateway.kill();
      kills++;
      await load.stop();
      acknowledged.push(...load.acknowledged);
    }
    writeFaultControl(controlFile, undefined);
    for (let end = 0; end < 3; end++) {
      await (await GatewayProcess.start(folder, start)).stop();
      if (readLeaves(folder.stateDirectory).at(-1)?.type === 'software.stopped') break;
    }
    const account = await target.account();
    const { calls } = readRecordedCalls(folder.stateDirectory, folder.custodianKey);
    const violations = compare({ target: account.log, rows: account.rows, acknowledged, calls });
    const { findings, verdict } = await verifyRecord(folder.stateDirectory);
    isSound = violations.length === 0 && verdict.startsWith('VERIFIED');
    return {
      faults: done,
      hits: countFaults(controlFile),
      kills,
      statements: account.log.statements.length,
      acknowledged: acknowledged.length,
      gaps: readLeaves(folder.stateDirectory).filter(({ type }) => type === 'gap.declared').length,
      verdict,
      violations: [
        ...violations.map(({ kind, detail }) => `${kind}: ${detail}`),
        ...findings.filter((each) => each.verdict !== 'VERIFIED-WITH-GAPS').map(({ code }) => code),
      ],
    };
  } finally {
    // What went wrong is there to be looked at.
    if (isSound) folder.remove();
    else console.log(`kept: ${folder.directory}`);
    await target.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
