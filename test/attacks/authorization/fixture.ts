/**
 * The bank that is attacked. Whatever no scope shows holds a canary: a value that occurs nowhere else, so that its bytes in an
 * answer prove that it was read.
 */

/** Once per cluster. The stored password is a canary of its own. */
export const CLUSTER_SQL = `
create role bank_owner nologin;
create role auditor login password 'SCRAM-SHA-256$4096:Q05SWWF1dGhpZHNhbHQ=$Q05SWWF1dGhpZHN0b3JlZGtleQAAAAAAAAAAAAAAAAA=:Q05SWWF1dGhpZHNlcnZlcmtleQAAAAAAAAAAAAAAAAA=';
alter role auditor set app.token = 'CNRY-rolesetting';
`;

/** In postgresql.conf. */
export const SERVER_SETTINGS = {
  autovacuum: 'off',
  max_prepared_transactions: '10',
  max_connections: '60',
  track_functions: 'none',
  shared_preload_libraries: 'pg_stat_statements',
  'app.secret': 'CNRY-setting',
  archive_cleanup_command: 'CNRY-command',
} as const;

export const SERVER_HBA = ['host cnry_database CNRY-hba-user 127.0.0.1/32 reject'] as const;

/** As superuser, in the database that every other one is a copy of. */
export const EXTENSIONS_SQL = `
create schema ext;
create extension dblink schema ext;
create extension postgres_fdw schema ext;
create extension file_fdw schema ext;
create extension tablefunc schema ext;
create extension xml2 schema ext;
create extension lo schema ext;
create extension pageinspect schema ext;
create extension pgstattuple schema ext;
create extension pg_stat_statements schema ext;
create schema bank authorization bank_owner;
create schema secret authorization bank_owner;
create schema hr authorization bank_owner;
create schema reporting authorization bank_owner;
create schema app authorization bank_owner;
create schema shadow authorization bank_owner;
create schema scratch authorization bank_owner;
grant create on schema public to bank_owner;
revoke temporary on database {{database}} from public;
`;

const TABLES_SQL = `
create table bank.branches (id int primary key, city text, phone text);
insert into bank.branches values (1, 'Bern', '111'), (2, 'Oslo', '222');
create table bank.accounts (id int primary key, owner text, status text default 'open', balance numeric, pin text);
insert into bank.accounts values (1, 'Ada', 'open', 918273.11, 'CNRY-pin-1'), (2, 'Bo', 'open', 918273.22, 'CNRY-pin-2');
create table bank.customers (id int primary key, account_id int references bank.accounts, name text, ssn text, pin text);
insert into bank.customers values (1, 1, 'CNRY-name-1', 'CNRY-ssn-1', 'CNRY-pin-1'), (2, 2, 'CNRY-name-2', 'CNRY-ssn-2', 'x');
create table bank.transfers (id serial primary key, from_id int, to_id int, amount numeric check (amount > 0), note text);
insert into bank.transfers (from_id, to_id, amount, note) values (1, 2, 10, 'CNRY-note-1'), (2, 1, 20, 'CNRY-note-2');
create table bank.limits (account_id int primary key, daily numeric, reason text default 'CNRY-reason');
insert into bank.limits values (1, 100), (2, 200);
create table bank.drafts (id int primary key, body text);
insert into bank.drafts values (1, 'CNRY-draft-1'), (2, 'CNRY-draft-2');
create table bank.audit (id int primary key, what text);
insert into bank.audit values (1, 'CNRY-audit-1');
create table bank.ledger (region text, entry text) partition by list (region);
create table bank.ledger_eu partition of bank.ledger for values in ('eu');
create table bank.ledger_us partition of bank.ledger for values in ('us');
insert into bank.ledger values ('eu', 'plain'), ('us', 'CNRY-ledger-us');
create table bank.codes (code text primary key);
insert into bank.codes values ('A');
create sequence bank.counter;
create table secret.keys (id int primary key, value text);
insert into secret.keys values (1, 'CNRY-key-1'), (2, 'CNRY-key-2');
create table secret.numbers (n int);
insert into secret.numbers values (918273645);
create table secret.common (word text);
insert into secret.common select 'CNRY-common' from generate_series(1, 50);
create table secret.documents (doc tsvector);
insert into secret.documents values ('''cnry-lexeme'':1'::tsvector);
create table secret.queries (sql text);
insert into secret.queries values ('select value from secret.keys');
create sequence secret.counter start 918273555;
create table hr.people (id int, name text, salary int);
create table hr.managers (car text) inherits (hr.people);
insert into hr.people values (1, 'CNRY-person', 918273001);
insert into hr.managers values (2, 'Mo', 918273002, 'CNRY-car');
create table public.visits (id int, value text);
insert into public.visits values (1, 'CNRY-visit');
create table bank.notes (author text, body text);
insert into bank.notes values ('nobody', 'CNRY-rls-note'), ('everybody', 'open note');
alter table bank.notes enable row level security;
create policy own on bank.notes using (author = 'everybody');
`;

const VIEWS_SQL = `
create view reporting.daily as select id, owner, status from bank.accounts;
create view reporting.pins as select id, pin from bank.accounts;
create view reporting.nested as select id, pin as code from reporting.pins;
create view reporting.keys_barrier with (security_barrier) as select * from secret.keys where id < 100;
create view reporting.keys_invoker with (security_invoker) as select * from secret.keys;
create view reporting.wraps_invoker as select id, value from reporting.keys_invoker;
create materialized view reporting.totals as select sum(balance) as total, max(pin) as pin from bank.accounts;
create view reporting.open_limits as select account_id, daily from bank.limits;
`;

const ROUTINES_SQL = `
create function app.hello(name text) returns text language sql as $$ select 'hello ' || name $$;
create function app.read_key(k int) returns text language sql stable as $$ select value from secret.keys where id = k $$;
create function app.fixed_key(k int) returns text language plpgsql immutable as $$ begin return (select value from secret.keys where id = 1); end $$;
create function app.keys() returns setof secret.keys language sql stable as $$ select * from secret.keys $$;
create function app.peek(q text) returns text language plpgsql security definer as $$ declare r text; begin execute q into r; return r; end $$;
create function app.run(q text) returns text language plpgsql as $$ declare r text; begin execute q into r; return r; end $$;
create function app.tell(v text) returns boolean language plpgsql as $$
  begin raise notice '%', (select value from secret.keys where id = 1); return true; end $$;
create function app.loud_key(k int) returns text language plpgsql immutable as $$
  begin raise notice '%', (select value from secret.keys where id = 1); return 'x'; end $$;
create function app.wipe() returns int language plpgsql as $$ begin delete from bank.audit; return 1; end $$;
create procedure app.purge() language plpgsql as $$ begin delete from bank.audit; end $$;
create function bank.transfer(source int, target int, amount numeric) returns int language plpgsql security definer
  set search_path = pg_catalog as $$
  declare made int; begin insert into bank.transfers (from_id, to_id, amount) values (source, target, amount) returning id into made;
  return made; end $$;
create function bank.transfer(q text) returns text language plpgsql as $$ declare r text; begin execute q into r; return r; end $$;
create function app.keep(state text, v text) returns text language sql stable as $$ select value from secret.keys where id = 1 $$;
create aggregate app.gather(text) (sfunc = app.keep, stype = text, initcond = '');
create function app.same(a int, b int) returns boolean language plpgsql as $$ begin return app.tell(''); end $$;
create operator app.=== (function = app.same, leftarg = int, rightarg = int);
create function shadow.glue(a text, b text) returns text language sql stable as $$ select value from secret.keys where id = 1 $$;
create operator shadow.|| (function = shadow.glue, leftarg = text, rightarg = text);
create function shadow.equal(a text, b text) returns boolean language plpgsql as $$ begin return app.tell(''); end $$;
create operator shadow.= (function = shadow.equal, leftarg = text, rightarg = text);
create operator shadow.~~ (function = shadow.equal, leftarg = text, rightarg = text);
create operator shadow.>= (function = shadow.equal, leftarg = text, rightarg = text);
create operator shadow.<> (function = shadow.equal, leftarg = text, rightarg = text);
create function shadow.lower(a text) returns text language sql stable as $$ select value from secret.keys where id = 1 $$;
create function shadow.abs(a text) returns text language sql stable as $$ select value from secret.keys where id = 1 $$;
create function shadow.count(a int) returns text language sql stable as $$ select value from secret.keys where id = 1 $$;
create domain app.loud as text check (app.tell(value));
create type app.token as (v text);
create function app.token_text(t app.token) returns text language sql stable as $$ select value from secret.keys where id = 1 $$;
create cast (app.token as text) with function app.token_text(app.token);
create domain shadow.text as pg_catalog.text check (app.tell(value));
create type shadow.keys as (id int);
create function shadow.label(k shadow.keys) returns text language sql stable as $$ select value from secret.keys where id = 1 $$;
create function bank.secretly(b bank.branches) returns text language sql stable as $$ select value from secret.keys where id = 1 $$;
`;

const FIRED_SQL = `
create view reporting.with_function as select id, app.read_key(id) as city from bank.branches;
create table app.forms (id int, stamp text default app.read_key(1));
create table app.made (id int, code text generated always as (app.fixed_key(id)) stored);
create table app.checked (id int check (app.tell(id::text)));
create table app.typed (id int, word app.loud);
create table app.indexed (id int);
create index on app.indexed (app.loud_key(id));
create table app.inbox (id int, body text);
create function app.fill() returns trigger language plpgsql as $$
  begin new.body = (select value from secret.keys where id = 1); return new; end $$;
create trigger fill before insert on app.inbox for each row execute function app.fill();
create table app.outbox (id int);
create rule also as on insert to app.outbox do also select app.read_key(1);
create table app.limited (id int);
insert into app.limited values (1);
alter table app.limited enable row level security;
create policy loud on app.limited using (app.tell(id::text));
create view reporting.inbox as select id, body from app.inbox;
create table app.chain (id int, body text);
insert into app.chain values (1, 'x');
create function app.chained() returns trigger language plpgsql as $$ begin delete from bank.audit; return null; end $$;
create trigger chained after insert or update or delete on app.chain for each statement execute function app.chained();
`;

/** As superuser again: what only one can make, and what only exists to be stolen. */
export const FINISH_SQL = `
alter policy loud on app.limited using (app.tell(id::text));
alter table app.limited force row level security;
create server files foreign data wrapper file_fdw;
create foreign table app.file_table (line text) server files options (filename '{{dir}}/canary.txt');
create server elsewhere foreign data wrapper postgres_fdw options (host '127.0.0.1', port '{{port}}', dbname 'x');
create user mapping for public server elsewhere options (user 'u', password 'CNRY-mapping');
create foreign table app.remote_table (line text) server elsewhere;
select lo_from_bytea(4242, 'CNRY-lobj'::bytea);
analyze secret.keys;
analyze secret.common;
analyze bank.accounts;
create statistics secret.words (mcv) on n, (n % 7) from secret.numbers;
/* CNRY-statement */ select 1;
`;

/** Another database of the same server, with a table of a granted name. */
export const OTHER_DATABASE = 'authz_other';
export const OTHER_SQL = `
create schema bank;
create table bank.branches (id int, city text, phone text);
insert into bank.branches values (1, 'CNRY-other', '1');
grant usage on schema bank to public;
grant select on bank.branches to public;
`;

/** Everything in between belongs to an owner who is no superuser. */
export const OWNER_SQL = [
  'set role bank_owner;',
  TABLES_SQL,
  VIEWS_SQL,
  ROUTINES_SQL,
  FIRED_SQL,
  'reset role;',
].join('\n');

/** What the file in `{{dir}}` holds, and what the other session is doing when it is spied on. */
export const FILE_CANARY = 'CNRY-file';
export const VICTIM_QUERY = 'select pg_sleep(3600) /* CNRY-activity */';
export const NOTIFY_CANARY = 'CNRY-notify';

/** Texts of which none may come back to an attacker: every scope hides all of them. */
export const CANARIES: readonly string[] = [
  'CNRY-',
  'Q05SWWF1dGhpZH',
  // Of balances, salaries, numbers and the hidden sequence.
  '918273',
  'cnry-lexeme',
];
