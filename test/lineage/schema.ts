/** What the statements of the lineage tests are about, and which of its columns are regulated. */
import { indexClassification } from '../../packages/gateway/src/postgres/classify/classification.ts';
import type { Classification } from '../../packages/gateway/src/masking/rules.ts';

export const LINEAGE_SCHEMA = `
create schema bank; create schema own;
create type bank.place as (street text, city text);
create table bank.branches (id int primary key, city text, head text);
create table bank.customers (id int primary key, branch_id int references bank.branches, name text, ssn text unique, email text, dob date, status text, vip boolean,
  address bank.place, tags text[], profile jsonb, score int, initial text generated always as (left(name, 1)) stored, short text generated always as (left(status, 1)) stored);
create table bank.accounts (id int primary key, customer_id int references bank.customers, number text, balance numeric, opened date, status text);
create table bank.leads (id int primary key, ssn text, email text, source text);
create table bank.plain (id int primary key, a text, b int, ssn text);
create table bank.events (id int, region text, payload text, at timestamptz) partition by list (region);
create table bank.events_north partition of bank.events for values in ('north');
create table bank.people (id int, title text);
create table bank.staff (badge text, salary numeric) inherits (bank.people);
create view bank.customer_list as select id, name, ssn, status from bank.customers;
create view bank.renamed (key, who, number) as select id, name, ssn from bank.customer_list where status <> 'closed';
create view bank.shortened as select id, left(ssn, 3) || '…' as start, upper(name) as name, length(name) as width from bank.customers;
create view bank.rich as select a.id, a.customer_id from bank.accounts a where a.balance > 100000;
create view bank.sorted as select id, status from bank.customers order by name;
create view bank.watched as select c.id from bank.customers c join bank.plain p on p.ssn = c.ssn;
create view bank.invoked with (security_invoker = true) as select id, ssn from bank.customers;
create view bank.bound as select id, a as code from bank.plain;
create view bank.grouped as select name, count(*) as n from bank.customers group by name;
create view bank.joined as select c.name, a.balance, a.id from bank.customers c join bank.accounts a on a.customer_id = c.id;
create view bank.twice as select c.ssn from bank.customers c, generate_series(1, 10) g;
create view bank.many as select id, ssn from bank.customers union all select id, ssn from bank.leads;
create materialized view bank.totals as select customer_id, sum(balance) as total, count(*) as n from bank.accounts group by 1;
create function own.opaque(text) returns text language plpgsql as 'begin return $1; end';
create function own.secret() returns text language plpgsql as 'begin return 1; end';
create function own.tail(value text) returns text language sql immutable as 'select right(value, 4)';
create function own.of_customer(key int) returns text language sql stable as 'select ssn from bank.customers where id = key';
create function own.everyone() returns setof bank.customers language sql stable as 'select * from bank.customers';
create function own.initials(bank.customers) returns text language plpgsql as 'begin return 1; end';
create operator own.<+> (leftarg = text, rightarg = text, function = textcat);
`;

/** Relation → column → class. */
const CLASSES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  branches: { head: 'name' },
  customers: {
    name: 'name',
    ssn: 'ssn',
    email: 'email',
    dob: 'dob',
    vip: 'secret',
    address: 'address',
    tags: 'free_text',
    profile: 'free_text',
    score: 'secret',
  },
  accounts: { number: 'account_number', balance: 'balance' },
  leads: { ssn: 'ssn', email: 'email' },
  events: { payload: 'free_text' },
  staff: { salary: 'balance', title: 'name' },
  bound: { code: 'secret' },
};

export const CLASSIFICATION: Classification = indexClassification({
  digest: 'lineage',
  isEmpty: false,
  relations: Object.entries(CLASSES).map(([name, columns]) => ({
    schema: 'bank',
    name,
    columns: Object.entries(columns),
  })),
});
