/** Plain columns under other names, in other places, and more of them than were asked for. */
import { attempt, type Family } from '../attempt.ts';

export const COLUMNS: Family = {
  name: 'columns and aliases',
  attempts: [
    attempt('MASK-001', 'A column by its name.', 'select ssn from bank.customers order by id'),
    attempt(
      'MASK-002',
      'An alias that sounds harmless.',
      'select ssn as region from bank.customers order by id',
    ),
    attempt(
      'MASK-003',
      'Names swapped by aliases.',
      'select region as ssn, ssn as region, id as pin, pin as id from bank.customers',
    ),
    attempt('MASK-004', 'A star.', 'select * from bank.customers order by id'),
    attempt('MASK-005', 'TABLE.', 'table bank.customers'),
    attempt(
      'MASK-006',
      'A column before a star, so that positions move.',
      'select region, * from bank.customers order by id',
    ),
    attempt('MASK-007', 'A star before a column.', 'select *, region, id from bank.customers order by id'),
    attempt('MASK-008', 'Two stars.', 'select *, * from bank.customers'),
    attempt(
      'MASK-009',
      'A star of one of two tables.',
      'select b.*, c.* from bank.branches b join bank.customers c on c.branch = b.id order by c.id',
    ),
    attempt(
      'MASK-010',
      'A star of a join with USING, whose column comes once.',
      'select * from (select id, region from bank.customers) a join bank.customers using (id) order by id',
    ),
    attempt(
      'MASK-011',
      'A star of a natural join.',
      'select * from bank.branches natural join bank.customers order by id',
    ),
    attempt(
      'MASK-012',
      'Column aliases of a table.',
      'select a, e, f from bank.customers as t (a, b, c, d, e, f) order by a',
    ),
    attempt(
      'MASK-013',
      'Column aliases of fewer columns, with a star.',
      'select * from bank.customers as t (region, id) order by 1',
    ),
    attempt(
      'MASK-014',
      'Column aliases of a join.',
      'select q5, q6 from (bank.customers c cross join bank.branches b) as j (q1, q2, q3, q4, q5, q6)',
    ),
    attempt(
      'MASK-015',
      'Column aliases of a subquery.',
      'select region from (select id, ssn, pin from bank.customers) as t (id, region, city) order by id',
    ),
    attempt(
      'MASK-016',
      'An alias of the whole table that is a column of another.',
      'select region.ssn from bank.customers as region, bank.branches as ssn order by region.id',
    ),
    attempt(
      'MASK-017',
      'A subquery in FROM, five deep.',
      'select v from (select v from (select v from (select v from (select ssn as v, id from bank.customers) a) b) c) d',
    ),
    attempt(
      'MASK-018',
      'A scalar subquery in the select list.',
      'select (select ssn from bank.customers c where c.id = b.id) from bank.branches b order by b.id',
    ),
    attempt(
      'MASK-019',
      'A scalar subquery of a scalar subquery.',
      'select (select (select x.pin)::text) from (select * from bank.customers where id < 3) x',
    ),
    attempt(
      'MASK-020',
      'A correlated column from outside in a subquery.',
      'select (select c.name from bank.branches b where b.id = 1) from bank.customers c order by id',
    ),
    attempt('MASK-021', 'ARRAY of a subquery.', 'select array(select ssn from bank.customers order by id)'),
    attempt(
      'MASK-022',
      'A CTE.',
      'with c as (select ssn as a, id from bank.customers) select a from c order by id',
    ),
    attempt(
      'MASK-023',
      'A CTE with column names of its own.',
      'with c (id, region) as (select ssn, pin from bank.customers) select region, id from c',
    ),
    attempt(
      'MASK-024',
      'A CTE that has the name of a table.',
      'with branches as (select ssn as city from bank.customers) select city from branches',
    ),
    attempt(
      'MASK-025',
      'A CTE of a CTE, materialised.',
      'with a as materialized (select name from bank.customers), b as not materialized (select name as x from a) select x from b',
    ),
    attempt(
      'MASK-026',
      'A CTE inside a subquery that hides another.',
      'with c as (select city as v from bank.branches) select * from (with c as (select ssn as v from bank.customers) select v from c) s',
    ),
    attempt(
      'MASK-027',
      'A recursive CTE that carries it along.',
      'with recursive r (n, v) as (select 1, ssn from bank.customers where id = 1 union all select n + 1, v from r where n < 4) select v from r',
    ),
    attempt(
      'MASK-028',
      'A recursive CTE whose second part brings it in.',
      `with recursive r (n, v) as (select 0, 'start' union all select n + 1, c.ssn from r join bank.customers c on c.id = n + 1 where n < 12) select v from r`,
    ),
    attempt(
      'MASK-029',
      'A recursive CTE in which columns change places.',
      `with recursive r (n, x, y, z) as (select 1, city, city, ssn from bank.branches b join bank.customers c using (id) where id = 1 union all select n + 1, y, z, x from r where n < 5) select x from r`,
    ),
    attempt(
      'MASK-030',
      'SEARCH and CYCLE columns of a recursive CTE.',
      `with recursive r (v, p) as (select ssn, 1 from bank.customers where id = 1 union all select v, p + 1 from r where p < 3) search depth first by v set o cycle v set c using path select o::text, path::text from r`,
      { since: 14 },
    ),
    attempt(
      'MASK-031',
      'UNION ALL behind harmless rows.',
      'select city from bank.branches union all select ssn from bank.customers',
    ),
    attempt(
      'MASK-032',
      'UNION ALL in which columns change places.',
      'select id::text, city from bank.branches union all select name, ssn from bank.customers',
    ),
    attempt(
      'MASK-033',
      'UNION ALL in a subquery of a CTE.',
      'with u as (select city v from bank.branches union all (select email from bank.customers order by id limit 3)) select v from u',
    ),
    attempt(
      'MASK-034',
      'EXCEPT ALL of nothing.',
      `select ssn from bank.customers except all select city from bank.branches`,
    ),
    attempt(
      'MASK-035',
      'VALUES with a subquery.',
      'values ((select ssn from bank.customers where id = 1)), ((select pin::text from bank.customers where id = 2))',
    ),
    attempt(
      'MASK-036',
      'VALUES in FROM, lateral.',
      'select v.x from bank.customers c, lateral (values (c.ssn), (c.name)) v (x) order by c.id',
    ),
    attempt(
      'MASK-037',
      'LATERAL subquery.',
      'select l.x from bank.branches b, lateral (select c.pin as x from bank.customers c where c.branch = b.id) l',
    ),
    attempt(
      'MASK-038',
      'A nullable side of an outer join.',
      'select c.ssn, b.city from bank.branches b left join bank.customers c on c.id = b.id order by b.id',
    ),
    attempt(
      'MASK-039',
      'A full join with USING merges two columns of a class.',
      'select ssn from bank.events full join bank.tracked using (ssn) order by 1',
      { once: true },
    ),
    attempt('MASK-040', 'TABLESAMPLE.', 'select ssn from bank.customers tablesample bernoulli (100)'),
    attempt(
      'MASK-041',
      'TABLESAMPLE of an alias with column aliases.',
      'select e from bank.customers as t (a, b, c, d, e) tablesample system (100)',
    ),
    attempt('MASK-042', 'FOR UPDATE.', 'select ssn from bank.customers order by id for update', {
      once: true,
    }),
    attempt(
      'MASK-043',
      'Column names that need quotes.',
      'select "SSN", "select", "two words", "Ünï" from bank.odd',
    ),
    attempt(
      'MASK-044',
      'Column names written with escapes.',
      `select U&"\\0053\\0053\\004e", U&"!00dcn!00ef" uescape '!' from bank.odd`,
    ),
    attempt('MASK-045', 'Names in capitals, which fold.', 'SELECT SSN, NAME, PIN FROM BANK.CUSTOMERS'),
    attempt(
      'MASK-046',
      'Comments between the parts of a name.',
      'select c/**/./* x */ssn from bank/**/./**/customers -- y\n c',
    ),
    attempt(
      'MASK-047',
      'The database before the schema.',
      'select customers.ssn, {{database}}.bank.customers.pin from {{database}}.bank.customers',
    ),
    attempt(
      'MASK-048',
      'The schema and table before the column.',
      'select bank.customers.ssn, bank.customers.id from bank.customers order by 2',
    ),
    attempt('MASK-049', 'The path finds the table.', [
      'set search_path = bank',
      'select ssn from customers order by id',
    ]),
    attempt(
      'MASK-050',
      'Every column for itself.',
      'select name, ssn, email, phone, pan, pin from bank.customers order by id',
    ),
    attempt(
      'MASK-051',
      'Numbers.',
      'select balance, score, big, ratio, cash from bank.customers order by id',
    ),
    attempt('MASK-052', 'Dates and moments.', 'select dob, seen from bank.customers order by id'),
    attempt('MASK-053', 'Documents.', 'select profile, raw, doc, words from bank.customers order by id'),
    attempt(
      'MASK-054',
      'Arrays, a range, a composite, bytes and a key.',
      'select tags, marks, span, addr, scan, ref from bank.customers order by id',
    ),
    attempt('MASK-055', 'Free text with values inside.', 'select id, notes from bank.customers order by id'),
    attempt(
      'MASK-056',
      'Columns of which a part is shown: only that part.',
      'select id, number, card, mail, born, iban, salary from bank.accounts order by id',
      { residue: true },
    ),
    attempt(
      'MASK-057',
      'Partial columns under each other by UNION ALL.',
      'select number from bank.accounts union all select card from bank.accounts union all select mail from bank.accounts',
      { residue: true },
    ),
    attempt(
      'MASK-058',
      'Partial columns through a CTE and a view of the session.',
      'with c as (select card as a, born as b, salary as d, id from bank.accounts) select d, b, a from c order by id',
      { residue: true },
    ),
  ],
};

export const RELATIONS: Family = {
  name: 'views, partitions, inheritance',
  attempts: [
    attempt('MASK-059', 'A view that renames.', 'select code from bank.v_direct order by id'),
    attempt('MASK-060', 'A view of a view.', 'select x from bank.v_nested order by id'),
    attempt(
      'MASK-061',
      'A view of a view of a view, with a star.',
      'select * from bank.v_nested_again order by id',
    ),
    attempt('MASK-062', 'A view with an expression.', 'select n from bank.v_loud order by id'),
    attempt('MASK-063', 'A view made with a star.', 'select * from bank.v_star order by id'),
    attempt('MASK-064', 'A security barrier view.', 'select p from bank.v_barrier order by id'),
    attempt('MASK-065', 'A view of a UNION.', 'select v from bank.v_union'),
    attempt('MASK-066', 'A view with a CTE.', 'select e from bank.v_cte order by id'),
    attempt('MASK-067', 'A view with an aggregate.', 'select region, top from bank.v_groups order by region'),
    attempt('MASK-068', 'A view whose order tells.', 'select id from bank.v_order'),
    attempt('MASK-069', 'A view whose condition tells.', 'select id from bank.v_filter order by id'),
    attempt('MASK-070', 'A view that counts by a condition.', 'select count(*) from bank.v_filter'),
    attempt('MASK-071', 'A view of whole rows.', 'select c from bank.v_row order by (c).id'),
    attempt(
      'MASK-072',
      'A field of a whole row of a view.',
      'select (c).ssn, ((c).addr).street from bank.v_row',
    ),
    attempt('MASK-073', 'A materialized view.', 'select s, n, d from bank.m_customers order by id'),
    attempt('MASK-074', 'A materialized view as a row.', 'select m from bank.m_customers m order by id'),
    attempt('MASK-075', 'A partition.', 'select ssn from bank.events_north'),
    attempt('MASK-076', 'The partitioned table.', 'select what, ssn from bank.events order by id'),
    attempt('MASK-077', 'ONLY of a parent.', 'select name from only bank.people'),
    attempt('MASK-078', 'A child with an inherited column.', 'select name, pin from bank.staff'),
    attempt('MASK-079', 'The parent reads its children.', 'select * from bank.people order by id'),
    attempt('MASK-080', 'A generated column.', 'select loud from bank.gen order by id'),
    attempt(
      'MASK-081',
      'A view made by the attacker.',
      ['create view bank.mine as select ssn as a from bank.customers', 'select a from bank.mine'],
      { once: true },
    ),
    attempt(
      'MASK-082',
      'A temporary view.',
      ['create temp view mine as select ssn || pin as a from bank.customers', 'select a from mine'],
      { once: true },
    ),
    attempt(
      'MASK-083',
      'A recursive view.',
      [
        'create recursive view bank.mine (n, v) as select id, ssn from bank.customers where id = 1 union all select n + 1, v from mine where n < 3',
        'select v from bank.mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-084',
      'A view made by somebody else in the meantime.',
      [
        'select id from bank.branches',
        { kind: 'outside', sql: 'create view bank.late as select id, ssn as city from bank.customers' },
        'select city from bank.late order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-085',
      'A view replaced by somebody else in the meantime.',
      [
        'select id from bank.v_cte order by id',
        {
          kind: 'outside',
          sql: 'drop view bank.v_cte; create view bank.v_cte as select id, pin::varchar(60) as e from bank.customers',
        },
        'select e from bank.v_cte order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-086',
      'A table renamed by the attacker.',
      ['alter table bank.customers rename to harmless', 'select ssn from bank.harmless order by id'],
      { once: true },
    ),
    attempt(
      'MASK-087',
      'A column renamed by the attacker.',
      ['alter table bank.customers rename column ssn to note', 'select note from bank.customers order by id'],
      { once: true },
    ),
    attempt(
      'MASK-088',
      'Two columns change names.',
      [
        'alter table bank.customers rename column region to tmp; alter table bank.customers rename column ssn to region; alter table bank.customers rename column tmp to ssn',
        'select region from bank.customers order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-089',
      'A schema renamed.',
      ['alter schema bank rename to harmless', 'select ssn from harmless.customers order by id'],
      { once: true },
    ),
    attempt(
      'MASK-090',
      'A table moved to another schema.',
      ['alter table bank.customers set schema shadow', 'select ssn from shadow.customers order by id'],
      { once: true },
    ),
    attempt(
      'MASK-091',
      'A partition detached.',
      [
        'alter table bank.events detach partition bank.events_north',
        'select ssn from bank.events_north order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-092',
      'A child that inherits no more.',
      ['alter table bank.staff no inherit bank.people', 'select name from bank.staff'],
      { once: true },
    ),
    attempt(
      'MASK-093',
      'A renamed view column.',
      ['alter view bank.v_direct rename column code to city', 'select city from bank.v_direct order by id'],
      { once: true },
    ),
    attempt(
      'MASK-094',
      'A table made a partition of another.',
      [
        'create table bank.roof (id int, ssn text) partition by range (id)',
        'alter table bank.roof attach partition bank.tracked for values from (0) to (10)',
        'select ssn from bank.roof order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-095',
      'A table made a child of another.',
      [
        'create table bank.roof (id int, ssn text)',
        'alter table bank.tracked inherit bank.roof',
        'select ssn from bank.roof order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-096',
      'CREATE TABLE LIKE and rename.',
      [
        'create table bank.twin (like bank.tracked)',
        'insert into bank.twin select * from bank.tracked',
        'select * from bank.twin order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-878',
      'A view made by the attacker, whose condition tells.',
      [
        `create view bank.mine as select id from bank.customers where ssn < '8'`,
        'select count(*) from bank.mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-879',
      'A view made by the attacker, whose order tells.',
      [
        'create view bank.mine as select id from bank.customers order by ssn limit 3',
        'select id from bank.mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-880',
      'A temporary view made by the attacker, with a guess.',
      [
        `create temp view mine as select id from bank.customers where ssn = '{{ssn3}}'`,
        'select id from mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-881',
      'A view made by the attacker, whose column is a bit.',
      [
        `create view bank.mine as select id, ssn < '8' as low from bank.customers`,
        'select id from bank.mine where low',
        'select low from bank.mine order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-882',
      'A function made by the attacker, whose condition tells.',
      [
        `create function bank.mine() returns bigint language sql stable as $$ select count(*) from bank.customers where ssn < '8' $$`,
        'select bank.mine()',
      ],
      { once: true },
    ),
    attempt(
      'MASK-883',
      'A materialized view made by the attacker, whose condition tells.',
      [
        `create materialized view bank.mine as select id from bank.customers where ssn < '8'`,
        'select count(*) from bank.mine',
      ],
      { once: true },
    ),
  ],
};
