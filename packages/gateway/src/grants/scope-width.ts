import type { NamePattern } from '../config/scope-section.ts';
import type { Scope } from './scope.ts';

/**
 * How much a scope covers, as numbers to be compared from the first on: what it allows by name (`all` is most), schemas for DDL, then writes,
 * then functions, then reads. Each of the last three: patterns with two wildcards, with one, exact names; all columns before some. At
 * last the number of columns that are named. It never looks at a catalog: the choice between two grants depends on what they say alone.
 */
export function scopeWidth(scope: Pick<Scope, 'entries' | 'functions' | 'ddl' | 'allow'>): readonly number[] {
  const writes = scope.entries.filter(({ verb }) => verb !== 'select');
  const reads = scope.entries.filter(({ verb }) => verb === 'select');
  return [
    scope.allow === 'all' ? Number.POSITIVE_INFINITY : scope.allow.length,
    scope.ddl === 'any' ? Number.POSITIVE_INFINITY : scope.ddl.length,
    ...widths(writes),
    ...widths(scope.functions.map((on) => ({ on, columns: '*' }))),
    ...widths(reads),
    scope.entries.reduce((sum, { columns }) => sum + (columns === '*' ? 0 : columns.length), 0),
  ];
}

interface Counted {
  readonly on: NamePattern;
  readonly columns: readonly string[] | '*';
}

function widths(entries: readonly Counted[]): readonly number[] {
  return [2, 1, 0].flatMap((wildcards) => {
    const level = entries.filter(({ on }) => wildcardsOf(on) === wildcards);
    const whole = level.filter(({ columns }) => columns === '*').length;
    return [whole, level.length - whole];
  });
}

function wildcardsOf({ schema, name }: NamePattern): number {
  return Number(schema === undefined) + Number(name === undefined);
}

/** The first difference decides. */
export function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? 0;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
