import assert from 'node:assert/strict';
import { existsSync, fstatSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SegmentPool } from '../integrator/segment-pool.ts';
import { createFileLayer, realFileLayer, type FileLayer } from './file-layer.ts';
import { openSegmentFile } from './segment-file.ts';
import { segmentFileName } from './segment.ts';

const BYTES = 4096;
const IN_USE = 5;
const NEXT = 6;

/** Before its call number `at` the layer does something else, and its call number `fails` fails. */
function interrupted(real: FileLayer, at: number, other: () => void, fails = -1): FileLayer {
  let calls = 0;
  const handler: ProxyHandler<FileLayer> = {
    get: (target, name: keyof FileLayer) => {
      const call = target[name] as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        const now = calls++;
        if (now === at) other();
        if (now === fails && name !== 'close') throw new Error('failed here');
        return call(...args);
      };
    },
  };
  return new Proxy(real, handler);
}

/** What may lie in the directory: segments that are done with, and the one in use; spares; what a crash left of one. */
const DIRECTORIES: readonly (readonly string[])[] = [
  [],
  ['spare-5.seg'],
  ['00000004.seg'],
  ['00000002.seg', '00000003.seg', '00000004.seg'],
  ['spare-3.seg', 'spare-2.seg', '00000004.seg'],
  ['00000006.seg', 'spare-4.seg'],
  ['preparing.tmp'],
];

interface Place {
  readonly directory: string;
  readonly inUse: number;
}

function prepare(names: readonly string[]): Place {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-segments-'));
  for (const name of names) writeFileSync(join(directory, name), Buffer.alloc(BYTES, 1));
  return { directory, inUse: realFileLayer.open(join(directory, segmentFileName(IN_USE)), 'create') };
}

const isSameFile = (handle: number, path: string): boolean =>
  existsSync(path) && fstatSync(handle).ino === statSync(path).ino;

function checkAndRemove({ directory, inUse }: Place, opened: number, what: string): void {
  assert.ok(isSameFile(inUse, join(directory, segmentFileName(IN_USE))), `${what}: the segment in use`);
  assert.ok(isSameFile(opened, join(directory, segmentFileName(NEXT))), `${what}: the new segment`);
  assert.ok(fstatSync(opened).size >= BYTES, `${what}: its room`);
  for (const handle of [inUse, opened]) realFileLayer.close(handle);
  rmSync(directory, { recursive: true, force: true });
}

for (const faults of [undefined, { loseUnsynced: true }] as const) {
  const layers = (): [FileLayer, FileLayer] => [createFileLayer(faults), createFileLayer(faults)];
  const name = faults === undefined ? 'a disk' : 'a layer that forgets';

  test(`segments on ${name}: the integrator tidies between any two calls of an opening, one of which may fail`, () => {
    for (const names of DIRECTORIES) {
      for (let at = 0; at < 12; at++) {
        for (let fails = -1; fails < 9; fails++) {
          const place = prepare(names);
          const [syncing, integrating] = layers();
          const pool = new SegmentPool(integrating, place.directory, BYTES);
          const tidy = (): void => pool.tidy(IN_USE, true);
          const layer = interrupted(syncing, at, tidy, fails);
          let opened: number;
          try {
            opened = openSegmentFile(layer, place.directory, NEXT, BYTES);
          } catch {
            opened = openSegmentFile(layer, place.directory, NEXT, BYTES);
          }
          tidy();
          checkAndRemove(place, opened, `${names.join(' ')}, tidied at ${at}, failed at ${fails}`);
        }
      }
    }
  });

  test(`segments on ${name}: a segment is opened between any two calls of the integrator, one of which may fail`, () => {
    for (const names of DIRECTORIES) {
      for (let at = 0; at < 12; at++) {
        for (let fails = -1; fails < 9; fails++) {
          const place = prepare(names);
          const [syncing, integrating] = layers();
          let opened: number | undefined;
          const open = (): void => void (opened ??= openSegmentFile(syncing, place.directory, NEXT, BYTES));
          const pool = new SegmentPool(interrupted(integrating, at, open, fails), place.directory, BYTES);
          for (let i = 0; i < 2; i++) {
            try {
              pool.tidy(IN_USE, true);
            } catch {
              // It is tried again.
            }
          }
          open();
          checkAndRemove(place, opened!, `${names.join(' ')}, opened at ${at}, failed at ${fails}`);
        }
      }
    }
  });
}
