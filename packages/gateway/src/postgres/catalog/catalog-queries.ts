/**
 * The questions that fill a catalog snapshot. The session has `search_path = pg_catalog, pg_temp`, so that no name in
 * here can mean anybody else's object, and so that the server writes every name of its own definitions with the schema.
 * Every query has an order: the digest of the answer is the epoch.
 *
 * PostgreSQL 13 and later.
 */

/** Schemas of sessions and of out-of-line storage: nobody names them. A schema of that name can be made by nobody else. */
const OWN_SCHEMA = `'^pg_(toast|temp_|toast_temp_)'`;

/** Longest wait for a lock (somebody holds one on a view while he changes it), and for one statement. */
const LOCK_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 60_000;

/** What is asked, by name, in the order of the answers. */
export type CatalogQuery =
  | 'version'
  | 'probe'
  | 'schemas'
  | 'relations'
  | 'columns'
  | 'rules'
  | 'triggers'
  | 'expressions'
  | 'inheritance'
  | 'foreignKeys'
  | 'uniqueColumns'
  | 'routines'
  | 'types'
  | 'typeExpressions'
  | 'operators'
  | 'casts'
  | 'eventTriggers'
  | 'extensions'
  | 'classes';

/** Nothing that the login or its role has set may change what is read or how it is written. */
const SETTINGS = [
  'SET search_path = pg_catalog, pg_temp',
  `SET lock_timeout = ${LOCK_TIMEOUT_MS}`,
  `SET statement_timeout = ${STATEMENT_TIMEOUT_MS}`,
  'SET quote_all_identifiers = off',
  "SET DateStyle = 'ISO, YMD'",
  "SET IntervalStyle = 'postgres'",
  "SET TimeZone = 'UTC'",
  'SET extra_float_digits = 1',
  "SET bytea_output = 'hex'",
  'SET row_security = on',
  'SET jit = off',
];

/** The privileges are not kept, but move the epoch: a schema that a login may not use is passed over in its search_path. */
const SCHEMAS = `
SELECT nspname, pg_get_userbyid(nspowner), nspacl::text
FROM pg_namespace WHERE nspname !~ ${OWN_SCHEMA} ORDER BY nspname COLLATE "C"`;

const RELATIONS = `
SELECT c.oid, n.nspname, c.relname, c.relkind, pg_get_userbyid(c.relowner), c.relrowsecurity,
  CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
  CASE WHEN c.relkind = 'v' THEN
    (SELECT option_value FROM pg_options_to_table(c.reloptions) WHERE option_name = 'security_invoker') END::bool,
  i.indrelid
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
WHERE n.nspname !~ ${OWN_SCHEMA} AND c.relpersistence <> 't' ORDER BY c.oid`;

/** Indexes and TOAST tables have columns that nobody can name. */
const COLUMNS = `
SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.attnotnull, a.attgenerated, pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind NOT IN ('i', 'I', 't')
  AND n.nspname !~ ${OWN_SCHEMA} AND c.relpersistence <> 't'
ORDER BY a.attrelid, a.attnum`;

/** Rules of views on SELECT are the view itself. A rule that is switched off does nothing. */
const RULES = `
SELECT ev_class, rulename, ev_type, is_instead, pg_get_ruledef(oid)
FROM pg_rewrite WHERE ev_type <> '1' AND ev_enabled <> 'D' ORDER BY oid`;

/** Tables of other sessions have rows here too; they find no relation and are left out. */
const TRIGGERS = `
SELECT tgrelid, tgname, tgtype, tgfoid, tgenabled, tgisinternal,
  CASE WHEN tgqual IS NOT NULL THEN pg_get_triggerdef(oid) END
FROM pg_trigger ORDER BY oid`;

/**
 * What compares, hashes or takes apart values for operator classes, in a language that says nothing of what it does: DISTINCT, ORDER BY and indexes run
 * it unasked. Functions in C are left out: those of an own type are of the same hands as its input and output.
 */
const CLASS_ROUTINES = `
SELECT f.family, f.type, p.oid, n.nspname, p.proname, p.pronargs FROM (
  SELECT amprocfamily, amproclefttype, amproc::oid FROM pg_amproc
  UNION
  SELECT amopfamily, amoplefttype, oprcode::oid FROM pg_amop JOIN pg_operator o ON o.oid = amopopr
) AS f(family, type, routine)
JOIN pg_proc p ON p.oid = f.routine JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang WHERE p.oid >= 16384 AND l.lanname NOT IN ('c', 'internal')`;

/** Virtual columns (18 and later) are computed when they are read. */
const expressions = (major: number): string => `
SELECT relid, moment, expression FROM (
  SELECT polrelid, CASE polcmd WHEN 'r' THEN 'read' WHEN '*' THEN 'both' ELSE 'write' END, pg_get_expr(polqual, polrelid) FROM pg_policy
  UNION ALL
  SELECT polrelid, 'write', pg_get_expr(polwithcheck, polrelid) FROM pg_policy
  UNION ALL
  SELECT conrelid, 'write', pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0
  UNION ALL
  SELECT indrelid, 'write', pg_get_expr(indexprs, indrelid) FROM pg_index WHERE indexprs IS NOT NULL
  UNION ALL
  SELECT indrelid, 'write', pg_get_expr(indpred, indrelid) FROM pg_index WHERE indpred IS NOT NULL
  UNION ALL
  SELECT DISTINCT indrelid, 'write', format('%I.%I(%s)', r.nspname, r.proname, array_to_string(array_fill('NULL'::text, ARRAY[r.pronargs::int]), ', '))
  FROM (SELECT indrelid, unnest(indclass::oid[]) FROM pg_index) AS i(indrelid, class) JOIN pg_opclass c ON c.oid = i.class
  JOIN (${CLASS_ROUTINES}) AS r(family, type, oid, nspname, proname, pronargs) ON r.family = c.opcfamily
  UNION ALL
  SELECT partrelid, 'write', pg_get_expr(partexprs, partrelid) FROM pg_partitioned_table WHERE partexprs IS NOT NULL${
    major < 18
      ? ''
      : `
  UNION ALL
  SELECT adrelid, 'both', pg_get_expr(adbin, adrelid) FROM pg_attrdef
  JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum AND attgenerated = 'v'`
  }
) AS found(relid, moment, expression) WHERE expression IS NOT NULL
ORDER BY relid, moment COLLATE "C", expression COLLATE "C"`;

const INHERITANCE = 'SELECT inhparent, inhrelid FROM pg_inherits ORDER BY inhparent, inhrelid';

const FOREIGN_KEYS = `
SELECT confrelid, conrelid, confdeltype, confupdtype, ${columnNames('conrelid', 'conkey')}, ${columnNames('confrelid', 'confkey')}
FROM pg_constraint WHERE contype = 'f' ORDER BY oid`;

/** Names of the columns with these numbers, in their order. */
function columnNames(relation: string, numbers: string): string {
  return `array_to_json(ARRAY(SELECT a.attname::text FROM unnest(${numbers}) WITH ORDINALITY AS k(number, place)
  JOIN pg_attribute a ON a.attrelid = ${relation} AND a.attnum = k.number ORDER BY k.place))`;
}

/** Those of an expression, or of the condition of a partial index, are in pg_depend. The last: whether it is of a primary key (with what that INCLUDEs). */
const UNIQUE_COLUMNS = `
SELECT i.indrelid, a.attnum, a.attname, bool_or(i.indisprimary AND i.indimmediate AND i.indisvalid) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum > 0
JOIN pg_class c ON c.oid = i.indrelid AND c.relpersistence <> 't'
WHERE i.indrelid >= 16384 AND (i.indisunique OR i.indisexclusion) AND (a.attnum = ANY (i.indkey::int2[]) OR EXISTS (
  SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum))
GROUP BY i.indrelid, a.attnum, a.attname ORDER BY i.indrelid, a.attnum`;

const routines = (major: number): string => `
SELECT p.oid, n.nspname, p.proname, p.prokind, p.proargtypes, array_to_json(p.proargnames), array_to_json(p.proargmodes),
  p.pronargdefaults, p.provariadic <> 0, p.proretset, p.prorettype, l.lanname, p.provolatile, p.prosecdef,
  array_to_json(p.proconfig),
  CASE WHEN l.lanname = 'sql' THEN ${major < 14 ? 'p.prosrc' : 'coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)'}
    WHEN l.lanname IN ('internal', 'c') THEN p.prosrc END,
  e.extname
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
LEFT JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.objsubid = 0
  AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
LEFT JOIN pg_extension e ON e.oid = d.refobjid
WHERE n.nspname !~ ${OWN_SCHEMA} ORDER BY p.oid`;

/** A routine below this OID was made by initdb ("System Catalog Initial Data", OID assignment: FirstNormalObjectId). */
export const FIRST_OWN_OID = 16_384;

const types = (major: number): string => `
SELECT t.oid, n.nspname, t.typname, t.typtype, t.typelem, t.typlen, coalesce(g.rngsubtype, ${major < 14 ? '' : 'm.rngtypid, '}t.typbasetype), t.typrelid,
  array_to_json(ARRAY(
    SELECT r FROM unnest(ARRAY[t.typinput::oid, t.typoutput::oid, t.typreceive::oid, t.typsend::oid, t.typmodin::oid,
      t.typmodout::oid, t.typanalyze::oid${major < 14 ? '' : ', t.typsubscript::oid'}, g.rngcanonical::oid, g.rngsubdiff::oid]
      || coalesce(k.routines, ARRAY[]::oid[])) AS r
    WHERE r >= ${FIRST_OWN_OID} ORDER BY r))
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_range g ON g.rngtypid = t.oid${
  major < 14 ? '' : ' LEFT JOIN pg_range m ON m.rngmultitypid = t.oid'
}
LEFT JOIN (SELECT type, array_agg(DISTINCT oid) FROM (${CLASS_ROUTINES}) AS c(family, type, oid) GROUP BY type) AS k(type, routines)
  ON k.type = t.oid
WHERE n.nspname !~ ${OWN_SCHEMA} ORDER BY t.oid`;

const TYPE_EXPRESSIONS = `
SELECT typid, expression FROM (
  SELECT contypid, pg_get_expr(conbin, 0) FROM pg_constraint WHERE contype = 'c' AND contypid <> 0
  UNION ALL
  SELECT oid, pg_get_expr(typdefaultbin, 0) FROM pg_type WHERE typdefaultbin IS NOT NULL
) AS found(typid, expression) WHERE expression IS NOT NULL ORDER BY typid, expression COLLATE "C"`;

const OPERATORS = `
SELECT n.nspname, o.oprname, o.oprleft, o.oprright, o.oprcode::oid
FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE n.nspname !~ ${OWN_SCHEMA} ORDER BY o.oid`;

const CASTS = 'SELECT castsource, casttarget, castfunc, castcontext FROM pg_cast ORDER BY oid';

const EVENT_TRIGGERS =
  'SELECT evtname, evtevent, evtfoid, evtenabled FROM pg_event_trigger ORDER BY evtname COLLATE "C"';

const EXTENSIONS = 'SELECT extname FROM pg_extension ORDER BY extname COLLATE "C"';

/** What is written to the gateway, in whatever case, so that a slip of the pen is seen and not passed over. */
const TO_US = 'countersign[[:space:]]*:';

/** Of comments and labels of columns only what is written to the gateway: the rest is nobody's business here. */
const words = (text: string): string =>
  `array_to_json(ARRAY(SELECT m[1] FROM regexp_matches(${text}, '(${TO_US}[^[:space:]]{0,100})', 'gi') AS m))::text COLLATE "C"`;

const classes = (catalog: string, from: string, text: string): string => `
SELECT d.objoid, d.objsubid, '${from}', ${words(text)}
FROM ${catalog} d JOIN pg_class c ON c.oid = d.objoid
WHERE d.classoid = 'pg_class'::regclass AND d.objsubid > 0 AND ${text} ~* '${TO_US}' AND c.relpersistence <> 't'`;

const CLASSES = `${classes('pg_description', 'comment', 'd.description')}
UNION ALL${classes('pg_seclabel', 'label', 'd.label')}
ORDER BY 1, 2, 3, 4`;

const VERSION = "SELECT current_setting('server_version_num'), current_database()";

/** One moment for all that is asked. */
const BEGIN = 'BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY';

/**
 * One text for the whole snapshot, and which of its statements answers what.
 *
 * @param major of the server: 13 to 18.
 */
export function catalogText(major: number): {
  readonly text: string;
  readonly queries: ReadonlyMap<number, CatalogQuery>;
} {
  const asked: readonly (readonly [CatalogQuery, string])[] = [
    ['version', VERSION],
    ['probe', execute('')],
    ['schemas', SCHEMAS],
    ['relations', RELATIONS],
    ['columns', COLUMNS],
    ['rules', RULES],
    ['triggers', TRIGGERS],
    ['expressions', expressions(major)],
    ['inheritance', INHERITANCE],
    ['foreignKeys', FOREIGN_KEYS],
    ['uniqueColumns', UNIQUE_COLUMNS],
    ['routines', routines(major)],
    ['types', types(major)],
    ['typeExpressions', TYPE_EXPRESSIONS],
    ['operators', OPERATORS],
    ['casts', CASTS],
    ['eventTriggers', EVENT_TRIGGERS],
    ['extensions', EXTENSIONS],
    ['classes', CLASSES],
  ];
  return {
    text: [BEGIN, ...asked.map(([, query]) => query), 'COMMIT'].join(';\n'),
    queries: new Map(asked.map(([name], index) => [1 + index, name])),
  };
}

/** Rows of other sessions' temporary objects come and go; they are not in the snapshot. */
const TEMPORARY = "(SELECT oid FROM pg_class WHERE relpersistence = 't')";
const TEMPORARY_SCHEMA = `(SELECT oid FROM pg_namespace WHERE nspname ~ ${OWN_SCHEMA})`;

/** Rows that come to be, change, or no longer are of the kind: each moves count or sum. */
const toUs = (text: string): string =>
  `classoid = 'pg_class'::regclass AND objsubid > 0 AND ${text} ~* '${TO_US}' AND objoid NOT IN ${TEMPORARY}`;

/** Every catalog that the snapshot is made of; pg_depend (which extension a routine is of) changes only with those. */
const WATCHED: readonly (readonly [catalog: string, condition?: string])[] = [
  ['pg_namespace', `oid NOT IN ${TEMPORARY_SCHEMA}`],
  ['pg_class', "relpersistence <> 't'"],
  // System columns never change by themselves.
  ['pg_attribute', `attnum > 0 AND attrelid NOT IN ${TEMPORARY}`],
  ['pg_attrdef', `adrelid NOT IN ${TEMPORARY}`],
  ['pg_rewrite', `ev_class NOT IN ${TEMPORARY}`],
  ['pg_trigger', `tgrelid NOT IN ${TEMPORARY}`],
  ['pg_policy'],
  ['pg_constraint', `connamespace NOT IN ${TEMPORARY_SCHEMA}`],
  ['pg_index', `indrelid NOT IN ${TEMPORARY}`],
  ['pg_partitioned_table'],
  ['pg_inherits', `inhrelid NOT IN ${TEMPORARY}`],
  ['pg_proc'],
  ['pg_language'],
  ['pg_type', `typnamespace NOT IN ${TEMPORARY_SCHEMA}`],
  ['pg_range'],
  ['pg_operator'],
  ['pg_opclass'],
  ['pg_amop'],
  ['pg_amproc'],
  ['pg_cast'],
  ['pg_event_trigger'],
  ['pg_extension'],
  ['pg_description', toUs('description')],
  ['pg_seclabel', toUs('label')],
];

/**
 * A fingerprint of which versions of rows the catalogs have: of each catalog the number of rows, the sum of their `xmin`s and the sum
 * of the squares. A new row, a changed one (a new version has the changing transaction's id) and a removed one each show.
 * `age` counts back from the present transaction, and so does that of the first normal id: the difference stays.
 * OFFSET 0 keeps the planner from computing x three times. Ids that never age (what initdb made, frozen rows of old servers) have the largest age, and count 0.
 */
function fingerprint([catalog, condition]: readonly [string, string?]): string {
  const moved = `SELECT CASE WHEN age(xmin) = 2147483647 THEN 0 ELSE age('3'::xid)::int8 - age(xmin) END AS x FROM ${catalog}`;
  const rows = condition === undefined ? moved : `${moved} WHERE ${condition}`;
  return `(SELECT concat_ws('.', count(*), sum(x), sum(x * x)) FROM (${rows} OFFSET 0) AS moved)`;
}

const TRANSACTIONS = 'pg_current_snapshot()::text';
const PROBE = 'countersign_catalog';

/**
 * What a session for reading catalogs begins with. The probe is prepared, because its text would otherwise be put on the record
 * every other second. It answers with the snapshot of transactions and the fingerprint; if the snapshot of transactions is the one
 * that it is given, nothing was committed since, the catalogs are not read, and the second column is null.
 */
export const OPENING_TEXT = [
  ...SETTINGS,
  `PREPARE ${PROBE} (text) AS SELECT ${TRANSACTIONS}, CASE WHEN ${TRANSACTIONS} <> $1 THEN
  concat_ws(' ', ${WATCHED.map(fingerprint).join(',\n  ')}) END`,
].join(';\n');

function execute(unless: string): string {
  return `EXECUTE ${PROBE} ('${unless}')`;
}

/** What tells whether a snapshot still holds. Opaque, but for comparing. */
export interface CatalogProbe {
  /** `pg_current_snapshot()`: digits, colons and commas. */
  readonly transactions: string;
  readonly fingerprint: string;
}

export function parseProbe(transactions: string | null | undefined, print: string): CatalogProbe | undefined {
  return typeof transactions === 'string' && /^[0-9]+:[0-9]+:[0-9,]*$/.test(transactions)
    ? { transactions, fingerprint: print }
    : undefined;
}

/** Asks whether anything was committed to the catalogs since `before`. */
export function probeText(before: CatalogProbe): string {
  return execute(before.transactions);
}
