/**
 * The power is cut at every sync point. One run of the record is traced; then each moment of it is taken as the last one, what a
 * disk could hold at that moment is laid out (`simulated-disk.ts`), and the record is started again on it. Some of those
 * recoveries are traced and cut as well.
 *
 * What must hold, wherever the cut came: the start succeeds without accepting any loss; every leaf that was acknowledged is in the
 * log, as it was; the log continues every checkpoint that anybody could have seen; nothing is found but what a crash explains; the
 * contents of every leaf are in the vault; another start finds nothing more to repair.
 *
 * By hand: `node test/faults/power-loss.ts [--seed N] [--minutes N]`, or, with what a failure printed, `--replay FOLDER --at N --cut KIND --seed N`.
 */

import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeFaultControl } from '../../packages/gateway/src/record/journal/faulty-file-layer.ts';
import { TraceWriter, type TraceLine } from '../../packages/gateway/src/record/journal/traced-file-layer.ts';
import type { OpenedRecorder } from '../../packages/gateway/src/record/open-recorder.ts';
import { TestSession, until } from '../../packages/gateway/src/record/record-fixture.ts';
import type { Recorder } from '../../packages/gateway/src/record/recorder.ts';
import { Prng } from '../kill/prng.ts';
import {
  CUTS,
  readState,
  readTrace,
  SimulatedDisk,
  writeState,
  type Cut,
  type DiskState,
} from './simulated-disk.ts';
import { createKeys, SCRATCH, Stage, type StageKeys } from './stage.ts';

/** What the author of a leaf was told: it is on disk. */
interface Acknowledged {
  readonly jseq: number;
  readonly id: string;
}

/** Everything that others know at a moment, and that no crash may take back. */
interface Known {
  readonly acknowledged: Acknowledged[];
  /** Texts of checkpoints that were visible, synced or not. */
  readonly checkpoints: Set<string>;
}

export interface TracedRun {
  readonly keys: StageKeys;
  readonly lines: readonly TraceLine[];
  /** State directory that the trace speaks of. */
  readonly root: string;
  readonly present: DiskState;
  readonly known: Known;
}

/** Remembers in the trace what was acknowledged, at the moment that it was. */
function noting(recorder: Recorder, trace: TraceWriter): Recorder {
  const append: Recorder['append'] = (...args) => {
    const leaf = recorder.append(...args);
    leaf.onDurable((error) => {
      if (error === undefined) trace.note({ jseq: leaf.jseq, id: leaf.id } satisfies Acknowledged);
    });
    return leaf;
  };
  return new Proxy(recorder, {
    get(target, property) {
      if (property === 'append') return append;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Of some of the contents; the rest lies under the record's own. */
const OTHER_CLASS = 'ledger';

async function spoolValue(recorder: Recorder, session: TestSession, retentionClass?: string): Promise<void> {
  const spool = await recorder.openSpool(retentionClass);
  await spool.write(Buffer.alloc(3000, 7));
  const commitment = await spool.finish();
  const intent = session.intentWith({ message: commitment.digest }, [{ field: 'message', commitment }]);
  await intent.durable();
  await spool.abort();
  session.result(intent.id);
}

/** One life of the record: sessions, values that are spooled, segments that rotate, a disk that fails for a while. */
async function live(recorder: Recorder, stage: Stage, random: Prng): Promise<void> {
  const ledger = new TestSession(recorder, OTHER_CLASS);
  const sessions = [new TestSession(recorder), ledger];
  const left = new TestSession(recorder);
  for (let turn = 0; turn < 10; turn++) {
    const session = random.pick(sessions);
    const text = 'x'.repeat(random.between(1, 900));
    if (random.next() < 0.6) await session.run(text);
    else session.result(session.intent(text).id);
    if (turn === 3) await spoolValue(recorder, session, session === ledger ? OTHER_CLASS : undefined);
    // Both classes in one group commit.
    if (turn === 5) for (const each of sessions) each.result(each.intent(text).id);
    if (turn === 6) {
      // Never answered: every later cut finds it open.
      await left.intent(text).durable();
      const failed = session.intent(text);
      writeFaultControl(stage.controlFile, { fail: 'EIO', path: '.seg' });
      await failed.durable().catch(() => undefined);
      writeFaultControl(stage.controlFile, undefined);
      await until(() => recorder.health().ready);
      await session.run(text);
    }
  }
  sessions[0]!.close();
}

/** Runs the record twice on the same state and traces both lives. */
export async function traceRun(seed: number): Promise<TracedRun> {
  const random = new Prng(seed);
  const keys = createKeys();
  const stage = new Stage(keys);
  mkdirSync(stage.state);
  const faults = { traceFile: stage.traceFile, controlFile: stage.controlFile };
  const trace = new TraceWriter(stage.traceFile);
  writeFaultControl(stage.controlFile, undefined);
  for (let life = 0; life < 2; life++) {
    const opened = await stage.open({ faults });
    const recorder = noting(opened, trace);
    await live(recorder, stage, random);
    await opened.drained();
    await until(() => opened.health().integratedJseq >= opened.health().durableJseq);
    await opened.close('test');
  }
  const run: TracedRun = {
    keys,
    lines: readTrace(stage.traceFile),
    root: stage.state,
    present: new Map(),
    known: { acknowledged: [], checkpoints: new Set() },
  };
  stage.remove();
  return run;
}

/** A moment of a traced run: the calls before `at` were made. */
export interface Moment {
  readonly at: number;
  readonly cut: Cut;
  readonly seed: number;
}

/** Follows a run call by call. */
class Playback {
  readonly run: TracedRun;
  readonly disk: SimulatedDisk;
  readonly known: Known;
  at = 0;

  constructor(run: TracedRun) {
    this.run = run;
    this.disk = new SimulatedDisk(run.root, run.present);
    const { acknowledged, checkpoints } = run.known;
    this.known = { acknowledged: [...acknowledged], checkpoints: new Set(checkpoints) };
  }

  to(at: number): void {
    for (; this.at < at; this.at++) {
      const line = this.run.lines[this.at]!;
      this.disk.apply(line);
      if (line.op === 'note') this.known.acknowledged.push(line.note as Acknowledged);
      if (line.op === 'rename' && line.to === join(this.run.root, 'log', 'checkpoint'))
        this.known.checkpoints.add(this.disk.visible('log/checkpoint')!.toString('utf8'));
    }
  }
}

/** Indexes before and after each sync, and after each rename and removal: in between nothing becomes durable. */
export function syncPoints(run: TracedRun): number[] {
  const points = new Set<number>([0, run.lines.length]);
  for (const [i, { op }] of run.lines.entries()) {
    if (op === 'sync' || op === 'syncDirectory') points.add(i).add(i + 1);
    else if (op === 'rename' || op === 'remove') points.add(i + 1);
  }
  return [...points].toSorted((a, b) => a - b);
}

/** What is wrong after a start on `state`; empty when everything holds. */
async function check(keys: StageKeys, state: DiskState, known: Known, isThorough = true): Promise<string[]> {
  const stage = new Stage(keys);
  try {
    writeState(state, stage.state);
    const wrong: string[] = [];
    let opened: OpenedRecorder;
    try {
      opened = await stage.open();
    } catch (error) {
      return [`the start is refused: ${String(error)} ${String((error as { detail?: string }).detail)}`];
    }
    await opened.close('test');
    wrong.push(...(await checkLog(stage, known)));
    if (!isThorough) return wrong;
    const before = await stage.leaves();
    const again = await stage.open();
    await again.close('test');
    const more = (await stage.leaves()).slice(before.length).map(({ type }) => type);
    const repaired = more.filter(
      (type) => !['software.started', 'software.stopped', 'key.created'].includes(type),
    );
    if (repaired.length > 0) wrong.push(`a second start repaired again: ${repaired.join(' ')}`);
    return wrong;
  } finally {
    stage.remove();
  }
}

async function checkLog(stage: Stage, known: Known): Promise<string[]> {
  const wrong: string[] = [];
  const report = await stage.verify([...known.checkpoints]);
  for (const { code, message, verdict } of report.findings) {
    if (verdict !== 'VERIFIED-WITH-GAPS') wrong.push(`${verdict} ${code}: ${message}`);
  }
  const leaves = new Map((await stage.leaves()).map((leaf) => [leaf.jseq, leaf]));
  for (const { jseq, id } of known.acknowledged) {
    const leaf = leaves.get(jseq);
    if (leaf === undefined) wrong.push(`leaf ${jseq} was acknowledged and is lost`);
    else if ((leaf['id'] ?? leaf['call']) !== id)
      wrong.push(`leaf ${jseq} is another one than was acknowledged`);
  }
  return wrong;
}

/** A recovery that is itself traced, to be cut. */
async function traceRecovery(keys: StageKeys, present: DiskState, known: Known): Promise<TracedRun> {
  const stage = new Stage(keys);
  try {
    writeState(present, stage.state);
    const opened = await stage.open({ faults: { traceFile: stage.traceFile } });
    await opened.close('test');
    return {
      keys,
      present: readStateOf(present),
      known,
      lines: readTrace(stage.traceFile),
      root: stage.state,
    };
  } finally {
    stage.remove();
  }
}

function readStateOf(state: DiskState): DiskState {
  return new Map([...state].map(([path, bytes]) => [path, Buffer.from(bytes)]));
}

export interface PowerLossOptions {
  readonly seed: number;
  /** Most states that are tried; they are chosen evenly among all sync points. Default: all, each with every kind of cut. */
  readonly states?: number;
  /** Ends before the next state once so much time is over, ms. */
  readonly forMs?: number;
  /** Of the recoveries, so many in a hundred are cut again. Default 10. */
  readonly nested?: number;
  /** A disk that lies: these calls said that they were done, and did nothing. */
  readonly lies?: (line: TraceLine, path: string) => boolean;
  /** Kinds of cuts. Default all. */
  readonly cuts?: readonly Cut[];
  /** Ends after so many violations. Default 5. */
  readonly most?: number;
  readonly report?: (text: string) => void;
}

export interface PowerLossReport {
  readonly calls: number;
  readonly points: number;
  readonly states: number;
  readonly nested: number;
  readonly acknowledged: number;
  /** Each with the command that shows it again. */
  readonly violations: readonly string[];
}

/** Keeps what a failure needs to be seen again, and says how. */
function keep(run: TracedRun, moment: Moment): string {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-power-loss-'));
  writeFileSync(join(folder, 'keys.json'), JSON.stringify({ keys: run.keys, root: run.root }), {
    mode: 0o600,
  });
  writeFileSync(join(folder, 'trace.jsonl'), run.lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  writeFileSync(
    join(folder, 'known.json'),
    JSON.stringify({ acknowledged: run.known.acknowledged, checkpoints: [...run.known.checkpoints] }),
  );
  writeState(run.present, join(folder, 'present'));
  return `node test/faults/power-loss.ts --replay ${folder} --at ${moment.at} --cut ${moment.cut} --seed ${moment.seed}`;
}

function load(folder: string): TracedRun {
  const { keys, root } = JSON.parse(readFileSync(join(folder, 'keys.json'), 'utf8')) as {
    keys: StageKeys;
    root: string;
  };
  const known = JSON.parse(readFileSync(join(folder, 'known.json'), 'utf8')) as {
    acknowledged: Acknowledged[];
    checkpoints: string[];
  };
  return {
    keys,
    root,
    lines: readTrace(join(folder, 'trace.jsonl')),
    present: readState(join(folder, 'present')),
    known: { acknowledged: known.acknowledged, checkpoints: new Set(known.checkpoints) },
  };
}

/** The first moment, in the order of the run, at which the same kind of cut is wrong: the shortest run that shows it. */
async function shrink(run: TracedRun, moment: Moment): Promise<Moment> {
  const points = syncPoints(run).filter((at) => at < moment.at);
  let [low, high] = [0, points.length];
  let found = moment;
  while (low < high) {
    const middle = (low + high) >> 1;
    const candidate = { ...moment, at: points[middle]! };
    const playback = new Playback(run);
    playback.to(candidate.at);
    const state = playback.disk.after(candidate.cut, new Prng(candidate.seed));
    if ((await check(run.keys, state, playback.known)).length > 0) {
      found = candidate;
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return found;
}

/** The trace without what the disk only pretended to do. */
function lied(lines: readonly TraceLine[], lies: NonNullable<PowerLossOptions['lies']>): TraceLine[] {
  const paths = new Map<string, string>();
  return lines.filter((line) => {
    if (line.op === 'open') paths.set(line.file, line.path);
    const path = 'file' in line ? (paths.get(line.file) ?? '') : 'path' in line ? line.path : '';
    return !lies(line, path);
  });
}

/** Cuts one run at many moments. */
export async function losePower(options: PowerLossOptions): Promise<PowerLossReport> {
  const { seed, cuts = CUTS, forMs = Number.POSITIVE_INFINITY, most = 5, nested = 10 } = options;
  const endsAt = performance.now() + forMs;
  const random = new Prng(seed);
  const honest = await traceRun(seed);
  const run = options.lies === undefined ? honest : { ...honest, lines: lied(honest.lines, options.lies) };
  const points = syncPoints(run);
  const all = points.flatMap((at) => cuts.map((cut) => ({ at, cut, seed: random.between(0, 0x7fff_ffff) })));
  const step = Math.max(1, all.length / (options.states ?? all.length));
  const moments: Moment[] = [];
  for (let i = random.next() * step; i < all.length; i += step) moments.push(all[Math.floor(i)]!);
  const tally = { states: 0, nested: 0 };
  const violations: string[] = [];
  const tell = async (failed: TracedRun, moment: Moment, wrong: readonly string[]): Promise<void> => {
    // Of a disk that lies, that it was noticed is all there is to know.
    const shown = options.lies === undefined ? `\n    ${keep(failed, await shrink(failed, moment))}` : '';
    violations.push(`${wrong.slice(0, 4).join('; ')}${shown}`);
    options.report?.(violations.at(-1)!);
  };
  let playback = new Playback(run);
  for (const moment of moments) {
    if (performance.now() > endsAt || violations.length >= most) break;
    playback.to(moment.at);
    const state = playback.disk.after(moment.cut, new Prng(moment.seed));
    const wrong = await check(run.keys, state, playback.known, random.next() < 0.25);
    tally.states++;
    if (wrong.length > 0) {
      await tell(run, moment, wrong);
      continue;
    }
    if (random.between(1, 100) > nested) continue;
    const { acknowledged, checkpoints } = playback.known;
    const known = { acknowledged: [...acknowledged], checkpoints: new Set(checkpoints) };
    const recovery = await traceRecovery(run.keys, state, known);
    const at = random.pick(syncPoints(recovery));
    const second = { at, cut: random.pick(CUTS), seed: moment.seed };
    const again = new Playback(recovery);
    again.to(at);
    const rest = again.disk.after(second.cut, new Prng(second.seed));
    const wrongAgain = await check(run.keys, rest, again.known);
    tally.nested++;
    if (wrongAgain.length > 0) await tell(recovery, second, wrongAgain);
  }
  playback = new Playback(run);
  playback.to(run.lines.length);
  return {
    calls: run.lines.length,
    points: points.length,
    ...tally,
    acknowledged: playback.known.acknowledged.length,
    violations,
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      states: { type: 'string' },
      minutes: { type: 'string' },
      replay: { type: 'string' },
      at: { type: 'string' },
      cut: { type: 'string' },
    },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 0x7fff_ffff));
  if (values.replay !== undefined) {
    const run = load(values.replay);
    const playback = new Playback(run);
    playback.to(Number(values.at));
    const state = playback.disk.after(values.cut as Cut, new Prng(seed));
    const last = run.lines.slice(Math.max(0, playback.at - 8), playback.at);
    for (const line of last) console.log(JSON.stringify({ ...line, bytes: undefined }));
    for (const [path, bytes] of state) console.log(`${String(bytes.length).padStart(8)} ${path}`);
    writeState(state, join(SCRATCH, 'countersign-replayed'));
    console.log((await check(run.keys, state, playback.known)).join('\n') || 'everything holds');
    return;
  }
  console.log(`seed ${seed}`);
  const report = await losePower({
    seed,
    ...(values.states === undefined ? {} : { states: Number(values.states) }),
    ...(values.minutes === undefined ? {} : { forMs: Number(values.minutes) * 60_000 }),
    report: (text) => console.log(text),
  });
  console.log(JSON.stringify({ ...report, violations: report.violations.length }));
  process.exitCode = report.violations.length === 0 ? 0 : 1;
}

if (import.meta.main) await main();
