/**
 * Where the values of a text come from and go: the entry of this room. Beside the analysis of what a text demands, on the same tree, catalog and names. Pure, and never
 * throws: what cannot be followed is unknown, and unknown is masked or refused.
 */
import { FREE_LINEAGE } from '../../masking/lineage.ts';
import type { Lineage, StatementLineage } from '../../masking/lineage.ts';
import type { Classification, MaskingRules } from '../../masking/rules.ts';
import type { Access, RelationAccess } from '../../policy/access.ts';
import type { AnalyzedStatement } from '../inspect/analyze-statement.ts';
import type { SessionNames } from '../inspect/meaning.ts';
import { kindOf } from '../inspect/parse/tree.ts';
import { BY_CALLER, Demands, withinWork } from '../inspect/query/analyze-query.ts';
import type { Catalog, CatalogRelation } from '../catalog/catalog.ts';
import { queryLineage } from './query/lineage-of-query.ts';
import { ROUTINES } from './routines/routines.ts';
import { lineageOfStatement } from './statement/lineage-of-statement.ts';
import type { LineageContext } from './port.ts';

/** What the lineage has to know of a target. */
export interface Masking {
  readonly rules: MaskingRules;
  readonly classification: Classification;
}

/** @param statements as the analysis read them; none of an unreadable text, which is refused. */
export function lineageOf(statements: readonly AnalyzedStatement[], masking: Masking): Lineage {
  const { rules } = masking;
  if (rules.detect === 'none' && statements.every((statement) => isApart(statement, masking)))
    return FREE_LINEAGE;
  const all = statements.map((statement) => lineageOfOne(statement, masking));
  return { statements: all, isFree: all.every((one) => isFree(one, rules)) };
}

function lineageOfOne(statement: AnalyzedStatement, { rules, classification }: Masking): StatementLineage {
  const { node, catalog, names, found } = statement;
  const context = { rules, classification, ...contextIn(catalog, names) };
  const accesses = [...found.demands, ...found.reaches];
  try {
    return withinWork(() => lineageOfStatement(node, accesses, context));
  } catch {
    return UNKNOWN;
  }
}

function contextIn(
  catalog: Catalog,
  names: SessionNames,
): Omit<LineageContext, 'collector' | 'rules' | 'classification'> {
  return {
    catalog,
    names,
    sessionNames: names,
    query: {
      ...BY_CALLER,
      catalog,
      names,
      demands: new Demands(catalog),
      depth: 0,
      onWrite: () => {},
    },
    isCatalogText: false,
    depth: 0,
    open: [],
    routines: ROUTINES,
    queries: queryLineage,
  };
}

const UNKNOWN: StatementLineage = {
  outputs: 'unknown',
  touched: [{ kind: 'unknown', object: 'a statement that cannot be followed' }],
  probes: [],
  oracles: [
    { reason: 'opaque', sources: [{ kind: 'unknown', object: 'a statement that cannot be followed' }] },
  ],
  flows: [],
  writes: [],
  constants: '*',
};

/** Statements that read and write rows and leave nothing behind by which a later one could show them, and those about the session. */
const PLAIN: ReadonlySet<string> = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'ExplainStmt',
  'CopyStmt',
  'TransactionStmt',
  'VariableSetStmt',
  'ConstraintsSetStmt',
  'DeallocateStmt',
  'ClosePortalStmt',
  'TruncateStmt',
  'LockStmt',
]);

/**
 * Whether a statement has nothing to do with anything regulated, told by what it demands and reaches alone. That is sound because these hold every relation that is named,
 * read through views, policies and generated columns, or written by a rule, parts of partitioned tables included, and every routine that is not PostgreSQL's
 * own and harmless: a value can come from nowhere else, but for those relations that `hasOwnRows` leaves out. What is left are relations without classes, and structure of the catalog.
 */
function isApart({ node, found, catalog }: AnalyzedStatement, { classification }: Masking): boolean {
  if (!PLAIN.has(kindOf(node)) || found.executes.length > 0 || found.unknownNames.length > 0) return false;
  const isFar = (access: Access): boolean =>
    access.kind === 'relation' &&
    (access.class === 'structure'
      ? !CATALOG_WITH_VALUES.has(access.name)
      : access.class === 'data' &&
        !classification.hasClasses(access.schema, access.name) &&
        hasOwnRows(catalog.relation(access.schema, access.name)) &&
        (access.verb === 'select' || !hasKeysOf(access, catalog, classification)));
  return found.demands.every((access) => isFar(access)) && found.reaches.every((access) => isFar(access));
}

/** A write looks along foreign keys, which demand nothing: it fails by what the other side has. */
function hasKeysOf(
  { name, schema }: RelationAccess,
  catalog: Catalog,
  classification: Classification,
): boolean {
  const relation = catalog.relation(schema, name);
  const keys = [...(relation?.foreignKeys ?? []), ...(relation?.referencedBy ?? [])];
  return keys.some(({ relationOid }) => {
    const other = catalog.relationByOid(relationOid);
    return other === undefined || classification.hasClasses(other.schema, other.name);
  });
}

/** A materialized view reads nothing when it is read, and still shows others' rows; what inherits may have the classes of its parent. */
const hasOwnRows = (relation: CatalogRelation | undefined): boolean =>
  relation !== undefined && relation.kind !== 'materialized-view' && relation.parents.length === 0;

/** `structure`, but for a column or two. */
const CATALOG_WITH_VALUES: ReadonlySet<string> = new Set(['pg_attribute', 'pg_class', 'pg_roles', 'pg_user']);

function isFree(statement: StatementLineage, { detect }: MaskingRules): boolean {
  const { outputs, copyIn, declares, prepares, touched, probes, oracles, flows, writes } = statement;
  const hasFreeRows =
    outputs === 'none' ||
    (Array.isArray(outputs) &&
      (outputs.length === 0 || detect === 'none') &&
      outputs.every(({ sources }) => sources.length === 0));
  return (
    hasFreeRows &&
    (copyIn === undefined || copyIn.every((write) => write === undefined)) &&
    declares === undefined &&
    prepares === undefined &&
    [touched, probes, oracles, flows, writes].every((list) => list.length === 0)
  );
}
