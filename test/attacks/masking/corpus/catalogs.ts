/** What the server keeps of values elsewhere: statistics, definitions, logs of itself, other sessions. */
import { attempt, type Family } from '../attempt.ts';

export const CATALOGS: Family = {
  name: 'catalogs and statistics',
  attempts: [
    attempt(
      'MASK-744',
      'Common values in pg_stats.',
      `select most_common_vals from pg_stats where tablename = 'customers' and attname in ('ssn', 'pin') order by attname`,
    ),
    attempt(
      'MASK-745',
      'Histogram bounds in pg_stats.',
      `select attname, histogram_bounds from pg_stats where tablename = 'customers' order by attname`,
    ),
    attempt('MASK-746', 'pg_stats as a row.', `select s from pg_stats s where tablename = 'customers'`),
    attempt(
      'MASK-747',
      'pg_stats as JSON.',
      `select to_jsonb(s) from pg_catalog.pg_stats s where attname = 'ssn' and tablename = 'customers'`,
    ),
    attempt(
      'MASK-748',
      'Average widths and correlation in pg_stats.',
      `select attname, avg_width, correlation, n_distinct from pg_stats where tablename = 'customers' order by 1`,
    ),
    attempt(
      'MASK-749',
      'Array elements in pg_stats.',
      `select most_common_elems from pg_stats where attname in ('tags', 'words')`,
    ),
    attempt(
      'MASK-750',
      'Range bounds in pg_stats.',
      `select range_bounds_histogram, range_length_histogram from pg_stats where attname = 'span'`,
      { since: 17 },
    ),
    attempt(
      'MASK-751',
      'pg_statistic.',
      `select stavalues1, stavalues2, stavalues3 from pg_statistic where starelid = 'bank.customers'::regclass and staattnum between 5 and 9 order by staattnum`,
    ),
    attempt(
      'MASK-752',
      'pg_statistic as text.',
      `select s::text from pg_statistic s where starelid = 'bank.customers'::regclass`,
    ),
    attempt(
      'MASK-753',
      'Numbers in pg_statistic.',
      `select stawidth, stanumbers1 from pg_statistic where starelid = 'bank.customers'::regclass order by staattnum`,
    ),
    attempt(
      'MASK-754',
      'Extended statistics.',
      `select most_common_vals, n_distinct, dependencies from pg_stats_ext where statistics_name = 'kin'`,
    ),
    attempt(
      'MASK-755',
      'The list of common values, unpacked.',
      `select i.values from pg_statistic_ext_data d, pg_mcv_list_items(d.stxdmcv) i`,
    ),
    attempt(
      'MASK-756',
      'The list of common values, as bytes.',
      'select stxdmcv::text from pg_statistic_ext_data',
    ),
    attempt(
      'MASK-757',
      'Statistics on an expression, made by the attacker.',
      [
        'create statistics bank.mine on (reverse(ssn)) from bank.customers',
        'analyze bank.customers',
        'select most_common_vals, histogram_bounds from pg_stats_ext_exprs',
      ],
      { once: true, since: 14 },
    ),
    attempt(
      'MASK-758',
      'Statistics of an index on an expression, made by the attacker.',
      [
        `create index mine on bank.customers (reverse(ssn))`,
        'analyze bank.customers',
        `select histogram_bounds from pg_stats where tablename = 'mine'`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-759',
      'Statistics after they were made anew.',
      [
        'analyze bank.tracked',
        `select most_common_vals, histogram_bounds from pg_stats where tablename = 'tracked'`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-760',
      'Bounds of partitions.',
      `select pg_get_expr(relpartbound, oid) from pg_class where relispartition order by relname`,
    ),
    attempt(
      'MASK-761',
      'Bounds of partitions by their constraint.',
      `select pg_get_partition_constraintdef('bank.ssn_parts_low'::regclass)`,
    ),
    attempt(
      'MASK-762',
      'Bounds of partitions as a tree of nodes.',
      `select relpartbound from pg_class where relname = 'ssn_parts_low'`,
    ),
    attempt('MASK-763', 'A large object that holds one.', `select lo_get(424242)`),
    attempt(
      'MASK-764',
      'A large object read by pieces.',
      ['begin', 'select loread(lo_open(424242, 262144), 100)', 'rollback'],
      { once: true },
    ),
    attempt('MASK-765', 'pg_largeobject.', 'select data from pg_largeobject'),
    attempt(
      'MASK-766',
      'A file of the server with the table.',
      [`select pg_read_binary_file(pg_relation_filepath('bank.customers'))`],
      { once: true },
    ),
    attempt('MASK-767', 'The log of the server.', [`select pg_read_file(pg_current_logfile())`], {
      once: true,
      blocked: 'the server writes no log file of its own here',
    }),
    attempt(
      'MASK-768',
      'Prepared statements of the session, after another grant.',
      ['prepare p as select 1', 'select statement from pg_prepared_statements'],
      { once: true, blocked: 'they hold what the attacker wrote' },
    ),
    attempt('MASK-769', 'Cursors of the session.', ['select name, statement from pg_cursors'], {
      once: true,
      blocked: 'they hold what the attacker wrote',
    }),
    attempt(
      'MASK-770',
      'Locks and their numbers.',
      [
        'begin',
        'select pg_advisory_xact_lock(hashtext(ssn)) from bank.customers where id = 1',
        `select classid, objid from pg_locks where locktype = 'advisory'`,
        'rollback',
      ],
      { once: true },
    ),
    attempt(
      'MASK-771',
      'Row counters that a filter moved.',
      [
        `update bank.customers set branch = branch where ssn > '8'`,
        `select pg_stat_get_xact_tuples_updated('bank.customers'::regclass)`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-772',
      'Physical order after CLUSTER.',
      [
        'create index mine on bank.customers (ssn)',
        'cluster bank.customers using mine',
        'select id from bank.customers',
      ],
      { once: true },
    ),
    attempt(
      'MASK-773',
      'Physical order by ctid after an insert that sorts.',
      [
        'create table bank.mine as select id from bank.customers order by ssn',
        'select ctid, id from bank.mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-774',
      'The size of a table of it.',
      [
        'create table bank.mine as select repeat(ssn, 15000) as v from bank.customers',
        `alter table bank.mine alter v set storage external`,
        'vacuum full bank.mine',
        `select pg_table_size('bank.mine')`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-775',
      'pageinspect of the table.',
      [
        `create extension if not exists pageinspect`,
        `select t_data from heap_page_items(get_raw_page('bank.customers', 0))`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-776',
      'dblink to itself.',
      [
        'create extension if not exists dblink',
        `select * from dblink('dbname=' || current_database(), 'select ssn from bank.customers') t (v text)`,
      ],
      { once: true, blocked: 'no server at the socket that is asked' },
    ),
    attempt(
      'MASK-778',
      'Memory of the session after it.',
      [
        `select id from bank.customers where ssn like '{{ssn1:4}}%'`,
        `select name, total_bytes from pg_backend_memory_contexts where name = 'x'`,
      ],
      { once: true, since: 14 },
    ),
  ],
};
