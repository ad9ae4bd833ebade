import type { RelationAccess } from '../../policy/access.ts';
import { FIRST_OWN_OID } from '../catalog/catalog-queries.ts';
import type { CatalogColumn, CatalogData, CatalogRelation, CatalogType } from '../catalog/catalog.ts';

/** A column that may hold something regulated. */
export interface CandidateColumn {
  readonly name: string;
  /** Of the base type, without its schema: `text`, `numeric`, `_text`. */
  readonly typeName: string;
  /** Its values are read. Otherwise its name has to do. */
  readonly isSampled: boolean;
}

export interface CandidateRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly CandidateColumn[];
  /** Why no values are read; absent: they are. */
  readonly unread?: 'foreign table';
}

/** Characters of a value that are looked at. */
export const MAX_SAMPLE_CHARACTERS = 500;

/** Columns that one statement reads: what it answers stays small. */
const COLUMNS_PER_STATEMENT = 50;

/** Pages per row that is wanted: with more of them a table is sampled, so that not only its oldest rows are seen. */
const PAGES_PER_ROW = 5;

const SYSTEM_SCHEMAS: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema', 'pg_toast']);

/** Nothing of what has a class is of these types. */
const NEVER: ReadonlySet<string> = new Set([
  'bool',
  'oid',
  'xid',
  'xid8',
  'cid',
  'tid',
  'pg_lsn',
  'void',
  'regclass',
]);

/** Names alone: as text it is no text that a person would know. */
const NOT_READ: ReadonlySet<string> = new Set(['bytea', 'tsvector', 'tsquery']);

/**
 * Tables and materialized views of the database itself. Partitions and children of another table are read with it; views are looked through, so that
 * what they show has its class already.
 */
export function candidatesOf(catalog: CatalogData): readonly CandidateRelation[] {
  const types = new Map(catalog.types.map((type) => [type.oid, type]));
  const byOid = new Map(catalog.relations.map((relation) => [relation.oid, relation]));
  return catalog.relations.flatMap((relation): readonly CandidateRelation[] => {
    const { oid, schema, name, kind } = relation;
    if (SYSTEM_SCHEMAS.has(schema) || !isTable(kind)) return [];
    const columns = ownColumns(relation, byOid)
      .map((column) => candidateOf(column, types))
      .filter((column) => column !== undefined);
    // Of a partition nothing is left: what its parent has too is read there.
    if (columns.length === 0) return [];
    const isForeign = kind === 'foreign-table';
    return [{ oid, schema, name, columns, ...(isForeign ? { unread: 'foreign table' as const } : {}) }];
  });
}

function isTable(kind: CatalogRelation['kind']): boolean {
  return (
    kind === 'table' ||
    kind === 'partitioned-table' ||
    kind === 'materialized-view' ||
    kind === 'foreign-table'
  );
}

/** Without those that a parent has too. */
function ownColumns(
  relation: CatalogRelation,
  byOid: ReadonlyMap<number, CatalogRelation>,
): readonly CatalogColumn[] {
  const inherited = new Set(
    relation.parents.flatMap((oid) => byOid.get(oid)?.columns.map(({ name }) => name) ?? []),
  );
  return relation.columns.filter(({ name }) => !inherited.has(name));
}

function candidateOf(
  { name, typeOid }: CatalogColumn,
  types: ReadonlyMap<number, CatalogType>,
): CandidateColumn | undefined {
  const type = baseTypeOf(typeOid, types);
  if (type === undefined) return { name, typeName: 'unknown', isSampled: false };
  if (NEVER.has(type.name) || type.kind === 'enum' || type.kind === 'pseudo') return undefined;
  // The output of an own type runs code that is not the server's.
  const isSampled = type.oid < FIRST_OWN_OID && !NOT_READ.has(type.name);
  return { name, typeName: type.name, isSampled };
}

function baseTypeOf(oid: number, types: ReadonlyMap<number, CatalogType>): CatalogType | undefined {
  let type = types.get(oid);
  for (let depth = 0; depth < 32 && type?.kind === 'domain'; depth++) type = types.get(type.baseTypeOid ?? 0);
  return type;
}

export interface SampleStatement {
  readonly text: string;
  /** Names of the columns of its rows. */
  readonly columns: readonly string[];
  readonly demands: readonly RelationAccess[];
}

/**
 * What reads at most `rows` rows. The session has `search_path = pg_catalog, pg_temp`.
 *
 * @param pages of the table, as the server estimates them; undefined: not known, or no table that has pages.
 */
export function sampleStatements(
  { schema, name, columns }: CandidateRelation,
  rows: number,
  pages: number | undefined,
): readonly SampleStatement[] {
  const read = columns.filter(({ isSampled }) => isSampled).map((column) => column.name);
  const statements: SampleStatement[] = [];
  const from = `${quoteIdentifier(schema)}.${quoteIdentifier(name)}${tableSample(rows, pages)}`;
  for (let start = 0; start < read.length; start += COLUMNS_PER_STATEMENT) {
    const some = read.slice(start, start + COLUMNS_PER_STATEMENT);
    const list = some.map((each) => `left(${quoteIdentifier(each)}::text, ${MAX_SAMPLE_CHARACTERS})`);
    statements.push({
      text: `SELECT ${list.join(', ')} FROM ${from} LIMIT ${rows}`,
      columns: some,
      demands: [{ kind: 'relation', verb: 'select', schema, name, columns: some.toSorted(), class: 'data' }],
    });
  }
  return statements;
}

function tableSample(rows: number, pages: number | undefined): string {
  if (pages === undefined || pages <= rows * PAGES_PER_ROW) return '';
  const percent = Math.min(100, (100 * rows * PAGES_PER_ROW) / pages);
  return ` TABLESAMPLE SYSTEM (${percent.toFixed(6)})`;
}

function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Pages of every table, estimated at the last VACUUM or ANALYZE: `oid`, `relpages`. */
export const PAGES_QUERY = `
SELECT oid, relpages FROM pg_class WHERE relkind IN ('r', 'm') AND relpages > 0 AND oid >= ${FIRST_OWN_OID}`;
