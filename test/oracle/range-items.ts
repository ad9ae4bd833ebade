/** What stands in FROM: relations in every spelling, joins, subqueries, functions, lists of values. */
import { makeExpression } from './expressions.ts';
import type { QueryMaker } from './expressions.ts';
import { quote } from './world.ts';
import type { Column, RangeItem, Relation, ValueKind } from './world.ts';

export interface ItemMaker extends QueryMaker {
  relation(): Relation;
  alias(): string;
}

export interface From {
  readonly sql: string;
  readonly items: readonly RangeItem[];
}

type Outer = readonly (readonly RangeItem[])[];

export function makeFrom(maker: ItemMaker, outer: Outer, depth: number): From {
  const { random } = maker;
  const count = depth <= 0 ? 1 : 1 + random.below(random.once(2) ? 1 : 3);
  let sql = '';
  const items: RangeItem[] = [];
  for (let index = 0; index < count; index += 1) {
    const next = makeItem(maker, [items, ...outer], depth, items.length > 0);
    if (index === 0) sql = next.sql;
    else if (random.once(3)) sql = `${sql}, ${next.sql}`;
    else sql = joined(maker, sql, items, next, outer);
    items.push(...next.items);
  }
  return { sql, items };
}

function joined(
  maker: ItemMaker,
  left: string,
  items: readonly RangeItem[],
  right: From,
  outer: Outer,
): string {
  const { random } = maker;
  const before = left.includes(', ') ? undefined : items;
  if (before === undefined || random.once(8)) return `${left} cross join ${right.sql}`;
  // LATERAL and right or full joins do not go together.
  const kind = right.sql.startsWith('lateral')
    ? random.pick(['join', 'left join'])
    : random.pick(['join', 'inner join', 'left join', 'left outer join', 'right join', 'full join']);
  const shared = sharedColumn([...before], right.items);
  if (shared !== undefined && random.once(3)) return `${left} ${kind} ${right.sql} using (${quote(shared)})`;
  const all = [...before, ...right.items];
  const on =
    kind === 'full join'
      ? 'true'
      : makeExpression(maker, 'bool', { items: all, outer, depth: 1, isPlain: random.once(2) });
  return `${left} ${kind} ${right.sql} on ${on}`;
}

function countNamed(items: readonly RangeItem[], name: string): number {
  return items.flatMap(({ columns }) => columns).filter((column) => column.name === name).length;
}

/** A name that each side has just once. */
function sharedColumn(left: readonly RangeItem[], right: readonly RangeItem[]): string | undefined {
  const columns = left.flatMap((item) => item.columns);
  return columns.find(
    ({ name, kind }) =>
      kind !== 'other' &&
      countNamed(left, name) === 1 &&
      right.some((item) => item.columns.some((column) => column.name === name && column.kind === kind)) &&
      countNamed(right, name) === 1,
  )?.name;
}

function makeItem(maker: ItemMaker, outer: Outer, depth: number, mayBeLateral: boolean): From {
  const { random } = maker;
  const among = random.below(depth <= 0 ? 8 : 14);
  if (among < 8) return relationItem(maker);
  if (among < 10) return subqueryItem(maker, outer, depth, mayBeLateral);
  if (among < 13) return functionItem(maker, mayBeLateral ? outer : [[], ...outer.slice(1)]);
  return valuesItem(maker);
}

export function relationItem(maker: ItemMaker): From {
  const { random } = maker;
  const { relation, written, columns } = maker.relation();
  const isTable = relation.kind === 'table' || relation.kind === 'partitioned-table';
  const only = isTable && random.once(8) ? 'only ' : '';
  const sample = relation.kind === 'table' && random.once(25) ? ' tablesample system (50)' : '';
  // The columns of an unaliased relation are also found by its full name.
  if (random.once(6) && sample === '') {
    const alias = random.once(3) && written.includes('.') ? written : quote(relation.name);
    return { sql: `${only}${written}`, items: [{ alias, columns, hasRow: false }] };
  }
  const alias = maker.alias();
  const { names, shown } = renamed(maker, columns);
  return {
    sql: `${only}${written} ${random.pick(['as ', ''])}${alias}${names}${sample}`,
    items: [{ alias, columns: shown, hasRow: true }],
  };
}

/** Some of the columns under other names. */
function renamed(
  maker: ItemMaker,
  columns: readonly Column[],
): { readonly names: string; readonly shown: readonly Column[] } {
  if (columns.length === 0 || !maker.random.once(8)) return { names: '', shown: columns };
  const count = 1 + maker.random.below(columns.length);
  const shown = columns.map((column, index) => (index < count ? { ...column, name: `r${index}` } : column));
  return {
    names: `(${shown
      .slice(0, count)
      .map(({ name }) => name)
      .join(', ')})`,
    shown,
  };
}

function subqueryItem(maker: ItemMaker, outer: Outer, depth: number, mayBeLateral: boolean): From {
  const { random } = maker;
  const kinds = random.list(1, 3, () => random.pick(['int', 'text', 'num', 'time', 'bool', 'json'] as const));
  const isLateral = mayBeLateral && random.once(2);
  const visible = isLateral ? outer : outer.slice(1);
  const alias = maker.alias();
  const columns = kinds.map((kind, index) => ({ name: `s${index}`, kind }));
  const names = columns.map(({ name }) => name).join(', ');
  const sql = maker.query(kinds, visible, depth - 1);
  return {
    sql: `${isLateral ? 'lateral ' : ''}(${sql}) as ${alias}(${names})`,
    items: [{ alias, columns, hasRow: true }],
  };
}

function functionItem(maker: ItemMaker, outer: Outer): From {
  const { random } = maker;
  const alias = maker.alias();
  const argument = (kind: ValueKind): string =>
    makeExpression(maker, kind, { items: outer[0] ?? [], outer: outer.slice(1), depth: 1, isPlain: true });
  const item = (columns: readonly Column[]): readonly RangeItem[] => [{ alias, columns, hasRow: true }];
  return random.choose<From>([
    () => ({
      sql: `${maker.written('shop', 'everyone', 'routine')}(${argument('int')}) ${alias}`,
      items: item([
        { name: 'id', kind: 'int' },
        { name: 'name', kind: 'text' },
      ]),
    }),
    () => ({
      sql: `generate_series(1, ${argument('int')}) as ${alias}(n)`,
      items: item([{ name: 'n', kind: 'int' }]),
    }),
    () => ({
      sql: `unnest(array[${argument('int')}, 2]) with ordinality as ${alias}(u, at)`,
      items: item([
        { name: 'u', kind: 'int' },
        { name: 'at', kind: 'int' },
      ]),
    }),
    () => ({
      sql: `rows from (${maker.written('shop', 'series', 'routine')}(), generate_series(1, 3)) as ${alias}(f, g)`,
      items: item([
        { name: 'f', kind: 'int' },
        { name: 'g', kind: 'int' },
      ]),
    }),
    () => ({
      sql: `jsonb_to_recordset(${argument('json')}) as ${alias}(x int, y text)`,
      items: item([
        { name: 'x', kind: 'int' },
        { name: 'y', kind: 'text' },
      ]),
    }),
    () => ({
      sql: `jsonb_each_text(${argument('json')}) as ${alias}`,
      items: item([
        { name: 'key', kind: 'text' },
        { name: 'value', kind: 'text' },
      ]),
    }),
  ]);
}

function valuesItem(maker: ItemMaker): From {
  const alias = maker.alias();
  const row = (): string => `(${maker.random.below(9)}, 'v')`;
  return {
    sql: `(values ${maker.random.list(1, 3, row).join(', ')}) as ${alias}(k, v)`,
    items: [
      {
        alias,
        columns: [
          { name: 'k', kind: 'int' },
          { name: 'v', kind: 'text' },
        ],
        hasRow: true,
      },
    ],
  };
}
