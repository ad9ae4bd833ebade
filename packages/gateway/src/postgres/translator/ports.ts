import type { Socket } from 'node:net';
import type { Limits } from '../../config/config.ts';
import type { CountersignError } from '../../errors.ts';
import type { MaskingKeys } from '../../masking/keys.ts';
import type { Classification, MaskingRules } from '../../masking/rules.ts';
import type { Session } from '../../session/session.ts';
import type { SessionAnalysis } from '../analysis/session-analysis.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { RecordOwnStatement } from './own-questions.ts';

/** The client's side after `welcomeClient`: `AuthenticatedClient` is one. The socket is paused, `leftover` comes first. */
export interface ClientSide {
  readonly socket: Socket;
  readonly leftover: Buffer;
  sendFatal(error: CountersignError): void;
}

/** The target's side, idle: `TargetConnection` is one. */
export interface TargetSide {
  readonly socket: Socket;
  readonly leftover: Buffer;
  /** Sends a CancelRequest for this backend and resolves when the target took it. Never rejects. */
  cancel(): Promise<void>;
}

/** The limits that hold inside a session. `idleTimeoutMs` and `statementTimeoutMs`: 0 = none. */
export type SessionLimits = Pick<Limits, 'idleTimeoutMs' | 'statementTimeoutMs' | 'maxStatementBytes'>;

/** Counters for metrics; called about once per turn, never per row. */
export interface RelayObserver {
  onBytes?(up: number, down: number): void;
}

/** What masking is, for the sessions of one target. */
export interface SessionMasking {
  readonly rules: MaskingRules;
  readonly keys: MaskingKeys;
  /** Which columns are regulated. Asked for every command: kept by catalog. */
  classification(catalog: Catalog): Classification;
}

export interface ServeSessionOptions {
  readonly client: ClientSide;
  readonly target: TargetSide;
  readonly session: Session;
  readonly limits: SessionLimits;
  /** `targets.<name>.settings.allow`: settings a client may change beyond the built-in list. */
  readonly allowedSettings: readonly string[];
  readonly observer?: RelayObserver;
  /** What texts mean in this session. It is closed with the session. */
  readonly analysis: SessionAnalysis;
  /** Records questions of the gateway's own in the client's session. Absent: none is asked, and names that are not known stay so. */
  readonly recordOwn?: RecordOwnStatement;
  /** Absent: nothing is masked. */
  readonly masking?: SessionMasking | undefined;
}

/** A session that is being relayed: what `serveSession(options: ServeSessionOptions)` in `serve-session.ts` gives at once. */
export interface ServedSession {
  /** For the cancel registry: cancels the client's command in the target, if one is under way. Never throws. */
  cancel(): void;
  /** Ends the session at once (decision 11), whatever is under way: for the end of a drain's patience. Never throws. */
  stop(error: CountersignError): void;
  /** Resolves when both sockets are closed and `session.closed` was appended (and is on disk, if the disk works). Never
   *  rejects. To end it early: `session.requestEnd(error)`. */
  readonly done: Promise<void>;
}
