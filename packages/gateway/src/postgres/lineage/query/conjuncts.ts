/** Conditions taken apart, and names of which it is certain whose they are. */
import { asKind } from '../../inspect/parse/tree.ts';
import type { Node } from '../../inspect/parse/tree.ts';
import type { LineageContext } from '../port.ts';

/** What must all be true. */
export function conjuncts(node: Node | undefined): readonly Node[] {
  if (node === undefined) return [];
  const all = asKind(node, 'BoolExpr');
  if (all?.boolop !== 'AND_EXPR') return [node];
  return (all.args ?? []).flatMap((each) => conjuncts(each));
}

/** The name of what is surely PostgreSQL's own: nothing of that name can come before it on the path. Undefined: it may be another's. */
export function nameInCatalog(
  parts: readonly string[] | undefined,
  what: 'operator' | 'routine',
  { catalog, names }: LineageContext,
): string | undefined {
  const name = parts?.at(-1);
  if (name === undefined || parts === undefined || parts.length > 2) return undefined;
  if (parts.length === 2) return parts[0] === 'pg_catalog' ? name : undefined;
  // Where the path does not say otherwise, pg_catalog is first.
  const isFirst = names.searchPath?.includes('pg_catalog') === false;
  return isFirst || catalog.schemasWith(what, name).length === 0 ? name : undefined;
}
