import type { ErasureScope, HoldScope } from '../events/custody.ts';
import type { BlockFile } from './block-index.ts';
import type { CustodyLeaf, JseqRange } from './custody-state.ts';

export interface ScanOptions {
  readonly logDirectory: string;
  readonly vaultDirectory: string;
  /** The log's verifier keys: the checkpoint must be signed by one of them. */
  readonly keys: readonly string[];
  /** What an erasure would touch; absent: only what the record says of custody. */
  readonly question?: ErasureQuestion;
}

export interface ErasureQuestion {
  readonly scope: ErasureScope;
  /** Segments of the journal from this one on are still written: nothing of them is touched. */
  readonly finishedBefore: number;
  readonly holds: readonly { readonly hold: string; readonly scope: HoldScope }[];
}

export interface ScanResult {
  readonly size: number;
  /** The latest wall clock that any leaf shows, µs: time is not before it, whatever the clock says now. */
  readonly maxAtUs: number;
  /** Leaves about custody, in log order. */
  readonly leaves: readonly CustodyLeaf[];
  /** Newest leaf of each journal. */
  readonly last: ReadonlyMap<string, number>;
  readonly plan?: ErasurePlan;
}

/** A leaf, and which of its contents go. */
export interface ErasureTarget {
  readonly journal: string;
  readonly jseq: number;
  readonly fields: readonly string[];
}

export interface ErasurePlan {
  /** Names of holds that keep something of it. */
  readonly held: readonly string[];
  /** Block files that it touches. */
  readonly files: readonly BlockFile[];
  /** Of a period: the record shows some of it to be younger than the month is, so the schedule must not take it. */
  readonly isYounger: boolean;
  /** Something that is meant lies in a segment that is still written. */
  readonly isInUse: boolean;
  /** The leaves that it is about; of sessions, others lie between them. */
  readonly ranges: readonly JseqRange[];
  /** Of sessions and leaves: what is taken out of the blocks. */
  readonly targets: readonly ErasureTarget[];
  /** Contents to be erased. */
  readonly contents: number;
}
