/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
/** The data thread's end of the thread that syncs: one operation at a time. */

import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import type { Batch } from './batch.ts';
import * as protocol from './sync-protocol.ts';

export type SyncThreadOptions = Omit<protocol.SyncWorkerData, 'shared' | 'control'>;

export class SyncThread {
  readonly #worker: Worker;
  readonly #control: MessagePort;
  readonly #cells: Int32Array;
  readonly #wides: Float64Array;
  readonly #hash: Buffer;
  readonly #exited: Promise<void>;
  #request = 0;

  /** `onAnswer` is called on the data thread once for every commit, open, making of keys and close; `onDeath` if the thread dies. */
  constructor(
    options: SyncThreadOptions,
    onAnswer: (answer: protocol.SyncAnswer) => void,
    onDeath: (error: Error) => void,
  ) {
    const shared = new SharedArrayBuffer(protocol.SHARED_BYTES);
    this.#cells = new Int32Array(shared, 0, protocol.CELLS);
    this.#wides = new Float64Array(shared, protocol.CELLS * 4, protocol.WIDES);
    this.#hash = Buffer.from(shared, protocol.CELLS * 4 + protocol.WIDES * 8, protocol.HASH_BYTES);
    const { port1, port2 } = new MessageChannel();
    this.#control = port1;
    const workerData: protocol.SyncWorkerData = { ...options, shared, control: port2 };
    const file = import.meta.url.endsWith('.ts') ? './sync-worker.ts' : './sync-worker.js';
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData, transferList: [port2] });
    this.#worker.on('message', onAnswer);
    this.#worker.on('error', onDeath);
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
  }

  /** Writes and syncs a batch. It must not change until the answer. */
  commit(batch: Batch): void {
    if (!batch.isShown) {
      batch.isShown = true;
      this.#post({
        kind: 'buffers',
        slot: batch.slot,
        leaves: batch.leaves.buffer as unknown as SharedArrayBuffer,
        payloads: batch.payloads.map(({ memory, retentionClass }) => ({ retentionClass, memory })),
      });
    }
    const cells = this.#cells;
    cells[protocol.CELL_SLOT] = batch.slot;
    cells[protocol.CELL_LEAVES_BYTES] = batch.leavesBytes;
    cells[protocol.CELL_LEAF_COUNT] = batch.leafCount;
    for (const own of batch.payloads) own.publish();
    this.#wides[protocol.WIDE_FIRST_JSEQ] = batch.firstJseq;
    this.#wake(protocol.OP_COMMIT);
  }

  openSegment(request: Omit<protocol.OpenSegmentRequest, 'kind'>): void {
    this.#post({ kind: 'open-segment', ...request });
    this.#wake(protocol.OP_CONTROL);
  }

  /** More data keys for the segment that is open. */
  makeKeys(classes: readonly string[]): void {
    this.#post({ kind: 'make-keys', classes });
    this.#wake(protocol.OP_CONTROL);
  }

  /** The batch will not come again. */
  forget(batch: Batch): void {
    this.#post({ kind: 'forget', slot: batch.slot });
  }

  /** Whether the worker has finished what it was asked last (its answer may still be on its way). */
  get isIdle(): boolean {
    return Atomics.load(this.#cells, protocol.CELL_DONE) === this.#request;
  }

  /** Offset behind the last frame, and its length; valid after the answer `0`. */
  get offset(): number {
    return this.#cells[protocol.CELL_OFFSET]!;
  }

  /** Copies the hash of the last frame into `target`. Valid as `offset` is. */
  copyHash(target: Buffer): void {
    this.#hash.copy(target);
  }

  get frameBytes(): number {
    return this.#cells[protocol.CELL_FRAME_BYTES]!;
  }

  /** Closes files and ends the thread. Call it when the thread is idle. */
  async close(): Promise<void> {
    this.#post({ kind: 'close' });
    this.#wake(protocol.OP_CONTROL);
    await this.#exited;
    this.#control.close();
  }

  /** For a thread that hangs in a dead disk: does not wait for it. */
  async abandon(): Promise<void> {
    this.#control.close();
    await Promise.race([this.#worker.terminate(), new Promise((resolve) => setTimeout(resolve, 100))]);
  }

  #post(request: protocol.ControlRequest): void {
    this.#control.postMessage(request);
  }

  #wake(op: number): void {
    this.#cells[protocol.CELL_OP] = op;
    this.#request = (this.#request + 1) | 0;
    Atomics.store(this.#cells, protocol.CELL_REQUEST, this.#request);
    Atomics.notify(this.#cells, protocol.CELL_REQUEST);
  }
}
