/** The record's disk full, read-only, failing and stalled: refused with a clear error, recovered without help, nothing lost. */

import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeFaultControl } from '../../packages/gateway/src/record/journal/faulty-file-layer.ts';
import type { FaultControl } from '../../packages/gateway/src/record/journal/faulty-file-layer.ts';
import { runScenario } from './scenario.ts';
import type { Scenario } from './scenario.ts';

const IO_ERROR = '58030';
const DISK_FULL = '53100';

/** A disk that fails because the file layer under the recorder says so. */
async function runWithFault(fault: FaultControl, refusals: readonly string[]): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-faults-'));
  const controlFile = join(directory, 'control.json');
  writeFaultControl(controlFile, undefined);
  const scenario: Scenario = {
    start: {
      arguments: ['--unsafe-faults'],
      environment: { COUNTERSIGN_FAULTS: JSON.stringify({ loseUnsynced: true, controlFile }) },
    },
    break: () => writeFaultControl(controlFile, fault),
    repair: () => writeFaultControl(controlFile, undefined),
    refusals,
  };
  try {
    await runScenario(scenario);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test('a sync that fails', () => runWithFault({ fail: 'EIO', calls: ['sync'] }, [IO_ERROR]));
test('a write that fails', () => runWithFault({ fail: 'EIO', calls: ['write'] }, [IO_ERROR]));
test('a disk that has become read-only', () => runWithFault({ fail: 'EROFS' }, [IO_ERROR]));
test('a disk that says it is full', () => runWithFault({ fail: 'ENOSPC' }, [IO_ERROR, DISK_FULL]));
test('a write that stops halfway', () =>
  runWithFault({ fail: 'EIO', calls: ['write'], short: true }, [IO_ERROR]));
test('a sync that stalls', () => runWithFault({ stall: true, calls: ['sync'] }, [IO_ERROR]));
test('a write that stalls', () => runWithFault({ stall: true, calls: ['write'] }, [IO_ERROR]));

/** A real file system of 64 MiB, or undefined where mounting is not permitted. */
function mountSmallDisk(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-small-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', directory], { stdio: 'ignore' });
    return directory;
  } catch {
    rmSync(directory, { recursive: true, force: true });
    return undefined;
  }
}

/** Writes until there is no room for another page. */
function fill(path: string): void {
  const handle = openSync(path, 'w');
  const page = Buffer.alloc(4_096);
  try {
    for (;;) writeSync(handle, page);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  } finally {
    closeSync(handle);
  }
}

test('a real disk that is full', async (context) => {
  const disk = mountSmallDisk();
  if (disk === undefined) {
    context.skip('mounting a tmpfs is not permitted here; the injected ENOSPC stands in');
    return;
  }
  const filler = join(disk, 'filler');
  try {
    await runScenario({
      stateDirectory: join(disk, 'state'),
      start: {},
      break: () => fill(filler),
      repair: () => rmSync(filler, { force: true }),
      refusals: [DISK_FULL],
      mayTakeMore: true,
    });
  } finally {
    execFileSync('umount', ['--lazy', disk]);
    rmSync(disk, { recursive: true, force: true });
  }
});
