/** What must pass: a wall that refuses everything stops every attack too. */
import { copyIn, extended, outside, parse, run, type Evidence, type ScopeName, type Step } from './attack.ts';

export interface Control extends Pick<Evidence, 'check'> {
  readonly id: string;
  readonly scope: ScopeName;
  readonly steps: readonly Step[];
  /** Must be among the bytes received. */
  readonly received?: string;
}

const reads = (id: string, scope: ScopeName, received: string, ...steps: Step[]): Control => ({
  id,
  scope,
  steps,
  received,
});
const writes = (id: string, scope: ScopeName, check: string, ...steps: Step[]): Control => ({
  id,
  scope,
  steps,
  check,
});

export const CONTROLS: readonly Control[] = [
  reads('PASS-001', 'reader', 'Bern', 'select * from bank.branches order by id'),
  reads('PASS-002', 'reader', 'Ada', 'select id, owner, status from bank.accounts'),
  reads('PASS-003', 'reader', 'Bo', extended('select owner from bank.accounts where id = $1', '2')),
  reads(
    'PASS-004',
    'reader',
    'Ada',
    'select d.owner, b.city from reporting.daily d join bank.branches b using (id)',
  ),
  reads('PASS-005', 'reader', 'plain', 'select entry from bank.ledger_eu'),
  reads('PASS-006', 'reader', 'Mo', 'select id, name from hr.managers'),
  reads('PASS-007', 'reader', 'n=2', `select 'n=' || count(*) from bank.accounts`),
  reads(
    'PASS-008',
    'reader',
    'Oslo',
    'with b as (select city from bank.branches) select upper(city), city from b where city like $$O%$$',
  ),
  reads('PASS-009', 'reader', 'Bern', 'set search_path = bank; select city from branches'),
  reads(
    'PASS-010',
    'reader',
    'Bern',
    'prepare p (int) as select city from bank.branches where id = $1',
    'execute p (1)',
  ),
  reads(
    'PASS-011',
    'reader',
    'Oslo',
    'begin; declare c cursor for select city from bank.branches',
    'fetch all from c',
    'commit',
  ),
  reads('PASS-012', 'reader', 'Bern', 'copy bank.branches to stdout'),
  reads(
    'PASS-013',
    'reader',
    'Ada',
    'copy (select id, owner from bank.accounts) to stdout with (format csv)',
  ),
  reads('PASS-014', 'reader', 'Seq Scan', 'explain select city from bank.branches'),
  reads(
    'PASS-015',
    'reader',
    'branches',
    `select relname from pg_class where relname = 'branches' and relkind = 'r'`,
  ),
  reads(
    'PASS-016',
    'reader',
    'phone',
    `select column_name from information_schema.columns where table_name = 'branches'`,
  ),
  reads('PASS-017', 'reader', 'Ada', parse('s', 'select owner from bank.accounts'), run('s'), run('s')),
  reads('PASS-018', 'reader', 'Ada,Bo', `select string_agg(owner, ',' order by owner) from bank.accounts`),
  reads('PASS-019', 'reader', 'open note', 'select body from bank.notes'),
  reads('PASS-020', 'reader', 'Bern', 'begin read only; select city from bank.branches; commit'),
  reads(
    'PASS-021',
    'teller',
    'INSERT 0 1',
    `insert into bank.transfers (from_id, to_id, amount, note) values (1, 2, 5, 'x')`,
  ),
  writes(
    'PASS-022',
    'teller',
    'select count(*) = 1 from bank.transfers where amount = 42',
    'insert into bank.transfers (from_id, to_id, amount) values (1, 2, 42) returning id',
  ),
  writes(
    'PASS-023',
    'teller',
    'select daily = 7 from bank.limits where account_id = 1',
    'update bank.limits set daily = 7 where account_id = 1',
  ),
  writes(
    'PASS-024',
    'teller',
    'select count(*) = 1 from bank.drafts',
    'delete from bank.drafts where id = 1',
  ),
  writes(
    'PASS-025',
    'teller',
    'select count(*) = 1 from bank.limits where daily = 9',
    'begin',
    'update bank.limits set daily = 9 where account_id = 2',
    'commit',
  ),
  writes(
    'PASS-026',
    'teller',
    'select count(*) = 3 from bank.transfers',
    copyIn('copy bank.transfers (from_id, to_id, amount) from stdin', '1\t2\t3\n'),
  ),
  writes(
    'PASS-027',
    'teller',
    'select daily = 11 from bank.limits where account_id = 1',
    extended('update bank.limits set daily = $1::numeric where account_id = $2::int', '11', '1'),
  ),
  writes(
    'PASS-028',
    'teller',
    'select count(*) = 2 from bank.limits where daily = 3',
    'merge into bank.limits l using bank.branches b on b.id = l.account_id when matched then update set daily = 3',
  ),
  reads('PASS-029', 'teller', '200', 'select account_id, daily from bank.limits order by 1'),
  reads(
    'PASS-030',
    'builder',
    'made-here',
    'create table scratch.t (id int, v text)',
    `insert into scratch.t values (1, 'made' || '-here')`,
    'select v from scratch.t',
  ),
  reads(
    'PASS-031',
    'builder',
    'Bern',
    'create table scratch.c as select city from bank.branches',
    'select city from scratch.c',
  ),
  reads(
    'PASS-032',
    'builder',
    'Oslo',
    'create temp table t as select city from bank.branches',
    'select city from t',
  ),
  reads(
    'PASS-033',
    'builder',
    'Bern',
    'create view scratch.v as select city from bank.branches offset 0',
    'select city from scratch.v',
  ),
  writes(
    'PASS-034',
    'builder',
    `select exists (select 1 from pg_class where relname = 'renamed')`,
    'create table scratch.t (id int)',
    'alter table scratch.t add v text',
    'create index on scratch.t (v)',
    'alter table scratch.t rename to renamed',
  ),
  writes(
    'PASS-035',
    'builder',
    `select not exists (select 1 from pg_class where relname = 'gone' and relnamespace = 'scratch'::regnamespace)`,
    'create table scratch.gone (id int)',
    'truncate scratch.gone',
    'drop table scratch.gone',
  ),
  reads('PASS-036', 'caller', 'hello you', `select app.hello('you')`),
  writes('PASS-037', 'caller', 'select count(*) = 3 from bank.transfers', 'select bank.transfer(1, 2, 5)'),
  reads('PASS-038', 'caller', 'hello Ada', 'select app.hello(owner) from bank.accounts'),
  reads('PASS-039', 'caller', 'hello x', extended('select app.hello($1)', 'x')),
  reads(
    'PASS-040',
    'reader',
    'moved',
    'select city from bank.branches',
    outside(`update bank.branches set city = 'moved' where id = 1`),
    'select city from bank.branches',
  ),
];
