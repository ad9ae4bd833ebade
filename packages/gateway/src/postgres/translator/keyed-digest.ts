import { createHash, hash, type Hash } from 'node:crypto';

/** Answers up to this size are hashed by one call at their end; longer ones as they pass. */
const SCRATCH_BYTES = 8_192;
const KEY_BYTES = 32;

/**
 * SHA-256(key ‖ bytes) over the messages of one answer, in base64url. One object serves one direction of a session,
 * one command after the other: small answers are collected in its scratch buffer, because one `crypto.hash` is several
 * times cheaper than a Hash object, and messages that lie next to each other are taken in one piece.
 */
export class KeyedDigest {
  readonly #key: Buffer;
  #scratch: Buffer | undefined;
  #used = KEY_BYTES;
  #hash: Hash | undefined;
  /** Bytes that were given and not yet taken in: they may go on in the same buffer. */
  #run: Buffer | undefined;
  #runStart = 0;
  #runEnd = 0;

  /** @param key 32 bytes, committed in `session.opened`. */
  constructor(key: Buffer) {
    this.#key = key;
  }

  /** Takes `buffer[start, end)`, which must not be written to afterwards. */
  update(buffer: Buffer, start: number, end: number): void {
    if (this.#run === buffer && this.#runEnd === start) {
      this.#runEnd = end;
      return;
    }
    this.settle();
    this.#run = buffer;
    this.#runStart = start;
    this.#runEnd = end;
  }

  /** Takes in what is pending, so that no buffer is kept alive: for the end of a turn. */
  settle(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#run = undefined;
    const length = this.#runEnd - this.#runStart;
    if (this.#hash === undefined && this.#used + length <= SCRATCH_BYTES) {
      this.#scratch ??= this.#newScratch();
      run.copy(this.#scratch, this.#used, this.#runStart, this.#runEnd);
      this.#used += length;
      return;
    }
    this.#hash ??= createHash('sha256').update((this.#scratch ?? this.#key).subarray(0, this.#used));
    this.#hash.update(run.subarray(this.#runStart, this.#runEnd));
  }

  /** The digest of what came since the last `finish`, or undefined if nothing did. Starts anew. */
  finish(): string | undefined {
    this.settle();
    let digest: string | undefined;
    if (this.#hash !== undefined) digest = this.#hash.digest('base64url');
    else if (this.#used > KEY_BYTES)
      digest = hash('sha256', this.#scratch!.subarray(0, this.#used), 'base64url');
    this.#hash = undefined;
    this.#used = KEY_BYTES;
    return digest;
  }

  #newScratch(): Buffer {
    const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
    this.#key.copy(scratch);
    return scratch;
  }
}
