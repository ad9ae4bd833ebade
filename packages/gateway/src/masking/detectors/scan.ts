/** What the detectors share while they look at one text. */
import { CLASS_OF_KIND } from './finding.ts';
import type { Finding, FindingKind } from './finding.ts';
import type { FoundWords } from './words.ts';

export interface Scan {
  readonly codes: Uint8Array;
  readonly words: FoundWords;
  /** Places are those of `codes`. In no order. */
  readonly found: Finding[];
  /** Characters that were looked at, each as often as it was. What a test holds against the length: time does not lie, but it wavers. */
  steps: number;
}

/** How sure a detector is. */
export const SURENESS = {
  /** A checksum or a form that nothing else has, and a word beside it that says so. */
  certain: 1,
  /** A form that hardly anything else has. */
  high: 0.9,
  /** A checksum, or a form that little else has. */
  good: 0.75,
  /** A form that other things have too. */
  fair: 0.6,
} as const;

export function report(
  scan: Scan,
  kind: Exclude<FindingKind, 'recognised'>,
  place: { readonly start: number; readonly end: number },
  confidence: number,
  why: string,
): void {
  scan.found.push({
    class: CLASS_OF_KIND[kind],
    kind,
    start: place.start,
    end: place.end,
    why,
    confidence,
  });
}
