/** Writing of applications, and sessions that do more than one thing: cursors, prepared statements, temporary tables, transactions. */
import { casesOf } from '../case.ts';

export const WRITES = casesOf(
  'write',
  [
    [
      'insert into bank.customers (number, name, email, phone, ssn, dob, address, branch_id) values ($1, $2, $3, $4, $5, $6, $7, $8) returning id, number, version',
      'N1',
      'New Person',
      'n1@example.com',
      '+1 617 555 0199',
      '219-09-9999',
      '1990-02-03',
      '1 New Street',
      '2',
    ],
    {
      sql: "insert into bank.customers (number, name, branch_id) values ('N2', 'Second Person', 1), ('N3', 'Third Person', 2) returning id, number",
    },
    [
      'insert into bank.customers (number, name, email, branch_id) values ($1, $2, $3, 1) returning *',
      'N4',
      'Fourth',
      'n4@example.com',
    ],
    [
      "insert into bank.tickets (customer_id, opened_at, topic, priority, body) values ($1, now(), 'card', 2, $2) returning id",
      '3',
      'card was lost',
    ],
    "insert into bank.audit (actor, action, detail) values ('app', 'login', '{\"ok\": true}')",
    "insert into bank.audit (action, detail) select 'snapshot', jsonb_build_object('open', count(*)) from bank.accounts where closed_at is null",
    [
      'update bank.customers set name = $1, phone = $2 where id = $3 returning version',
      'Renamed Person',
      '+1 617 555 0001',
      '4',
    ],
    ['update bank.customers set email = $1 where id = $2', 'moved5@example.com', '5'],
    ['update bank.customers set is_active = false where id = $1 and version = $2', '6', '1'],
    "update bank.customers set settings = settings || '{\"dark\": true}', tags = array_append(tags, 'dark') where id = 7 returning settings, tags",
    'update bank.accounts set balance = balance - 10.50 where id = 8 returning balance',
    [
      'update bank.accounts set balance = $1, version = version + 1 where id = $2 and version = $3',
      '77.25',
      '9',
      '1',
    ],
    'update bank.accounts a set balance = a.balance + x.total from (select account_id, sum(amount) as total from bank.transactions where account_id < 4 group by account_id) x where x.account_id = a.id',
    'delete from bank.transactions where id = 899 returning id, amount',
    "delete from bank.tickets t using bank.customers c where c.id = t.customer_id and c.segment = 'student' and t.priority = 3 and t.id < 20",
    "insert into bank.rates values ('CHF', 1.1) on conflict (currency) do update set rate = excluded.rate returning rate",
    "insert into bank.customers as c (number, name, branch_id) values ('C00010', 'Upserted', 1) on conflict (number) do update set name = excluded.name returning c.id, c.version",
    "insert into bank.customers (number, name, branch_id) values ('C00011', 'Nobody', 1) on conflict do nothing",
    "merge into bank.rates r using (values ('EUR', 1.09), ('GBP', 1.27)) s(currency, rate) on r.currency = s.currency when matched then update set rate = s.rate when not matched then insert (currency, rate) values (s.currency, s.rate)",
    { sql: { copyIn: 'copy bank.audit (actor, action) from stdin', data: 'app\tstart\napp\tstop\n' } },
    {
      sql: {
        copyIn: 'copy bank.tickets (opened_at, topic, priority, body) from stdin (format csv)',
        data: '2026-02-01,card,1,"card is gone, please help"\n2026-02-02,loan,2,\n',
      },
    },
    [
      'insert into bank.cards (account_id, pan, brand, expires, card_limit) values ($1, $2, $3, $4, $5) returning id, brand',
      '5',
      '4111111111111111',
      'visa',
      '2030-01-31',
      '1000',
    ],
    // What merely looks like a masked value is one's own.
    ['update bank.customers set ssn = $1 where id = $2', '***-**-6789', '12'],
    [
      'update bank.customers set notes = $1 where id = $2',
      'was [ssn:xrdz4j5m8ebsza8ecm3c27] in the export',
      '13',
    ],
    [
      'update bank.customers set notes = $1, address = $2 where id = $3',
      '[name:xr000000000000000000000]',
      '[address: unknown]',
      '14',
    ],
    ['update bank.customers set email = $1 where id = $2', 'x@example.com', '15'],
    ['update bank.cards set pan = $1 where id = $2', '************1111', '16'],
    ['update bank.tickets set body = $1 where id = $2', '***@example.com wrote; see [token:xt1234]', '17'],
    ['update bank.customers set phone = $1, notes = $2 where id = $3', '[phone]', 'REDACTED', '18'],
    [
      "insert into bank.audit (action, detail) values ('note', $1)",
      '{"ssn": "[ssn:xrdz4j5m8ebsza8ecm3c27]", "pan": "****1234"}',
    ],
    [
      'insert into bank.customers (number, name, phone, branch_id) values ($1, $2, $3, 1)',
      'N5',
      '[name]',
      '***',
    ],
    "update bank.customers set dob = '1984-01-01' where id = 19",
    'update bank.customers set phone = null, notes = default where id = 20',
    {
      sql: {
        copyIn: 'copy bank.tickets (opened_at, topic, priority, body) from stdin',
        data: '2026-02-03\tcard\t1\t[ssn:xrdz4j5m8ebsza8ecm3c27] and ***-**-6789\n',
      },
    },
    // Values of a class moved as they are to columns of that class.
    'update bank.transactions t set counterparty = c.name from bank.accounts a join bank.customers c on c.id = a.customer_id where a.id = t.account_id and t.id = 10',
    {
      steps: [
        'begin',
        ['update bank.customers set version = version where id = $1 returning id', '21'],
        "insert into bank.audit (action) values ('seen')",
        'commit',
        'select id, version from bank.customers where id = 21',
      ],
    },
    {
      steps: [
        'begin',
        'savepoint a',
        "insert into bank.audit (action) values ('kept')",
        'release savepoint a',
        'savepoint b',
        "insert into bank.audit (action) values ('undone')",
        'rollback to savepoint b',
        'commit',
        'select count(*) from bank.audit',
      ],
    },
    {
      steps: [
        'begin',
        'select id, balance from bank.accounts where id in (3, 4) order by id for update',
        'update bank.accounts set balance = balance - 5 where id = 3',
        'update bank.accounts set balance = balance + 5 where id = 4',
        'commit',
      ],
    },
    {
      steps: [
        ['select id, name, email, version from bank.customers where id = $1', '22'],
        [
          'update bank.customers set name = $1, segment = $2 where id = $3 and version = $4 returning version',
          'Edited Person',
          'business',
          '22',
          '1',
        ],
      ],
    },
  ],
  'writer',
  ['extended'],
);

/** Nothing regulated is written: no grant is needed for it. */
export const OTHER_WRITES = casesOf(
  'other-write',
  [
    ['update bank.accounts set balance = balance + $1 where id = $2 returning id, balance', '5.00', '11'],
    ['select id, name, email from bank.customers where id = $1', '23'],
    {
      steps: [
        ['select id, name, email, dob from bank.customers where id = $1', '24'],
        ['update bank.customers set is_active = $1, branch_id = $2 where id = $3', 'false', '2', '24'],
      ],
    },
    {
      steps: [
        'begin',
        'select * from bank.customers where id = 25 for update',
        "update bank.customers set segment = 'business' where id = 25 returning id, name, segment",
        'commit',
      ],
    },
    'delete from bank.tickets where id = 79',
    "insert into bank.loans (customer_id, principal, rate, starts, months, status) values (5, 1000, 3, '2026-01-01', 12, 'running') returning id",
    { sql: { copyIn: 'copy bank.rates from stdin', data: 'JPY\t0.0067\nSEK\t0.095\n' } },
    [
      "insert into bank.transactions (account_id, booked_at, amount, category, channel) values ($1, $2, $3, 'fees', 'card'), ($1, $2, $4, 'fees', 'card') returning id",
      '3',
      '2026-03-01',
      '-1.00',
      '-2.00',
    ],
    ['delete from bank.customers where id = $1 returning id, number', '999'],
  ],
  'reader',
  ['extended'],
);

export const SESSIONS = casesOf('session', [
  {
    steps: [
      'begin',
      'declare c cursor for select id, name, email from bank.customers order by id',
      'fetch 5 from c',
      'fetch 5 from c',
      'move 10 in c',
      'fetch next from c',
      'close c',
      'commit',
    ],
    masked: { name: 'name', email: 'email' },
  },
  {
    steps: [
      'begin',
      'declare s scroll cursor for select id, balance from bank.accounts order by id',
      'fetch last from s',
      'fetch prior from s',
      'fetch first from s',
      'commit',
    ],
  },
  {
    steps: [
      'begin',
      'declare h cursor with hold for select id, ssn from bank.customers where id < 8 order by id',
      'commit',
      'fetch all from h',
      'close h',
    ],
    masked: { ssn: 'ssn' },
  },
  {
    steps: [
      'begin',
      'declare "c_1" no scroll cursor without hold for select t.id, t.memo, t.amount from bank.transactions t order by t.id',
      'fetch forward 100 from "c_1"',
      'fetch forward 100 from "c_1"',
      'close "c_1"',
      'commit',
    ],
    masked: { memo: 'free_text' },
  },
  {
    steps: [
      'prepare p (int) as select id, name from bank.customers where id = $1',
      'execute p (3)',
      'execute p (4)',
      'deallocate p',
    ],
    masked: { name: 'name' },
  },
  {
    steps: [
      'prepare q as select segment, count(*) from bank.customers group by 1 order by 1',
      'execute q',
      'execute q',
      'deallocate q',
    ],
  },
  {
    steps: [
      'prepare r (text) as select count(*) from bank.customers where email = $1',
      "execute r ('person4@example.org')",
      'deallocate all',
    ],
  },
  {
    steps: [
      ['select id, email from bank.customers where id = $1', '1'],
      ['select id, email from bank.customers where id = $1', '2'],
      ['select id, email from bank.customers where id = $1', '3'],
    ],
  },
  {
    steps: [
      'create temporary table totals as select customer_id, sum(balance) as total from bank.accounts group by customer_id',
      'select c.id, c.name, t.total from totals t join bank.customers c on c.id = t.customer_id order by t.total desc, c.id limit 10',
      'drop table totals',
    ],
  },
  {
    steps: [
      'create temp table picked (id int primary key, why text)',
      "insert into picked values (1, 'a'), (2, 'b')",
      'select p.why, c.number, c.name from picked p join bank.customers c on c.id = p.id order by p.id',
      'analyze picked',
      'select * from picked order by id',
    ],
  },
  {
    steps: [
      'create temp table people as select id, name, email, segment from bank.customers',
      'select id, segment from people order by id limit 5',
      'select id, name, email from people order by id limit 5',
      'select segment, count(*) from people group by 1 order by 1',
    ],
    masked: { name: 'name', email: 'email' },
  },
  {
    steps: [
      'create temp table months (month date, total numeric)',
      'insert into months select month, sum(total) from reports.monthly group by 1',
      'select * from months order by 1',
    ],
  },
  {
    steps: [
      { copyIn: 'copy bank.rates from stdin', data: 'AUD\t0.66\n' },
      'select * from bank.rates order by 1',
    ],
  },
  {
    steps: [
      'set application_name to $$report$$',
      'set statement_timeout = 30000',
      'set search_path to bank, public',
      'select id, name from customers order by id limit 3',
      'show search_path',
      'reset all',
    ],
  },
  {
    steps: [
      'begin transaction isolation level repeatable read read only',
      'select count(*) from bank.customers',
      'select id, name from bank.customers order by id limit 3',
      'commit',
    ],
  },
  {
    steps: [
      "set datestyle to 'ISO, MDY'",
      "set timezone to 'America/New_York'",
      'select id, dob, updated_at from bank.customers order by id limit 5',
    ],
  },
  {
    protocols: ['simple'],
    steps: [
      'select id, name from bank.customers where id = 1; select count(*) from bank.accounts; select id, kind from bank.accounts where id = 2',
    ],
  },
  { protocols: ['simple'], steps: ['begin; select id, email from bank.customers where id = 2; commit'] },
  { steps: ['listen news', 'unlisten news'] },
  {
    steps: [
      'begin',
      'lock table bank.branches in share mode',
      'select count(*) from bank.branches',
      'rollback',
    ],
  },
  {
    steps: [
      'create view scratch.cities as select city, count(*) as customers from bank.customers c join bank.branches b on b.id = c.branch_id group by city',
      'select * from scratch.cities order by city',
      'drop view scratch.cities',
    ],
  },
  {
    steps: [
      'create view scratch.people as select id, name, email from bank.customers',
      'select * from scratch.people order by id limit 3',
      'drop view scratch.people',
    ],
    masked: { name: 'name', email: 'email' },
  },
  {
    steps: [
      'create table scratch.daily as select booked_at::date as day, sum(amount) as total from bank.transactions group by 1',
      'select count(*), sum(total) from scratch.daily',
      'drop table scratch.daily',
    ],
  },
  {
    steps: [
      'create materialized view scratch.kinds as select kind, sum(balance) as total from bank.accounts group by 1',
      'refresh materialized view scratch.kinds',
      'select * from scratch.kinds order by 1',
      'drop materialized view scratch.kinds',
    ],
  },
  {
    steps: [
      'create table scratch.jobs (id int generated always as identity primary key, what text, at timestamptz default now())',
      "insert into scratch.jobs (what) values ('a'), ('b') returning id",
      'alter table scratch.jobs add column done boolean not null default false',
      'select id, what, done from scratch.jobs order by id',
      'create index on scratch.jobs (what)',
      'drop table scratch.jobs',
    ],
  },
  {
    steps: [
      'refresh materialized view reports.segments',
      'select * from reports.segments order by 1',
      'analyze bank.customers',
      'vacuum bank.branches',
    ],
  },
]);
