/** Ways of the protocol: prepared statements, portals, cursors, COPY, EXPLAIN. */
import {
  attempt,
  binary,
  copyIn,
  describe,
  extended,
  grant,
  outside,
  parse,
  pipeline,
  portal,
  run,
  runBinary,
  type Family,
} from '../attempt.ts';

export const PROTOCOL: Family = {
  name: 'prepared, cursors, binary',
  attempts: [
    attempt('MASK-672', 'A prepared statement, executed without a description.', [
      parse('p', 'select ssn from bank.customers order by id'),
      run('p'),
      run('p'),
      runBinary('p'),
    ]),
    attempt('MASK-673', 'A prepared statement, described, then executed in binary.', [
      parse('p', 'select dob, balance, ref, scan from bank.customers order by id'),
      describe('p'),
      runBinary('p'),
      run('p'),
    ]),
    attempt('MASK-674', 'A prepared statement with a parameter, in binary.', [
      parse('p', 'select name, tags, span, addr from bank.customers where id = $1'),
      runBinary('p', '1'),
      runBinary('p', '2'),
    ]),
    attempt(
      'MASK-675',
      'A prepared statement whose view is replaced.',
      [
        parse('p', 'select city from bank.v_late'),
        run('p'),
        outside('create or replace view bank.v_late as select ssn as city from bank.customers'),
        run('p'),
        runBinary('p'),
      ],
      { setup: 'create view bank.v_late as select city from bank.branches' },
    ),
    attempt('MASK-676', 'A prepared statement whose table is replaced by a view.', [
      parse('p', 'select v from bank.plain'),
      run('p'),
      outside(
        'alter table bank.plain rename to plain_old; create view bank.plain as select id, ssn as v from bank.customers',
      ),
      run('p'),
    ]),
    attempt(
      'MASK-677',
      'A prepared statement and a path that moves to another table.',
      [
        'set search_path = bank',
        parse('p', 'select city from branches order by id'),
        run('p'),
        'set search_path = shadow',
        run('p'),
        runBinary('p'),
      ],
      {
        setup:
          'drop table shadow.branches; create view shadow.branches as select id, ssn as city from bank.customers',
      },
    ),
    attempt(
      'MASK-678',
      'A prepared statement whose function is replaced.',
      [
        parse('p', 'select bank.late()'),
        run('p'),
        outside(
          `create or replace function bank.late() returns text language sql as 'select ssn from bank.customers where id = 1'`,
        ),
        run('p'),
      ],
      {
        setup: `create function bank.late() returns text language sql as 'select city from bank.branches where id = 1'`,
      },
    ),
    attempt(
      'MASK-679',
      'A prepared statement of before the class was bound.',
      [
        parse('p', 'select v from bank.fresh'),
        outside(`comment on column bank.fresh.v is 'countersign:class=secret'`),
        run('p'),
        runBinary('p'),
      ],
      { setup: 'create table bank.fresh as select ssn as v from bank.customers', granted: [] },
    ),
    attempt(
      'MASK-680',
      'A prepared statement of before the grant was taken back.',
      [parse('p', 'select ssn from bank.customers order by id'), grant({}), run('p'), runBinary('p')],
      { grant: { unmask: ['ssn'] } },
    ),
    attempt(
      'MASK-681',
      'A session of before the grant was taken back.',
      ['select id from bank.branches', grant({}), 'select ssn from bank.customers order by id'],
      { grant: { unmask: ['ssn'] } },
    ),
    attempt(
      'MASK-682',
      'A cursor of before the grant was taken back.',
      [
        'begin',
        'declare c cursor for select ssn from bank.customers order by id',
        grant({}),
        'fetch 3 from c',
        'rollback',
      ],
      { grant: { unmask: ['ssn'] }, once: true },
    ),
    attempt(
      'MASK-683',
      'A budget of before the grant was taken back.',
      [parse('p', 'select id from bank.customers where ssn = $1'), grant({}), run('p', '{{ssn3}}')],
      { grant: { budgets: { ssn: { values: 5, per: 'day' } } } },
    ),
    attempt(
      'MASK-684',
      'Another class than the one that is let out.',
      'select pin, name from bank.customers order by id',
      { grant: { unmask: ['email'] } },
    ),
    attempt(
      'MASK-685',
      'A class that is let out, mixed with one that is not.',
      `select email || ssn from bank.customers order by id`,
      { grant: { unmask: ['email'] } },
    ),
    attempt('MASK-686', 'A portal, row by row.', [
      portal('select ssn, name from bank.customers order by id'),
      portal('select dob, pin from bank.customers order by id', true),
    ]),
    attempt('MASK-687', 'A pipeline of different shapes.', [
      pipeline(
        'select id, region from bank.customers order by id',
        'select region, ssn from bank.customers order by id',
        'select ssn, region from bank.customers order by id',
      ),
    ]),
    attempt('MASK-688', 'A pipeline in which an empty statement moves the positions.', [
      pipeline('', 'select city from bank.branches', 'select ssn from bank.customers order by id'),
    ]),
    attempt(
      'MASK-689',
      'Several statements in one text, some without rows.',
      [
        `select id from bank.branches; ; set application_name = 'x'; select ssn from bank.customers order by id; select 1; select pin from bank.customers order by id`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-690',
      'Several statements, of which the first has no rows.',
      [
        'begin; select ssn from bank.customers order by id; commit; select name from bank.customers order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-691',
      'Several statements with EXPLAIN, SHOW and rows.',
      [
        'show timezone; explain select 1; select ssn from bank.customers order by id; values (1); table bank.tracked',
      ],
      { once: true },
    ),
    attempt(
      'MASK-692',
      'Binary results of every type.',
      [binary('select * from bank.customers order by id'), binary('select * from bank.accounts order by id')],
      { residue: true },
    ),
    attempt('MASK-693', 'Binary results of expressions.', [
      binary(
        'select ssn || name, array[ssn], row(pin, balance), to_jsonb(tags) from bank.customers order by id',
      ),
    ]),
    attempt('MASK-694', 'A statement with no statement name and parameters as text in the output.', [
      extended('select ssn || $1, $1 from bank.customers order by id', 'x'),
    ]),
    attempt(
      'MASK-695',
      'A cursor.',
      [
        'begin',
        'declare c cursor for select ssn from bank.customers order by id',
        'fetch all from c',
        'close c',
        'rollback',
      ],
      { once: true },
    ),
    attempt(
      'MASK-696',
      'A cursor WITH HOLD.',
      [
        'declare c cursor with hold for select pin, id from bank.customers order by id',
        'fetch 4 from c',
        'fetch forward all from c',
        'close c',
      ],
      { once: true },
    ),
    attempt(
      'MASK-697',
      'A scrollable cursor, backward, absolute, relative.',
      [
        'begin',
        'declare c scroll cursor for select name, id from bank.customers order by id',
        'fetch last from c',
        'fetch absolute 3 from c',
        'fetch relative -1 from c',
        'fetch backward 2 from c',
        'rollback',
      ],
      { once: true },
    ),
    attempt(
      'MASK-698',
      'A binary cursor.',
      [
        'begin',
        'declare c binary cursor for select dob, ssn, balance from bank.customers order by id',
        'fetch all from c',
        'rollback',
      ],
      { once: true },
    ),
    attempt(
      'MASK-699',
      'Two cursors of the same name, one after the other.',
      [
        'begin',
        'declare c cursor for select city from bank.branches order by id',
        'fetch 1 from c',
        'close c',
        'declare c cursor for select ssn from bank.customers order by id',
        'fetch all from c',
        'rollback',
      ],
      { once: true },
    ),
    attempt(
      'MASK-700',
      'A cursor of before a savepoint that is rolled back.',
      [
        'begin',
        'declare c cursor for select ssn from bank.customers order by id',
        'savepoint s',
        'close c',
        'declare c cursor for select city from bank.branches',
        'rollback to s',
        'fetch all from c',
        'rollback',
      ],
      { once: true, blocked: 'closing a cursor is not undone' },
    ),
    attempt(
      'MASK-701',
      'A cursor fetched in the same text.',
      ['begin; declare c cursor for select ssn from bank.customers order by id; fetch all from c; rollback'],
      { once: true },
    ),
    attempt(
      'MASK-702',
      'A cursor fetched by the extended protocol, in binary.',
      [
        'begin',
        extended('declare c cursor for select ssn, dob from bank.customers order by id'),
        binary('fetch 3 from c'),
        extended('fetch all from c'),
        'rollback',
      ],
      { once: true },
    ),
    attempt(
      'MASK-703',
      'A cursor whose name needs quotes.',
      [
        'begin',
        'declare "C d" cursor for select ssn from bank.customers order by id',
        'fetch all from "C d"',
        'rollback',
      ],
      { once: true },
    ),
    attempt(
      'MASK-704',
      'MOVE tells how many.',
      [
        'begin',
        `declare c cursor for select id from bank.customers where ssn > '8'`,
        'move all from c',
        'rollback',
      ],
      { once: true },
    ),
    attempt(
      'MASK-705',
      'A portal of the protocol, fetched by its name.',
      [
        'begin',
        { kind: 'parse', name: 'p', text: 'select ssn from bank.customers order by id' },
        run('p'),
        'fetch all from ""',
        'rollback',
      ],
      { once: true },
    ),
    attempt(
      'MASK-706',
      'PREPARE and EXECUTE.',
      ['prepare p as select ssn from bank.customers order by id', 'execute p', binary('execute p')],
      { once: true },
    ),
    attempt(
      'MASK-707',
      'PREPARE again under the same name.',
      [
        'prepare p as select city from bank.branches order by id',
        'execute p',
        'deallocate p',
        'prepare p as select ssn from bank.customers order by id',
        'execute p',
      ],
      { once: true },
    ),
    attempt(
      'MASK-708',
      'PREPARE by SQL, executed by the protocol.',
      ['prepare p as select ssn from bank.customers order by id', run('p'), runBinary('p')],
      { once: true },
    ),
    attempt(
      'MASK-709',
      'Parse by the protocol, EXECUTE by SQL.',
      [parse('p', 'select ssn from bank.customers order by id'), 'execute p', 'explain execute p'],
      { once: true },
    ),
    attempt(
      'MASK-710',
      'CREATE TABLE AS EXECUTE.',
      [
        'prepare p as select ssn from bank.customers order by id',
        'create table bank.mine as execute p',
        'select * from bank.mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-711',
      'PREPARE of an INSERT with RETURNING.',
      [
        'prepare p (int) as update bank.customers set branch = $1 where id = 1 returning ssn',
        'execute p (1)',
      ],
      { once: true },
    ),
  ],
};

export const COPIES: Family = {
  name: 'COPY and EXPLAIN',
  attempts: [
    attempt('MASK-712', 'COPY of a table.', ['copy bank.customers to stdout'], { once: true }),
    attempt('MASK-713', 'COPY of a column.', ['copy bank.customers (ssn) to stdout'], { once: true }),
    attempt(
      'MASK-714',
      'COPY of columns in another order.',
      ['copy bank.customers (pin, id, ssn, region) to stdout'],
      { once: true },
    ),
    attempt(
      'MASK-715',
      'COPY as CSV with quotes of its own.',
      [
        `copy bank.customers (ssn, name, id) to stdout with (format csv, delimiter ';', quote '$', escape '!', force_quote *, null 'NIL')`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-716',
      'COPY as text with a delimiter that is in the values.',
      [`copy bank.customers (ssn, phone, id) to stdout with (delimiter '-', null 'x')`],
      { once: true },
    ),
    attempt(
      'MASK-717',
      'COPY in the old syntax.',
      [
        `copy bank.customers (name, pin) to stdout with csv header delimiter '|'`,
        `copy bank.customers (ssn) to stdout using delimiters ','`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-718',
      'COPY in binary.',
      ['copy bank.customers to stdout with (format binary)', 'copy binary bank.tracked to stdout'],
      { once: true },
    ),
    attempt(
      'MASK-719',
      'COPY in another encoding.',
      [`copy bank.customers (name, ssn) to stdout with (encoding 'LATIN1')`],
      { once: true },
    ),
    attempt(
      'MASK-720',
      'COPY of a query with aliases and moved columns.',
      ['copy (select region, ssn as region, * from bank.customers) to stdout with (format csv, header)'],
      { once: true },
    ),
    attempt(
      'MASK-721',
      'COPY of an UPDATE with RETURNING.',
      ['copy (update bank.customers set branch = branch returning ssn, id) to stdout'],
      { once: true },
    ),
    attempt(
      'MASK-722',
      'COPY of a partition and of a view.',
      ['copy bank.events_north to stdout', 'copy (select * from bank.v_nested_again) to stdout'],
      { once: true },
    ),
    attempt(
      'MASK-723',
      'COPY of a function.',
      [
        'copy (select bank.opaque_ssn(1)) to stdout',
        'copy (select * from bank.opaque_table()) to stdout with (format csv)',
      ],
      { once: true },
    ),
    attempt(
      'MASK-724',
      'COPY of partial columns.',
      [
        'copy bank.accounts to stdout with (format csv)',
        'copy bank.accounts (card, born) to stdout with (format binary)',
      ],
      { once: true, residue: true },
    ),
    attempt(
      'MASK-725',
      'COPY by the extended protocol.',
      [extended('copy bank.customers (ssn, id) to stdout')],
      { once: true },
    ),
    attempt(
      'MASK-726',
      'COPY to a file and back.',
      [
        `copy (select ssn from bank.customers) to '/tmp/countersign-copied'`,
        `create temp table back (v text)`,
        `copy back from '/tmp/countersign-copied'`,
        'select v from back',
      ],
      { once: true },
    ),
    attempt(
      'MASK-727',
      'COPY to a program.',
      [
        `copy (select ssn from bank.customers where id = 1) to program 'cat >&2'`,
        `copy bank.plain (id) from program 'echo 1; echo 2'`,
        `copy (select ssn from bank.customers where ssn > '8') to program 'cat > /dev/null'`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-728',
      'COPY FROM with a condition over it.',
      [copyIn(`copy bank.guesses from stdin where ssn < (select '8')`, '1\t7\n')],
      { once: true, blocked: 'no subquery in such a condition' },
    ),
    attempt(
      'MASK-729',
      'COPY of the rows in its order.',
      [`copy (select id from bank.customers order by ssn) to stdout`],
      { once: true },
    ),
    attempt(
      'MASK-730',
      'JSON of rows by COPY.',
      [`copy (select to_json(c) from bank.customers c) to stdout`],
      { once: true },
    ),
    attempt(
      'MASK-731',
      'EXPLAIN shows an estimate of a range.',
      [`explain select id from bank.customers where ssn > '8'`],
      { once: true },
    ),
    attempt(
      'MASK-732',
      'EXPLAIN shows an estimate of a guess.',
      [`explain (format json) select id from bank.customers where balance < 780000`],
      { once: true },
    ),
    attempt(
      'MASK-733',
      'EXPLAIN ANALYZE shows actual rows.',
      [
        `explain (analyze, timing off, summary off, buffers off, costs off) select id from bank.customers where ssn > '8'`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-734',
      'EXPLAIN ANALYZE shows actual rows of a join by a guess.',
      [
        `explain (analyze, timing off, summary off, buffers off, costs off) select 1 from bank.branches b join bank.customers c on c.ssn = '{{ssn3}}'`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-735',
      'EXPLAIN shows a constant that was computed.',
      ['explain verbose select bank.opaque_fixed(1)'],
      { once: true },
    ),
    attempt(
      'MASK-736',
      'EXPLAIN shows the filter of an inlined function that was computed.',
      [`explain (costs off) select id from bank.branches where city = bank.opaque_fixed(1)`],
      { once: true },
    ),
    attempt(
      'MASK-737',
      'EXPLAIN shows the width of columns.',
      ['explain select ssn, name, pin from bank.customers'],
      { once: true },
    ),
    attempt(
      'MASK-738',
      'EXPLAIN shows groups.',
      ['explain select ssn, count(*) from bank.customers group by ssn'],
      { once: true },
    ),
    attempt(
      'MASK-739',
      'EXPLAIN ANALYZE shows memory of a sort.',
      ['explain (analyze, timing off, summary off, buffers off) select id from bank.customers order by ssn'],
      { once: true },
    ),
    attempt(
      'MASK-740',
      'EXPLAIN ANALYZE of INSERT … SELECT.',
      [
        `explain (analyze, timing off, summary off, buffers off, costs off) insert into bank.plain (id) select id + 100 from bank.customers where ssn > '8'`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-741',
      'EXPLAIN (SERIALIZE) tells the size of the output.',
      [
        'explain (analyze, serialize text, timing off, summary off, buffers off, costs off) select repeat(ssn, 1000) from bank.customers',
      ],
      { since: 17, once: true },
    ),
    attempt(
      'MASK-742',
      'EXPLAIN prunes partitions by a value that it asks for.',
      [`explain (costs off) select * from bank.ssn_parts where ssn = '88'`],
      { once: true },
    ),
    attempt(
      'MASK-743',
      'EXPLAIN (GENERIC_PLAN) with parameters.',
      [`explain (generic_plan) select id from bank.customers where ssn > $1`],
      { since: 16, once: true, blocked: 'an estimate without a value is the same for all' },
    ),
  ],
};
