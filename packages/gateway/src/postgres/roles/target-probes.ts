/** What `target check` asks a target, as data. Each query runs as a login of the gateway's own and reads catalogs that everyone may read. */

import { COMPUTING_EXTENSIONS } from '../inspect/routines/extension-routines.ts';

export type Severity = 'high' | 'medium' | 'low' | 'info';

export interface Probe {
  readonly id: string;
  readonly severity: Severity;
  /** What somebody could do with it. */
  readonly why: string;
  /**
   * Rows of (what, SQL that ends it or null). `$login` stands for the name of the login, quoted as a literal. With `all`, once for the database; else once for each login.
   */
  readonly sql: string;
  readonly all?: true;
}

/** Schemas of the target's own. */
const OWN_SCHEMA = `n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'countersign')`;
const RELATION = "c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')";
const KIND_OF_RELATION = "CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END";

/**
 * Functions of extensions that only compute: no scope names them, and the operators and types of the extension need them, so who takes them
 * from PUBLIC takes the extension from every role.
 */
const ONLY_COMPUTES = `(p.prolang IN (SELECT l.oid FROM pg_language l WHERE l.lanname IN ('c', 'internal')) AND NOT p.prosecdef AND EXISTS (
  SELECT FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
   WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
     AND x.extname IN (${[...COMPUTING_EXTENSIONS].map((name) => `'${name}'`).join(', ')})))`;

/** What PUBLIC holds, every role holds: scope roles too. */
export const DATABASE_PROBES: readonly Probe[] = [
  {
    id: 'public-relations',
    severity: 'high',
    why: 'every role of the server holds this, whatever its scope',
    all: true,
    sql: `SELECT format('PUBLIC holds %s on %I.%I', string_agg(DISTINCT e.privilege_type, ', '), n.nspname, c.relname),
        format('REVOKE ALL ON %s %I.%I FROM PUBLIC;', ${KIND_OF_RELATION}, n.nspname, c.relname)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) e
      WHERE e.grantee = 0 AND ${RELATION} AND ${OWN_SCHEMA}
      GROUP BY n.nspname, c.relname, c.relkind ORDER BY n.nspname, c.relname`,
  },
  {
    id: 'public-columns',
    severity: 'high',
    why: 'every role of the server holds this, whatever its scope',
    all: true,
    sql: `SELECT format('PUBLIC holds %s on column %I of %I.%I', string_agg(DISTINCT e.privilege_type, ', '), a.attname, n.nspname, c.relname),
        format('REVOKE ALL (%I) ON %I.%I FROM PUBLIC;', a.attname, n.nspname, c.relname)
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(a.attacl) e
      WHERE e.grantee = 0 AND ${OWN_SCHEMA}
      GROUP BY n.nspname, c.relname, a.attname ORDER BY n.nspname, c.relname, a.attname`,
  },
  {
    id: 'public-schema-create',
    severity: 'high',
    why: 'every role can make objects there, and shadow those that others name without a schema',
    all: true,
    sql: `SELECT format('PUBLIC may create in schema %I', n.nspname), format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC;', n.nspname)
      FROM pg_namespace n WHERE ${OWN_SCHEMA} AND has_schema_privilege('public', n.oid, 'CREATE') ORDER BY n.nspname`,
  },
  {
    id: 'public-security-definer',
    severity: 'high',
    why: "it runs with its owner's rights for every role, whatever its scope",
    all: true,
    sql: `SELECT format('PUBLIC may execute %s, which runs as %I%s', p.oid::regprocedure, a.rolname, CASE WHEN a.rolsuper THEN ' (superuser)' ELSE '' END),
        format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC;', p.oid::regprocedure)
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles a ON a.oid = p.proowner
      WHERE p.prosecdef AND ${OWN_SCHEMA} AND has_function_privilege('public', p.oid, 'EXECUTE') ORDER BY 1`,
  },
  {
    id: 'public-functions',
    severity: 'medium',
    why: 'a scope without functions does not keep a role from executing them; new functions are given to PUBLIC by default',
    all: true,
    sql: `SELECT format('PUBLIC may execute %s %s in schema %I', count(*), CASE count(*) WHEN 1 THEN 'function' ELSE 'functions' END, n.nspname),
        CASE WHEN EXISTS (SELECT FROM pg_proc p WHERE p.pronamespace = n.oid AND ${ONLY_COMPUTES}) THEN
          string_agg(format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC;', p.oid::regprocedure), ' ' ORDER BY p.oid::regprocedure::text)
        ELSE format('REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA %I FROM PUBLIC;', n.nspname)
        END || ' ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON ROUTINES FROM PUBLIC;'
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE NOT p.prosecdef AND ${OWN_SCHEMA} AND has_function_privilege('public', p.oid, 'EXECUTE') AND NOT ${ONLY_COMPUTES}
      GROUP BY n.oid, n.nspname ORDER BY n.nspname`,
  },
  {
    id: 'public-server',
    severity: 'high',
    why: 'every role can reach another server through it',
    all: true,
    sql: `SELECT format('PUBLIC may use the foreign server %I', s.srvname), format('REVOKE USAGE ON FOREIGN SERVER %I FROM PUBLIC;', s.srvname)
      FROM pg_foreign_server s WHERE has_server_privilege('public', s.oid, 'USAGE')
      UNION ALL SELECT format('everybody has a user mapping on the foreign server %I', m.srvname),
        format('DROP USER MAPPING FOR PUBLIC SERVER %I;', m.srvname)
      FROM pg_user_mappings m WHERE m.umuser = 0 ORDER BY 1`,
  },
  {
    id: 'public-temporary',
    severity: 'medium',
    why: 'temporary objects shadow others by name; a read role can fill the disk with them',
    all: true,
    sql: `SELECT format('PUBLIC may make temporary objects in %I', current_database()),
        format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC;', current_database())
      WHERE has_database_privilege('public', current_database(), 'TEMPORARY')`,
  },
  {
    id: 'public-connect',
    severity: 'low',
    why: 'every role of the server can connect, those of other databases too',
    all: true,
    sql: `SELECT format('PUBLIC may connect to %I', current_database()), format('REVOKE CONNECT ON DATABASE %I FROM PUBLIC;', current_database())
      WHERE has_database_privilege('public', current_database(), 'CONNECT')`,
  },
  {
    id: 'public-large-objects',
    severity: 'low',
    why: 'every role can store data of its own in the database, and a role that owns any is not dropped without an owner of objects',
    all: true,
    sql: `SELECT 'PUBLIC may make large objects',
        string_agg(format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC;', p.oid::regprocedure), ' ' ORDER BY p.oid::regprocedure::text)
      FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname IN ('lo_creat', 'lo_create', 'lo_from_bytea')
        AND has_function_privilege('public', p.oid, 'EXECUTE') HAVING count(*) > 0`,
  },
  {
    id: 'public-language',
    severity: 'low',
    why: 'every role can run code in it with DO, within its own privileges',
    all: true,
    sql: `SELECT format('PUBLIC may use the language %I', l.lanname), format('REVOKE USAGE ON LANGUAGE %I FROM PUBLIC;', l.lanname)
      FROM pg_language l WHERE l.lanispl AND l.lanpltrusted AND has_language_privilege('public', l.oid, 'USAGE') ORDER BY 1`,
  },
  {
    id: 'default-privileges',
    severity: 'medium',
    why: 'objects to come are given away as they are made',
    all: true,
    sql: `SELECT format('what %I makes%s is given to PUBLIC (%s)', a.rolname, coalesce(format(' in schema %I', n.nspname), ''), e.privilege_type),
        format('ALTER DEFAULT PRIVILEGES FOR ROLE %I%s REVOKE %s ON %s FROM PUBLIC;', a.rolname, coalesce(format(' IN SCHEMA %I', n.nspname), ''),
          e.privilege_type, CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END)
      FROM pg_default_acl d JOIN pg_roles a ON a.oid = d.defaclrole LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace, aclexplode(d.defaclacl) e
      WHERE e.grantee = 0 AND d.defaclobjtype <> 'T' ORDER BY 1`,
  },
  {
    id: 'row-security',
    severity: 'info',
    why: 'policies that name roles say nothing of roles that are made per scope; owners pass them unless they are forced',
    all: true,
    sql: `SELECT format('%I.%I has row security%s', n.nspname, c.relname, CASE WHEN c.relforcerowsecurity THEN ' (forced)' ELSE '' END), NULL
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relrowsecurity AND ${OWN_SCHEMA} ORDER BY 1`,
  },
];

/** Roles of the server that mean more than their name says, and how bad it is for a login of the gateway. */
const STRONG_ROLES = `('pg_read_all_data'), ('pg_write_all_data'), ('pg_execute_server_program'), ('pg_read_server_files'),
  ('pg_write_server_files'), ('pg_database_owner'), ('pg_signal_backend'), ('pg_maintain'), ('pg_create_subscription'),
  ('pg_monitor'), ('pg_read_all_stats'), ('pg_read_all_settings'), ('pg_stat_scan_tables'), ('pg_checkpoint'), ('pg_signal_autovacuum_worker')`;

export const LOGIN_PROBES: readonly Probe[] = [
  {
    id: 'login-attributes',
    severity: 'high',
    why: 'privileges do not bind it, or it can give itself others',
    sql: `SELECT format('%I is %s', a.rolname, v.word), format('ALTER ROLE %I %s;', a.rolname, v.cure)
      FROM pg_roles a CROSS JOIN LATERAL (VALUES (a.rolsuper, 'a superuser', 'NOSUPERUSER'), (a.rolcreaterole, 'CREATEROLE', 'NOCREATEROLE'),
        (a.rolcreatedb, 'CREATEDB', 'NOCREATEDB'), (a.rolreplication, 'REPLICATION', 'NOREPLICATION'), (a.rolbypassrls, 'BYPASSRLS', 'NOBYPASSRLS')) v (holds, word, cure)
      WHERE a.rolname = $login AND v.holds`,
  },
  {
    id: 'login-memberships',
    severity: 'high',
    why: 'it reads or does more than any grant of tables says',
    sql: `SELECT format('%I is a member of %I', $login, r.rolname), format('REVOKE %I FROM %I;', r.rolname, $login)
      FROM (VALUES ${STRONG_ROLES}) s (name) JOIN pg_roles r ON r.rolname = s.name
      WHERE pg_has_role($login, r.oid, 'MEMBER') AND NOT (SELECT a.rolsuper FROM pg_roles a WHERE a.rolname = $login) ORDER BY 1`,
  },
  {
    id: 'login-other-memberships',
    severity: 'medium',
    why: 'it can become that role, whatever the scope says',
    sql: `SELECT format('%I is a member of %I', $login, r.rolname), format('REVOKE %I FROM %I;', r.rolname, $login)
      FROM pg_roles r WHERE r.rolname <> $login AND r.rolname !~ '^pg_' AND pg_has_role($login, r.oid, 'MEMBER')
        AND NOT (SELECT a.rolsuper FROM pg_roles a WHERE a.rolname = $login) ORDER BY 1`,
  },
  {
    id: 'login-owns',
    severity: 'high',
    why: 'an owner can do anything with it and give it away; no revoke holds',
    sql: `SELECT format('%I owns %s', $login, o.what), o.cure FROM (
        SELECT format('%I.%I', n.nspname, c.relname) AS what, format('ALTER %s %I.%I OWNER TO <owner>;', ${KIND_OF_RELATION}, n.nspname, c.relname) AS cure
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relowner = to_regrole(quote_ident($login)) AND ${RELATION} AND c.relpersistence <> 't'
        UNION ALL SELECT format('schema %I', n.nspname), format('ALTER SCHEMA %I OWNER TO <owner>;', n.nspname) FROM pg_namespace n
          WHERE n.nspowner = to_regrole(quote_ident($login)) AND n.nspname !~ '^pg_'
        UNION ALL SELECT format('function %s', p.oid::regprocedure), format('ALTER ROUTINE %s OWNER TO <owner>;', p.oid::regprocedure)
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proowner = to_regrole(quote_ident($login)) AND n.nspname !~ '^pg_'
        UNION ALL SELECT format('database %I', d.datname), format('ALTER DATABASE %I OWNER TO <owner>;', d.datname) FROM pg_database d
          WHERE d.datdba = to_regrole(quote_ident($login))) o
      WHERE NOT (SELECT a.rolsuper FROM pg_roles a WHERE a.rolname = $login) ORDER BY 1`,
  },
  {
    id: 'login-security-definer',
    severity: 'medium',
    why: "it runs with its owner's rights; the gateway refuses it unless a scope names it",
    sql: `SELECT format('%I may execute %s, which runs as %I', $login, p.oid::regprocedure, a.rolname),
        format('REVOKE EXECUTE ON ROUTINE %s FROM %I;', p.oid::regprocedure, $login)
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles a ON a.oid = p.proowner
      WHERE p.prosecdef AND ${OWN_SCHEMA} AND has_function_privilege($login, p.oid, 'EXECUTE') AND has_schema_privilege($login, n.oid, 'USAGE')
        AND NOT has_function_privilege('public', p.oid, 'EXECUTE')
        AND NOT (SELECT b.rolsuper FROM pg_roles b WHERE b.rolname = $login) ORDER BY 1`,
  },
  {
    id: 'login-settings',
    severity: 'info',
    why: 'a convenience: a session can undo it',
    sql: `SELECT format('%I starts with %s', $login, s.setting), NULL
      FROM pg_db_role_setting r, unnest(r.setconfig) s (setting) WHERE r.setrole = to_regrole(quote_ident($login)) ORDER BY 1`,
  },
];

/** Of the login that makes roles: it needs nothing but the functions. */
export const ROLES_LOGIN_PROBES: readonly Probe[] = [
  {
    id: 'roles-login-privileges',
    severity: 'medium',
    why: 'this login only needs the functions of the setup; who steals it gets this as well',
    sql: `SELECT format('%I holds %s on %I.%I', $login, string_agg(DISTINCT e.privilege_type, ', '), n.nspname, c.relname),
        format('REVOKE ALL ON %s %I.%I FROM %I;', ${KIND_OF_RELATION}, n.nspname, c.relname, $login)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) e
      WHERE e.grantee = to_regrole(quote_ident($login)) AND e.grantee <> c.relowner GROUP BY n.nspname, c.relname, c.relkind ORDER BY 1`,
  },
];
