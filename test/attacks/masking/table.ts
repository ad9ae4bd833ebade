/** What was tried and what came of it, family by family. */
import { ATTEMPTS, FAMILIES } from './corpus/index.ts';
import type { LaneResult } from './lanes.ts';

export interface Counts {
  readonly played: number;
  readonly leakedWithout: number | undefined;
  readonly refused: number | undefined;
  readonly masked: number | undefined;
  readonly leaked: number | undefined;
}

export interface Lanes {
  readonly masking?: LaneResult;
  readonly without?: LaneResult;
}

const refused = (id: string, lane: LaneResult): boolean => lane.verdicts.get(id)?.refused === true;
const leaked = (lane: LaneResult, id: string): boolean => (lane.verdicts.get(id)?.leaks.length ?? 0) > 0;

export function countsOf(ids: readonly string[], { masking, without }: Lanes): Counts {
  const count = (
    lane: LaneResult | undefined,
    test: (id: string, lane: LaneResult) => boolean,
  ): number | undefined => (lane === undefined ? undefined : ids.filter((id) => test(id, lane)).length);
  return {
    played: ids.length,
    leakedWithout: count(without, (id, lane) => leaked(lane, id)),
    refused: count(masking, (id, lane) => !leaked(lane, id) && refused(id, lane)),
    masked: count(masking, (id, lane) => !leaked(lane, id) && !refused(id, lane)),
    leaked: count(masking, (id, lane) => leaked(lane, id)),
  };
}

const TITLES = ['attempts', 'leaked without masking', 'refused', 'masked', 'leaked'] as const;

/** Text of the table; a column is empty where its set-up was not run. */
export function tableOf(lanes: Lanes): string {
  const tried = new Set(
    [lanes.masking, lanes.without].flatMap((lane) => Array.from(lane?.verdicts.keys() ?? [])),
  );
  const row = (name: string, ids: readonly string[]): readonly string[] => {
    const counts = countsOf(
      ids.filter((id) => tried.has(id)),
      lanes,
    );
    const cells = [counts.played, counts.leakedWithout, counts.refused, counts.masked, counts.leaked];
    return [name, ...cells.map((cell) => String(cell ?? ''))];
  };
  const rows = [
    ['family', ...TITLES],
    ...FAMILIES.map(({ name, attempts }) =>
      row(
        name,
        attempts.map(({ id }) => id),
      ),
    ),
    row(
      'all',
      ATTEMPTS.map(({ id }) => id),
    ),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join('  '),
    )
    .join('\n');
}
