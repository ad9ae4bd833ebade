/** Shapes that are refused on purpose, each with what is written instead. */
import { casesOf } from '../case.ts';

export const REFUSED = casesOf('refused', [
  {
    sql: 'select id, name from bank.customers order by name limit 10',
    refused: { reason: 'order', instead: 'select id, name from bank.customers order by number limit 10' },
  },
  {
    sql: 'select c.name, sum(a.balance) from bank.customers c join bank.accounts a on a.customer_id = c.id group by c.name',
    refused: {
      reason: 'group',
      instead:
        'select c.name, sum(a.balance) from bank.customers c join bank.accounts a on a.customer_id = c.id group by c.id, c.name order by c.id',
    },
  },
  {
    sql: 'select distinct email from bank.customers',
    refused: { reason: 'group', instead: 'select count(distinct email) from bank.customers' },
  },
  {
    sql: "select id, name from bank.customers where name ilike 'ada%'",
    refused: {
      reason: 'pattern',
      instead: "select id, name from bank.customers where number like 'C0001%' order by id",
    },
  },
  { sql: "select id from bank.customers where email like '%@example.com'", refused: { reason: 'pattern' } },
  { sql: "select id from bank.customers where notes ~ 'mail'", refused: { reason: 'pattern' } },
  {
    sql: "select id from bank.customers where dob < date '1980-01-01'",
    refused: { reason: 'range', instead: 'select id from bank.customers where dob is not null order by id' },
  },
  {
    sql: "select id from bank.customers where dob between '1970-01-01' and '1979-12-31'",
    refused: { reason: 'range' },
  },
  {
    sql: 'select extract(year from dob) as born, count(*) from bank.customers group by 1',
    refused: {
      reason: 'group',
      instead:
        'select extract(year from dob) as born, count(*) from bank.customers group by born having count(*) >= 5',
    },
  },
  {
    sql: "select split_part(email, '@', 2) as domain, count(*) from bank.customers group by 1 order by 2 desc",
    refused: {
      reason: 'group',
      instead:
        "select split_part(email, '@', 2) as domain, count(*) from bank.customers group by 1 having count(*) >= 5",
      insteadMasked: { domain: 'email!' },
    },
  },
  { sql: "select id from bank.customers where right(ssn, 4) = '1037'", refused: { reason: 'comparison' } },
  {
    sql: 'select left(ssn, 3)::int from bank.customers where id < 10',
    refused: {
      reason: 'fallible',
      instead: 'select left(ssn, 3) as head from bank.customers order by id',
      insteadMasked: { head: 'ssn!' },
    },
  },
  {
    sql: "select id from bank.customers where ssn = '101-11-1037'",
    refused: {
      reason: 'budget',
      instead: "select id from bank.customers where email = 'person4@example.org'",
    },
  },
  { sql: "select id from bank.customers where name = 'Ada Moor5'", refused: { reason: 'budget' } },
  {
    sql: 'select id, row_number() over (order by dob) from bank.customers',
    refused: {
      reason: 'order',
      instead: 'select id, row_number() over (order by joined, id) as n from bank.customers order by n',
    },
  },
  {
    sql: 'select id, rank() over (partition by name order by id) from bank.customers',
    refused: { reason: 'group' },
  },
  {
    sql: 'select name from bank.customers union select city from bank.branches',
    refused: {
      reason: 'group',
      instead:
        'select name from bank.customers where id < 3 union all select city from bank.branches where id = 1',
      insteadMasked: { name: 'name!' },
    },
  },
  {
    sql: 'select id, unnest(string_to_array(name, $$ $$)) from bank.customers',
    refused: { reason: 'fallible' },
  },
  {
    sql: 'select c.id from bank.customers c join bank.branches b on b.city = c.address',
    refused: { reason: 'comparison' },
  },
  {
    sql: 'create table scratch.copied as select id, email from bank.customers',
    refused: {
      reason: 'relation',
      instead: 'create temporary table if not exists copied as select id, email from bank.customers',
    },
  },
  { sql: 'insert into bank.audit (actor) select name from bank.customers', refused: { reason: 'column' } },
  {
    sql: 'update bank.audit set actor = c.email from bank.customers c where c.id = 1',
    refused: { reason: 'column' },
  },
  {
    sql: "select pg_notify('changed', email) from bank.customers where id = 1",
    refused: {
      reason: 'notification',
      instead: "select pg_notify('changed', number) from bank.customers where id = 1",
    },
  },
  {
    sql: "select set_config('application_name', name, false) from bank.customers where id = 1",
    refused: { reason: 'setting' },
  },
  {
    sql: 'select case when dob < $$1990-01-01$$ then 1 else 2 end from bank.customers',
    refused: { reason: 'range' },
  },
  {
    sql: 'select string_agg(name, $$,$$ order by name) from bank.customers',
    refused: {
      reason: 'order',
      instead: 'select string_agg(name, $$,$$ order by id) as names from bank.customers',
      insteadMasked: { names: 'name!' },
    },
  },
  {
    sql: 'select count(*) filter (where length(phone) > 5) from bank.customers',
    refused: {
      reason: 'range',
      instead: 'select count(*) filter (where phone is not null) from bank.customers',
    },
  },
  {
    sql: "select id from bank.tickets where to_tsvector('english', body) @@ to_tsquery('english', 'help')",
    refused: { reason: 'pattern' },
  },
  {
    who: 'nobody',
    sql: ['select id from bank.customers where email = $1', 'person4@example.org'],
    refused: { reason: 'budget' },
  },
  {
    sql: ['update bank.customers set phone = $1 where id = $2', '+1 617 555 0002', '30'],
    refused: { reason: 'write', instead: 'update bank.customers set is_active = true where id = 30' },
  },
  {
    who: 'writer',
    sql: {
      copyIn: 'copy bank.customers (number, name, email, branch_id) from stdin',
      data: 'N9\tNine\tnine@example.com\t1\n',
    },
    refused: {
      reason: 'comparison',
      instead:
        "insert into bank.customers (number, name, email, branch_id) values ('N9', 'Nine', 'nine@example.com', 1)",
    },
  },
  {
    sql: 'select distinct id, email from bank.customers where id <= 60',
    refused: {
      reason: 'group',
      instead: 'select distinct id, email from bank.customers where id <= 60 order by id',
    },
  },
]);

/** What is to be written instead: it passes. */
export const INSTEAD = casesOf(
  'instead',
  REFUSED.flatMap(({ refused, who }) =>
    refused?.instead === undefined
      ? []
      : [
          {
            sql: refused.instead,
            who,
            masked: refused.insteadMasked ?? {},
            // What writes is said once.
            ...(who === 'writer' ? { protocols: ['simple' as const] } : {}),
          },
        ],
  ),
);
