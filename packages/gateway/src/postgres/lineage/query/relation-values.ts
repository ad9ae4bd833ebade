/**
 * What the columns of relations carry: the classes that are bound to them, what views and generated columns are made of, what is known of the session's own
 * relations and of PostgreSQL's. Found once per catalog and classification; what it says depends on nothing else.
 */
import type { Source } from '../../../masking/lineage.ts';
import type { ClassName } from '../../../masking/rules.ts';
import type { Catalog, CatalogColumn, CatalogRelation } from '../../catalog/catalog.ts';
import { parseCatalogText, parseExpressionText, spendWork } from '../../inspect/query/analyze-query.ts';
import type { FoundRelation } from '../../inspect/query/analyze-query.ts';
import { classifyRelation } from '../../inspect/routines/system-relations.ts';
import type { LineageContext, NamedValue, QueryColumns, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { showsValues } from '../routines/system-values.ts';
import { columnOf, derivedOf, eitherOf, unionOf, unknownOf } from '../value.ts';
import { catalogContext } from './catalog-context.ts';
import { EventList, replay } from './event-list.ts';
import { lineageOfExpression } from './expression.ts';
import { lineageOfQuery } from './query-node.ts';
import { emptyScope } from './scope.ts';
import type { Item } from './scope.ts';

/** Views on views on …: the server's own texts end long before. */
const MAX_DEPTH = 100;

interface Known extends QueryColumns {
  /** What reading it tells besides, each time. */
  readonly events: EventList;
}

type Cache = Map<string, Known | 'open'>;

const caches = new WeakMap<Catalog, WeakMap<object, Cache>>();

function cacheOf({ catalog, classification }: LineageContext): Cache {
  let byClassification = caches.get(catalog);
  if (byClassification === undefined) caches.set(catalog, (byClassification = new WeakMap()));
  let cache = byClassification.get(classification);
  if (cache === undefined) byClassification.set(classification, (cache = new Map()));
  return cache;
}

/**
 * @param inherits without ONLY: rows of what inherits from it are read as well.
 * @throws UnknownLineage for a view that cannot be followed.
 */
export function columnsOfRelation(
  relation: CatalogRelation,
  inherits: boolean,
  context: LineageContext,
): QueryColumns {
  const cache = cacheOf(context);
  const key = `${context.rules.version}\0${relation.oid}\0${relation.schema}\0${relation.name}\0${String(inherits)}`;
  let known = cache.get(key);
  if (known === 'open' || context.depth > MAX_DEPTH) throw new UnknownLineage('a view within itself');
  if (known === undefined) {
    cache.set(key, 'open');
    try {
      known = readColumns(relation, inherits, context);
      cache.set(key, known);
    } catch (error) {
      cache.delete(key);
      throw error;
    }
  }
  replay(known.events, context.collector);
  return known;
}

function readColumns(relation: CatalogRelation, inherits: boolean, context: LineageContext): Known {
  spendWork(1 + relation.columns.length);
  const events = new EventList();
  const within = catalogContext(context, events);
  const isSystems = classifyRelation(relation.schema, relation.name) !== 'data';
  if (isSystems) return systemColumns(relation, events);
  if (relation.open === true) return openColumns(relation, within, events);
  const isView = relation.kind === 'view' || relation.kind === 'materialized-view';
  const behind = isView ? behindView(relation, within) : undefined;
  const family = isView ? [relation] : familyOf(relation, inherits, within);
  if (
    behind === undefined &&
    !family.some(({ schema, name }) => within.classification.hasClasses(schema, name))
  ) {
    return { columns: relation.columns.map((column) => freeColumn(relation, column)), isOpen: false, events };
  }
  const columns = relation.columns.map((column, index) => {
    const own = ownSources(column.name, family, within);
    return { name: column.name, value: valueOf(relation, column, own, behind?.columns[index]?.value) };
  });
  return { columns: withGenerated(relation, columns, within), isOpen: false, events };
}

/** A view's columns are those of its query, in order. */
function behindView({ definition }: CatalogRelation, context: LineageContext): QueryColumns {
  if (definition === undefined) throw new UnknownLineage('a view without a definition');
  const query = lineageOfQuery(parseCatalogText(definition), undefined, context);
  if (query.isOpen) throw new UnknownLineage('a view of unknown columns');
  return query;
}

const nameOf = ({ schema, name }: CatalogRelation): string => `${schema}.${name}`;

const freeColumn = (relation: CatalogRelation, { name, typeOid }: CatalogColumn): NamedValue => ({
  name,
  value: columnOf(undefined, `${nameOf(relation)}.${name}`, typeOid),
});

/** Itself, what it inherits from, and, where their rows are read with its own, what inherits from it. */
function familyOf(
  relation: CatalogRelation,
  inherits: boolean,
  { catalog }: LineageContext,
): readonly CatalogRelation[] {
  const family = new Map([[relation.oid, relation]]);
  const collect = (one: CatalogRelation, next: 'parents' | 'children'): void => {
    for (const oid of one[next]) {
      const other = catalog.relationByOid(oid);
      if (other === undefined || family.has(oid)) continue;
      spendWork(1);
      family.set(oid, other);
      collect(other, next);
    }
  };
  collect(relation, 'parents');
  if (inherits) collect(relation, 'children');
  return [...family.values()];
}

/** A class that a relative of it has bound counts as its own; each class once, named by the first that has it. */
function ownSources(
  column: string,
  family: readonly CatalogRelation[],
  { classification }: LineageContext,
): readonly Source[] {
  const found = new Map<ClassName, Source>();
  for (const relation of family) {
    const name = classification.classOf(relation.schema, relation.name, column);
    if (name !== undefined && !found.has(name))
      found.set(name, { kind: 'column', object: `${nameOf(relation)}.${column}`, class: name });
  }
  return [...found.values()];
}

/** A class that is bound to a view's own column counts on top of what the column is made of. */
function valueOf(
  relation: CatalogRelation,
  { name, typeOid }: CatalogColumn,
  own: readonly Source[],
  behind: Value | undefined,
): Value {
  const origin = `${nameOf(relation)}.${name}`;
  // What a constant of the catalog's own text is, its owner chose.
  const inside = behind === undefined ? undefined : { ...behind, origin, typeOid };
  if (own.length === 0) return inside ?? columnOf(undefined, origin, typeOid);
  const first: Value = { ...columnOf(own[0], origin, typeOid), sources: own };
  const itself: Value = own.length > 1 ? { ...first, how: 'derived' } : first;
  if (inside === undefined || inside.sources.length === 0) return itself;
  const classes = new Set(own.map((source) => (source.kind === 'column' ? source.class : '')));
  const adds = inside.sources.some((source) => source.kind !== 'column' || !classes.has(source.class));
  if (!adds && inside.how === 'direct') return itself;
  return { ...inside, sources: unionOf([own, inside.sources]), how: 'derived' };
}

/** Generated columns are made of others, never of generated ones. What making them tells was told when the row was written. */
function withGenerated(
  relation: CatalogRelation,
  columns: readonly NamedValue[],
  context: LineageContext,
): readonly NamedValue[] {
  const within: LineageContext = { ...context, collector: new EventList() };
  const scope = emptyScope();
  scope.items.push(plainItem(relation, relation.name, columns));
  return columns.map((column, index) => {
    const { generated, default: text, typeOid } = relation.columns[index]!;
    if (!generated || text === undefined) return column;
    const made = derivedOf(
      parseExpressionText(text).map((node) => lineageOfExpression(node, scope, within)),
      typeOid,
    );
    if (made.sources.length === 0) return column;
    const sources = unionOf([column.value.sources, made.sources]);
    return { name: column.name, value: { ...made, sources, origin: column.value.origin } };
  });
}

/** PostgreSQL's own: names, types and counters are free. */
function systemColumns(relation: CatalogRelation, events: EventList): Known {
  const columns = relation.columns.map((column) => {
    if (!showsValues(relation.schema, relation.name, column.name)) return freeColumn(relation, column);
    const origin = `${nameOf(relation)}.${column.name}`;
    return { name: column.name, value: { ...unknownOf([{ kind: 'unknown', object: origin }]), origin } };
  });
  return { columns, isOpen: false, events };
}

/**
 * Of a shape that is not known, since DDL changed it after the snapshot: a column of a name that it had is what it was, for DDL that would move regulated values is refused;
 * one of any other name may be anything, if the relation has classes at all.
 */
function openColumns(relation: CatalogRelation, context: LineageContext, events: EventList): Known {
  const family = familyOf(relation, true, context);
  const hasClasses = family.some(({ schema, name }) => context.classification.hasClasses(schema, name));
  const unknown: Source = { kind: 'unknown', object: nameOf(relation) };
  const columns = relation.columns.map((column) => {
    const value = valueOf(relation, column, ownSources(column.name, family, context), undefined);
    return { name: column.name, value: { ...value, typeOid: undefined } };
  });
  return { columns, isOpen: true, rest: hasClasses ? [unknown] : [], events };
}

/** A relation in FROM by what its columns are. */
export const plainItem = (
  relation: CatalogRelation,
  name: string | undefined,
  columns: readonly NamedValue[],
): Item => ({
  name,
  columns,
  // A view has no system columns.
  isRelation: relation.kind !== 'view',
  columnsVisible: true,
  nameVisible: true,
});

export interface ItemOptions {
  readonly inherits: boolean;
  readonly schema?: string | undefined;
  /** Column names of an alias. */
  readonly names?: readonly string[] | undefined;
}

/** Of a name that may mean a relation, one of the session's own, or either. */
export function itemOfRelation(
  { relation, temporary }: FoundRelation,
  name: string | undefined,
  options: ItemOptions,
  context: LineageContext,
): Item {
  const query: QueryColumns =
    relation === undefined
      ? { columns: [], isOpen: true }
      : columnsOfRelation(relation, options.inherits, context);
  const base: Item =
    relation === undefined
      ? { name, columns: [], isRelation: true, columnsVisible: true, nameVisible: true }
      : plainItem(relation, name, query.columns);
  const others = [
    relation !== undefined && query.isOpen ? otherOfOpen(query) : undefined,
    temporary === undefined ? undefined : otherOfTemporary(temporary, context),
  ].filter((other) => other !== undefined);
  const other =
    others.length === 0 ? undefined : (column: string): Value => eitherOf(others.map((of) => of(column)));
  return {
    ...base,
    ...(options.schema !== undefined && { schema: options.schema }),
    columns: renamedRelation(base.columns, options.names ?? [], other),
    isRenamed: (options.names ?? []).length > 0,
    other,
  };
}

function otherOfOpen({ columns, rest = [] }: QueryColumns): (name: string) => Value {
  const any = unknownOf(unionOf([rest, ...columns.map((column) => column.value.sources)]));
  const unknown = unknownOf(rest);
  const known = new Map(columns.map(({ name, value }) => [name, value]));
  return (name) => (name === '*' ? any : (known.get(name) ?? unknown));
}

function otherOfTemporary(relation: string, { collector }: LineageContext): (name: string) => Value {
  return (column) => {
    const source = collector.source({ kind: 'temporary', relation, column });
    const value = columnOf(source, undefined);
    // `*` is any of them, so not one as it is.
    return column === '*' ? { ...value, how: 'derived', form: 'part' } : value;
  };
}

/** Under an alias' names, it is not known which column of an open relation is meant. */
function renamedRelation(
  columns: readonly NamedValue[],
  names: readonly string[],
  other: ((name: string) => Value) | undefined,
): readonly NamedValue[] {
  if (names.length === 0) return columns;
  const first = names.map((name, index) => {
    const known = columns[index]?.value;
    const values = [known, other?.('*')].filter((value) => value !== undefined);
    return { name, value: eitherOf(values) };
  });
  return [...first, ...columns.slice(names.length)];
}
