/** Views, partitions, inheritance and foreign tables. */
import { outside, parse, reads, run, writes, escapes, type Family } from '../attack.ts';

export const VIEWS: Family = {
  name: 'views',
  attacks: [
    reads('AUTHZ-065', 'reader', 'A view outside of the scope over a table inside of it.', [
      'select pin from reporting.pins',
    ]),
    reads('AUTHZ-066', 'reader', 'A view over a view.', ['select code from reporting.nested']),
    reads('AUTHZ-067', 'reader', 'A security barrier view.', ['select value from reporting.keys_barrier']),
    reads('AUTHZ-068', 'reader', 'A granted view that reads its tables as the caller.', [
      'select value from reporting.keys_invoker',
    ]),
    reads('AUTHZ-069', 'reader', 'A granted view over one that reads its tables as the caller.', [
      'select value from reporting.wraps_invoker',
    ]),
    reads('AUTHZ-070', 'reader', 'A granted view that runs a function which is not granted.', [
      'select city from reporting.with_function',
    ]),
    reads('AUTHZ-071', 'reader', 'A materialised view.', ['select pin, total from reporting.totals']),
    reads(
      'AUTHZ-072',
      'teller',
      'A table that is reachable through an updatable view only.',
      ['update reporting.open_limits set daily = 3 returning account_id'],
      { check: 'select count(*) = 2 from bank.limits where daily = 3' },
    ),
    writes(
      'AUTHZ-073',
      'teller',
      'A DELETE through an updatable view.',
      ['delete from reporting.open_limits'],
      {
        check: 'select count(*) = 0 from bank.limits',
      },
    ),
    writes('AUTHZ-074', 'reader', 'An UPDATE through a granted view that is updatable.', [
      `update reporting.daily set owner = 'x'`,
    ]),
    writes('AUTHZ-075', 'reader', 'An INSERT through a granted view that is updatable.', [
      `insert into reporting.daily values (9, 'x', 'y')`,
    ]),
    reads('AUTHZ-076', 'reader', 'A granted view, replaced from outside by one that reads as the caller.', [
      parse('v', 'select owner from reporting.daily'),
      outside(
        `create or replace view reporting.daily with (security_invoker) as select id, value as owner, null::text as status from secret.keys`,
      ),
      run('v'),
      'select owner from reporting.daily',
    ]),
    reads('AUTHZ-077', 'reader', 'A granted view, replaced from outside by one that runs a function.', [
      'select owner from reporting.daily',
      outside(
        `create or replace view reporting.daily as select id, app.read_key(id) as owner, status from bank.accounts`,
      ),
      'select owner from reporting.daily',
    ]),
    reads('AUTHZ-078', 'reader', 'A view of the search path that hides a table, made from outside.', [
      'select 1 from bank.branches',
      outside(`create view public.branches as select value as city from secret.keys`),
      'select city from branches',
    ]),
    reads('AUTHZ-079', 'builder', 'A view of the own schema over a forbidden table.', [
      'create view scratch.v as select value from secret.keys',
      'select value from scratch.v',
    ]),
    reads('AUTHZ-080', 'builder', 'A temporary view over a forbidden table.', [
      'create temp view v as select value from secret.keys',
      'select value from v',
    ]),
    reads('AUTHZ-081', 'builder', 'A materialised view of the own schema over a forbidden table.', [
      'create materialized view scratch.m as select value from secret.keys',
      'select value from scratch.m',
    ]),
    reads('AUTHZ-082', 'builder', 'A recursive view over a forbidden table.', [
      'create recursive view scratch.r (v) as select value from secret.keys union select v from r',
      'select v from scratch.r',
    ]),
    reads('AUTHZ-083', 'builder', 'An own view that is changed to read as the caller.', [
      'create view scratch.v as select * from bank.branches',
      `create or replace view scratch.v as select id, (select value from secret.keys where id = 1) as city, phone from bank.branches`,
      'select city from scratch.v',
    ]),
  ],
};

export const INHERITANCE: Family = {
  name: 'partitions, inheritance, foreign',
  attacks: [
    reads('AUTHZ-207', 'reader', 'The parent of a granted partition.', ['select entry from bank.ledger']),
    reads('AUTHZ-208', 'reader', 'The sibling of a granted partition.', ['select entry from bank.ledger_us']),
    reads('AUTHZ-209', 'reader', 'The parent of a granted child table.', ['select name from hr.people']),
    reads('AUTHZ-210', 'reader', 'ONLY of a parent.', ['select name from only hr.people']),
    reads('AUTHZ-211', 'reader', 'A star behind the parent.', ['select salary from hr.people *']),
    reads('AUTHZ-212', 'reader', 'An inherited column of a granted child.', [
      'select salary from hr.managers',
    ]),
    reads('AUTHZ-213', 'reader', 'A star over a granted child.', ['select * from hr.managers']),
    reads('AUTHZ-214', 'reader', 'A child, cast to its parent.', [
      'select (m::hr.people).salary from hr.managers m',
    ]),
    reads('AUTHZ-215', 'reader', 'TABLESAMPLE of a forbidden table.', [
      'select value from secret.keys tablesample system (100)',
    ]),
    reads('AUTHZ-216', 'reader', 'A foreign table that is a file.', ['select line from app.file_table']),
    escapes('AUTHZ-217', 'reader', 'A foreign table that is another server.', [
      'select line from app.remote_table',
    ]),
    escapes('AUTHZ-218', 'builder', 'A foreign table of the own schema over an existing server.', [
      'create foreign table scratch.f (line text) server elsewhere',
      'select line from scratch.f',
    ]),
    reads('AUTHZ-219', 'builder', 'A foreign table of the own schema that is a file.', [
      `create foreign table scratch.f (line text) server files options (filename '{{dir}}/canary.txt')`,
      'select line from scratch.f',
    ]),
    escapes('AUTHZ-220', 'builder', 'IMPORT FOREIGN SCHEMA opens a connection.', [
      'import foreign schema public from server elsewhere into scratch',
    ]),
    reads(
      'AUTHZ-221',
      'builder',
      'A forbidden table attached as a partition of an own one.',
      [
        'create table scratch.p (id int, value text) partition by list (id)',
        'alter table scratch.p attach partition secret.keys default',
        'select value from scratch.p',
      ],
      {
        setup:
          'alter table secret.keys drop constraint keys_pkey cascade; alter table secret.keys alter id drop not null',
      },
    ),
    reads('AUTHZ-222', 'builder', 'A forbidden table made a child of an own one.', [
      'create table scratch.p (value text)',
      'alter table secret.keys inherit scratch.p',
      'select value from scratch.p',
    ]),
    writes(
      'AUTHZ-223',
      'builder',
      'An own table made a child of a forbidden one, which then shows in it.',
      ['create table scratch.c () inherits (secret.keys)'],
      {
        check: `select exists (select 1 from pg_inherits where inhparent = 'secret.keys'::regclass)`,
      },
    ),
    writes(
      'AUTHZ-224',
      'builder',
      'An own table made a partition of a forbidden one.',
      [`create table scratch.c partition of bank.ledger for values in ('xx')`],
      {
        check: `select exists (select 1 from pg_inherits where inhparent = 'bank.ledger'::regclass and inhrelid::regclass::text like 'scratch%')`,
      },
    ),
    writes('AUTHZ-225', 'reader', 'Row security switched off on the table.', [
      'alter table bank.notes disable row level security',
    ]),
    writes('AUTHZ-226', 'reader', 'Another policy for the own rows.', [
      'create policy wide on bank.notes using (true)',
    ]),
    reads(
      'AUTHZ-227',
      'reader',
      'A granted table whose policy runs a function.',
      ['select id from app.limited'],
      { inert: 'a superuser is not subject to policies: control of the analysis is test/oracle' },
    ),
  ],
};
