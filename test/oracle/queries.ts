/** Whole queries: WITH, select lists, grouping, windows, set operations, locking. */
import { makeColumn, makeExpression } from './expressions.ts';
import type { Reach } from './expressions.ts';
import { makeFrom } from './range-items.ts';
import type { From, ItemMaker } from './range-items.ts';
import { quote } from './world.ts';
import type { Column, RangeItem, ValueKind } from './world.ts';

type Outer = readonly (readonly RangeItem[])[];

/** A SELECT with exactly these output columns, usable anywhere a subquery is. */
export function makeQuery(
  maker: ItemMaker,
  kinds: readonly ValueKind[],
  outer: Outer,
  depth: number,
): string {
  const { random } = maker;
  const isTyped = kinds.every((kind) => kind !== 'other' && kind !== 'json');
  if (depth > 0 && isTyped && random.once(7)) {
    const operator = random.pick(['union', 'union all', 'intersect', 'except', 'except all']);
    const one = (): string => makeQuery(maker, kinds, outer, depth - 1);
    return `(${one()}) ${operator} (${one()})`;
  }
  const from = makeFrom(maker, outer, depth);
  return random.once(5) && isTyped
    ? groupedQuery(maker, kinds, from, outer, depth)
    : plainQuery(maker, kinds, from, outer, depth);
}

function plainQuery(
  maker: ItemMaker,
  kinds: readonly ValueKind[],
  from: From,
  outer: Outer,
  depth: number,
): string {
  const { random } = maker;
  const reach: Reach = { items: from.items, outer, depth };
  const list = kinds.map((kind) => makeExpression(maker, kind, reach)).join(', ');
  return `select ${random.once(6) ? 'distinct ' : ''}${list} from ${from.sql}${where(maker, reach)}`;
}

function groupedQuery(
  maker: ItemMaker,
  kinds: readonly ValueKind[],
  from: From,
  outer: Outer,
  depth: number,
): string {
  const { random } = maker;
  const reach: Reach = { items: from.items, outer, depth };
  const keys = random.list(1, 2, () => {
    const kind = random.pick(['int', 'text', 'time', 'bool'] as const);
    return { kind, sql: makeColumn(maker, kind, { ...reach, outer: [] }) };
  });
  // Constants are no keys: an integer would be a position.
  const columns = keys.filter(
    ({ sql }) => /^[a-z"][\w". ]*$/iu.test(sql) && !/^(now|true|false|current)/u.test(sql),
  );
  const grouped: Reach = { ...reach, keys: columns };
  const list = kinds.map((kind) => makeExpression(maker, kind, grouped)).join(', ');
  const having = random.once(3) ? ` having ${makeExpression(maker, 'bool', grouped)}` : '';
  const by =
    columns.length === 0
      ? ''
      : ` group by ${grouping(
          maker,
          columns.map(({ sql }) => sql),
        )}`;
  return `select ${list} from ${from.sql}${where(maker, reach)}${by}${having}`;
}

function grouping({ random }: ItemMaker, keys: readonly string[]): string {
  const all = keys.join(', ');
  return random.choose([
    () => all,
    () => all,
    () => `rollup (${all})`,
    () => `cube (${all})`,
    () => `grouping sets ((${all}), ())`,
    () => `distinct ${all}`,
  ]);
}

export function where(maker: ItemMaker, reach: Reach): string {
  return maker.random.once(3) ? '' : ` where ${makeExpression(maker, 'bool', reach)}`;
}

/** A SELECT as a client sends it: any output, sorting, limits, locking. */
export function makeTopSelect(maker: ItemMaker, depth: number): string {
  const { random } = maker;
  const from = makeFrom(maker, [], depth);
  const reach: Reach = { items: from.items, outer: [], depth };
  const outputs = random.list(1, 4, () => outputOf(maker, from.items, reach));
  const distinct = random.once(8);
  const on = random.once(2) ? ` on (${makeColumn(maker, 'int', { ...reach, outer: [] })})` : '';
  const window = random.once(6) ? ` window w as (${windowOf(maker, reach)})` : '';
  const ranked = random.once(5)
    ? `, ${random.pick(['row_number()', 'rank()', `lag(${makeColumn(maker, 'int', reach)})`, 'sum(1)'])} over ${window === '' ? `(${windowOf(maker, reach)})` : 'w'}`
    : '';
  const order = distinct ? '' : orderBy(maker, reach);
  const locking = distinct || window !== '' || ranked !== '' ? '' : lockingOf(maker, from);
  const limit = random.once(3) ? ` limit ${random.below(50)} offset 1` : '';
  return `select ${distinct ? `distinct${on} ` : ''}${outputs.join(', ')}${ranked} from ${from.sql}${where(maker, reach)}${window}${order}${limit}${locking}`;
}

function outputOf(maker: ItemMaker, items: readonly RangeItem[], reach: Reach): string {
  const { random } = maker;
  const item = random.pick(items);
  return random.choose([
    () =>
      makeExpression(
        maker,
        random.pick(['int', 'text', 'num', 'time', 'bool', 'json', 'other'] as const),
        reach,
      ),
    () => makeExpression(maker, random.pick(['int', 'text'] as const), reach),
    () =>
      `${makeExpression(maker, random.pick(['num', 'json'] as const), reach)} as "out ${random.below(9)}"`,
    () => '*',
    () => `${item.alias}.*`,
    () => (item.hasRow ? item.alias : '1'),
    () => (item.hasRow ? `(${item.alias}).*` : '2'),
    () => functional(maker, item),
  ]);
}

/** A column as a function of its row, or a field of the row. */
function functional({ random }: ItemMaker, { alias, columns, hasRow }: RangeItem): string {
  if (!hasRow || columns.length === 0) return '3';
  const column = quote(random.pick(columns).name);
  return random.once(2) ? `(${alias}).${column}` : `${column}(${alias})`;
}

function windowOf(maker: ItemMaker, reach: Reach): string {
  const column = (kind: ValueKind): string => makeColumn(maker, kind, reach);
  return `partition by ${column('text')} order by ${column('int')} rows between unbounded preceding and current row`;
}

function orderBy(maker: ItemMaker, reach: Reach): string {
  const { random } = maker;
  return random.choose([
    () => '',
    () => ' order by 1',
    () => ` order by ${makeExpression(maker, 'text', { ...reach, depth: 1 })} desc nulls last`,
    () => ` order by ${makeColumn(maker, 'time', reach)}, ${makeColumn(maker, 'num', reach)} using <`,
  ]);
}

function lockingOf({ random }: ItemMaker, { items, sql }: From): string {
  if (!random.once(6) || /join/u.test(sql)) return '';
  const strength = random.pick(['update', 'no key update', 'share', 'key share']);
  const of = random.once(2) ? ` of ${random.pick(items).alias}` : '';
  return ` for ${strength}${of.includes('.') ? '' : of}${random.pick(['', ' nowait', ' skip locked'])}`;
}

export interface Common {
  readonly sql: string;
  readonly name: string;
  readonly columns: readonly Column[];
}

/** One query of WITH. */
export function makeCommon(maker: ItemMaker, index: number, depth: number): Common {
  const { random } = maker;
  const kinds = random.list(1, 3, () => random.pick(['int', 'text', 'num'] as const));
  // Names that relations have too: the query of WITH is what is meant.
  const name = random.once(3) ? random.pick(['orders', 'customers', 'log']) : `w${index}`;
  const columns = kinds.map((kind, at) => ({ name: `c${at}`, kind }));
  const names = columns.map((column) => column.name).join(', ');
  const materialized = random.pick(['', '', 'materialized ', 'not materialized ']);
  return {
    name,
    columns,
    sql: `${name}(${names}) as ${materialized}(${makeQuery(maker, kinds, [], depth)})`,
  };
}
