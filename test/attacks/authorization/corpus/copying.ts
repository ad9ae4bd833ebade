/** COPY, EXPLAIN, and errors that speak. */
import { copyIn, escapes, extended, parse, reads, writes, type Family } from '../attack.ts';

export const COPY: Family = {
  name: 'copy',
  attacks: [
    reads('AUTHZ-228', 'reader', 'COPY of a forbidden table.', ['copy secret.keys to stdout']),
    reads('AUTHZ-229', 'reader', 'COPY of a table of which some columns are granted.', [
      'copy bank.accounts to stdout',
    ]),
    reads('AUTHZ-230', 'reader', 'COPY of a column that is not granted.', [
      'copy bank.accounts (id, pin) to stdout',
    ]),
    reads('AUTHZ-231', 'reader', 'COPY of a query.', [
      'copy (select value from secret.keys) to stdout with (format csv, header)',
    ]),
    reads('AUTHZ-232', 'reader', 'COPY of a query in binary.', [
      'copy (select value from secret.keys) to stdout with (format binary)',
    ]),
    reads('AUTHZ-233', 'teller', 'COPY of a data-modifying query.', [
      'copy (update bank.limits set daily = daily returning reason) to stdout',
    ]),
    writes('AUTHZ-234', 'reader', 'COPY of a query that deletes.', [
      'copy (delete from bank.drafts returning id) to stdout',
    ]),
    writes('AUTHZ-235', 'reader', 'COPY into a table that may only be read.', [
      copyIn('copy bank.branches from stdin', '9\tx\ty\n'),
    ]),
    writes(
      'AUTHZ-236',
      'teller',
      'COPY into columns that are not granted.',
      [copyIn('copy bank.transfers (id, from_id, to_id, amount) from stdin', '997\t1\t2\t3\n')],
      {
        check: 'select exists (select 1 from bank.transfers where id = 997)',
      },
    ),
    reads(
      'AUTHZ-237',
      'teller',
      'COPY into a granted table with a forbidden table in WHERE.',
      [
        copyIn(
          `copy bank.transfers (from_id, to_id, amount, note) from stdin where note = app.read_key(1)`,
          '1\t2\t3\tCNRY-key-1\n',
        ),
      ],
      { check: 'select count(*) = 3 from bank.transfers' },
    ),
    escapes('AUTHZ-238', 'reader', 'COPY to a file.', [`copy bank.branches to '{{dir}}/stolen'`]),
    escapes(
      'AUTHZ-239',
      'teller',
      'COPY from a file.',
      [`copy bank.transfers (note) from '{{dir}}/canary.txt'`],
      {
        check: `select exists (select 1 from bank.transfers where note like '%file%')`,
        setup: 'alter table bank.transfers alter amount drop not null',
      },
    ),
    escapes('AUTHZ-240', 'reader', 'COPY to a program.', [
      `copy bank.branches to program 'cat > {{dir}}/stolen'`,
    ]),
    escapes('AUTHZ-241', 'builder', 'COPY from a program.', [
      'create table scratch.f (line text)',
      `copy scratch.f from program 'cat {{dir}}/canary.txt'`,
      'select line from scratch.f',
    ]),
    escapes('AUTHZ-242', 'builder', 'COPY from a file into a temporary table.', [
      'create temp table f (line text)',
      `copy f from '{{dir}}/canary.txt'`,
      'select line from f',
    ]),
    reads('AUTHZ-243', 'reader', 'COPY by the extended protocol.', [
      extended('copy (select value from secret.keys) to stdout'),
    ]),
    reads('AUTHZ-244', 'reader', 'COPY in its old spelling.', ['copy binary secret.keys to stdout']),
    reads('AUTHZ-245', 'reader', 'COPY behind a granted one in a single message.', [
      'copy bank.branches to stdout; copy secret.keys to stdout',
    ]),
  ],
};

export const EXPLAIN: Family = {
  name: 'explain',
  attacks: [
    writes('AUTHZ-246', 'reader', 'EXPLAIN ANALYZE runs what it explains.', [
      'explain analyze delete from bank.drafts',
    ]),
    writes('AUTHZ-247', 'reader', 'EXPLAIN with ANALYZE among its options.', [
      'explain (costs off, analyze true) update bank.branches set phone = null',
    ]),
    reads('AUTHZ-248', 'reader', 'The plan shows a constant that a function gave while planning.', [
      'explain (verbose) select app.fixed_key(1)',
    ]),
    reads(
      'AUTHZ-249',
      'reader',
      'The plan shows the values that statistics hold.',
      [`explain select 1 from secret.common where word = 'x' || 'y'`],
      { received: 'Seq Scan on common' },
    ),
    reads(
      'AUTHZ-250',
      'reader',
      'EXPLAIN of a query whose plan shows what a subquery gave.',
      [
        'explain (analyze, costs off, timing off) select 1 from bank.branches where id < (select n from secret.numbers)',
      ],
      { received: 'actual rows=2' },
    ),
    reads(
      'AUTHZ-251',
      'reader',
      'EXPLAIN ANALYZE counts the rows of a forbidden condition.',
      [`explain (analyze, costs off, timing off) select 1 from secret.keys where value like '%key-1'`],
      { received: 'rows=1' },
    ),
    writes('AUTHZ-252', 'builder', 'EXPLAIN ANALYZE of CREATE TABLE AS beyond the own schema.', [
      'explain analyze create table bank.stolen as select 1',
    ]),
    reads('AUTHZ-253', 'builder', 'EXPLAIN ANALYZE of CREATE TABLE AS from a forbidden table.', [
      'explain analyze create table scratch.k as select * from secret.keys',
      'select value from scratch.k',
    ]),
    writes('AUTHZ-254', 'reader', 'EXPLAIN ANALYZE of EXECUTE.', [
      'prepare p as delete from bank.audit',
      'explain analyze execute p',
    ]),
    writes('AUTHZ-255', 'reader', 'EXPLAIN ANALYZE of a function with an effect.', [
      'explain analyze select app.wipe()',
    ]),
    reads(
      'AUTHZ-256',
      'reader',
      'EXPLAIN of a function that is run while planning and speaks.',
      [`explain select 1 from bank.branches where app.fixed_key(1) = 'x'`],
      {
        received: 'One-Time Filter',
      },
    ),
  ],
};

export const ERRORS: Family = {
  name: 'errors and probes',
  attacks: [
    reads('AUTHZ-257', 'reader', 'A cast that puts the value into an error.', [
      'select (select value from secret.keys limit 1)::int',
    ]),
    reads('AUTHZ-258', 'reader', 'A cast of a forbidden column.', ['select pin::int from bank.accounts']),
    reads('AUTHZ-259', 'reader', 'A date that cannot be read.', ['select pin::date from bank.accounts']),
    reads(
      'AUTHZ-260',
      'reader',
      'A JSON text that cannot be read.',
      ['select ssn::json from bank.customers'],
      { received: 'Token "CNRY"' },
    ),
    reads(
      'AUTHZ-261',
      'reader',
      'A name that no relation has.',
      [`select ssn::pg_catalog.regclass from bank.customers`],
      { received: 'cnry-ssn-1' },
    ),
    reads('AUTHZ-262', 'teller', 'A unique key that tells the value it was hit by.', [
      'insert into bank.codes select value from secret.keys union all select value from secret.keys',
    ]),
    reads('AUTHZ-263', 'teller', 'A check constraint whose error shows the whole failing row.', [
      'insert into bank.transfers (from_id, to_id, amount, note) select 1, 2, -1, value from secret.keys',
    ]),
    reads('AUTHZ-264', 'teller', 'The error of an UPDATE that shows columns which may not be read.', [
      'update bank.limits set account_id = null',
    ]),
    reads(
      'AUTHZ-265',
      'reader',
      'A table that exists and one that does not, told apart.',
      ['select 1 from secret.keys', 'select 1 from secret.nope'],
      {
        differs: [0, 1],
      },
    ),
    reads(
      'AUTHZ-266',
      'reader',
      'A column that exists and one that does not, told apart.',
      ['select ssn from bank.customers', 'select xxx from bank.customers'],
      {
        differs: [0, 1],
      },
    ),
    reads(
      'AUTHZ-267',
      'reader',
      'A schema that exists and one that does not, told apart.',
      ['select 1 from secret.keys', 'select 1 from absent.keys'],
      {
        differs: [0, 1],
      },
    ),
    reads(
      'AUTHZ-268',
      'reader',
      'A function that exists and one that does not, told apart.',
      ['select app.read_key(1)', 'select app.keep_none(1)'],
      {
        differs: [0, 1],
      },
    ),
    reads(
      'AUTHZ-269',
      'teller',
      'A forbidden column of a partly granted table and an absent one, told apart.',
      ['select reason from bank.limits', 'select absent from bank.limits'],
      {
        differs: [0, 1],
      },
    ),
    reads(
      'AUTHZ-270',
      'reader',
      'A table that exists and one that does not, told apart by Parse.',
      [parse('a', 'select 1 from secret.keys'), parse('b', 'select 1 from secret.nope')],
      { differs: [0, 1] },
    ),
    reads(
      'AUTHZ-271',
      'reader',
      'Whether a foreign key finds its row.',
      [`insert into bank.customers (id, account_id) values (9, 2)`],
      { check: 'select count(*) = 3 from bank.customers' },
    ),
  ],
};
