import type { FaultSpec } from '../journal/faulty-file-layer.ts';
import type { SegmentMark } from '../journal/journal.ts';
import type { CosignRequest, Kept, NotKept } from './kept-cosignatures.ts';

export interface IntegratorOptions {
  readonly journalDirectory: string;
  readonly logDirectory: string;
  readonly vaultDirectory: string;
  readonly journal: string;
  readonly origin: string;
  /** PKCS#8 PEM or `PRIVATE+KEY+…` of the log's Ed25519 key. */
  readonly signingKey: string;
  /** The key before it, in the same forms: signs as well. */
  readonly previousKey?: string | undefined;
  readonly segmentBytes: number;
  readonly faults: FaultSpec | undefined;
}

/** What the log holds, from its checkpoint. */
export interface LogState {
  readonly size: number;
  /** Highest jseq of the journal in the log; -1 when there is none. */
  readonly jseq: number;
}

export interface IntegrateRequest {
  readonly kind: 'integrate';
  /** Acknowledged stretches, oldest first; the last one is the segment in use. */
  readonly marks: readonly SegmentMark[];
  /** The newest leaf that was acknowledged. */
  readonly durableJseq: number;
  /** Prepare a segment in advance. */
  readonly wantSpare: boolean;
  /** Wall clock for the checkpoint, µs. */
  readonly atUs: number;
}

export type IntegratorRequest = IntegrateRequest | CosignRequest | { readonly kind: 'close' };

export interface Integrated extends LogState {
  readonly kind: 'integrated';
  readonly freeBytes: number;
  /** Segments before this one are not needed any more. */
  readonly oldestSegment: number;
}

export interface IntegratorFailed {
  readonly kind: 'failed';
  readonly code: string | undefined;
  readonly message: string;
  /** The record itself is in doubt: going on would make it worse. */
  readonly isFatal: boolean;
}

export type IntegratorAnswer =
  | ({ readonly kind: 'ready' } & LogState)
  | Integrated
  | IntegratorFailed
  | Kept
  | NotKept;
