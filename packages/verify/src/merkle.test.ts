import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  EMPTY_ROOT,
  Frontier,
  hashLeaf,
  proveConsistency,
  proveInclusion,
  rootFromHashes,
  verifyConsistency,
  verifyInclusion,
  type HashReader,
} from './merkle.ts';

function sha(...parts: readonly Uint8Array[]): Buffer {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
}

/** RFC 6962 section 2.1, word for word and with another hash function call than the code under test. */
function naiveRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha();
  if (leaves.length === 1) return sha(Buffer.from([0]), leaves[0]!);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha(Buffer.from([1]), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}

/** RFC 6962 sections 2.1.1 and 2.1.2. */
function naivePath(m: number, d: readonly Buffer[]): Buffer[] {
  if (d.length <= 1) return [];
  let k = 1;
  while (k * 2 < d.length) k *= 2;
  return m < k
    ? [...naivePath(m, d.slice(0, k)), naiveRoot(d.slice(k))]
    : [...naivePath(m - k, d.slice(k)), naiveRoot(d.slice(0, k))];
}

function naiveSubproof(m: number, d: readonly Buffer[], isOld: boolean): Buffer[] {
  if (m === d.length) return isOld ? [] : [naiveRoot(d)];
  let k = 1;
  while (k * 2 < d.length) k *= 2;
  return m <= k
    ? [...naiveSubproof(m, d.slice(0, k), isOld), naiveRoot(d.slice(k))]
    : [...naiveSubproof(m - k, d.slice(k), false), naiveRoot(d.slice(0, k))];
}

const LEAVES = Array.from({ length: 70 }, (_, i) => Buffer.from(`leaf ${i}`));
const reader: HashReader = ({ level, index }) =>
  naiveRoot(LEAVES.slice(index * 2 ** level, (index + 1) * 2 ** level));
const hex = (hashes: readonly Buffer[]): string[] => hashes.map((h) => h.toString('hex'));

/** The tree of the Certificate Transparency reference tests. */
const CT_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const CT_ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

describe('Merkle tree', () => {
  it('has the roots of the Certificate Transparency reference tree', () => {
    const hashes = CT_LEAVES.map((leaf) => hashLeaf(Buffer.from(leaf, 'hex')));
    for (const [i, root] of CT_ROOTS.entries())
      assert.equal(rootFromHashes(hashes.slice(0, i + 1)).toString('hex'), root);
    assert.equal(
      EMPTY_ROOT.toString('hex'),
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });

  it('hashes leaves of any length, also beyond its scratch buffer', () => {
    for (const length of [0, 1, 8190, 8191, 8192, 65_535]) {
      const leaf = Buffer.alloc(length, 7);
      assert.deepEqual(hashLeaf(leaf), naiveRoot([leaf]));
    }
  });

  it('continues a frontier from its hashes', () => {
    for (let size = 0; size <= LEAVES.length; size++) {
      const first = new Frontier();
      for (const leaf of LEAVES.slice(0, size)) first.append(hashLeaf(leaf));
      assert.deepEqual(first.root(), naiveRoot(LEAVES.slice(0, size)));
      const second = Frontier.resume(size, first.hashes);
      for (const leaf of LEAVES.slice(size)) second.append(hashLeaf(leaf));
      assert.deepEqual(second.root(), naiveRoot(LEAVES));
    }
  });

  it('makes the inclusion proofs of RFC 6962 and accepts them for their leaf only', async () => {
    for (let size = 1; size <= LEAVES.length; size++) {
      const root = naiveRoot(LEAVES.slice(0, size));
      for (let index = 0; index < size; index += 1 + Math.floor(size / 9)) {
        const proof = await proveInclusion(index, size, reader);
        assert.deepEqual(hex(proof), hex(naivePath(index, LEAVES.slice(0, size))));
        const leafHash = hashLeaf(LEAVES[index]!);
        assert.ok(verifyInclusion(leafHash, index, size, proof, root));
        assert.ok(!verifyInclusion(hashLeaf(Buffer.from('another')), index, size, proof, root));
        assert.ok(!verifyInclusion(leafHash, index + 1, size, proof, root));
        assert.ok(!verifyInclusion(leafHash, index, size, [...proof, root], root));
      }
    }
  });

  it('makes the consistency proofs of RFC 6962 and accepts them for their trees only', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(LEAVES.length), fc.nat(LEAVES.length), fc.nat(1000), async (a, b, bit) => {
        const [first, second] = a < b ? [a, b] : [b, a];
        const [old, now] = [naiveRoot(LEAVES.slice(0, first)), naiveRoot(LEAVES.slice(0, second))];
        const proof = await proveConsistency(first, second, reader);
        if (first > 0) assert.deepEqual(hex(proof), hex(naiveSubproof(first, LEAVES.slice(0, second), true)));
        assert.ok(verifyConsistency(first, second, proof, old, now));
        if (first === 0) return;
        const broken = Buffer.from(old);
        broken[bit % 32]! ^= 1 << (bit % 8);
        assert.ok(!verifyConsistency(first, second, proof, broken, now));
        if (proof.length === 0) return;
        const hashes = proof.map((h) => Buffer.from(h));
        hashes[bit % hashes.length]![bit % 32]! ^= 1;
        assert.ok(!verifyConsistency(first, second, hashes, old, now));
        assert.ok(!verifyConsistency(first, second, proof.slice(1), old, now));
      }),
      { numRuns: 300 },
    );
  });
});
