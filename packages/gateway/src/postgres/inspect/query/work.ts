/**
 * What one text may cost. Its length bounds the parser, not the analysis: a name of twenty bytes can stand for two thousand partitions or a hundred views, and a
 * text can say it a thousand times. Texts of up to 16 KiB are analysed where everybody's commands are relayed.
 */
import { UnreadableStatement } from './demands.ts';

/** About half a second. */
const MAX_WORK = 1_500_000;

let left = Number.POSITIVE_INFINITY;

/** Runs the analysis of one text, which may do so much and no more. Not to be nested; synchronous. */
export function withinWork<T>(analyze: () => T): T {
  left = MAX_WORK;
  try {
    return analyze();
  } finally {
    left = Number.POSITIVE_INFINITY;
  }
}

/** @throws UnreadableStatement `too-many-objects`, when the text has spent what it may. */
export function spendWork(units: number): void {
  left -= units;
  if (left < 0) throw new UnreadableStatement('too-many-objects');
}
