/** Definitions: what is made before it says anything, and says it later. */
import { attempt, outside, type Family } from '../attempt.ts';

const NINES = '9'.repeat(1000);

/** The gateway sees what was made. */
const LOOK = outside('select 1');

export const DEFINITIONS: Family = {
  name: 'definitions',
  attempts: [
    attempt(
      'MASK-930',
      'A view over a function that is given another body afterwards.',
      [
        "create function f1() returns bigint language sql stable as 'select 1::bigint'",
        'create view w1 as select f1() as n',
        "create or replace function f1() returns bigint language sql stable as 'select count(*) from bank.customers where ssn < ''8'''",
        LOOK,
        'select n from w1',
      ],
      { once: true },
    ),
    attempt(
      'MASK-931',
      'A view with a condition over a view that is replaced.',
      [
        "create view t2 as select 1 as id, 'a'::text as x",
        "create view w2 as select count(*) from t2 where x < '8'",
        'create or replace view t2 as select id, ssn as x from bank.customers',
        LOOK,
        'select * from w2',
      ],
      { once: true },
    ),
    attempt(
      'MASK-932',
      'A view over a function whose body names a view that is made anew.',
      [
        "create view t3 as select 1 as id, 'a'::text as x",
        "create function f3() returns bigint language sql stable as 'select count(*) from t3 where x < ''8'''",
        LOOK,
        'create view w3 as select f3() as n',
        'drop view t3',
        LOOK,
        'create view t3 as select id, ssn as x from bank.customers',
        LOOK,
        'select n from w3',
      ],
      { once: true },
    ),
    attempt(
      'MASK-933',
      'replace() within replace(), until it no longer fits.',
      [
        `select replace(replace(replace(replace(ssn,'9','${NINES}'),'9','${NINES}'),'9','${NINES}'),'9','${NINES}') from bank.customers where id = 1`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-934',
      'Concatenation with itself, until it no longer fits.',
      [
        'with a as (select name as x from bank.customers where id = 1) , a0 as materialized (select x||x as x from a), a1 as materialized (select x||x as x from a0), a2 as materialized (select x||x as x from a1), a3 as materialized (select x||x as x from a2), a4 as materialized (select x||x as x from a3), a5 as materialized (select x||x as x from a4), a6 as materialized (select x||x as x from a5), a7 as materialized (select x||x as x from a6), a8 as materialized (select x||x as x from a7), a9 as materialized (select x||x as x from a8), a10 as materialized (select x||x as x from a9), a11 as materialized (select x||x as x from a10), a12 as materialized (select x||x as x from a11), a13 as materialized (select x||x as x from a12), a14 as materialized (select x||x as x from a13), a15 as materialized (select x||x as x from a14), a16 as materialized (select x||x as x from a15), a17 as materialized (select x||x as x from a16), a18 as materialized (select x||x as x from a17), a19 as materialized (select x||x as x from a18), a20 as materialized (select x||x as x from a19), a21 as materialized (select x||x as x from a20), a22 as materialized (select x||x as x from a21), a23 as materialized (select x||x as x from a22), a24 as materialized (select x||x as x from a23), a25 as materialized (select x||x as x from a24), a26 as materialized (select x||x as x from a25) select length(x) from a26',
      ],
      { once: true },
    ),
    attempt(
      'MASK-935',
      'Copies of one number fill a group of the minimum size.',
      [
        'insert into bank.accounts (id, salary) select 100+g, salary from bank.accounts, generate_series(1,5) g where accounts.id = 1',
        'select avg(salary) from bank.accounts where id > 100 having count(*) >= 5',
      ],
      { once: true },
    ),
    attempt(
      'MASK-936',
      'A class for a table of the own, by a comment, whose check looks at what moves there.',
      [
        "create table mine9 (x text, constraint c9 check (x < '8'))",
        "comment on column mine9.x is 'countersign:class=ssn'",
        LOOK,
        'insert into mine9 select ssn from bank.customers where id = 1',
        'insert into mine9 select ssn from bank.customers where id = 3',
      ],
      { once: true },
    ),
    attempt(
      'MASK-937',
      'The same by LIKE with comments.',
      [
        "create table mine10 (like bank.events including comments, check (ssn < '8'))",
        LOOK,
        'insert into mine10 (ssn) select ssn from bank.events where id = 1',
      ],
      { once: true },
    ),
    attempt(
      'MASK-938',
      'The same by inheritance.',
      [
        "create table mine11 (check (name < 'M')) inherits (bank.people)",
        LOOK,
        'insert into mine11 select * from only bank.people where id = 1',
      ],
      { once: true },
    ),
    attempt(
      'MASK-939',
      'The same with a check that comes later.',
      [
        'create table mine12 () inherits (bank.people)',
        "alter table mine12 add check (name < 'M')",
        LOOK,
        'insert into mine12 select * from only bank.people where id = 1',
      ],
      { once: true },
    ),
    attempt(
      'MASK-940',
      'Written through a view of a temporary table.',
      [
        'create temp table mine (v text)',
        'create temp view tv as select v from mine',
        'insert into tv select ssn from bank.customers',
        'select v from mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-941',
      'A view of a temporary table that is filled later.',
      [
        'create temp table mine (v text)',
        'create temp view tv as select v from mine',
        'insert into mine select ssn from bank.customers',
        'select v from tv',
      ],
      { once: true },
    ),
    attempt(
      'MASK-942',
      'A generated column of a temporary table.',
      [
        'create temp table mine (v text, w text generated always as (upper(v)) stored)',
        'insert into mine (v) select ssn from bank.customers',
        'select w from mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-943',
      'A trigger of a temporary table computes another column.',
      [
        'create temp table mine (v text, w tsvector)',
        "create trigger t before insert on mine for each row execute function tsvector_update_trigger(w,'pg_catalog.simple',v)",
        'insert into mine (v) select name from bank.customers',
        'select w from mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-944',
      'A rule of a temporary table writes elsewhere.',
      [
        'create temp table mine (v text)',
        'create rule r as on insert to mine do also insert into bank.plain (id, v) values (99, new.v)',
        'insert into mine (v) select ssn from bank.customers where id = 1',
        'select v from bank.plain where id = 99',
      ],
      { once: true },
    ),
    attempt(
      'MASK-945',
      'A check of a temporary table.',
      [
        "create temp table mine (v text check (v < '8'))",
        'insert into mine (v) select ssn from bank.customers where id = 1',
        'insert into mine (v) select ssn from bank.customers where id = 3',
      ],
      { once: true },
    ),
    attempt(
      'MASK-946',
      'A precision in a temporary table.',
      [
        'create temp table mine (v numeric(7,0))',
        'insert into mine (v) select balance from bank.customers where id = 1',
        'insert into mine (v) select balance from bank.customers where id = 2',
        'insert into mine (v) select balance from bank.customers where id = 3',
        'insert into mine (v) select balance from bank.customers where id = 4',
        'insert into mine (v) select balance from bank.customers where id = 5',
        'insert into mine (v) select balance from bank.customers where id = 6',
      ],
      { once: true },
    ),
    attempt(
      'MASK-947',
      'A domain in a temporary table.',
      [
        'create domain dd as int check (value < 3000000)',
        LOOK,
        'create temp table mine (v dd)',
        'insert into mine (v) select score from bank.customers where id = 1',
        'insert into mine (v) select score from bank.customers where id = 2',
        'insert into mine (v) select score from bank.customers where id = 3',
        'insert into mine (v) select score from bank.customers where id = 4',
        'insert into mine (v) select score from bank.customers where id = 5',
        'insert into mine (v) select score from bank.customers where id = 6',
      ],
      { once: true },
    ),
    attempt(
      'MASK-948',
      'A key of a temporary table meets a guess.',
      [
        'create temp table mine (v text primary key)',
        "insert into mine values ('{{ssn1}}')",
        'insert into mine (v) select ssn from bank.customers where id = 1',
      ],
      { once: true },
    ),
    attempt(
      'MASK-949',
      'An array of arrays is one only if they are of one size.',
      [
        "select array[tags, array['a','b','c']] from bank.customers where id = 1",
        "select array[tags, array['a','b']] from bank.customers where id = 1",
        "select array[tags, array['a']] from bank.customers where id = 1",
      ],
      { once: true },
    ),
    attempt(
      'MASK-950',
      'ARRAY of rows that are arrays.',
      ["select array(select tags from bank.customers where id = 1 union all select array['a','b'])"],
      { once: true },
    ),
    attempt(
      'MASK-951',
      'count(DISTINCT) with a guess among the values.',
      [
        "select count(distinct v) from (select ssn v from bank.customers where id=1 union all select '{{ssn1}}') s",
      ],
      { once: true },
    ),
    attempt(
      'MASK-952',
      'The default of an argument reads.',
      [
        "create function leak(x text default bank.ssn_of(1)) returns text language sql immutable as 'select x'",
        LOOK,
        'select leak()',
      ],
      { once: true },
    ),
    attempt(
      'MASK-953',
      'The default of a temporary table runs a function that is replaced.',
      [
        "create function g33() returns text language sql stable as 'select ''a''::text'",
        LOOK,
        'create temp table mine (id int, v text default g33())',
        "create or replace function g33() returns text language sql stable as 'select ssn from bank.customers where id = 1'",
        LOOK,
        'insert into mine (id) values (1)',
        'select v from mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-954',
      'A materialized view over a function that is replaced.',
      [
        "create function f34(i int) returns text language sql stable as 'select ssn from bank.customers where id = i'",
        LOOK,
        'create materialized view m34 as select id, f34(id) as s from bank.customers',
        LOOK,
        "create or replace function f34(i int) returns text language sql stable as 'select ''a''::text'",
        LOOK,
        'select s from m34',
      ],
      { once: true },
    ),
    attempt(
      'MASK-955',
      'A materialized view over a view that is replaced.',
      [
        'create view t35 as select id, ssn as x from bank.customers',
        LOOK,
        'create materialized view m35 as select x from t35',
        LOOK,
        "create or replace view t35 as select id, 'a'::text as x from bank.customers",
        LOOK,
        'select x from m35',
      ],
      { once: true },
    ),
    attempt(
      'MASK-956',
      'A materialized view of the owner over a view that is replaced.',
      [
        outside(
          'create view bank.t39 as select id, ssn as x from bank.customers; create materialized view bank.m39 as select x from bank.t39',
        ),
        "create or replace view bank.t39 as select id, 'a'::text as x from bank.customers",
        LOOK,
        'select x from bank.m39',
      ],
      { once: true },
    ),
  ],
};
