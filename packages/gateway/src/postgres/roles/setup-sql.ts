import { CountersignError } from '../../errors.ts';
import { PINNED_SETTINGS, setupFunctions } from './setup-functions.ts';
import type { SetupFunction, SetupNames } from './setup-functions.ts';

/** The SQL that a DBA reviews and runs once in each database: schema `countersign`, its tables, its functions, its roles. */
export interface SetupRequest extends SetupNames {
  /** Role in the target that may execute the functions: what `roles.login` of the configuration logs in as. */
  readonly login: string;
  /** For the header only. */
  readonly target: string;
  readonly database: string;
}

/** Schema of everything that is installed. Nothing else of ours is in the target. */
export const SETUP_SCHEMA = 'countersign';
export const DEFAULT_PREFIX = 'cs_';
export const OWNER_ROLE = 'countersign_owner';

/** Names that need no quoting and cannot be mistaken for anything else, wherever they stand. */
const PLAIN_NAME = /^[a-z_][a-z0-9_]{0,62}$/;
const PREFIX = /^[a-z][a-z0-9_]{0,15}$/;

/** Throws `CS_CONFIG_INVALID` for names that are not plain: they become part of function bodies. */
export function setupSql(request: SetupRequest): string {
  assertNames(request);
  const parts = [
    header(request),
    'BEGIN;',
    rolesSql(request),
    TABLES,
    ...setupFunctions(request).map((each) => functionSql(each, request)),
    grantsSql(request),
    'COMMIT;',
    FOOTER,
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Takes everything away again, the roles that were made included. */
export function removalSql(request: SetupRequest): string {
  assertNames(request);
  const { owner, objects, login } = request;
  return `-- Countersign: removes the second wall from this database. Stop the gateway, or end its grants without a login, first.
-- Run as a superuser, with psql.
\\set ON_ERROR_STOP on
DO $countersign$
DECLARE
  v_row record;
BEGIN
  FOR v_row IN SELECT r.scope, a.oid, a.rolname FROM countersign.role r JOIN pg_catalog.pg_roles a ON a.oid = r.role_oid LOOP
    EXECUTE pg_catalog.format('ALTER ROLE %I NOLOGIN', v_row.rolname);
    PERFORM pg_catalog.pg_terminate_backend(s.pid) FROM pg_catalog.pg_stat_activity s WHERE s.usesysid = v_row.oid;
    EXECUTE pg_catalog.format('REASSIGN OWNED BY %I TO %I', v_row.rolname, ${objects === undefined ? 'current_user' : quoteLiteral(objects)});
  END LOOP;
END
$countersign$;
-- Takes back what you offered in this database, what was passed on of it, and the functions.
DROP OWNED BY ${owner} CASCADE;
DO $countersign$
DECLARE
  v_row record;
BEGIN
  FOR v_row IN SELECT a.rolname FROM countersign.role r JOIN pg_catalog.pg_roles a ON a.oid = r.role_oid LOOP
    EXECUTE pg_catalog.format('DROP OWNED BY %I', v_row.rolname);
    EXECUTE pg_catalog.format('DROP ROLE %I', v_row.rolname);
  END LOOP;
END
$countersign$;
DROP SCHEMA countersign CASCADE;
-- These go with the last database that has the setup:
-- DROP ROLE ${owner};
-- DROP ROLE ${login};
`;
}

function assertNames({ prefix, owner, objects, login }: SetupRequest): void {
  const names = [owner, ...(objects === undefined ? [] : [objects]), login];
  if (
    PREFIX.test(prefix) &&
    names.every((name) => PLAIN_NAME.test(name)) &&
    new Set(names).size === names.length
  )
    return;
  throw new CountersignError('CS_CONFIG_INVALID', {
    detail:
      'the roles of the setup need different names of a-z, 0-9 and _, and a prefix of at most 16 of them',
    hint: 'Change targets.<name>.roles, or the user of the login that it names.',
  });
}

function header({ target, database, login, owner, objects, prefix }: SetupRequest): string {
  return `-- Countersign: the second wall of target ${target}, database ${database}. docs/second-wall.md says what each part is for.
-- Review it, then run it in this database as a superuser (psql -f). It can be run again; it changes no object of yours.
--
--   ${owner}: owns the functions. NOLOGIN, CREATEROLE: nobody is it, only the functions below run with its rights.
--   ${login}: the gateway's login. It may execute these functions, and it needs nothing else.
--   ${prefix}…: the roles that are made, one for each scope of a grant, each with the privileges of just this scope.${
    objects === undefined ? '' : `\n--   ${objects}: NOLOGIN; owns what sessions of ddl scopes leave behind.`
  }
--
-- PostgreSQL 13 to 15: CREATEROLE lets the functions grant membership in any role that is no superuser; their text below is what
-- keeps them from it. PostgreSQL 16 and later: only in roles that the owner made or was given with ADMIN OPTION.
\\set ON_ERROR_STOP on`;
}

function rolesSql({ owner, objects, login }: SetupRequest): string {
  return `DO $countersign$
BEGIN
${createRole(owner, 'NOLOGIN CREATEROLE NOINHERIT')}
${createRole(login, 'LOGIN NOINHERIT')}${
    objects === undefined
      ? ''
      : `\n${createRole(objects, 'NOLOGIN')}
  -- To give objects to it, and (16 and later) to let scope roles act for it.
  GRANT ${objects} TO ${owner} WITH ADMIN OPTION;
  IF pg_catalog.current_setting('server_version_num')::int >= 160000 THEN
    EXECUTE 'GRANT ${objects} TO ${owner} WITH INHERIT TRUE, SET TRUE';
  END IF;`
  }
  ALTER ROLE ${owner} NOLOGIN INHERIT CREATEROLE;
END
$countersign$;`;
}

function createRole(name: string, attributes: string): string {
  return `  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = ${quoteLiteral(name)}) THEN
    CREATE ROLE ${name} ${attributes};
  END IF;`;
}

const TABLES = `CREATE SCHEMA IF NOT EXISTS countersign;
REVOKE ALL ON SCHEMA countersign FROM PUBLIC;

-- What you offer: nothing that is not here can be granted to a role. * stands for any name. Verbs: select, insert, update, delete,
-- truncate, maintain (17 and later); usage (sequences; those of an offered insert come by themselves); execute (a SECURITY DEFINER
-- function only by a row that names it); ddl (object '*'). ('temporary', '*', '{temporary}') offers temporary tables.
CREATE TABLE IF NOT EXISTS countersign.grantable (
  schema text NOT NULL,
  object text NOT NULL,
  verbs text[] NOT NULL,
  PRIMARY KEY (schema, object),
  CHECK (verbs <@ '{select,insert,update,delete,truncate,maintain,usage,execute,ddl,temporary}')
);

-- What was made, by whom. Only roles in here are ever touched.
CREATE TABLE IF NOT EXISTS countersign.role (
  scope text PRIMARY KEY,
  role_oid oid NOT NULL UNIQUE,
  node text NOT NULL,
  login name NOT NULL,
  made_at timestamptz NOT NULL,
  valid_until timestamptz NOT NULL
);
REVOKE ALL ON countersign.grantable, countersign.role FROM PUBLIC;`;

function functionSql(
  { name, parameters, types, returns, kind, body }: SetupFunction,
  { owner }: SetupRequest,
): string {
  const language = name === 'offers' ? 'sql STABLE' : 'plpgsql';
  const pinned = kind === 'helper' ? [] : PINNED_SETTINGS;
  const settings = pinned.map(([setting, value]) => `\n  SET ${setting} = ${value}`).join('');
  const security = kind === 'definer' ? 'SECURITY DEFINER' : 'SECURITY INVOKER';
  const ownership = kind === 'dba' ? '' : `\nALTER FUNCTION countersign.${name}(${types}) OWNER TO ${owner};`;
  return `CREATE OR REPLACE FUNCTION countersign.${name}(${parameters}) RETURNS ${returns}
  LANGUAGE ${language} ${security}${settings}
AS $countersign$${body}$countersign$;${ownership}
REVOKE ALL ON FUNCTION countersign.${name}(${types}) FROM PUBLIC;`;
}

function grantsSql(request: SetupRequest): string {
  const { owner, login } = request;
  const callable = setupFunctions(request)
    .filter(({ kind }) => kind === 'definer')
    .map(({ name, types }) => `GRANT EXECUTE ON FUNCTION countersign.${name}(${types}) TO ${login};`);
  return `GRANT USAGE ON SCHEMA countersign TO ${owner}, ${login};
GRANT SELECT ON countersign.grantable TO ${owner};
GRANT SELECT, INSERT, UPDATE, DELETE ON countersign.role TO ${owner};
${callable.join('\n')}`;
}

const FOOTER = `-- Now say what you offer, and apply it. Do both again when there are new objects; for those to come by themselves, give the role that
-- makes them: ALTER DEFAULT PRIVILEGES FOR ROLE <maker> GRANT SELECT ON TABLES TO countersign_owner WITH GRANT OPTION;
--
--   INSERT INTO countersign.grantable (schema, object, verbs) VALUES ('public', '*', '{select}');
--   SELECT countersign.apply_offers();
--
-- And give the gateway's login its password, as a SCRAM verifier (psql: \\password).`;

function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
