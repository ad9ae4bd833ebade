/**
 * Queries and what they demand, on `query-schema.ts` with search_path = app. `means`: the demands, then, behind a bar, what is reached through
 * views and inheritance. Columns stand in brackets; `*` is all of them, nothing none.
 */
export interface QueryCase {
  readonly what: string;
  readonly sql: string;
  readonly means: string;
  /** What is demanded beyond the server's own dependencies, or not demanded in spite of them, and why. */
  readonly more?: string;
  readonly less?: string;
  readonly why?: string;
  readonly path?: readonly string[];
  readonly temporary?: readonly string[] | '*';
}

export const QUERY_CASES: readonly QueryCase[] = [
  // names and tables
  {
    what: 'a table found through the path',
    sql: 'select id from accounts',
    means: 'select app.accounts(id)',
  },
  {
    what: 'a table by its full name',
    sql: 'select a.id from app.accounts a',
    means: 'select app.accounts(id)',
  },
  {
    what: 'a table of another schema',
    sql: 'select colour from lab.accounts',
    means: 'select lab.accounts(colour)',
  },
  {
    what: 'the database in front of a name',
    sql: 'select id from countersign.app.accounts',
    means: 'select app.accounts(id)',
  },
  {
    what: 'columns by schema, table and name',
    sql: 'select app.accounts.id from app.accounts',
    means: 'select app.accounts(id)',
  },
  {
    what: 'columns by database, schema, table and name',
    sql: 'select countersign.app.accounts.id from app.accounts',
    means: 'select app.accounts(id)',
  },
  {
    what: 'two tables of one name',
    sql: 'select a.id, b.id, colour from app.accounts a, lab.accounts b',
    means: 'select app.accounts(id); select lab.accounts(colour,id)',
  },
  { what: 'an alias hides the name', sql: 'select x.id from accounts x', means: 'select app.accounts(id)' },
  {
    what: 'quoted names keep their case',
    sql: 'select "id" from "accounts"',
    means: 'select app.accounts(id)',
  },
  { what: 'unquoted names are folded', sql: 'select ID from ACCOUNTS', means: 'select app.accounts(id)' },
  { what: 'no table at all', sql: "select 1, 'x', null, true, 1.5, b'1'", means: '' },
  { what: 'rows are counted', sql: 'select count(*) from accounts', means: 'select app.accounts()' },
  { what: 'rows exist', sql: 'select 1 from accounts', means: 'select app.accounts()' },
  { what: 'an empty select list', sql: 'select from accounts', means: 'select app.accounts()' },
  { what: 'TABLE', sql: 'table customers', means: 'select app.customers(address,id,mood,name,ssn)' },
  {
    what: 'ONLY leaves the children out',
    sql: 'select name from only animals',
    means: 'select app.animals(name)',
  },
  {
    what: 'a parent reaches what inherits from it',
    sql: 'select name from animals',
    means: 'select app.animals(name) | select app.dogs(name) via app.animals',
  },
  {
    what: 'a partitioned table reaches its partitions',
    sql: 'select amount from postings',
    means:
      'select app.postings(amount) | select app.postings_2025(amount) via app.postings; select app.postings_2026(amount) via app.postings',
  },
  { what: 'a child by its own name', sql: 'select bark from dogs', means: 'select app.dogs(bark)' },
  {
    what: 'system columns read no column',
    sql: 'select ctid, xmin, tableoid from accounts',
    means: 'select app.accounts()',
  },
  {
    what: 'a sequence as a relation',
    sql: 'select last_value from numbers',
    means: 'select app.numbers(last_value)',
  },
  { what: 'a materialized view', sql: 'select total from totals', means: 'select app.totals(total)' },
  // stars and rows
  {
    what: 'every column by a star',
    sql: 'select * from accounts',
    means: 'select app.accounts(balance,customer_id,id,secret,status)',
  },
  {
    what: 'every column of one table',
    sql: 'select c.* from accounts a, customers c',
    means: 'select app.accounts(); select app.customers(address,id,mood,name,ssn)',
  },
  {
    what: 'a whole row',
    sql: 'select c from customers c',
    means: 'select app.customers(*)',
    more: 'app.customers(*)',
    why: 'a whole row is every column, those of tomorrow too',
  },
  {
    what: 'a whole row as text',
    sql: 'select c::text from customers c',
    means: 'select app.customers(*); execute app.to_pair',
    more: 'app.customers(*), execute app.to_pair',
    why: 'a whole row is every column, those of tomorrow too, and where a cast is written every cast of its types counts',
  },
  {
    what: 'a whole row in a function',
    sql: 'select row_to_json(c) from customers c',
    means: 'select app.customers(*)',
    more: 'app.customers(*)',
    why: 'a whole row is every column, those of tomorrow too',
  },
  {
    what: 'a star in a function is the row',
    sql: 'select row_to_json(c.*) from customers c',
    means: 'select app.customers(*)',
    more: 'app.customers(*)',
    why: 'a whole row is every column, those of tomorrow too',
  },
  {
    what: 'counting rows by value',
    sql: 'select count(c) from customers c',
    means: 'select app.customers(*)',
    more: 'app.customers(*)',
    why: 'a whole row is every column, those of tomorrow too',
  },
  {
    what: 'a field of a row',
    sql: 'select (c).name from customers c',
    means: 'select app.customers(address,id,mood,name,ssn)',
    more: 'app.customers.address, app.customers.id, app.customers.mood, app.customers.ssn',
    why: 'the server depends on the one column and wants the right to read the whole row',
  },
  {
    what: 'the fields of a row',
    sql: 'select (c).* from customers c',
    means: 'select app.customers(address,id,mood,name,ssn)',
  },
  {
    what: 'a field of a composite column',
    sql: 'select (address).x from customers',
    means: 'select app.customers(address)',
  },
  {
    what: 'a field of a qualified composite column',
    sql: 'select (c.address).y from customers c',
    means: 'select app.customers(address)',
  },
  {
    what: 'a function written as a field',
    sql: 'select c.rating from customers c',
    means: 'select app.customers(*); execute app.rating',
    more: 'app.customers(*)',
    why: 'a whole row is every column, those of tomorrow too',
  },
  {
    what: 'a column written as a function',
    sql: 'select name(c) from customers c',
    means: 'select app.customers(*)',
    more: 'app.customers(*)',
    why: 'pg_catalog has a function name as well',
  },
  {
    what: 'a column that no function is called like',
    sql: 'select ssn(c) from customers c',
    means: 'select app.customers(address,id,mood,name,ssn)',
    more: 'app.customers.address, app.customers.id, app.customers.mood, app.customers.name',
    why: 'the server depends on the one column and wants the right to read the whole row',
  },
  {
    what: 'a function of the row',
    sql: 'select rating(c) from customers c',
    means: 'select app.customers(*); execute app.rating',
    more: 'app.customers(*)',
    why: 'a whole row is every column, those of tomorrow too',
  },
  {
    what: 'a row constructor',
    sql: 'select row(id, name) from customers',
    means: 'select app.customers(id,name)',
  },
  {
    what: 'a star in VALUES',
    sql: 'select v.column2 from customers c, lateral (values (c.*)) v',
    means: 'select app.customers(address,id,mood,name,ssn)',
  },
  {
    what: 'a star in VALUES gives as many columns as it has',
    sql: 'insert into lab.accounts select v.* from lab.accounts a, lateral (values (a.*)) v',
    means: 'insert lab.accounts(*); select lab.accounts(colour,id)',
    more: 'lab.accounts(*)',
    why: 'how many columns a star in VALUES becomes is not counted',
  },
  {
    what: 'a row constructor with a star',
    sql: 'select row(c.*) from customers c',
    means: 'select app.customers(address,id,mood,name,ssn)',
  },
  {
    what: 'comparing rows',
    sql: "select 1 from accounts where (id, status) = (1, 'x')",
    means: 'select app.accounts(id,status)',
  },
  {
    what: 'a column comes before a table of that name',
    sql: 'select status from accounts status',
    means: 'select app.accounts(status)',
  },
  {
    what: 'ORDER BY a field of an expanded value',
    sql: 'select (to_pair(1)).* order by x',
    means: 'execute app.to_pair',
  },
  {
    what: 'array subscripts and slices',
    sql: 'select tags[1], tags[2:account_id] from postings',
    means:
      'select app.postings(account_id,tags) | select app.postings_2025(account_id,tags) via app.postings; select app.postings_2026(account_id,tags) via app.postings',
  },
  // clauses
  {
    what: 'WHERE reads',
    sql: "select id from accounts where secret = 'x'",
    means: 'select app.accounts(id,secret)',
  },
  {
    what: 'ORDER BY reads',
    sql: 'select id from accounts order by secret',
    means: 'select app.accounts(id,secret)',
  },
  {
    what: 'ORDER BY an expression reads',
    sql: 'select id from accounts order by lower(secret)',
    means: 'select app.accounts(id,secret)',
  },
  {
    what: 'ORDER BY an output name reads nothing more',
    sql: 'select id as secret from accounts order by secret',
    means: 'select app.accounts(id)',
  },
  {
    what: 'ORDER BY a number',
    sql: 'select id, status from accounts order by 2 desc nulls last',
    means: 'select app.accounts(id,status)',
  },
  {
    what: 'ORDER BY an output name inside of an expression reads the column',
    sql: "select id as secret from accounts order by secret || 'x'",
    means: 'select app.accounts(id,secret)',
  },
  {
    what: 'GROUP BY prefers the column',
    sql: 'select count(*) as secret from accounts group by secret',
    means: 'select app.accounts(secret)',
  },
  {
    what: 'GROUP BY takes an output name',
    sql: 'select lower(status) as s, count(*) from accounts group by s',
    means: 'select app.accounts(status)',
  },
  {
    what: 'HAVING reads',
    sql: "select status from accounts group by status having max(secret) > 'a'",
    means: 'select app.accounts(secret,status)',
  },
  {
    what: 'grouping sets read',
    sql: 'select status, count(*) from accounts group by grouping sets ((status), (customer_id), ())',
    means: 'select app.accounts(customer_id,status)',
  },
  {
    what: 'cube and rollup read',
    sql: 'select grouping(status) from accounts group by cube (status, customer_id), rollup (id)',
    means: 'select app.accounts(customer_id,id,status)',
  },
  {
    what: 'DISTINCT ON reads',
    sql: 'select distinct on (secret) id from accounts',
    means: 'select app.accounts(id,secret)',
  },
  {
    what: 'DISTINCT ON takes an output name',
    sql: 'select distinct on (s) status as s from accounts',
    means: 'select app.accounts(status)',
  },
  {
    what: 'DISTINCT reads no more',
    sql: 'select distinct id from accounts',
    means: 'select app.accounts(id)',
  },
  {
    what: 'LIMIT and OFFSET with subqueries',
    sql: 'select id from accounts limit (select max(id) from customers) offset (select min(account_id) from postings)',
    means:
      'select app.accounts(id); select app.customers(id); select app.postings(account_id) | select app.postings_2025(account_id) via app.postings; select app.postings_2026(account_id) via app.postings',
  },
  {
    what: 'FETCH FIRST WITH TIES',
    sql: 'select id from accounts order by balance fetch first 3 rows with ties',
    means: 'select app.accounts(balance,id)',
  },
  {
    what: 'windows read',
    sql: 'select sum(balance) over (partition by status order by secret) from accounts',
    means: 'select app.accounts(balance,secret,status)',
  },
  {
    what: 'named windows read',
    sql: 'select rank() over w from accounts window w as (partition by status order by secret rows between 1 preceding and current row)',
    means: 'select app.accounts(secret,status)',
  },
  {
    what: 'FILTER and ORDER BY in an aggregate read',
    sql: "select string_agg(status, ',' order by secret) filter (where balance > 0) from accounts",
    means: 'select app.accounts(balance,secret,status)',
  },
  {
    what: 'WITHIN GROUP reads',
    sql: 'select percentile_cont(0.5) within group (order by balance) from accounts',
    means: 'select app.accounts(balance)',
  },
  {
    what: 'FOR UPDATE demands update',
    sql: 'select id from accounts for update',
    means: 'select app.accounts(id); update app.accounts()',
  },
  {
    what: 'FOR SHARE OF one table',
    sql: 'select a.id from accounts a join customers c on c.id = a.customer_id for share of c',
    means: 'select app.accounts(customer_id,id); select app.customers(id); update app.customers()',
  },
  {
    what: 'FOR UPDATE reaches into subqueries',
    sql: 'select id from (select id from accounts) s for update',
    means: 'select app.accounts(id); update app.accounts()',
  },
  {
    what: 'sampled tables',
    sql: 'select id from accounts tablesample bernoulli (10) repeatable (1)',
    means: 'select app.accounts(id)',
  },
  {
    what: 'IN, BETWEEN, LIKE',
    sql: "select id from accounts where status in ('a', secret) and balance between 1 and id and secret like 'x%' escape '!'",
    means: 'select app.accounts(balance,id,secret,status)',
  },
  {
    what: 'SIMILAR TO, IS DISTINCT FROM, NULLIF',
    sql: "select nullif(status, 'x') from accounts where secret similar to 'a' and id is distinct from 1",
    means: 'select app.accounts(id,secret,status)',
  },
  {
    what: 'ANY and ALL of an array',
    sql: "select id from accounts where status = any (array[secret, 'x'])",
    means: 'select app.accounts(id,secret,status)',
  },
  {
    what: 'CASE with a value',
    sql: "select case status when 'a' then secret else 'x' end from accounts",
    means: 'select app.accounts(secret,status)',
  },
  {
    what: 'COALESCE, GREATEST, LEAST',
    sql: 'select coalesce(status, secret), greatest(id, customer_id) from accounts',
    means: 'select app.accounts(customer_id,id,secret,status)',
  },
  {
    what: 'IS NULL, IS TRUE, NOT',
    sql: 'select id from accounts where not (secret is null) and (balance > 0) is true',
    means: 'select app.accounts(balance,id,secret)',
  },
  {
    what: 'COLLATE and AT TIME ZONE',
    sql: `select note collate "C", booked_at at time zone 'utc' from postings`,
    means:
      'select app.postings(booked_at,note) | select app.postings_2025(booked_at,note) via app.postings; select app.postings_2026(booked_at,note) via app.postings',
  },
  {
    what: 'values of the session',
    sql: 'select current_user, current_date, localtime(2), current_schema',
    means: '',
  },
  // joins
  {
    what: 'ON reads',
    sql: 'select a.id from accounts a join customers c on c.ssn = a.secret',
    means: 'select app.accounts(id,secret); select app.customers(ssn)',
  },
  {
    what: 'USING reads both sides',
    sql: 'select name from accounts join customers using (id)',
    means: 'select app.accounts(id); select app.customers(id,name)',
  },
  {
    what: 'USING gives one column',
    sql: 'select id from accounts join customers using (id)',
    means: 'select app.accounts(id); select app.customers(id)',
  },
  {
    what: 'NATURAL JOIN reads what both have',
    sql: 'select status from accounts natural join customers',
    means: 'select app.accounts(id,status); select app.customers(id)',
  },
  {
    what: 'NATURAL JOIN without common columns',
    sql: 'select status from accounts natural join animals',
    means: 'select app.accounts(status); select app.animals() | select app.dogs() via app.animals',
  },
  {
    what: 'a star over a join',
    sql: 'select * from accounts join customers using (id)',
    means:
      'select app.accounts(balance,customer_id,id,secret,status); select app.customers(address,id,mood,name,ssn)',
  },
  {
    what: 'an alias of a join',
    sql: 'select j.ssn from (accounts a join customers c on true) as j',
    means: 'select app.accounts(); select app.customers(ssn)',
  },
  {
    what: 'an alias of a join renames',
    sql: 'select j.e1, j.e2 from (accounts a cross join animals b) as j (e1, e2)',
    means: 'select app.accounts(customer_id,id); select app.animals() | select app.dogs() via app.animals',
  },
  {
    what: 'an alias of USING',
    sql: 'select u.id from accounts join customers using (id) as u',
    means: 'select app.accounts(id); select app.customers(id)',
  },
  {
    what: 'a full join',
    sql: 'select id, a.status from accounts a full join customers c using (id)',
    means: 'select app.accounts(id,status); select app.customers(id)',
  },
  {
    what: 'joins of joins',
    sql: 'select a.id from (accounts a left join customers c on c.id = a.customer_id) right join postings p on p.account_id = a.id',
    means:
      'select app.accounts(customer_id,id); select app.customers(id); select app.postings(account_id) | select app.postings_2025(account_id) via app.postings; select app.postings_2026(account_id) via app.postings',
  },
  {
    what: 'column aliases of a table',
    sql: 'select x.one, x.three from accounts as x (one, two, three)',
    means: 'select app.accounts(id,status)',
  },
  // subqueries
  {
    what: 'a subquery in FROM',
    sql: 'select s.n from (select name as n, ssn from customers) s',
    means: 'select app.customers(name,ssn)',
  },
  {
    what: 'a subquery gives its own names',
    sql: 'select max, "?column?" from (select max(id), 1 + 1 from accounts) s',
    means: 'select app.accounts(id)',
  },
  {
    what: 'names of subquery columns come from types and functions',
    sql: `select text, lower, "case", "array", "coalesce" from (select 'x'::text, lower(status), case when true then 1 end, array[1], coalesce(secret, '') from accounts) s`,
    means: 'select app.accounts(secret,status)',
  },
  {
    what: "a scalar subquery lends its column's name",
    sql: 'select name from (select (select name from customers limit 1) from accounts) s',
    means: 'select app.accounts(); select app.customers(name)',
  },
  {
    what: 'a correlated subquery',
    sql: 'select id, (select name from customers c where c.id = a.customer_id) from accounts a',
    means: 'select app.accounts(customer_id,id); select app.customers(id,name)',
  },
  {
    what: 'an unqualified outer column',
    sql: 'select id from accounts where exists (select 1 from animals where legs = customer_id)',
    means:
      'select app.accounts(customer_id,id); select app.animals(legs) | select app.dogs(legs) via app.animals',
  },
  {
    what: 'an inner column hides the outer one',
    sql: 'select (select max(name) from animals) from customers',
    means: 'select app.animals(name); select app.customers() | select app.dogs(name) via app.animals',
  },
  {
    what: 'IN with a subquery',
    sql: 'select id from accounts where customer_id in (select id from customers where ssn is null)',
    means: 'select app.accounts(customer_id,id); select app.customers(id,ssn)',
  },
  {
    what: 'ALL with a subquery and an operator',
    sql: 'select id from accounts where balance > all (select amount from postings)',
    means:
      'select app.accounts(balance,id); select app.postings(amount) | select app.postings_2025(amount) via app.postings; select app.postings_2026(amount) via app.postings',
  },
  {
    what: 'ARRAY of a subquery',
    sql: 'select array(select ssn from customers)',
    means: 'select app.customers(ssn)',
  },
  {
    what: 'EXISTS with a star',
    sql: 'select 1 where exists (select * from customers)',
    means: 'select app.customers(address,id,mood,name,ssn)',
  },
  {
    what: 'a lateral subquery sees what is before it',
    sql: 'select s.x from accounts a, lateral (select a.secret as x) s',
    means: 'select app.accounts(secret)',
  },
  {
    what: 'a plain subquery does not see its neighbours',
    sql: 'select x from accounts a, (select name as x from animals where legs > 1) s',
    means:
      'select app.accounts(); select app.animals(legs,name) | select app.dogs(legs,name) via app.animals',
  },
  {
    what: 'a lateral join',
    sql: 'select t.amount from accounts a left join lateral (select amount from postings where account_id = a.id limit 1) t on true',
    means:
      'select app.accounts(id); select app.postings(account_id,amount) | select app.postings_2025(account_id,amount) via app.postings; select app.postings_2026(account_id,amount) via app.postings',
  },
  {
    what: 'a subquery in VALUES',
    sql: "values (1, (select max(ssn) from customers)), (2, 'x')",
    means: 'select app.customers(ssn)',
  },
  {
    what: 'VALUES in FROM',
    sql: 'select v.column1, w.b from (values (1)) v, (values (1, 2)) w (a, b)',
    means: '',
  },
  {
    what: 'union, intersect, except',
    sql: 'select id from accounts union select id from customers except all (select legs from animals intersect select id from lab.accounts)',
    means:
      'select app.accounts(id); select app.animals(legs); select app.customers(id); select lab.accounts(id) | select app.dogs(legs) via app.animals',
  },
  {
    what: 'ORDER BY of a union takes its names',
    sql: 'select id as k from accounts union all select legs from animals order by k',
    means: 'select app.accounts(id); select app.animals(legs) | select app.dogs(legs) via app.animals',
  },
  {
    what: "a subquery in a set operation's limit",
    sql: 'select id from accounts union select 1 limit (select max(id) from customers)',
    means: 'select app.accounts(id); select app.customers(id)',
  },
  // WITH
  {
    what: 'a WITH query',
    sql: 'with s as (select id from accounts) select id from s',
    means: 'select app.accounts(id)',
  },
  {
    what: 'a WITH query hides a table',
    sql: 'with accounts as (select 1 as id) select id from accounts',
    means: '',
  },
  {
    what: 'a qualified name is never a WITH query',
    sql: 'with accounts as (select 1 as x) select id from app.accounts',
    means: 'select app.accounts(id)',
  },
  {
    what: 'a WITH query that is not used',
    sql: 'with s as (select ssn from customers) select 1',
    means: 'select app.customers(ssn)',
  },
  {
    what: 'a later WITH query sees an earlier one',
    sql: 'with a as (select id from accounts), b as (select id from a) select * from b',
    means: 'select app.accounts(id)',
  },
  {
    what: 'an earlier one does not see a later one',
    sql: 'with a as (select name from animals), animals as (select 1) select name from a',
    means: 'select app.animals(name) | select app.dogs(name) via app.animals',
  },
  {
    what: 'WITH inside of a subquery',
    sql: 'select (with s as (select ssn from customers) select max(ssn) from s)',
    means: 'select app.customers(ssn)',
  },
  {
    what: 'an inner WITH query sees the outer ones',
    sql: 'with s as (select name from customers) select (select max(name) from s) from accounts',
    means: 'select app.accounts(); select app.customers(name)',
  },
  {
    what: 'recursion',
    sql: 'with recursive t (n) as (select 1 union all select n + 1 from t where n < 5) select n from t',
    means: '',
  },
  {
    what: 'recursion over a table',
    sql: 'with recursive t as (select id, customer_id from accounts union select a.id, a.customer_id from accounts a join t on t.id = a.customer_id) select * from t',
    means: 'select app.accounts(customer_id,id)',
  },
  {
    what: 'WITH RECURSIVE sees forward',
    sql: 'with recursive a as (select name from b), b as (select name from animals) select name from a',
    means: 'select app.animals(name) | select app.dogs(name) via app.animals',
  },
  {
    what: 'SEARCH and CYCLE add columns',
    sql: 'with recursive t (n) as (select id from accounts union all select n + 1 from t) search depth first by n set o cycle n set c using p select n, o, c, p from t',
    means: 'select app.accounts(id)',
  },
  {
    what: 'column names of a WITH query',
    sql: 'with s (a, b) as materialized (select id, name, ssn from customers) select a, b, ssn from s',
    means: 'select app.customers(id,name,ssn)',
  },
  {
    what: 'a WITH query that inserts',
    sql: "with n as (insert into customers (id, name) values (1, 'x') returning id) select id from n",
    means: 'insert app.customers(id,name); select app.customers(id)',
  },
  {
    what: 'a WITH query that deletes',
    sql: 'with d as (delete from animals where legs = 3 returning name) select name from d',
    means:
      'delete app.animals(); select app.animals(legs,name) | delete app.dogs() via app.animals; select app.dogs(legs,name) via app.animals',
  },
  {
    what: 'a WITH query that updates',
    sql: "with u as (update accounts set status = 'x' returning secret) select count(*) from u",
    means: 'select app.accounts(secret); update app.accounts(status)',
  },
  // functions
  {
    what: 'a built-in function',
    sql: 'select upper(status), now(), pg_sleep(0) from accounts',
    means: 'select app.accounts(status)',
  },
  { what: 'an own function, all overloads that fit', sql: 'select score(1)', means: 'execute app.score' },
  {
    what: 'an own function by its full name',
    sql: "select app.score(id, 'x') from accounts",
    means: 'select app.accounts(id); execute app.score',
  },
  {
    what: 'an own function that writes',
    sql: 'select touch(id) from accounts',
    means: 'select app.accounts(id); execute app.touch',
  },
  {
    what: 'a function that runs as its owner',
    sql: 'select root(1)',
    means: 'execute app.root [security-definer]',
  },
  {
    what: 'an own aggregate',
    sql: 'select biggest(balance) from accounts',
    means: 'select app.accounts(balance); execute app.biggest',
  },
  {
    what: 'an own function in FROM',
    sql: 'select name, ssn from everyone()',
    means: 'execute app.everyone',
    less: 'app.customers',
    why: 'the row type is used, no row of the table',
  },
  {
    what: 'the columns of a function are not known',
    sql: 'select a, b from pairs()',
    means: 'execute app.pairs',
  },
  { what: 'a single output names the column', sql: 'select lone from one()', means: 'execute app.one' },
  { what: 'a set-returning built-in', sql: 'select n from generate_series(1, 3) as n', means: '' },
  {
    what: 'a function with ordinality',
    sql: 'select x, ordinality from unnest(array[1]) with ordinality as t (x)',
    means: '',
  },
  {
    what: 'several functions side by side',
    sql: 'select * from rows from (generate_series(1, 2), everyone()) with ordinality',
    means: 'execute app.everyone',
    less: 'app.customers',
    why: 'the row type is used, no row of the table',
  },
  {
    what: 'a column definition list',
    sql: "select a from json_to_record('{}') as x (a int, b text)",
    means: '',
  },
  {
    what: 'a function sees what is before it',
    sql: 'select u from postings p, unnest(p.tags) as u',
    means:
      'select app.postings(tags) | select app.postings_2025(tags) via app.postings; select app.postings_2026(tags) via app.postings',
  },
  {
    what: 'named arguments',
    sql: 'select make_date(year => 2026, month => id, day => 1) from accounts',
    means: 'select app.accounts(id)',
  },
  {
    what: 'a function of the path could be meant besides the built-in',
    sql: 'select lower(colour) from accounts',
    means: 'select lab.accounts(colour); execute lab.lower',
    path: ['lab', 'app'],
    more: 'execute lab.lower',
    why: 'types are not resolved',
  },
  {
    what: 'a function outside of the path is not meant',
    sql: 'select lower(status) from accounts',
    means: 'select app.accounts(status)',
  },
  {
    what: "a function in an aggregate's filter",
    sql: 'select count(*) filter (where score(id) > 1) from accounts',
    means: 'select app.accounts(id); execute app.score',
  },
  {
    what: 'a file function',
    sql: "select pg_read_file('/etc/passwd')",
    means: 'execute pg_catalog.pg_read_file [file-access]',
  },
  {
    what: 'dynamic SQL by a built-in',
    sql: "select query_to_xml('select 1', true, true, '')",
    means: 'execute pg_catalog.query_to_xml [dynamic-sql]',
  },
  {
    what: "a function that shows others' doings",
    sql: 'select pg_stat_get_activity(null)',
    means: 'execute pg_catalog.pg_stat_get_activity [catalog-values]',
  },
  { what: 'settings that are no secret', sql: "select current_setting('work_mem')", means: '' },
  {
    what: 'settings that are',
    sql: "select current_setting('data_directory')",
    means: 'execute pg_catalog.current_setting [catalog-values]',
  },
  {
    what: 'a setting by a name that is not constant',
    sql: 'select current_setting(status) from accounts',
    means: 'select app.accounts(status); execute pg_catalog.current_setting [catalog-values]',
  },
  { what: 'a sequence by name', sql: "select nextval('numbers')", means: 'update app.numbers()' },
  {
    what: 'a sequence as regclass',
    sql: `select nextval('app.numbers'::regclass), currval('app."numbers"')`,
    means: 'select app.numbers(); update app.numbers()',
  },
  { what: 'setting a sequence', sql: "select setval('numbers', 5)", means: 'update app.numbers()' },
  {
    what: 'a sequence that is put together',
    sql: "select nextval('num' || 'bers')",
    means: 'execute pg_catalog.nextval [dynamic-sql]',
  },
  {
    what: 'a function named like a type is a cast',
    sql: "select code('x')",
    means: 'execute app.is_code via app.code',
  },
  // operators, types, casts
  {
    what: 'an own operator',
    sql: 'select c.address ~~~ d.address from customers c, customers d',
    means: 'select app.customers(address); execute app.near',
  },
  { what: 'an operator by its full name', sql: 'select 1 operator(pg_catalog.+) 2', means: '' },
  {
    what: 'an own operator by its full name',
    sql: 'select address operator(app.~~~) address from customers',
    means: 'select app.customers(address); execute app.near',
  },
  {
    what: 'an operator of the path could be meant besides the built-in',
    sql: "select id from accounts where status = 'x'",
    means: 'select app.accounts(id,status); execute lab.same',
    path: ['app', 'lab'],
    more: 'execute lab.same',
    why: 'types are not resolved',
  },
  {
    what: 'IN and CASE use the operators of the path',
    sql: "select case status when 'a' then 1 end from accounts where id in (1, 2)",
    means: 'select app.accounts(id,status); execute lab.same',
    path: ['app', 'lab'],
    more: 'execute lab.same',
    why: 'types are not resolved',
  },
  {
    what: 'a built-in cast',
    sql: "select id::text, '2026-01-01'::date, cast(balance as int) from accounts",
    means: 'select app.accounts(balance,id)',
  },
  { what: 'a cast to an enum', sql: "select 'good'::mood", means: '' },
  {
    what: 'a cast to a domain runs its check',
    sql: "select 'x'::code",
    means: 'execute app.is_code via app.code',
  },
  { what: 'a cast to a domain without own code', sql: 'select 5::percent', means: '' },
  {
    what: 'reading a domain column runs nothing',
    sql: 'select code from coded',
    means: 'select app.coded(code)',
  },
  {
    what: 'a cast by an own function',
    sql: 'select id::pair from accounts',
    means: 'select app.accounts(id); execute app.to_pair',
  },
  {
    what: 'an array of a domain',
    sql: "select array['x']::code[]",
    means: 'execute app.is_code via app.code',
  },
  {
    what: 'a name as regclass is only looked up',
    sql: "select 'app.accounts'::regclass, 'x'::text::regclass",
    means: '',
    less: 'app.accounts',
    why: 'nothing of the table is read',
  },
  {
    what: 'typed constants',
    sql: "select interval '1 day', date '2026-01-01', numeric(3, 1) '1'",
    means: '',
  },
  // views
  {
    what: 'a view is demanded as named',
    sql: 'select id, status from open_accounts',
    means:
      'select app.open_accounts(id,status) | select app.accounts(customer_id,id,secret,status) via app.open_accounts',
  },
  {
    what: 'a view of a view',
    sql: 'select name from open_names',
    means:
      'select app.open_names(name) | select app.accounts(customer_id,id,secret,status) via app.open_accounts; select app.customers(id,name) via app.open_names; select app.open_accounts(customer_id,id) via app.open_names',
  },
  {
    what: 'a function in a view is demanded',
    sql: 'select id from scored',
    means: 'select app.scored(id); execute app.score via app.scored | select app.accounts(id) via app.scored',
  },
  {
    what: "a view on the caller's authority",
    sql: 'select id from mine',
    means: 'select app.customers(id,ssn) via app.mine; select app.mine(id)',
  },
  {
    what: "a view on the caller's authority inside of another",
    sql: 'select id from mine_again',
    means:
      'select app.customers(id,ssn) via app.mine; select app.mine_again(id) | select app.mine(id) via app.mine_again',
  },
  {
    what: 'row security runs functions and queries as the caller',
    sql: 'select body from guarded',
    means:
      'select app.guarded(body); select hidden.keys(id) via app.guarded; execute app.may_see via app.guarded',
  },
  // json and xml
  {
    what: 'JSON constructors',
    sql: "select json_object('a': id, 'b': status), json_array(secret), json_array(select ssn from customers) from accounts",
    means: 'select app.accounts(id,secret,status); select app.customers(ssn)',
  },
  {
    what: 'JSON aggregates',
    sql: 'select json_objectagg(id: secret), json_arrayagg(balance order by status) from accounts',
    means: 'select app.accounts(balance,id,secret,status)',
  },
  {
    what: 'JSON queries',
    sql: "select json_value(note::jsonb, '$.a' passing amount as x returning text default upper(score(1)::text) on empty) from postings",
    means:
      'select app.postings(amount,note); execute app.score | select app.postings_2025(amount,note) via app.postings; select app.postings_2026(amount,note) via app.postings',
  },
  {
    what: 'IS JSON',
    sql: 'select 1 from postings where note is json object',
    means:
      'select app.postings(note) | select app.postings_2025(note) via app.postings; select app.postings_2026(note) via app.postings',
  },
  {
    what: 'JSON_TABLE',
    sql: "select j.a, j.b from postings p, json_table(p.note::jsonb, '$[*]' columns (a int path '$.a', nested path '$.n' columns (b text path '$.b'))) j",
    means:
      'select app.postings(note) | select app.postings_2025(note) via app.postings; select app.postings_2026(note) via app.postings',
  },
  {
    what: 'JSON parsing',
    sql: 'select json(note), json_scalar(amount), json_serialize(note) from postings',
    means:
      'select app.postings(amount,note) | select app.postings_2025(amount,note) via app.postings; select app.postings_2026(amount,note) via app.postings',
  },
  {
    what: 'XMLTABLE',
    sql: "select x.a from postings p, xmltable('/r' passing (p.note::xml) columns a int path '@a', b text default p.amount::text) x",
    means:
      'select app.postings(amount,note) | select app.postings_2025(amount,note) via app.postings; select app.postings_2026(amount,note) via app.postings',
  },
  {
    what: 'XML constructors',
    sql: 'select xmlelement(name a, xmlattributes(id), status), xmlforest(secret as s), xmlserialize(content secret::xml as text) from accounts',
    means: 'select app.accounts(id,secret,status)',
  },
  // insert
  {
    what: 'INSERT with columns',
    sql: "insert into accounts (id, status) values (1, 'x')",
    means: 'insert app.accounts(id,status)',
  },
  {
    what: 'INSERT without columns',
    sql: "insert into accounts values (1, 2, 'x')",
    means: 'insert app.accounts(customer_id,id,status)',
  },
  { what: 'INSERT of defaults', sql: 'insert into accounts default values', means: 'insert app.accounts()' },
  {
    what: 'INSERT from a query',
    sql: "insert into accounts (id, status) select id, name from customers where ssn = 'x'",
    means: 'insert app.accounts(id,status); select app.customers(id,name,ssn)',
  },
  {
    what: 'INSERT from a star',
    sql: 'insert into lab.accounts select id, status from accounts',
    means: 'insert lab.accounts(colour,id); select app.accounts(id,status)',
  },
  {
    what: 'INSERT with DEFAULT and a subquery',
    sql: "insert into accounts (id, balance, status) values ((select max(id) from customers), default, 'x')",
    means: 'insert app.accounts(balance,id,status); select app.customers(id)',
  },
  {
    what: 'INSERT RETURNING reads',
    sql: 'insert into accounts (id) values (1) returning id, secret as s',
    means: 'insert app.accounts(id); select app.accounts(id,secret)',
  },
  {
    what: 'INSERT RETURNING a star',
    sql: 'insert into accounts (id) values (1) returning *',
    means: 'insert app.accounts(id); select app.accounts(balance,customer_id,id,secret,status)',
  },
  {
    what: 'INSERT with an alias',
    sql: 'insert into accounts as a (id) values (1) returning a.status',
    means: 'insert app.accounts(id); select app.accounts(status)',
  },
  {
    what: 'ON CONFLICT DO NOTHING',
    sql: 'insert into accounts (id) values (1) on conflict do nothing',
    means: 'insert app.accounts(id)',
  },
  {
    what: 'ON CONFLICT reads what it looks at',
    sql: "insert into accounts (id) values (1) on conflict (id) where status = 'x' do nothing",
    means: 'insert app.accounts(id); select app.accounts(id,status)',
  },
  {
    what: 'ON CONFLICT DO UPDATE',
    sql: "insert into accounts (id, status) values (1, 'x') on conflict (id) do update set status = excluded.status, balance = accounts.balance + 1 where accounts.secret is null",
    means:
      'insert app.accounts(id,status); select app.accounts(balance,id,secret,status); update app.accounts(balance,status)',
    less: 'app.accounts.customer_id',
    why: 'the server depends on every column of the row that was to be inserted, and wants the right to read those that are read',
  },
  {
    what: 'MERGE that does nothing still sees rows of its target',
    sql: 'merge into accounts a using customers c on false when not matched then do nothing',
    means: 'select app.accounts(); select app.customers()',
  },
  {
    what: 'the check of a domain looks at a column without a value',
    sql: 'insert into coded (id) values (1)',
    means: 'insert app.coded(id); execute app.is_code via app.code',
  },
  {
    what: 'FOR UPDATE of a view locks what is behind it',
    sql: 'select id from open_accounts for update',
    means:
      'select app.open_accounts(id); update app.open_accounts() | select app.accounts(customer_id,id,secret,status) via app.open_accounts; update app.accounts() via app.open_accounts',
  },
  {
    what: 'FOR UPDATE of a security_invoker view locks as the caller',
    sql: 'select id from mine for update',
    means:
      'select app.customers(id,ssn) via app.mine; select app.mine(id); update app.customers() via app.mine; update app.mine()',
  },
  {
    what: 'a column of a row beside a function whose columns are not known',
    sql: 'select colour(a) from lab.accounts a, jsonb_each_text(null) e',
    means: 'select lab.accounts(*)',
    more: 'lab.accounts(*)',
    why: 'a could be a column of e as well, so nothing less than the row is certain',
  },
  {
    what: 'ON CONFLICT ON CONSTRAINT',
    sql: 'insert into accounts (id) values (1) on conflict on constraint accounts_pkey do nothing',
    means: 'insert app.accounts(id); select app.accounts(*)',
    more: 'app.accounts(*)',
    why: 'the snapshot does not say which columns a constraint has',
  },
  {
    what: 'INSERT into a view',
    sql: 'insert into open_accounts (id) values (1)',
    means:
      'insert app.open_accounts(id) | insert app.accounts(*) via app.open_accounts; select app.accounts(customer_id,id,secret,status) via app.open_accounts',
  },
  {
    what: 'INSERT into a partitioned table',
    sql: 'insert into postings (account_id, amount) values (1, 2)',
    means:
      'insert app.postings(account_id,amount) | insert app.postings_2025(account_id,amount) via app.postings; insert app.postings_2026(account_id,amount) via app.postings',
  },
  {
    what: 'INSERT into part of a composite column',
    sql: 'insert into customers (id, address.x) values (1, 2)',
    means: 'insert app.customers(address,id)',
  },
  {
    what: 'INSERT with WITH',
    sql: 'with s as (select id, name from customers) insert into animals (name) select name from s',
    means: 'insert app.animals(name); select app.customers(id,name)',
  },
  // update and delete
  {
    what: 'UPDATE without reading',
    sql: "update accounts set status = 'x'",
    means: 'update app.accounts(status)',
  },
  {
    what: 'UPDATE reads in WHERE',
    sql: "update accounts set status = 'x' where id = 1 and secret = 'y'",
    means: 'select app.accounts(id,secret); update app.accounts(status)',
  },
  {
    what: 'UPDATE reads in SET',
    sql: 'update accounts set balance = balance + 1',
    means: 'select app.accounts(balance); update app.accounts(balance)',
  },
  {
    what: 'UPDATE of several columns from a row',
    sql: "update accounts set (status, secret) = ('x', 'y')",
    means: 'update app.accounts(secret,status)',
  },
  {
    what: 'UPDATE of several columns from a query',
    sql: 'update accounts a set (status, secret) = (select name, ssn from customers c where c.id = a.customer_id)',
    means:
      'select app.accounts(customer_id); select app.customers(id,name,ssn); update app.accounts(secret,status)',
  },
  {
    what: 'UPDATE FROM',
    sql: 'update accounts a set status = c.name from customers c where c.id = a.customer_id',
    means: 'select app.accounts(customer_id); select app.customers(id,name); update app.accounts(status)',
  },
  {
    what: 'UPDATE RETURNING',
    sql: "update accounts set status = 'x' returning id, customer_id",
    means: 'select app.accounts(customer_id,id); update app.accounts(status)',
  },
  {
    what: 'UPDATE RETURNING old and new',
    sql: "update accounts set status = 'x' returning old.secret, new.balance",
    means: 'select app.accounts(balance,secret); update app.accounts(status)',
  },
  {
    what: 'UPDATE RETURNING versions by other names',
    sql: "update accounts set status = 'x' returning with (old as before) before.secret",
    means: 'select app.accounts(secret); update app.accounts(status)',
  },
  { what: 'UPDATE ONLY', sql: 'update only animals set legs = 4', means: 'update app.animals(legs)' },
  {
    what: 'UPDATE of a parent',
    sql: "update animals set legs = 4 where name = 'x'",
    means:
      'select app.animals(name); update app.animals(legs) | select app.dogs(name) via app.animals; update app.dogs(legs) via app.animals',
  },
  {
    what: 'UPDATE of an array element',
    sql: "update postings set tags[account_id] = 'x'",
    means:
      'select app.postings(account_id); update app.postings(tags) | select app.postings_2025(account_id) via app.postings; select app.postings_2026(account_id) via app.postings; update app.postings_2025(tags) via app.postings; update app.postings_2026(tags) via app.postings',
  },
  {
    what: 'UPDATE to the default',
    sql: 'update accounts set balance = default',
    means: 'update app.accounts(balance)',
  },
  {
    what: 'UPDATE of a view',
    sql: 'update open_accounts set customer_id = 1 where id = 2',
    means:
      'select app.open_accounts(id); update app.open_accounts(customer_id) | select app.accounts(customer_id,id,secret,status) via app.open_accounts; update app.accounts(*) via app.open_accounts',
  },
  {
    what: 'UPDATE where the cursor is',
    sql: "update accounts set status = 'x' where current of c",
    means: 'update app.accounts(status)',
  },
  { what: 'DELETE of everything', sql: 'delete from accounts', means: 'delete app.accounts()' },
  {
    what: 'DELETE reads in WHERE',
    sql: "delete from accounts where secret = 'x'",
    means: 'delete app.accounts(); select app.accounts(secret)',
  },
  {
    what: 'DELETE USING',
    sql: 'delete from accounts a using customers c where c.id = a.customer_id and c.ssn is null',
    means: 'delete app.accounts(); select app.accounts(customer_id); select app.customers(id,ssn)',
  },
  {
    what: 'DELETE RETURNING',
    sql: 'delete from accounts returning status',
    means: 'delete app.accounts(); select app.accounts(status)',
  },
  {
    what: 'DELETE with a subquery',
    sql: 'delete from accounts where id in (select account_id from postings)',
    means:
      'delete app.accounts(); select app.accounts(id); select app.postings(account_id) | select app.postings_2025(account_id) via app.postings; select app.postings_2026(account_id) via app.postings',
  },
  {
    what: 'a WITH query is no target',
    sql: 'with accounts as (select 1) delete from accounts',
    means: 'delete app.accounts()',
  },
  // merge
  {
    what: 'MERGE',
    sql: "merge into accounts a using customers c on a.customer_id = c.id when matched and c.ssn is null then update set status = c.name when not matched then insert (id, status) values (c.id, 'new')",
    means:
      'insert app.accounts(id,status); select app.accounts(customer_id); select app.customers(id,name,ssn); update app.accounts(status)',
    more: 'app.accounts.id, app.accounts.status',
    why: 'the server notes no dependencies of what MERGE writes',
  },
  {
    what: 'MERGE deletes',
    sql: 'merge into accounts a using customers c on a.customer_id = c.id when matched then delete',
    means: 'delete app.accounts(); select app.accounts(customer_id); select app.customers(id)',
  },
  {
    what: 'MERGE does nothing',
    sql: 'merge into accounts a using (select id from customers) c on a.id = c.id when matched then do nothing',
    means: 'select app.accounts(id); select app.customers(id)',
  },
  {
    what: 'MERGE by source',
    sql: "merge into accounts a using customers c on a.id = c.id when not matched by source and a.secret = 'x' then delete when not matched by target then do nothing",
    means: 'delete app.accounts(); select app.accounts(id,secret); select app.customers(id)',
  },
  {
    what: 'MERGE RETURNING',
    sql: 'merge into accounts a using customers c on a.id = c.id when matched then update set balance = 0 returning merge_action(), a.status, c.name',
    means: 'select app.accounts(id,status); select app.customers(id,name); update app.accounts(balance)',
    more: 'app.accounts.balance',
    why: 'the server notes no dependencies of what MERGE writes',
  },
  // temporary objects and unknown names
  {
    what: 'a temporary table may be meant',
    sql: 'select id from accounts',
    means: 'select app.accounts(id); select pg_temp.accounts(*)',
    temporary: ['accounts'],
  },
  {
    what: 'any name may be a temporary table',
    sql: 'select id from accounts',
    means: 'select app.accounts(id); select pg_temp.accounts(*)',
    temporary: '*',
  },
  {
    what: 'a temporary table that nothing else is called like',
    sql: 'select x from scratch',
    means: 'select pg_temp.scratch(*)',
    temporary: ['scratch'],
  },
  { what: 'pg_temp by name', sql: 'select x from pg_temp.scratch', means: 'select pg_temp.scratch(*)' },
  {
    what: 'a full name is never temporary',
    sql: 'select id from app.accounts',
    means: 'select app.accounts(id)',
    temporary: ['accounts'],
  },
  { what: 'an unknown table', sql: 'select x from nowhere', means: 'unknown relation nowhere' },
  {
    what: 'an unknown schema',
    sql: 'select x from nowhere.accounts',
    means: 'unknown relation nowhere.accounts',
  },
  {
    what: 'an unknown column',
    sql: 'select nothing from accounts',
    means: 'unknown column nothing; select app.accounts()',
  },
  {
    what: 'an unknown table alias',
    sql: 'select z.id from accounts a',
    means: 'unknown relation z; select app.accounts()',
  },
  { what: 'an unknown function', sql: 'select nothing(1)', means: 'unknown routine nothing' },
  { what: 'an unknown type', sql: 'select 1::nothing', means: 'unknown type nothing' },
  { what: 'an unknown operator', sql: 'select 1 <#> 2', means: 'unknown routine <#>' },
  {
    what: 'another database',
    sql: 'select id from elsewhere.app.accounts',
    means: 'unknown relation app.accounts',
  },
  {
    what: "another session's temporary table",
    sql: 'select x from pg_temp_3.scratch',
    means: 'unknown relation pg_temp_3.scratch',
  },
  { what: 'a table outside of the path', sql: 'select key from keys', means: 'unknown relation keys' },
  {
    what: 'a parameter',
    sql: 'select id from accounts where status = $1 and id = $2',
    means: 'select app.accounts(id,status)',
  },
  // catalog
  {
    what: 'tables and columns of the catalog',
    sql: 'select relname from pg_class c join pg_catalog.pg_attribute a on a.attrelid = c.oid',
    means:
      'select pg_catalog.pg_attribute(attrelid) [structure]; select pg_catalog.pg_class(oid,relname) [structure]',
  },
  {
    what: 'statistics of values',
    sql: 'select most_common_vals from pg_stats',
    means: 'select pg_catalog.pg_stats(most_common_vals) [values]',
  },
  {
    what: 'what others run',
    sql: 'select query from pg_stat_activity',
    means: 'select pg_catalog.pg_stat_activity(query) [values]',
  },
  {
    what: 'the information schema',
    sql: 'select table_name from information_schema.tables',
    means: 'select information_schema.tables(table_name) [structure]',
  },
  {
    what: 'a temporary table hides the catalog',
    sql: 'select relname from pg_class',
    means: 'select pg_catalog.pg_class(relname) [structure]; select pg_temp.pg_class(*)',
    temporary: ['pg_class'],
  },
];
