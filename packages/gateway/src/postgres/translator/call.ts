import type { CountersignError } from '../../errors.ts';
import type { CallStatus } from '../../record/events.ts';
import type { Command, Outcome } from '../../session/command.ts';
import type { EnteredUse } from '../catalog/definition-uses.ts';
import type { CallMask } from './call-mask.ts';
import { Gate } from './gated-writer.ts';
import type { KeyedDigest } from './keyed-digest.ts';

/** A command between its intent and its result, with what is counted of it on the way. */
export class Call {
  readonly command: Command;
  /** Opens when the intent is on disk; the command's messages wait behind it. */
  readonly gate = new Gate();
  /** Set when the intent did not get to disk in time: the target gets a statement that fails in place of this one. */
  refusal: CountersignError | undefined;
  /** For a `prepare` or `plan`: the message whose answer ends it. */
  endsWith: 'parse' | 'bind' | undefined;
  bytesUp = 0;
  bytesDown = 0;
  /** DataRows that were counted, and rows as the tags tell; -1: no tag told any. */
  dataRows = 0;
  taggedRows = -1;
  completed = 0;
  sqlstate: string | undefined;
  isSuspended = false;
  /** The target asked for COPY data. */
  isCopyIn = false;
  /** COPY data as it went to the target. */
  copied: KeyedDigest | undefined;
  /** What of its answer is masked. Undefined: nothing. */
  mask: CallMask | undefined;
  /** Its COPY was ended by the gateway: the target was told that it failed, and its error becomes this one. */
  stopped: CountersignError | undefined;
  /** Why the gateway kept back the rest of its answer: an error code. */
  withheldFor: string | undefined;
  /** What it uses of definitions while it is under way. Kept only where something is regulated. */
  use: EnteredUse | undefined;
  /** Why it was cancelled by the gateway: an error code. */
  cancelCause: string | undefined;

  constructor(command: Command) {
    this.command = command;
  }

  /** Whether its result must be on disk before the client may rely on it (decision 5). */
  get mayHaveWritten(): boolean {
    return this.command.effect !== 'read' && this.endsWith === undefined;
  }

  get wasForwarded(): boolean {
    return this.gate.passedAtMs !== undefined;
  }

  /** What goes into `call.result`. `isSimple`: several statements may have completed. */
  outcome(status: CallStatus, delivered: string | undefined, cause?: string): Outcome {
    const rows = this.taggedRows >= 0 ? this.taggedRows : this.dataRows;
    const hasRows = this.taggedRows >= 0 || this.dataRows > 0;
    const copied = this.isCopyIn ? this.copied?.finish() : undefined;
    const startedAtMs = this.gate.passedAtMs;
    const reason =
      cause ??
      this.stopped?.code ??
      this.withheldFor ??
      (status === 'cancelled' ? this.cancelCause : undefined);
    const masked = this.mask?.tally.masked;
    const outcome: { -readonly [K in keyof Outcome]: Outcome[K] } = {
      status,
      bytesUp: this.bytesUp,
      bytesDown: this.bytesDown,
      durationUs:
        startedAtMs === undefined ? 0 : Math.max(0, Math.round((performance.now() - startedAtMs) * 1000)),
    };
    if (this.sqlstate !== undefined) outcome.sqlstate = this.sqlstate;
    if (hasRows) outcome.rows = rows;
    if (this.completed > 1) outcome.completed = this.completed;
    if (delivered !== undefined) outcome.delivered = delivered;
    if (copied !== undefined) outcome.copied = copied;
    if (this.isSuspended) outcome.suspended = true;
    if (reason !== undefined) outcome.cause = reason;
    if (masked !== undefined) outcome.masked = masked;
    return outcome;
  }
}
