import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Findings } from './findings.ts';
import type { LogSource } from './log-source.ts';
import { hashLeaf, rootFromHashes } from './merkle.ts';
import { TileBuilder, tilePath, type Tile } from './tiles.ts';
import { TreeChecks } from './tree-checks.ts';

it('tells the root of every size that the tree had, near and far', async () => {
  const files = new Map<string, Buffer>();
  const put = (tile: Tile): unknown => files.set(tilePath(tile.level, tile.index, tile.width), tile.bytes);
  const source: LogSource = { name: 'memory', read: (path) => Promise.resolve(files.get(path)) };
  const tree = new TreeChecks(source, new Findings(), 20_001);
  const published = new TileBuilder(put);
  const hashes: Buffer[] = [];
  const roots: Buffer[] = [tree.root()];
  // More than are remembered, and not a round number.
  for (let i = 0; i < 20_001; i++) {
    const leaf = Buffer.from(String(i));
    hashes.push(hashLeaf(leaf));
    tree.append(leaf);
    published.append(hashLeaf(leaf));
    roots.push(tree.root());
  }
  published.partials().forEach(put);
  assert.deepEqual(roots.at(-1), rootFromHashes(hashes));
  assert.ok(tree.remembers(10_000) && !tree.remembers(100));
  for (let size = 0; size <= 20_001; size += size < 3_000 ? 97 : 7)
    assert.deepEqual(await tree.rootAt(size), roots[size], String(size));
  await assert.rejects(tree.rootAt(20_002), RangeError);
});
