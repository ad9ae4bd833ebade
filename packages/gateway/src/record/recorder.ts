import type { RecordEvent } from './events.ts';

/**
 * What the rest of the gateway sees of the record. One `Recorder` is one journal (one per worker).
 *
 * Every method is called on the data thread. `append` assigns `id`, `at`, `mono`, `journal` and the gap-free `jseq`
 * synchronously, so the order of calls is the order of the journal; the disk follows.
 */

/** Content that goes to the vault, and the commitment to it that goes into a leaf. */
export interface Commitment {
  /** base64url (no padding) of SHA-256(salt ‖ bytes). */
  readonly digest: string;
  /** 32 random bytes. */
  readonly salt: Uint8Array;
  /** The committed bytes; absent when they were spooled (see `Spool`). Not copied: do not change them before `append` returns. */
  readonly bytes?: Uint8Array;
  /** Id of the spooled object in the vault, when the bytes were too large to hold. */
  readonly spool?: string;
}

export interface Payload {
  /** Path of the committed field in the leaf: `statement`, `params.0`, … */
  readonly field: string;
  readonly commitment: Commitment;
}

/** The place of a leaf in its journal. Cited as `context` and `after`. */
export interface LeafRef {
  readonly journal: string;
  readonly jseq: number;
  /** base64url SHA-256 of the leaf's bytes; present for context leaves. */
  readonly digest?: string;
}

export interface Appended {
  readonly journal: string;
  readonly jseq: number;
  /** The leaf's own id (UUIDv7). */
  readonly id: string;
  /** Bytes of the leaf and its contents. Absent where nothing is written. */
  readonly bytes?: number;
  /** True once the bytes are on disk. */
  readonly isDurable: boolean;
  /**
   * Calls back once: without an error when the leaf is on disk, with one (`CS_RECORD_TIMEOUT`, `CS_RECORD_FAILED`)
   * when it is not and the caller must refuse. Calls back at once when the outcome is already known. Callbacks run
   * in `jseq` order, all of one group commit in one turn of the event loop.
   */
  onDurable(callback: (error?: Error) => void): void;
  /** The same as a promise, for paths that are not hot. */
  durable(): Promise<void>;
}

/** A value too large to hold in memory on its way to the sealed vault. */
export interface Spool {
  /** Resolves when the next chunk may come. */
  write(chunk: Uint8Array): Promise<void>;
  /** Makes it durable and gives the commitment; nothing may refer to it earlier. */
  finish(): Promise<Commitment>;
  /** The bytes again, in order, after `finish`. */
  read(): AsyncIterable<Uint8Array>;
  abort(): Promise<void>;
}

export interface AppendOptions {
  /**
   * `sync` (default): start a group commit for it at once.
   * `ride`: written with the next group commit, or by itself after `record.resultDelayMs`.
   */
  readonly urgency?: 'sync' | 'ride';
  /** Control events keep their own reserved room (decisions 19 and 20). Default false. */
  readonly control?: boolean;
  /** Retention class under which the payloads are sealed. Default: the gateway's own, `vault.retentionClass`. */
  readonly retentionClass?: string | undefined;
}

export interface RecorderHealth {
  readonly ready: boolean;
  /** Why not, as a sentence with no secrets. */
  readonly reason?: string;
  /** True when commands are taken although it is not ready: they are in the journal, and only the log waits. Absent: as `ready`. */
  readonly takesCommands?: boolean;
  /** True when it cannot recover by itself: the process must stop. Absent: false. */
  readonly isFatal?: boolean;
  readonly durableJseq: number;
  readonly appendedJseq: number;
  readonly integratedJseq: number;
  readonly treeSize: number;
  /** ms since the newest signed checkpoint. */
  readonly checkpointAgeMs: number;
  readonly freeBytes: number;
  /** Less than `record.warnFree` is free. Absent: false. */
  readonly isLow?: boolean;
}

export interface Recorder {
  readonly journal: string;
  readonly node: string;

  /** A fresh salt and SHA-256(salt ‖ bytes). */
  commit(bytes: Uint8Array): Commitment;

  /**
   * Puts a leaf into the journal. Throws `CS_RECORD_FULL`, `CS_RECORD_FAILED` or `CS_RECORD_TIMEOUT` when it cannot
   * be admitted; then nothing was written and `jseq` did not move. A `call.intent` also reserves the room of its
   * result; `call.result` and `session.closed` are never refused for room.
   */
  append(event: RecordEvent, payloads?: readonly Payload[], options?: AppendOptions): Appended;

  /** Appends a `context` leaf and gives the reference that later leaves cite. */
  openContext(fields: ContextFields, payloads?: readonly Payload[]): LeafRef;

  /** The leaf that names the value must be appended with the same retention class. */
  openSpool(retentionClass?: string): Promise<Spool>;

  health(): RecorderHealth;
  /** Called on every change between ready and not ready, and when room runs low or is there again. */
  onHealthChange(callback: (health: RecorderHealth) => void): void;

  /** Latest group-commit figures, for metrics: called after each group commit. */
  onCommit(
    callback: (commit: {
      readonly latencyMs: number;
      readonly leaves: number;
      readonly bytes: number;
    }) => void,
  ): void;

  /** Appends `software.stopped`, waits for the disk and for a checkpoint that covers it, closes files. */
  close(reason: string): Promise<void>;
}

/** What stays constant for many leaves (decision 13). Strings are configured names, opaque ids or digests. */
export interface ContextFields {
  readonly principal?: string;
  /** Digest of a commitment: the owner is personal data. */
  readonly owner?: string;
  readonly principalKind?: string;
  readonly chain?: readonly {
    readonly from: string;
    readonly to: string;
    readonly evidence: string;
    readonly verified: boolean;
  }[];
  readonly grant?: { readonly id: string; readonly standing: boolean; readonly expiresAtUs: bigint };
  readonly target?: { readonly name: string; readonly protocol: string; readonly login: string };
  /** How statements of this session are understood: `catalog`, or `lexical` where nothing judges what they touch. */
  readonly analysis?: string;
  /** Digest of the policies in force. */
  readonly policy?: string;
  /** Digest of the canonical scope of the grant. */
  readonly scope?: string;
  /** Epoch of the catalog snapshot that the objects of calls are named by. */
  readonly catalog?: string;
  /** Version of the masking rules in force: base64url SHA-256. Absent: nothing is masked. */
  readonly masking?: string;
  /** Digest of which columns of the target are regulated, in the catalog that the calls were analysed by. */
  readonly classification?: string;
  /** Whose privileges the session has in the target: of a role made for the scope, or of a configured login. */
  readonly role?: 'scope' | 'configured';
  /**
   * Retention class of the contents of leaves that cite this context; its own `owner` is under the gateway's. Not written where that is
   * the same.
   */
  readonly class?: string | undefined;
}
