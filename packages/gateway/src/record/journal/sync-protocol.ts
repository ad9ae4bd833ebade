/**
 * How the data thread and the thread that syncs talk. A commit is a few numbers in shared memory and one
 * `Atomics.notify`; its end is an empty message. Everything rare goes as a message with `OP_CONTROL`.
 */

import type { MessagePort } from 'node:worker_threads';
import type { Sealing } from '../vault/sealing.ts';
import type { FaultSpec } from './faulty-file-layer.ts';

/** Int32 cells. REQUEST is written by the data thread, DONE by the worker; the rest belongs to whoever has the turn. */
export const CELL_REQUEST = 0;
export const CELL_DONE = 1;
export const CELL_OP = 2;
export const CELL_SLOT = 3;
export const CELL_LEAVES_BYTES = 4;
export const CELL_LEAF_COUNT = 5;
/** Answers of a commit. */
export const CELL_OFFSET = 6;
export const CELL_FRAME_BYTES = 7;
export const CELLS = 16;
/** Float64 cells, behind the Int32 cells. */
export const WIDE_FIRST_JSEQ = 0;
export const WIDES = 4;
/** Behind those: hash of the last frame that was synced, 32 bytes. */
export const HASH_BYTES = 32;
export const SHARED_BYTES: number = CELLS * 4 + WIDES * 8 + HASH_BYTES;

export const OP_COMMIT = 1;
export const OP_CONTROL = 2;

export interface SyncWorkerData {
  readonly shared: SharedArrayBuffer;
  readonly control: MessagePort;
  readonly journalDirectory: string;
  readonly vaultDirectory: string;
  readonly journal: string;
  readonly segmentBytes: number;
  readonly faults: FaultSpec | undefined;
}

export interface OpenSegmentRequest {
  readonly kind: 'open-segment';
  readonly number: number;
  readonly firstJseq: number;
  readonly sequence: number;
  readonly previousSegment: number;
  readonly previousHash: Uint8Array;
  readonly sealing: Sealing;
  /** Retention classes to make data keys for. */
  readonly classes: readonly string[];
  readonly snapshot: Uint8Array;
  /** Room that the next frame will need; a segment is never smaller. */
  readonly roomBytes: number;
}

/** Makes data keys for more retention classes of the segment in use. */
export interface MakeKeysRequest {
  readonly kind: 'make-keys';
  readonly classes: readonly string[];
}

export interface BuffersNotice {
  readonly kind: 'buffers';
  readonly slot: number;
  readonly leaves: SharedArrayBuffer;
  /** By retention class, each as `ClassPayloads` lays it out. */
  readonly payloads: readonly { readonly retentionClass: string; readonly memory: SharedArrayBuffer }[];
}

/** The batch with this slot is gone. */
export interface ForgetNotice {
  readonly kind: 'forget';
  readonly slot: number;
}

export interface CloseRequest {
  readonly kind: 'close';
}

export type ControlRequest =
  | OpenSegmentRequest
  | MakeKeysRequest
  | BuffersNotice
  | ForgetNotice
  | CloseRequest;

/** A data key that is durable, wrapped. */
export interface MadeKey {
  readonly retentionClass: string;
  /** Id of the key, in hex. */
  readonly key: string;
}

export interface SegmentOpened {
  readonly kind: 'segment-opened';
  readonly number: number;
  readonly offset: number;
  /** Bytes of the file. */
  readonly capacity: number;
  /** Of the next frame. */
  readonly sequence: number;
  readonly keys: readonly MadeKey[];
}

export interface KeysMade {
  readonly kind: 'keys-made';
  readonly keys: readonly MadeKey[];
}

export interface OpFailed {
  readonly kind: 'failed';
  readonly op: 'commit' | 'open-segment' | 'make-keys';
  /** errno name when the system gave one. */
  readonly code: string | undefined;
  readonly message: string;
}

/** `0` is a commit that went well. */
export type SyncAnswer = 0 | SegmentOpened | KeysMade | OpFailed | { readonly kind: 'closed' };
