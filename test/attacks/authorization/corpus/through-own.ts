/** What one may make, used to reach what one may not. */
import { copyIn, reads, writes, type Family } from '../attack.ts';

const VIEW = 'create view scratch.v as select * from bank.branches';

export const THROUGH_OWN: Family = {
  name: 'through what one may make',
  attacks: [
    writes('AUTHZ-754', 'builder', 'An UPDATE through an own view, with the rights of its owner.', [
      VIEW,
      `update scratch.v set city = 'x'`,
    ]),
    writes('AUTHZ-755', 'builder', 'An INSERT through an own view.', [
      VIEW,
      `insert into scratch.v values (9, 'x', 'y')`,
    ]),
    writes('AUTHZ-756', 'builder', 'A DELETE through an own view.', [VIEW, 'delete from scratch.v']),
    writes(
      'AUTHZ-757',
      'builder',
      'A MERGE through an own view.',
      [VIEW, 'merge into scratch.v v using (values (1)) s(id) on v.id = s.id when matched then delete'],
      { since: 17 },
    ),
    writes(
      'AUTHZ-758',
      'builder',
      'COPY through an own view.',
      [VIEW, copyIn('copy scratch.v from stdin', '9\tx\ty\n')],
      { inert: 'the server copies into no view without a trigger' },
    ),
    writes('AUTHZ-759', 'builder', 'An UPDATE through a temporary view.', [
      'create temp view v as select * from bank.branches',
      `update v set city = 'x'`,
    ]),
    writes('AUTHZ-760', 'builder', 'An UPDATE through an own view over an own view.', [
      VIEW,
      'create view scratch.w as select id, city from scratch.v',
      `update scratch.w set city = 'x'`,
    ]),
    writes('AUTHZ-761', 'builder', 'An own view that is made writable by CREATE OR REPLACE.', [
      'create view scratch.v as select * from bank.branches offset 0',
      'create or replace view scratch.v as select * from bank.branches',
      'delete from scratch.v',
    ]),
    writes('AUTHZ-762', 'builder', 'An own view that read as the caller, and then as its owner.', [
      'create view scratch.v with (security_invoker) as select * from bank.branches',
      'alter view scratch.v reset (security_invoker)',
      'delete from scratch.v',
    ]),
    writes(
      'AUTHZ-763',
      'builder',
      'An own rule that turns a write of an own table into one of a granted one.',
      [
        'create table scratch.t (id int)',
        'create rule r as on delete to scratch.t do instead delete from bank.branches',
        'delete from scratch.t',
      ],
    ),
    writes('AUTHZ-764', 'builder', 'An own rule with a condition, on an own view.', [
      'create view scratch.v as select * from bank.branches offset 0',
      `create rule r as on update to scratch.v do instead update bank.branches set city = 'x' where id = old.id`,
      'update scratch.v set phone = null',
    ]),
    reads('AUTHZ-765', 'builder', 'LIKE copies a default that runs a function.', [
      'create table scratch.t (like app.forms including defaults)',
      'insert into scratch.t (id) values (1) returning stamp',
    ]),
    reads('AUTHZ-766', 'builder', 'LIKE copies a check that runs a function.', [
      'create table scratch.t (like app.checked including constraints)',
      'insert into scratch.t values (1)',
    ]),
    reads('AUTHZ-767', 'builder', 'LIKE copies a generated column that runs a function.', [
      'create table scratch.t (like app.made including generated)',
      'insert into scratch.t (id) values (1) returning code',
    ]),
    reads('AUTHZ-768', 'builder', 'LIKE copies an index whose expression runs a function.', [
      'create table scratch.t (like app.indexed including indexes)',
      'insert into scratch.t values (1)',
    ]),
    reads('AUTHZ-769', 'reader', 'The input function of domains, which takes the type as a number.', [
      `select domain_in('x', oid, -1) from pg_type where typname = 'loud'`,
    ]),
    reads('AUTHZ-770', 'reader', 'The input function of rows, which takes the type as a number.', [
      `select record_in('(1,x)', ('app.typed'::regtype)::oid, -1)`,
    ]),
    reads('AUTHZ-771', 'reader', 'The input function of arrays, which takes the type as a number.', [
      `select array_in('{x}', ('app.loud'::regtype)::oid, -1)`,
    ]),
    reads('AUTHZ-772', 'reader', 'The input function of domains, with a constant.', [
      `select domain_in('x', ('app.loud'::regtype)::oid, -1)`,
    ]),
    reads('AUTHZ-773', 'builder', 'A range over a domain that runs a function.', [
      'create type scratch.span as range (subtype = app.loud)',
      `select '[a,b]'::scratch.span`,
    ]),
    reads('AUTHZ-774', 'builder', 'A composite type with a domain that runs a function.', [
      'create type scratch.pair as (a app.loud)',
      `select '(x)'::scratch.pair`,
    ]),
    reads('AUTHZ-775', 'builder', 'A domain over a domain that runs a function.', [
      'create domain scratch.quiet as app.loud',
      `select 'x'::scratch.quiet`,
    ]),
    reads('AUTHZ-776', 'builder', 'A domain whose default runs a function.', [
      'create domain scratch.d as text default app.read_key(1)',
      'create table scratch.t (id int, v scratch.d)',
      'insert into scratch.t (id) values (1) returning v',
    ]),
    reads('AUTHZ-777', 'builder', 'A view of a granted table whose condition runs a function.', [
      'create view scratch.v as select city from bank.branches where app.tell(city) offset 0',
      'select city from scratch.v',
    ]),
    reads(
      'AUTHZ-778',
      'builder',
      'A foreign key to an own table from which rows cascade to a table with a trigger.',
      [
        'create table scratch.base (id int primary key)',
        'alter table app.chain add foreign key (id) references scratch.base on delete cascade',
      ],
      {
        check: `select exists (select 1 from pg_constraint where confrelid::regclass::text = 'scratch.base')`,
        setup: 'delete from app.chain',
      },
    ),
  ],
};
