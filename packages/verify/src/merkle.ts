/**
 * The Merkle tree of RFC 6962 section 2: hashes, roots, inclusion and consistency proofs.
 *
 * Sizes and indices are integers below 2^53, so halving uses arithmetic and not 32-bit operators. Hashes are
 * Buffers of 32 bytes. A "node" (level, index) is the complete subtree over leaves [index·2^level, (index+1)·2^level).
 */

import { hash } from 'node:crypto';
import { FormatError } from './errors.ts';

export const HASH_BYTES = 32;

/** The root of the tree without leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: Buffer = hash('sha256', Buffer.alloc(0), 'buffer');

const leafScratch = Buffer.alloc(8192);
const nodeScratch = Buffer.alloc(1 + 2 * HASH_BYTES);
nodeScratch[0] = 1;

/** By way of a string: in Node 24 that takes a third of the time of asking `hash` for a Buffer. */
function digestOf(bytes: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');
}

export function sha256(bytes: Uint8Array): Buffer {
  return digestOf(bytes);
}

/** SHA-256(0x00 ‖ leaf). */
export function hashLeaf(leaf: Uint8Array): Buffer {
  const length = leaf.length + 1;
  const input = length <= leafScratch.length ? leafScratch : Buffer.allocUnsafe(length);
  input[0] = 0;
  input.set(leaf, 1);
  return digestOf(input.subarray(0, length));
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function hashChildren(left: Uint8Array, right: Uint8Array): Buffer {
  nodeScratch.set(left, 1);
  nodeScratch.set(right, 1 + HASH_BYTES);
  return digestOf(nodeScratch);
}

/** The root over leaf hashes, in O(n). */
export function rootFromHashes(leafHashes: readonly Uint8Array[]): Buffer {
  const frontier = new Frontier();
  for (const leafHash of leafHashes) frontier.append(leafHash);
  return frontier.root();
}

/**
 * The right edge of a tree: the roots of its complete subtrees, largest first. Appending costs amortised one hash,
 * the root O(log n).
 */
export class Frontier {
  #size = 0;
  readonly #hashes: Buffer[] = [];
  /** By level: root of the complete subtree that the newest leaf closed. */
  readonly #closed: Buffer[] = [];

  /** Continues from a tree of `size` leaves; `hashes` as `frontierNodes(size)` lists them. */
  static resume(size: number, hashes: readonly Uint8Array[]): Frontier {
    const frontier = new Frontier();
    if (frontierNodes(size).length !== hashes.length)
      throw new FormatError('the frontier does not fit the tree size');
    frontier.#size = size;
    for (const h of hashes) frontier.#hashes.push(Buffer.from(h));
    return frontier;
  }

  get size(): number {
    return this.#size;
  }

  /** Largest subtree first. */
  get hashes(): readonly Buffer[] {
    return this.#hashes;
  }

  append(leafHash: Uint8Array): void {
    let carried = Buffer.isBuffer(leafHash) ? leafHash : Buffer.from(leafHash);
    let level = 0;
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      carried = hashChildren(this.#hashes.pop()!, carried);
      this.#closed[++level] = carried;
    }
    this.#hashes.push(carried);
    this.#size++;
  }

  /**
   * Root of the complete subtree over the last 2^level leaves. Only when the newest leaf closed it: the size is a multiple
   * of 2^level, and the level is at least 1.
   */
  closedRoot(level: number): Buffer {
    const root = this.#closed[level];
    if (root === undefined || this.#size % 2 ** level !== 0)
      throw new RangeError('the newest leaf closed no subtree of this level');
    return root;
  }

  root(): Buffer {
    return rootOfFrontier(this.#hashes);
  }
}

/** The root of the tree whose complete subtrees have these roots, largest first. */
export function rootOfFrontier(hashes: readonly Buffer[]): Buffer {
  const last = hashes.length - 1;
  if (last < 0) return Buffer.from(EMPTY_ROOT);
  let root = hashes[last]!;
  for (let i = last - 1; i >= 0; i--) root = hashChildren(hashes[i]!, root);
  return root;
}

export interface TreeNode {
  readonly level: number;
  readonly index: number;
}

/** Half-open range of leaves. */
export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

/** Reads the hash of a complete subtree. */
export type HashReader = (node: TreeNode) => Buffer | Promise<Buffer>;

/** The largest power of two below n (n >= 2). */
function splitPoint(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** The complete subtrees that make up [from, to), left to right; `from` must be aligned as in RFC 6962 subtrees. */
export function rangeNodes(range: LeafRange): TreeNode[] {
  const nodes: TreeNode[] = [];
  let { from } = range;
  while (from < range.to) {
    let level = 0;
    let width = 1;
    while (from % (width * 2) === 0 && from + width * 2 <= range.to) {
      width *= 2;
      level++;
    }
    nodes.push({ level, index: from / width });
    from += width;
  }
  return nodes;
}

export function frontierNodes(size: number): TreeNode[] {
  return rangeNodes({ from: 0, to: size });
}

async function rangeHash(range: LeafRange, read: HashReader): Promise<Buffer> {
  const nodes = rangeNodes(range);
  let folded: Buffer | undefined;
  for (const node of nodes.toReversed()) {
    const nodeHash = await read(node);
    folded = folded === undefined ? nodeHash : hashChildren(nodeHash, folded);
  }
  return folded ?? Buffer.from(EMPTY_ROOT);
}

/** The root of the tree of `size` leaves. */
export async function treeRoot(size: number, read: HashReader): Promise<Buffer> {
  return rangeHash({ from: 0, to: size }, read);
}

function assertSize(value: number, what: string): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new FormatError(`${what} is not a size`);
}

/** The ranges whose hashes prove leaf `index` in a tree of `size`, nearest first (RFC 6962 section 2.1.1). */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  assertSize(index, 'the index');
  assertSize(size, 'the tree size');
  if (index >= size) throw new FormatError('the index is not in the tree');
  const ranges: LeafRange[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + splitPoint(to - from);
    if (index < middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
    }
  }
  return ranges.toReversed();
}

/** The ranges whose hashes prove that the tree of `first` leaves is a prefix of that of `second` (section 2.1.2). */
export function consistencyRanges(first: number, second: number): LeafRange[] {
  assertSize(first, 'the first size');
  assertSize(second, 'the second size');
  if (first > second) throw new FormatError('the first tree is larger than the second');
  if (first === 0 || first === second) return [];
  const ranges: LeafRange[] = [];
  let from = 0;
  let to = second;
  while (first !== to) {
    const middle = from + splitPoint(to - from);
    if (first <= middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
    }
  }
  // The old tree itself is known to the verifier; any other subtree where the walk ends is not.
  if (from !== 0) ranges.push({ from, to });
  return ranges.toReversed();
}

async function readRanges(ranges: readonly LeafRange[], read: HashReader): Promise<Buffer[]> {
  const hashes: Buffer[] = [];
  for (const range of ranges) hashes.push(await rangeHash(range, read));
  return hashes;
}

export async function proveInclusion(index: number, size: number, read: HashReader): Promise<Buffer[]> {
  return readRanges(inclusionRanges(index, size), read);
}

export async function proveConsistency(first: number, second: number, read: HashReader): Promise<Buffer[]> {
  return readRanges(consistencyRanges(first, second), read);
}

/** The root that an inclusion proof leads to. Throws `FormatError` when the proof has the wrong length. */
export function rootFromInclusion(
  leafHash: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
): Buffer {
  const ranges = inclusionRanges(index, size);
  if (ranges.length !== proof.length) throw new FormatError('the inclusion proof has the wrong length');
  let root: Buffer = Buffer.from(leafHash);
  for (const [i, range] of ranges.entries()) {
    const sibling = proof[i]!;
    root = range.from > index ? hashChildren(root, sibling) : hashChildren(sibling, root);
  }
  return root;
}

export function verifyInclusion(
  leafHash: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (index >= size) return false;
  if (inclusionRanges(index, size).length !== proof.length) return false;
  return rootFromInclusion(leafHash, index, size, proof).equals(root);
}

/** Whether the tree (first, firstRoot) is a prefix of (second, secondRoot). */
export function verifyConsistency(
  first: number,
  second: number,
  proof: readonly Uint8Array[],
  firstRoot: Uint8Array,
  secondRoot: Uint8Array,
): boolean {
  if (first > second) return false;
  const ranges = consistencyRanges(first, second);
  if (ranges.length !== proof.length) return false;
  if (first === second) return Buffer.from(firstRoot).equals(secondRoot);
  if (first === 0) return EMPTY_ROOT.equals(firstRoot);
  // Walk outwards from where the old tree ends: a subtree left of it is in both trees, one right of it in the new only.
  let next = 0;
  const walkEndsInOldTree = ranges[0]!.from !== 0 && ranges[0]!.to === first;
  const seed = walkEndsInOldTree ? proof[next++]! : firstRoot;
  let oldRoot: Buffer = Buffer.from(seed);
  let newRoot: Buffer = Buffer.from(seed);
  for (; next < proof.length; next++) {
    const sibling = proof[next]!;
    if (ranges[next]!.from >= first) {
      newRoot = hashChildren(newRoot, sibling);
    } else {
      oldRoot = hashChildren(sibling, oldRoot);
      newRoot = hashChildren(sibling, newRoot);
    }
  }
  return oldRoot.equals(firstRoot) && newRoot.equals(secondRoot);
}
