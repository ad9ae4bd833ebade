/**
 * Who decided over the contents: every hold, release, erasure and change of officers must rest on a request that enough
 * officers of different owners signed, used once, before it expired, and while nothing was held. All from the log alone.
 */

import type { CanonicalObject } from './canonical-json.ts';
import { approvalsFor, isApprovalValid, scopeDigest, type Approval } from './custody-request.ts';
import type { Findings } from './findings.ts';
import type { Leaf } from './leaf.ts';

interface Officer {
  readonly officer: string;
  readonly key: string;
  /** Index into the sealed list of owners. */
  readonly owner: number;
}

const DAY_US = 86_400_000_000;
/** The classes of a log's first schedule are recorded one after another; a disk that stalls may keep them apart. */
const FIRST_SCHEDULE_US = 600_000_000;
const APPROVAL_TYPES: ReadonlySet<string> = new Set(['custody.approved', 'custody.refused']);

export class CustodyChecks {
  /** `erasure.started` leaves. */
  erasures = 0;
  readonly #findings: Findings;
  readonly #origin: string;
  #officers: readonly Officer[] | undefined;
  #approvals = 2;
  #isUnattended = false;
  /** Class to days. */
  readonly #retention = new Map<string, number>();
  /** When the first class got a limit, µs. */
  #scheduledAtUs: number | undefined;
  /** Approved and not used yet, by digest. */
  readonly #approved = new Map<string, { readonly action: string; readonly scope: string }>();
  readonly #used = new Set<string>();
  readonly #started = new Set<string>();
  readonly #holds = new Map<string, CanonicalObject>();

  constructor(findings: Findings, origin: string) {
    this.#findings = findings;
    this.#origin = origin;
  }

  /** For each sound leaf, in log order. */
  consume(index: number, leaf: Leaf): void {
    const request = leaf['request'];
    if (typeof request === 'string' && !APPROVAL_TYPES.has(leaf.type)) this.#use(index, leaf, request);
    switch (leaf.type) {
      case 'custody.approved':
        this.#approve(index, leaf);
        break;
      case 'officers.changed':
        this.#changeOfficers(index, leaf);
        break;
      case 'retention.changed':
        this.#changeRetention(index, leaf);
        break;
      case 'hold.placed':
        this.#holds.set(leaf['hold'] as string, leaf['scope'] as CanonicalObject);
        break;
      case 'hold.released':
        if (!this.#holds.delete(leaf['hold'] as string))
          this.#report(index, 'custody-order', 'a hold is released that was not there');
        break;
      case 'erasure.started':
        this.#startErasure(index, leaf);
        break;
      case 'erasure.executed':
        if (!this.#started.delete(leaf['erasure'] as string))
          this.#report(index, 'custody-order', 'an erasure ends that never began');
        break;
      default:
    }
  }

  #report(index: number, code: string, message: string): void {
    this.#findings.report(code, 'ALTERED', message, index);
  }

  #use(index: number, leaf: Leaf, request: string): void {
    const approved = this.#approved.get(request);
    if (approved === undefined) {
      const why = this.#used.has(request) ? 'was carried out before' : 'nobody approved';
      this.#report(index, 'custody-unapproved', `a leaf carries out a request that ${why}`);
      return;
    }
    this.#approved.delete(request);
    this.#used.add(request);
    const asked = askedBy(leaf);
    if (asked?.action === approved.action && scopeDigest(asked.scope) === approved.scope) return;
    this.#report(index, 'custody-unapproved', 'a leaf carries out something else than was approved');
  }

  #approve(index: number, leaf: Leaf): void {
    const digest = leaf['request'] as string;
    const action = leaf['action'] as string;
    const owners = new Set<number>();
    const scope = leaf['scope'] as string;
    const expiresAtUs = leaf['expires_at_us'] as number;
    const request = { log: this.#origin, action, digest, expiresAtUs, scopeDigest: scope };
    for (const approval of leaf['approvals'] as unknown as readonly Approval[]) {
      const officer = this.#officers?.find(
        ({ key, officer: name }) => name === approval.officer && key === approval.key,
      );
      if (officer !== undefined && isApprovalValid(request, approval)) owners.add(officer.owner);
      else this.#report(index, 'custody-approval', 'an approval is not signed by an officer of this log');
    }
    if (owners.size < approvalsFor(action, this.#approvals))
      this.#report(
        index,
        'custody-approval',
        'a request has fewer approvals of different owners than it needs',
      );
    if (leaf.at > expiresAtUs)
      this.#report(index, 'custody-approval', 'a request was taken after it had expired');
    if (!this.#used.has(digest)) this.#approved.set(digest, { action, scope });
  }

  #changeOfficers(index: number, leaf: Leaf): void {
    if (this.#officers !== undefined && leaf['request'] === undefined)
      this.#report(
        index,
        'custody-unapproved',
        'officers were changed without a request that officers approved',
      );
    this.#officers = leaf['officers'] as unknown as readonly Officer[];
    this.#approvals = leaf['approvals'] as number;
    this.#isUnattended = leaf['unattended'] as boolean;
  }

  #changeRetention(index: number, leaf: Leaf): void {
    const name = leaf['class'] as string;
    const days = leaf['keep_days'] as number;
    const before = this.#retention.get(name);
    this.#scheduledAtUs ??= leaf.at;
    // A class that nobody limited is kept for ever: any limit is shorter, but for those of the log's first schedule.
    const isShorter =
      before === undefined ? leaf.at > this.#scheduledAtUs + FIRST_SCHEDULE_US : days < before;
    if (isShorter && leaf['request'] === undefined)
      this.#report(index, 'custody-unapproved', 'a class is kept for less long and nobody approved it');
    this.#retention.set(name, days);
  }

  #startErasure(index: number, leaf: Leaf): void {
    this.erasures++;
    this.#started.add(leaf['erasure'] as string);
    if (leaf['authority'] === 'request' && leaf['request'] === undefined)
      this.#report(index, 'custody-unapproved', 'an erasure names no request');
    const scope = leaf['scope'] as CanonicalObject;
    if (leaf['authority'] === 'schedule' && !this.#isDue(scope, leaf.at))
      this.#report(index, 'custody-unapproved', 'the schedule erased what it did not yet have to erase');
    for (const hold of this.#holds.values()) {
      if (!isPlainlyHeld(scope, hold)) continue;
      this.#report(index, 'erasure-held', 'contents were erased while they were held');
    }
  }

  #isDue(scope: CanonicalObject, atUs: number): boolean {
    const days = this.#retention.get(scope['class'] as string);
    if (!this.#isUnattended || scope['kind'] !== 'period' || days === undefined) return false;
    return endOfPeriodUs(scope['period'] as string) + days * DAY_US <= atUs;
  }
}

/** What a request must have asked for so that this leaf may carry it out. */
function askedBy(leaf: Leaf): { readonly action: string; readonly scope: CanonicalObject } | undefined {
  switch (leaf.type) {
    case 'erasure.started':
      return { action: 'erase', scope: leaf['scope'] as CanonicalObject };
    case 'hold.placed':
      return { action: 'place-hold', scope: leaf['scope'] as CanonicalObject };
    case 'hold.released':
      return { action: 'release-hold', scope: { hold: leaf['hold']! } };
    case 'retention.changed':
      return { action: 'set-retention', scope: { class: leaf['class']!, keep_days: leaf['keep_days']! } };
    case 'officers.changed': {
      const { approvals, officers, unattended } = leaf;
      return {
        action: 'change-officers',
        scope: { approvals: approvals!, officers: officers!, unattended: unattended! },
      };
    }
    default:
      return undefined;
  }
}

/** When a period is over, µs. */
export function endOfPeriodUs(period: string): number {
  const [year = 0, month = 0] = period.split('-').map(Number);
  return Date.UTC(year, month, 1) * 1000;
}

/** Overlaps that the two scopes show by themselves; what needs the leaves' times and principals is for the gateway. */
function isPlainlyHeld(scope: CanonicalObject, hold: CanonicalObject): boolean {
  if (hold['kind'] === 'all') return true;
  if (hold['kind'] === 'period' && scope['kind'] === 'period') {
    return (
      (hold['class'] === undefined || hold['class'] === scope['class']) &&
      (hold['period'] === undefined || hold['period'] === scope['period'])
    );
  }
  if (hold['kind'] === 'session' && scope['kind'] === 'sessions')
    return (scope['sessions'] as readonly string[]).includes(hold['session'] as string);
  return false;
}
