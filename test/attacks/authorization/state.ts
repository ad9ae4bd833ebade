/**
 * What a database and its cluster hold, as keys with digests, seen by a superuser who is not part of the attack. Two readings that differ
 * show what was changed, whatever way it was changed.
 */
import type { Client } from 'pg';

export type State = ReadonlyMap<string, string>;

/** Roles of the second wall and the schema of its functions come and go while attacks run. */
const OURS = `'^"?cs_'`;
const OUR_SCHEMAS = `n.nspname !~ '^(pg_|information_schema$|countersign)'`;

const acl = (list: string, kind: string, owner: string): string =>
  `array(select a::text from unnest(coalesce(${list}, acldefault('${kind}', ${owner}))) a where a::text !~ ${OURS})`;

const named = (what: string, name: string, digest: string, from: string): string =>
  `select '${what} ' || n.nspname || '.' || ${name}, md5(string_agg(${digest}, '' order by ${digest})) from ${from} where ${OUR_SCHEMAS} group by 1`;

/** Objects with smaller numbers came with the server. */
const FIRST_OWN = 16_384;

/** Catalogs of which the server's own, many rows are left out. */
const MADE_LATER = ['pg_conversion', 'pg_collation', 'pg_ts_config', 'pg_ts_dict'] as const;

/** Catalogs that are compared as they are. */
const WHOLE = [
  'pg_language',
  'pg_am',
  'pg_extension',
  'pg_foreign_server',
  'pg_foreign_data_wrapper',
  'pg_user_mapping',
  'pg_event_trigger',
  'pg_publication',
  'pg_subscription',
  'pg_default_acl',
  'pg_seclabel',
  'pg_statistic_ext',
  'pg_largeobject_metadata',
  'pg_largeobject',
  'pg_replication_origin',
  'pg_tablespace',
] as const;

const CATALOG_PARTS = [
  `select 'relation ' || n.nspname || '.' || c.relname, md5(row(c.relkind, c.relfilenode, c.relowner, ${acl('c.relacl', 'r', 'c.relowner')},
     c.reloptions, c.relrowsecurity, c.relforcerowsecurity, c.relreplident, c.relpartbound::text)::text)
   from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${OUR_SCHEMAS}`,
  named(
    'columns of',
    'c.relname',
    `row(a.attname, a.atttypid, a.attnum, a.attnotnull, a.attisdropped, array(select x::text from unnest(a.attacl) x where x::text !~ ${OURS}))::text`,
    'pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace',
  ),
  named(
    'defaults of',
    'c.relname',
    `d.adnum || d.adbin::text`,
    'pg_attrdef d join pg_class c on c.oid = d.adrelid join pg_namespace n on n.oid = c.relnamespace',
  ),
  named(
    'constraints of',
    'c.relname',
    `k.conname || pg_get_constraintdef(k.oid)`,
    'pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace',
  ),
  named(
    'triggers of',
    'c.relname',
    `t.tgname || t.tgenabled::text`,
    'pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace',
  ),
  named(
    'rules of',
    'c.relname',
    `r.rulename || r.ev_enabled::text || r.ev_action::text`,
    'pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace',
  ),
  named(
    'policies of',
    'c.relname',
    `p.polname || p.polcmd::text || coalesce(p.polqual::text, '')`,
    'pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace',
  ),
  named(
    'parents of',
    'c.relname',
    'i.inhparent::regclass::text',
    'pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_namespace n on n.oid = c.relnamespace',
  ),
  named(
    'routine',
    'p.proname',
    `row(p.prosrc, p.proargtypes, p.prosecdef, p.proconfig, p.proowner, p.provolatile, ${acl('p.proacl', 'f', 'p.proowner')})::text`,
    'pg_proc p join pg_namespace n on n.oid = p.pronamespace',
  ),
  named(
    'type',
    't.typname',
    'row(t.typowner, t.typtype, t.typrelid, t.typdefault)::text',
    'pg_type t join pg_namespace n on n.oid = t.typnamespace',
  ),
  named(
    'domain',
    't.typname',
    'k.conname',
    'pg_constraint k join pg_type t on t.oid = k.contypid join pg_namespace n on n.oid = t.typnamespace',
  ),
  named(
    'sequence options',
    'c.relname',
    's::text',
    'pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace',
  ),
  named(
    'operator',
    'o.oprname',
    'row(o.oprcode, o.oprowner)::text',
    'pg_operator o join pg_namespace n on n.oid = o.oprnamespace',
  ),
  `select 'cast ' || n.nspname || '.' || t.typname, md5(string_agg(k::text, '' order by k::text))
   from pg_cast k join pg_type t on t.oid = k.castsource join pg_namespace n on n.oid = t.typnamespace where k.oid >= ${FIRST_OWN} group by 1`,
  `select 'schema ' || n.nspname, md5(row(n.nspowner, ${acl('n.nspacl', 'n', 'n.nspowner')})::text) from pg_namespace n where ${OUR_SCHEMAS}`,
  ...MADE_LATER.map(
    (name) =>
      `select 'catalog ${name}', md5(string_agg(t::text, '' order by t::text)) from ${name} t where t.oid >= ${FIRST_OWN}`,
  ),
  `select 'catalog pg_description', md5(string_agg(t::text, '' order by t::text)) from pg_description t
   where t.objoid >= ${FIRST_OWN} or t.classoid = 'pg_largeobject'::regclass`,
  ...WHOLE.map(
    (name) => `select 'catalog ${name}', md5(string_agg(t::text, '' order by t::text)) from ${name} t`,
  ),
  `select 'role ' || r.rolname, md5(r::text) from pg_authid r where r.rolname !~ ${OURS} and r.rolname <> 'countersign_owner'`,
  `select 'members', md5(string_agg(roleid::regrole || ' ' || member::regrole, ',' order by roleid, member)) from pg_auth_members
     where member::regrole::text !~ ${OURS} and roleid::regrole::text !~ ${OURS}`,
  `select 'role settings', md5(string_agg(setconfig::text, ',' order by setconfig::text)) from pg_db_role_setting
     where setrole = 0 or setrole::regrole::text !~ ${OURS}`,
  `select 'databases', md5(string_agg(datname, ',' order by datname)) from pg_database where datname !~ '^authz_' or datname = current_database() || '_spare'`,
  `select 'slots', md5(string_agg(slot_name, ',')) from pg_replication_slots`,
  `select 'prepared', md5(string_agg(gid, ',' order by gid)) from pg_prepared_xacts where database = current_database()`,
  `select 'configuration', md5(string_agg(line, '' order by line)) from regexp_split_to_table(pg_read_file('postgresql.auto.conf'), '\\n') line where line !~ '^#'`,
];

const CATALOG_SQL = CATALOG_PARTS.join('\nunion all\n');

/** Contents of what is there now; what is made later shows in the catalog. */
export async function rowsQuery(observer: Client): Promise<string> {
  const { rows } = await observer.query<{ schema: string; name: string; kind: string }>(
    `select n.nspname as schema, c.relname as name, c.relkind as kind from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where ${OUR_SCHEMAS} and c.relkind in ('r', 'm', 'S') order by 1, 2`,
  );
  return rows
    .map(({ schema, name, kind }) => {
      const from = `"${schema}"."${name}"`;
      return kind === 'S'
        ? `select 'sequence ${schema}.${name}' as key, last_value || is_called::text as digest from ${from}`
        : `select 'rows ${schema}.${name}', md5(string_agg(t::text, '|' order by t::text)) from ${from} t`;
    })
    .join('\nunion all\n');
}

interface Line {
  readonly key: string;
  readonly digest: string | null;
}

export async function readState(observer: Client, rows: string): Promise<State> {
  const state = new Map<string, string>();
  const catalog = await observer.query<Line>(`select k as key, d as digest from (${CATALOG_SQL}) s(k, d)`);
  for (const { key, digest } of catalog.rows) state.set(key, digest ?? '');
  try {
    const contents = await observer.query<Line>(`select k as key, d as digest from (${rows}) s(k, d)`);
    for (const { key, digest } of contents.rows) state.set(key, digest ?? '');
  } catch {
    // A relation is gone, or has another name: the catalog says which.
    state.set('rows', 'unreadable');
  }
  return state;
}

const MARK = `select pg_current_wal_insert_lsn()::text || (select count(*) from pg_replication_slots) || md5(pg_read_file('postgresql.auto.conf')) as mark`;

/**
 * Another one if anything was written since: every change of a relation or a catalog is in the server's write-ahead log, slots and settings
 * have files of their own. It may move without a change.
 */
export async function readMark(observer: Client): Promise<string> {
  const { rows } = await observer.query<{ mark: string }>(MARK);
  return rows[0]!.mark;
}

/** Keys that are new, gone or different. */
export function changedKeys(before: State, after: State): string[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => before.get(key) !== after.get(key)).sort();
}
