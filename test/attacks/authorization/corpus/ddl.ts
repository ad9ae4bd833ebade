/** Commands that make, change, hand over or destroy what is not in a free schema. */
import { reads, writes, escapes, type Family } from '../attack.ts';

export const DDL: Family = {
  name: 'ddl',
  attacks: [
    writes('AUTHZ-525', 'builder', 'CREATE TABLE in another schema.', ['create table bank.mine (id int)']),
    writes('AUTHZ-526', 'builder', 'CREATE TABLE in the schema of the path.', ['create table mine (id int)']),
    writes('AUTHZ-527', 'builder', 'CREATE SCHEMA.', ['create schema mine']),
    writes('AUTHZ-528', 'builder', 'CREATE SCHEMA with elements inside.', [
      'create schema mine create table t (id int) create view v as select * from secret.keys',
    ]),
    writes('AUTHZ-529', 'builder', 'CREATE SCHEMA AUTHORIZATION.', ['create schema authorization auditor']),
    reads('AUTHZ-530', 'builder', 'CREATE TABLE AS from a forbidden table.', [
      'create table scratch.t as select * from secret.keys',
      'select value from scratch.t',
    ]),
    reads('AUTHZ-531', 'builder', 'SELECT INTO from a forbidden table.', [
      'select * into scratch.t from secret.keys',
      'select value from scratch.t',
    ]),
    reads('AUTHZ-532', 'builder', 'CREATE TEMP TABLE AS from a forbidden table.', [
      'create temp table t as select * from secret.keys',
      'select value from t',
    ]),
    reads('AUTHZ-533', 'builder', 'SELECT INTO TEMP from a forbidden table.', [
      'select * into temp t from secret.keys',
      'select value from t',
    ]),
    reads('AUTHZ-534', 'builder', 'CREATE TABLE AS TABLE.', [
      'create table scratch.t as table secret.keys',
      'select value from scratch.t',
    ]),
    reads('AUTHZ-535', 'builder', 'LIKE copies defaults that tell.', [
      'create table scratch.t (like bank.limits including all)',
      'insert into scratch.t (account_id) values (1) returning reason',
    ]),
    reads(
      'AUTHZ-536',
      'builder',
      'A foreign key probes a forbidden table.',
      [`create table scratch.t (id int references secret.keys)`, `insert into scratch.t values (2)`],
      { check: 'select exists (select 1 from pg_constraint where confrelid = $$secret.keys$$::regclass)' },
    ),
    writes(
      'AUTHZ-537',
      'builder',
      'A foreign key that is added later.',
      [
        'create table scratch.t (id int)',
        'alter table scratch.t add foreign key (id) references bank.accounts',
      ],
      {
        check: `select exists (select 1 from pg_constraint where conrelid = 'scratch.t'::regclass and contype = 'f')`,
      },
    ),
    writes('AUTHZ-538', 'builder', 'ALTER TABLE of another schema.', [
      'alter table bank.drafts add column x int',
    ]),
    writes('AUTHZ-539', 'builder', 'ALTER TABLE RENAME of another schema.', [
      'alter table bank.audit rename to gone',
    ]),
    writes(
      'AUTHZ-540',
      'builder',
      'ALTER TABLE ALL IN TABLESPACE.',
      ['alter table all in tablespace pg_default set tablespace pg_default'],
      { inert: 'nothing has to be moved' },
    ),
    writes('AUTHZ-541', 'builder', 'ALTER TABLE SET SCHEMA out of the own schema.', [
      'create table scratch.branches2 (id int)',
      'alter table scratch.branches2 set schema bank',
    ]),
    writes('AUTHZ-542', 'builder', 'ALTER TABLE OWNER.', ['alter table bank.audit owner to auditor']),
    writes('AUTHZ-543', 'builder', 'ALTER COLUMN SET DEFAULT on another table.', [
      'alter table bank.drafts alter body set default app.read_key(1)',
    ]),
    writes('AUTHZ-544', 'builder', 'ALTER TABLE DISABLE TRIGGER.', [
      'alter table app.chain disable trigger all',
    ]),
    writes('AUTHZ-545', 'builder', 'ALTER TABLE DISABLE RULE.', ['alter table app.outbox disable rule also']),
    writes('AUTHZ-546', 'builder', 'ALTER INDEX of another schema.', [
      'alter index bank.branches_pkey rename to other',
    ]),
    writes('AUTHZ-547', 'builder', 'ALTER VIEW of another schema.', [
      'alter view reporting.daily set (security_barrier)',
    ]),
    writes('AUTHZ-548', 'builder', 'ALTER TYPE of another schema.', [
      'alter type app.token add attribute w text',
    ]),
    writes('AUTHZ-549', 'builder', 'ALTER DOMAIN of another schema.', [
      'alter domain app.loud drop constraint loud_check',
    ]),
    writes('AUTHZ-550', 'builder', 'ALTER FUNCTION ... SECURITY DEFINER.', [
      'alter function app.run(text) security definer',
    ]),
    writes('AUTHZ-551', 'builder', 'ALTER FUNCTION ... SET.', [
      'alter function bank.transfer(int, int, numeric) set search_path = scratch',
    ]),
    writes('AUTHZ-552', 'builder', 'DROP TABLE of another schema.', ['drop table bank.audit']),
    writes('AUTHZ-553', 'builder', 'DROP of several, the forbidden one last.', [
      'create table scratch.t (id int)',
      'drop table scratch.t, bank.audit',
    ]),
    writes(
      'AUTHZ-554',
      'builder',
      'DROP ... CASCADE reaches what depends on it in other schemas.',
      [
        'create function scratch.f(x int) returns int language sql as $$ select 1 $$',
        'drop type scratch.ty cascade',
      ],
      { setup: 'create type scratch.ty as (id int); alter table bank.audit add extra scratch.ty' },
    ),
    writes(
      'AUTHZ-555',
      'builder',
      'DROP TABLE ... CASCADE takes a view of another schema.',
      ['drop table scratch.base cascade'],
      {
        setup: 'create table scratch.base (id int); create view reporting.base as select * from scratch.base',
      },
    ),
    writes(
      'AUTHZ-556',
      'builder',
      'DROP SCHEMA of the own schema with objects in others that depend on it.',
      ['drop schema scratch cascade'],
      {
        setup: 'create table scratch.base (id int); create view reporting.base as select * from scratch.base',
      },
    ),
    writes('AUTHZ-557', 'builder', 'DROP SCHEMA.', ['drop schema secret cascade']),
    writes('AUTHZ-558', 'builder', 'DROP OWNED.', ['drop owned by bank_owner cascade']),
    writes('AUTHZ-559', 'builder', 'REASSIGN OWNED.', ['reassign owned by bank_owner to auditor']),
    writes(
      'AUTHZ-560',
      'builder',
      'TRUNCATE ... CASCADE reaches tables that refer to it.',
      ['truncate scratch.base cascade'],
      {
        setup:
          'create table scratch.base (id int primary key); create table bank.follows (id int references scratch.base); insert into scratch.base values (1); insert into bank.follows values (1)',
        check: 'select count(*) = 0 from bank.follows',
      },
    ),
    writes('AUTHZ-561', 'builder', 'TRUNCATE of several, the forbidden one last.', [
      'create table scratch.t (id int)',
      'truncate scratch.t, bank.audit',
    ]),
    writes('AUTHZ-562', 'builder', 'TRUNCATE ... RESTART IDENTITY of a forbidden table.', [
      'truncate bank.transfers restart identity',
    ]),
    writes('AUTHZ-563', 'builder', 'CREATE INDEX on a forbidden table.', [
      'create index on bank.audit (what)',
    ]),
    writes(
      'AUTHZ-564',
      'builder',
      'CREATE UNIQUE INDEX, whose failure tells of values.',
      ['create unique index on secret.common (word)'],
      { received: 'CNRY-common' },
    ),
    writes(
      'AUTHZ-565',
      'builder',
      'CREATE STATISTICS on a forbidden table.',
      ['create statistics scratch.s on id, value from secret.keys'],
      {
        check: `select exists (select 1 from pg_statistic_ext where stxrelid = 'secret.keys'::regclass)`,
      },
    ),
    writes('AUTHZ-566', 'builder', 'CREATE TRIGGER on a forbidden table.', [
      'create trigger t before insert on bank.audit for each row execute function app.fill()',
    ]),
    writes('AUTHZ-567', 'builder', 'CREATE RULE on a forbidden table.', [
      'create rule r as on insert to bank.audit do instead nothing',
    ]),
    writes('AUTHZ-568', 'builder', 'CREATE OR REPLACE VIEW of another schema.', [
      'create or replace view reporting.daily as select id, pin as owner, status from bank.accounts',
    ]),
    writes('AUTHZ-569', 'builder', 'CREATE TYPE in another schema.', ["create type bank.mood as enum ('x')"]),
    writes('AUTHZ-570', 'builder', 'CREATE SEQUENCE in another schema.', ['create sequence bank.mine']),
    writes('AUTHZ-571', 'builder', 'CREATE COLLATION in another schema.', [
      `create collation bank.mine from "C"`,
    ]),
    writes('AUTHZ-572', 'builder', 'CREATE TEXT SEARCH CONFIGURATION in another schema.', [
      'create text search configuration bank.mine (copy = pg_catalog.simple)',
    ]),
    writes('AUTHZ-573', 'builder', 'CREATE CAST over types of the server.', [
      'create cast (text as int) with inout as implicit',
    ]),
    writes('AUTHZ-574', 'builder', 'CREATE OPERATOR in another schema.', [
      'create operator bank.### (function = pg_catalog.int4eq, leftarg = int, rightarg = int)',
    ]),
    writes('AUTHZ-575', 'builder', 'CREATE CONVERSION in another schema.', [
      `create conversion bank.mine for 'UTF8' to 'LATIN1' from utf8_to_iso8859_1`,
    ]),
    writes('AUTHZ-576', 'builder', 'COMMENT on a table of another schema.', [
      `comment on table bank.audit is 'x'`,
    ]),
    writes('AUTHZ-577', 'builder', 'COMMENT on a column of another schema.', [
      `comment on column bank.audit.what is 'x'`,
    ]),
    writes('AUTHZ-578', 'reader', 'COMMENT on a granted table.', [`comment on table bank.branches is 'x'`]),
    writes('AUTHZ-579', 'builder', 'GRANT on a table.', ['grant all on secret.keys to public']),
    writes('AUTHZ-580', 'builder', 'GRANT on all tables of a schema.', [
      'grant select on all tables in schema secret to public',
    ]),
    writes('AUTHZ-581', 'builder', 'GRANT on the own schema and another one.', [
      'grant usage on schema scratch, secret to public',
    ]),
    writes('AUTHZ-582', 'builder', 'REVOKE.', ['revoke all on all tables in schema bank from bank_owner']),
    writes('AUTHZ-583', 'builder', 'ALTER DEFAULT PRIVILEGES.', [
      'alter default privileges for role bank_owner in schema bank grant all on tables to public',
    ]),
    writes('AUTHZ-584', 'builder', 'ALTER DEFAULT PRIVILEGES without a schema.', [
      'alter default privileges grant all on tables to public',
    ]),
    writes('AUTHZ-585', 'builder', 'GRANT of a role.', ['grant bank_owner to auditor']),
    writes('AUTHZ-586', 'builder', 'CREATE ROLE.', ['create role mine superuser login']),
    writes('AUTHZ-587', 'builder', 'ALTER ROLE.', ['alter role auditor superuser']),
    writes('AUTHZ-588', 'builder', 'ALTER ROLE ... SET.', [`alter role auditor set search_path = scratch`]),
    writes('AUTHZ-589', 'builder', 'ALTER ROLE ALL SET.', [
      'alter role all in database {{database}} set search_path = scratch',
    ]),
    writes('AUTHZ-590', 'builder', 'DROP ROLE.', ['drop role auditor']),
    writes('AUTHZ-591', 'builder', 'ALTER DATABASE ... SET.', [
      'alter database {{database}} set search_path = scratch',
    ]),
    writes('AUTHZ-592', 'builder', 'CREATE DATABASE.', ['create database mine']),
    writes('AUTHZ-593', 'builder', 'DROP DATABASE.', ['drop database {{database}}_spare'], {
      setup: 'create database {{database}}_spare',
    }),
    writes('AUTHZ-594', 'builder', 'ALTER SYSTEM.', ["alter system set log_statement = 'all'"]),
    writes('AUTHZ-595', 'builder', 'CREATE EXTENSION.', ['create extension pg_trgm schema scratch']),
    writes('AUTHZ-596', 'builder', 'DROP EXTENSION.', ['drop extension dblink']),
    writes('AUTHZ-597', 'builder', 'CREATE SERVER.', [
      `create server mine foreign data wrapper postgres_fdw options (host '127.0.0.1', port '{{port}}')`,
    ]),
    writes('AUTHZ-598', 'builder', 'CREATE USER MAPPING.', [
      `create user mapping for auditor server elsewhere options (user 'u')`,
    ]),
    writes('AUTHZ-599', 'builder', 'ALTER SERVER.', [`alter server elsewhere options (set port '1')`]),
    writes('AUTHZ-600', 'builder', 'CREATE FOREIGN DATA WRAPPER.', ['create foreign data wrapper mine']),
    writes('AUTHZ-601', 'builder', 'CREATE PUBLICATION.', ['create publication mine for all tables']),
    writes(
      'AUTHZ-602',
      'builder',
      'CREATE EVENT TRIGGER.',
      ['create event trigger mine on ddl_command_start execute function app.nothing()'],
      {
        setup: 'create function app.nothing() returns event_trigger language plpgsql as $$ begin end $$',
      },
    ),
    writes('AUTHZ-603', 'builder', 'CREATE LANGUAGE and its trust.', [
      'alter language plpgsql owner to auditor',
    ]),
    writes('AUTHZ-604', 'builder', 'CREATE ACCESS METHOD.', [
      'create access method mine type table handler heap_tableam_handler',
    ]),
    writes('AUTHZ-605', 'builder', 'SECURITY LABEL.', [`security label on table bank.audit is 'x'`], {
      inert: 'no provider of labels is loaded',
    }),
    writes('AUTHZ-606', 'builder', 'REFRESH MATERIALIZED VIEW.', [
      'refresh materialized view reporting.totals',
    ]),
    writes('AUTHZ-607', 'reader', 'VACUUM of a forbidden table.', ['vacuum full bank.audit']),
    writes('AUTHZ-608', 'reader', 'ANALYZE of everything.', ['analyze'], {
      check: `select exists (select 1 from pg_statistic where starelid = 'bank.audit'::regclass)`,
      setup: `insert into bank.audit select g, 'x' from generate_series(10, 20) g`,
    }),
    writes('AUTHZ-609', 'reader', 'ANALYZE of a granted table.', ['analyze bank.branches'], {
      check: `select exists (select 1 from pg_statistic where starelid = 'bank.branches'::regclass)`,
    }),
    writes('AUTHZ-610', 'reader', 'CLUSTER.', ['cluster bank.audit using audit_pkey']),
    writes('AUTHZ-611', 'reader', 'REINDEX.', ['reindex table bank.audit']),
    writes('AUTHZ-612', 'reader', 'REINDEX of a whole schema.', ['reindex schema bank']),
    escapes('AUTHZ-613', 'reader', 'CHECKPOINT.', [`select 'before'`, 'checkpoint'], {
      received: 'CCHECKPOINT\0',
    }),
    escapes('AUTHZ-614', 'reader', 'LOCK of a forbidden table.', [
      'begin; lock table bank.audit in access exclusive mode',
    ]),
    escapes('AUTHZ-615', 'reader', 'LOCK of a granted table.', [
      'begin; lock table bank.branches in exclusive mode',
    ]),
    escapes('AUTHZ-616', 'reader', 'SELECT FOR UPDATE of a granted table.', [
      'begin; select id from bank.branches for update',
    ]),
    escapes('AUTHZ-617', 'reader', 'SELECT FOR KEY SHARE in a subquery.', [
      'begin; select * from (select id from bank.branches for key share) s',
    ]),
    escapes('AUTHZ-618', 'reader', 'SELECT FOR SHARE OF one of two.', [
      'begin; select a.id from bank.accounts a, bank.branches b for share of a',
    ]),
  ],
};
