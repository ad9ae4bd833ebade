/**
 * A real disk that fills up under traffic, from the alarm to the refusals and back: the whole gateway before a real server, its state on a
 * file system of its own.
 */

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { query, RawSession } from '../support/raw-session.ts';
import { verifyRecord } from '../support/record-view.ts';
import { directEndpoint, Harness } from '../translator/harness.ts';
import { answers, connectFlood, FLOOD, withFlood } from './two-principals.ts';

const MIB = 1 << 20;
const MIN_FREE = 16 * MIB;
const WARN_FREE = 24 * MIB;
const DISK_FULL = '53100';
const MAIN = join(import.meta.dirname, '../../packages/gateway/src/cli/main.ts');

let server: PostgresServer;
before(async () => {
  server = await startTestPostgres();
});
after(() => server.stop());

/** A real file system of 128 MiB, or undefined where mounting is not permitted. */
function mountSmallDisk(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-full-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128m', 'tmpfs', directory], { stdio: 'ignore' });
    return directory;
  } catch {
    rmSync(directory, { recursive: true, force: true });
    return undefined;
  }
}

function freeBytes(disk: string): number {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Different each time, and nothing that could be made smaller. */
const ballast = (n: number): Buffer => query(`select length('${n}${'x'.repeat(60_000)}')`);

/** Sends commands until one is refused; gives how many were executed. */
async function fillUp(session: RawSession): Promise<number> {
  for (let count = 0; count < 5000; count++) {
    session.send(ballast(count));
    const errors = await answers(session, 1);
    if (errors.length === 0) continue;
    assert.deepEqual(errors, [DISK_FULL]);
    return count;
  }
  throw new Error('commands are still executed although there is no room');
}

/** `countersign …` as an operator calls it. */
async function countersign(harness: Harness, ...args: readonly string[]): Promise<string> {
  const all = [MAIN, ...args, '-c', harness.folder.configFile];
  const { stdout } = await promisify(execFile)(process.execPath, all, { maxBuffer: 64 * MIB });
  return stdout;
}

test(
  'a disk that fills up: alarm, refusals, everything else goes on, and room returns',
  { timeout: 120_000 },
  async (context) => {
    const disk = mountSmallDisk();
    if (disk === undefined) {
      context.skip('mounting a tmpfs needs root; test/faults has the same with errors of the file layer');
      return;
    }
    const state = join(disk, 'state');
    const harness = await Harness.start(server, {
      stateDirectory: state,
      record: { minFree: '16MiB', warnFree: '24MiB', segment: '1MiB', checkpoint: '50ms' },
      change: withFlood,
    });
    const { gateway } = harness;
    try {
      const blocker = await RawSession.connect(directEndpoint(server));
      blocker.send(query('select pg_advisory_lock(7)'));
      assert.deepEqual(await answers(blocker, 1), []);
      // One that runs all the while, one that will say goodbye, one whose grant will end.
      const running = await harness.connect();
      running.send(query('select pg_advisory_lock(7)'));
      const leaving = await harness.connect();
      const revoked = await connectFlood(harness);
      await until(() => gateway.traffic.totals.commands === 1);

      const free = freeBytes(disk);
      const filler = join(disk, 'filler');
      writeFileSync(filler, Buffer.alloc(free - WARN_FREE - 4 * MIB));
      assert.equal(gateway.recorder.health().isLow ?? false, false);
      const filling = await harness.connect();
      let executed = await fillUp(filling);
      assert.ok(executed > 0);
      assert.equal(gateway.recorder.health().isLow, true, 'the alarm came before the refusals');
      // Others write to this disk too: what is estimated at the edge has to be refused for good now.
      appendFileSync(filler, Buffer.alloc(6 * MIB));
      const { durableJseq } = gateway.recorder.health();
      await until(() => gateway.recorder.health().treeSize > durableJseq);
      executed += await fillUp(filling);

      assert.ok(freeBytes(disk) > 0, 'what is set aside is still there');
      assert.notEqual(gateway.notReady, undefined);

      // No new command, in no session, and no new session.
      leaving.send(query('select 1'));
      assert.deepEqual(await answers(leaving, 1), [DISK_FULL]);
      await assert.rejects(harness.connect(), { code: DISK_FULL });
      const refusedAt = gateway.recorder.health().durableJseq;

      // What runs tells how it ended; who leaves is seen off; who is revoked is thrown out.
      blocker.send(query('select pg_advisory_unlock(7)'));
      assert.deepEqual(await answers(blocker, 1), []);
      assert.deepEqual(await answers(running, 1), [], 'the result of what ran before');
      leaving.end();
      await gateway.reload({
        ...gateway.config,
        grants: gateway.config.grants.filter(({ id }) => id !== FLOOD),
      });
      await assert.rejects(answers(revoked, 1));
      await until(() => gateway.sessions.size === 2);
      assert.ok(gateway.recorder.health().durableJseq > refusedAt, 'all of that is on record');
      assert.notEqual(gateway.notReady, undefined, 'there is still no room');

      // Reading goes on.
      await until(() => gateway.recorder.health().treeSize > refusedAt);
      assert.match(await countersign(harness, 'log', 'show', '--json'), /"grant\.revoked"/);
      assert.match((await verifyRecord(state)).verdict, /^(VERIFIED|INCOMPLETE|UNWITNESSED)$/);

      // Room returns, and so does traffic, without a restart.
      rmSync(filler);
      await until(() => gateway.notReady === undefined);
      filling.send(query('select 2'), query('select 3'));
      assert.deepEqual(await answers(filling, 2), []);
      const another = await harness.connect();
      for (const session of [running, filling, another, blocker]) session.end();
      await until(() => gateway.sessions.size === 0);

      const record = await harness.finish();
      assert.equal(record.verdict, 'VERIFIED');
      const alerts = record.leaves.filter((leaf) => leaf.type === 'alert');
      assert.deepEqual(
        alerts.map((leaf) => leaf['code']),
        ['disk-low'],
      );
      assert.ok(Number(alerts[0]?.['free_bytes']) < WARN_FREE);
      assert.ok(Number(alerts[0]?.['free_bytes']) > MIN_FREE);
      const alarmAt = record.leaves.indexOf(alerts[0]!);
      const later = record.leaves.slice(alarmAt).filter((leaf) => leaf.type === 'call.intent');
      assert.ok(later.length > 2, 'commands went on between the alarm and the refusals');
      // Nothing was executed that was refused, and nothing executed is missing.
      const intents = record.calls.filter(({ statement }) => statement?.startsWith('select length('));
      assert.equal(intents.length, executed);
      assert.ok(
        record.calls.every(({ type, result }) => type === 'call.denied' || result?.['status'] === 'ok'),
      );
    } finally {
      await gateway.closeNow();
      harness.folder.remove();
      execFileSync('umount', ['--lazy', disk]);
      rmSync(disk, { recursive: true, force: true });
    }
  },
);
