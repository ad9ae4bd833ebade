/** Backups of a vault out of which contents are taken meanwhile. */

import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { directorySource, VaultChecks, VaultReader, verifyLog } from 'countersign-verify';
import { createBackup } from '../../packages/gateway/src/record/backup/create-backup.ts';
import { CUSTODIAN_KEY, TestSession } from '../../packages/gateway/src/record/record-fixture.ts';
import { Stage } from './custody-stage.ts';

async function verdictOf(directory: string): Promise<string> {
  const reader = new VaultReader(join(directory, 'vault'), createPrivateKey(CUSTODIAN_KEY));
  const report = await verifyLog(directorySource(join(directory, 'log')), {
    visitor: (findings) => new VaultChecks(reader, findings),
  });
  return [report.verdict, ...new Set(report.findings.map(({ code }) => code))].join(' ');
}

test('each backup that is made while sessions are erased has all that its own log does not call erased', async () => {
  const stage = await new Stage().open();
  const destination = mkdtempSync(join(tmpdir(), 'countersign-backup-'));
  try {
    const sessions: string[] = [];
    for (let i = 0; i < 6; i++) {
      const session = new TestSession(stage.recorder);
      for (let n = 0; n < 20; n++) await session.run(`select ${i}, ${n}`);
      await session.close().durable();
      sessions.push(session.id);
    }
    const over = new AbortController();
    const erasing = (async () => {
      for (const session of sessions) await stage.submit('erase', { kind: 'sessions', sessions: [session] });
      over.abort();
    })();
    const verdicts: string[] = [];
    while (!over.signal.aborted) {
      const backup = await createBackup({
        stateDirectory: stage.fixture.directory,
        destination,
        isStopped: false,
        record: async (size, root) => {
          await stage.recorder
            .append({ type: 'backup.created', size, root }, [], { control: true })
            .durable();
        },
      }).catch((error: { code?: string }) => {
        // Five times in a row something was erased: said so, and nothing is left.
        assert.equal(error.code, 'CS_INPUT_UNUSABLE');
      });
      if (backup !== undefined) verdicts.push(await verdictOf(backup.directory));
    }
    await erasing;
    for (const verdict of verdicts) assert.match(verdict, /^(?:VERIFIED|DISPOSED erased)$/);
    await stage.recorder.covered(stage.recorder.health().appendedJseq);
    const last = await createBackup({
      stateDirectory: stage.fixture.directory,
      destination,
      isStopped: false,
    });
    assert.match(await verdictOf(last.directory), /^DISPOSED erased$/);
  } finally {
    await stage.close();
    stage.remove();
    rmSync(destination, { recursive: true, force: true });
  }
});
