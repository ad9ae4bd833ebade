/** Names of types: what runs when a value is made one of them. */
import type { CatalogType } from '../../catalog/catalog.ts';
import { stringsOf } from '../parse/tree.ts';
import type { NodeOf } from '../parse/tree.ts';
import { foundInExpression } from './catalog-texts.ts';
import type { QueryContext } from './context.ts';
import { UnreadableStatement } from './demands.ts';
import { findRelation, findType } from './names.ts';

/** A cast to the type, or a column of it: its own routines, casts and the checks of domains. */
export function useTypeName(type: NodeOf<'TypeName'> | undefined, context: QueryContext): void {
  if (type === undefined) return;
  context.demands.castsExplicitly = true;
  const parts = stringsOf(type.names);
  if (parts === undefined || parts.length === 0) throw new UnreadableStatement('unknown-expression');
  if (type.pct_type === true) useColumnType(parts, context);
  else useNamedType(parts, context);
}

/** `table.column%TYPE`. */
function useColumnType(parts: readonly string[], context: QueryContext): void {
  const [name, schema] = [parts.at(-2), parts.at(-3)];
  const found = name === undefined ? undefined : findRelation({ schema, name }, context);
  if (found === undefined) return context.demands.unknownName('relation', parts.slice(0, -1).join('.'));
  const column = found.relation?.columns.find((candidate) => candidate.name === parts.at(-1));
  if (column !== undefined) useTypeOid(column.typeOid, context);
  return undefined;
}

export function useNamedType(parts: readonly string[], context: QueryContext): void {
  context.demands.castsExplicitly = true;
  const type = findType(parts, context);
  if (type === undefined) {
    // The row type of a table; the snapshot need not list it.
    const found = findRelation({ schema: parts.at(-2), name: parts.at(-1)! }, context);
    if (found === undefined) context.demands.unknownName('type', parts.join('.'));
    for (const column of found?.relation?.columns ?? []) useTypeOid(column.typeOid, context);
  } else if (type !== 'temporary') useType(type, context);
}

export function useTypeOid(oid: number, context: QueryContext): void {
  const type = context.catalog.typeByOid(oid);
  if (type !== undefined) useType(type, context);
  else context.demands.typeSeen(oid);
}

/** Domains in domains, composites of composites: each type once. */
function useType(first: CatalogType, context: QueryContext): void {
  const { catalog, demands } = context;
  const pending: (CatalogType | undefined)[] = [first];
  const seen = new Set<number>();
  for (let type = pending.pop(); type !== undefined; type = pending.pop()) {
    if (seen.has(type.oid)) continue;
    seen.add(type.oid);
    demands.typeSeen(type.oid);
    for (const text of type.expressions ?? []) demands.include(foundInExpression(text, type, context));
    if (type.baseTypeOid !== undefined) pending.push(catalog.typeByOid(type.baseTypeOid));
    if (type.arrayOf !== undefined) pending.push(catalog.typeByOid(type.arrayOf));
    if (type.relationOid !== undefined) {
      const columns = catalog.relationByOid(type.relationOid)?.columns ?? [];
      // Built-in types have no parts of interest.
      pending.push(
        ...columns.map(({ typeOid }) => catalog.typeByOid(typeOid)).filter((part) => part !== undefined),
      );
    }
  }
}
