/** What was tried and who stopped it, family by family. */
import type { Attack } from './attack.ts';
import { ATTACKS, FAMILIES } from './corpus/index.ts';
import { passedIn, type LaneResult, type Setup } from './lanes.ts';

export type Lanes = Readonly<Partial<Record<Setup, LaneResult>>>;

interface Column {
  readonly title: string;
  /** Undefined: its set-up was not run. */
  readonly count: (ids: readonly string[], lanes: Lanes) => number | undefined;
}

const countIf = (setup: Setup, wanted: boolean): Column['count'] => {
  return (ids, lanes) => {
    const lane = lanes[setup];
    return lane === undefined ? undefined : ids.filter((id) => succeeded(id, lane) === wanted).length;
  };
};

const COLUMNS: readonly Column[] = [
  { title: 'attacks', count: (ids) => ids.length },
  { title: 'no wall: executed', count: countIf('open', true) },
  { title: 'analysis alone: refused', count: countIf('analysis', false) },
  { title: 'role alone: refused', count: countIf('role', false) },
  {
    title: 'by each of both',
    count: (ids, { analysis, role }) =>
      analysis === undefined || role === undefined
        ? undefined
        : ids.filter((id) => succeeded(id, analysis) === false && succeeded(id, role) === false).length,
  },
  { title: 'both walls: executed', count: countIf('both', true) },
];

/** Undefined: it was not tried there. */
function succeeded(id: string, lane: LaneResult): boolean | undefined {
  return lane.verdicts.get(id)?.succeeded;
}

const counted = (attacks: readonly Attack[]): readonly string[] =>
  attacks.filter(({ inert }) => inert === undefined).map(({ id }) => id);

function rowOf(name: string, ids: readonly string[], lanes: Lanes): readonly string[] {
  const cells = COLUMNS.map(({ count }) => String(count(ids, lanes) ?? ''));
  return [name].concat(cells);
}

/** Text of the table; a column is empty where its set-up was not run. */
export function tableOf(lanes: Lanes): string {
  const tried = new Set(Object.values(lanes).flatMap(({ verdicts }) => Array.from(verdicts.keys())));
  const isTried = (id: string): boolean => tried.has(id);
  const table = [
    ['family'].concat(COLUMNS.map(({ title }) => title)),
    ...FAMILIES.map(({ name, attacks }) => rowOf(name, counted(attacks).filter(isTried), lanes)),
    rowOf('all', counted(ATTACKS).filter(isTried), lanes),
  ];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
  const inert = ATTACKS.length - counted(ATTACKS).length;
  return [...lines, `${inert} more are inert: nothing on this server lets them have an effect.`].join('\n');
}

/** Lines for each attack that one wall alone let through, with the reason. */
export function passesOf(lane: LaneResult, reasons: Readonly<Record<string, string>>): readonly string[] {
  return passedIn(lane).map((id) => {
    const attack = ATTACKS.find((each) => each.id === id)!;
    return `${id} ${attack.how} (${lane.verdicts.get(id)!.findings[0]}): ${reasons[id] ?? 'NO REASON IS KNOWN'}`;
  });
}
