import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { FormatError } from './errors.ts';
import { hashLeaf, rootFromHashes, treeRoot } from './merkle.ts';
import {
  decodeEntryBundle,
  decodeTile,
  encodeEntryBundle,
  encodeTileIndex,
  entriesPath,
  hashReaderFromTiles,
  TileBuilder,
  tilePath,
  tileWidth,
  type Tile,
} from './tiles.ts';

describe('tiles', () => {
  it('names files as the specification does', () => {
    assert.equal(encodeTileIndex(1_234_067), 'x001/x234/067');
    assert.equal(tilePath(0, 0), 'tile/0/000');
    assert.equal(tilePath(1, 1000, 7), 'tile/1/x001/000.p/7');
    assert.equal(entriesPath(999), 'tile/entries/999');
    assert.equal(entriesPath(273, 112), 'tile/entries/273.p/112');
    for (const width of [0, 257, 1.5]) assert.throws(() => tilePath(0, 0, width), FormatError);
  });

  it('decodes the bundles it encodes, and no other', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 256 }), (entries) => {
        const bundle = encodeEntryBundle(entries);
        assert.deepEqual(
          decodeEntryBundle(bundle),
          entries.map((e) => Buffer.from(e)),
        );
        if (bundle.length > 0) {
          const cut = bundle.subarray(0, bundle.length - 1);
          if ((entries.at(-1)?.length ?? 0) > 0) assert.throws(() => decodeEntryBundle(cut), FormatError);
        }
      }),
    );
    assert.throws(() => encodeEntryBundle([Buffer.alloc(65_536)]), FormatError);
    assert.throws(() => decodeEntryBundle(Buffer.alloc(2 * 257)), FormatError);
    assert.throws(() => decodeTile(Buffer.alloc(33)), FormatError);
    assert.equal(encodeEntryBundle([Buffer.from('ab'), Buffer.alloc(0)]).toString('hex'), '000261620000');
  });

  it('builds, reads and continues the tiles of any size', async () => {
    const hashes = Array.from({ length: 66_000 }, (_, i) => hashLeaf(Buffer.from(String(i))));
    const full = new Map<string, Buffer>();
    const keep = (tile: Tile): void =>
      void full.set(tilePath(tile.level, tile.index, tile.width), tile.bytes);
    const builder = new TileBuilder(keep);
    const sizes = new Set([0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 66_000]);
    for (let size = 0; size <= hashes.length; size++) {
      if (size > 0) builder.append(hashes[size - 1]!);
      if (!sizes.has(size)) continue;
      const root = rootFromHashes(hashes.slice(0, size));
      const files = new Map(full);
      for (const tile of builder.partials())
        files.set(tilePath(tile.level, tile.index, tile.width), tile.bytes);
      const read = (level: number, index: number, width: number): Buffer => {
        const tile = files.get(tilePath(level, index, width));
        assert.ok(tile !== undefined, tilePath(level, index, width));
        return tile;
      };
      assert.deepEqual(builder.root(), root);
      assert.deepEqual(await treeRoot(size, hashReaderFromTiles(size, read)), root);
      const resumed = await TileBuilder.resume(size, read, () => undefined);
      assert.deepEqual(resumed.root(), root);
      assert.deepEqual(resumed.partials(), builder.partials());
    }
    // 66,000 = 257 full tiles and 208 hashes; level 1 has 257 = one full tile and 1; level 2 has 1.
    assert.equal(full.size, 257 + 1);
    assert.deepEqual(
      builder.partials().map(({ level, index, width }) => [level, index, width]),
      [
        [0, 257, 208],
        [1, 1, 1],
        [2, 0, 1],
      ],
    );
    assert.equal(tileWidth(1, 1, 66_000), 1);
  });
});
