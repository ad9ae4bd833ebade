/** When a log counts as witnessed, and when its verdict is UNWITNESSED. docs/verdicts.md says the same in words. */

import type { Checkpoint } from './checkpoint.ts';
import type { Findings } from './findings.ts';
import type { UnwitnessedWindow } from './log-walk.ts';
import { cosignatureTime, verifySignature, type NoteVerifier } from './note.ts';
import type { WitnessVerifier } from './witnesses.ts';

/** A live log is always some seconds ahead of its witnesses: a heartbeat, and the way to them and back. */
export const DEFAULT_MAX_UNWITNESSED_SECONDS = 90;

export interface WitnessDemand {
  /** Organisations that must have cosigned one checkpoint; 0: none. */
  readonly required: number;
  /** Longest time that leaves which they have not seen may span. */
  readonly maxSeconds: number;
  /** Whether the caller knows of witnesses at all, or said that none are wanted. */
  readonly isStated: boolean;
}

/** What a caller asks for. Witnesses whose keys are given are wanted: one organisation of them, unless a number is said. */
export function witnessDemand(options: {
  readonly witnesses?: readonly WitnessVerifier[];
  readonly requireWitnesses?: number;
  readonly maxUnwitnessedSeconds?: number;
}): WitnessDemand {
  const hasKeys = (options.witnesses ?? []).length > 0;
  return {
    required: options.requireWitnesses ?? (hasKeys ? 1 : 0),
    maxSeconds: options.maxUnwitnessedSeconds ?? DEFAULT_MAX_UNWITNESSED_SECONDS,
    isStated: hasKeys || options.requireWitnesses !== undefined,
  };
}

/** Seconds since the epoch of the newest valid cosignature of these witnesses, by the witness's clock. */
export function newestCosignatureTime(
  checkpoint: Checkpoint,
  witnesses: readonly WitnessVerifier[],
  logKey: NoteVerifier,
): number | undefined {
  const { note } = checkpoint;
  let newest: number | undefined;
  for (const witness of witnesses) {
    if (witness.publicKey.equals(logKey.publicKey)) continue;
    for (const line of note.signatures) {
      const time = verifySignature(note.body, line, witness) ? cosignatureTime(line) : undefined;
      if (time !== undefined && (newest === undefined || time > newest)) newest = time;
    }
  }
  return newest;
}

export interface Witnessing {
  /** The most organisations that cosigned one checkpoint of this log. */
  readonly witnessed: number;
  /** What neither they nor an earlier checkpoint covers. */
  readonly window: UnwitnessedWindow;
  /** Names of witnesses in the log's own leaves. */
  readonly named: ReadonlySet<string>;
}

/** Adds what makes the verdict UNWITNESSED. A log that never had a witness, and whose reader asks for none, is not judged by that. */
export function judgeWitnessing(demand: WitnessDemand, facts: Witnessing, findings: Findings): void {
  const { maxSeconds, required } = demand;
  const { named, window, witnessed } = facts;
  if (witnessed < required) {
    const message = `${witnessed} of ${required} required organisations signed a checkpoint as witnesses`;
    findings.report('witnesses', 'UNWITNESSED', message);
  } else if (required > 0 && window.leaves > 0 && window.seconds > maxSeconds) {
    const message = `${window.leaves} leaves of ${window.seconds} seconds were seen by no quorum; ${maxSeconds} seconds are allowed`;
    findings.report('unwitnessed-window', 'UNWITNESSED', message);
  } else if (!demand.isStated && named.size > 0) {
    const message = `the log says that ${[...named].slice(0, 5).join(', ')} witnessed it; that was not checked, for want of their keys (--witness)`;
    findings.report('witnesses-unchecked', 'UNWITNESSED', message);
  }
}
