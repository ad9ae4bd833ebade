/** Column privileges: every clause that can read, or write, a column which the scope leaves out. */
import { extended, reads, writes, type Family } from '../attack.ts';

export const COLUMNS: Family = {
  name: 'columns',
  attacks: [
    reads(
      'AUTHZ-155',
      'reader',
      'In WHERE, as an oracle.',
      [`select owner from bank.accounts where pin like '%pin-1'`],
      { received: 'Ada' },
    ),
    reads(
      'AUTHZ-156',
      'reader',
      'In ORDER BY.',
      ['select owner from bank.accounts order by pin desc limit 1'],
      { received: 'Bo' },
    ),
    reads(
      'AUTHZ-157',
      'reader',
      'In ORDER BY a position of a star.',
      ['select owner from (select * from bank.accounts) s order by s.pin desc limit 1'],
      { received: 'Bo' },
    ),
    reads(
      'AUTHZ-158',
      'reader',
      'In GROUP BY.',
      [`select 'groups=' || count(*) from (select 1 from bank.accounts group by pin) s`],
      { received: 'groups=2' },
    ),
    reads(
      'AUTHZ-159',
      'reader',
      'In HAVING.',
      [`select owner from bank.accounts group by owner having max(pin) like '%pin-1'`],
      { received: 'Ada' },
    ),
    reads(
      'AUTHZ-160',
      'reader',
      'In DISTINCT ON.',
      ['select distinct on (pin) owner from bank.accounts order by pin'],
      { received: 'Ada' },
    ),
    reads(
      'AUTHZ-161',
      'reader',
      'In a window.',
      ['select owner || rank() over (order by pin desc) from bank.accounts'],
      { received: 'Bo1' },
    ),
    reads(
      'AUTHZ-162',
      'reader',
      'In a named window.',
      ['select owner || rank() over w from bank.accounts window w as (order by pin desc)'],
      { received: 'Bo1' },
    ),
    reads(
      'AUTHZ-163',
      'reader',
      'In FILTER.',
      [`select 'n=' || count(*) filter (where pin like '%pin-1') from bank.accounts`],
      { received: 'n=1' },
    ),
    reads(
      'AUTHZ-164',
      'reader',
      'In an aggregate with ORDER BY.',
      [`select string_agg(owner, ',' order by pin desc) from bank.accounts`],
      { received: 'Bo,Ada' },
    ),
    reads('AUTHZ-165', 'reader', 'In WITHIN GROUP.', [
      'select percentile_disc(0.5) within group (order by pin) from bank.accounts',
    ]),
    reads(
      'AUTHZ-166',
      'reader',
      'In a join condition.',
      [
        `select a.owner from bank.branches b join bank.accounts a on a.pin like '%pin-' || b.id where b.id = 2`,
      ],
      { received: 'Bo' },
    ),
    reads(
      'AUTHZ-167',
      'reader',
      'In a correlated subquery.',
      [
        `select owner from bank.accounts a where exists (select 1 from bank.branches where a.pin like '%pin-1')`,
      ],
      { received: 'Ada' },
    ),
    reads('AUTHZ-168', 'reader', 'In LATERAL.', [
      'select s.p from bank.accounts a, lateral (select a.pin as p) s',
    ]),
    reads(
      'AUTHZ-169',
      'reader',
      'In CASE.',
      [`select case when pin like '%pin-1' then 'Y' || 'ES' end from bank.accounts`],
      { received: 'YES' },
    ),
    reads('AUTHZ-170', 'reader', 'A whole row by its alias.', ['select a from bank.accounts a']),
    reads('AUTHZ-171', 'reader', 'A whole row as JSON.', ['select to_jsonb(a) from bank.accounts a']),
    reads('AUTHZ-172', 'reader', 'A whole row as JSON, aggregated.', [
      'select json_agg(a) from bank.accounts as a',
    ]),
    reads('AUTHZ-173', 'reader', 'A whole row, cast to text.', ['select accounts::text from bank.accounts']),
    reads('AUTHZ-174', 'reader', 'A whole row in ROW().', ['select row(a.*) from bank.accounts a']),
    reads('AUTHZ-175', 'reader', 'A field of a whole row in parentheses.', [
      'select (a).pin from bank.accounts a',
    ]),
    reads('AUTHZ-176', 'reader', 'All fields of a row expression.', ['select ((a)).* from bank.accounts a']),
    reads('AUTHZ-177', 'reader', 'Functional notation for a column.', ['select pin(a) from bank.accounts a']),
    reads('AUTHZ-178', 'reader', 'Functional notation on the name of the table.', [
      'select pin(accounts) from bank.accounts',
    ]),
    reads('AUTHZ-179', 'reader', 'A star with the name of the schema.', [
      'select bank.accounts.* from bank.accounts',
    ]),
    reads('AUTHZ-180', 'reader', 'A column with the name of the schema.', [
      'select bank.accounts.pin from bank.accounts',
    ]),
    reads('AUTHZ-181', 'reader', 'A renamed column list, which hides its name.', [
      'select a.e from bank.accounts as a(x, b, c, d, e)',
    ]),
    reads('AUTHZ-182', 'reader', 'A column of an outer query that a subquery seems to own.', [
      'select (select pin from bank.branches limit 1) from bank.accounts',
    ]),
    reads(
      'AUTHZ-183',
      'reader',
      'Whole rows compared.',
      [
        `select 'Y' || 'ES' from bank.accounts a where a = row(1, 'Ada', 'open', 918273 + 0.11, 'CNRY' || '-pin-1')::bank.accounts`,
      ],
      { received: 'YES' },
    ),
    reads(
      'AUTHZ-184',
      'reader',
      'A whole row tested for NULL.',
      [`select 'n=' || count(*) from bank.accounts a where a is not null`],
      { received: 'n=2' },
    ),
    reads(
      'AUTHZ-185',
      'reader',
      'Counting the values of a column.',
      [`select 'n=' || count(pin) from bank.accounts`],
      { received: 'n=2' },
    ),
    reads(
      'AUTHZ-186',
      'reader',
      'A whole row counted as DISTINCT.',
      [`select 'n=' || count(distinct a.*) from bank.accounts a`],
      { received: 'n=2' },
    ),
    reads('AUTHZ-187', 'reader', 'json_populate_record over a whole row.', [
      `select x.pin from bank.accounts a, jsonb_to_record(to_jsonb(a)) as x(pin text)`,
    ]),
    reads('AUTHZ-188', 'reader', 'A column of a table that is reached by a star join.', [
      'select * from bank.branches b join bank.accounts a using (id)',
    ]),
    reads(
      'AUTHZ-189',
      'reader',
      'A column by parameter in a condition.',
      [extended('select owner from bank.accounts where pin = $1', 'CNRY-pin-1')],
      { received: 'Ada' },
    ),
    reads('AUTHZ-190', 'reader', 'A column by GROUPING.', [
      'select owner, grouping(pin), max(pin) from bank.accounts group by rollup (owner, pin)',
    ]),
    reads('AUTHZ-191', 'reader', 'Functional dependency: grouped by the key, another column read.', [
      'select pin from bank.accounts group by id',
    ]),
    reads('AUTHZ-192', 'teller', 'RETURNING of a column that may be written only.', [
      'update bank.limits set daily = daily returning reason',
    ]),
    reads('AUTHZ-193', 'teller', 'RETURNING a star.', ['update bank.limits set daily = daily returning *']),
    reads(
      'AUTHZ-194',
      'teller',
      'A DELETE whose condition reads a forbidden column.',
      [`delete from bank.drafts where body like '%draft-1'`],
      {
        check: 'select count(*) = 1 from bank.drafts',
      },
    ),
    reads('AUTHZ-195', 'teller', 'A DELETE that returns a forbidden column.', [
      'delete from bank.drafts returning body',
    ]),
    reads(
      'AUTHZ-196',
      'teller',
      'An UPDATE whose condition reads a forbidden column.',
      [`update bank.limits set daily = 5 where reason like '%reason'`],
      {
        check: 'select count(*) = 2 from bank.limits where daily = 5',
      },
    ),
    reads('AUTHZ-197', 'teller', 'An INSERT that returns a column it may not read.', [
      `insert into bank.transfers (from_id, to_id, amount, note) values (1, 2, 3, 'CN' || 'RY-own') returning note`,
    ]),
    reads(
      'AUTHZ-198',
      'teller',
      'ON CONFLICT reads the column of its arbiter.',
      [
        `insert into bank.transfers (id, from_id, to_id, amount) values (1, 1, 1, 1) on conflict (id) do nothing`,
      ],
      { inert: 'INSERT of id is beyond the scope too, but nothing is read or written when the row exists' },
    ),
    writes(
      'AUTHZ-199',
      'teller',
      'An INSERT into a column that is not granted.',
      ['insert into bank.transfers (id, from_id, to_id, amount) values (999, 1, 2, 3)'],
      {
        check: 'select exists (select 1 from bank.transfers where id = 999)',
      },
    ),
    writes(
      'AUTHZ-200',
      'teller',
      'An INSERT without a column list.',
      ['insert into bank.transfers values (998, 1, 2, 3)'],
      {
        check: 'select exists (select 1 from bank.transfers where id = 998)',
      },
    ),
    writes(
      'AUTHZ-201',
      'teller',
      'An UPDATE of a column that is not granted.',
      [`update bank.limits set reason = 'x'`],
      {
        check: `select exists (select 1 from bank.limits where reason = 'x')`,
      },
    ),
    writes(
      'AUTHZ-202',
      'teller',
      'A row assignment that reaches a column which is not granted.',
      [`update bank.limits set (daily, reason) = (1, 'x') where account_id = 1`],
      { check: `select exists (select 1 from bank.limits where reason = 'x')` },
    ),
    writes(
      'AUTHZ-203',
      'teller',
      'A column set to DEFAULT.',
      ['update bank.limits set daily = 1, account_id = default where account_id = 1'],
      {},
    ),
    writes(
      'AUTHZ-204',
      'teller',
      'The update of a key that other tables would follow.',
      ['update bank.limits set account_id = 7 where account_id = 1'],
      {
        check: 'select exists (select 1 from bank.limits where account_id = 7)',
      },
    ),
    writes('AUTHZ-205', 'teller', 'DEFAULT VALUES reaches every column.', [
      'insert into bank.limits default values',
    ]),
    reads(
      'AUTHZ-206',
      'reader',
      'A system column tells when a hidden row was written.',
      [`select 'x' || (xmin::text::int > 0) from secret.keys`],
      { received: 'xtrue' },
    ),
  ],
};
