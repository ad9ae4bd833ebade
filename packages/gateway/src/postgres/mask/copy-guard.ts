import { findMasked, MAX_MASKED_BYTES } from '../../masking/transforms/find-masked.ts';
import type { MaskingKeys } from '../../masking/keys.ts';

const EMPTY = Buffer.alloc(0);

/**
 * Looks for masked values in the data of a COPY … FROM STDIN, so that none is written over the value that it stands for (decision 29). What was looked at may
 * go; the end of what came is kept until more comes, because a mark may be cut in two there.
 */
export class CopyGuard {
  readonly #keys: MaskingKeys;
  #kept: Buffer = EMPTY;
  #hasFound = false;

  constructor(keys: MaskingKeys) {
    this.#keys = keys;
  }

  /** A masked value was found: nothing more of this COPY may go. */
  get hasFound(): boolean {
    return this.#hasFound;
  }

  /** What may go of everything so far. */
  take(data: Buffer): Buffer {
    const bytes = this.#kept.length === 0 ? data : Buffer.concat([this.#kept, data]);
    this.#look(bytes);
    if (this.#hasFound) return EMPTY;
    const split = Math.max(0, bytes.length - MAX_MASKED_BYTES);
    this.#kept = Buffer.from(bytes.subarray(split));
    return bytes.subarray(0, split);
  }

  /** The data has ended: what was kept may go. */
  finish(): Buffer {
    const kept = this.#kept;
    this.#kept = EMPTY;
    return kept;
  }

  #look(bytes: Buffer): void {
    if (this.#hasFound || findMasked(bytes, this.#keys) === undefined) return;
    this.#hasFound = true;
    this.#kept = EMPTY;
  }
}
