/** The bank whose values must not leave: what stands in its tables (`canaries.ts`), what is classified how, and code of its own that tells what it reads. */
import { canaryOf, ROWS, type Side } from './canaries.ts';

const CUSTOMER_COLUMNS: Readonly<Record<string, string>> = {
  name: 'text',
  ssn: 'text',
  email: 'varchar(60)',
  phone: 'text',
  dob: 'date',
  pan: 'char(24)',
  notes: 'text',
  pin: 'bank.code',
  balance: 'numeric(14,2)',
  score: 'int',
  big: 'bigint',
  ratio: 'float8',
  cash: 'money',
  ref: 'uuid',
  scan: 'bytea',
  profile: 'jsonb',
  raw: 'json',
  tags: 'text[]',
  marks: 'int[]',
  span: 'numrange',
  seen: 'timestamptz',
  addr: 'bank.address',
  doc: 'xml',
  words: 'tsvector',
};

const ACCOUNT_COLUMNS: Readonly<Record<string, string>> = {
  owner_ssn: 'text',
  number: 'text',
  card: 'text',
  mail: 'text',
  born: 'date',
  iban: 'text',
  salary: 'numeric(12,2)',
};

/** Columns whose canaries are those of another column. */
const SAME_AS: Readonly<Record<string, string>> = { raw: 'profile', owner_ssn: 'ssn' };

const columnsOf = (columns: Readonly<Record<string, string>>): string =>
  Object.entries(columns)
    .map(([name, type]) => `${name} ${type}`)
    .join(', ');

export const SCHEMA_SQL = `
create schema bank;
create schema shadow;
create type bank.address as (street text, town text);
create domain bank.code as text check (length(value) < 100);
create domain bank.short as text check (length(value) < 13);
create domain bank.small as int check (value < 5000000);
create table bank.customers (id int primary key, region text, opened date, branch int, ${columnsOf(CUSTOMER_COLUMNS)});
alter table bank.customers set (fillfactor = 40);
create table bank.accounts (id int primary key, customer int references bank.customers, kind text, ${columnsOf(ACCOUNT_COLUMNS)});
create table bank.branches (id int primary key, city text);
create table bank.plain (id int primary key, v text, n numeric, d date, j jsonb, b boolean);
create table bank.short_plain (id int, v varchar(5), c char(3), n smallint, m numeric(4,1), k int check (k < 100), w bank.short);
create table bank.strict (id int primary key, ssn text unique, score int check (score > 10), email text not null, pin text, tail text,
  exclude using btree (pin with =));
create table bank.parents (ssn text primary key);
create table bank.children (id int, ssn text references bank.parents deferrable);
create table bank.events (id int, region text, ssn text, what text) partition by list (region);
create table bank.events_north partition of bank.events for values in ('north');
create table bank.events_south partition of bank.events for values in ('south');
comment on column bank.events.ssn is 'of the person, countersign:class=ssn';
create table bank.ssn_parts (ssn text) partition by range (ssn);
create table bank.people (id int, name text);
create table bank.staff (pin text) inherits (bank.people);
create table bank.gen (id int, ssn text, loud text generated always as (upper(ssn)) stored);
create table bank.guesses (id int, ssn text);
create table bank.tracked (id int, ssn text);
create table bank.inbox (id int, body text);
create table bank.ruled (id int, v text);
create table bank.defaults (id int, v text);
create table bank.odd ("SSN" text, "select" text, "two words" text, "Ünï" text);
create sequence bank.counter;
create view bank.v_direct as select id, ssn as code from bank.customers;
create view bank.v_nested as select id, code as x from bank.v_direct;
create view bank.v_nested_again as select x as y, id from bank.v_nested where id > 0;
create view bank.v_loud as select id, upper(name) as n from bank.customers;
create view bank.v_star as select * from bank.customers;
create view bank.v_barrier with (security_barrier) as select id, pin as p from bank.customers;
create view bank.v_union as select id, ssn as v from bank.customers union all select id, city from bank.branches;
create view bank.v_cte as with c as (select id, email as e from bank.customers) select id, e from c;
create view bank.v_groups as select region, max(ssn) as top, count(*) as n from bank.customers group by region;
create view bank.v_order as select id, region from bank.customers order by ssn;
create view bank.v_filter as select id from bank.customers where ssn < '8';
create view bank.v_row as select c from bank.customers c;
create view bank.v_check as select id, ssn from bank.guesses where ssn > '7' with check option;
create materialized view bank.m_customers as select id, ssn as s, name as n, dob as d from bank.customers;
`;

/** Code of its own: SQL functions that can be looked into, and others that cannot. */
export const CODE_SQL = `
create function bank.ssn_of(i int) returns text language sql stable as $$ select ssn from bank.customers where id = i $$;
create function bank.ssn_atomic(i int) returns text language sql stable begin atomic select ssn from bank.customers where id = i; end;
create function bank.ssn_return(i int) returns text language sql stable return (select ssn from bank.customers where id = i);
create function bank.ssn_nested(i int) returns text language sql stable as $$ select bank.ssn_of(i) $$;
create function bank.echo(t text) returns text language sql immutable as $$ select t $$;
create function bank.shout(t text) returns text language sql immutable as $$ select upper($1) || '!' $$;
create function bank.everyone() returns setof bank.customers language sql stable as $$ select * from bank.customers $$;
create function bank.pairs() returns table (k int, v text) language sql stable as $$ select id, pin::text from bank.customers $$;
create function bank.two(i int, out a text, out b text) language sql stable as $$ select ssn, name from bank.customers where id = i $$;
create function bank.opaque_ssn(i int) returns text language plpgsql stable as $$ begin return (select ssn from bank.customers where id = i); end $$;
create function bank.opaque_fixed(i int) returns text language plpgsql immutable as $$ begin return (select ssn from bank.customers where id = 1); end $$;
create function bank.opaque_rows() returns setof text language plpgsql as $$ begin return query select email::text from bank.customers order by id; end $$;
create function bank.opaque_table() returns table (a int, b text) language plpgsql as $$ begin return query select id, pin::text from bank.customers; end $$;
create function bank.opaque_cursor() returns refcursor language plpgsql as $$
  declare c refcursor := 'handed'; begin open c for select id, ssn from bank.customers; return c; end $$;
create function bank.opaque_echo(t text) returns text language plpgsql immutable as $$ begin return t; end $$;
create function bank.opaque_bit(t text) returns int language plpgsql immutable as $$ begin return length(t); end $$;
create function bank.opaque_json() returns jsonb language plpgsql as $$ begin return (select jsonb_agg(ssn) from bank.customers); end $$;
create function bank.execute_it(q text) returns text language plpgsql as $$ declare r text; begin execute q into r; return r; end $$;
create function bank.tell(v text) returns boolean language plpgsql as $$ begin raise notice 'value %', v; return true; end $$;
create function bank.fail(v text) returns boolean language plpgsql as $$ begin raise exception 'value %', v using detail = v, hint = v; end $$;
create function bank.fail_state(v text) returns boolean language plpgsql as $$
  begin raise exception 'no' using errcode = case when v < '8' then 'AA001' else 'BB002' end; end $$;
create function bank.fail_names(v text) returns boolean language plpgsql as $$
  begin raise exception 'no' using column = v, table = v, constraint = v, schema = v, datatype = v; end $$;
create function bank.tell_all(i int) returns int language plpgsql as $$ begin raise warning '%', (select string_agg(ssn, ',') from bank.customers); return 1; end $$;
create function bank.keep(state text, v text) returns text language plpgsql immutable as $$ begin return coalesce(state, '') || v; end $$;
create function bank.keep_sql(state text, v text) returns text language sql immutable as $$ select coalesce(state, '') || v $$;
create aggregate bank.gather(text) (sfunc = bank.keep, stype = text);
create aggregate bank.gather_sql(text) (sfunc = bank.keep_sql, stype = text);
create function bank.looks(a text, b text) returns boolean language plpgsql as $$ begin raise notice '% and %', a, b; return true; end $$;
create operator bank.~~~ (function = bank.looks, leftarg = text, rightarg = text);
create function bank.to_code(t text) returns int language plpgsql as $$ begin return ascii(t) * 1000; end $$;
create type bank.wrapped as (v text);
create function bank.wrapped_text(w bank.wrapped) returns text language plpgsql as $$ begin return w.v; end $$;
create cast (bank.wrapped as text) with function bank.wrapped_text(bank.wrapped);
create function bank.row_ssn(c bank.customers) returns text language sql stable as $$ select c.ssn $$;
create function bank.row_opaque(c bank.customers) returns text language plpgsql as $$ begin return c.ssn; end $$;
create procedure bank.tell_procedure() language plpgsql as $$ begin raise notice '%', (select string_agg(pin, ',') from bank.customers); end $$;
create procedure bank.give(inout v text) language plpgsql as $$ begin v := (select ssn from bank.customers where id = 1); end $$;
create procedure bank.copy_over() language plpgsql as $$ begin insert into bank.plain (id, v) select id + 100, ssn from bank.customers; end $$;
create function bank.copy_temp() returns int language plpgsql as $$ begin create temp table behind as select ssn from bank.customers; return 1; end $$;
create function bank.ring() returns int language plpgsql as $$ begin perform pg_notify('bell', (select ssn from bank.customers where id = 1)); return 1; end $$;
create function bank.remember() returns int language plpgsql as $$
  begin perform set_config('bank.last', (select ssn from bank.customers where id = 1), false); return 1; end $$;
create function bank.remember_name() returns int language plpgsql as $$
  begin perform set_config('application_name', (select ssn from bank.customers where id = 1), false); return 1; end $$;
create function bank.before_inbox() returns trigger language plpgsql as $$
  begin raise notice 'all: %', (select string_agg(ssn, ',') from bank.customers); return new; end $$;
create trigger loud before insert on bank.inbox for each row execute function bank.before_inbox();
create function bank.before_tracked() returns trigger language plpgsql as $$
  begin raise exception 'was %', old.ssn using detail = to_json(old)::text; end $$;
create trigger tracked before update on bank.tracked for each row execute function bank.before_tracked();
create function bank.fill_default() returns text language plpgsql as $$ begin return (select ssn from bank.customers where id = 1); end $$;
alter table bank.defaults alter v set default bank.fill_default();
create rule show as on insert to bank.ruled do also select ssn, name from bank.customers;
create function shadow.upper(t text) returns text language plpgsql as $$ begin raise notice '%', t; return t; end $$;
create function shadow.count(t text) returns text language plpgsql as $$ begin return t; end $$;
create function shadow.same(a text, b text) returns boolean language plpgsql as $$ begin raise notice '%', a; return true; end $$;
create operator shadow.= (function = shadow.same, leftarg = text, rightarg = text);
create function shadow.glue(a text, b text) returns text language sql as $$ select ssn from bank.customers where id = 1 $$;
create operator shadow.|| (function = shadow.glue, leftarg = text, rightarg = text);
create table shadow.branches as select 1 as id, ''::text as city;
create statistics bank.kin (mcv, ndistinct, dependencies) on region, ssn from bank.customers;
`;

const REGIONS = [
  'north',
  'north',
  'north',
  'north',
  'north',
  'north',
  'south',
  'south',
  'south',
  'south',
  'west',
  'west',
];

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

const canary = (side: Side, column: string, row: number): string =>
  canaryOf(side, SAME_AS[column] ?? column, row).literal;

const valuesOf = (side: Side, columns: Readonly<Record<string, string>>, row: number): string =>
  Object.keys(columns)
    .map((column) => quoted(canary(side, column, row)))
    .join(', ');

const rows = (one: (row: number) => string): string =>
  Array.from({ length: ROWS }, (_, index) => `(${one(index + 1)})`).join(',\n');

/** Loads one of the two databases. */
export function dataSql(side: Side): string {
  const ssn = (row: number): string => quoted(canary(side, 'ssn', row));
  const pin = (row: number): string => quoted(canary(side, 'pin', row));
  return `
insert into bank.branches values (1, 'Bern'), (2, 'Oslo'), (3, 'Riga');
insert into bank.customers values
${rows((row) => `${row}, '${REGIONS[row - 1]}', '2020-03-0${(row % 9) + 1}', ${(row % 3) + 1}, ${valuesOf(side, CUSTOMER_COLUMNS, row)}`)};
insert into bank.accounts values
${rows((row) => `${row}, ${row}, '${row % 2 === 0 ? 'current' : 'savings'}', ${valuesOf(side, ACCOUNT_COLUMNS, row)}`)};
insert into bank.plain values (1, 'plain one', 1, '2021-01-01', '{"a": 1}', true), (2, 'plain two', 2, '2022-02-02', '{"a": 2}', false);
insert into bank.strict values (1, ${ssn(1)}, ${canary(side, 'score', 1)}, ${quoted(canary(side, 'email', 1))}, ${pin(1)}, 'tail'),
  (2, ${ssn(3)}, ${canary(side, 'score', 2)}, ${quoted(canary(side, 'email', 2))}, ${pin(2)}, 'tail');
insert into bank.parents values (${ssn(1)}), (${ssn(3)}), (${ssn(4)});
insert into bank.children values (1, ${ssn(1)}), (2, ${ssn(3)});
insert into bank.events values (1, 'north', ${ssn(1)}, 'in'), (2, 'south', ${ssn(3)}, 'out'), (3, 'north', ${ssn(4)}, 'out');
create table bank.ssn_parts_low partition of bank.ssn_parts for values from (minvalue) to (${ssn(6)});
create table bank.ssn_parts_high partition of bank.ssn_parts for values from (${ssn(6)}) to (maxvalue);
insert into bank.ssn_parts values (${ssn(1)}), (${ssn(3)}), (${ssn(8)});
insert into bank.people values (1, ${quoted(canary(side, 'name', 1))});
insert into bank.staff values (2, ${quoted(canary(side, 'name', 3))}, ${pin(3)});
insert into bank.gen (id, ssn) values (1, ${ssn(1)}), (2, ${ssn(3)});
insert into bank.tracked values (1, ${ssn(1)}), (2, ${ssn(3)});
insert into bank.odd values (${ssn(1)}, ${pin(1)}, ${quoted(canary(side, 'name', 1))}, ${pin(3)});
refresh materialized view bank.m_customers;
select lo_from_bytea(424242, convert_to(${ssn(1)}, 'UTF8'));
analyze;
`;
}

/** As in `targets.<target>.classes`: by relation, each classified column. */
export const CLASSIFIED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'bank.customers': {
    name: 'name',
    ssn: 'ssn',
    email: 'email',
    phone: 'phone',
    dob: 'dob',
    pan: 'pan',
    notes: 'free_text',
    pin: 'secret',
    balance: 'figure',
    score: 'figure',
    big: 'figure',
    ratio: 'figure',
    cash: 'figure',
    marks: 'figure',
    span: 'figure',
    ref: 'reference',
    scan: 'scan',
    profile: 'document',
    raw: 'document',
    tags: 'document',
    doc: 'document',
    words: 'document',
    addr: 'address',
    seen: 'moment',
  },
  'bank.accounts': {
    owner_ssn: 'ssn',
    number: 'account_number',
    card: 'card',
    mail: 'mail',
    born: 'born',
    iban: 'iban',
    salary: 'salary',
  },
  'bank.strict': { ssn: 'ssn', score: 'figure', email: 'email', pin: 'secret' },
  'bank.parents': { ssn: 'ssn' },
  'bank.children': { ssn: 'ssn' },
  'bank.ssn_parts': { ssn: 'ssn' },
  'bank.people': { name: 'name' },
  'bank.staff': { pin: 'secret' },
  'bank.gen': { ssn: 'ssn' },
  'bank.guesses': { ssn: 'ssn' },
  'bank.tracked': { ssn: 'ssn' },
  'bank.odd': { SSN: 'ssn', select: 'secret', 'two words': 'name', Ünï: 'secret' },
};

/** The `masking` section, as written in YAML. */
export const MASKING_SECTION = `masking:
  key: file:masking.key
  classes:
    email: { transform: redact }
    pan: { transform: redact }
    dob: { transform: redact }
    account_number: { transform: token }
    figure: { transform: redact }
    reference: { transform: redact }
    scan: { transform: redact }
    document: { transform: redact }
    moment: { transform: redact }
    card: { transform: keep-last, keep: 4 }
    mail: { transform: email-domain }
    born: { transform: year }
    iban: { transform: fpe }
    salary: { transform: bucket, size: 1000 }
  minGroup: 5
`;
