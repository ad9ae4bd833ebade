/**
 * How long recovery takes when a crash finds many sessions open: makes a state with that many sessions, each with calls and one of
 * them unanswered, and starts on a copy of it in a process of its own.
 *
 * By hand: `node test/faults/many-sessions.ts [sessions]`.
 */

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestSession } from '../../packages/gateway/src/record/record-fixture.ts';
import { createKeys, Stage, type StageKeys } from './stage.ts';

const SESSIONS_AT_ONCE = 500;
const RECORD = { segmentBytes: 64 * 1024 * 1024, checkpointMs: 1_000_000, timeoutMs: 60_000 } as const;

export interface RecoveryFigures {
  readonly sessions: number;
  /** Bytes of the journal that the crash left. */
  readonly journalBytes: number;
  /** From the start of the process's work until commands are taken, ms. */
  readonly recoveryMs: number;
  /** Largest resident memory of the process that recovered, bytes. */
  readonly peakBytes: number;
  readonly verdict: string;
  readonly closed: number;
  readonly inDoubt: number;
}

/** Leaves a state as a crash would, with nothing of it in the log. */
async function crashWith(stage: Stage, sessions: number): Promise<Stage> {
  mkdirSync(stage.state);
  const recorder = await stage.open({ record: RECORD });
  for (let opened = 0; opened < sessions;) {
    for (let i = 0; i < SESSIONS_AT_ONCE && opened < sessions; i++, opened++) {
      const session = new TestSession(recorder);
      session.result(session.intent().id);
      session.intent();
    }
    await recorder.drained();
  }
  const crashed = new Stage(stage.keys);
  cpSync(stage.state, crashed.state, { recursive: true });
  await recorder.close('test');
  return crashed;
}

/** In the process that is measured. */
async function recover(folder: string): Promise<void> {
  const keys = JSON.parse(readFileSync(join(folder, 'keys.json'), 'utf8')) as StageKeys;
  const stage = new Stage(keys, folder);
  const before = performance.now();
  const recorder = await stage.open({ record: RECORD });
  const recoveryMs = performance.now() - before;
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  await recorder.close('test');
  process.stdout.write(JSON.stringify({ recoveryMs, peakBytes }));
}

export async function makeOnly(sessions: number): Promise<void> {
  const stage = new Stage(createKeys(), '/tmp/x5-ms-make');
  mkdirSync('/tmp/x5-ms-make', { recursive: true });
  const c = await crashWith(stage, sessions);
  writeFileSync(join(c.folder, 'keys.json'), JSON.stringify(c.keys));
  stage.remove();
  console.log(c.folder);
}
export async function measureRecovery(sessions: number): Promise<RecoveryFigures> {
  const stage = new Stage(createKeys());
  const crashed = await crashWith(stage, sessions);
  try {
    const journalBytes = sizeOf(join(crashed.state, 'journal/w0'));
    writeFileSync(join(crashed.folder, 'keys.json'), JSON.stringify(crashed.keys), { mode: 0o600 });
    const answer = execFileSync(process.execPath, [import.meta.filename, '--recover', crashed.folder], {
      encoding: 'utf8',
    });
    const report = await crashed.verify();
    return {
      sessions,
      journalBytes,
      ...(JSON.parse(answer) as Pick<RecoveryFigures, 'recoveryMs' | 'peakBytes'>),
      verdict: report.verdict,
      closed: report.counts.sessions - report.counts.openSessions,
      inDoubt: report.counts.inDoubt,
    };
  } finally {
    console.log(crashed.folder);
  }
}

function sizeOf(directory: string): number {
  return readdirSync(directory).reduce((bytes, name) => bytes + statSync(join(directory, name)).size, 0);
}

if (import.meta.main) {
  const [, , first = '100000', folder] = process.argv;
  if (first === '--recover') await recover(folder!);
  else if (first === '--make') await makeOnly(Number(folder));
  else console.log(JSON.stringify(await measureRecovery(Number(first))));
}
