/** Forbidden relations in every place of a query that can hold one. */
import { extended, reads, writes, type Family } from '../attack.ts';

export const SUBQUERIES: Family = {
  name: 'subqueries',
  attacks: [
    reads('AUTHZ-084', 'reader', 'In the select list.', [
      'select (select max(value) from secret.keys) from bank.branches',
    ]),
    reads('AUTHZ-085', 'reader', 'In FROM.', ['select s.value from (select * from secret.keys) s']),
    reads('AUTHZ-086', 'reader', 'In FROM LATERAL.', [
      'select s.value from bank.branches b, lateral (select value from secret.keys k where k.id = b.id) s',
    ]),
    reads(
      'AUTHZ-087',
      'reader',
      'In WHERE, as an oracle.',
      [
        `select 'Y' || 'ES' from bank.branches where exists (select 1 from secret.keys where value like '%-key-1')`,
      ],
      { received: 'YES' },
    ),
    reads(
      'AUTHZ-088',
      'reader',
      'In ORDER BY, as an oracle.',
      [
        `select city from bank.branches order by (select case when value like '%key-1' then id else -id end * branches.id from secret.keys where id = 1) desc limit 1`,
      ],
      { received: 'Oslo' },
    ),
    reads('AUTHZ-089', 'reader', 'In GROUP BY.', [
      'select count(*), (select value from secret.keys where id = 1) from bank.branches group by 2',
    ]),
    reads(
      'AUTHZ-090',
      'reader',
      'In HAVING, as an oracle.',
      [
        `select 'Y' || 'ES' from bank.branches having exists (select 1 from secret.keys where value like '%key-2')`,
      ],
      { received: 'YES' },
    ),
    reads(
      'AUTHZ-091',
      'reader',
      'In LIMIT.',
      [
        `select city from bank.branches order by id limit (select length(value) - 9 from secret.keys where id = 1)`,
      ],
      { received: 'Bern' },
    ),
    reads(
      'AUTHZ-092',
      'reader',
      'In OFFSET.',
      [
        `select city from bank.branches order by id offset (select length(value) - 9 from secret.keys where id = 1)`,
      ],
      { received: 'Oslo' },
    ),
    reads('AUTHZ-093', 'reader', 'In VALUES.', ['values ((select value from secret.keys where id = 1))']),
    reads('AUTHZ-094', 'reader', 'In CASE.', [
      'select case when (select true from secret.keys limit 1) then (select value from secret.keys limit 1) end',
    ]),
    reads('AUTHZ-095', 'reader', 'In COALESCE and NULLIF.', [
      `select coalesce(nullif((select value from secret.keys where id = 2), ''), '')`,
    ]),
    reads('AUTHZ-096', 'reader', 'In ARRAY.', ['select array(select value from secret.keys)']),
    reads(
      'AUTHZ-097',
      'reader',
      'In the subscript of an array.',
      [`select (array['no', 'x', 'Y' || 'ES'])[(select count(*) + 1 from secret.keys)]`],
      { received: 'YES' },
    ),
    reads(
      'AUTHZ-098',
      'reader',
      'In a row comparison.',
      [`select 'Y' || 'ES' where (1, 'x') < (select id + 1, value from secret.keys where id = 1)`],
      { received: 'YES' },
    ),
    reads(
      'AUTHZ-099',
      'reader',
      'In = ANY.',
      [`select 'Y' || 'ES' where reverse('1-yek-YRNC') = any (select value from secret.keys)`],
      { received: 'YES' },
    ),
    reads('AUTHZ-100', 'reader', 'In a window definition.', [
      'select max(city) over (order by (select value from secret.keys where id = 1)), (select value from secret.keys limit 1) from bank.branches window w as (partition by (select 1))',
    ]),
    reads(
      'AUTHZ-101',
      'reader',
      'In a FILTER clause, as an oracle.',
      [
        `select 'rows=' || count(*) filter (where exists (select 1 from secret.keys where value like '%key-1')) from bank.branches`,
      ],
      { received: 'rows=2' },
    ),
    reads('AUTHZ-102', 'reader', 'In GROUPING SETS.', [
      'select (select value from secret.keys where id = b.id), grouping(b.id) from bank.branches b group by grouping sets ((b.id), ())',
    ]),
    reads('AUTHZ-103', 'reader', 'In a function argument.', [
      `select upper(city) || lower((select value from secret.keys where id = 1)) || (select value from secret.keys limit 1) from bank.branches`,
    ]),
    reads('AUTHZ-104', 'reader', 'In a set-returning function in FROM.', [
      `select * from unnest(array(select value from secret.keys)) with ordinality`,
    ]),
    reads('AUTHZ-105', 'reader', 'In ROWS FROM.', [
      'select * from rows from (generate_series(1, 2), unnest(array(select value from secret.keys)))',
    ]),
    reads(
      'AUTHZ-106',
      'reader',
      'In the arguments of TABLESAMPLE.',
      [
        'select city from bank.branches tablesample bernoulli ((select 100 from secret.keys limit 1)) order by id limit 1',
      ],
      {
        received: 'Bern',
      },
    ),
    reads(
      'AUTHZ-107',
      'reader',
      'In a join condition.',
      [
        `select city from bank.branches b join bank.accounts a on a.id = b.id and exists (select 1 from secret.keys k where k.id = b.id and value like '%key-1')`,
      ],
      { received: 'Bern' },
    ),
    reads('AUTHZ-108', 'reader', 'A query with a parameter inside.', [
      extended('select (select value from secret.keys where id = $1::int), city from bank.branches', '2'),
    ]),
    reads('AUTHZ-109', 'teller', 'In INSERT ... VALUES, read back through RETURNING.', [
      'insert into app.chain values (7, (select value from secret.keys where id = 1)) returning body',
    ]),
    reads(
      'AUTHZ-110',
      'teller',
      'INSERT ... SELECT into a table that may be read.',
      [
        'insert into bank.transfers (from_id, to_id, amount, note) select id, id, n, null from bank.branches, secret.numbers returning id',
      ],
      { check: 'select exists (select 1 from bank.transfers where amount = 918273645)' },
    ),
    reads('AUTHZ-111', 'teller', 'In SET of an UPDATE.', [
      'update bank.limits set daily = (select n from secret.numbers)',
      'select daily from bank.limits',
    ]),
    reads('AUTHZ-112', 'teller', 'In a row assignment of an UPDATE.', [
      'update bank.limits set (daily) = (select n from secret.numbers) where account_id = 1 returning daily',
    ]),
    reads('AUTHZ-113', 'teller', 'In FROM of an UPDATE.', [
      'update bank.limits set daily = n from secret.numbers returning daily',
    ]),
    reads(
      'AUTHZ-114',
      'teller',
      'In USING of a DELETE, as an oracle.',
      [`delete from bank.drafts d using secret.keys k where k.id = d.id and k.value like '%key-1'`],
      { check: 'select count(*) = 1 from bank.drafts' },
    ),
    reads('AUTHZ-115', 'teller', 'In RETURNING.', [
      'update bank.limits set daily = daily where account_id = 1 returning (select value from secret.keys where id = 1)',
    ]),
    reads('AUTHZ-116', 'teller', 'In ON CONFLICT DO UPDATE.', [
      `insert into bank.limits (account_id, daily) values (1, 1) on conflict (account_id) do update set daily = (select n from secret.numbers) returning daily`,
    ]),
    reads('AUTHZ-117', 'teller', 'In the WHERE of ON CONFLICT.', [
      `insert into bank.codes values ('A') on conflict (code) do update set code = 'B' where exists (select 1 from secret.keys where value like '%key-1')`,
    ]),
    reads('AUTHZ-118', 'caller', 'In the argument of a granted function.', [
      'select app.hello((select value from secret.keys where id = 1))',
    ]),
    reads('AUTHZ-119', 'caller', 'In a named argument of a granted function.', [
      'select app.hello(name => (select value from secret.keys where id = 1))',
    ]),
  ],
};

export const WITH: Family = {
  name: 'common tables',
  attacks: [
    reads('AUTHZ-120', 'reader', 'A forbidden relation in WITH.', [
      'with s as (select * from secret.keys) select value from s',
    ]),
    reads('AUTHZ-121', 'reader', 'In WITH inside of WITH.', [
      'with a as (with b as (select value from secret.keys) select * from b) select * from a',
    ]),
    reads('AUTHZ-122', 'reader', 'In the recursive arm.', [
      `with recursive r(n, v) as (select 1, ''::text union all select n + 1, k.value from r join secret.keys k on k.id = r.n) select v from r`,
    ]),
    reads('AUTHZ-123', 'reader', 'A common table that hides a granted name, outside of its reach.', [
      'select * from (with visits as (select 1) select 1 from visits) s, visits',
    ]),
    reads(
      'AUTHZ-124',
      'reader',
      'A common table named like a forbidden one, which refers to the real one inside.',
      ['with visits as (select * from visits) select value from visits'],
    ),
    reads('AUTHZ-125', 'reader', 'A qualified name is never a common table.', [
      `with keys as (select 1 as id, 'x' as value) select value from secret.keys`,
    ]),
    reads('AUTHZ-126', 'reader', 'Common tables see only those before them.', [
      'with a as (select value from visits), visits as (select 1 as value) select value from a',
    ]),
    reads(
      'AUTHZ-127',
      'reader',
      'A common table that is never used, for its effect.',
      ['with gone as (delete from bank.audit returning *) select 1'],
      { check: 'select count(*) = 0 from bank.audit' },
    ),
    writes('AUTHZ-128', 'reader', 'A data-modifying common table under SELECT.', [
      `with w as (update bank.branches set city = 'x' returning *) select * from w`,
    ]),
    writes('AUTHZ-129', 'reader', 'An INSERT in WITH.', [
      `with w as (insert into bank.audit values (9, 'x') returning id) select id from w`,
    ]),
    writes(
      'AUTHZ-130',
      'teller',
      'A DELETE in the WITH of a granted INSERT.',
      [
        'with w as (delete from bank.audit returning id) insert into bank.transfers (from_id, to_id, amount) select id, id, 1 from w',
      ],
      { check: 'select count(*) = 0 from bank.audit' },
    ),
    reads('AUTHZ-131', 'teller', 'A forbidden relation in the WITH of a granted UPDATE.', [
      'with w as (select n from secret.numbers) update bank.limits set daily = w.n from w returning daily',
    ]),
    reads('AUTHZ-132', 'reader', 'SEARCH and CYCLE clauses around a forbidden relation.', [
      `with recursive r(id, v) as (select id, value from secret.keys where id = 1 union all select k.id, k.value from r join secret.keys k on k.id = r.id + 1) search depth first by id set o cycle id set c using p select v from r`,
    ]),
    reads('AUTHZ-133', 'reader', 'A materialised common table.', [
      'with s as materialized (select value from secret.keys) select * from s',
    ]),
    writes(
      'AUTHZ-134',
      'reader',
      'A MERGE in WITH.',
      [
        `with m as (merge into bank.audit a using bank.branches b on a.id = b.id when matched then delete returning a.id) select * from m`,
      ],
      { check: 'select count(*) = 0 from bank.audit', since: 17 },
    ),
  ],
};

export const COMBINED: Family = {
  name: 'joins, sets, merge',
  attacks: [
    reads(
      'AUTHZ-135',
      'reader',
      'JOIN ... USING reads the column on both sides.',
      [`select 'Y' || 'ES' from (values ('CNRY' || '-pin-1')) v(pin) join bank.accounts using (pin)`],
      { received: 'YES' },
    ),
    reads(
      'AUTHZ-136',
      'reader',
      'NATURAL JOIN compares forbidden columns that nobody names.',
      [`select 'Y' || 'ES' from (values (1, 'CNRY' || '-pin-1')) v(id, pin) natural join bank.accounts`],
      { received: 'YES' },
    ),
    reads('AUTHZ-137', 'reader', 'The merged column of a FULL JOIN.', [
      'select pin from (select null::text as pin) v full join bank.accounts using (pin)',
    ]),
    reads('AUTHZ-138', 'reader', 'An alias on JOIN USING.', [
      'select j.pin from bank.accounts a join bank.customers c using (pin) as j',
    ]),
    reads(
      'AUTHZ-139',
      'reader',
      'A join with a forbidden table that gives no column.',
      [`select 'n=' || count(*) + 40 from bank.branches cross join secret.keys`],
      { inert: 'kept for the parser: text and number cannot be added' },
    ),
    reads(
      'AUTHZ-140',
      'reader',
      'Counting the rows of a forbidden table.',
      [`select 'n=' || count(*) from secret.keys`],
      { received: 'n=2' },
    ),
    reads(
      'AUTHZ-141',
      'reader',
      'That a row exists, no column named.',
      [`select 'Y' || 'ES' from bank.branches where exists (select from secret.keys) limit 1`],
      {
        received: 'YES',
      },
    ),
    reads('AUTHZ-142', 'reader', 'UNION.', [
      'select city from bank.branches union select value from secret.keys',
    ]),
    reads('AUTHZ-143', 'reader', 'INTERSECT as an oracle.', [
      `select 'CNRY' || '-key-1' intersect select value from secret.keys`,
    ]),
    reads(
      'AUTHZ-144',
      'reader',
      'EXCEPT ALL as an oracle.',
      [
        `select 'left=' || count(*) from (select reverse('1-yek-YRNC') except all select value from secret.keys) s`,
      ],
      { received: 'left=0' },
    ),
    reads('AUTHZ-145', 'reader', 'A set operation whose left arm is empty, so that names come from there.', [
      'select city as harmless from bank.branches where false union all select value from secret.keys',
    ]),
    reads('AUTHZ-146', 'reader', 'Nested set operations with parentheses, ORDER BY and LIMIT.', [
      '(select city from bank.branches limit 1) union all ((select value from secret.keys) except (select null)) order by 1 desc',
    ]),
    writes('AUTHZ-147', 'reader', 'MERGE into a table that may only be read.', [
      `merge into bank.branches b using bank.accounts a on a.id = b.id when matched then update set city = 'x'`,
    ]),
    writes(
      'AUTHZ-148',
      'teller',
      'MERGE whose one arm deletes.',
      [
        `merge into bank.limits l using bank.branches b on b.id = l.account_id when matched and l.account_id = 1 then delete when matched then update set daily = 1`,
      ],
      { check: 'select count(*) = 1 from bank.limits' },
    ),
    writes(
      'AUTHZ-149',
      'teller',
      'MERGE that inserts where only UPDATE is granted.',
      [
        `merge into bank.limits l using (values (77)) v(id) on v.id = l.account_id when not matched then insert (account_id, daily) values (77, 1)`,
      ],
      { check: 'select exists (select 1 from bank.limits where account_id = 77)' },
    ),
    reads(
      'AUTHZ-150',
      'teller',
      'MERGE with a forbidden source.',
      [
        'merge into bank.limits l using secret.numbers n on true when matched then update set daily = n.n returning l.daily',
      ],
      { since: 17 },
    ),
    reads(
      'AUTHZ-151',
      'teller',
      'MERGE whose condition reads a forbidden column.',
      [
        `merge into bank.limits l using bank.branches b on b.id = l.account_id and l.reason like '%reason' when matched then update set daily = 5`,
      ],
      { check: 'select count(*) = 2 from bank.limits where daily = 5' },
    ),
    reads(
      'AUTHZ-152',
      'teller',
      'MERGE with a forbidden column in WHEN.',
      [
        `merge into bank.limits l using bank.branches b on b.id = l.account_id when matched and l.reason like '%reason' then update set daily = 5`,
      ],
      { check: 'select count(*) = 2 from bank.limits where daily = 5' },
    ),
    reads(
      'AUTHZ-153',
      'teller',
      'MERGE ... RETURNING a forbidden column.',
      [
        `merge into bank.limits l using bank.branches b on b.id = l.account_id when matched then update set daily = 5 returning l.reason`,
      ],
      { since: 17 },
    ),
    writes(
      'AUTHZ-154',
      'teller',
      'MERGE ... NOT MATCHED BY SOURCE deletes everything else.',
      [
        `merge into bank.limits l using (values (1)) v(id) on v.id = l.account_id when not matched by source then delete`,
      ],
      { check: 'select count(*) = 1 from bank.limits', since: 17 },
    ),
  ],
};
