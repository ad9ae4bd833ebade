/**
 * What somebody who stole the gateway's login could try with the functions of the setup. Each attempt runs on a real server as that
 * login; afterwards nothing may have changed that the DBA did not offer (`hostile.test.ts` says what is looked at).
 */

export interface Attempt {
  readonly id: string;
  /** What it leans on. */
  readonly mechanism: string;
  /** In order, in one session. */
  readonly statements: readonly string[];
  /** SQLSTATE of the last one; `ok`: it may run, and must come to nothing. */
  readonly outcome: string;
}

export const SCOPE = 'ab'.repeat(16);
export const VERIFIER = `SCRAM-SHA-256$4096:${'A'.repeat(22)}==$${'A'.repeat(43)}=:${'A'.repeat(43)}=`;

interface Call {
  readonly node?: string;
  readonly scope?: string;
  readonly verifier?: string;
  readonly until?: string;
  readonly privileges?: unknown;
}

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;

const make = (call: Call): string => {
  const { node = 'node', scope = SCOPE, verifier = VERIFIER, until = '2090-01-01', privileges = {} } = call;
  const values = [node, scope, verifier, until, JSON.stringify(privileges)].map((value) => text(value));
  return `SELECT countersign.make_role(${values.join(', ')})`;
};

const relation = (schema: string, name: string, verbs: unknown): unknown => ({
  relations: [{ schema, name, verbs }],
});

const attempt = (
  id: string,
  mechanism: string,
  outcome: string,
  ...statements: readonly string[]
): Attempt => ({ id, mechanism, outcome, statements });

/** Roles that are not ours to touch: `victim`, and `cs_` with 32 zeros, which the DBA made by hand. */
const FOREIGN_SCOPE = '0'.repeat(32);

export const ATTEMPTS: readonly Attempt[] = [
  // Names.
  attempt('scope-quote', 'injection', '22023', make({ scope: 'x"; ALTER ROLE victim SUPERUSER; --' })),
  attempt('scope-upper', 'names', '22023', make({ scope: 'AB'.repeat(16) })),
  attempt('scope-long', 'names', '22023', make({ scope: 'ab'.repeat(17) })),
  attempt('scope-newline', 'names', '22023', make({ scope: `${'ab'.repeat(16)}\n` })),
  attempt('scope-prefix', 'names', '22023', make({ scope: '../victim'.padEnd(32, '0') })),
  attempt('scope-empty', 'names', '22023', make({ scope: '' })),
  attempt(
    'scope-null',
    'null',
    '22023',
    `SELECT countersign.make_role('node', NULL, ${text(VERIFIER)}, '2090-01-01', '{}')`,
  ),
  attempt('node-quote', 'injection', '22023', make({ node: "n'); DROP TABLE countersign.role; --" })),
  attempt(
    'privileges-null',
    'null',
    '22023',
    `SELECT countersign.make_role('node', ${text(SCOPE)}, ${text(VERIFIER)}, '2090-01-01', NULL)`,
  ),
  // Passwords.
  attempt('password-plain', 'verifier', '22023', make({ verifier: 'letmein' })),
  attempt('password-md5', 'verifier', '22023', make({ verifier: `md5${'0'.repeat(32)}` })),
  attempt('password-quote', 'injection', '22023', make({ verifier: `${VERIFIER}' SUPERUSER --` })),
  attempt('password-newline', 'injection', '22023', make({ verifier: `${VERIFIER}\nSUPERUSER` })),
  attempt(
    'password-null',
    'verifier',
    '22023',
    `SELECT countersign.make_role('node', ${text(SCOPE)}, NULL, '2090-01-01', '{}')`,
  ),
  attempt('until-infinity', 'validity', '22023', make({ until: 'infinity' })),
  attempt('until-text', 'injection', '22007', make({ until: "2090-01-01' SUPERUSER --" })),
  // Roles of others.
  attempt('role-of-dba', 'other roles', '42710', make({ scope: FOREIGN_SCOPE })),
  attempt('close-role-of-dba', 'other roles', 'ok', `SELECT countersign.close_role('${FOREIGN_SCOPE}')`),
  attempt('end-role-of-dba', 'other roles', 'ok', `SELECT countersign.end_role('${FOREIGN_SCOPE}')`),
  attempt('end-victim', 'other roles', 'ok', "SELECT countersign.end_role('victim')"),
  attempt('close-owner', 'other roles', 'ok', "SELECT countersign.close_role('countersign_owner')"),
  attempt('role-of-other-login', 'other logins', '42501', make({ scope: 'cd'.repeat(16) })),
  attempt(
    'close-of-other-login',
    'other logins',
    'ok',
    `SELECT countersign.close_role('${'cd'.repeat(16)}')`,
  ),
  attempt('end-of-other-login', 'other logins', 'ok', `SELECT countersign.end_role('${'cd'.repeat(16)}')`),
  attempt('list-all', 'other logins', 'ok', 'SELECT countersign.list_roles(NULL)'),
  attempt('alter-superuser', 'direct', '42501', 'ALTER ROLE postgres PASSWORD NULL'),
  attempt('alter-victim', 'direct', '42501', "ALTER ROLE victim PASSWORD 'mine'"),
  attempt('create-role', 'direct', '42501', 'CREATE ROLE mine'),
  attempt('drop-scope-role', 'direct', '42501', `DROP ROLE cs_${'cd'.repeat(16)}`),
  attempt('set-role-owner', 'SET ROLE', '42501', 'SET ROLE countersign_owner'),
  attempt('set-role-objects', 'SET ROLE', '42501', 'SET ROLE countersign_objects'),
  attempt('set-role-scope', 'SET ROLE', '42501', make({}), `SET ROLE cs_${SCOPE}`),
  attempt(
    'session-authorization',
    'SET SESSION AUTHORIZATION',
    '42501',
    'SET SESSION AUTHORIZATION countersign_owner',
  ),
  attempt('grant-self-owner', 'membership', '42501', 'GRANT countersign_owner TO countersign_gateway'),
  // Beyond what is offered.
  attempt(
    'relation-not-offered',
    'offers',
    'ok',
    make({ privileges: relation('vault', 'keys', { select: true }) }),
  ),
  attempt(
    'verb-not-offered',
    'offers',
    'ok',
    make({ privileges: relation('bank', 'accounts', { select: true, update: true, delete: true }) }),
  ),
  attempt(
    'columns-not-offered',
    'offers',
    'ok',
    make({ privileges: relation('bank', 'accounts', { update: ['status'] }) }),
  ),
  attempt(
    'catalog-relation',
    'offers',
    'ok',
    make({ privileges: relation('pg_catalog', 'pg_authid', { select: true }) }),
  ),
  attempt(
    'setup-relation',
    'offers',
    'ok',
    make({ privileges: relation('countersign', 'role', { select: true, delete: true }) }),
  ),
  attempt(
    'setup-offers',
    'offers',
    'ok',
    make({ privileges: relation('countersign', 'grantable', { insert: true }) }),
  ),
  attempt('wildcard-name', 'offers', 'ok', make({ privileges: relation('*', '*', { select: true }) })),
  attempt('like-name', 'offers', 'ok', make({ privileges: relation('%', '%', { select: true }) })),
  attempt(
    'index-as-relation',
    'offers',
    'ok',
    make({ privileges: relation('bank', 'accounts_pkey', { select: true }) }),
  ),
  attempt(
    'verb-unknown',
    'offers',
    '22023',
    make({ privileges: relation('bank', 'orders', { references: true }) }),
  ),
  attempt(
    'verb-trigger',
    'offers',
    '22023',
    make({ privileges: relation('bank', 'orders', { trigger: true }) }),
  ),
  attempt(
    'verb-injection',
    'injection',
    '22023',
    make({ privileges: relation('bank', 'orders', { 'select ON vault.keys TO PUBLIC; --': true }) }),
  ),
  attempt(
    'column-injection',
    'injection',
    'ok',
    make({ privileges: relation('bank', 'accounts', { select: ['id) ON vault.keys TO PUBLIC; --'] }) }),
  ),
  attempt(
    'columns-of-delete',
    'columns',
    '22023',
    make({ privileges: relation('bank', 'orders', { delete: ['id'] }) }),
  ),
  attempt(
    'columns-object',
    'columns',
    '22023',
    make({ privileges: relation('bank', 'orders', { select: { id: true } }) }),
  ),
  attempt(
    'name-injection',
    'injection',
    'ok',
    make({ privileges: relation('bank', 'orders TO PUBLIC; --', { select: true }) }),
  ),
  attempt(
    'schema-injection',
    'injection',
    'ok',
    make({ privileges: relation('bank.orders TO PUBLIC; --', 'x', { select: true }) }),
  ),
  attempt(
    'odd-name',
    'quoting',
    'ok',
    make({ privileges: relation('bank', 'odd "name; DROP', { select: true }) }),
  ),
  attempt(
    'function-definer',
    'SECURITY DEFINER',
    'ok',
    `SELECT countersign.make_role('node', ${text(SCOPE)}, ${text(VERIFIER)}, '2090-01-01', json_build_object('functions', json_build_array((SELECT p.oid::bigint FROM pg_proc p WHERE p.proname = 'as_owner')))::jsonb)`,
  ),
  attempt(
    'function-of-setup',
    'SECURITY DEFINER',
    'ok',
    `SELECT countersign.make_role('node', ${text(SCOPE)}, ${text(VERIFIER)}, '2090-01-01', json_build_object('functions', json_build_array((SELECT p.oid::bigint FROM pg_proc p WHERE p.proname = 'make_role')))::jsonb)`,
  ),
  attempt(
    'function-builtin',
    'offers',
    'ok',
    `SELECT countersign.make_role('node', ${text(SCOPE)}, ${text(VERIFIER)}, '2090-01-01', json_build_object('functions', json_build_array((SELECT p.oid::bigint FROM pg_proc p WHERE p.proname = 'pg_ls_dir' LIMIT 1)))::jsonb)`,
  ),
  attempt('function-text', 'injection', '22023', make({ privileges: { functions: ['bank.as_owner()'] } })),
  attempt('function-huge', 'numbers', 'ok', make({ privileges: { functions: [1e30] } })),
  attempt('function-fraction', 'numbers', 'ok', make({ privileges: { functions: [1.5] } })),
  attempt(
    'ddl-not-offered',
    'offers',
    'ok',
    make({ privileges: { ddl: ['bank', 'vault', 'public', 'pg_catalog', 'countersign'] } }),
  ),
  attempt('ddl-injection', 'injection', 'ok', make({ privileges: { ddl: ['scratch TO PUBLIC; --'] } })),
  attempt('temporary-not-offered', 'offers', 'ok', make({ privileges: { temporary: true } })),
  attempt('relations-scalar', 'shapes', '22023', make({ privileges: { relations: 'all' } })),
  attempt('relations-object', 'shapes', '22023', make({ privileges: { relations: { schema: 'vault' } } })),
  attempt('privileges-array', 'shapes', '22023', make({ privileges: [1] })),
  attempt(
    'timeout-injection',
    'injection',
    'ok',
    make({ privileges: { statementTimeoutMs: "0'; ALTER ROLE victim SUPERUSER; --" } }),
  ),
  // What the functions look things up with.
  attempt(
    'search-path',
    'search_path',
    'ok',
    'SET search_path = pg_temp, bank',
    make({ privileges: relation('vault', 'keys', { select: true }) }),
  ),
  attempt(
    'temp-grantable',
    'temporary objects',
    'ok',
    'CREATE TEMP TABLE grantable (schema text, object text, verbs text[])',
    "INSERT INTO grantable VALUES ('*', '*', '{select,insert,execute}')",
    make({ privileges: relation('vault', 'keys', { select: true }) }),
  ),
  attempt(
    'temp-pg-class',
    'temporary objects',
    'ok',
    'CREATE TEMP TABLE pg_class AS SELECT * FROM pg_catalog.pg_class',
    "CREATE TEMP VIEW pg_roles AS SELECT oid, rolname, false AS rolsuper FROM pg_catalog.pg_roles WHERE rolname <> 'victim'",
    make({ privileges: relation('vault', 'keys', { select: true }) }),
  ),
  attempt(
    'temp-operator',
    'operator shadowing',
    'ok',
    'CREATE FUNCTION pg_temp.always(text, text) RETURNS boolean LANGUAGE sql AS $$SELECT true$$',
    'CREATE OPERATOR pg_temp.= (FUNCTION = pg_temp.always, LEFTARG = text, RIGHTARG = text)',
    'CREATE OPERATOR pg_temp.!~ (FUNCTION = pg_temp.always, LEFTARG = text, RIGHTARG = text)',
    'SET search_path = pg_temp, pg_catalog',
    make({ privileges: relation('vault', 'keys', { select: true }) }),
  ),
  attempt(
    'temp-function',
    'function shadowing',
    'ok',
    "CREATE FUNCTION pg_temp.format(text, text) RETURNS text LANGUAGE sql AS 'SELECT $2'",
    "CREATE FUNCTION pg_temp.offers(text, text, text, boolean) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    make({ privileges: relation('vault', 'keys', { select: true }) }),
  ),
  attempt('temp-cast', 'casts', '42501', 'CREATE CAST (text AS jsonb) WITH INOUT AS IMPLICIT'),
  attempt(
    'conforming-strings',
    'settings',
    '22023',
    'SET standard_conforming_strings = off',
    make({ verifier: 'SCRAM-SHA-256$4096:AAAA\\x' }),
  ),
  attempt(
    'conforming-names',
    'settings',
    'ok',
    'SET standard_conforming_strings = off',
    'SET escape_string_warning = off',
    make({ privileges: relation('bank', 'orders\\"; --', { select: true }) }),
  ),
  attempt(
    'null-equals',
    'settings',
    'ok',
    'SET transform_null_equals = on',
    make({ privileges: relation('vault', 'keys', { select: true }) }),
  ),
  attempt(
    'quote-all',
    'settings',
    'ok',
    'SET quote_all_identifiers = on',
    make({ privileges: relation('bank', 'accounts', { select: true, delete: true }) }),
  ),
  attempt('replica-role', 'settings', '42501', "SET session_replication_role = 'replica'"),
  attempt(
    'createrole-self-grant',
    'settings',
    'ok',
    "SELECT set_config('createrole_self_grant', 'set, inherit', false) WHERE current_setting('server_version_num')::int >= 160000",
    make({}),
  ),
  attempt('default-role', 'settings', 'ok', make({}), `SELECT countersign.close_role('${SCOPE}')`),
  // The tables and the functions themselves.
  attempt(
    'write-grantable',
    'tables',
    '42501',
    "INSERT INTO countersign.grantable VALUES ('vault', '*', '{select}')",
  ),
  attempt('read-roles', 'tables', '42501', 'SELECT * FROM countersign.role'),
  attempt('write-roles', 'tables', '42501', "UPDATE countersign.role SET login = 'countersign_gateway'"),
  attempt(
    'replace-function',
    'functions',
    '42501',
    "CREATE OR REPLACE FUNCTION countersign.close_role(p_scope text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
  ),
  attempt(
    'own-function',
    'functions',
    '42501',
    'ALTER FUNCTION countersign.close_role(text) OWNER TO countersign_gateway',
  ),
  attempt(
    'unpin-function',
    'functions',
    '42501',
    'ALTER FUNCTION countersign.make_role(text, text, text, timestamptz, jsonb) RESET search_path',
  ),
  attempt('apply-offers', 'functions', '42501', 'SELECT countersign.apply_offers()'),
  attempt('call-offers', 'functions', '42501', "SELECT countersign.offers('vault', 'keys', 'select', false)"),
  attempt('create-in-schema', 'functions', '42501', 'CREATE TABLE countersign.mine (a int)'),
  attempt('grant-from-offers', 'grants', '42501', 'GRANT SELECT ON vault.keys TO countersign_gateway'),
  attempt('read-data', 'data', '42501', 'SELECT * FROM bank.accounts'),
  attempt('end-open-role', 'order', '55000', make({}), `SELECT countersign.end_role('${SCOPE}')`),
  attempt(
    'rolled-back',
    'transactions',
    'ok',
    'BEGIN',
    make({ privileges: relation('bank', 'accounts', { select: true }) }),
    'ROLLBACK',
  ),
];
