/** A log in memory whose key the test holds: it grows, signs whatever it is told to, and proves what is true. */

import {
  createSignerFromSeed,
  formatAddCheckpoint,
  formatVerifierKey,
  hashLeaf,
  proveConsistency,
  rootFromHashes,
  signCheckpoint,
  timeExtension,
} from 'countersign-verify';
import type { NoteSigner } from 'countersign-verify';

export class MemoryLog {
  readonly signer: NoteSigner;
  readonly vkey: string;
  readonly #leaves: Buffer[];

  /** `history` tells one past from another of the same log. */
  constructor(origin = 'log.example/bank', size = 0, history = 'leaf', seed = 7) {
    this.signer = createSignerFromSeed(origin, Buffer.alloc(32, seed));
    this.vkey = formatVerifierKey(this.signer);
    this.#leaves = Array.from({ length: size }, (_, i) => hashLeaf(Buffer.from(`${history} ${i}`)));
  }

  get origin(): string {
    return this.signer.name;
  }

  get size(): number {
    return this.#leaves.length;
  }

  append(leaf: string): void {
    this.#leaves.push(hashLeaf(Buffer.from(leaf)));
  }

  root(size: number = this.size): Buffer {
    return rootFromHashes(this.#leaves.slice(0, size));
  }

  /** The tree's first `size` leaves, signed; with the time extension of our own logs when `timeUs` is given. */
  checkpoint(size: number = this.size, timeUs?: number): string {
    const extensions = timeUs === undefined ? [] : [timeExtension(timeUs)];
    return signCheckpoint({ origin: this.origin, size, root: this.root(size), extensions }, this.signer);
  }

  consistency(from: number, to: number = this.size): Promise<Buffer[]> {
    return proveConsistency(from, to, ({ index, level }) =>
      rootFromHashes(this.#leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)),
    );
  }

  /** The body of a true request. */
  async request(from: number, to: number = this.size, timeUs?: number): Promise<string> {
    const proof = await this.consistency(from, to);
    return formatAddCheckpoint({ oldSize: from, proof, checkpoint: this.checkpoint(to, timeUs) });
  }
}
