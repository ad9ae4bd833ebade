/**
 * What the next group commit will write: leaves and payloads, encoded straight into memory that the thread that syncs
 * also sees. Filled by the data thread; while it is being written nobody changes it.
 */

import type { AppendedLeaf } from './appended-leaf.ts';

const LEAVES_BYTES = 64 * 1024;
const PAYLOADS_BYTES = 64 * 1024;
/** A batch that had to grow beyond this is not kept for the next use. */
const KEPT_BYTES = 4 * 1024 * 1024;
/** In front of a class's payloads: their bytes and their number (Int32 both), for the thread that syncs. */
export const PAYLOADS_HEADER_BYTES = 8;

/** Payloads of one retention class: they are sealed together. */
export class ClassPayloads {
  readonly retentionClass: string;
  /** Shared with the thread that syncs: the header, then entries. Another one when it had to grow. */
  memory: SharedArrayBuffer;
  /** Views of it. */
  entries: Buffer;
  #header: Int32Array;
  bytes = 0;
  count = 0;

  constructor(retentionClass: string) {
    this.retentionClass = retentionClass;
    this.memory = new SharedArrayBuffer(PAYLOADS_HEADER_BYTES + PAYLOADS_BYTES);
    this.entries = Buffer.from(this.memory, PAYLOADS_HEADER_BYTES);
    this.#header = new Int32Array(this.memory, 0, 2);
  }

  grow(more: number): void {
    const { bytes, entries } = this;
    this.memory = new SharedArrayBuffer(PAYLOADS_HEADER_BYTES + grownLength(entries.length, bytes + more));
    this.entries = Buffer.from(this.memory, PAYLOADS_HEADER_BYTES);
    this.#header = new Int32Array(this.memory, 0, 2);
    entries.copy(this.entries, 0, 0, bytes);
  }

  /** Tells the thread that syncs what there is. */
  publish(): void {
    this.#header[0] = this.bytes;
    this.#header[1] = this.count;
  }
}

export class Batch {
  /** Number under which the thread that syncs knows the buffers. */
  readonly slot: number;
  /** False when buffers came, or were replaced, since they were last shown to that thread. */
  isShown = false;
  leaves: Buffer = Buffer.from(new SharedArrayBuffer(LEAVES_BYTES));
  leavesBytes = 0;
  leafCount = 0;
  firstJseq = 0;
  /** One for each retention class that this batch has ever held; most of the time that is one. */
  readonly payloads: ClassPayloads[] = [];
  /** Monotonic ms of the first leaf; the deadline of the whole batch counts from it. */
  startedAtMs = 0;
  readonly appended: AppendedLeaf[] = [];

  constructor(slot: number) {
    this.slot = slot;
  }

  /** Makes room for `more` bytes of leaves. */
  reserveLeaves(more: number): void {
    if (this.leavesBytes + more > this.leaves.length) {
      this.leaves = grow(this.leaves, this.leavesBytes, more);
      this.isShown = false;
    }
  }

  /** Where payloads of a retention class go, with room for `more` bytes of entries. */
  payloadsOf(retentionClass: string, more: number): ClassPayloads {
    let own = this.#find(retentionClass);
    if (own === undefined) {
      own = new ClassPayloads(retentionClass);
      this.payloads.push(own);
      this.isShown = false;
    }
    if (own.bytes + more > own.entries.length) {
      own.grow(more);
      this.isShown = false;
    }
    return own;
  }

  #find(retentionClass: string): ClassPayloads | undefined {
    for (const own of this.payloads) if (own.retentionClass === retentionClass) return own;
    return undefined;
  }

  get bytes(): number {
    let bytes = this.leavesBytes;
    for (const own of this.payloads) bytes += own.bytes;
    return bytes;
  }

  /** Sealed blocks that it will have: one for each class with payloads. */
  get blocks(): number {
    let blocks = 0;
    for (const own of this.payloads) if (own.bytes > 0) blocks++;
    return blocks;
  }

  /** Whether it is worth keeping for another use. */
  clear(): boolean {
    let kept = this.leaves.length;
    for (const own of this.payloads) {
      kept += own.entries.length;
      own.bytes = 0;
      own.count = 0;
    }
    this.leavesBytes = 0;
    this.leafCount = 0;
    this.appended.length = 0;
    return kept <= KEPT_BYTES;
  }
}

function grow(buffer: Buffer, used: number, more: number): Buffer {
  const larger = Buffer.from(new SharedArrayBuffer(grownLength(buffer.length, used + more)));
  buffer.copy(larger, 0, 0, used);
  return larger;
}

function grownLength(length: number, needed: number): number {
  let grown = length * 2;
  while (grown < needed) grown *= 2;
  return grown;
}
