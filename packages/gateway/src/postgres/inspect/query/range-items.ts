/** Relations as items of FROM or targets of writes, and what reading one brings with it. */
import type { Access } from '../../../policy/access.ts';
import type { CatalogRelation } from '../../catalog/catalog.ts';
import { asKind, stringsOf } from '../parse/tree.ts';
import type { NodeOf } from '../parse/tree.ts';
import { foundInPolicy, foundWithin, parseCatalogText } from './catalog-texts.ts';
import { contextWithin } from './context.ts';
import type { QueryContext } from './context.ts';
import type { Authority, ColumnUse, Found } from './demands.ts';
import type { FoundRelation } from './names.ts';
import { analyzeQueryNode } from './query-node.ts';
import { RelationSource } from './scope.ts';
import type { RangeItem, SourceColumn } from './scope.ts';

/** Relations that PostgreSQL itself brings are below this OID. Their class says what they show; their definitions are not looked into. */
const FIRST_OWN_OID = 16_384;

export interface ItemOptions {
  /** Its columns are the caller's own values (`excluded`, `new` of a rule): reading them demands nothing. */
  readonly isFree?: boolean;
  /** Without ONLY: what inherits from it is read as well. */
  readonly inherits?: boolean;
  readonly alias?: NodeOf<'Alias'> | undefined;
  readonly schema?: string;
}

/** @param name what it is called where it stands. */
export function itemOfRelation(
  found: FoundRelation,
  name: string | undefined,
  context: QueryContext,
  options: ItemOptions = {},
): RangeItem {
  const { relation, temporary } = found;
  const source =
    options.isFree === true
      ? undefined
      : new RelationSource(() => bindRead(found, options.inherits === true, context));
  const columns = (relation?.columns ?? []).map((column) => columnOf(column.name, source));
  return {
    name,
    ...(options.schema !== undefined && { schema: options.schema }),
    columns: renamed(columns, options.alias),
    isOpen: relation === undefined || relation.open === true || temporary !== undefined,
    sources: source === undefined ? [] : [source],
    // A view has no system columns: a name like theirs is looked for further out, or is a function.
    isRelation: relation?.kind !== 'view',
    lock: () => {
      lock(found, context);
    },
    columnsVisible: true,
    nameVisible: true,
  };
}

function columnOf(name: string, source: RelationSource | undefined): SourceColumn {
  return source === undefined ? { name } : { name, source };
}

/** The column names of an alias take the place of the first columns. */
export function renamed(
  columns: readonly SourceColumn[],
  alias: NodeOf<'Alias'> | undefined,
): readonly SourceColumn[] {
  const names = stringsOf(alias?.colnames) ?? [];
  if (names.length === 0) return columns;
  const all = names.map((name, index) => {
    const column = columns[index];
    if (column?.source === undefined) return { name };
    return { name, source: column.source, column: column.column ?? column.name };
  });
  return [...all, ...columns.slice(names.length)];
}

/** FOR UPDATE and its kin: the server asks for UPDATE of the relation. */
function lock({ relation, temporary }: FoundRelation, context: QueryContext): void {
  if (relation !== undefined) {
    context.demands.relation('update', relation, context);
    if (relation.kind === 'view' && relation.definition !== undefined) lockBehind(relation, context);
  }
  if (temporary !== undefined) context.demands.relation('update', temporary, context);
}

/** What is behind a view is locked with it, on the authority on which it is read. */
function lockBehind(view: CatalogRelation, context: QueryContext): void {
  const { catalog, demands } = context;
  const { demands: byCaller, reaches: byOwner } = foundInView(view, context);
  const lockAll = (accesses: readonly Access[], authority: Authority['authority']): void => {
    for (const access of accesses) {
      if (access.kind !== 'relation' || access.verb !== 'select') continue;
      const relation = catalog.relation(access.schema, access.name);
      const via = access.via === undefined ? {} : { via: access.via };
      if (relation !== undefined) demands.relation('update', relation, { authority, ...via });
    }
  };
  lockAll(byCaller, 'caller');
  lockAll(byOwner, 'owner');
}

function bindRead(found: FoundRelation, inherits: boolean, context: QueryContext): readonly ColumnUse[] {
  const uses: ColumnUse[] = [];
  if (found.relation !== undefined) {
    const use = context.demands.relation('select', found.relation, context);
    use.inherited ||= inherits;
    uses.push(use);
    includeRead(found.relation, context);
  }
  if (found.temporary !== undefined) uses.push(context.demands.relation('select', found.temporary, context));
  return uses;
}

/** What runs and what is reached when rows of it are made: a view's query, row security, virtual columns. */
export function includeRead(relation: CatalogRelation, context: QueryContext): void {
  if (relation.oid < FIRST_OWN_OID) return;
  if (relation.kind === 'view' && relation.definition !== undefined)
    context.demands.include(foundInView(relation, context));
  for (const { on, text } of relation.expressions) {
    if (on !== 'write' && runsOnRead(relation, text))
      context.demands.include(foundInPolicy(text, relation, context));
  }
}

/** Policies stand in the catalog also while row security is off. */
function runsOnRead(relation: CatalogRelation, text: string): boolean {
  return (
    relation.rowSecurity || relation.columns.some((column) => column.generated && column.default === text)
  );
}

/**
 * The base relations of a view are its owner's business, unless it says that they are the caller's (15 and later); then they are so
 * behind any other view too.
 */
function foundInView(view: CatalogRelation, context: QueryContext): Found {
  const authority = view.securityInvoker ? 'caller' : 'owner';
  const via = `${view.schema}.${view.name}`;
  return foundWithin(`view\0${via}`, via, context, (within) => {
    analyzeQueryNode(parseCatalogText(view.definition!), undefined, { ...within, authority });
  });
}

/** Of a view that can be written through: the one relation of its FROM. Undefined: it has none, or more. */
export function baseOfView(view: CatalogRelation, context: QueryContext): CatalogRelation | undefined {
  if (view.kind !== 'view' || view.definition === undefined) return undefined;
  const from = asKind(parseCatalogText(view.definition), 'SelectStmt')?.fromClause ?? [];
  const base = from.length === 1 ? asKind(from[0], 'RangeVar') : undefined;
  if (base?.relname === undefined) return undefined;
  return context.catalog.relation(base.schemaname ?? 'pg_catalog', base.relname);
}

/** The context in which a view's base relation is written. */
export function contextOfBase(view: CatalogRelation, context: QueryContext): QueryContext {
  const within = contextWithin(context, `${view.schema}.${view.name}`);
  return view.securityInvoker ? { ...within, authority: 'caller' } : within;
}
