/** Puts one fault under a running record and observes what becomes of it. `fault-table.ts` says what it must be. */

import { appendFileSync, mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isCountersignError, type ErrorCode } from '../../packages/gateway/src/errors.ts';
import {
  countFaults,
  writeFaultControl,
  type FaultCall,
  type FaultControl,
} from '../../packages/gateway/src/record/journal/faulty-file-layer.ts';
import type { OpenedRecorder } from '../../packages/gateway/src/record/open-recorder.ts';
import { TestSession, until } from '../../packages/gateway/src/record/record-fixture.ts';
import { createKeys, Stage } from './stage.ts';

export const KINDS = ['EIO', 'ENOSPC', 'EROFS', 'short', 'stalled', 'lying'] as const;
export type Kind = (typeof KINDS)[number];

/** Part of the paths that a fault is put under, by the name of the place. */
export const PLACES = {
  'journal segment': '.seg',
  'journal directory': '/journal/w0',
  tiles: '/log/tile/',
  checkpoint: '/log/checkpoint',
  'log directory': '/log',
  'vault blocks': '/vault/blocks/',
  'data keys': '/vault/keys/',
  'spooled value': '/vault/spool/',
  "gateway's vault key": '/vault/gateway-',
  'state directory': '/state',
} as const;
export type Place = keyof typeof PLACES;

/** What has to happen for the fault to be met: a commit, a new segment, work of the integrator, a large value, a start. */
export type Moment = 'commit' | 'new segment' | 'integration' | 'large value' | 'start';

export interface Fault {
  readonly place: Place;
  readonly call: FaultCall;
  readonly kind: Kind;
  readonly moment: Moment;
}

/** What was seen. */
export interface Outcome {
  /** What the caller of the next command saw: `accepted`, or the code of the refusal. At a start: of the start. */
  readonly caller: 'accepted' | ErrorCode;
  /** Whether `/ready` says yes meanwhile. */
  readonly ready: boolean;
  /** The process must stop. */
  readonly fatal: boolean;
  /** What a start after that said, when it was fatal. */
  readonly restart?: 'started' | ErrorCode;
  readonly verdict: string;
  /** Causes of the gaps that were declared, each once. */
  readonly gaps: readonly string[];
  /** Findings that are not gaps. */
  readonly findings: readonly string[];
}

function controlOf(fault: Fault): FaultControl {
  const { call, kind, place } = fault;
  const common = { calls: [call], path: PLACES[place] };
  if (kind === 'stalled') return { ...common, stall: true };
  if (kind === 'lying') return { ...common, lie: true };
  if (kind === 'short') return { ...common, fail: 'EIO', short: true };
  return { ...common, fail: kind };
}

function codeOf(error: unknown): ErrorCode {
  if (!isCountersignError(error)) throw error;
  return error.code;
}

/** A bound for what must not depend on the speed of the machine: so many tries, each of them short. */
const TRIES = 400;
const PAUSE_MS = 5;

interface Running {
  readonly stage: Stage;
  readonly recorder: OpenedRecorder;
  readonly session: TestSession;
  readonly fault: Fault;
}

/** Meets the fault: acts until it shows itself, and says what the next command sees. */
async function meet({ fault, recorder, session, stage }: Running): Promise<Outcome['caller']> {
  const text = 'x'.repeat(fault.moment === 'commit' ? 10 : 900);
  const before = countFaults(stage.controlFile);
  const isMet = (): boolean => countFaults(stage.controlFile) > before;
  if (fault.moment === 'large value') {
    try {
      const spool = await Promise.race([spoolValue(recorder), sleep(500).then(() => 'waits' as const)]);
      if (spool === 'waits') return 'accepted';
    } catch (error) {
      return codeOf(error);
    }
    return 'accepted';
  }
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      const intent = session.intent(text);
      await intent.durable();
      session.result(intent.id);
    } catch (error) {
      return codeOf(error);
    }
    // The integrator prepares a segment in advance, and meets the fault of an allocation first.
    const isOver =
      fault.moment === 'integration' ? isMet() && !recorder.health().ready : isMet() && attempt > 60;
    if (fault.moment === 'commit' || isOver) break;
    // A lie or a stall of the integrator shows no sign of itself; traffic goes on for a while.
    const isSilent = fault.kind === 'stalled' || (fault.kind === 'lying' && isMet());
    if (fault.moment === 'integration' && attempt > 60 && isSilent) break;
    if (fault.moment === 'integration') await sleep(PAUSE_MS);
  }
  if (fault.kind !== 'stalled' && !isMet()) throw new Error('the fault was never met');
  return 'accepted';
}

async function spoolValue(recorder: OpenedRecorder): Promise<void> {
  const spool = await recorder.openSpool();
  await spool.write(Buffer.alloc(1_200_000));
  await spool.finish();
  await spool.abort();
}

/** Tries until the record takes commands again. */
async function runAgain(recorder: OpenedRecorder, session: TestSession): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    await until(() => recorder.health().ready || recorder.health().isFatal === true);
    try {
      const intent = session.intent();
      await intent.durable();
      session.result(intent.id);
      return;
    } catch (error) {
      codeOf(error);
    }
  }
  throw new Error('the record did not recover');
}

async function finish(stage: Stage, seen: Pick<Outcome, 'caller' | 'ready' | 'fatal'>): Promise<Outcome> {
  const more: { restart?: 'started' | ErrorCode } = {};
  if (seen.fatal) {
    try {
      await (await stage.open()).close('test');
      more.restart = 'started';
    } catch (error) {
      more.restart = codeOf(error);
      await (await stage.open({ acceptLoss: true })).close('test');
    }
  }
  const { findings, gaps, verdict } = await stage.verify();
  const others = findings.filter((finding) => finding.verdict !== 'VERIFIED-WITH-GAPS');
  return {
    ...seen,
    ...more,
    verdict,
    gaps: [...new Set(gaps.map(({ cause }) => cause))].toSorted(),
    findings: [...new Set(others.map(({ code }) => code))].toSorted(),
  };
}

/** Runs one row from a healthy start to a verified record. */
export async function runFault(fault: Fault): Promise<Outcome> {
  const stage = new Stage(createKeys());
  try {
    mkdirSync(stage.state);
    writeFaultControl(stage.controlFile, undefined);
    appendFileSync(`${stage.controlFile}.hits`, '');
    return fault.moment === 'start' ? await failToStart(stage, fault) : await failWhileRunning(stage, fault);
  } finally {
    stage.remove();
  }
}

async function failToStart(stage: Stage, fault: Fault): Promise<Outcome> {
  writeFaultControl(stage.controlFile, controlOf(fault));
  let caller: Outcome['caller'] = 'accepted';
  try {
    const recorder = await stage.open({ faults: { controlFile: stage.controlFile } });
    await recorder.close('test');
  } catch (error) {
    caller = isCountersignError(error) ? error.code : 'CS_INTERNAL';
  }
  writeFaultControl(stage.controlFile, undefined);
  await (await stage.open()).close('test');
  return finish(stage, { caller, ready: caller === 'accepted', fatal: false });
}

async function failWhileRunning(stage: Stage, fault: Fault): Promise<Outcome> {
  const timeoutMs = fault.kind === 'stalled' ? 150 : 2000;
  const recorder = await stage.open({ faults: { controlFile: stage.controlFile }, record: { timeoutMs } });
  const session = new TestSession(recorder);
  await session.run();
  const running = session.intent();
  await running.durable();
  await recorder.drained();
  await until(() => recorder.health().integratedJseq >= recorder.health().durableJseq);
  writeFaultControl(stage.controlFile, controlOf(fault));
  const caller = await meet({ fault, recorder, session, stage });
  // What ran before the fault still reports its outcome, whatever the disk does.
  session.result(running.id);
  if (fault.kind === 'lying' && fault.moment !== 'large value') await waitForNotice(recorder);
  const { isFatal = false, ready } = recorder.health();
  writeFaultControl(stage.controlFile, undefined);
  if (!isFatal) {
    await runAgain(recorder, session);
    session.close();
    await recorder.drained();
  }
  await recorder.close('test');
  return finish(stage, { caller, ready, fatal: isFatal });
}

/** A lie is noticed by the integrator, which reads back what was acknowledged, or not while the record runs. */
async function waitForNotice(recorder: OpenedRecorder): Promise<void> {
  for (let i = 0; i < 60 && recorder.health().isFatal !== true; i++) await sleep(PAUSE_MS);
}
