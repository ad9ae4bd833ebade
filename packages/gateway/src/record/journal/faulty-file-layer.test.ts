import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SegmentPool } from '../integrator/segment-pool.ts';
import { createFileLayer, type FileLayer } from './file-layer.ts';
import { writeFaultControl } from './faulty-file-layer.ts';

test('a layer that forgets: two threads with a layer each see the names of segments that a disk would show them', () => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-layer-'));
  const controlFile = join(directory, 'control.json');
  const spec = { loseUnsynced: true, controlFile };
  const [syncing, integrating] = [createFileLayer(spec), createFileLayer(spec)];
  const pool = new SegmentPool(integrating, directory, 8192);
  const segment = join(directory, '00000002.seg');
  pool.tidy(1, true);
  // The thread that syncs takes the spare, is failed by the disk, and lets go of the file.
  syncing.rename(join(directory, 'spare-1.seg'), segment);
  writeFaultControl(controlFile, { fail: 'EIO', calls: ['syncDirectory'] });
  assert.throws(() => syncing.syncDirectory(directory), /EIO/);
  writeFaultControl(controlFile, undefined);
  syncing.remove(segment);
  // It tries again, in the middle of what the other does to have the next spare ready.
  let handle = -1;
  const interrupted: FileLayer = {
    ...integrating,
    allocate: (...args) => {
      handle = syncing.open(segment, 'create');
      integrating.allocate(...args);
    },
  };
  new SegmentPool(interrupted, directory, 8192).tidy(1, true);
  syncing.syncDirectory(directory);
  const bytes = Buffer.from('acknowledged');
  syncing.write(handle, bytes, bytes.length, 0);
  syncing.sync(handle);
  assert.ok(
    readFileSync(segment).subarray(0, bytes.length).equals(bytes),
    'it lies in the file of that name',
  );
  rmSync(directory, { recursive: true, force: true });
});

test('a layer that forgets: a segment that has become spare can be taken by the other thread', () => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-layer-'));
  const [syncing, integrating] = [
    createFileLayer({ loseUnsynced: true }),
    createFileLayer({ loseUnsynced: true }),
  ];
  const handle = syncing.open(join(directory, '00000001.seg'), 'create');
  syncing.close(handle);
  new SegmentPool(integrating, directory, 8192).tidy(2, false);
  assert.deepEqual(syncing.list(directory), ['spare-1.seg']);
  rmSync(directory, { recursive: true, force: true });
});
