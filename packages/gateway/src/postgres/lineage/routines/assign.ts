/** Values that are written: where regulated ones go, and which classified columns the caller gives values of its own. */
import type { ClassName } from '../../../masking/rules.ts';
import type { CatalogRelation } from '../../catalog/catalog.ts';
import { asKind, stringOf } from '../../inspect/parse/tree.ts';
import { baseOfView, parseCatalogText } from '../../inspect/query/analyze-query.ts';
import type { Assignment, LineageContext, Value } from '../port.ts';
import { isRegulated } from '../value.ts';

export function assign(assignment: Assignment, context: LineageContext): void {
  const { relation, temporary, value } = assignment;
  if (value === undefined) return;
  if (temporary !== undefined) {
    context.collector.flow({
      sources: value.sources,
      how: value.how,
      to: {
        kind: 'temporary',
        relation: temporary,
        column: assignment.column,
        typeOid: value.typeOid,
        position: assignment.position,
      },
    });
  }
  if (relation !== undefined) assignTo(relation, { ...assignment, value }, context);
  else if (temporary === undefined) {
    context.collector.flow({
      sources: value.sources,
      how: value.how,
      to: { kind: 'sink', what: 'relation' },
    });
  }
}

function assignTo(
  relation: CatalogRelation,
  { column, value, verb }: Assignment & { readonly value: Value },
  context: LineageContext,
): void {
  const { collector } = context;
  const columns = column === '*' ? relation.columns.map(({ name }) => name) : [column];
  if (isRegulated(value) && (columns.length === 0 || column === '*')) {
    collector.flow({ sources: value.sources, how: 'derived', to: { kind: 'sink', what: 'relation' } });
  }
  for (const name of columns) {
    const object = `${relation.schema}.${relation.name}.${name}`;
    const classes = classesOf(relation, name, context);
    const [only] = classes;
    // Of a view's column that carries several classes no value is of the very class.
    const isOne = classes.length === 1 && column !== '*';
    if (isRegulated(value) && column !== '*') {
      collector.flow({
        sources: value.sources,
        how: value.how,
        to: { kind: 'column', object, class: isOne ? only : undefined },
      });
    }
    const isPooled = context.rules.aggregates.size > 0 && isNumber(relation, name) && isRegulated(value);
    if (isMoved(value, classes, verb) && !isPooled) continue;
    for (const one of classes) collector.write({ object, class: one });
  }
}

/** Of which averages and sums may be free: copies of one would make a group of it. */
const NUMBERS: ReadonlySet<number> = new Set([20, 21, 23, 700, 701, 790, 1186, 1700]);

/** Where the type is not known, or a domain, it may be one. */
function isNumber({ columns }: CatalogRelation, column: string): boolean {
  const typeOid = columns.find(({ name }) => name === column)?.typeOid;
  return typeOid === undefined || NUMBERS.has(typeOid) || typeOid >= FIRST_OWN_OID;
}

const FIRST_OWN_OID = 16_384;

/** Its own class as it is, or NULL in a new row: nothing that the caller could have seen masked. */
function isMoved(
  { sources, how, fixed, isOther }: Value,
  classes: readonly ClassName[],
  verb: Assignment['verb'],
): boolean {
  if (fixed !== undefined) return false;
  if (sources.length === 0) return !isOther && verb === 'insert';
  const isOfClass = sources.every((source) => source.kind === 'column' && classes.includes(source.class));
  return how === 'direct' && isOfClass;
}

/** Classes of a column that is written: of a view's, those of what it shows besides its own. */
export function classesOf(
  relation: CatalogRelation,
  column: string,
  context: LineageContext,
): readonly ClassName[] {
  const { classification } = context;
  const own = classification.classOf(relation.schema, relation.name, column);
  if (relation.kind !== 'view') return own === undefined ? [] : [own];
  const { columns } = context.queries.columnsOf(relation, context);
  const found = new Set<ClassName>(own === undefined ? [] : [own]);
  for (const { name, value } of columns) {
    if (name !== column) continue;
    for (const source of value.sources) if (source.kind === 'column') found.add(source.class);
  }
  return [...found];
}

/**
 * A write that fails because the value is there already, or takes another way then, tells that it is there. A key that points at another relation tells it of
 * that.
 */
export function unique(
  relation: CatalogRelation | undefined,
  given: ReadonlyMap<string, Value>,
  columns: readonly string[] | '*',
  context: LineageContext,
): void {
  if (relation === undefined) return;
  if (relation.kind === 'view') {
    uniqueBehind(relation, given, context);
    return;
  }
  const looked = columns === '*' ? [...given.keys()] : columns;
  for (const column of looked) {
    if (!mayBeUnique(relation, column)) continue;
    probe(relation, column, given.get(column), context);
  }
  for (const key of relation.foreignKeys ?? []) {
    const referenced = context.catalog.relationByOid(key.relationOid);
    if (referenced === undefined) continue;
    for (const [at, column] of key.columns.entries()) {
      const other = key.referenced[at];
      if (other !== undefined) probe(referenced, other, given.get(column), context);
    }
  }
}

/** A value that is given to a column of a view goes to the column that is shown there; where that is not told, to any. */
function uniqueBehind(
  view: CatalogRelation,
  given: ReadonlyMap<string, Value>,
  context: LineageContext,
): void {
  const base = given.size === 0 ? undefined : baseOfView(view, context.query);
  if (base === undefined) return;
  const shown = shownColumns(view);
  const passed = new Map<string, Value>();
  for (const [name, value] of given) {
    const column = shown.get(name);
    if (column !== undefined) passed.set(column, value);
    else for (const each of base.columns) if (!passed.has(each.name)) passed.set(each.name, value);
  }
  unique(base, passed, '*', context);
}

/** Of the columns of a view that are a column of what is behind it: its name there. */
function shownColumns({ columns, definition = '' }: CatalogRelation): ReadonlyMap<string, string> {
  const targets = asKind(parseCatalogText(definition), 'SelectStmt')?.targetList ?? [];
  const shown = new Map<string, string>();
  for (const [at, { name }] of columns.entries()) {
    const reference = asKind(asKind(targets[at], 'ResTarget')?.val, 'ColumnRef');
    const column = stringOf(reference?.fields?.at(-1));
    if (column !== undefined) shown.set(name, column);
  }
  return shown;
}

/** Where the snapshot does not say, any column may be. */
function mayBeUnique({ uniqueColumns }: CatalogRelation, column: string): boolean {
  return uniqueColumns === undefined || uniqueColumns.includes(column);
}

function probe(
  relation: CatalogRelation,
  column: string,
  value: Value | undefined,
  context: LineageContext,
): void {
  if (value === undefined) return;
  const { collector } = context;
  const object = `${relation.schema}.${relation.name}.${column}`;
  for (const one of classesOf(relation, column, context)) {
    const source = collector.source({ kind: 'column', object, class: one });
    const isOther = value.isOther || isRegulated(value);
    if (isOther && !isMoved(value, [one], 'insert')) collector.oracle('comparison', [source]);
    if (value.fixed === undefined) continue;
    const { constants, parameters, arrays } = value.fixed;
    if (constants.length === 0 && parameters.length === 0) continue;
    collector.probe({ sources: [source], kind: 'unique', constants, parameters, arrays });
  }
}
