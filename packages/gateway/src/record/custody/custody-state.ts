/**
 * What the record says of custody: who the officers are, what is held, how long classes are kept, which requests were carried
 * out, which erasures have begun. Only ever read from the log, never from a file of its own that somebody could edit.
 */

import type { ErasureScope, HoldScope, OfficerEntry } from '../events/custody.ts';

/** A leaf about custody with its place, as it is on disk. */
export interface CustodyLeaf {
  readonly type: string;
  readonly at: number;
  readonly jseq: number;
  readonly journal: string;
  readonly [field: string]: unknown;
}

export interface Hold {
  readonly hold: string;
  readonly scope: HoldScope;
  readonly placedAtUs: number;
}

export interface BegunErasure {
  readonly erasure: string;
  readonly authority: 'request' | 'schedule';
  readonly request?: string;
  readonly scope: ErasureScope;
  readonly ranges: readonly JseqRange[];
  /** Data keys (hex) that go with it; of a period, all that lie there. */
  readonly keys: readonly string[];
  readonly contents: number;
  /** The leaf `erasure.started`: only leaves before it are meant. */
  readonly jseq: number;
  readonly journal: string;
  readonly isExecuted: boolean;
}

export interface JseqRange {
  readonly journal: string;
  readonly from: number;
  readonly to: number;
}

export interface OfficersInForce {
  readonly officers: readonly OfficerEntry[];
  readonly approvals: number;
  /** Whether the schedule may erase without an approval each time. */
  readonly unattended: boolean;
}

export class CustodyState {
  officers: OfficersInForce | undefined;
  readonly holds = new Map<string, Hold>();
  /** Class to days. */
  readonly retention = new Map<string, number>();
  readonly erasures = new Map<string, BegunErasure>();
  /** Requests that were carried out: never twice. */
  readonly used = new Set<string>();

  /** Takes the next leaf, in log order. */
  take(leaf: CustodyLeaf): void {
    const request = leaf['request'];
    const isVerdict = leaf.type === 'custody.approved' || leaf.type === 'custody.refused';
    if (typeof request === 'string' && !isVerdict) this.used.add(request);
    switch (leaf.type) {
      case 'officers.changed':
        this.officers = {
          officers: leaf['officers'] as readonly OfficerEntry[],
          approvals: leaf['approvals'] as number,
          unattended: leaf['unattended'] as boolean,
        };
        break;
      case 'hold.placed': {
        const hold = leaf['hold'] as string;
        this.holds.set(hold, { hold, scope: holdScopeOf(leaf['scope']), placedAtUs: leaf.at });
        break;
      }
      case 'hold.released':
        this.holds.delete(leaf['hold'] as string);
        break;
      case 'retention.changed':
        this.retention.set(leaf['class'] as string, leaf['keep_days'] as number);
        break;
      case 'erasure.started':
        this.erasures.set(leaf['erasure'] as string, erasureOf(leaf));
        break;
      case 'erasure.executed':
        this.#execute(leaf['erasure'] as string);
        break;
      default:
    }
  }

  /** Begun, and not known to have ended: a crash came between, or a disk refused. */
  unfinished(): BegunErasure[] {
    return [...this.erasures.values()].filter(({ isExecuted }) => !isExecuted);
  }

  #execute(erasure: string): void {
    const begun = this.erasures.get(erasure);
    if (begun !== undefined) this.erasures.set(erasure, { ...begun, isExecuted: true });
  }
}

function holdScopeOf(scope: unknown): HoldScope {
  const { from_us: fromUs, to_us: toUs, ...rest } = scope as HoldScope & { from_us?: number; to_us?: number };
  return { ...rest, ...(fromUs !== undefined && { fromUs }), ...(toUs !== undefined && { toUs }) };
}

function erasureOf(leaf: CustodyLeaf): BegunErasure {
  return {
    erasure: leaf['erasure'] as string,
    authority: leaf['authority'] as BegunErasure['authority'],
    ...(typeof leaf['request'] === 'string' && { request: leaf['request'] }),
    scope: leaf['scope'] as ErasureScope,
    ranges: (leaf['ranges'] ?? []) as readonly JseqRange[],
    keys: (leaf['keys'] ?? []) as readonly string[],
    contents: leaf['contents'] as number,
    jseq: leaf.jseq,
    journal: leaf.journal,
    isExecuted: false,
  };
}
