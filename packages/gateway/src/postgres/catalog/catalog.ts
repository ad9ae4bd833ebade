/**
 * What the analysis knows of a database: a snapshot of its catalog, immutable, plain data inside (it is written to a file for
 * `countersign explain` and passed to worker threads). Names are exact, as in pg_class.relname. OIDs are decimal numbers.
 */

export type RelationKind =
  | 'table'
  | 'partitioned-table'
  | 'view'
  | 'materialized-view'
  | 'foreign-table'
  | 'sequence'
  | 'index'
  | 'composite-type'
  | 'toast';

export interface CatalogColumn {
  readonly name: string;
  /** pg_attribute.attnum; system columns (ctid, xmin, tableoid, …) are not listed. */
  readonly number: number;
  readonly typeOid: number;
  readonly notNull: boolean;
  /** Text of its default, identity or generation expression, with every name qualified. */
  readonly default?: string;
  readonly generated: boolean;
  /** What its comment says to the gateway: each `countersign:…` in it, to the next space. Absent: nothing. */
  readonly classComments?: readonly string[];
  /** The same of its security labels, of whatever provider. */
  readonly classLabels?: readonly string[];
}

export interface CatalogRule {
  readonly name: string;
  readonly event: 'select' | 'insert' | 'update' | 'delete';
  readonly instead: boolean;
  /** pg_get_ruledef, with every name qualified. */
  readonly definition: string;
}

export interface CatalogTrigger {
  readonly name: string;
  readonly events: readonly ('insert' | 'update' | 'delete' | 'truncate')[];
  readonly routineOid: number;
  /** pg_trigger.tgenabled: O, D, R or A. `D` never fires, `R` only on a replica. */
  readonly enabled: 'O' | 'D' | 'R' | 'A';
  /** Foreign keys and their kin, made by the server. */
  readonly internal: boolean;
  /** pg_get_triggerdef, with every name qualified: only where it has a WHEN clause. */
  readonly definition?: string;
}

export interface CatalogRelation {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: RelationKind;
  readonly owner: string;
  readonly columns: readonly CatalogColumn[];
  /** Of a view or materialized view: pg_get_viewdef, with every name qualified (search_path was pg_catalog). */
  readonly definition?: string;
  /** A view whose base relations are checked as the caller (15+). */
  readonly securityInvoker: boolean;
  readonly rowSecurity: boolean;
  /** Texts of row security policies, check constraints and index expressions: what runs inside reads or writes of it. */
  readonly expressions: readonly { readonly on: 'read' | 'write' | 'both'; readonly text: string }[];
  /** Partitions and inheriting tables (OIDs), direct ones. */
  readonly children: readonly number[];
  readonly parents: readonly number[];
  /**
   * Foreign keys that point at it: the referencing relation and pg_constraint's confdeltype and confupdtype (`c` cascades). Absent: not known, so what
   * depends on them (TRUNCATE CASCADE) is refused.
   */
  readonly referencedBy?: readonly {
    readonly relationOid: number;
    readonly onDelete: string;
    readonly onUpdate: string;
  }[];
  /** Foreign keys that it has: its columns and those they point at, in the same order. Absent: not known. */
  readonly foreignKeys?: readonly {
    readonly relationOid: number;
    readonly columns: readonly string[];
    readonly referenced: readonly string[];
  }[];
  /** Columns that a unique index, or the index of an exclusion constraint, is made of: a write can fail because of what other rows have there. Absent: not known. */
  readonly uniqueColumns?: readonly string[];
  /** Columns of its primary key, checked at every statement (not deferred). Absent: it has none, or that is not known. */
  readonly primaryKey?: readonly string[];
  readonly rules: readonly CatalogRule[];
  readonly triggers: readonly CatalogTrigger[];
  /** Of an index: the OID of its table. */
  readonly indexOf?: number;
  /**
   * Its shape is not known: DDL made or changed it, and the snapshot is older (`catalog-overlay.ts`). Any name may be a column of it, so
   * whatever reads or writes it demands `*`, and no name is unknown for not being in `columns`.
   */
  readonly open?: boolean;
}

export interface CatalogRoutine {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'function' | 'procedure' | 'aggregate' | 'window';
  /** Input arguments: names where they have them (for named notation), types. */
  readonly argumentTypes: readonly number[];
  readonly argumentNames: readonly string[];
  /** Of a procedure with OUT arguments: how many. CALL has a place for each (14 and later); they are not among `argumentTypes`. */
  readonly outputArguments?: number;
  /** Names of what it returns, in order, where they are its own (OUT, INOUT, TABLE): columns of its rows. */
  readonly outputNames?: readonly string[];
  readonly defaults: number;
  readonly variadic: boolean;
  readonly returnsSet: boolean;
  readonly returnTypeOid: number;
  readonly language: string;
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  readonly securityDefiner: boolean;
  /** `SET name = …` clauses: names of the settings. */
  readonly settings: readonly string[];
  /** Of languages `sql` (the body or its text) and `internal`/`c` (the symbol). Absent elsewhere. */
  readonly source?: string;
  /** From an extension: its name. */
  readonly extension?: string;
  /** Made or changed since the snapshot: it may take any arguments, return anything and do anything. */
  readonly open?: boolean;
}

export interface CatalogType {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'base' | 'composite' | 'domain' | 'enum' | 'range' | 'multirange' | 'pseudo';
  readonly arrayOf?: number;
  /** Domain: its base type, and the texts of its checks and default. Range: its subtype; multirange: its range. */
  readonly baseTypeOid?: number;
  readonly expressions?: readonly string[];
  /** Composite: the OID of its relation. */
  readonly relationOid?: number;
  /** Input and output routines that are not built in. */
  readonly routineOids: readonly number[];
  /** Made, changed or dropped since the snapshot. */
  readonly open?: boolean;
}

export interface CatalogOperator {
  readonly schema: string;
  readonly name: string;
  readonly leftTypeOid: number;
  readonly rightTypeOid: number;
  readonly routineOid: number;
}

export interface CatalogCast {
  readonly sourceTypeOid: number;
  readonly targetTypeOid: number;
  /** 0: binary-coercible or through input and output. */
  readonly routineOid: number;
  readonly context: 'implicit' | 'assignment' | 'explicit';
}

/** The content of a snapshot, plain JSON. Built-in (pg_catalog) routines, operators, casts and types are included. */
export interface CatalogData {
  readonly format: 1;
  readonly target: string;
  readonly database: string;
  /** server_version_num, 180004. */
  readonly serverVersion: number;
  /** Changes when anything in here may have changed: base64url digest of the content. */
  readonly epoch: string;
  readonly schemas: readonly { readonly name: string; readonly owner: string }[];
  readonly relations: readonly CatalogRelation[];
  readonly routines: readonly CatalogRoutine[];
  readonly types: readonly CatalogType[];
  readonly operators: readonly CatalogOperator[];
  readonly casts: readonly CatalogCast[];
  readonly eventTriggers: readonly {
    readonly name: string;
    readonly event: string;
    readonly routineOid: number;
    readonly enabled: string;
  }[];
  /** Names of installed extensions. */
  readonly extensions: readonly string[];
}

/** A snapshot with the look-ups that the analysis makes, each O(1). `catalog-index.ts` builds it from `CatalogData`. */
export interface Catalog {
  readonly data: CatalogData;
  readonly epoch: string;
  readonly serverVersion: number;
  hasSchema(name: string): boolean;
  relation(schema: string, name: string): CatalogRelation | undefined;
  relationByOid(oid: number): CatalogRelation | undefined;
  /** All overloads. Empty: none. */
  routines(schema: string, name: string): readonly CatalogRoutine[];
  routineByOid(oid: number): CatalogRoutine | undefined;
  type(schema: string, name: string): CatalogType | undefined;
  typeByOid(oid: number): CatalogType | undefined;
  /** All operators of a name in a schema, whatever their types. */
  operators(schema: string, name: string): readonly CatalogOperator[];
  /** Casts that run a routine which is not built in. */
  readonly ownCasts: readonly CatalogCast[];
  /** Schemas, pg_catalog aside, that define at least one operator, routine or type of this name: for asking "can this be shadowed?" */
  schemasWith(what: 'operator' | 'routine' | 'type' | 'relation', name: string): readonly string[];
  /**
   * Whether DDL that the snapshot does not show has touched the name: the object under it may be another one, or gone, so that a bare name may mean
   * what comes after it on the path. Absent: nothing has.
   */
  isMoved?(schema: string, name: string): boolean;
}
