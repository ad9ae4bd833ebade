import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { endOfPeriodUs } from 'countersign-verify';

export interface DuePeriod {
  readonly class: string;
  readonly period: string;
  /** Since when, µs. */
  readonly dueSinceUs: number;
}

const DAY_US = 86_400_000_000;
const PERIOD = /^[0-9]{4}-(0[1-9]|1[0-2])$/;

/** Periods with contents whose class is kept no longer. A class without a limit is kept for ever. */
export async function duePeriods(
  vaultDirectory: string,
  retention: ReadonlyMap<string, number>,
  nowUs: number,
): Promise<DuePeriod[]> {
  const due: DuePeriod[] = [];
  for (const [name, keepDays] of retention) {
    const periods = new Set<string>();
    for (const part of ['keys', 'blocks', 'spool']) {
      const names = await readdir(join(vaultDirectory, part, name)).catch(() => []);
      for (const each of names) if (PERIOD.test(each)) periods.add(each);
    }
    for (const period of [...periods].toSorted((a, b) => a.localeCompare(b, 'en'))) {
      const dueSinceUs = endOfPeriodUs(period) + keepDays * DAY_US;
      if (dueSinceUs <= nowUs) due.push({ class: name, period, dueSinceUs });
    }
  }
  return due;
}
