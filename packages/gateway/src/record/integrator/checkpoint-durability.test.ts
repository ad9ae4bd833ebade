import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { realFileLayer, type FileLayer } from '../journal/file-layer.ts';
import { RecordFixture, TestSession } from '../record-fixture.ts';
import { recoverJournal } from '../recovery.ts';
import { Integrator } from './integrator.ts';

test('integrator: a checkpoint whose name may not be on disk gives no segment away', async () => {
  const fixture = new RecordFixture({ checkpointMs: 1_000_000, segmentBytes: 16 * 1024 });
  const recorder = await fixture.open();
  const session = new TestSession(recorder);
  for (let i = 0; i < 60; i++) await session.run('x'.repeat(300));
  await recorder.drained();
  const state = fixture.copy();
  session.close();
  await recorder.close('test');
  fixture.remove();

  const logDirectory = join(state.directory, 'log');
  let isFailing = true;
  let isNameDurable = true;
  const early: string[] = [];
  const give = (path: string): void => {
    if (!isNameDurable && path.endsWith('.seg')) early.push(path);
  };
  const layer: FileLayer = {
    ...realFileLayer,
    rename: (from, to) => {
      give(from);
      realFileLayer.rename(from, to);
      if (to === join(logDirectory, 'checkpoint')) isNameDurable = false;
    },
    remove: (path) => {
      give(path);
      realFileLayer.remove(path);
    },
    syncDirectory: (path) => {
      if (path === logDirectory && !isNameDurable && isFailing)
        throw Object.assign(new Error('EIO: injected'), { code: 'EIO' });
      realFileLayer.syncDirectory(path);
      if (path === logDirectory) isNameDurable = true;
    },
  };
  const { origin, record, signingKey } = state.options();
  const { journalDirectory } = state;
  const integrator = new Integrator(
    {
      journalDirectory,
      logDirectory,
      vaultDirectory: join(state.directory, 'vault'),
      journal: 'w0',
      origin,
      signingKey,
      segmentBytes: record.segmentBytes,
      faults: undefined,
    },
    layer,
  );
  const { jseq } = await integrator.load();
  const { marks } = recoverJournal({
    layer: realFileLayer,
    journalDirectory,
    journal: 'w0',
    integratedJseq: jseq,
    acceptLoss: false,
  });
  assert.ok(marks.length > 2, 'several segments');
  const request = { kind: 'integrate', marks, durableJseq: -1, wantSpare: false, atUs: 1 } as const;
  await assert.rejects(integrator.integrate(request), /EIO/);
  // The same again, with nothing new: the disk still cannot say that the checkpoint has its name.
  await assert.rejects(integrator.integrate(request), /EIO/);
  assert.deepEqual(early, []);
  isFailing = false;
  const { oldestSegment } = await integrator.integrate(request);
  assert.equal(oldestSegment, marks.at(-1)!.segment);
  assert.deepEqual(early, []);
  integrator.close();
  state.remove();
});
