/** Expressions of a wanted kind over the columns at hand; mostly such as the server accepts. */
import type { Random } from './random.ts';
import { quote } from './world.ts';
import type { Column, RangeItem, ValueKind } from './world.ts';

/** What an expression may use. */
export interface Reach {
  readonly items: readonly RangeItem[];
  /** Of enclosing queries, the nearest first. */
  readonly outer: readonly (readonly RangeItem[])[];
  /** Of a grouped query: only these expressions, and aggregates. */
  readonly keys?: readonly { readonly sql: string; readonly kind: ValueKind }[];
  readonly depth: number;
  /** No aggregates, windows or subqueries: what RETURNING, defaults of VALUES and the like cannot have everywhere. */
  readonly isPlain?: boolean;
}

export interface QueryMaker {
  readonly random: Random;
  /** How an object of the schema `shop` or `crm` is written here. */
  written(schema: string, name: string, what: 'routine' | 'type'): string;
  /** A subquery with these output columns, that may refer to what is outside. */
  query(kinds: readonly ValueKind[], outer: readonly (readonly RangeItem[])[], depth: number): string;
}

type Make = () => string;

const LITERALS: Readonly<Record<ValueKind, readonly string[]>> = {
  int: ['0', '1', '42', '-7', "'3'::int", '0x1f', 'null::int'],
  num: ['1.5', '2e3', 'null::numeric', "'NaN'::numeric"],
  text: [
    "'open'",
    "''",
    "U&'d\\0061ta'",
    "E'a\\nb'",
    '$$it$$',
    'null::text',
    "'x'::varchar(5)",
    'current_user::text',
  ],
  bool: ['true', 'false', 'null::boolean', "'t'::bool"],
  time: [
    'now()',
    'current_timestamp',
    "timestamptz '2026-01-01'",
    "'2026-02-03'::timestamptz",
    'clock_timestamp()',
  ],
  json: ["'{}'::jsonb", `jsonb '{"a": [1, 2]}'`, 'null::jsonb'],
  other: ['null', "interval '1 day'", 'array[1, 2]', "point '(1,2)'"],
};

/** @param kind `other` gives anything. */
export function makeExpression(maker: QueryMaker, kind: ValueKind, reach: Reach): string {
  const { random } = maker;
  if (reach.keys !== undefined) return makeGrouped(maker, kind, reach);
  if (reach.depth <= 0 || random.once(3)) return makeColumn(maker, kind, reach);
  const make = (wanted: ValueKind, less = 1): string =>
    makeExpression(maker, wanted, { ...reach, depth: reach.depth - less });
  const ways: Make[] = [...commonWays(maker, kind, reach, make), ...WAYS[kind](maker, make, reach)];
  return random.choose(ways);
}

/** A column of that kind if there is one, else a constant. */
export function makeColumn(maker: QueryMaker, kind: ValueKind, reach: Reach): string {
  const { random } = maker;
  const levels = [reach.items, ...reach.outer];
  // Mostly what is nearest.
  for (const [level, items] of levels.entries()) {
    if (level > 0 && !random.once(2) && reach.items.length > 0) continue;
    const found = items.flatMap((item) =>
      item.columns.filter((column) => column.kind === kind).map((column) => ({ item, column })),
    );
    if (found.length > 0 && !random.once(8)) {
      const { item, column } = random.pick(found);
      return writeColumn(random, item, column, level === 0 ? items : undefined);
    }
  }
  return random.pick(LITERALS[kind]);
}

function writeColumn(
  random: Random,
  item: RangeItem,
  column: Column,
  siblings: readonly RangeItem[] | undefined,
): string {
  const isUnique =
    siblings?.flatMap(({ columns }) => columns).filter(({ name }) => name === column.name).length === 1 &&
    !siblings.some(({ alias }) => alias === quote(column.name));
  return isUnique && random.once(2) ? quote(column.name) : `${item.alias}.${quote(column.name)}`;
}

function makeGrouped(maker: QueryMaker, kind: ValueKind, reach: Reach): string {
  const { random } = maker;
  const { keys = [], ...rest } = reach;
  const inside: Reach = { ...rest, outer: [], depth: Math.min(rest.depth, 1), isPlain: true };
  const fitting = keys.filter((key) => key.kind === kind);
  if (fitting.length > 0 && random.once(2)) return random.pick(fitting).sql;
  const of = (wanted: ValueKind): string => makeExpression(maker, wanted, inside);
  const filter = random.once(4) ? ` filter (where ${of('bool')})` : '';
  const own = maker.written('shop', 'biggest', 'routine');
  const aggregates: Readonly<Record<ValueKind, readonly Make[]>> = {
    int: [
      () => 'count(*)',
      () => `count(distinct ${of('text')})`,
      () => `max(${of('int')})`,
      () => 'grouping(1)',
    ],
    num: [
      () => `sum(${of('num')})`,
      () => `avg(${of('int')})`,
      () => `${own}(${of('num')})`,
      () => `percentile_cont(0.5) within group (order by ${of('int')})::numeric`,
    ],
    text: [() => `string_agg(${of('text')}, ',' order by ${of('int')})`, () => `min(${of('text')})`],
    bool: [() => `bool_or(${of('bool')})`, () => `every(${of('bool')})`, () => `count(*) > 1`],
    time: [() => `max(${of('time')})`],
    json: [
      () => `jsonb_agg(${of('text')})`,
      () => `jsonb_object_agg(coalesce(${of('text')}, ''), ${of('int')})`,
    ],
    other: [() => `array_agg(${of('int')})`],
  };
  const made = random.choose(aggregates[kind].filter((_, index) => kind !== 'int' || index < 3));
  return filter !== '' && !/^\(|::|>/u.test(made) ? `${made}${filter}` : made;
}

function commonWays(
  maker: QueryMaker,
  kind: ValueKind,
  reach: Reach,
  make: (kind: ValueKind, less?: number) => string,
): Make[] {
  const { random } = maker;
  const ways: Make[] = [
    () => makeColumn(maker, kind, reach),
    () => `coalesce(${make(kind)}, ${make(kind)})`,
    () => `case when ${make('bool')} then ${make(kind)} else ${make(kind)} end`,
    () => `(${make(kind)})`,
  ];
  if (kind !== 'other' && kind !== 'json') ways.push(() => `nullif(${make(kind)}, ${make(kind)})`);
  if (kind !== 'json' && kind !== 'other') ways.push(() => `greatest(${make(kind)}, ${make(kind)})`);
  if (reach.isPlain === true) return ways;
  const outer = [reach.items, ...reach.outer];
  ways.push(() => `(${maker.query([kind], outer, reach.depth - 1)} limit 1)`);
  if (kind !== 'other' && random.once(2))
    ways.push(() => `(array(${maker.query([kind], outer, reach.depth - 1)}))[1]`);
  return ways;
}

type Ways = (maker: QueryMaker, make: (kind: ValueKind) => string, reach: Reach) => Make[];

function rowOf({ random }: QueryMaker, { items }: Reach): string | undefined {
  const rows = items.filter(({ hasRow }) => hasRow);
  return rows.length === 0 ? undefined : random.pick(rows).alias;
}

const WAYS: Readonly<Record<ValueKind, Ways>> = {
  int: (maker, make) => [
    () => `(${make('int')} + ${make('int')})`,
    () => `- ${make('int')}`,
    () => `length(${make('text')})`,
    () => `abs(${make('int')})`,
    () => `extract(year from ${make('time')})::int`,
    () => `(${make('json')} ->> 'a')::int`,
    () => `position('a' in ${make('text')})`,
    () => `${maker.written('shop', 'score', 'routine')}(${make('int')})`,
    () => `${maker.written('shop', 'score', 'routine')}(${make('int')}, ${make('text')})`,
    () => `${maker.written('shop', 'plus', 'routine')}(b => ${make('int')}, a => ${make('int')})`,
    () => `${maker.written('shop', 'plus', 'routine')}(${make('int')})`,
    () => `${maker.written('shop', 'root', 'routine')}(${make('int')})`,
    () => `(${make('int')} operator(shop.<+>) ${make('int')})`,
    () => `(${make('num')})::${maker.written('shop', 'percent', 'type')}::int`,
    () => `cardinality(array[${make('int')}, ${make('int')}])`,
    () => `nextval('shop.numbers')::int`,
    () => `array_length(string_to_array(${make('text')}, ','), 1)`,
    () => `(row(${make('int')}, ${make('text')})::shop.pair).x`,
    () => `mod(${make('int')}, 7)`,
    () => `jsonb_array_length(${make('json')})`,
  ],
  num: (maker, make) => [
    () => `(${make('num')} * ${make('num')})`,
    () => `round(${make('num')}, 2)`,
    () => `${make('int')}::numeric`,
    () => `cast(${make('int')} as numeric(10, 2))`,
    () => `${maker.written('shop', 'greater', 'routine')}(${make('num')}, ${make('num')})`,
    () => `${maker.written('shop', 'fee', 'routine')}()`,
    () => `extract(epoch from ${make('time')})`,
    () => `width_bucket(${make('num')}, 0, 10, 5)::numeric`,
    () => `(random()::numeric + ${make('num')})`,
  ],
  text: (maker, make, reach) => [
    () => `(${make('text')} || ${make('text')})`,
    () => `upper(${make('text')})`,
    () => `lower(${make('text')})`,
    () => `substring(${make('text')} from 1 for 3)`,
    () => `trim(both ' ' from ${make('text')})`,
    () => `overlay(${make('text')} placing 'x' from 1)`,
    () => `to_char(${make('time')}, 'YYYY-MM')`,
    () => `(${make('json')} ->> 'name')`,
    () => `(${make('json')} #>> '{a,0}')`,
    () => `concat_ws('-', ${make('text')}, ${make('int')})`,
    () => `format('%s', ${rowOf(maker, reach) ?? make('int')})`,
    () => `${rowOf(maker, reach) ?? make('int')}::text`,
    () => `(${make('text')} collate "C")`,
    () => `${maker.written('shop', 'label', 'routine')}(${make('text')}, ${make('text')})`,
    () => `${maker.written('shop', 'label', 'routine')}(variadic array[${make('text')}])`,
    () => `${maker.written('shop', 'stamp', 'routine')}(${make('text')})`,
    () => `(${make('text')})::shop.code::text`,
    () => `((row(1, ${make('text')})::shop.pair).y)`,
    () => `regexp_replace(${make('text')}, '[0-9]+', '#', 'g')`,
    () => `pg_typeof(${make('int')})::text`,
    () => `md5(${make('text')})`,
  ],
  bool: (maker, make, reach) => boolWays(maker, make, reach),
  time: (_maker, make) => [
    () => `date_trunc('day', ${make('time')})`,
    () => `(${make('time')} + interval '1 day')`,
    () => `(${make('time')} at time zone 'UTC')::timestamptz`,
    () => `to_timestamp(${make('int')})`,
  ],
  json: (maker, make, reach) => [
    () => `to_jsonb(${rowOf(maker, reach) ?? make('int')})`,
    () => `row_to_json(${rowOf(maker, reach) ?? `row(${make('int')})`})::jsonb`,
    () => `jsonb_build_object('a', ${make('int')}, 'b', ${make('text')})`,
    () => `(${make('json')} -> 'a')`,
    () => `(${make('json')})['a']`,
    () => `jsonb_set(${make('json')}, '{a}', ${make('json')})`,
    () => `jsonb_path_query_first(${make('json')}, '$.a')`,
  ],
  other: (maker, make, reach) => [
    () => make(maker.random.pick(['int', 'text', 'num', 'time', 'bool', 'json'] as const)),
    () => `array[${make('int')}, ${make('int')}]`,
    () => `row(${make('int')}, ${make('text')})`,
    () => `row(${make('int')}, ${make('text')})::shop.pair`,
    () => rowOf(maker, reach) ?? make('int'),
    () => `${make('text')}::date`,
  ],
};

function boolWays(maker: QueryMaker, make: (kind: ValueKind) => string, reach: Reach): Make[] {
  const { random } = maker;
  const kind = random.pick(['int', 'num', 'text', 'time'] as const);
  const compare = (): string => random.pick(['=', '<>', '<', '>', '<=', '>=']);
  const ways: Make[] = [
    () => `${make(kind)} ${compare()} ${make(kind)}`,
    () => `(${make('bool')} and ${make('bool')})`,
    () => `(${make('bool')} or not (${make('bool')}))`,
    () => `${make(kind)} in (${make(kind)}, ${make(kind)})`,
    () => `${make(kind)} = any(array[${make(kind)}])`,
    () => `${make(kind)} between symmetric ${make(kind)} and ${make(kind)}`,
    () => `${make('text')} like 'a%'`,
    () => `${make('text')} not ilike ${make('text')}`,
    () => `${make('text')} similar to 'a+'`,
    () => `${make('text')} ~ '^x'`,
    () => `${make(kind)} is not null`,
    () => `(${make('bool')}) is not true`,
    () => `${make(kind)} is distinct from ${make(kind)}`,
    () => `(${make('int')}, ${make('text')}) < (${make('int')}, ${make('text')})`,
    () => `${make('json')} @> ${make('json')}`,
    () => `${make('json')} ? 'a'`,
    () => `${maker.written('shop', 'may_see', 'routine')}(${make('int')})`,
    () => `(${make('time')}, interval '1 day') overlaps (${make('time')}, interval '2 days')`,
    () => `starts_with(${make('text')}, 'a')`,
  ];
  if (reach.isPlain === true) return ways;
  const outer = [reach.items, ...reach.outer];
  const query = (kinds: readonly ValueKind[]): string => maker.query(kinds, outer, reach.depth - 1);
  ways.push(
    () => `exists (${query(['int'])})`,
    () => `${make(kind)} in (${query([kind])})`,
    () => `${make(kind)} not in (${query([kind])})`,
    () => `${make(kind)} >= all (${query([kind])})`,
    () => `(${make('int')}, ${make('text')}) = (${query(['int', 'text'])} limit 1)`,
    () => `(${make('int')}, ${make('text')}) in (${query(['int', 'text'])})`,
  );
  return ways;
}
