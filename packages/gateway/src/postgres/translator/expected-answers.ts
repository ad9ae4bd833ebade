import type { CountersignError } from '../../errors.ts';
import type { Call } from './call.ts';
import type { NameMove } from '../analysis/session-names.ts';
import type { NameChange } from './name-table.ts';
import type { Portal, PreparedStatement } from './prepared-statements.ts';

/** What the client sent, by the answer that it will get. `copyEnd` (CopyDone, CopyFail) gets none of its own. */
export type UnitKind =
  | 'query'
  | 'function'
  | 'parse'
  | 'bind'
  | 'describe'
  | 'execute'
  | 'close'
  | 'sync'
  | 'copyEnd'
  /** A question of the gateway's own. */
  | 'own';

/** One message whose answer is to come. */
export class Unit {
  readonly kind: UnitKind;
  /** The call it belongs to; of a held Parse or Bind only known when something claims it. */
  call: Call | undefined;
  /** The command was refused: the target got a statement that fails instead, whose error becomes ours. */
  readonly refusal: CountersignError | undefined;
  /** Whose gate its bytes waited behind. A Describe or Close has no call of its own, but falls with that one. */
  gatedBy: Call | undefined;
  /** What its success means for prepared statements or portals. */
  change: NameChange | undefined;
  /** What it may change of the names of the session, or of the catalog: to be told how it ended. */
  move: NameMove | undefined;
  /** Of a Describe or Execute: the portal, if its Bind came through us. */
  portal: Portal | undefined;
  /** Of a Describe: the prepared statement, if its Parse came through us. */
  statement: PreparedStatement | undefined;
  /** Of a Bind: the name that it gives to its portal. */
  boundName: string | undefined;
  /** It runs code of the target: any cursor may be another one behind it. Kept only where masking is configured. */
  runsOwnCode = false;
  /** It ends a transaction, which runs what was deferred. Kept only where masking is configured. */
  endsTransaction = false;
  /** A Describe of the gateway's own: the client sees nothing of its answer. */
  isOwn = false;
  /** The target skips it, because something before it in its series failed. */
  isSkipped = false;
  /** Something of the answer came. */
  isAnswered = false;

  constructor(kind: UnitKind, call?: Call, refusal?: CountersignError, change?: NameChange) {
    this.kind = kind;
    this.call = call;
    this.refusal = refusal;
    this.change = change;
  }
}

/**
 * Everything that was taken from the client and not yet answered, in the client's order, which is the order of the
 * target's answers.
 */
export class ExpectedAnswers {
  #units: Unit[] = [];
  #head = 0;
  /** Syncs that went into a COPY. The target ignores them there, but answers those that came too late for it. */
  spareSyncs = 0;
  /** The target is skipping until the next Sync, and that has not come from the client yet. */
  #isSkipping = false;

  get isEmpty(): boolean {
    return this.#head === this.#units.length;
  }

  /** A series has failed and its Sync has not come: the target looks at nothing before that, questions of our own included. */
  get isSkipping(): boolean {
    return this.#isSkipping;
  }

  /** How many answers are still to come. */
  get length(): number {
    return this.#units.length - this.#head;
  }

  get head(): Unit | undefined {
    return this.#units[this.#head];
  }

  /** Everything still to be answered, first to last. */
  get all(): readonly Unit[] {
    return this.#units.slice(this.#head);
  }

  push(unit: Unit): void {
    if (this.#isSkipping) {
      if (unit.kind !== 'sync') {
        unit.isSkipped = true;
        return;
      }
      this.#isSkipping = false;
    }
    if (unit.kind === 'copyEnd' && this.isEmpty) return;
    this.#units.push(unit);
  }

  /** The head is answered. An end of COPY that comes to the head is over with the COPY. */
  pop(): void {
    do this.#head += 1;
    while (this.#units[this.#head]?.kind === 'copyEnd');
    if (this.#head === this.#units.length) {
      this.#units.length = 0;
      this.#head = 0;
    } else if (this.#head >= 1024) {
      this.#units.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** After an error in a series: takes away everything up to the next Sync and gives it back. */
  skipToSync(): readonly Unit[] {
    const skipped: Unit[] = [];
    for (let unit = this.head; unit !== undefined; unit = this.head) {
      if (unit.kind === 'sync') return skipped;
      unit.isSkipped = true;
      skipped.push(unit);
      this.pop();
    }
    this.#isSkipping = true;
    return skipped;
  }

  /** A Sync that we took for one inside a COPY was answered after all: whatever was being skipped is over with it. */
  takeSpareSync(): void {
    this.spareSyncs -= 1;
    this.#isSkipping = false;
  }

  /** The COPY at the head is over, though its command may not be (a Query of several statements). */
  endCopy(): void {
    const end = this.#units.findIndex((unit, index) => index > this.#head && unit.kind === 'copyEnd');
    if (end > 0) this.#units.splice(end, 1);
  }

  /**
   * The command at the head became a COPY from the client: the target ignores Syncs until the copy ends. True if the
   * client has sent the end of the copy already.
   */
  dropSyncsInCopy(): boolean {
    const waiting = this.#units.splice(this.#head + 1);
    const end = waiting.findIndex((unit) => unit.kind === 'copyEnd');
    const inside = end < 0 ? waiting : waiting.slice(0, end);
    const kept = inside.filter((unit) => unit.kind !== 'sync');
    this.spareSyncs += inside.length - kept.length;
    this.#units.push(...kept, ...(end < 0 ? [] : waiting.slice(end)));
    return end >= 0;
  }
}
