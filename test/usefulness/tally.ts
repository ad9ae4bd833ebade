/** What the cases came to, in numbers. */
import type { Case } from './case.ts';
import type { Verdict } from './play.ts';

/** What is wrong with a verdict. */
export function faultsOf(each: Case, { differences, refused }: Verdict): readonly string[] {
  const faults = [...differences];
  if (each.refused === undefined && refused !== undefined) faults.push(`refused: ${refused.told}`);
  if (each.refused !== undefined && refused?.reason !== each.refused.reason)
    faults.push(`to be refused for ${each.refused.reason}, was ${refused?.told ?? 'answered'}`);
  return faults;
}

interface Row {
  asked: number;
  same: number;
  masked: number;
  refused: number;
  faults: number;
  cells: number;
  maskedCells: number;
}

export class Tally {
  readonly #families = new Map<string, Row>();
  #faults = 0;

  get faults(): number {
    return this.#faults;
  }

  add(each: Case, verdict: Verdict): void {
    const row = this.#families.get(each.family) ?? {
      asked: 0,
      same: 0,
      masked: 0,
      refused: 0,
      faults: 0,
      cells: 0,
      maskedCells: 0,
    };
    this.#families.set(each.family, row);
    row.asked += 1;
    row.cells += verdict.cells;
    row.maskedCells += verdict.maskedCells;
    if (faultsOf(each, verdict).length > 0) {
      row.faults += 1;
      this.#faults += 1;
    } else if (verdict.refused !== undefined) row.refused += 1;
    else if (verdict.maskedCells > 0) row.masked += 1;
    else row.same += 1;
  }

  /** In Markdown. */
  table(): string {
    const lines = [...this.#families].map(([family, row]) => lineOf(family, row));
    const sum: Row = { asked: 0, same: 0, masked: 0, refused: 0, faults: 0, cells: 0, maskedCells: 0 };
    for (const row of this.#families.values())
      for (const key of Object.keys(sum) as (keyof Row)[]) sum[key] += row[key];
    return [
      '| family | cases | as directly | only regulated cells differ | refused on purpose | wrong | cells compared | of them masked |',
      '|---|---|---|---|---|---|---|---|',
      ...lines,
      lineOf('together', sum),
    ].join('\n');
  }
}

const lineOf = (family: string, row: Row): string =>
  `| ${family} | ${row.asked} | ${row.same} | ${row.masked} | ${row.refused} | ${row.faults} | ${row.cells} | ${row.maskedCells} |`;
