/** The lists of the lineage against real servers: every name exists, every operator and cast too, and what is said to be total does not fail on odd values. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client } from 'pg';
import {
  FREE,
  PLACES,
  POOLING,
  SINKS,
  TOTAL,
} from '../../packages/gateway/src/postgres/lineage/routines/built-ins.ts';
import { LISTED, showsValues } from '../../packages/gateway/src/postgres/lineage/routines/routines.ts';
import { TOTAL_CASTS } from '../../packages/gateway/src/postgres/lineage/routines/casts.ts';
import { POSTGRES_MAJORS, binariesOf, startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';

const servers: PostgresServer[] = [];
after(async () => {
  await Promise.all(servers.map((server) => server.stop()));
});

const seen = new Set<string>();
const relations = new Map<string, Set<string>>();
const majors = POSTGRES_MAJORS.filter((major) => major === 18 || binariesOf(major) !== undefined);

/** Values that stand at the ends of what a type has. */
const ODD: Readonly<Record<string, readonly string[]>> = {
  text: [`''`, `'x'`, `'123-45-6789'`, `repeat('é', 500)`, `E'\\u0001\\U0001F600'`, `'%s ''x'' %%'`, 'NULL'],
  numeric: ['0', '-1', `'NaN'`, '1e100', '-1e-100', '99999999999999999999999999', 'NULL'],
  float8: ['0', `'NaN'`, `'Infinity'`, `'-Infinity'`, '1e308', '-1e-308', 'NULL'],
  int4: ['0', '-2147483648', '2147483647', 'NULL'],
  int8: ['0', '-9223372036854775808', '9223372036854775807', 'NULL'],
  date: [`'0001-01-01 BC'`, `'1970-02-28'`, `'294276-12-31'`, 'NULL'],
  timestamptz: [`'0001-01-01 BC'`, `'2024-02-29 12:00'`, `'200000-12-31'`, 'NULL'],
  jsonb: [`'{}'`, `'[1, {"a": null}]'`, `'"x"'`, `'null'`, `'1e400'`, 'NULL'],
  json: [`'{}'`, `'[1, {"a": null}]'`, `'"x"'`, 'NULL'],
  bytea: [`''`, `'\\x00ff'`, 'NULL'],
  inet: [`'10.0.0.1/8'`, `'::1'`, 'NULL'],
};

/** How a routine of the list is called with a regulated value `v`, by the type of that. */
const CALLS: readonly (readonly [type: string, calls: readonly string[]])[] = [
  [
    'text',
    [
      'lower(v) ; upper(v) ; btrim(v) ; ltrim(v) ; rtrim(v) ; initcap(v) ; reverse(v) ; md5(v)',
      `quote_literal(v) ; quote_nullable(v) ; quote_ident(v) ; length(v) ; octet_length(v) ; bit_length(v) ; ascii(v) ; char_length(v)`,
      `left(v, -2) ; right(v, 2) ; left(v, 2147483647) ; lpad(v, 3) ; rpad(v, 10, 'ab') ; split_part(v, '-', 2) ; split_part(v, '', 1) ; overlay(v placing 'x' from 2) ; translate(v, 'abc', '1')`,
      `substr(v, -5, 7) ; substring(v, 2, 3) ; substring(v from 2) ; replace(v, 'x', 'yy') ; concat(v, 1, null) ; concat_ws(v, 'a', v) ; format('%s %L %10s', v, v, v)`,
      `strpos(v, 'x') ; position(v in 'x') ; pg_column_size(v) ; hashtext(v) ; hashtextextended(v, 5) ; convert_to(v, 'UTF8') ; encode(convert_to(v, 'UTF8'), 'hex')`,
      `v || v ; v || 'x' ; 'x' || v || 5 ; v::varchar(2) ; v::name ; v::"char" ; v::char(3) ; coalesce(v, '')`,
      `to_json(v) ; to_jsonb(v) ; json_build_object('a', v) ; jsonb_build_array(v, v) ; row_to_json(t) ; to_jsonb(t) ; array_to_json(array[v]) ; array_append(array['x'], v) ; array_prepend(v, array['x'])`,
      `min(v) over () ; max(v) over () ; first_value(v) over (order by n) ; lag(v) over (order by n) ; string_agg(v, v) over () ; array_agg(v) over () ; json_agg(v) over () ; jsonb_agg(v) over ()`,
    ],
  ],
  [
    'numeric',
    [
      `abs(v) ; round(v) ; round(v, 2) ; trunc(v, -3) ; ceil(v) ; floor(v) ; sign(v) ; v + 1 ; v - v ; v * 1.5 ; v / 3 ; v % 7 ; -v ; v::text ; to_char(v, '999D99')`,
      `sum(v) over () ; avg(v) over () ; stddev(v) over () ; var_pop(v) over () ; min(v) over ()`,
    ],
  ],
  [
    'float8',
    [
      `abs(v) ; round(v) ; ceil(v) ; floor(v) ; sign(v) ; -v ; v::text ; v::numeric ; to_char(v, '999D99') ; v + 5::float8`,
    ],
  ],
  [
    'int4',
    [
      `v::int8 ; v::numeric ; v::float8 ; v::text ; v::bool ; v & 7 ; v | 1 ; v # 3 ; ~v ; v << 3 ; v >> 3 ; to_hex(v) ; hashint4(v)`,
      `sum(v) over () ; avg(v) over () ; bit_and(v) over () ; stddev(v) over ()`,
    ],
  ],
  ['int8', [`v::numeric ; v::float8 ; v::text ; v & 7 ; ~v ; to_hex(v)`, `sum(v) over () ; avg(v) over ()`]],
  [
    'date',
    [
      `date_trunc('year', v) ; extract(year from v) ; extract(epoch from v) ; date_part('dow', v) ; to_char(v, 'YYYY-MM') ; v::text ; v::timestamp ; age(v) ; isfinite(v)`,
    ],
  ],
  [
    'timestamptz',
    [
      `date_trunc('month', v) ; extract(epoch from v) ; to_char(v, 'YYYY') ; v at time zone 'utc' ; v::date ; v::timestamp ; v::text ; age(v)`,
    ],
  ],
  [
    'jsonb',
    [
      `v -> 'a' ; v ->> 'a' ; v #> '{a,b}' ; v #>> '{0}' ; v -> 0 ; jsonb_typeof(v) ; jsonb_pretty(v) ; jsonb_strip_nulls(v) ; jsonb_extract_path_text(v, 'a') ; v::text ; v::json`,
    ],
  ],
  ['json', [`v -> 'a' ; v ->> 0 ; v #>> '{a}' ; json_typeof(v) ; json_strip_nulls(v) ; v::text ; v::jsonb`]],
  [
    'bytea',
    [`length(v) ; md5(v) ; sha256(v) ; encode(v, 'base64') ; encode(v, 'escape') ; v || v ; v::text`],
  ],
  [
    'inet',
    [
      `host(v) ; masklen(v) ; family(v) ; network(v) ; broadcast(v) ; abbrev(v) ; netmask(v) ; v::text ; v::cidr`,
    ],
  ],
];

for (const major of majors) {
  test(`PostgreSQL ${major}: what is total has a result for every value, names are as listed`, async () => {
    const server = await startTestPostgres({ major });
    servers.push(server);
    const client = new Client({ connectionString: server.url() });
    await client.connect();
    try {
      const routines = await client.query<{ name: string }>(
        `SELECT DISTINCT proname AS name FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace`,
      );
      for (const { name } of routines.rows) seen.add(name);
      const columns = await client.query<{ relation: string; name: string }>(
        `SELECT c.relname AS relation, a.attname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
         WHERE c.relnamespace = 'pg_catalog'::regnamespace AND a.attnum > 0`,
      );
      for (const { relation, name } of columns.rows)
        relations.set(relation, (relations.get(relation) ?? new Set()).add(name));
      const casts = await client.query<{ known: string }>(
        `SELECT castsource || ' ' || casttarget AS known FROM pg_cast`,
      );
      const known = new Set(casts.rows.map((row) => row.known));
      for (const [from, targets] of TOTAL_CASTS)
        for (const to of targets) assert.ok(known.has(`${from} ${to}`), `no cast from ${from} to ${to}`);
      const failures: string[] = [];
      for (const [type, calls] of CALLS) {
        const rows = ODD[type]!.map((value, at) => `(${at}, (${value})::${type})`).join();
        for (const call of calls.flatMap((each) => each.split(' ;'))) {
          // Before 14 infinity has no numeric: the one value at which this ends.
          if (major === 13 && type === 'float8' && call.trim() === 'v::numeric') continue;
          const failed = await client
            .query(`SELECT ${call} FROM (VALUES ${rows}) AS t (n, v)`)
            .catch((error: unknown) => `${type}: ${call}: ${String(error)}`);
          if (typeof failed === 'string') failures.push(failed);
        }
      }
      assert.deepEqual(failures, []);
    } finally {
      await client.end();
    }
  });
}

test('every name on a list is one that a server has, and every column of a system relation', () => {
  // Those of versions that are not installed here cannot be told.
  const isWhole = majors.length === POSTGRES_MAJORS.length;
  const listed = [...TOTAL.keys(), ...FREE, ...PLACES, ...POOLING, ...SINKS.keys()];
  const optional = new Set(['pg_file_write', 'pg_file_rename', 'pg_file_unlink', 'grouping']);
  const missing = listed.filter((name) => !seen.has(name) && !optional.has(name));
  if (isWhole) assert.deepEqual(missing, []);
  for (const [relation, shown] of LISTED) {
    const columns = relations.get(relation);
    if (columns === undefined) continue;
    // What pg_stats has, its kin may come to have.
    const isKin = (name: string): boolean => relation.startsWith('pg_stats_ext') && name.startsWith('range_');
    for (const name of shown)
      assert.ok(name === '' || columns.has(name) || isKin(name), `${relation}.${name}`);
  }
});

test('what no list has shows values', () => {
  assert.equal(showsValues('pg_catalog', 'pg_of_tomorrow', 'x'), true);
  assert.equal(showsValues('pg_catalog', 'pg_stat_of_tomorrow', 'x'), true);
  assert.equal(showsValues('pg_toast', 'pg_toast_1', 'chunk_data'), true);
  assert.equal(showsValues('pg_catalog', 'pg_class', 'relname'), false);
  assert.equal(showsValues('pg_catalog', 'pg_stats', 'histogram_bounds'), true);
  assert.equal(showsValues('pg_catalog', 'pg_stats', 'null_frac'), false);
  assert.equal(showsValues('pg_catalog', 'pg_stats', undefined), true);
  assert.equal(showsValues('public', 'pg_stat_statements', 'query'), true);
  assert.equal(showsValues('public', 'pg_stat_statements', 'calls'), false);
  assert.equal(showsValues('public', 'pg_class', 'relname'), false);
  assert.equal(showsValues('information_schema', 'columns', 'column_name'), false);
  assert.equal(showsValues('information_schema', 'user_mapping_options', 'option_value'), true);
});
