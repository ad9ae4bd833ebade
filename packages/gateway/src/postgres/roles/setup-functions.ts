/**
 * The functions that `countersign target setup` installs: bodies as data, so that `target check` can compare what is installed
 * with what was reviewed. They run with the rights of the owner role, so every body obeys these rules:
 *
 * - names come from the catalog or through `format('%I')`, never from an argument as text; values through `%L`;
 * - no backslash in a literal, and `standard_conforming_strings` is pinned: the caller's setting decides how a body is read;
 * - nothing but pg_catalog and schema-qualified names is looked up (`search_path` is pinned, pg_temp last);
 * - a role is touched only when `countersign.role` says that this login had it made, under the same OID.
 */

/** What is baked into the bodies. Both are checked by `setup-sql.ts`. */
export interface SetupNames {
  /** Prefix of every role that the functions make: `[a-z][a-z0-9_]{0,15}`. */
  readonly prefix: string;
  /** Owner of the functions: NOLOGIN CREATEROLE. */
  readonly owner: string;
  /** Takes over what scope roles leave behind, and owns what `ddl` scopes alter. Absent: no `ddl` scope gets a role. */
  readonly objects?: string;
}

export interface SetupFunction {
  readonly name: string;
  /** As `CREATE FUNCTION` has them. */
  readonly parameters: string;
  /** As `pg_get_function_identity_arguments` prints them without names. */
  readonly types: string;
  readonly returns: string;
  /** `definer`: for the gateway. `helper`: called by those only. `dba`: with the rights of who runs it. */
  readonly kind: 'definer' | 'helper' | 'dba';
  readonly body: string;
}

/** Settings of the definer functions: no setting of the caller changes what a body means. */
export const PINNED_SETTINGS: readonly (readonly [string, string])[] = [
  ['search_path', 'pg_catalog, pg_temp'],
  ['standard_conforming_strings', 'on'],
  ['DateStyle', "'ISO, YMD'"],
  ['TimeZone', "'UTC'"],
  ['lock_timeout', "'10s'"],
  ['client_min_messages', 'error'],
];

/** `CNTR`: the advisory lock under which roles change, one change at a time in each database. */
const LOCK = 1_129_206_866;

export function setupFunctions({ prefix, owner, objects }: SetupNames): readonly SetupFunction[] {
  return [
    {
      name: 'offers',
      parameters: 'p_schema text, p_object text, p_verb text, p_exact boolean',
      types: 'text, text, text, boolean',
      returns: 'boolean',
      kind: 'helper',
      body: OFFERS,
    },
    {
      name: 'make_role',
      parameters: 'p_node text, p_scope text, p_verifier text, p_valid_until timestamptz, p_privileges jsonb',
      types: 'text, text, text, timestamp with time zone, jsonb',
      returns: 'jsonb',
      kind: 'definer',
      body: makeRole(prefix, owner, objects),
    },
    {
      name: 'close_role',
      parameters: 'p_scope text',
      types: 'text',
      returns: 'boolean',
      kind: 'definer',
      body: CLOSE_ROLE,
    },
    {
      name: 'end_role',
      parameters: 'p_scope text',
      types: 'text',
      returns: 'jsonb',
      kind: 'definer',
      body: endRole(objects),
    },
    {
      name: 'list_roles',
      parameters: 'p_node text',
      types: 'text',
      returns: 'jsonb',
      kind: 'definer',
      body: LIST_ROLES,
    },
    {
      name: 'apply_offers',
      parameters: '',
      types: '',
      returns: 'bigint',
      kind: 'dba',
      body: applyOffers(owner),
    },
  ];
}

/** Whether the DBA offers a verb on an object. `p_exact`: only by a row that names it without `*`. */
const OFFERS = `
  SELECT p_schema <> 'information_schema' AND p_schema <> 'countersign' AND pg_catalog.left(p_schema, 3) <> 'pg_'
     AND EXISTS (
       SELECT FROM countersign.grantable g
        WHERE p_verb = ANY (g.verbs)
          AND (g.schema = p_schema OR (g.schema = '*' AND NOT p_exact))
          AND (g.object = p_object OR (g.object = '*' AND NOT p_exact)))
`;

const FIND_ROLE = `
  SELECT r.role_oid, a.rolname INTO v_oid, v_role
    FROM countersign.role r JOIN pg_catalog.pg_roles a ON a.oid = r.role_oid
   WHERE r.scope = p_scope AND r.login = session_user AND pg_catalog.right(a.rolname, 32) = r.scope;`;

function makeRole(prefix: string, owner: string, objects: string | undefined): string {
  return `
DECLARE
  v_role text := '${prefix}' || p_scope;
  v_oid oid;
  v_known countersign.role%ROWTYPE;
  v_new boolean := false;
  v_version int := pg_catalog.current_setting('server_version_num')::int;
  v_skipped jsonb := '[]';
  v_relations int := 0;
  v_functions int := 0;
  v_item jsonb;
  v_verb text;
  v_columns jsonb;
  v_names text;
  v_row record;
  v_kept oid[] := '{}';
  v_routines oid[] := '{}';
  v_sequences oid[] := '{}';
  v_schemas oid[] := '{}';
  v_create oid[] := '{}';
  v_grants text[];
  v_wanted text[];
  v_held text[];
  v_privilege text;
BEGIN
  IF p_scope IS NULL OR p_scope !~ '^[0-9a-f]{32}$' THEN
    RAISE EXCEPTION 'countersign: the scope must be 32 hexadecimal digits' USING ERRCODE = '22023';
  END IF;
  IF p_node IS NULL OR p_node !~ '^[a-z0-9][a-z0-9._-]{0,62}$' THEN
    RAISE EXCEPTION 'countersign: the node has no valid name' USING ERRCODE = '22023';
  END IF;
  IF p_verifier IS NULL
     OR p_verifier !~ '^SCRAM-SHA-256[$][0-9]{4,7}:[A-Za-z0-9+/]{22,}={0,2}[$][A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$' THEN
    RAISE EXCEPTION 'countersign: only a SCRAM-SHA-256 verifier is taken' USING ERRCODE = '22023';
  END IF;
  IF p_valid_until IS NULL OR NOT pg_catalog.isfinite(p_valid_until) THEN
    RAISE EXCEPTION 'countersign: a role has an end' USING ERRCODE = '22023';
  END IF;
  IF p_privileges IS NULL OR pg_catalog.jsonb_typeof(p_privileges) <> 'object' THEN
    RAISE EXCEPTION 'countersign: privileges must be an object' USING ERRCODE = '22023';
  END IF;
  PERFORM pg_catalog.pg_advisory_xact_lock(${LOCK});

  -- The role: ours, or new. One that somebody else made under such a name is not ours.
  SELECT r.* INTO v_known FROM countersign.role r WHERE r.scope = p_scope;
  -- Under the name that it has: the prefix may have been another one then.
  SELECT coalesce(pg_catalog.max(a.rolname::text), v_role) INTO v_role FROM pg_catalog.pg_roles a
   WHERE a.oid = v_known.role_oid AND pg_catalog.right(a.rolname, 32) = p_scope;
  SELECT a.oid INTO v_oid FROM pg_catalog.pg_roles a WHERE a.rolname = v_role;
  IF v_known.scope IS NOT NULL AND v_known.login <> session_user THEN
    RAISE EXCEPTION 'countersign: this role belongs to another login' USING ERRCODE = '42501';
  END IF;
  IF v_oid IS NOT NULL AND (v_known.role_oid IS NULL OR v_known.role_oid <> v_oid) THEN
    RAISE EXCEPTION 'countersign: a role of this name was not made here' USING ERRCODE = '42710';
  END IF;
  IF v_oid IS NULL THEN
    DELETE FROM countersign.role r WHERE r.scope = p_scope;
    EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT', v_role);
    SELECT a.oid INTO STRICT v_oid FROM pg_catalog.pg_roles a WHERE a.rolname = v_role;
    -- For its end: only who has the privileges of a role may end its sessions, reassign and drop what it owns.
    EXECUTE pg_catalog.format(
      CASE WHEN v_version >= 160000 THEN 'GRANT %I TO %I WITH INHERIT TRUE, SET FALSE' ELSE 'GRANT %I TO %I' END,
      v_role, '${owner}');
    INSERT INTO countersign.role (scope, role_oid, node, login, made_at, valid_until)
    VALUES (p_scope, v_oid, p_node, session_user, pg_catalog.clock_timestamp(), p_valid_until);
    v_new := true;
  ELSE
    UPDATE countersign.role r SET node = p_node, valid_until = p_valid_until WHERE r.scope = p_scope;
  END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_roles a WHERE a.oid = v_oid
              AND (a.rolsuper OR a.rolcreaterole OR a.rolcreatedb OR a.rolreplication OR a.rolbypassrls)) THEN
    RAISE EXCEPTION 'countersign: the role was given attributes that it may not have' USING ERRCODE = '42501';
  END IF;
  EXECUTE pg_catalog.format('ALTER ROLE %I LOGIN PASSWORD %L VALID UNTIL %L', v_role, p_verifier, p_valid_until::text);
  -- A session can set what later sessions of its role start with.
  EXECUTE pg_catalog.format('ALTER ROLE %I RESET ALL', v_role);
  EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I RESET ALL', v_role, pg_catalog.current_database());
  EXECUTE pg_catalog.format('ALTER ROLE %I SET default_transaction_read_only = %L', v_role,
    CASE WHEN p_privileges -> 'readOnly' = 'true'::jsonb THEN 'on' ELSE 'off' END);
  IF pg_catalog.jsonb_typeof(p_privileges -> 'statementTimeoutMs') = 'number' THEN
    EXECUTE pg_catalog.format('ALTER ROLE %I SET statement_timeout = %L', v_role,
      least((p_privileges ->> 'statementTimeoutMs')::numeric, 2147483647)::bigint::text);
  END IF;

  -- Relations: each privilege that is asked for, offered, and ours to give.
  FOR v_item IN SELECT e.value FROM pg_catalog.jsonb_array_elements(coalesce(p_privileges -> 'relations', '[]')) e LOOP
    SELECT c.oid, c.relname, c.relkind, n.nspname, n.oid AS nspoid, c.relacl INTO v_row
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = v_item ->> 'schema' AND c.relname = v_item ->> 'name' AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S');
    IF NOT FOUND THEN
      v_skipped := v_skipped || pg_catalog.jsonb_build_object('why', 'gone');
      CONTINUE;
    END IF;
    v_wanted := '{}';
    v_grants := '{}';
    FOR v_verb, v_columns IN SELECT e.key, e.value FROM pg_catalog.jsonb_each(v_item -> 'verbs') e ORDER BY e.key LOOP
      v_privilege := CASE v_verb WHEN 'select' THEN 'SELECT' WHEN 'insert' THEN 'INSERT' WHEN 'update' THEN 'UPDATE'
        WHEN 'delete' THEN 'DELETE' WHEN 'truncate' THEN 'TRUNCATE' WHEN 'maintain' THEN 'MAINTAIN' END;
      IF v_privilege IS NULL THEN
        RAISE EXCEPTION 'countersign: there is no such verb' USING ERRCODE = '22023';
      END IF;
      IF (v_privilege = 'MAINTAIN' AND v_version < 170000)
         OR (v_row.relkind = 'S' AND v_privilege NOT IN ('SELECT', 'UPDATE')) THEN
        CONTINUE;
      END IF;
      IF NOT countersign.offers(v_row.nspname, v_row.relname, v_verb, false) THEN
        v_skipped := v_skipped || pg_catalog.jsonb_build_object('schema', v_row.nspname, 'name', v_row.relname, 'verb', v_verb, 'why', 'not offered');
        CONTINUE;
      END IF;
      IF v_row.relkind <> 'S' AND NOT pg_catalog.has_table_privilege(v_row.oid, v_privilege || ' WITH GRANT OPTION')
         OR v_row.relkind = 'S' AND NOT pg_catalog.has_sequence_privilege(v_row.oid, v_privilege || ' WITH GRANT OPTION') THEN
        v_skipped := v_skipped || pg_catalog.jsonb_build_object('schema', v_row.nspname, 'name', v_row.relname, 'verb', v_verb, 'why', 'no grant option');
        CONTINUE;
      END IF;
      IF v_columns = 'true'::jsonb THEN
        v_wanted := v_wanted || v_privilege;
        v_grants := v_grants || v_privilege;
      ELSIF pg_catalog.jsonb_typeof(v_columns) = 'array' AND v_verb IN ('select', 'insert', 'update') THEN
        SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum) INTO v_names
          FROM pg_catalog.pg_attribute a
         WHERE a.attrelid = v_row.oid AND a.attnum > 0 AND NOT a.attisdropped AND v_columns ? a.attname::text;
        IF v_names IS NOT NULL THEN
          v_grants := v_grants || (v_privilege || ' (' || v_names || ')');
          v_wanted := v_wanted || (
            SELECT pg_catalog.array_agg(v_privilege || ' ' || a.attnum ORDER BY a.attnum)
              FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = v_row.oid AND a.attnum > 0 AND NOT a.attisdropped AND v_columns ? a.attname::text);
        END IF;
      ELSE
        RAISE EXCEPTION 'countersign: columns must be true or a list, for select, insert and update' USING ERRCODE = '22023';
      END IF;
    END LOOP;
    SELECT coalesce(pg_catalog.array_agg(x.privilege), '{}') INTO v_held
      FROM (SELECT e.privilege_type AS privilege FROM pg_catalog.aclexplode(v_row.relacl) e
             WHERE e.grantee = v_oid AND e.grantor = current_user::regrole
            UNION ALL
            SELECT e.privilege_type || ' ' || a.attnum
              FROM pg_catalog.pg_attribute a, pg_catalog.aclexplode(a.attacl) e
             WHERE a.attrelid = v_row.oid AND e.grantee = v_oid AND e.grantor = current_user::regrole) x;
    IF NOT (v_held <@ v_wanted AND v_wanted <@ v_held) THEN
      IF v_held <> '{}' THEN
        EXECUTE pg_catalog.format('REVOKE ALL ON %s %I.%I FROM %I',
          CASE v_row.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, v_row.nspname, v_row.relname, v_role);
      END IF;
      IF v_grants <> '{}' THEN
        EXECUTE pg_catalog.format('GRANT %s ON %s %I.%I TO %I', pg_catalog.array_to_string(v_grants, ', '),
          CASE v_row.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, v_row.nspname, v_row.relname, v_role);
      END IF;
    END IF;
    IF v_wanted <> '{}' THEN
      v_relations := v_relations + 1;
      v_kept := v_kept || v_row.oid;
      v_schemas := v_schemas || v_row.nspoid;
      -- Defaults take numbers from sequences with the rights of who inserts.
      IF v_item -> 'verbs' ? 'insert' AND countersign.offers(v_row.nspname, v_row.relname, 'insert', false) THEN
        v_sequences := v_sequences || coalesce((
          SELECT pg_catalog.array_agg(DISTINCT s.oid)
            FROM pg_catalog.pg_attrdef d
            JOIN pg_catalog.pg_depend p ON p.classid = 'pg_catalog.pg_attrdef'::regclass AND p.objid = d.oid
                                       AND p.refclassid = 'pg_catalog.pg_class'::regclass
            JOIN pg_catalog.pg_class s ON s.oid = p.refobjid AND s.relkind = 'S'
           WHERE d.adrelid = v_row.oid), '{}');
      END IF;
    END IF;
  END LOOP;
  FOR v_row IN SELECT s.oid, s.relname, n.nspname, n.oid AS nspoid
                 FROM pg_catalog.pg_class s JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
                WHERE s.oid = ANY (v_sequences) LOOP
    IF NOT v_row.oid = ANY (v_kept) THEN
      EXECUTE pg_catalog.format('REVOKE ALL ON SEQUENCE %I.%I FROM %I', v_row.nspname, v_row.relname, v_role);
    END IF;
    IF pg_catalog.has_sequence_privilege(v_row.oid, 'USAGE WITH GRANT OPTION') THEN
      EXECUTE pg_catalog.format('GRANT USAGE ON SEQUENCE %I.%I TO %I', v_row.nspname, v_row.relname, v_role);
      v_kept := v_kept || v_row.oid;
      v_schemas := v_schemas || v_row.nspoid;
    ELSE
      v_skipped := v_skipped || pg_catalog.jsonb_build_object('schema', v_row.nspname, 'name', v_row.relname, 'verb', 'usage', 'why', 'no grant option');
    END IF;
  END LOOP;
  -- What it holds besides and is not asked for any more.
  FOR v_row IN SELECT c.relname, c.relkind, n.nspname
                 FROM pg_catalog.pg_shdepend d
                 JOIN pg_catalog.pg_class c ON c.oid = d.objid
                 JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE d.dbid = (SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = pg_catalog.current_database())
                  AND d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_authid'::regclass
                  AND d.refobjid = v_oid AND d.deptype = 'a' AND NOT c.oid = ANY (v_kept) LOOP
    EXECUTE pg_catalog.format('REVOKE ALL ON %s %I.%I FROM %I',
      CASE v_row.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, v_row.nspname, v_row.relname, v_role);
  END LOOP;
${FUNCTIONS_OF_ROLE}
${schemasOfRole(objects)}
${DATABASE_OF_ROLE}
  RETURN pg_catalog.jsonb_build_object('role', v_role, 'new', v_new, 'relations', v_relations, 'functions', v_functions, 'skipped', v_skipped);
END
`;
}

/** EXECUTE on the routines that are named by their OIDs; a SECURITY DEFINER one only where a row names it. */
const FUNCTIONS_OF_ROLE = `
  FOR v_item IN SELECT e.value FROM pg_catalog.jsonb_array_elements(coalesce(p_privileges -> 'functions', '[]')) e LOOP
    IF pg_catalog.jsonb_typeof(v_item) <> 'number' THEN
      RAISE EXCEPTION 'countersign: functions are named by their OIDs' USING ERRCODE = '22023';
    END IF;
    SELECT p.oid, p.proname, p.prosecdef, n.nspname, n.oid AS nspoid INTO v_row
      FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     WHERE p.oid::bigint = v_item::text::numeric;
    IF NOT FOUND THEN
      v_skipped := v_skipped || pg_catalog.jsonb_build_object('why', 'gone');
    ELSIF NOT countersign.offers(v_row.nspname, v_row.proname, 'execute', v_row.prosecdef) THEN
      v_skipped := v_skipped || pg_catalog.jsonb_build_object('schema', v_row.nspname, 'name', v_row.proname, 'verb', 'execute', 'why', 'not offered');
    ELSIF NOT pg_catalog.has_function_privilege(v_row.oid, 'EXECUTE WITH GRANT OPTION') THEN
      v_skipped := v_skipped || pg_catalog.jsonb_build_object('schema', v_row.nspname, 'name', v_row.proname, 'verb', 'execute', 'why', 'no grant option');
    ELSE
      EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO %I', v_row.oid::regprocedure, v_role);
      v_functions := v_functions + 1;
      v_routines := v_routines || v_row.oid;
      v_schemas := v_schemas || v_row.nspoid;
    END IF;
  END LOOP;
  FOR v_row IN SELECT p.oid
                 FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_proc p ON p.oid = d.objid
                WHERE d.dbid = (SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = pg_catalog.current_database())
                  AND d.classid = 'pg_catalog.pg_proc'::regclass AND d.refclassid = 'pg_catalog.pg_authid'::regclass
                  AND d.refobjid = v_oid AND d.deptype = 'a' AND NOT p.oid = ANY (v_routines) LOOP
    EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM %I', v_row.oid::regprocedure, v_role);
  END LOOP;`;

/** USAGE where something is, CREATE and the owner of objects where `ddl` is offered; the rest is taken back. */
function schemasOfRole(objects: string | undefined): string {
  return `
  FOR v_item IN SELECT e.value FROM pg_catalog.jsonb_array_elements(coalesce(p_privileges -> 'ddl', '[]')) e LOOP
    SELECT n.oid, n.nspname INTO v_row FROM pg_catalog.pg_namespace n WHERE n.nspname = v_item #>> '{}';
    IF NOT FOUND THEN
      v_skipped := v_skipped || pg_catalog.jsonb_build_object('why', 'gone');
    ELSIF NOT countersign.offers(v_row.nspname, '*', 'ddl', false) THEN
      v_skipped := v_skipped || pg_catalog.jsonb_build_object('schema', v_row.nspname, 'verb', 'ddl', 'why', 'not offered');
${
  objects === undefined
    ? `    ELSE
      v_skipped := v_skipped || pg_catalog.jsonb_build_object('schema', v_row.nspname, 'verb', 'ddl', 'why', 'no owner of objects');`
    : `    ELSIF EXISTS (SELECT FROM pg_catalog.pg_roles a WHERE a.rolname = '${objects}'
                   AND (a.rolcanlogin OR a.rolsuper OR a.rolcreaterole OR a.rolcreatedb OR a.rolreplication OR a.rolbypassrls
                        OR EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.member = a.oid))) THEN
      v_skipped := v_skipped || pg_catalog.jsonb_build_object('schema', v_row.nspname, 'verb', 'ddl', 'why', 'the owner of objects may too much');
    ELSIF NOT pg_catalog.has_schema_privilege(v_row.oid, 'CREATE WITH GRANT OPTION') THEN
      v_skipped := v_skipped || pg_catalog.jsonb_build_object('schema', v_row.nspname, 'verb', 'ddl', 'why', 'no grant option');
    ELSE
      v_schemas := v_schemas || v_row.oid;
      v_create := v_create || v_row.oid;`
}
    END IF;
  END LOOP;
  FOR v_row IN SELECT n.oid, n.nspname,
                      n.oid = ANY (v_schemas) AS used, n.oid = ANY (v_create) AS made,
                      coalesce(h.usage, false) AS has_usage, coalesce(h.creates, false) AS has_create
                 FROM pg_catalog.pg_namespace n
                 LEFT JOIN LATERAL (
                   SELECT pg_catalog.bool_or(e.privilege_type = 'USAGE') AS usage, pg_catalog.bool_or(e.privilege_type = 'CREATE') AS creates
                     FROM pg_catalog.aclexplode(n.nspacl) e
                    WHERE e.grantee = v_oid AND e.grantor = current_user::regrole) h ON true
                WHERE n.oid = ANY (v_schemas) OR h.usage OR h.creates LOOP
    IF v_row.used AND NOT v_row.has_usage THEN
      IF pg_catalog.has_schema_privilege(v_row.oid, 'USAGE WITH GRANT OPTION') THEN
        EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %I', v_row.nspname, v_role);
      ELSIF NOT pg_catalog.has_schema_privilege(v_oid, v_row.oid, 'USAGE') THEN
        v_skipped := v_skipped || pg_catalog.jsonb_build_object('schema', v_row.nspname, 'verb', 'usage', 'why', 'no grant option');
      END IF;
    ELSIF v_row.has_usage AND NOT v_row.used THEN
      EXECUTE pg_catalog.format('REVOKE USAGE ON SCHEMA %I FROM %I', v_row.nspname, v_role);
    END IF;
    IF v_row.made AND NOT v_row.has_create THEN
      EXECUTE pg_catalog.format('GRANT CREATE ON SCHEMA %I TO %I', v_row.nspname, v_role);
    ELSIF v_row.has_create AND NOT v_row.made THEN
      EXECUTE pg_catalog.format('REVOKE CREATE ON SCHEMA %I FROM %I', v_row.nspname, v_role);
    END IF;
  END LOOP;${
    objects === undefined
      ? ''
      : `
  IF v_create <> '{}' THEN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.member = v_oid AND m.roleid = '${objects}'::regrole) THEN
      EXECUTE pg_catalog.format(
        CASE WHEN v_version >= 160000 THEN 'GRANT %I TO %I WITH INHERIT TRUE, SET FALSE' ELSE 'GRANT %I TO %I' END,
        '${objects}', v_role);
    END IF;
  ELSIF EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.member = v_oid AND m.roleid = '${objects}'::regrole) THEN
    EXECUTE pg_catalog.format('REVOKE %I FROM %I', '${objects}', v_role);
  END IF;`
  }`;
}

const DATABASE_OF_ROLE = `
  IF NOT pg_catalog.has_database_privilege(v_oid, pg_catalog.current_database(), 'CONNECT') THEN
    EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO %I', pg_catalog.current_database(), v_role);
  END IF;
  IF p_privileges -> 'temporary' = 'true'::jsonb THEN
    IF NOT pg_catalog.has_database_privilege(v_oid, pg_catalog.current_database(), 'TEMPORARY') THEN
      IF countersign.offers('temporary', '*', 'temporary', true)
         AND pg_catalog.has_database_privilege(pg_catalog.current_database(), 'TEMPORARY WITH GRANT OPTION') THEN
        EXECUTE pg_catalog.format('GRANT TEMPORARY ON DATABASE %I TO %I', pg_catalog.current_database(), v_role);
      ELSE
        v_skipped := v_skipped || pg_catalog.jsonb_build_object('verb', 'temporary', 'why', 'not offered');
      END IF;
    END IF;
  ELSIF EXISTS (SELECT FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) e
                 WHERE d.datname = pg_catalog.current_database() AND e.grantee = v_oid AND e.privilege_type = 'TEMPORARY') THEN
    EXECUTE pg_catalog.format('REVOKE TEMPORARY ON DATABASE %I FROM %I', pg_catalog.current_database(), v_role);
  END IF;`;

/** Nobody logs in as the role any more. A transaction of its own, so that this holds before `end_role` counts sessions. */
const CLOSE_ROLE = `
DECLARE
  v_oid oid;
  v_role text;
BEGIN
  PERFORM pg_catalog.pg_advisory_xact_lock(${LOCK});${FIND_ROLE}
  IF v_oid IS NULL THEN
    RETURN false;
  END IF;
  EXECUTE pg_catalog.format('ALTER ROLE %I NOLOGIN PASSWORD NULL', v_role);
  RETURN true;
END
`;

/**
 * What a role holds of relations and functions by a grant of `grantor`, in the words of REVOKE. Whoever has the rights of an object's
 * owner too revokes under that name what it can, so exactly what it granted under its own has to be named, or it stays.
 *
 * @param grantor and @param grantee SQL expressions of OIDs.
 */
function grantedBy(grantor: string, grantee: string): string {
  return `
      SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS what,
             pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, c.relowner AS owned_by, e.grantee,
             pg_catalog.string_agg(DISTINCT e.privilege_type, ', ') AS privileges
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN pg_catalog.aclexplode(c.relacl || (
          SELECT pg_catalog.array_agg(u) FROM pg_catalog.pg_attribute a, pg_catalog.unnest(a.attacl) u WHERE a.attrelid = c.oid)) e
       WHERE e.grantor = ${grantor} AND e.grantee ${grantee} GROUP BY c.oid, n.nspname, e.grantee
      UNION ALL
      SELECT 'ROUTINE', p.oid::regprocedure::text, p.proowner, e.grantee, 'EXECUTE'
        FROM pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) e WHERE e.grantor = ${grantor} AND e.grantee ${grantee}`;
}

function endRole(objects: string | undefined): string {
  return `
DECLARE
  v_oid oid;
  v_role text;
  v_database oid := (SELECT b.oid FROM pg_catalog.pg_database b WHERE b.datname = pg_catalog.current_database());
  v_sessions int := 0;
  v_terminated int := 0;
  v_owned int;
  v_reassigned int := 0;
  v_left int;
  v_lent name[];
  v_schema name;
  v_row record;
BEGIN${FIND_ROLE}
  IF v_oid IS NULL THEN
    DELETE FROM countersign.role r WHERE r.scope = p_scope AND r.login = session_user
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles a WHERE a.oid = r.role_oid);
    RETURN pg_catalog.jsonb_build_object('ended', true, 'terminated', 0, 'reassigned', 0, 'leftovers', 0);
  END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_roles a WHERE a.oid = v_oid AND a.rolcanlogin) THEN
    RAISE EXCEPTION 'countersign: close the role before it is ended' USING ERRCODE = '55000';
  END IF;
  -- Sessions first and without the lock: at most five seconds.
  FOR v_try IN 1..100 LOOP
    PERFORM pg_catalog.pg_stat_clear_snapshot();
    SELECT pg_catalog.count(*), v_terminated + pg_catalog.count(*) FILTER (WHERE v_try = 1)
      INTO v_sessions, v_terminated
      FROM (SELECT pg_catalog.pg_terminate_backend(s.pid) FROM pg_catalog.pg_stat_activity s WHERE s.usesysid = v_oid OFFSET 0) t;
    EXIT WHEN v_sessions = 0;
    PERFORM pg_catalog.pg_sleep(0.05);
  END LOOP;
  IF v_sessions > 0 THEN
    RETURN pg_catalog.jsonb_build_object('ended', false, 'terminated', v_terminated, 'reassigned', 0, 'leftovers', v_sessions, 'why', 'sessions');
  END IF;
  PERFORM pg_catalog.pg_advisory_xact_lock(${LOCK});
  SELECT pg_catalog.count(*) INTO v_owned FROM pg_catalog.pg_shdepend d
   WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = v_oid AND d.deptype = 'o' AND d.dbid = v_database;
${
  objects === undefined
    ? ''
    : `  IF v_owned > 0 THEN
    BEGIN
      -- A new owner of a function, an operator or the like must be able to make objects in its schema: for this moment only,
      -- or every role with a ddl scope could, through it.
      SELECT coalesce(pg_catalog.array_agg(n.nspname), '{}') INTO v_lent FROM pg_catalog.pg_namespace n
       WHERE pg_catalog.has_schema_privilege(n.oid, 'CREATE WITH GRANT OPTION')
         AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl) e JOIN pg_catalog.pg_roles a ON a.oid = e.grantee
                          WHERE a.rolname = '${objects}' AND e.privilege_type = 'CREATE');
      FOREACH v_schema IN ARRAY v_lent LOOP
        EXECUTE pg_catalog.format('GRANT CREATE ON SCHEMA %I TO %I', v_schema, '${objects}');
      END LOOP;
      EXECUTE pg_catalog.format('REASSIGN OWNED BY %I TO %I', v_role, '${objects}');
      FOREACH v_schema IN ARRAY v_lent LOOP
        EXECUTE pg_catalog.format('REVOKE CREATE ON SCHEMA %I FROM %I', v_schema, '${objects}');
      END LOOP;
      v_reassigned := v_owned;
    EXCEPTION WHEN insufficient_privilege THEN
      -- In a schema that is offered no more: what is there stays with the role, and is told.
      NULL;
    END;
    SELECT pg_catalog.count(*) INTO v_owned FROM pg_catalog.pg_shdepend d
     WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = v_oid AND d.deptype = 'o' AND d.dbid = v_database;
  END IF;
`
}  -- DROP OWNED would drop what the role owns, too: never data that nobody decided about.
  IF v_owned > 0 THEN
    RETURN pg_catalog.jsonb_build_object('ended', false, 'terminated', v_terminated, 'reassigned', v_reassigned, 'leftovers', v_owned, 'why', 'objects');
  END IF;
  FOR v_row IN${grantedBy('current_user::regrole', '= v_oid')}
  LOOP
    EXECUTE pg_catalog.format('REVOKE %s ON %s %s FROM %I', v_row.privileges, v_row.what, v_row.name, v_role);
  END LOOP;
  EXECUTE pg_catalog.format('DROP OWNED BY %I', v_role);
  SELECT pg_catalog.count(*) INTO v_left FROM pg_catalog.pg_shdepend d
   WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = v_oid
     AND (d.dbid <> 0 OR d.classid <> 'pg_catalog.pg_auth_members'::regclass);
  IF v_left > 0 THEN
    RETURN pg_catalog.jsonb_build_object('ended', false, 'terminated', v_terminated, 'reassigned', v_reassigned, 'leftovers', v_left, 'why', 'dependencies');
  END IF;
  EXECUTE pg_catalog.format('DROP ROLE %I', v_role);
  DELETE FROM countersign.role r WHERE r.scope = p_scope;
  RETURN pg_catalog.jsonb_build_object('ended', true, 'terminated', v_terminated, 'reassigned', v_reassigned, 'leftovers', 0);
END
`;
}

/** The roles that this login had made for a node. */
const LIST_ROLES = `
BEGIN
  RETURN (
    SELECT coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
             'scope', r.scope, 'role', a.rolname, 'node', r.node, 'open', coalesce(a.rolcanlogin, false)) ORDER BY r.made_at), '[]')
      FROM countersign.role r LEFT JOIN pg_catalog.pg_roles a ON a.oid = r.role_oid
     WHERE r.login = session_user AND (p_node IS NULL OR r.node = p_node));
END
`;

/**
 * Run by the DBA: gives the owner role, with grant option, just what `countersign.grantable` offers on what there is now, and takes
 * back (with what was passed on) the rest. Gives the number of changes.
 */
function applyOffers(owner: string): string {
  return `
DECLARE
  v_owner oid := '${owner}'::regrole;
  v_version int := pg_catalog.current_setting('server_version_num')::int;
  v_row record;
  v_dba name := current_user;
  v_changes bigint := 0;
BEGIN
  -- A table that was offered and given to a role of the setup since.
  FOR v_row IN
    SELECT g.*, a.rolname
      FROM (${grantedBy('v_owner', 'IN (SELECT r.role_oid FROM countersign.role r)')}) g
      JOIN pg_catalog.pg_auth_members m ON m.member = v_owner AND m.roleid = g.owned_by
      JOIN pg_catalog.pg_roles a ON a.oid = g.grantee
  LOOP
    -- Only who holds the grant option revokes under its own name; below it is taken away again.
    EXECUTE pg_catalog.format('GRANT %s ON %s %s TO %I WITH GRANT OPTION', v_row.privileges, v_row.what, v_row.name, '${owner}');
    SET LOCAL ROLE ${owner};
    EXECUTE pg_catalog.format('REVOKE %s ON %s %s FROM %I', v_row.privileges, v_row.what, v_row.name, v_row.rolname);
    EXECUTE pg_catalog.format('SET LOCAL ROLE %I', v_dba);
    v_changes := v_changes + 1;
  END LOOP;
  FOR v_row IN
    WITH wanted AS (
      SELECT c.oid, CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS what,
             pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, v.privilege, c.relacl AS acl,
             c.relowner AS owned_by, (SELECT pg_catalog.array_agg(u) FROM pg_catalog.pg_attribute a, pg_catalog.unnest(a.attacl) u
                                       WHERE a.attrelid = c.oid) AS column_acl,
             countersign.offers(n.nspname, c.relname, v.verb, false)
               AND (c.relkind <> 'S' OR v.verb IN ('select', 'update', 'usage'))
             OR c.relkind = 'S' AND v.verb = 'usage' AND EXISTS (
                  SELECT FROM pg_catalog.pg_depend p
                    JOIN pg_catalog.pg_attrdef d ON p.classid = 'pg_catalog.pg_attrdef'::regclass AND p.objid = d.oid
                    JOIN pg_catalog.pg_class t ON t.oid = d.adrelid
                    JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
                   WHERE p.refclassid = 'pg_catalog.pg_class'::regclass AND p.refobjid = c.oid
                     AND countersign.offers(tn.nspname, t.relname, 'insert', false)) AS offered
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN (VALUES ('select', 'SELECT'), ('insert', 'INSERT'), ('update', 'UPDATE'), ('delete', 'DELETE'),
                           ('truncate', 'TRUNCATE'), ('maintain', 'MAINTAIN'), ('usage', 'USAGE')) v (verb, privilege)
       WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
         AND (v.verb <> 'maintain' OR v_version >= 170000 AND c.relkind <> 'S')
         AND (v.verb <> 'usage' OR c.relkind = 'S')
         AND (c.relkind <> 'S' OR v.verb IN ('select', 'update', 'usage'))
         AND n.nspname <> 'information_schema' AND n.nspname <> 'countersign' AND pg_catalog.left(n.nspname, 3) <> 'pg_'
      UNION ALL
      SELECT p.oid, 'ROUTINE', p.oid::regprocedure::text, 'EXECUTE', p.proacl, p.proowner, NULL,
             countersign.offers(n.nspname, p.proname, 'execute', p.prosecdef)
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
       WHERE n.nspname <> 'information_schema' AND n.nspname <> 'countersign' AND pg_catalog.left(n.nspname, 3) <> 'pg_'
      UNION ALL
      SELECT n.oid, 'SCHEMA', pg_catalog.quote_ident(n.nspname), v.privilege, n.nspacl, NULL, NULL,
             CASE v.privilege
               WHEN 'USAGE' THEN EXISTS (SELECT FROM countersign.grantable g WHERE g.schema IN (n.nspname, '*'))
               ELSE countersign.offers(n.nspname, '*', 'ddl', false) END
        FROM pg_catalog.pg_namespace n CROSS JOIN (VALUES ('USAGE'), ('CREATE')) v (privilege)
       WHERE n.nspname <> 'information_schema' AND n.nspname <> 'countersign' AND pg_catalog.left(n.nspname, 3) <> 'pg_'
      UNION ALL
      SELECT d.oid, 'DATABASE', pg_catalog.quote_ident(d.datname), v.privilege, d.datacl, NULL, NULL,
             v.privilege = 'CONNECT' OR EXISTS (
               SELECT FROM countersign.grantable g WHERE g.schema = 'temporary' AND 'temporary' = ANY (g.verbs))
        FROM pg_catalog.pg_database d CROSS JOIN (VALUES ('CONNECT'), ('TEMPORARY')) v (privilege)
       WHERE d.datname = pg_catalog.current_database())
    SELECT w.what, w.name, w.privilege, w.offered AND w.owned_by IS NULL AS is_granted, '${owner}' AS role
      FROM (SELECT o.what, o.name, o.privilege, o.acl, o.offered, m.roleid AS owned_by
              FROM wanted o LEFT JOIN pg_catalog.pg_auth_members m ON m.member = v_owner AND m.roleid = o.owned_by) w
     -- What sessions made grants by itself, with the rights of its owner, which the owner of the functions has. A grant option besides
     -- would make it grant under another name than DROP OWNED revokes, and no role could be dropped.
     WHERE (w.offered AND w.owned_by IS NULL) <> EXISTS (SELECT FROM pg_catalog.aclexplode(w.acl) e
                                 WHERE e.grantee = v_owner AND e.privilege_type = w.privilege AND e.is_grantable)
    UNION
    SELECT w.what, w.name, w.privilege, false, a.rolname
      FROM wanted w
      JOIN pg_catalog.pg_auth_members m ON m.member = v_owner AND m.roleid = w.owned_by
      CROSS JOIN pg_catalog.aclexplode(w.acl || w.column_acl) e
      JOIN countersign.role r ON r.role_oid = e.grantee
      JOIN pg_catalog.pg_roles a ON a.oid = r.role_oid
     WHERE NOT w.offered AND e.privilege_type = w.privilege AND e.grantee <> w.owned_by
     ORDER BY 1, 2
  LOOP
    IF v_row.is_granted THEN
      EXECUTE pg_catalog.format('GRANT %s ON %s %s TO %I WITH GRANT OPTION', v_row.privilege, v_row.what, v_row.name, v_row.role);
    ELSE
      EXECUTE pg_catalog.format('REVOKE %s ON %s %s FROM %I CASCADE', v_row.privilege, v_row.what, v_row.name, v_row.role);
    END IF;
    v_changes := v_changes + 1;
  END LOOP;
  RETURN v_changes;
END
`;
}
