/** Places that a value is put in, to be read from there. */
import {
  attempt,
  copyIn,
  extended,
  functionCall,
  outside,
  parse,
  run,
  type Circumstances,
  type Family,
} from '../attempt.ts';

export const SINKS: Family = {
  name: 'sinks',
  attempts: [
    attempt(
      'MASK-779',
      'INSERT … SELECT into a plain column.',
      [
        'insert into bank.plain (id, v) select id + 100, ssn from bank.customers',
        'select v from bank.plain where id > 100 order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-780',
      'UPDATE of a plain column.',
      [
        'update bank.plain p set v = c.ssn from bank.customers c where c.id = p.id',
        'select v from bank.plain order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-781',
      'UPDATE by a subquery and a row.',
      [
        'update bank.plain p set (v, n) = (select ssn, balance from bank.customers c where c.id = p.id)',
        'select v, n from bank.plain order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-782',
      'UPDATE of a free column of the same row.',
      ['update bank.customers set region = ssn', 'select region from bank.customers order by id'],
      { once: true },
    ),
    attempt(
      'MASK-783',
      'A class that is shown in part gets the end of another.',
      [
        `update bank.accounts a set card = c.pin from bank.customers c where c.id = a.customer`,
        'select card from bank.accounts order by id',
      ],
      { once: true, residue: true },
    ),
    attempt(
      'MASK-784',
      'A domain that is shown gets the value.',
      [
        `update bank.accounts a set mail = 'x@' || replace(c.pin, ' ', '') from bank.customers c where c.id = a.customer`,
        'select mail from bank.accounts order by id',
      ],
      { once: true, residue: true },
    ),
    attempt(
      'MASK-785',
      'A bucket that is shown gets digits.',
      [
        `update bank.accounts a set salary = c.score * 1000.0 from bank.customers c where c.id = a.customer`,
        'select salary from bank.accounts order by id',
      ],
      { once: true, residue: true },
    ),
    attempt(
      'MASK-786',
      'MERGE into a plain column.',
      [
        'merge into bank.plain p using bank.customers c on p.id = c.id when matched then update set v = c.ssn when not matched then insert (id, v) values (c.id, c.pin)',
        'select v from bank.plain order by id',
      ],
      { since: 15, once: true },
    ),
    attempt(
      'MASK-787',
      'ON CONFLICT DO UPDATE with EXCLUDED.',
      [
        'insert into bank.plain (id, v) select id, ssn from bank.customers on conflict (id) do update set v = excluded.v',
        'select v from bank.plain order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-788',
      'A CTE that inserts what another deletes.',
      [
        `with d as (delete from bank.tracked returning *) insert into bank.plain (id, v) select id + 100, ssn from d`,
        'select v from bank.plain where id > 100 order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-789',
      'A CTE that inserts and shows.',
      [
        'with i as (insert into bank.plain (id, v) select id + 100, ssn from bank.customers returning v) select v from i',
      ],
      { once: true },
    ),
    attempt(
      'MASK-790',
      'CREATE TABLE AS.',
      [
        'create table bank.mine as select ssn as v, id from bank.customers',
        'select v from bank.mine order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-791',
      'SELECT INTO.',
      ['select pin as v, id into bank.mine from bank.customers', 'select v from bank.mine order by id'],
      { once: true },
    ),
    attempt(
      'MASK-792',
      'CREATE MATERIALIZED VIEW.',
      [
        'create materialized view bank.mine as select name as v, id from bank.customers',
        'select v from bank.mine order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-793',
      'CREATE MATERIALIZED VIEW of an expression, refreshed.',
      [
        `create materialized view bank.mine as select reverse(ssn) as v from bank.customers with no data`,
        'refresh materialized view bank.mine',
        'select v from bank.mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-794',
      'CREATE TEMP TABLE AS.',
      ['create temp table mine as select ssn as v, id from bank.customers', 'select v from mine order by id'],
      { once: true },
    ),
    attempt(
      'MASK-795',
      'CREATE TEMP TABLE AS of an expression and a star.',
      [
        'create temp table mine as select *, left(ssn, 6) as l from bank.customers',
        'select l, region, ssn from mine order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-796',
      'SELECT INTO TEMP.',
      ['select pin as v into temp mine from bank.customers', 'table mine', 'copy mine to stdout'],
      { once: true },
    ),
    attempt(
      'MASK-797',
      'A temporary table, filled later.',
      [
        'create temp table mine (v text, w text)',
        'insert into mine select name, region from bank.customers',
        'select v from mine',
        'select w, v from pg_temp.mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-798',
      'From one temporary table into another.',
      [
        'create temp table one as select ssn as v from bank.customers',
        'create temp table two as select v as w from one',
        'select upper(w) from two',
        'select w from two',
      ],
      { once: true },
    ),
    attempt(
      'MASK-799',
      'A temporary table whose column is renamed.',
      [
        'create temp table mine as select ssn as v, city as w from bank.customers c join bank.branches b on b.id = c.branch',
        'alter table mine rename v to x; alter table mine rename w to v; alter table mine rename x to w',
        'select w from mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-800',
      'A temporary table that is renamed.',
      [
        'create temp table mine as select ssn as v from bank.customers',
        'alter table mine rename to yours',
        'select v from yours',
      ],
      { once: true },
    ),
    attempt(
      'MASK-801',
      'A temporary table that is dropped and made again, rolled back.',
      [
        'create temp table mine as select ssn as v from bank.customers',
        'begin',
        'drop table mine',
        'create temp table mine (v text)',
        'rollback',
        'select v from mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-802',
      'A temporary table made in a savepoint that is rolled back and made again.',
      [
        'begin',
        'savepoint s',
        `create temp table mine as select 'x' as v`,
        'rollback to s',
        'create temp table mine as select ssn as v from bank.customers',
        'select v from mine',
        'rollback',
      ],
      { once: true },
    ),
    attempt(
      'MASK-803',
      'A temporary table by UPDATE.',
      [
        'create temp table mine (id int, v text)',
        'insert into mine values (1), (2), (3)',
        'update mine set v = c.ssn from bank.customers c where c.id = mine.id',
        'select v from mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-804',
      'A temporary table by DELETE, whose rows tell.',
      [
        'create temp table mine as select id from bank.customers',
        `delete from mine using bank.customers c where c.id = mine.id and c.ssn > '8'`,
        'select id from mine order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-805',
      'A temporary table, then a condition over it.',
      [
        'create temp table mine as select ssn as v, id from bank.customers',
        `select id from mine where v > '8' order by id`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-806',
      'A temporary table, then its order.',
      ['create temp table mine as select ssn as v, id from bank.customers', 'select id from mine order by v'],
      { once: true },
    ),
    attempt(
      'MASK-807',
      'A temporary table, then a plain one.',
      [
        'create temp table mine as select ssn as v, id from bank.customers',
        'insert into bank.plain (id, v) select id + 100, v from mine',
        'select v from bank.plain where id > 100 order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-808',
      'A temporary table, then errors.',
      [
        'create temp table mine as select ssn as v, id from bank.customers',
        'select v::int from mine',
        "alter table mine add check (v < '7')",
        'create unique index on mine (v)',
      ],
      { once: true },
    ),
    attempt(
      'MASK-809',
      'A temporary view over a temporary table.',
      [
        'create temp table mine as select ssn as v from bank.customers',
        'create temp view seen as select v as w from mine',
        'select w from seen',
      ],
      { once: true },
    ),
    attempt(
      'MASK-810',
      'A temporary table like another, and one that inherits.',
      [
        'create temp table mine as select ssn as v from bank.customers',
        'create temp table heir () inherits (mine)',
        'create temp table forebear (v text)',
        'alter table mine inherit forebear',
        'select v from forebear',
      ],
      { once: true },
    ),
    attempt(
      'MASK-811',
      'A temporary table ON COMMIT, in a transaction.',
      [
        'begin',
        'create temp table mine on commit drop as select ssn as v from bank.customers',
        'select v from mine',
        'commit',
      ],
      { once: true },
    ),
    attempt(
      'MASK-812',
      'A temporary partition.',
      [
        'create temp table roof (v text) partition by list (v)',
        'create temp table mine partition of roof default',
        'insert into roof select ssn from bank.customers',
        'select v from mine',
        'select v from roof',
      ],
      { once: true },
    ),
    attempt(
      'MASK-813',
      'Statistics of a temporary table.',
      [
        'create temp table mine as select ssn as v from bank.customers',
        'analyze mine',
        `select histogram_bounds, most_common_vals from pg_stats where tablename = 'mine'`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-814',
      'A setting, shown.',
      [`select set_config('bank.x', (select ssn from bank.customers where id = 1), false)`, 'show bank.x'],
      { once: true, blocked: 'settings of their own may not be set through the gateway' },
    ),
    attempt(
      'MASK-815',
      'A setting, read.',
      [
        `select count(set_config('bank.x', ssn, false)) from bank.customers`,
        `select current_setting('bank.x')`,
        `select setting from pg_settings where name = 'bank.x'`,
      ],
      { once: true, blocked: 'settings of their own may not be set through the gateway' },
    ),
    attempt(
      'MASK-816',
      'A setting that the server reports.',
      [
        `select set_config('application_name', ssn, false) is null from bank.customers where id = 1`,
        'show application_name',
      ],
      { once: true },
    ),
    attempt(
      'MASK-817',
      'A setting of work memory.',
      [
        `select set_config('work_mem', score::text, false) is null from bank.customers where id = 1`,
        'show work_mem',
      ],
      { once: true },
    ),
    attempt(
      'MASK-818',
      'A notification.',
      ['listen bell', `select pg_notify('bell', ssn) from bank.customers where id = 1`, 'select 1'],
      { once: true },
    ),
    attempt(
      'MASK-819',
      'A notification whose channel is the value.',
      [`listen "{{pin1}}"`, `select pg_notify(pin, 'x') from bank.customers`, 'select 1'],
      { once: true },
    ),
    attempt(
      'MASK-820',
      'A notification of somebody else.',
      ['listen bell', outside(`select pg_notify('bell', ssn) from bank.customers where id = 1`), 'select 1'],
      { once: true },
    ),
    attempt(
      'MASK-821',
      'A notification of a trigger of somebody else.',
      [
        'listen bell',
        outside(
          `do $do$ begin perform pg_notify('bell', (select to_jsonb(c)::text from bank.tracked c where id = 1)); end $do$`,
        ),
        'select 1',
      ],
      { once: true },
    ),
    attempt(
      'MASK-822',
      'A sequence.',
      [
        `select setval('bank.counter', score) from bank.customers where id = 1`,
        `select nextval('bank.counter')`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-823',
      'A sequence by ALTER in a block.',
      [
        `do $$ begin execute 'alter sequence bank.counter restart with ' || (select score from bank.customers where id = 1); end $$`,
        `select nextval('bank.counter')`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-824',
      'A large object.',
      [
        `select lo_from_bytea(515151, convert_to(ssn, 'UTF8')) from bank.customers where id = 1`,
        'select lo_get(515151)',
      ],
      { once: true },
    ),
    attempt(
      'MASK-825',
      'A large object written to.',
      [
        'select lo_create(515152)',
        `select lo_put(515152, 0, name::bytea) from bank.customers where id = 1`,
        `select convert_from(lo_get(515152), 'UTF8')`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-826',
      'A large object by the old message.',
      [
        `select lo_from_bytea(515153, convert_to(pin, 'UTF8')) from bank.customers where id = 1`,
        functionCall('bank.execute_it', "select encode(lo_get(515153), 'escape')"),
      ],
      { once: true },
    ),
    attempt(
      'MASK-827',
      'A comment by a block.',
      [
        `do $$ begin execute format('comment on table bank.branches is %L', (select ssn from bank.customers where id = 1)); end $$`,
        `select obj_description('bank.branches'::regclass)`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-828',
      'A name of a table by a block.',
      [
        `do $$ begin execute format('create table bank.%I ()', (select pin from bank.customers where id = 1)); end $$`,
        `select relname from pg_class where relnamespace = 'bank'::regnamespace order by oid desc limit 1`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-829',
      'pg_temp functions of two.',
      [
        `select pg_advisory_lock(score) from bank.customers where id = 1`,
        `select objid from pg_locks where locktype = 'advisory'`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-830',
      'A replication message or origin.',
      [
        `select pg_replication_origin_create(ssn) from bank.customers where id = 1`,
        'select roname from pg_replication_origin',
        `select pg_logical_emit_message(true, 'x', ssn) is null from bank.customers where id = 1`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-831',
      'A function result kept in a table by RETURNING.',
      [`insert into bank.plain (id, v) values (100, bank.ssn_of(1)) returning v`],
      { once: true },
    ),
    attempt(
      'MASK-832',
      'A row text kept in a table.',
      [
        'insert into bank.plain (id, v) select id + 100, c::text from bank.customers c',
        'select v from bank.plain where id > 100',
      ],
      { once: true },
    ),
    attempt(
      'MASK-833',
      'A JSON of a row kept in a table.',
      [
        'insert into bank.plain (id, j) select id + 100, to_jsonb(c) from bank.customers c',
        'select j from bank.plain where id > 100',
      ],
      { once: true },
    ),
    attempt(
      'MASK-834',
      'One bit kept in a table.',
      [
        `insert into bank.plain (id, b) select id + 100, ssn > '8' from bank.customers`,
        'select b from bank.plain where id > 100 order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-835',
      'Which rows were copied.',
      [`insert into bank.plain (id) select id + 100 from bank.customers where ssn > '8'`],
      { once: true },
    ),
    attempt(
      'MASK-836',
      'Through somebody else who copies a temporary name.',
      [
        'create temp table mine (v text)',
        copyIn('copy mine from stdin', 'x\n'),
        'insert into mine select ssn from bank.customers',
        'copy (select v from mine) to stdout',
      ],
      { once: true },
    ),
    attempt(
      'MASK-837',
      'A prepared transaction and another session.',
      [
        extended('select id from bank.branches'),
        'begin',
        'insert into bank.plain (id, v) select 100, ssn from bank.customers where id = 1',
        'commit',
        'select v from bank.plain where id = 100',
      ],
      { once: true },
    ),
  ],
};

export const WRITES: Family = {
  name: 'writes and RETURNING',
  attempts: [
    attempt(
      'MASK-838',
      'UPDATE … RETURNING.',
      ['update bank.customers set branch = 2 where id = 1 returning ssn'],
      { once: true },
    ),
    attempt(
      'MASK-839',
      'UPDATE … RETURNING *.',
      ['update bank.customers set branch = 2 where id < 3 returning *'],
      { once: true },
    ),
    attempt(
      'MASK-840',
      'UPDATE … FROM … RETURNING of the other table.',
      [
        'update bank.branches b set city = city from bank.customers c where c.id = b.id returning c.ssn, b.city',
      ],
      { once: true },
    ),
    attempt(
      'MASK-841',
      'UPDATE … RETURNING an expression, with an alias of the table.',
      [`update bank.customers as x set branch = 2 where id = 1 returning x, upper(x.pin)`],
      { once: true },
    ),
    attempt(
      'MASK-842',
      'DELETE … RETURNING.',
      ['delete from bank.accounts where id = 1 returning owner_ssn', 'delete from bank.tracked returning *'],
      { once: true },
    ),
    attempt(
      'MASK-843',
      'DELETE … USING … RETURNING.',
      ['delete from bank.plain p using bank.customers c where c.id = p.id returning p.id, c.ssn'],
      { once: true },
    ),
    attempt(
      'MASK-844',
      'INSERT … SELECT … RETURNING of the same class.',
      ['insert into bank.guesses select id, ssn from bank.customers returning ssn, id'],
      { once: true },
    ),
    attempt(
      'MASK-845',
      'INSERT … SELECT of the same class, then its bits.',
      [
        'insert into bank.guesses select id, ssn from bank.customers',
        `select id from bank.guesses where ssn > '8' order by id`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-846',
      'MERGE … RETURNING.',
      [
        `merge into bank.customers t using bank.branches b on b.id = t.id when matched then update set branch = 1 returning t.ssn, merge_action()`,
      ],
      { since: 17, once: true },
    ),
    attempt(
      'MASK-847',
      'RETURNING old and new.',
      ['update bank.customers set branch = 2 where id = 1 returning old.ssn, new.pin'],
      { since: 18, once: true },
    ),
    attempt(
      'MASK-848',
      'RETURNING WITH (OLD AS …).',
      [
        `update bank.customers set branch = 2 where id = 1 returning with (old as before) before.name, before`,
      ],
      { since: 18, once: true },
    ),
    attempt(
      'MASK-849',
      'A CTE that updates and shows.',
      [
        'with u as (update bank.customers set branch = 2 where id < 4 returning id, ssn as s) select s from u order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-850',
      'An ON CONFLICT that shows what was there.',
      [
        `insert into bank.strict values (1, 'x', 20, 'e', 'p', 't') on conflict (id) do update set tail = 'new' returning ssn, score`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-851',
      'An ON CONFLICT with a condition over what was there.',
      [
        `insert into bank.strict values (1, 'x', 20, 'e', 'p', 't') on conflict (id) do update set tail = 'new' where bank.strict.ssn > '7'`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-852',
      'An UPDATE through a view.',
      [`update bank.v_direct set id = id where id = 1 returning code`],
      { once: true },
    ),
    attempt(
      'MASK-853',
      'An UPDATE of an updatable view whose condition tells.',
      [`update bank.v_filter set id = id`],
      { once: true },
    ),
    attempt('MASK-854', 'A DELETE by a condition, counted.', [`delete from bank.tracked where ssn > '7'`], {
      once: true,
    }),
    attempt(
      'MASK-855',
      'An UPDATE of a class column by a CASE of another, then its NULLs.',
      [`update bank.tracked set id = null where ssn > '7'`, 'select count(id) from bank.tracked'],
      { once: true },
    ),
    attempt(
      'MASK-856',
      'A class column made NULL where it is so, then IS NULL.',
      [
        `update bank.guesses set ssn = null`,
        `insert into bank.guesses select id, nullif(ssn, '{{ssn3}}') from bank.customers`,
        'select id from bank.guesses where ssn is null order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-857',
      'A class column made NULL by a CASE in an UPDATE, then counted.',
      [
        `update bank.customers set ssn = case when ssn < '8' then ssn end`,
        'select id from bank.customers where ssn is null order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-858',
      'A class column cut to a digit, then equal to another of the class.',
      [
        `insert into bank.guesses select id, left(ssn, 1) from bank.customers`,
        `insert into bank.tracked values (6, '6')`,
        `select g.id from bank.guesses g join bank.tracked t on t.ssn = g.ssn where t.id = 6 order by 1`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-859',
      'TRUNCATE, then what RETURNING of a generated column shows.',
      [`insert into bank.gen (id, ssn) select id, ssn from bank.customers returning loud`],
      { once: true },
    ),
    attempt(
      'MASK-860',
      'A default of a column taken from a value.',
      [
        `alter table bank.plain alter v set default (bank.ssn_of(1))`,
        'insert into bank.plain (id) values (100) returning v',
      ],
      { once: true },
    ),
  ],
};

export const DECLASSIFY: Family = {
  name: 'declassification',
  attempts: [
    attempt(
      'MASK-861',
      'A comment that takes the class away.',
      [`comment on column bank.events.ssn is 'nothing to see'`, 'select ssn from bank.events order by id'],
      { once: true },
    ),
    attempt(
      'MASK-862',
      'A comment that is removed.',
      ['comment on column bank.events.ssn is null', 'select ssn from bank.events order by id'],
      { once: true },
    ),
    attempt(
      'MASK-863',
      'A comment that names a class which shows more.',
      [
        `comment on column bank.events.ssn is 'countersign:class=card'`,
        'select ssn from bank.events order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-864',
      'A comment by a block.',
      [
        `do $$ begin execute 'comment on column bank.events.ssn is null'; end $$`,
        'select ssn from bank.events order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-865',
      'A comment by an update of the catalog.',
      [
        'set allow_system_table_mods = on',
        `delete from pg_description where objoid = 'bank.events'::regclass`,
        'select ssn from bank.events order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-866',
      'A partition loses the comment of its parent.',
      ['alter table bank.events detach partition bank.events_south', 'select ssn from bank.events_south'],
      { once: true },
    ),
    attempt(
      'MASK-867',
      'A new partition by attachment takes rows over.',
      [
        'create table bank.holder (like bank.events)',
        'insert into bank.holder select * from bank.events',
        'select ssn from bank.holder order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-868',
      'A column dropped and another renamed to its name.',
      [
        'alter table bank.customers rename ssn to s2',
        'alter table bank.customers add ssn text',
        'select s2, ssn from bank.customers order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-869',
      'A renamed table with another of the old name.',
      [
        'alter table bank.tracked rename to kept',
        'create table bank.tracked (id int, ssn text)',
        'select ssn from bank.kept order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-870',
      'A renamed column in a transaction that is still open.',
      [
        'begin',
        'alter table bank.customers rename ssn to s2',
        'select s2 from bank.customers order by id',
        'rollback',
      ],
      { once: true },
    ),
    attempt(
      'MASK-871',
      'A renamed column and a cursor in one text.',
      [
        `begin; alter table bank.customers rename ssn to s2; select s2 from bank.customers order by id; rollback`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-872',
      'A column renamed by a function.',
      [
        `select bank.execute_it('do $x$ begin alter table bank.customers rename ssn to s2; end $x$')`,
        'select s2 from bank.customers order by id',
      ],
      { once: true, blocked: 'INTO takes no command without rows' },
    ),
    attempt(
      'MASK-873',
      'Catalog names changed by an UPDATE.',
      [
        'set allow_system_table_mods = on',
        `update pg_attribute set attname = 'plainly' where attname = 'ssn' and attrelid = 'bank.customers'::regclass`,
        'select plainly from bank.customers order by id',
      ],
      { once: true, blocked: 'the system catalogs are not written through the gateway' },
    ),
    attempt(
      'MASK-874',
      'A table swapped for another by its file.',
      [
        'create table bank.swap (like bank.customers including all)',
        'alter table bank.customers rename to old_customers',
        'alter table bank.swap rename to customers',
        'select ssn from bank.old_customers order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-875',
      'DROP of a view and one of the same name.',
      [
        'drop view bank.v_nested_again',
        'create view bank.v_nested_again as select pin as y, id from bank.customers',
        'select y from bank.v_nested_again order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-876',
      'CREATE OR REPLACE VIEW moves the columns.',
      [
        'create or replace view bank.v_direct as select id, pin::text as code from bank.customers',
        'select code from bank.v_direct order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-877',
      'A rule makes a table a view of another.',
      [
        'create rule "_RETURN" as on select to bank.guesses do instead select id, pin::text as ssn from bank.customers',
        'select ssn from bank.guesses order by id',
      ],
      { once: true, blocked: 'a table is not made a view any more', since: 16 },
    ),
  ],
};

const written = (column: string, pattern: string, table = 'customers'): Circumstances => ({
  once: true,
  corrupts: `select exists (select 1 from bank.${table} where ${column}::text like '${pattern}')`,
});

/** No leaks, but the other harm: what was masked, written over what it stands for. */
export const WRITE_BACK: Family = {
  name: 'write-back',
  attempts: [
    attempt(
      'MASK-884',
      'A redaction in an UPDATE.',
      [
        'select ssn from bank.customers where id = 1',
        `update bank.customers set ssn = '{{received}}' where id = 2`,
      ],
      written('ssn', '[%'),
    ),
    attempt(
      'MASK-885',
      'A redaction as a parameter.',
      [
        'select ssn from bank.customers where id = 1',
        extended('update bank.customers set ssn = $1 where id = 2', '{{received}}'),
      ],
      written('ssn', '[%'),
    ),
    attempt(
      'MASK-886',
      'A redaction in an INSERT.',
      ['select ssn from bank.customers where id = 1', `insert into bank.guesses values (1, '{{received}}')`],
      written('ssn', '[%', 'guesses'),
    ),
    attempt(
      'MASK-887',
      'A redaction in COPY data.',
      [
        'select ssn from bank.customers where id = 1',
        copyIn('copy bank.guesses from stdin', '1\t{{received}}\n'),
      ],
      written('ssn', '[%', 'guesses'),
    ),
    attempt(
      'MASK-888',
      'A redaction in CSV data, quoted.',
      [
        'select ssn from bank.customers where id = 1',
        copyIn('copy bank.guesses from stdin with (format csv)', '1,"{{received}}"\n'),
      ],
      written('ssn', '[%', 'guesses'),
    ),
    attempt(
      'MASK-889',
      'A redaction inside a longer text of another column.',
      [
        'select ssn from bank.customers where id = 1',
        `update bank.customers set notes = 'her number is {{received}}, she says' where id = 2`,
      ],
      written('notes', '%[%'),
    ),
    attempt(
      'MASK-890',
      'A redaction inside JSON.',
      [
        'select ssn from bank.customers where id = 1',
        `update bank.customers set profile = '{"nick": "{{received}}"}' where id = 2`,
      ],
      written('profile', '%"[%'),
    ),
    attempt(
      'MASK-891',
      'A redaction put together by ||.',
      [
        'select ssn from bank.customers where id = 1',
        `update bank.customers set ssn = '' || '{{received}}' where id = 2`,
      ],
      written('ssn', '[%'),
    ),
    attempt(
      'MASK-892',
      'A redaction by MERGE and by ON CONFLICT.',
      [
        'select ssn from bank.customers where id = 1',
        `insert into bank.parents values ('x') on conflict (ssn) do update set ssn = '{{received}}'`,
        `insert into bank.parents values ('{{received}}') on conflict do nothing`,
      ],
      written('ssn', '[%', 'parents'),
    ),
    attempt(
      'MASK-893',
      'A redaction by a prepared statement of before.',
      [
        parse('p', 'update bank.customers set ssn = $1 where id = 2'),
        'select ssn from bank.customers where id = 1',
        run('p', '{{received}}'),
      ],
      written('ssn', '[%'),
    ),
    attempt(
      'MASK-894',
      'A redaction by SQL EXECUTE.',
      [
        'prepare p (text) as update bank.customers set ssn = $1 where id = 2',
        'select ssn from bank.customers where id = 1',
        `execute p ('{{received}}')`,
      ],
      written('ssn', '[%'),
    ),
    attempt(
      'MASK-895',
      'The last digits of a card.',
      [
        'select card from bank.accounts where id = 1',
        `update bank.accounts set card = '{{received}}' where id = 1`,
      ],
      { ...written('card', '*%', 'accounts'), residue: true },
    ),
    attempt(
      'MASK-896',
      'The domain of an address.',
      [
        'select mail from bank.accounts where id = 1',
        `update bank.accounts set mail = '{{received}}' where id = 1`,
      ],
      { ...written('mail', '*%', 'accounts'), residue: true },
    ),
    attempt(
      'MASK-897',
      'The year of a date.',
      [
        'select born from bank.accounts where id = 1',
        extended('update bank.accounts set born = $1 where id = 1', '{{received}}'),
      ],
      { ...written('born', '%-01-01', 'accounts'), residue: true },
    ),
    attempt(
      'MASK-898',
      'A bucket.',
      [
        'select salary from bank.accounts where id = 1',
        `update bank.accounts set salary = {{received}} where id = 1`,
      ],
      { ...written('salary', '%000.00', 'accounts'), residue: true },
    ),
    attempt(
      'MASK-899',
      'A token.',
      [
        'select number from bank.accounts where id = 1',
        `update bank.accounts set number = '{{received}}' where id = 1`,
      ],
      {
        once: true,
        residue: true,
        corrupts: `select exists (select 1 from bank.accounts where number !~ '^[6-9]+$')`,
      },
    ),
    attempt(
      'MASK-900',
      'A whole row, as mappers write it back.',
      [
        'select born, card, salary from bank.accounts where id = 1',
        copyIn('copy bank.accounts (id, born) from stdin', '99\t{{received}}\n'),
      ],
      { ...written('born', '%-01-01', 'accounts'), residue: true },
    ),
    attempt(
      'MASK-901',
      'NULL where a number was hidden.',
      [
        'select dob, balance from bank.customers where id = 1',
        'update bank.customers set dob = null, balance = null where id = 1',
      ],
      {
        once: true,
        corrupts: 'select exists (select 1 from bank.customers where dob is null)',
      },
    ),
  ],
};
