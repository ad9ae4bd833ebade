/**
 * The recorder alone: `node bench/recorder.ts [seconds] [waiters,…]`. Each waiter runs statements one after another: an
 * intent, the wait for the disk, a result that rides along. Prints latency to `onDurable`, group size, CPU per leaf of
 * the whole process (with the threads that sync and integrate), and bytes on disk per statement.
 */

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSigningKey, generateVaultKeyPair } from '../packages/gateway/src/record/keys.ts';
import { openRecorder, type OpenedRecorder } from '../packages/gateway/src/record/open-recorder.ts';

const seconds = Number(process.argv[2] ?? 3);
const groups = (process.argv[3] ?? '1,8,32,64').split(',').map(Number);
const DIGEST = 'A'.repeat(43);
const STATEMENT = Buffer.from('SELECT abalance FROM pgbench_accounts WHERE aid = 123456;');
const signingKey = generateSigningKey();
const { publicKey } = generateVaultKeyPair();
let sessions = 0;

function openAt(directory: string): Promise<OpenedRecorder> {
  return openRecorder({
    stateDirectory: directory,
    node: 'bench',
    origin: 'bench.test/log',
    signingKey,
    custodianKey: publicKey,
    record: {
      timeoutMs: 2000,
      segmentBytes: 64 * 1024 * 1024,
      resultDelayMs: 20,
      heartbeatMs: 60_000,
      checkpointMs: 1000,
      minFreeBytes: 256 * 1024 * 1024,
    },
    software: { version: '0.1.0', digest: DIGEST },
    configDigest: DIGEST,
  });
}

function bytesIn(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}

function percentile(sorted: readonly number[], part: number): string {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
  return (value * 1000).toFixed(0).padStart(6);
}

interface Load {
  isOver: boolean;
  readonly latencies: number[];
}

/** Runs statements until the load is over; resolves after its last one. */
function runWaiter(recorder: OpenedRecorder, load: Load): Promise<void> {
  sessions++;
  const session = `0190a000-0000-7000-8000-${String(sessions).padStart(12, '0')}`;
  const context = recorder.openContext({ principal: 'bench' });
  const decision = { effect: 'permit', policies: ['grant-bench'], reasons: [] } as const;
  const digestKey = recorder.commit(Buffer.alloc(32));
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
      peer: digestKey.digest,
      backend: { pid: 1, serverVersion: '18.0' },
      digestKey: digestKey.digest,
    },
    [
      { field: 'digest_key', commitment: digestKey },
      { field: 'peer', commitment: digestKey },
    ],
  );
  return new Promise((resolve) => {
    const next = (): void => {
      if (load.isOver) {
        recorder.append({
          type: 'session.closed',
          session,
          seq: seq++,
          context,
          reason: 'client',
          calls: (seq - 2) / 2,
          bytesUp: 31 * (seq - 2),
          bytesDown: 41 * (seq - 2),
        });
        resolve();
        return;
      }
      const statement = recorder.commit(STATEMENT);
      const started = performance.now();
      const intent = recorder.append(
        {
          type: 'call.intent',
          session,
          seq: seq++,
          context,
          decision,
          kind: 'select',
          effect: 'read',
          statement: statement.digest,
          txn: 'I',
        },
        [{ field: 'statement', commitment: statement }],
      );
      intent.onDurable((error) => {
        if (error !== undefined) throw error;
        load.latencies.push(performance.now() - started);
        recorder.append(
          {
            type: 'call.result',
            session,
            seq: seq++,
            call: intent.id,
            status: 'ok',
            rows: 1,
            bytesUp: 62,
            bytesDown: 81,
            durationUs: 321,
            delivered: DIGEST,
          },
          undefined,
          { urgency: 'ride' },
        );
        // As when the next statement comes in on a socket.
        setImmediate(next);
      });
    };
    next();
  });
}

async function measure(waiters: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  const recorder = await openAt(directory);
  const load: Load = { isOver: false, latencies: [] };
  let commits = 0;
  recorder.onCommit(() => commits++);
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  const running = Array.from({ length: waiters }, () => runWaiter(recorder, load));
  setTimeout(() => (load.isOver = true), seconds * 1000);
  await Promise.all(running);
  const elapsed = (performance.now() - started) / 1000;
  await recorder.close('bench');
  const cpu = process.cpuUsage(cpuBefore);
  const sorted = load.latencies.toSorted((a, b) => a - b);
  const statements = sorted.length;
  const bytes = bytesIn(join(directory, 'log')) + bytesIn(join(directory, 'vault'));
  const line = [
    `${waiters}`.padStart(7),
    (statements / elapsed).toFixed(0).padStart(12),
    (statements / commits).toFixed(1).padStart(6),
    percentile(sorted, 0.5),
    percentile(sorted, 0.99),
    percentile(sorted, 0.999),
    ((cpu.user + cpu.system) / statements / 2).toFixed(1).padStart(11),
    ((cpu.user + cpu.system) / commits).toFixed(1).padStart(13),
    (bytes / statements).toFixed(0).padStart(16),
  ];
  console.log(line.join(' '));
  rmSync(directory, { recursive: true });
}

console.log('waiters statements/s  group p50 µs p99 µs p99.9 CPU µs/leaf CPU µs/commit bytes/statement');
for (const waiters of groups) await measure(waiters);
