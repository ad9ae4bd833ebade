/**
 * The events that this version records, as their authors give them: without the envelope (`v`, `id`, `at`, `mono`,
 * `journal`, `jseq`), which the recorder adds. `docs/record-format.md` defines each field. Digests and commitments
 * are base64url without padding. No field holds caller-chosen text (decision 16).
 */

import type { CatalogLoaded } from './events/catalog.ts';
import type { CustodyEvent } from './events/custody.ts';
import type { RoleEvent } from './events/roles.ts';
import type { CheckpointTimestamped } from './events/timestamp.ts';
import type { CheckpointWitnessed, Predecessor } from './events/witnessing.ts';
import type { KeyEvent } from './events/keys.ts';
import type { MaskedOfCall, MaskingOfCall } from './events/masking.ts';
import type { ExportAlert } from './events/export.ts';
import type { PolicyActivated } from './events/policy.ts';
import type { ContextFields, LeafRef } from './recorder.ts';

export interface Decision {
  readonly effect: 'permit' | 'forbid';
  /** Ids of the grants and rules that decided. */
  readonly policies: readonly string[];
  /** Error codes or rule ids that explain a refusal. */
  readonly reasons: readonly string[];
}

interface InSession {
  /** Session id (UUIDv7) and its gap-free counter from 0. */
  readonly session: string;
  readonly seq: number;
  readonly context?: LeafRef;
}

export interface SessionOpened extends InSession {
  readonly type: 'session.opened';
  readonly protocol: 'postgres';
  readonly protocolVersion: string;
  readonly channel: { readonly tls?: string; readonly binding: boolean; readonly method: string };
  /** Commitments: client address and port, application_name, start-up options. */
  readonly peer: string;
  readonly client?: string;
  /** The target's side: backend pid and its start time (µs since the epoch) for joining with its log (decision 32). */
  readonly backend: {
    readonly pid: number;
    readonly startedAtUs?: bigint;
    readonly serverVersion: string;
    readonly tls?: string;
  };
  /** Keys every `delivered` and `copied` digest of this session: a commitment; the key is in the vault. */
  readonly digestKey: string;
}

export interface SessionClosed extends InSession {
  readonly type: 'session.closed';
  readonly reason: string;
  readonly calls: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Rolling digest over the digests of the session's leaves: d0 = 32 zero bytes, d(n+1) = SHA-256(d(n) ‖ SHA-256(leaf)). Added by the recorder. */
}

export type SqlKind = string;

export interface CallIntent extends InSession, MaskingOfCall {
  readonly type: 'call.intent';
  readonly decision: Decision;
  /** First key word in lower case (`select`, `insert`, …), or `prepare`, `plan`, `fetch`, `function`, `multi`, `empty`. */
  readonly kind: SqlKind;
  readonly effect: 'read' | 'write' | 'admin' | 'unknown';
  /** Commitment to the statement text. */
  readonly statement?: string;
  /** Commitments to the parameters (type OID, format and bytes each), in order. */
  readonly params?: readonly string[];
  /** Commitment to the name of a prepared statement (or, for `fetch`, a portal) whose text the gateway does not know
   *  because it was made by SQL. Instead of `statement`. */
  readonly statementName?: string;
  /** Commitment to the body of the whole Bind or FunctionCall message, when it was too large for one commitment per
   *  parameter. Instead of `params`. */
  readonly message?: string;
  /** The target's transaction status when it was sent: I, T or E. */
  readonly txn?: string;
  /** The call whose suspended portal this one continues. */
  readonly resumes?: string;
  /** Number of statements, when more than one came in one message. */
  readonly statements?: number;
  /** Of the statement's form, without its constants: 16 hexadecimal digits (libpg_query). */
  readonly fingerprint?: string;
  /** What it touches, by the names of the target's catalog: `select bank.accounts(id,status)`. Capped. */
  readonly objects?: readonly string[];
  /** How many `objects` leaves out, and a commitment to all of them, a line each. */
  readonly objectsMore?: number;
  readonly objectsAll?: string;
  readonly after?: LeafRef;
}

export interface CallDenied extends InSession {
  readonly type: 'call.denied';
  readonly decision: Decision;
  readonly kind: SqlKind;
  readonly statement?: string;
  readonly sqlstate: string;
  readonly after?: LeafRef;
  /** So many refusals alike that have no leaf of their own (decision 20), and when the first and the last were. */
  readonly count?: number;
  readonly firstAtUs?: bigint;
  readonly lastAtUs?: bigint;
}

export interface CallVoided extends InSession {
  readonly type: 'call.voided';
  /** Id of the `call.intent` leaf that was never acted on. */
  readonly call: string;
  readonly reason: string;
}

export type CallStatus = 'ok' | 'error' | 'cancelled' | 'cut' | 'skipped';

export interface CallResult extends InSession, MaskedOfCall {
  readonly type: 'call.result';
  /** Id of the `call.intent` leaf. The result has no `id` and no `context` of its own. */
  readonly call: string;
  readonly status: CallStatus;
  readonly sqlstate?: string;
  readonly rows?: number;
  /** Number of completed statements, when not one. */
  readonly completed?: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly durationUs: number;
  /** Keyed digest of the rows released, and of COPY data taken in. */
  readonly delivered?: string;
  readonly copied?: string;
  /** True when a portal stopped at its row limit. */
  readonly suspended?: boolean;
  /** Why a status is `cancelled` or `cut`: an error code. */
  readonly cause?: string;
}

export interface AuthnResult {
  readonly type: 'authn.result';
  readonly outcome: 'accepted' | 'refused';
  /** Configured principal name; only when it exists. */
  readonly principal?: string;
  /** Commitment to the user name as sent. */
  readonly attempted?: string;
  readonly peer: string;
  readonly method: string;
  readonly reason?: string;
  /** Id of the token that was used. */
  readonly token?: string;
  readonly session?: string;
  /** Aggregation of repeated failures (decision 20). */
  readonly count?: number;
  readonly firstAtUs?: bigint;
  readonly lastAtUs?: bigint;
}

export interface ConfigChanged {
  readonly type: 'config.changed';
  readonly config: string;
  /** Commitment to the text. */
  readonly text: string;
  readonly cause: 'start' | 'reload';
}

export interface IdentityRegistered {
  readonly type: 'identity.registered';
  readonly principal: string;
  readonly owner: string;
  readonly kind: string;
}

export interface GrantIssued {
  readonly type: 'grant.issued';
  readonly grant: string;
  readonly standing: boolean;
  readonly principal: string;
  readonly target: string;
  /** Absent: a role made for the scope. */
  readonly login?: string;
  /** Digest of what it covers, in canonical form; the text is in `config.changed`. */
  readonly scope?: string;
  readonly expiresAtUs: bigint;
}

export interface GrantEnded {
  readonly type: 'grant.expired' | 'grant.revoked';
  readonly grant: string;
  readonly cause: string;
}

/** A short-lived token was given out (decision 31); `authn.result` names it when it is used. */
export interface TokenIssued {
  readonly type: 'token.issued';
  /** Its `jti`; the token itself is never recorded. */
  readonly token: string;
  readonly principal: string;
  readonly target: string;
  readonly expiresAtUs: bigint;
  /** Who asked for it, as far as the operating system knows: `uid:<n>`. */
  readonly issuer: string;
}

export interface LogRead {
  readonly type: 'log.read';
  /** Who, as far as the operating system knows it. */
  readonly reader: string;
  readonly scope: string;
  /** Leaves asked for. */
  readonly count: number;
  /** The range, jseq, both included. */
  readonly from?: number;
  readonly to?: number;
  /** What the name rests on: the socket that only the gateway's own user can open, or a signature by the reader's key. */
  readonly evidence?: 'socket' | 'signature';
  /** The reader's Ed25519 public key, 32 bytes, base64url. */
  readonly key?: string;
  /** `refused`: nothing was opened. */
  readonly outcome?: 'permitted' | 'refused';
  /** Why it was refused: a word. */
  readonly cause?: string;
}

export interface Alert {
  readonly type: 'alert';
  readonly code: string;
  readonly session?: string;
  /** Of `clock-step` (decision 36): how far the wall clock was set, µs; negative for back. */
  readonly stepUs?: number;
  /** Of `suspended`: how long the process stood still, µs, and for how much of it the machine slept. */
  readonly forUs?: number;
  readonly asleepUs?: number;
  /** Of `quota`: who is over which (`commands`, `record-bytes`). */
  readonly principal?: string;
  readonly quota?: string;
  /** Of `disk-low`: room where the record is. */
  readonly freeBytes?: number;
  /** Of witnessing: name of the witness's key. */
  readonly witness?: string;
  /** Of witnessing: size of the tree that it is about. */
  readonly size?: number;
}

/** Events that the recorder writes by itself: `log.genesis`, `software.*`, `heartbeat`, `gap.declared`, `recorder.*`, `context`. */
export type RecordEvent =
  | SessionOpened
  | SessionClosed
  | CallIntent
  | CallDenied
  | CallVoided
  | CallResult
  | AuthnResult
  | ConfigChanged
  | PolicyActivated
  | IdentityRegistered
  | GrantIssued
  | GrantEnded
  | KeyEvent
  | TokenIssued
  | LogRead
  | CatalogLoaded
  | CustodyEvent
  | CheckpointWitnessed
  | CheckpointTimestamped
  | RoleEvent
  | Alert
  | ExportAlert;

/*
 * What the recorder writes by itself. On disk every leaf has `v`, `type`, `at` (µs since the epoch), `mono` (µs of the
 * monotonic clock since boot: microseconds, because nanoseconds pass 2^53 after 104 days of uptime), `journal`, `jseq`
 * and (but for `call.result`) `id`; names are snake_case.
 */

/** The first leaf of a log. */
export interface LogGenesis {
  readonly type: 'log.genesis';
  readonly origin: string;
  /** The log's verifier key (`<name>+<id>+<base64>`). */
  readonly key: string;
  /** Fingerprint of the custodian's public key: base64url SHA-256 of its 32 bytes. */
  readonly custodian: string;
  /** The log that this one succeeds, after a restore that lost leaves of it. */
  readonly succeeds?: Predecessor;
}

export interface SoftwareStarted {
  readonly type: 'software.started';
  readonly version: string;
  /** Digest of the software, base64url SHA-256. */
  readonly software: string;
  readonly node: string;
  readonly boot: string;
  /** Whether the run before ended with `software.stopped`; `first` for a new log. */
  readonly previous: 'first' | 'stopped' | 'crashed';
  /** Retention class of contents in this run, where the context of a leaf names no other. */
  readonly class?: string;
}

export interface SoftwareStopped {
  readonly type: 'software.stopped';
  readonly reason: string;
}

/** Counters since the heartbeat before (or the start). */
export interface Heartbeat {
  readonly type: 'heartbeat';
  readonly calls: number;
  readonly denied: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Sessions open now. */
  readonly sessions: number;
  /** Highest `jseq` of every journal of the node, this leaf not counted. */
  readonly journals: readonly { readonly journal: string; readonly jseq: number }[];
}

export type GapCause = 'torn-tail' | 'sync-failed' | 'sync-late' | 'corruption';

/**
 * Something happened to the journal. `corruption`: leaves `from`..`to` existed and are lost, `jseq` has that hole.
 * `sync-failed`, `sync-late`: the segment was given up after `from - 1`; leaves `from`..`to` were written again to the
 * next segment (nothing is lost, `jseq` has no hole), intents among them that were refused have a `call.voided`.
 * `torn-tail`: a frame that nobody had been told of was cut; nothing acknowledged is lost (`to` = `from` - 1).
 */
export interface GapDeclared {
  readonly type: 'gap.declared';
  readonly cause: GapCause;
  readonly segment: number;
  readonly from: number;
  readonly to: number;
  /** Leaves lost for good. */
  readonly lost: number;
}

export interface RecorderState {
  readonly type: 'recorder.degraded' | 'recorder.restored';
  readonly cause: string;
  /** `at` of the moment the state began, for a leaf that could only be written later. */
  readonly sinceUs?: number;
}

/** Constant for many leaves; cited as `context: {digest, jseq}` (and `journal` when it is another one). */
export interface ContextLeaf extends ContextFields {
  readonly type: 'context';
  readonly node: string;
  readonly version: string;
  readonly software: string;
  readonly config: string;
  readonly boot: string;
  readonly clock: string;
}

export type OwnEvent =
  | LogGenesis
  | SoftwareStarted
  | SoftwareStopped
  | Heartbeat
  | GapDeclared
  | RecorderState
  | ContextLeaf;
