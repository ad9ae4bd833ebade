import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { countFaults, writeFaultControl, type FaultControl } from '../journal/faulty-file-layer.ts';
import { RecordFixture, TestSession, until } from '../record-fixture.ts';
import { groupDigest, listKeys, readArchive, writeArchive } from './key-archive.ts';

const KINDS: readonly [string, FaultControl][] = [
  ['half of it', { fail: 'EIO', short: true, calls: ['write'] }],
  ['all of it, not synced', { fail: 'EIO', calls: ['sync'] }],
  ['nothing, and no error', { lie: true, calls: ['write'] }],
  ['no name', { fail: 'ENOSPC', calls: ['rename'] }],
];

for (const [what, control] of KINDS) {
  test(`data keys: an attempt that wrote ${what} leaves nothing that anybody takes for a key`, async () => {
    const fixture = new RecordFixture({ segmentBytes: 16 * 1024, checkpointMs: 10 });
    const recorder = await fixture.openFaulty();
    const session = new TestSession(recorder);
    await session.run();
    writeFaultControl(fixture.controlFile, { ...control, path: '/vault/keys/' });
    const before = countFaults(fixture.controlFile);
    let refused: unknown;
    while (refused === undefined) {
      const intent = session.intent('x'.repeat(500));
      refused = await intent.durable().then(
        () => undefined,
        (error: unknown) => error,
      );
      if (refused === undefined) session.result(intent.id);
    }
    assert.ok(countFaults(fixture.controlFile) > before);
    writeFaultControl(fixture.controlFile, undefined);
    await until(() => recorder.health().ready);
    await session.run('after');
    session.close();
    await recorder.close('test');

    const vault = join(fixture.directory, 'vault');
    const names = readdirSync(join(vault, 'keys'), { recursive: true, encoding: 'utf8' });
    assert.ok(
      names.some((name) => name.endsWith('.tmp')),
      'the attempt left something',
    );
    const groups = await listKeys(vault);
    const archive = mkdtempSync(join(tmpdir(), 'countersign-archive-'));
    await writeArchive(archive, groups);
    assert.deepEqual((await readArchive(archive)).map(groupDigest), groups.map(groupDigest));
    const { findings, verdict } = await fixture.verify();
    assert.deepEqual(
      [verdict, findings.filter((finding) => finding.verdict !== 'VERIFIED-WITH-GAPS')],
      ['VERIFIED-WITH-GAPS', []],
    );
    rmSync(archive, { recursive: true, force: true });
    fixture.remove();
  });
}
