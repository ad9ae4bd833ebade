/**
 * One stage of `bench/record.ts`, in a process of its own: `record-stage.ts <stage> <directory> <number>`. Its last line on
 * stdout is its figures as JSON.
 *
 * - `fill` writes so many leaves into a journal that nothing integrates, and is gone as by a power cut
 * - `open-sessions` the same with so many sessions, each with an open call
 * - `integrate` brings the journal into the log
 * - `recover` starts the recorder on what is there
 */

import { join } from 'node:path';
import type { RecordConfig } from '../packages/gateway/src/config/config.ts';
import { Integrator } from '../packages/gateway/src/record/integrator/integrator.ts';
import { createFileLayer } from '../packages/gateway/src/record/journal/file-layer.ts';
import { openRecorder, type OpenedRecorder } from '../packages/gateway/src/record/open-recorder.ts';
import { recoverJournal } from '../packages/gateway/src/record/recovery.ts';

const DIGEST = 'A'.repeat(43);
const ORIGIN = 'bench.test/log';
const SEGMENT_BYTES = 64 * 1024 * 1024;
const STATEMENT = Buffer.from('SELECT abalance FROM pgbench_accounts WHERE aid = 123456;');
/** As much as goes into the journal before its writer waits for the disk. */
const LEAVES_AT_ONCE = 2_000;
const CALLS_PER_SESSION = 100;

const [stage, directory, count] = [process.argv[2], process.argv[3]!, Number(process.argv[4])];
/** Made for one run of the benchmark by whoever starts the stages. */
const signingKey = process.env['BENCH_SIGNING_KEY']!;
const custodianKey = process.env['BENCH_CUSTODIAN_KEY']!;

function open(checkpointMs: number): Promise<OpenedRecorder> {
  const record: RecordConfig = {
    timeoutMs: 60_000,
    segmentBytes: SEGMENT_BYTES,
    resultDelayMs: 20,
    heartbeatMs: 60_000,
    checkpointMs,
    minFreeBytes: 64 * 1024 * 1024,
  };
  return openRecorder({
    stateDirectory: directory,
    node: 'bench',
    origin: ORIGIN,
    signingKey,
    custodianKey,
    record,
    software: { version: '0.1.0', digest: DIGEST },
    configDigest: DIGEST,
  });
}

class Writer {
  readonly #recorder: OpenedRecorder;
  #sessions = 0;
  leaves = 0;

  constructor(recorder: OpenedRecorder) {
    this.#recorder = recorder;
  }

  /** Opens a session with `calls` calls; the last stays without its result, and the session open, when `isOpen`. */
  session(calls: number, isOpen: boolean): void {
    const recorder = this.#recorder;
    const session = `0190a000-0000-7000-8000-${String(++this.#sessions).padStart(12, '0')}`;
    const context = recorder.openContext({ principal: 'bench' });
    const commitment = recorder.commit(Buffer.alloc(32));
    let seq = 0;
    recorder.append(
      {
        type: 'session.opened',
        session,
        seq: seq++,
        context,
        protocol: 'postgres',
        protocolVersion: '3.0',
        channel: { binding: false, method: 'bench' },
        peer: commitment.digest,
        backend: { pid: 1, serverVersion: '18.0' },
        digestKey: commitment.digest,
      },
      [
        { field: 'digest_key', commitment },
        { field: 'peer', commitment },
      ],
    );
    for (let i = 0; i < calls; i++) {
      const statement = recorder.commit(STATEMENT);
      const intent = recorder.append(
        {
          type: 'call.intent',
          session,
          seq: seq++,
          context,
          decision: { effect: 'permit', policies: ['grant-bench'], reasons: [] },
          kind: 'select',
          effect: 'read',
          statement: statement.digest,
          txn: 'I',
        },
        [{ field: 'statement', commitment: statement }],
      );
      this.leaves += 2;
      if (isOpen && i === calls - 1) return;
      const amounts = { rows: 1, bytesUp: 62, bytesDown: 81, durationUs: 321, delivered: DIGEST };
      recorder.append({
        type: 'call.result',
        session,
        seq: seq++,
        call: intent.id,
        status: 'ok',
        ...amounts,
      });
    }
    const amounts = { calls, bytesUp: 62 * calls, bytesDown: 81 * calls };
    recorder.append({ type: 'session.closed', session, seq: seq++, context, reason: 'client', ...amounts });
    this.leaves += 2;
  }
}

async function fill(): Promise<void> {
  const recorder = await open(10_000_000);
  const writer = new Writer(recorder);
  const isSessions = stage === 'open-sessions';
  for (let done = 0; done < count; done = isSessions ? done + 1 : writer.leaves) {
    writer.session(isSessions ? 1 : CALLS_PER_SESSION, isSessions);
    if (writer.leaves % LEAVES_AT_ONCE < 2 * CALLS_PER_SESSION + 2) await recorder.drained();
  }
  await recorder.drained();
  // No clean-up of any kind: that is the point.
  process.kill(process.pid, 'SIGKILL');
}

async function integrate(): Promise<void> {
  const journalDirectory = join(directory, 'journal', 'w0');
  const layer = createFileLayer(undefined);
  const options = { journalDirectory, layer, journal: 'w0', integratedJseq: -1, acceptLoss: false };
  const { marks } = recoverJournal(options);
  const integrator = new Integrator(
    {
      journalDirectory,
      logDirectory: join(directory, 'log'),
      vaultDirectory: join(directory, 'vault'),
      journal: 'w0',
      origin: ORIGIN,
      signingKey,
      segmentBytes: SEGMENT_BYTES,
      faults: undefined,
    },
    layer,
  );
  await integrator.load();
  const before = process.cpuUsage();
  const startedAt = performance.now();
  const { size } = await integrator.integrate({
    kind: 'integrate',
    marks,
    durableJseq: -1,
    wantSpare: false,
    atUs: Date.now() * 1000,
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const { system, user } = process.cpuUsage(before);
  integrator.close();
  print({ size, seconds, cpuSeconds: (system + user) / 1e6 });
}

async function recover(): Promise<void> {
  const startedAt = performance.now();
  const recorder = await open(10_000_000);
  print({ seconds: (performance.now() - startedAt) / 1000 });
  await recorder.close('bench');
}

function print(figures: Record<string, number>): void {
  const peakMiB = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(`${JSON.stringify({ ...figures, peakMiB })}\n`);
}

if (stage === 'integrate') await integrate();
else if (stage === 'recover') await recover();
else await fill();
