/** Events about who decides over sealed contents, and what became of them. `docs/record-format.md` defines each field. */

/** One entry of `officers.changed`. */
export interface OfficerEntry {
  readonly officer: string;
  /** Ed25519 public key, 32 bytes, base64url. */
  readonly key: string;
  /** Index into `owners`: officers of one owner count once. */
  readonly owner: number;
}

/** The officers in force from here on. Without `request` only once, as the first of a log. */
export interface OfficersChanged {
  readonly type: 'officers.changed';
  readonly officers: readonly OfficerEntry[];
  /** Commitments to the accountable persons or teams. */
  readonly owners: readonly string[];
  /** Officers of different owners that a request needs. */
  readonly approvals: number;
  /** Whether the retention schedule may erase without a request each time. */
  readonly unattended: boolean;
  readonly request?: string;
}

/** A request with enough valid approvals was presented. Durable before anything is done for it. */
export interface CustodyApproved {
  readonly type: 'custody.approved';
  /** SHA-256 of the request document, base64url. */
  readonly request: string;
  readonly action: string;
  /** SHA-256 of the scope in canonical JSON, without its `owners`: the leaf that carries it out has just this one. */
  readonly scope: string;
  /** Commitment to the document: reason and scope in full. */
  readonly document: string;
  readonly approvals: readonly {
    readonly officer: string;
    readonly key: string;
    readonly signature: string;
  }[];
  readonly expiresAtUs: number;
}

/** A request was turned away. */
export interface CustodyRefused {
  readonly type: 'custody.refused';
  readonly request?: string;
  readonly action?: string;
  /** A word: `expired`, `replayed`, `approvals`, `held`, `malformed`, … */
  readonly cause: string;
  /** Holds that stood in the way. */
  readonly holds?: readonly string[];
}

/** What a hold keeps: everything, a class and period (either may be left out), a session, a principal, a time range. */
export interface HoldScope {
  readonly kind: 'all' | 'period' | 'session' | 'principal' | 'time';
  readonly class?: string;
  readonly period?: string;
  readonly session?: string;
  readonly principal?: string;
  /** µs since the epoch, both included. */
  readonly fromUs?: number;
  readonly toUs?: number;
}

export interface HoldPlaced {
  readonly type: 'hold.placed';
  readonly hold: string;
  readonly request: string;
  readonly scope: HoldScope;
}

export interface HoldReleased {
  readonly type: 'hold.released';
  readonly hold: string;
  readonly request: string;
}

/** What is erased: a class and period by its keys; sessions or leaves (all fields, or some) by rewriting their blocks. */
export interface ErasureScope {
  readonly kind: 'period' | 'sessions' | 'leaves';
  readonly class?: string;
  readonly period?: string;
  readonly sessions?: readonly string[];
  /** jseq, both included. */
  readonly leaves?: readonly {
    readonly journal: string;
    readonly from: number;
    readonly to: number;
    readonly fields?: readonly string[];
  }[];
}

/** Durable before the first byte goes. Whoever finds it without its `erasure.executed` completes it. */
export interface ErasureStarted {
  readonly type: 'erasure.started';
  readonly erasure: string;
  readonly authority: 'request' | 'schedule';
  readonly request?: string;
  readonly scope: ErasureScope;
  /** Leaves outside of them are not meant, whatever the scope says. */
  readonly ranges: readonly { readonly journal: string; readonly from: number; readonly to: number }[];
  /** Data keys (hex) that are destroyed and replaced, where blocks are rewritten: for who keeps copies of them. */
  readonly keys?: readonly string[];
  /** Contents that are there to be erased. */
  readonly contents: number;
}

export interface ErasureExecuted {
  readonly type: 'erasure.executed';
  readonly erasure: string;
  /** Contents and data keys that are no more, spooled objects among the contents. */
  readonly contents: number;
  readonly keys: number;
}

/** How long a class is kept, from here on. */
export interface RetentionChanged {
  readonly type: 'retention.changed';
  readonly class: string;
  readonly keepDays: number;
  readonly request?: string;
}

/** Contents left the gateway for the reader of `log.read`. Durable before they do. */
export interface LogDelivered {
  readonly type: 'log.delivered';
  /** Id of the `log.read`. */
  readonly read: string;
  readonly contents: number;
  readonly bytes: number;
}

export type CustodyEvent =
  | OfficersChanged
  | CustodyApproved
  | CustodyRefused
  | HoldPlaced
  | HoldReleased
  | ErasureStarted
  | ErasureExecuted
  | RetentionChanged
  | LogDelivered;
