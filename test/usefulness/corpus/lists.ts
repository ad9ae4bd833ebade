/** Screens and exports: rows of customers, found by key or by an exact value within a budget, with what is regulated masked. */
import { casesOf } from '../case.ts';

export const LISTS = casesOf('list', [
  'select * from bank.customers order by id limit 25',
  'select * from bank.customers where id = 17',
  ['select * from bank.customers where id = $1', '17'],
  ['select id, number, name, email, phone from bank.customers where number = $1', 'C00012'],
  ['select id, name from bank.customers where id = any($1::int[]) order by id', '{3,5,8}'],
  ['select id, name, email from bank.customers where id > $1 order by id limit $2', '20', '10'],
  ['select id, name, email from bank.customers order by id limit $1 offset $2', '10', '30'],
  'select id, name, ssn, dob, address from bank.customers where branch_id = 2 and is_active order by joined, id',
  "select id, name as full_name, email as contact from bank.customers where number like 'C0000%' order by number",
  "select number, name from bank.customers where number between 'C00010' and 'C00019' order by number",
  ['select id, number from bank.customers where email = $1', 'person4@example.org'],
  "select id, number from bank.customers where email = 'person7@example.org'",
  "select id, number from bank.customers where lower(email) = lower('Person8@mail.example')",
  ['select id, number from bank.customers where lower(email) = lower($1)', 'PERSON8@mail.example'],
  [
    'select id, number from bank.customers where email in ($1, $2) order by id',
    'person4@example.org',
    'person7@example.org',
  ],
  [
    'select a.id, a.kind, c.name from bank.accounts a join bank.customers c on c.id = a.customer_id where a.account_number = $1',
    '440000007919',
  ],
  ['select exists (select 1 from bank.customers where email = $1)', 'person4@example.org'],
  ['select count(*) from bank.customers where email = $1 and is_active', 'person4@example.org'],
  'select id, name from bank.customers where email is null order by id',
  'select id, name from bank.customers where phone is not null and email is not null order by id limit 10',
  {
    sql: "select id, name || ' <' || email || '>' as recipient from bank.customers order by id limit 10",
    masked: { recipient: 'email!' },
  },
  {
    sql: "select id, coalesce(phone, email, 'none') as contact from bank.customers order by id limit 20",
    masked: { contact: 'email!' },
  },
  {
    sql: 'select id, upper(name) as name, lower(email) as mail, length(address) as size from bank.customers order by id limit 10',
    masked: { name: 'name!', mail: 'email!', size: 'address!' },
  },
  {
    sql: 'select id, left(name, 1) as initial, right(ssn, 4) as last4 from bank.customers order by id limit 10',
    masked: { initial: 'name!', last4: 'ssn!' },
  },
  {
    sql: 'select id, extract(year from dob) as year, to_char(dob, $$DD.MM.YYYY$$) as text, age(timestamp $$2026-01-01$$, dob::timestamp) as age from bank.customers order by id limit 10',
    masked: { year: 'dob!', text: 'dob!', age: 'dob!' },
  },
  {
    sql: "select concat(name, ' (', segment, ')') as label, format('%s, %s', number, name) as other from bank.customers order by id limit 10",
    masked: { label: 'name!', other: 'name!' },
  },
  {
    sql: 'select concat_ws($$, $$, name, address) as label from bank.customers order by id limit 10',
    masked: { label: 'address!' },
  },
  {
    sql: 'select id, max(booked_at), max(counterparty) as someone from bank.transactions where account_id = 3 group by id order by id',
    masked: { someone: 'name!' },
  },
  {
    sql: 'select row_to_json(c) as document from bank.customers c where id = 3',
    masked: { document: 'address!' },
  },
  {
    sql: "select jsonb_build_object('id', id, 'name', name) as document from bank.customers where id = 4",
    masked: { document: 'name!' },
  },
  {
    sql: 'select json_agg(t) as document from (select id, name from bank.customers where id < 4 order by id) t',
    masked: { document: 'name!' },
  },
  {
    sql: 'select array_agg(email order by id) as mails from bank.customers where id < 5',
    masked: { mails: 'email!' },
  },
  {
    sql: "select string_agg(name, ', ' order by id) as names from bank.customers where branch_id = 1",
    masked: { names: 'name!' },
  },
  {
    sql: 'select case when is_active then name else number end as label from bank.customers order by id limit 10',
    masked: { label: 'name!' },
  },
  {
    sql: 'select email::text as mail, name::varchar(10) as short from bank.customers order by id limit 10',
    masked: { mail: 'email!', short: 'name!' },
  },
  'select cd.id, cd.pan, cd.brand, cd.expires from bank.cards cd where not cd.is_blocked order by cd.expires, cd.id limit 20',
  'select c.name, a.account_number, cd.pan from bank.customers c join bank.accounts a on a.customer_id = c.id join bank.cards cd on cd.account_id = a.id where c.id between 10 and 20 order by cd.id',
  'select id, topic, body from bank.tickets order by id limit 30',
  'select id, notes from bank.customers where notes is not null order by id',
  'select t.id, t.body, c.name, c.email from bank.tickets t left join bank.customers c on c.id = t.customer_id where t.closed_at is null order by t.priority, t.id',
  { sql: 'select * from bank.accounts_of(5)', masked: { account_number: 'account_number!' } },
  {
    sql: 'select c.number, a.* from bank.customers c, bank.accounts_of(c.id) a where c.id < 4 order by a.id',
    masked: { account_number: 'account_number!' },
  },
  {
    sql: 'select c.id, bank.display_name(c) as label from bank.customers c where c.id < 5 order by c.id',
    masked: { label: 'name!' },
  },
  {
    sql: 'select id, bank.quarter_of(joined) as quarter, bank.quarter_of(opened) from (select id, joined, joined as opened from bank.customers) c order by id limit 5',
    masked: {},
  },
  'select c.id, c.name from bank.customers c where exists (select 1 from bank.accounts a where a.customer_id = c.id and a.balance > 30000) order by c.id',
  'select c.id, c.name from bank.customers c where c.id not in (select customer_id from bank.loans) order by c.id limit 10',
  'select c.id, c.name, (select count(*) from bank.accounts a where a.customer_id = c.id) as accounts, (select max(opened_at) from bank.tickets t where t.customer_id = c.id) as last from bank.customers c order by c.id limit 10',
  'select a.id, b.id from bank.customers a join bank.customers b on a.email = b.email order by a.id limit 10',
  'select c.id, t.id from bank.customers c join bank.transactions t on t.counterparty = c.name order by t.id limit 10',
  'select c.*, b.city from bank.customers c join bank.branches b on b.id = c.branch_id order by c.id limit 5',
  {
    sql: 'select (c).id, (c).name from (select c from bank.customers c where id < 4) x order by 1',
    masked: { name: 'name!' },
  },
  'with active as (select id, name, email from bank.customers where is_active) select * from active order by id limit 10',
  'with a as materialized (select id, name n from bank.customers), b as (select id, n from a) select b.n, b.id from b order by id limit 5',
  'select distinct c.id, c.name, c.email from bank.customers c join bank.accounts a on a.customer_id = c.id order by c.id limit 10',
  "select id, name from bank.customers where joined >= date '2020-01-01' and joined < date '2021-01-01' order by joined desc, id",
  'select id, name from bank.customers where (branch_id, segment) in ((1, $$private$$), (2, $$business$$)) order by id',
  'select id, name from bank.customers tablesample bernoulli (100) repeatable (1) order by id limit 5',
  'select id, name, count(*) over () as total from bank.customers where is_active order by id limit 10',
  'select id, name, row_number() over (order by joined, id) as n from bank.customers order by n limit 10',
  'select null::text as name, id from bank.branches order by id',
  'select id, name from bank.customers where false',
  'select 1 where exists (select from bank.customers where ssn is null)',
]);

export const EXPORTS = casesOf('export', [
  'copy bank.branches to stdout',
  'copy bank.accounts (id, kind, currency, balance) to stdout (format csv)',
  {
    sql: 'copy (select id, number, name, email, ssn, dob from bank.customers order by id) to stdout',
    copied: ['id', 'number', 'name', 'email', 'ssn', 'dob'],
    masked: { name: 'name', email: 'email', ssn: 'ssn', dob: 'dob' },
  },
  {
    sql: 'copy (select id, name, email, joined from bank.customers order by id) to stdout (format csv)',
    copied: ['id', 'name', 'email', 'joined'],
    masked: { name: 'name', email: 'email' },
  },
  {
    sql: 'copy bank.cards (id, pan, brand) to stdout with (format csv, force_quote *)',
    copied: ['id', 'pan', 'brand'],
    masked: { pan: 'pan' },
  },
  {
    sql: 'copy bank.accounts (id, account_number, balance) to stdout',
    copied: ['id', 'account_number', 'balance'],
    masked: { account_number: 'account_number' },
  },
  {
    sql: 'copy (select t.id, t.amount, t.counterparty from bank.transactions t order by id) to stdout csv',
    copied: ['id', 'amount', 'counterparty'],
    masked: { counterparty: 'name' },
  },
  'copy (select segment, count(*) from bank.customers group by 1 order by 1) to stdout csv',
  {
    sql: "copy (select id, name || ' ' || number as label from bank.customers order by id) to stdout",
    copied: ['id', 'label'],
    masked: { label: 'name!' },
  },
  {
    sql: 'copy (select id, address from bank.customers order by id) to stdout csv',
    copied: ['id', 'address'],
    masked: { address: 'address' },
  },
  'copy (select month, category, total from reports.monthly order by 1, 2) to stdout csv',
  {
    sql: 'copy bank.tickets (id, topic, body) to stdout',
    copied: ['id', 'topic', 'body'],
    masked: { body: 'free_text' },
  },
]);
