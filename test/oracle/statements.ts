/** Statements for the oracle: SELECT in all its parts, INSERT, UPDATE, DELETE and MERGE, and what wraps them. */
import { makeExpression } from './expressions.ts';
import type { Reach } from './expressions.ts';
import { makeCommon, makeQuery, makeTopSelect, where } from './queries.ts';
import type { Common } from './queries.ts';
import { Random } from './random.ts';
import { makeFrom } from './range-items.ts';
import type { ItemMaker } from './range-items.ts';
import { ORACLE_PATHS } from './schema.ts';
import { VALUE_KINDS, quote } from './world.ts';
import type { Column, RangeItem, Relation, ValueKind, World } from './world.ts';

export interface Generated {
  readonly sql: string;
  readonly path: readonly string[];
  readonly form: string;
}

const WRITABLE = new Set(['table', 'partitioned-table', 'view']);
const DEPTH = 2;

/** Makes statement after statement; the same for the same seed and world. */
export class StatementMaker implements ItemMaker {
  readonly random: Random;
  readonly #world: World;
  #path: readonly string[] = [];
  #aliases = 0;
  #commons: readonly Common[] = [];
  /** Queries within one statement, so that it ends. */
  #queries = 0;

  constructor(world: World, seed: number) {
    this.#world = world;
    this.random = new Random(seed);
  }

  next(): Generated {
    this.#path = this.random.pick(ORACLE_PATHS);
    this.#aliases = 0;
    this.#queries = 0;
    this.#commons = [];
    const commons = this.random.once(4) ? this.#makeCommons() : '';
    const form = this.random.pick(FORMS);
    return { sql: `${commons}${this.#body(form)}`, path: this.#path, form };
  }

  alias(): string {
    this.#aliases += 1;
    return this.random.once(10) ? `"T ${this.#aliases}"` : `t${this.#aliases}`;
  }

  relation(): Relation {
    if (this.#commons.length > 0 && this.random.once(3)) return this.#commonAsRelation();
    if (this.random.once(40)) {
      const name = this.random.pick(['pg_class', 'pg_attribute', 'pg_namespace']);
      return this.#written(this.#world.system('pg_catalog', name));
    }
    return this.#written(this.random.pick(this.#world.readable));
  }

  written(schema: string, name: string): string {
    return this.#path.includes(schema) && this.random.once(2)
      ? quote(name)
      : `${quote(schema)}.${quote(name)}`;
  }

  query(kinds: readonly ValueKind[], outer: readonly (readonly RangeItem[])[], depth: number): string {
    this.#queries += 1;
    return makeQuery(this, kinds, outer, this.#queries > 12 ? 0 : depth);
  }

  #body(form: (typeof FORMS)[number]): string {
    switch (form) {
      case 'insert':
        return this.#insert();
      case 'update':
        return this.#update();
      case 'delete':
        return this.#delete();
      case 'merge':
        return this.#merge();
      case 'set':
        return this.query(
          this.random.list(1, 3, () => this.random.pick(['int', 'text'] as const)),
          [],
          DEPTH + 1,
        );
      case 'values':
        return `values (${this.#constant('int')}, ${this.#constant('text')}), (1, 'x') order by 1`;
      case 'table':
        return `table ${this.#written(this.random.pick(this.#world.readable)).written}`;
      default:
        return makeTopSelect(this, DEPTH);
    }
  }

  #constant(kind: ValueKind): string {
    return makeExpression(this, kind, { items: [], outer: [], depth: DEPTH });
  }

  #makeCommons(): string {
    const made: Common[] = [];
    const texts: string[] = [];
    const count = 1 + this.random.below(2);
    for (let index = 0; index < count; index += 1) {
      const common = this.random.once(5) ? this.#writingCommon(index) : makeCommon(this, index, 1);
      if (made.some(({ name }) => name === common.name)) continue;
      made.push(common);
      texts.push(common.sql);
      this.#commons = [...made];
    }
    const recursive = this.random.once(4)
      ? { words: 'recursive ', more: 'walk(n) as (select 1 union all select n + 1 from walk where n < 3), ' }
      : { words: '', more: '' };
    return `with ${recursive.words}${recursive.more}${texts.join(', ')} `;
  }

  #writingCommon(index: number): Common {
    const name = `w${index}`;
    const { relation, written, columns } = this.#target();
    const column = this.random.pick(columns);
    const item: RangeItem = { alias: quote(relation.name), columns, hasRow: false };
    const body = `delete from ${written}${where(this, { items: [item], outer: [], depth: 1 })} returning ${item.alias}.${quote(column.name)}`;
    return { name, columns: [{ name: 'c0', kind: column.kind }], sql: `${name}(c0) as (${body})` };
  }

  #commonAsRelation(): Relation {
    const { name, columns } = this.random.pick(this.#commons);
    // Only its kind is looked at: a view is neither sampled nor read with ONLY.
    const relation = { ...this.random.pick(this.#world.readable), schema: '', name, kind: 'view' as const };
    return { relation, written: quote(name), columns };
  }

  #written(relation: Relation['relation']): Relation {
    const hidden = this.#commons.some(({ name }) => name === relation.name);
    const isBare = !hidden && this.#world.isBare(relation, this.#path) && this.random.below(10) < 7;
    const name = quote(relation.name);
    return {
      relation,
      written: isBare ? name : `${quote(relation.schema)}.${name}`,
      columns: this.#world.columnsOf(relation),
    };
  }

  #target(): Relation {
    const writable = this.#world.readable.filter(
      ({ kind, columns }) => WRITABLE.has(kind) && columns.length > 0,
    );
    return this.#written(this.random.pick(writable));
  }

  #assignable(relation: Relation): readonly Column[] {
    const generated = new Set(
      relation.relation.columns.filter(({ generated: is }) => is).map(({ name }) => name),
    );
    const found = relation.columns.filter(({ name }) => !generated.has(name));
    return this.random.some(found, 3);
  }

  #insert(): string {
    const target = this.#target();
    const alias = this.alias();
    const columns = this.#assignable(target);
    const item: RangeItem = { alias, columns: target.columns, hasRow: true };
    const names = columns.map(({ name }) => quote(name)).join(', ');
    const kinds = columns.map(({ kind }) => kind);
    const value = (kind: ValueKind): string =>
      kind === 'other' ? this.random.pick(['default', 'null']) : this.#constant(kind);
    const source = this.random.choose([
      () => `(${names}) values (${kinds.map(value).join(', ')})`,
      () => `(${names}) values (${kinds.map(value).join(', ')}), (${kinds.map(() => 'default').join(', ')})`,
      () =>
        `(${names}) ${this.query(
          kinds.map((kind) => (kind === 'other' ? 'text' : kind)),
          [],
          DEPTH,
        )}`,
      () => 'default values',
    ]);
    return `insert into ${target.written} as ${alias} ${source}${this.#onConflict(target, item)}${this.#returning([item])}`;
  }

  #onConflict({ relation, columns }: Relation, item: RangeItem): string {
    if (relation.kind === 'view' || !this.random.once(3)) return '';
    if (this.random.once(2)) return ' on conflict do nothing';
    const excluded: RangeItem = { alias: 'excluded', columns, hasRow: true };
    const reach: Reach = { items: [item, excluded], outer: [], depth: 1 };
    const sets = this.#assignments(this.#assignable({ relation, written: '', columns }), reach);
    return ` on conflict (${quote(columns[0]?.name ?? 'id')}) do update set ${sets}${where(this, reach)}`;
  }

  #assignments(columns: readonly Column[], reach: Reach): string {
    const value = (kind: ValueKind): string =>
      kind === 'other' ? this.random.pick(['default', 'null']) : makeExpression(this, kind, reach);
    const [first, second] = columns;
    if (first !== undefined && second !== undefined && columns.length === 2 && this.random.once(3)) {
      const outer = [reach.items, ...reach.outer];
      const kinds = [first.kind, second.kind];
      return `(${quote(first.name)}, ${quote(second.name)}) = (${this.query(kinds, outer, 1)} limit 1)`;
    }
    return columns.map(({ kind, name }) => `${quote(name)} = ${value(kind)}`).join(', ');
  }

  #returning(items: readonly RangeItem[]): string {
    if (this.random.once(2)) return '';
    const reach: Reach = { items, outer: [], depth: 1 };
    const version18 =
      this.#world.serverMajor >= 18 && items[0]?.columns[0] !== undefined && this.random.once(4);
    const first = quote(items[0]?.columns[0]?.name ?? 'x');
    if (version18) return ` returning with (old as before, new as after) before.${first}, after.*`;
    return ` returning ${this.random.choose([
      () => '*',
      () => makeExpression(this, this.random.pick(VALUE_KINDS), reach),
      () => `${items[0]?.alias ?? ''}.*`,
    ])}`;
  }

  #update(): string {
    const target = this.#target();
    const alias = this.alias();
    const item: RangeItem = { alias, columns: target.columns, hasRow: true };
    const from = this.random.once(2) ? makeFrom(this, [], 1) : undefined;
    const items = [item, ...(from?.items ?? [])];
    const reach: Reach = { items, outer: [], depth: DEPTH };
    const only = target.relation.kind !== 'view' && this.random.once(6) ? 'only ' : '';
    const sets = this.#assignments(this.#assignable(target), reach);
    return `update ${only}${target.written} ${alias} set ${sets}${from === undefined ? '' : ` from ${from.sql}`}${where(this, reach)}${this.#returning(items)}`;
  }

  #delete(): string {
    const target = this.#target();
    const alias = this.alias();
    const item: RangeItem = { alias, columns: target.columns, hasRow: true };
    const using = this.random.once(2) ? makeFrom(this, [], 1) : undefined;
    const items = [item, ...(using?.items ?? [])];
    const reach: Reach = { items, outer: [], depth: DEPTH };
    return `delete from ${target.written} as ${alias}${using === undefined ? '' : ` using ${using.sql}`}${where(this, reach)}${this.#returning(items)}`;
  }

  #merge(): string {
    const target = this.#target();
    const alias = this.alias();
    const item: RangeItem = { alias, columns: target.columns, hasRow: true };
    const source = makeFrom(this, [], 0);
    const both: Reach = { items: [item, ...source.items], outer: [], depth: 1 };
    const onlySource: Reach = { items: source.items, outer: [], depth: 1 };
    const and = (reach: Reach): string =>
      this.random.once(2) ? ` and ${makeExpression(this, 'bool', reach)}` : '';
    const columns = this.#assignable(target);
    const value = ({ kind }: Column): string =>
      kind === 'other' ? 'default' : makeExpression(this, kind, onlySource);
    const names = columns.map(({ name }) => quote(name)).join(', ');
    const clauses = [
      ` when matched${and(both)} then ${this.random.pick([`update set ${this.#assignments(columns, both)}`, 'delete', 'do nothing'])}`,
      ` when not matched${and(onlySource)} then insert (${names}) values (${columns.map(value).join(', ')})`,
      ...(this.#world.serverMajor >= 17
        ? [` when not matched by source${and({ ...both, items: [item] })} then delete`]
        : []),
    ];
    const returning =
      this.#world.serverMajor >= 17 && this.random.once(3)
        ? ` returning merge_action(), ${makeExpression(this, 'int', { ...both, isPlain: true })}`
        : '';
    const on = makeExpression(this, 'bool', { ...both, isPlain: true });
    return `merge into ${target.written} ${alias} using ${source.sql} on ${on}${this.random.some(clauses, 3).join('')}${returning}`;
  }
}

const FORMS = [
  'select',
  'select',
  'select',
  'select',
  'select',
  'set',
  'insert',
  'insert',
  'update',
  'update',
  'delete',
  'merge',
  'merge',
  'values',
  'table',
] as const;
