import type { Commitment } from '../../record/recorder.ts';
import type { Bind } from '../wire/frontend/bind.ts';
import type { Unit } from './expected-answers.ts';
import type { StreamedBytes } from './gated-writer.ts';
import type { Portal, PreparedStatement } from './prepared-statements.ts';

/** The values of a Bind: in memory, or in a spool when they are too large to hold. */
export type BoundValues =
  | {
      readonly kind: 'held';
      readonly buffer: Buffer;
      readonly start: number;
      readonly end: number;
      readonly bind: Bind;
    }
  | {
      readonly kind: 'spooled';
      /** Of the whole body of the message. */
      readonly commitment: Commitment;
      readonly bytes: number;
      readonly stream: StreamedBytes;
      /** A masked value of ours is somewhere in it. */
      readonly holdsMasked: boolean;
    };

/** A message of a series that waits for an intent. For a spooled Bind the bytes are the header alone. */
export interface WindowEntry {
  readonly unit: Unit;
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
  /** Of a Parse: what it makes. */
  readonly statement?: PreparedStatement;
  /** Of a Bind: what it makes, and from what. */
  readonly portal?: Portal;
  readonly values?: BoundValues;
}

/** A client that never comes to an Execute or Sync gets intents for what it sent so far, rather than our memory. */
const LARGE_WINDOW_BYTES = 4 << 20;
const LARGE_WINDOW_ENTRIES = 1_024;

/** The messages of a series that were not forwarded yet because no intent covers them: Parse and Bind, and what came after them. */
export class SeriesWindow {
  #entries: WindowEntry[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  get isLarge(): boolean {
    return this.#bytes > LARGE_WINDOW_BYTES || this.#entries.length > LARGE_WINDOW_ENTRIES;
  }

  push(entry: WindowEntry): void {
    this.#entries.push(entry);
    this.#bytes += entry.end - entry.start;
  }

  takeAll(): WindowEntry[] {
    const entries = this.#entries;
    this.#entries = [];
    this.#bytes = 0;
    return entries;
  }
}
