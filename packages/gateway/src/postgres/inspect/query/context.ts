/** What every part of the analysis of a query is given. */
import type { Catalog, CatalogRelation } from '../../catalog/catalog.ts';
import type { SessionNames } from '../meaning.ts';
import type { Authority, Demands } from './demands.ts';

/** A relation is written by a statement; what that fires (triggers, rules, defaults, checks) is another room's knowledge. */
export interface Write {
  readonly relation: CatalogRelation;
  readonly verb: 'insert' | 'update' | 'delete';
  /** The columns that the statement gives values for. */
  readonly columns: readonly string[] | '*';
  /** Of those, the ones for which DEFAULT is written in place of a value. Absent: not known, any may be. */
  readonly defaulted?: readonly string[];
}

export interface QueryContext extends Authority {
  readonly catalog: Catalog;
  readonly names: SessionNames;
  readonly demands: Demands;
  /** How many views, rules and expressions of the catalog lie between the text and here. */
  readonly depth: number;
  /** Called for every write, also of the base relation of a view, with the context in which it happens. */
  readonly onWrite: (write: Write, context: QueryContext) => void;
  /** The text calls set_config. */
  readonly onSetConfig?: () => void;
}

/** The texts of the catalog were written with this path: every other name in them is qualified. */
export const CATALOG_NAMES: SessionNames = { searchPath: [], temporary: new Set() };

/** For what the catalog's own texts say: found with their names, done on the owner's authority, through `via`. */
export function contextWithin(context: QueryContext, via: string): QueryContext {
  return { ...context, names: CATALOG_NAMES, authority: 'owner', via, depth: context.depth + 1 };
}
