import type { RelationVerb } from '../../policy/access.ts';
import type { Catalog, CatalogRelation, CatalogRoutine } from '../catalog/catalog.ts';

/** What is asked of a scope; `grants/scope.ts` has it. */
export interface RoleScope {
  /** SHA-256 of its canonical text, base64url. */
  readonly digest: string;
  readonly functions: readonly { readonly schema?: string; readonly name?: string }[];
  readonly ddl: readonly string[] | 'any';
  readonly allow: readonly string[] | 'all';
  /** Columns that a verb is covered for; undefined: none. */
  columnsOf(verb: RelationVerb, schema: string, name: string): readonly string[] | '*' | undefined;
}

/** The privileges of one role, as `countersign.make_role` takes them. */
export interface RolePrivileges {
  readonly relations: readonly {
    readonly schema: string;
    readonly name: string;
    /** `true`: all columns, those of tomorrow too. */
    readonly verbs: Readonly<Partial<Record<RelationVerb, true | readonly string[]>>>;
  }[];
  /** OIDs. */
  readonly functions: readonly number[];
  readonly ddl: readonly string[];
  readonly temporary: boolean;
  /** A convenience: `default_transaction_read_only`. A session can undo it; it has no privilege to write all the same. */
  readonly readOnly: boolean;
  /** A convenience as well. */
  readonly statementTimeoutMs?: number;
}

const VERBS: readonly RelationVerb[] = ['select', 'insert', 'update', 'delete', 'truncate', 'maintain'];

/** Kinds of relations that privileges can be held on. */
const GRANTABLE: ReadonlySet<CatalogRelation['kind']> = new Set([
  'table',
  'partitioned-table',
  'view',
  'materialized-view',
  'foreign-table',
  'sequence',
] as const);

/** What may be allowed by name without a transaction that writes. */
const READING_SPECIALS: ReadonlySet<string> = new Set([
  'listen',
  'catalog-values',
  'hold-cursor',
  'discard',
  'advisory-locks',
]);

/**
 * The privileges that a scope comes to on what a catalog has: wildcards become the relations and functions that there are. System
 * schemas are left out, and the schema of the setup: their privileges are PUBLIC's.
 */
export function privilegesOf(scope: RoleScope, catalog: Catalog, statementTimeoutMs = 0): RolePrivileges {
  const relations = catalog.data.relations.flatMap((relation) => {
    if (!GRANTABLE.has(relation.kind) || isServerSchema(relation.schema)) return [];
    const verbs = verbsOf(scope, relation);
    return Object.keys(verbs).length === 0 ? [] : [{ schema: relation.schema, name: relation.name, verbs }];
  });
  const functions = catalog.data.routines
    .filter((routine) => !isServerSchema(routine.schema) && coversRoutine(scope, routine))
    .map(({ oid }) => oid);
  const schemas = catalog.data.schemas.map(({ name }) => name).filter((name) => !isServerSchema(name));
  const ddl = scope.ddl === 'any' ? schemas : scope.ddl.filter((name) => schemas.includes(name));
  const writes = relations.some(({ verbs }) => Object.keys(verbs).some((verb) => verb !== 'select'));
  const reads =
    scope.allow !== 'all' &&
    scope.allow.every((name) => READING_SPECIALS.has(name)) &&
    [functions, ddl].every((list) => list.length === 0);
  return {
    relations,
    functions,
    ddl,
    temporary: allows(scope, 'create-temp'),
    readOnly: reads && !writes,
    ...(statementTimeoutMs === 0 ? {} : { statementTimeoutMs }),
  };
}

function verbsOf(
  scope: RoleScope,
  { schema, name, columns }: CatalogRelation,
): RolePrivileges['relations'][number]['verbs'] {
  const verbs: Partial<Record<RelationVerb, true | readonly string[]>> = {};
  for (const verb of VERBS) {
    const covered = scope.columnsOf(verb, schema, name);
    if (covered === undefined) continue;
    if (covered === '*') {
      verbs[verb] = true;
      continue;
    }
    const existing = columns.map((column) => column.name).filter((column) => covered.includes(column));
    if (existing.length > 0) verbs[verb] = existing;
  }
  return verbs;
}

function coversRoutine(scope: RoleScope, routine: CatalogRoutine): boolean {
  return scope.functions.some((pattern) => {
    if (pattern.schema === routine.schema && pattern.name === routine.name) return true;
    if (routine.securityDefiner && !allows(scope, 'security-definer')) return false;
    return (
      (pattern.schema === undefined || pattern.schema === routine.schema) &&
      (pattern.name === undefined || pattern.name === routine.name)
    );
  });
}

function allows({ allow }: Pick<RoleScope, 'allow'>, special: string): boolean {
  return allow === 'all' || allow.includes(special);
}

function isServerSchema(schema: string): boolean {
  return schema.startsWith('pg_') || schema === 'information_schema' || schema === 'countersign';
}
