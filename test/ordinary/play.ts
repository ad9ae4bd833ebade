/** Plays a series over real connections and tells what came back, as text. */
import { Client } from 'pg';
import type { ClientConfig, QueryArrayResult } from 'pg';
import type { OrdinaryStatement, Series } from './corpus.ts';

export interface Answer {
  /** One for each result: tag, types and names of columns, rows. */
  readonly results: readonly Result[];
  readonly error?: { readonly code: string; readonly message: string; readonly detail?: string };
}

export interface Result {
  readonly tag: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

export type Resolve = (sql: string) => string;

/** @returns by id. */
export async function play(
  connection: ClientConfig,
  { options, statements }: Series,
  resolve: Resolve,
): Promise<ReadonlyMap<string, Answer>> {
  const answers = new Map<string, Answer>();
  const sessions = new Set(statements.map(({ session = 1 }) => session));
  for (const session of sessions) {
    const client = new Client({ ...connection, ...(options === undefined ? {} : { options }) });
    // A session that is ended from the other side is told by the statement that sees it.
    client.on('error', () => {});
    await client.connect();
    try {
      for (const statement of statements) {
        if ((statement.session ?? 1) !== session) continue;
        answers.set(statement.id, await send(client, statement, resolve));
      }
    } finally {
      await client.end();
    }
  }
  return answers;
}

async function send(
  client: Client,
  { params, protocol, sql }: OrdinaryStatement,
  resolve: Resolve,
): Promise<Answer> {
  const text = resolve(sql);
  const values = (params ?? []).map((value) => (value === null ? null : resolve(value)));
  try {
    const answer: unknown = await client.query({
      text,
      rowMode: 'array',
      types: { getTypeParser: () => String },
      ...(protocol === 'extended' ? { values: [...values], queryMode: 'extended' } : {}),
    });
    const results = (Array.isArray(answer) ? answer : [answer]) as readonly QueryArrayResult<
      (string | null)[]
    >[];
    return {
      results: results.map(({ command, fields, rowCount, rows }) => ({
        tag: `${command} ${rowCount ?? ''}`,
        columns: fields.map(({ dataTypeID, name }) => `${name}:${dataTypeID}`),
        rows,
      })),
    };
  } catch (error) {
    const { code, detail, message } = error as { code?: string; detail?: string; message: string };
    if (code === undefined) throw error;
    return { results: [], error: { code, message, ...(detail === undefined ? {} : { detail }) } };
  }
}

/** Undefined column, function, table and object. */
const MISSING = new Set(['42703', '42883', '42P01', '42704']);

const OID_TYPES = new Set(['26', '28', '27', '2205']);

/** @returns what is different, or undefined. */
export function difference(direct: Answer, gateway: Answer): string | undefined {
  if (direct.error !== undefined || gateway.error !== undefined) {
    if (direct.error?.code === gateway.error?.code) return undefined;
    // What is not there is refused in the words in which it would be refused if it were there (docs/refusals.md).
    if (MISSING.has(direct.error?.code ?? '') && gateway.error?.code === '42501') return undefined;
    return `direct ${describe(direct)}, through the gateway ${describe(gateway)}`;
  }
  if (direct.results.length !== gateway.results.length) return 'another number of results';
  for (const [index, result] of direct.results.entries()) {
    const other = gateway.results[index];
    if (other === undefined || other.tag !== result.tag)
      return `tag ${result.tag} became ${other?.tag ?? 'none'}`;
    if (other.columns.join() !== result.columns.join())
      return `columns ${result.columns.join()} became ${other.columns.join()}`;
    const rows = differentRows(result, other);
    if (rows !== undefined) return rows;
  }
  return undefined;
}

function describe({ error }: Answer): string {
  return error === undefined
    ? 'it works'
    : `${error.code} ${error.message}${error.detail === undefined ? '' : ` (${error.detail})`}`;
}

function differentRows({ columns, rows }: Result, other: Result): string | undefined {
  for (const [at, row] of rows.entries()) {
    for (const [column, value] of row.entries()) {
      const theirs = other.rows[at]?.[column] ?? null;
      if (value === theirs || isPassing(columns[column] ?? '', value, theirs)) continue;
      return `row ${at}, ${columns[column] ?? ''}: ${value ?? 'null'} became ${theirs ?? 'null'}`;
    }
  }
  return undefined;
}

/** OIDs of new objects, and times of the run. */
function isPassing(column: string, value: string | null, other: string | null): boolean {
  if (value === null || other === null) return false;
  const [name = '', type = ''] = column.split(':');
  if (OID_TYPES.has(type) || /oid$|^relid$/u.test(name))
    return Number(value) >= 16_384 && Number(other) >= 16_384;
  const [a, b] = [Date.parse(value), Date.parse(other)];
  return /^\d{4}-\d\d-\d\d /u.test(value) && Math.abs(a - b) < 600_000;
}
