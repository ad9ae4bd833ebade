/** The words a check ends with, their exit codes and their precedence, and the list of what was found. */

/**
 * One word per check; the exit code of each is stable.
 *
 * - `VERIFIED`            everything fits, nothing is missing
 * - `VERIFIED-WITH-GAPS`  as above, and the record itself declares and explains what it lacks
 * - `INCOMPLETE`          what is there is authentic, but something that should be there is not, or is not understood
 * - `DISPOSED`            as VERIFIED, and contents were erased as the record states
 * - `UNWITNESSED`         as VERIFIED, but fewer witnesses signed than were required
 * - `ALTERED`             hashes, signatures or the order do not fit, or the log is shorter than an earlier checkpoint
 * - `FORKED`              two signed checkpoints of this log contradict one another
 * - `CANNOT-VERIFY`       something needed for the check could not be read
 */
export const EXIT_CODES = {
  VERIFIED: 0,
  'VERIFIED-WITH-GAPS': 10,
  INCOMPLETE: 11,
  DISPOSED: 12,
  UNWITNESSED: 13,
  ALTERED: 20,
  FORKED: 21,
  'CANNOT-VERIFY': 30,
} as const;

export type Verdict = keyof typeof EXIT_CODES;

/** Which word wins when several apply, the first most. */
export const PRECEDENCE: readonly Verdict[] = [
  'FORKED',
  'ALTERED',
  'CANNOT-VERIFY',
  'INCOMPLETE',
  'UNWITNESSED',
  'DISPOSED',
  'VERIFIED-WITH-GAPS',
  'VERIFIED',
];

export function worse(a: Verdict, b: Verdict): Verdict {
  return PRECEDENCE.indexOf(a) <= PRECEDENCE.indexOf(b) ? a : b;
}

export interface Finding {
  /** Stable, machine-readable: `root-mismatch`, `jseq-hole`, … */
  readonly code: string;
  /** What this finding makes of the whole. */
  readonly verdict: Verdict;
  /** One sentence; names fields, files and numbers, never contents. */
  readonly message: string;
  /** Log index of the leaf it is about. */
  readonly index?: number;
}

/** Findings that are listed; the rest is only counted, so that a ruined log cannot fill the memory. */
export const MAX_LISTED_FINDINGS = 200;

export class Findings {
  readonly listed: Finding[] = [];
  total = 0;
  verdict: Verdict = 'VERIFIED';
  readonly #perCode = new Map<string, number>();

  add(finding: Finding): void {
    this.total++;
    this.verdict = worse(this.verdict, finding.verdict);
    const ofCode = (this.#perCode.get(finding.code) ?? 0) + 1;
    this.#perCode.set(finding.code, ofCode);
    // Every kind gets room, so that a flood of one does not hide another.
    if (ofCode <= 20 && this.listed.length < MAX_LISTED_FINDINGS) this.listed.push(finding);
  }

  report(code: string, verdict: Verdict, message: string, index?: number): void {
    this.add(index === undefined ? { code, verdict, message } : { code, verdict, message, index });
  }
}
