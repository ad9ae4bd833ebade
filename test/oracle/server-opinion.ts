/**
 * What a real server says of a statement, three ways: whether it takes it, what its plan and its own dependencies refer to, and whether a role that holds
 * exactly the privileges that we demand may run it.
 */
import type { Client } from 'pg';
import type { Access } from '../../packages/gateway/src/policy/access.ts';
import type { Generated } from './statements.ts';
import { ORACLE_SCHEMAS } from './schema.ts';

/** Relation (`schema.name`) → columns; routines are `execute schema.name` and have none. */
export type References = ReadonlyMap<string, ReadonlySet<string>>;

export interface ServerOpinion {
  /** SQLSTATE and message of a statement that it does not take; then nothing else is known. */
  readonly rejected?: { readonly code: string; readonly message: string };
  /** `schema.name` of all relations in the plan. */
  readonly planned: readonly string[];
  /** Undefined: the statement cannot be the body of a function. */
  readonly depends?: References;
  /** Of the role that holds what is demanded and nothing else. */
  readonly asRole?: { readonly code: string; readonly message: string };
}

const DEPENDENCIES = `
  select case when d.refclassid = 'pg_class'::regclass then n.nspname || '.' || c.relname
    else 'execute ' || coalesce(pn.nspname, orn.nspname) || '.' || coalesce(p.proname, o.proname) end as name, a.attname as column
  from pg_depend d
  left join pg_class c on d.refclassid = 'pg_class'::regclass and c.oid = d.refobjid
  left join pg_namespace n on n.oid = c.relnamespace
  left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid and a.attnum > 0
  left join pg_proc p on d.refclassid = 'pg_proc'::regclass and p.oid = d.refobjid
  left join pg_namespace pn on pn.oid = p.pronamespace
  left join pg_operator r on d.refclassid = 'pg_operator'::regclass and r.oid = d.refobjid
  left join pg_proc o on o.oid = r.oprcode
  left join pg_namespace orn on orn.oid = o.pronamespace
  where d.classid = 'pg_proc'::regclass and d.objid = 'public.oracle'::regproc and d.refobjid >= 16384 and c.relkind is distinct from 'c'
    and d.refclassid in ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass)`;

/** Everything is rolled back. */
export async function askServer(
  client: Client,
  { sql, path }: Generated,
  demands: readonly Access[] | undefined,
): Promise<ServerOpinion> {
  const begin = `begin; set local search_path = ${path.length === 0 ? "''" : path.map(name).join(', ')}`;
  try {
    const plan = await client.query<{ 'QUERY PLAN': unknown }>({
      text: `${begin}; explain (verbose, costs off, format json) ${sql}`,
    });
    const planned = new Set<string>();
    // One result for each statement of the text.
    const results: unknown = plan;
    const last = Array.isArray(results) ? (results.at(-1) as typeof plan) : plan;
    collectRelations(last.rows[0]?.['QUERY PLAN'], planned);
    const depends = await dependencies(client, sql);
    const asRole = demands === undefined ? undefined : await runAsRole(client, sql, demands);
    return {
      planned: [...planned],
      ...(depends === undefined ? {} : { depends }),
      ...(asRole === undefined ? {} : { asRole }),
    };
  } catch (error) {
    return { rejected: errorOf(error), planned: [] };
  } finally {
    await client.query('rollback');
  }
}

export function name(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function errorOf(error: unknown): { readonly code: string; readonly message: string } {
  const { code, message } = error as { code?: string; message: string };
  // Not an answer of the server: the connection is gone, or the oracle itself is wrong.
  if (code === undefined || !/^[0-9A-Z]{5}$/u.test(code)) throw error;
  return { code, message };
}

function collectRelations(plan: unknown, into: Set<string>): void {
  if (Array.isArray(plan)) {
    for (const each of plan) collectRelations(each, into);
    return;
  }
  if (typeof plan !== 'object' || plan === null) return;
  const node = plan as Record<string, unknown>;
  const { Schema: schema } = node;
  const relation = node['Relation Name'];
  if (typeof relation === 'string') into.add(`${typeof schema === 'string' ? schema : '?'}.${relation}`);
  for (const each of Object.values(node)) collectRelations(each, into);
}

async function dependencies(client: Client, sql: string): Promise<References | undefined> {
  await client.query('savepoint depends');
  try {
    await client.query(`create function public.oracle() returns void begin atomic ${sql}; end`);
    const { rows } = await client.query<{ name: string; column: string | null }>(DEPENDENCIES);
    const all = new Map<string, Set<string>>();
    for (const { name: of, column } of rows) {
      const columns = all.get(of) ?? new Set();
      all.set(of, column === null ? columns : columns.add(column));
    }
    return all;
  } catch (error) {
    errorOf(error);
    return undefined;
  } finally {
    await client.query('rollback to depends');
  }
}

async function runAsRole(
  client: Client,
  sql: string,
  demands: readonly Access[],
): Promise<{ readonly code: string; readonly message: string } | undefined> {
  const grants = demands.flatMap((access) => grantOf(access));
  if (grants.length > 0) await client.query(grants.join('; '));
  try {
    await client.query(`set local role oracle_reader; explain (costs off) ${sql}`);
    return undefined;
  } catch (error) {
    return errorOf(error);
  }
}

/** The privilege that a demand stands for. */
function grantOf(access: Access): readonly string[] {
  if (access.kind === 'relation') {
    const { columns, schema, verb } = access;
    // Everybody may read the catalog.
    if (verb === 'select' && !(ORACLE_SCHEMAS as readonly string[]).includes(schema)) return [];
    const on = `${name(schema)}.${name(access.name)}`;
    const isByColumn = verb === 'select' || verb === 'insert' || verb === 'update';
    if (columns === '*' || columns.length === 0 || !isByColumn)
      return [`grant ${verb} on ${on} to oracle_reader`];
    // System columns have no privileges of their own worth telling apart here.
    return [`grant ${verb} (${columns.map(name).join(', ')}) on ${on} to oracle_reader`];
  }
  if (access.kind !== 'routine' || !(ORACLE_SCHEMAS as readonly string[]).includes(access.schema)) return [];
  // Every overload: demands name none.
  return [
    `do $$ declare r regprocedure; begin for r in select oid from pg_proc where pronamespace = ${literal(access.schema)}::regnamespace and proname = ${literal(access.name)} loop execute 'grant execute on function ' || r || ' to oracle_reader'; end loop; end $$`,
  ];
}

function literal(text: string): string {
  return `'${/^[a-z_]+$/u.test(text) ? text : name(text).replaceAll("'", "''")}'`;
}
