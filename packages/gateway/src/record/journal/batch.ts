/**
 * What the next group commit will write: leaves and payloads, encoded straight into memory that the thread that syncs
 * also sees. Filled by the data thread; while it is being written nobody changes it.
 */

import type { AppendedLeaf } from './appended-leaf.ts';

const LEAVES_BYTES = 64 * 1024;
const PAYLOADS_BYTES = 64 * 1024;
/** A batch that had to grow beyond this is not kept for the next use. */
const KEPT_BYTES = 4 * 1024 * 1024;

export class Batch {
  /** Number under which the thread that syncs knows the two buffers. */
  readonly slot: number;
  /** False when the buffers were replaced since they were last shown to that thread. */
  isShown = false;
  leaves: Buffer = Buffer.from(new SharedArrayBuffer(LEAVES_BYTES));
  leavesBytes = 0;
  leafCount = 0;
  firstJseq = 0;
  payloads: Buffer = Buffer.from(new SharedArrayBuffer(PAYLOADS_BYTES));
  payloadsBytes = 0;
  payloadCount = 0;
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

  reservePayloads(more: number): void {
    if (this.payloadsBytes + more > this.payloads.length) {
      this.payloads = grow(this.payloads, this.payloadsBytes, more);
      this.isShown = false;
    }
  }

  get bytes(): number {
    return this.leavesBytes + this.payloadsBytes;
  }

  /** Whether it is worth keeping for another use. */
  clear(): boolean {
    this.leavesBytes = 0;
    this.leafCount = 0;
    this.payloadsBytes = 0;
    this.payloadCount = 0;
    this.appended.length = 0;
    return this.leaves.length + this.payloads.length <= KEPT_BYTES;
  }
}

function grow(buffer: Buffer, used: number, more: number): Buffer {
  let length = buffer.length * 2;
  while (length < used + more) length *= 2;
  const larger = Buffer.from(new SharedArrayBuffer(length));
  buffer.copy(larger, 0, 0, used);
  return larger;
}
