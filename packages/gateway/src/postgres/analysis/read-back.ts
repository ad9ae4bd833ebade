import type { NamesReading } from './session-names.ts';

/**
 * The gateway's own statements that tell what names mean in a session. Everything in them is qualified, operators too: the client chose the search_path that
 * they run under.
 */

/** Takes no snapshot, so a transaction of the client is as it was. */
export const ASK_PATH = 'SHOW search_path';

/** One row with one column, JSON: `NamesReading` and what else is asked. @param more pairs for `json_build_object`. */
export function askNamesWith(more: string): string {
  return (
    'SELECT pg_catalog.json_build_object(' +
    "'path', pg_catalog.current_setting('search_path'), " +
    "'user', CURRENT_USER, " +
    `'schemas', ARRAY(SELECT n.nspname FROM pg_catalog.pg_namespace n ${PERMANENT}), ` +
    "'usable', ARRAY(SELECT n.nspname FROM pg_catalog.pg_namespace n " +
    `${PERMANENT} AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')), ` +
    "'temporary', ARRAY(SELECT c.relname FROM pg_catalog.pg_class c " +
    'WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema() ' +
    'UNION ALL SELECT t.typname FROM pg_catalog.pg_type t ' +
    `WHERE t.typnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()), ${more})`
  );
}

/** Temporary schemas of other sessions come and go, and no snapshot of the catalog has them. */
const PERMANENT = "WHERE n.nspname OPERATOR(pg_catalog.!~) '^pg_(temp|toast)'";

/** Sent only where no transaction is open, or where one has run code that took its snapshot already. */
export const ASK_NAMES = askNamesWith("'asked', 1");

/** Undefined: not what the statement gives. */
export function parseNames(json: string): NamesReading | undefined {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { path, user, schemas, usable, temporary } = value as Readonly<Record<string, unknown>>;
  if (typeof path !== 'string' || typeof user !== 'string') return undefined;
  if (!areNames(schemas) || !areNames(usable) || !areNames(temporary)) return undefined;
  return { path, user, schemas, usable, temporary };
}

function areNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}
