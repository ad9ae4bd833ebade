/** Everything regulated that relations have, for statements whose parts are not followed one by one. */
import type { Source } from '../../../masking/lineage.ts';
import type { Access } from '../../../policy/access.ts';
import type { CatalogRelation } from '../../catalog/catalog.ts';
import { asKind, walkNodes } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import { findRelation } from '../../inspect/query/analyze-query.ts';
import type { FoundRelation } from '../../inspect/query/analyze-query.ts';
import type { LineageContext, QueryColumns } from '../port.ts';
import { unionOf } from '../value.ts';
import { showsValues } from '../routines/routines.ts';

export function restOfQuery({ columns, rest = [] }: QueryColumns): readonly Source[] {
  return unionOf([rest, ...columns.map(({ value }) => value.sources)]);
}

/** Of the columns that a class is bound to; of a view, also what is behind it. */
export function sourcesOf(relation: CatalogRelation, context: LineageContext): readonly Source[] {
  return restOfQuery(context.queries.columnsOf(relation, context));
}

/** The columns of a relation that a class is bound to by name: what a new name would take the class from. */
export function boundSources(
  relation: CatalogRelation,
  { classification }: LineageContext,
): readonly Source[] {
  const { schema, name } = relation;
  if (!classification.hasClasses(schema, name)) return [];
  return relation.columns.flatMap((column): readonly Source[] => {
    const bound = classification.classOf(schema, name, column.name);
    return bound === undefined
      ? []
      : [{ kind: 'column', object: `${schema}.${name}.${column.name}`, class: bound }];
  });
}

export function foundOf(range: NodeOf<'RangeVar'>, context: LineageContext): FoundRelation {
  const { catalogname: database, schemaname: schema, relname: name = '' } = range;
  return findRelation({ database, schema, name }, context.query) ?? {};
}

/** Every relation that a statement names, wherever. */
export function sourcesNamed(node: Node, context: LineageContext): readonly Source[] {
  const lists: (readonly Source[])[] = [];
  walkNodes(node, (kind, fields) => {
    if (kind === 'RangeVar') lists.push(sourcesOfRange(fields as NodeOf<'RangeVar'>, context));
  });
  return unionOf(lists);
}

/** PartitionCmd, IntoClause and the like hold the fields of a RangeVar without its kind. */
export function sourcesOfRange(
  range: NodeOf<'RangeVar'> | undefined,
  context: LineageContext,
): readonly Source[] {
  if (range === undefined) return [];
  const { relation, temporary } = foundOf(range, context);
  return unionOf([
    relation === undefined ? [] : sourcesOf(relation, context),
    temporary === undefined ? [] : [{ kind: 'temporary', relation: temporary, column: '*' }],
  ]);
}

/** What the analysis says that a statement may read, columns that are regulated only: for statements that are not followed. */
export function sourcesOfAccesses(
  accesses: readonly Access[],
  { classification }: LineageContext,
): readonly Source[] {
  return unionOf(accesses.map((access) => sourcesOfAccess(access, classification)));
}

function sourcesOfAccess(
  access: Access,
  classification: LineageContext['classification'],
): readonly Source[] {
  if (access.kind === 'routine') {
    return [{ kind: 'unknown', object: `${access.schema}.${access.name}` }];
  }
  if (access.kind !== 'relation') return [];
  const { schema, name } = access;
  if (access.class === 'temp') return [{ kind: 'temporary', relation: name, column: '*' }];
  if (access.class !== 'data') {
    return showsValues(schema, name, undefined) ? [{ kind: 'unknown', object: `${schema}.${name}` }] : [];
  }
  // Which columns it is does not matter here: the worst is taken.
  return classification.hasClasses(schema, name) ? [{ kind: 'unknown', object: `${schema}.${name}` }] : [];
}

/** The relation that an object list of COMMENT, RENAME and the like names. */
export function rangeOfParts(parts: readonly string[]): NodeOf<'RangeVar'> {
  const [relname, schemaname, catalogname] = parts.toReversed();
  return {
    relname: relname ?? '',
    ...(schemaname !== undefined && { schemaname }),
    ...(catalogname !== undefined && { catalogname }),
  };
}

export const listOf = (node: Node | undefined): readonly Node[] => asKind(node, 'List')?.items ?? [];
