/** Statements as people and reporting tools write them. */
import type { OrdinaryStatement, Series } from './corpus.ts';

/** Numbered in order: put new ones at the end. A pair is a text and its parameters; those go by the extended protocol. */
export function statementsOf(
  name: string,
  written: readonly (string | readonly [sql: string, ...params: (string | null)[]])[],
): readonly OrdinaryStatement[] {
  return written.map((each, index) => {
    const id = `${name}-${String(index + 1).padStart(3, '0')}`;
    if (typeof each === 'string') return { id, protocol: 'simple', sql: each };
    const [sql, ...params] = each;
    return { id, protocol: 'extended', sql, params };
  });
}

const BANK_REPORTS: readonly (string | readonly [string, ...(string | null)[]])[] = [
  'select c.name, a.iban, a.balance from bank.customers c join bank.accounts a on a.customer_id = c.id order by a.id',
  'select c.name, count(a.*) from bank.customers c left join bank.accounts a on a.customer_id = c.id group by c.name order by 1',
  'select segment, count(*), avg(balance)::numeric(14, 2) from bank.customers c, bank.accounts a where a.customer_id = c.id group by segment having count(*) > 1 order by segment',
  "select date_trunc('month', booked_on)::date as month, sum(amount) filter (where amount > 0) as paid_in, sum(amount) filter (where amount < 0) as paid_out from bank.postings group by 1 order by 1",
  'select account_id, booked_on, amount, sum(amount) over (partition by account_id order by booked_on, id) as running from bank.postings order by account_id, booked_on, id limit 40',
  'select account_id, amount, rank() over w, lag(amount) over w, ntile(4) over w from bank.postings window w as (partition by account_id order by amount desc, id) order by 1, 3, 2 limit 20',
  "select coalesce(segment::text, 'all') as segment, coalesce(status, 'all') as status, count(*), grouping(segment, status) from bank.customers c join bank.accounts a on a.customer_id = c.id group by rollup (segment, status) order by 1, 2",
  'select segment, status, sum(balance) from bank.customers c join bank.accounts a on a.customer_id = c.id group by grouping sets ((segment), (status), ()) order by 1, 2',
  'select segment, status, count(*) from bank.customers c join bank.accounts a on a.customer_id = c.id group by cube (segment, status) order by 1, 2',
  'with spent as (select account_id, sum(amount) as total from bank.postings where amount < 0 group by account_id) select c.name, s.total from spent s join bank.accounts a on a.id = s.account_id join bank.customers c on c.id = a.customer_id order by s.total limit 5',
  "with recursive days(day) as (select date '2026-01-01' union all select day + 1 from days where day < date '2026-01-10') select day, count(p.id) from days left join bank.postings p on p.booked_on = day group by day order by day",
  'select c.name, p.booked_on, p.amount from bank.customers c cross join lateral (select booked_on, amount from bank.postings p join bank.accounts a on a.id = p.account_id where a.customer_id = c.id order by booked_on desc, p.id limit 2) p order by 1, 2',
  "select id, profile ->> 'score' as score, profile -> 'langs' ->> 0 as first, jsonb_array_length(profile -> 'langs') from bank.customers where profile @> '{\"langs\": [\"de\"]}' order by id",
  "select c.id, l.value from bank.customers c, jsonb_array_elements_text(c.profile -> 'langs') l order by 1, 2",
  "select jsonb_agg(jsonb_build_object('id', id, 'name', name) order by id) from bank.customers where segment = 'business'",
  'select json_agg(t order by t.id) from (select id, name from bank.customers where id < 4) t',
  'select row_to_json(a) from bank.accounts a where id = 1',
  "select jt.* from bank.customers c, json_table(c.profile, '$.langs[*]' columns (lang text path '$')) jt where c.id = 1",
  "select id from bank.customers where 't1' = any(tags) order by id",
  'select id, unnest(tags) from bank.customers order by 1, 2 limit 10',
  'select (address).city, count(*) from bank.customers group by 1',
  "select name from bank.customers where name ilike '%r 1%' or email ~ '^c[23]@' order by name",
  'select name from bank.customers where exists (select 1 from bank.accounts a where a.customer_id = customers.id and a.balance > 1500) order by 1',
  'select name from bank.customers where id not in (select customer_id from bank.accounts where status = $$frozen$$) order by 1',
  'select id, (select max(booked_on) from bank.postings p where p.account_id = a.id) as last from bank.accounts a order by id',
  "select id from bank.accounts where (status, customer_id) in (('open', 2), ('frozen', 8)) order by 1",
  "select 'open' as what, count(*) from bank.accounts where status = 'open' union all select 'rest', count(*) from bank.accounts where status <> 'open'",
  'select customer_id from bank.accounts except select customer_id from bank.accounts where balance < 1300 order by 1',
  "select customer_id from bank.accounts where status = 'open' intersect select id from bank.customers where segment = 'business' order by 1",
  'select distinct on (account_id) account_id, booked_on, amount from bank.postings order by account_id, booked_on desc, id desc',
  'select percentile_cont(0.5) within group (order by balance), mode() within group (order by status) from bank.accounts',
  "select string_agg(distinct status, ', ' order by status), bool_and(balance >= 0), array_agg(id order by id) from bank.accounts where customer_id = 3",
  'select width_bucket(balance, 0, 2400, 4) as bucket, count(*), min(balance), max(balance) from bank.accounts group by 1 order by 1',
  "select generate_series(date '2026-01-01', date '2026-03-01', interval '1 month')::date as month",
  "select case when balance < 500 then 'low' when balance < 1500 then 'middle' else 'high' end as band, count(*) from bank.accounts group by band order by band",
  "select to_char(opened_at at time zone 'Europe/Berlin', 'YYYY-MM-DD HH24:MI'), extract(isodow from opened_at), age(timestamptz '2026-02-01', opened_at) from bank.accounts where id = 1",
  'select bank.fee(balance), bank.fee(balance, 2), bank.fee(amount => balance, percent => 3) from bank.accounts where id <= 3 order by id',
  'select * from reporting.daily order by booked_on limit 5',
  'select d.booked_on, d.total from reporting.daily d where d.postings > 0 order by d.total desc, 1 fetch first 3 rows only',
  "select name, balance from reporting.customers where segment = 'business' order by balance desc nulls last, name",
  'table reporting.totals',
  'select currency, valid @> date $$2026-05-01$$, lower(valid), upper_inc(valid), at from bank.rates order by 1',
  "values (1, 'a'), (2, 'b')",
  'select count(*) from bank.postings where booked_on >= $$2026-01-01$$ and booked_on < $$2026-02-01$$',
  'select tableoid::regclass, count(*) from bank.postings group by 1 order by 1',
  'select c.* from bank.customers c join bank.accounts using (id) order by c.id limit 2',
  'select a.id, b.id from bank.accounts a full join bank.customers b on a.id = b.id and b.id < 0 where a.id < 3 order by 1',
  'select sum(balance) from (select balance from bank.accounts tablesample bernoulli (100)) s',
  'explain (costs off) select id from bank.accounts where customer_id = 1',
  'explain (costs off, format json) select * from reporting.daily',
  ['select id, name from bank.customers where id = $1', '3'],
  [
    'select id from bank.accounts where status = $1 and balance between $2 and $3 order by id limit $4 offset $5',
    'open',
    '100',
    '900',
    '3',
    '1',
  ],
  ['select id from bank.customers where id = any($1::int[]) order by id', '{1,2,3}'],
  [
    'select count(*) from bank.postings where ($1::date is null or booked_on >= $1) and ($2::text is null or text like $2)',
    '2026-01-01',
    null,
  ],
  [
    'select id from bank.customers where profile @> $1::jsonb or tags && $2::text[] order by id',
    '{"score": 3}',
    '{t1}',
  ],
  'begin isolation level repeatable read read only',
  'select count(*) from bank.accounts',
  'declare walk cursor for select id from bank.accounts order by id',
  'fetch 3 from walk',
  'move forward 2 in walk',
  'fetch next from walk',
  'close walk',
  'commit',
  "set statement_timeout = '10s'",
  "set timezone to 'UTC'",
  'set search_path to bank, reporting',
  'select count(*) from accounts a join daily d on d.booked_on is not null',
  'show search_path',
  'reset search_path',
  'prepare of_customer (int) as select iban from bank.accounts where customer_id = $1 order by 1',
  'execute of_customer (2)',
  'deallocate of_customer',
  'copy (select id, iban from bank.accounts order by id limit 2) to stdout with (format csv, header)',
  'select current_user is not null, current_database(), current_schema(), version() ~ $$PostgreSQL$$, pg_backend_pid() > 0',
];

/** After the published queries of clients that cannot run here; written anew, with the same relations, functions and protocol. */
const TOOLS: readonly (string | readonly [string, ...(string | null)[]])[] = [
  // npgsql 7 (PostgresDatabaseInfo.cs): loads types at the first connection, several statements in one Query.
  `select version();
   select n.nspname, t.oid, t.typname, t.typtype, t.typnotnull, e.oid from (
     select y.oid, y.typname, y.typnamespace, y.typnotnull, case when r.proname = 'array_recv' then 'a' else y.typtype end as typtype,
       case when r.proname = 'array_recv' then y.typelem when y.typtype = 'r' then g.rngsubtype
         when y.typtype = 'm' then (select rngtypid from pg_range where rngmultitypid = y.oid) when y.typtype = 'd' then y.typbasetype end as element
     from pg_type y left join pg_class c on c.oid = y.typrelid left join pg_proc r on r.oid = y.typreceive left join pg_range g on g.rngtypid = y.oid) t
   left join pg_type e on e.oid = t.element join pg_namespace n on n.oid = t.typnamespace
   where t.typtype in ('b', 'r', 'm', 'e', 'd') order by t.typtype, t.oid;
   select t.oid, a.attname, a.atttypid from pg_type t join pg_class c on c.oid = t.typrelid join pg_attribute a on a.attrelid = c.oid
   where t.typtype = 'c' and c.relkind = 'c' and a.attnum > 0 and not a.attisdropped order by 1, a.attnum;
   select t.oid, enumlabel from pg_enum join pg_type t on t.oid = enumtypid order by t.oid, enumsortorder;`,
  // Npgsql's pool resets a connection so.
  'select pg_advisory_unlock_all()',
  'close all',
  'unlisten *',
  'reset all',
  // Prisma: schemas, tables, columns, keys, enums.
  [
    'select n.nspname, pg_catalog.obj_description(n.oid) from pg_namespace n where n.nspname = any($1) order by 1',
    '{bank,reporting}',
  ],
  [
    "select c.relname, n.nspname, c.relrowsecurity, c.relhassubclass, c.relispartition, pg_get_expr(c.relpartbound, c.oid), obj_description(c.oid, 'pg_class') from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = any($1) and c.relkind in ('r', 'p') order by 1",
    '{bank}',
  ],
  [
    "select i.table_schema, i.table_name, i.column_name, format_type(a.atttypid, a.atttypmod), i.numeric_precision, i.is_nullable, i.is_identity, pg_get_expr(d.adbin, d.adrelid) from information_schema.columns i join pg_attribute a on a.attname = i.column_name and a.attrelid = (i.table_schema || '.' || i.table_name)::regclass left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum where i.table_schema = $1 order by i.table_name, i.ordinal_position",
    'bank',
  ],
  [
    'select x.conname, x.contype, x.conkey, x.confupdtype, pg_get_constraintdef(x.oid) from pg_constraint x join pg_namespace n on n.oid = x.connamespace where n.nspname = $1 order by 1',
    'bank',
  ],
  [
    'select i.relname, x.indisunique, x.indisprimary, array(select pg_get_indexdef(x.indexrelid, k + 1, true) from generate_subscripts(x.indkey, 1) k), pg_get_expr(x.indpred, x.indrelid) from pg_index x join pg_class i on i.oid = x.indexrelid join pg_namespace n on n.oid = i.relnamespace where n.nspname = $1 order by 1',
    'bank',
  ],
  [
    "select p.proname, pg_get_functiondef(p.oid) from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = $1 and p.prokind in ('f', 'p') order by 1",
    'bank',
  ],
  [
    "select sequencename is not null from (select s.relname as sequencename from pg_class s where s.relkind = 'S') q limit 1",
  ],
  // DBeaver, pgAdmin: trees of objects.
  "select n.oid, n.*, d.description from pg_catalog.pg_namespace n left join pg_catalog.pg_description d on d.objoid = n.oid and d.objsubid = 0 and d.classoid = 'pg_namespace'::regclass where n.nspname !~ '^pg_' order by n.nspname",
  "select c.oid, c.relname, c.relkind, c.reltuples >= -1, pg_catalog.pg_relation_size(c.oid) >= 0, pg_catalog.pg_get_partkeydef(c.oid) from pg_catalog.pg_class c where c.relnamespace = 'bank'::regnamespace and c.relkind not in ('i', 'I', 'c') order by c.relname",
  "select t.tgname, pg_catalog.pg_get_triggerdef(t.oid, true), p.proname from pg_catalog.pg_trigger t join pg_catalog.pg_proc p on p.oid = t.tgfoid where not t.tgisinternal and t.tgrelid = 'bank.accounts'::regclass",
  "select v.viewname, v.definition from pg_catalog.pg_views v where v.schemaname = 'reporting' order by 1",
  "select r.rolname, r.rolcanlogin, pg_catalog.pg_has_role(r.oid, 'usage') from pg_catalog.pg_roles r where r.rolname = 'app'",
  'select e.extname, e.extversion from pg_catalog.pg_extension e order by 1',
  'select d.datname, pg_catalog.pg_encoding_to_char(d.encoding), d.datallowconn from pg_catalog.pg_database d where d.datname = current_database()',
  "select has_table_privilege('bank.accounts', 'select'), has_schema_privilege('bank', 'usage'), has_column_privilege('bank.accounts', 'iban', 'select')",
  // Metabase, Superset: what may be read.
  "with privileges as (select t.schemaname, t.tablename, pg_catalog.has_any_column_privilege(quote_ident(t.schemaname) || '.' || quote_ident(t.tablename), 'select') as reads from pg_catalog.pg_tables t where t.schemaname not like 'pg\\_%' and t.schemaname <> 'information_schema') select * from privileges where reads order by 1, 2",
  "select kcu.table_name, kcu.column_name, ccu.table_name from information_schema.table_constraints tc join information_schema.key_column_usage kcu on kcu.constraint_name = tc.constraint_name join information_schema.constraint_column_usage ccu on ccu.constraint_name = tc.constraint_name where tc.constraint_type = 'FOREIGN KEY' and tc.table_schema = 'bank' order by 1, 2, 3",
  "select table_name, view_definition is not null from information_schema.views where table_schema = 'reporting' order by 1",
  "select routine_name, data_type from information_schema.routines where routine_schema = 'bank' order by 1",
  'select "source"."status" as "status", count(*) as "count" from (select "bank"."accounts"."status" as "status" from "bank"."accounts" where "bank"."accounts"."balance" > 0) "source" group by "source"."status" order by "source"."status" asc limit 10000',
  // BI tools ask for the shape of a query by running it empty.
  'select * from (select c.name, sum(a.balance) from bank.customers c join bank.accounts a on a.customer_id = c.id group by c.name) t where 1 = 0',
  'select 1',
  'select 1 as "one", null as "nothing", now() is not null',
  ';',
  '-- ping',
  'show server_version',
  'show transaction_isolation',
  'select current_setting($$server_version_num$$)::int > 0',
  'set application_name = $$tool$$',
  'set extra_float_digits = 3; select 0.1::float8',
  'set client_min_messages = warning',
];

export const REPORTS: readonly Series[] = [
  {
    name: 'report',
    from: 'reports of a bank: joins, grouping, windows, JSON, cursors, paging',
    scope: 'report',
    statements: statementsOf('report', BANK_REPORTS),
  },
  {
    name: 'tool',
    from: 'after npgsql, Prisma, DBeaver, pgAdmin, Metabase: catalog queries, pings, settings',
    scope: 'introspect',
    statements: statementsOf('tool', TOOLS),
  },
];
