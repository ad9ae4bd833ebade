/**
 * What the catalog's own texts reach: definitions of views, policies, defaults, checks. Each is analysed once per snapshot; what it says depends on
 * nothing else.
 */
import type { Catalog, CatalogRelation } from '../../catalog/catalog.ts';
import { asKind } from '../parse/tree.ts';
import type { Node } from '../parse/tree.ts';
import { parseStatement } from '../parse/parse-statement.ts';
import { contextWithin } from './context.ts';
import type { QueryContext } from './context.ts';
import { Demands, UnreadableStatement } from './demands.ts';
import type { Authority, Found } from './demands.ts';
import { analyzeExpression } from './expression.ts';
import { emptyScope } from './scope.ts';
import type { RangeItem, Scope } from './scope.ts';
import { itemOfRelation } from './range-items.ts';
import { spendWork } from './work.ts';

/** Of a short text, in `spendWork`'s units. */
const PARSE_WORK = 100;

/** Views on views on …: the server's own texts end long before. */
const MAX_DEPTH = 100;

const encoder = new TextEncoder();
const caches = new WeakMap<Catalog, Map<string, Found>>();

/** How many texts are being analysed, each inside the one before, and whether one of them was met again. */
let openKeys = 0;
let isCircular = false;

const NOTHING_FOUND: Found = {
  demands: [],
  reaches: [],
  unknownNames: [],
  usesSearchPath: false,
  usesCatalog: true,
  writes: false,
  runsOwnCode: false,
};

/**
 * Analyses a text of the catalog in a collector of its own, or takes what was found before.
 *
 * @param key what is analysed, unique in the catalog.
 * @param via `schema.name` of the object that the text belongs to.
 */
export function foundWithin(
  key: string,
  via: string,
  context: QueryContext,
  analyze: (within: QueryContext) => void,
): Found {
  const { catalog } = context;
  let cache = caches.get(catalog);
  if (cache === undefined) {
    cache = new Map();
    caches.set(catalog, cache);
  }
  const known = cache.get(key);
  if (known !== undefined) {
    isCircular ||= known === NOTHING_FOUND;
    return known;
  }
  if (context.depth >= MAX_DEPTH) throw new UnreadableStatement('view-unreadable');
  // Should it come upon itself (policies and rules can), it finds nothing more the second time.
  cache.set(key, NOTHING_FOUND);
  openKeys++;
  try {
    const demands = new Demands(catalog);
    analyze({ ...contextWithin(context, via), demands });
    const found = { ...demands.finish(), usesSearchPath: false };
    // What was found inside of a circle lacks what is found around it: only the outermost is kept.
    if (openKeys > 1 && isCircular) cache.delete(key);
    else cache.set(key, found);
    return found;
  } catch (error) {
    cache.delete(key);
    throw error;
  } finally {
    openKeys--;
    if (openKeys === 0) isCircular = false;
  }
}

/** @throws UnreadableStatement `view-unreadable`: the server's own text is not what the parser reads. */
export function parseCatalogText(text: string): Node {
  spendWork(PARSE_WORK + text.length / 4);
  const outcome = parseStatement(encoder.encode(text));
  const statement = 'parsed' in outcome ? outcome.parsed.statements[0] : undefined;
  if (statement === undefined) throw new UnreadableStatement('view-unreadable');
  return statement.node;
}

/** The tree of an expression as pg_get_expr writes it: one, or a list of them (of an index). */
export function parseExpressionText(text: string): readonly Node[] {
  const select = asKind(parseCatalogText(`SELECT ${text}`), 'SelectStmt');
  return (select?.targetList ?? []).map((target) => {
    const value = asKind(target, 'ResTarget')?.val;
    if (value === undefined) throw new UnreadableStatement('view-unreadable');
    return value;
  });
}

/** What an expression of a relation (default, check, index) or of a domain reaches. */
export function foundInExpression(
  text: string,
  of: CatalogRelation | { readonly schema: string; readonly name: string },
  context: QueryContext,
): Found {
  return foundInText(text, of, context, 'owner');
}

/** What a text in a relation's list of expressions reaches. Policies alone hold queries, and the server runs those with the rights of whoever reads the relation. */
export function foundInPolicy(text: string, of: CatalogRelation, context: QueryContext): Found {
  return foundInText(text, of, context, context.authority);
}

function foundInText(
  text: string,
  of: CatalogRelation | { readonly schema: string; readonly name: string },
  context: QueryContext,
  authority: Authority['authority'],
): Found {
  const via = `${of.schema}.${of.name}`;
  return foundWithin(`expression\0${via}\0${authority}\0${text}`, via, context, (found) => {
    const within: QueryContext = { ...found, authority };
    const scope = 'columns' in of ? relationScope([[of.name, of]], within) : valueScope();
    for (const node of parseExpressionText(text)) analyzeExpression(node, scope, within);
  });
}

/** A scope in which relations are known by names: `old` and `new` of a rule, or the table of a check. Their columns are not counted as read. */
export function relationScope(
  relations: readonly (readonly [name: string, relation: CatalogRelation])[],
  context: QueryContext,
): Scope {
  const scope = emptyScope();
  for (const [name, relation] of relations) {
    const item = itemOfRelation({ relation }, name, context, { isFree: true });
    scope.items.push(item);
  }
  return scope;
}

/** In the check of a domain, VALUE is the value. */
function valueScope(): Scope {
  const value: RangeItem = {
    name: undefined,
    columns: [{ name: 'value' }],
    isOpen: false,
    sources: [],
    isRelation: false,
    columnsVisible: true,
    nameVisible: false,
  };
  return { ...emptyScope(), items: [value] };
}
