/** A relation that is not in the scope, named in every way that SQL has. */
import { bytes, extended, reads, writes, type Family } from '../attack.ts';

const KEYS = 'A relation outside of the scope';

export const DIRECT: Family = {
  name: 'direct',
  attacks: [
    reads('AUTHZ-001', 'reader', `${KEYS}, in plain words.`, ['select * from secret.keys']),
    reads('AUTHZ-002', 'reader', `${KEYS}, with TABLE.`, ['table secret.keys']),
    reads('AUTHZ-003', 'reader', `${KEYS}, by the extended protocol.`, [
      extended('select value from secret.keys where id = $1', '1'),
    ]),
    reads('AUTHZ-004', 'reader', `${KEYS}, through the search path of the login.`, [
      'select value from visits',
    ]),
    reads('AUTHZ-005', 'teller', 'A column outside of the scope.', ['select pin from bank.accounts']),
    reads('AUTHZ-006', 'reader', 'A star where only some columns are granted.', [
      'select * from bank.accounts',
    ]),
    reads('AUTHZ-007', 'caller', 'A table of the same schema as granted ones.', [
      'select ssn from bank.customers',
    ]),
    reads('AUTHZ-008', 'builder', 'A table of another schema than the one that is free.', [
      'select value from secret.keys',
    ]),
    writes('AUTHZ-009', 'reader', 'INSERT with a scope that only reads.', [
      "insert into bank.branches values (3, 'Rome', '3')",
    ]),
    writes('AUTHZ-010', 'reader', 'UPDATE with a scope that only reads.', [
      "update bank.branches set city = 'x'",
    ]),
    writes('AUTHZ-011', 'reader', 'DELETE with a scope that only reads.', ['delete from bank.branches']),
    writes('AUTHZ-012', 'reader', 'TRUNCATE with a scope that only reads.', ['truncate bank.drafts']),
    writes(
      'AUTHZ-013',
      'teller',
      'DELETE of a table that may be inserted into.',
      ['delete from bank.transfers'],
      {
        check: 'select count(*) = 0 from bank.transfers',
      },
    ),
    writes(
      'AUTHZ-014',
      'teller',
      'UPDATE of a table that may be inserted into.',
      ['update bank.transfers set amount = 7'],
      {
        check: 'select count(*) = 2 from bank.transfers where amount = 7',
      },
    ),
    writes(
      'AUTHZ-015',
      'teller',
      'INSERT into a table of which one column may be updated.',
      ['insert into bank.limits values (9, 9)'],
      {
        check: 'select count(*) = 1 from bank.limits where account_id = 9',
      },
    ),
    writes('AUTHZ-016', 'teller', 'TRUNCATE where DELETE is granted.', ['truncate bank.drafts'], {
      check: 'select count(*) = 0 from bank.drafts',
    }),
  ],
};

export const SPELLING: Family = {
  name: 'spelling',
  attacks: [
    reads('AUTHZ-017', 'reader', 'Quoted identifiers.', ['select "value" from "secret"."keys"']),
    reads('AUTHZ-018', 'reader', 'Upper case, which the server folds.', ['SELECT VALUE FROM SECRET.KEYS']),
    reads('AUTHZ-019', 'reader', 'Unicode escapes in identifiers.', [
      'select value from U&"\\0073ecret".U&"\\006Beys"',
    ]),
    reads('AUTHZ-020', 'reader', 'Unicode escapes with an escape character of their own.', [
      `select value from U&"!0073ecret" uescape '!' . "keys"`,
    ]),
    reads('AUTHZ-021', 'reader', 'Six-digit unicode escapes.', ['select value from secret.U&"\\+00006Beys"']),
    reads('AUTHZ-022', 'reader', 'Comments instead of blanks.', [
      'select/**/value/**/from/**/secret/**/./**/keys',
    ]),
    reads('AUTHZ-023', 'reader', 'A nested comment that ends later than a simple reader thinks.', [
      'select value from /* a /* b */ bank.branches -- */ secret.keys',
    ]),
    reads('AUTHZ-024', 'reader', 'A line comment that a carriage return ends.', [
      'select value --\rfrom secret.keys --\n',
    ]),
    reads('AUTHZ-025', 'reader', 'The database named in front.', [
      'select value from {{database}}.secret.keys',
    ]),
    reads('AUTHZ-026', 'reader', 'ONLY and parentheses around the name.', [
      'select value from only (secret.keys)',
    ]),
    reads('AUTHZ-027', 'reader', 'A star after the name, for inheritance.', [
      'select value from secret.keys *',
    ]),
    reads('AUTHZ-028', 'reader', 'An alias that is the name of a granted relation.', [
      'select branches.value from secret.keys as branches',
    ]),
    reads('AUTHZ-029', 'reader', 'An alias with column names of a granted relation.', [
      'select a.owner from secret.keys as a(id, owner)',
    ]),
    reads('AUTHZ-030', 'reader', 'An alias spelled like a schema and a table.', [
      'select "bank.branches".value from secret.keys as "bank.branches"',
    ]),
    reads(
      'AUTHZ-031',
      'reader',
      'A name that is longer than 63 bytes and is cut by the server.',
      [`select value from secret.${'k'.repeat(70)}`],
      { setup: `create view secret.${'k'.repeat(63)} as select value from secret.keys` },
    ),
    reads(
      'AUTHZ-032',
      'reader',
      'A blank that is none in ASCII: vertical tab and form feed.',
      ['select\fvalue\vfrom\fsecret.keys'],
      { since: 16 },
    ),
    reads(
      'AUTHZ-033',
      'reader',
      'A name with letters beyond ASCII.',
      [`select "wert" from secret."schlüssel"`],
      {
        setup: `create view secret."schlüssel" as select value as wert from secret.keys`,
      },
    ),
    reads(
      'AUTHZ-034',
      'reader',
      'A name that differs from a granted one only by case.',
      ['select "city" from bank."Branches"'],
      {
        setup: `create view bank."Branches" as select value as city from secret.keys`,
      },
    ),
    reads(
      'AUTHZ-035',
      'builder',
      'A dot inside of a quoted name that looks like a granted schema.',
      [`select value from secret."scratch.t"`],
      {
        setup: `create view secret."scratch.t" as select value from secret.keys`,
      },
    ),
    reads(
      'AUTHZ-036',
      'builder',
      'A schema whose name has a star, as rules have.',
      [`select value from "scratch*".keys`],
      {
        setup: `create schema "scratch*"; create view "scratch*".keys as select value from secret.keys`,
      },
    ),
    reads(
      'AUTHZ-037',
      'reader',
      'A table named like a granted one in another schema of the path.',
      ['select value from branches'],
      {
        setup: `create view public.branches as select value from secret.keys`,
      },
    ),
  ],
};

export const PARSER: Family = {
  name: 'parser',
  attacks: [
    reads(
      'AUTHZ-038',
      'reader',
      'A backslash before a quote, which ends the string only in standard strings.',
      ["select city, '\\' as x, value from bank.branches, secret.keys where city <> ' -- '"],
    ),
    reads('AUTHZ-039', 'reader', 'An E string that hides a quote.', [
      `select E'\\'', value from secret.keys where 'a' <> E'\\' from bank.branches --'`,
    ]),
    reads('AUTHZ-040', 'reader', 'The strings made non-standard first.', [
      'set standard_conforming_strings = off',
      `select '\\'' || ' from bank.branches --' || value from secret.keys -- '`,
    ]),
    reads('AUTHZ-041', 'reader', 'A dollar quote with a tag, closed early.', [
      'select $a$ from bank.branches $a$, value from secret.keys',
    ]),
    reads('AUTHZ-042', 'reader', 'A dollar sign inside of an identifier, which opens no quote.', [
      'select value as a$b$c from secret.keys as t$x$',
    ]),
    reads('AUTHZ-043', 'reader', 'Strings continued over a line end.', [
      `select 'a'\n'b', value from secret.keys`,
    ]),
    reads('AUTHZ-044', 'reader', 'A string continued over a comment line.', [
      `select 'from bank.branches' -- x\n ' --', value from secret.keys`,
    ]),
    reads('AUTHZ-045', 'reader', 'An operator that begins like a comment.', [
      'select 1 -/* x */- 1, value from secret.keys',
    ]),
    reads('AUTHZ-046', 'reader', 'A second statement behind an empty one.', [
      ';;; select value from secret.keys;;',
    ]),
    reads('AUTHZ-047', 'reader', 'A forbidden statement behind two hundred harmless ones.', [
      `${'select 1;'.repeat(200)} select value from secret.keys`,
    ]),
    reads('AUTHZ-048', 'reader', 'Parentheses nested 900 deep around the forbidden query.', [
      `select ${'('.repeat(900)}select value from secret.keys limit 1${')'.repeat(900)}`,
    ]),
    reads('AUTHZ-049', 'reader', 'Subqueries nested 60 deep.', [
      `${'select * from ('.repeat(60)}select value from secret.keys${') s'.repeat(60)}`,
    ]),
    reads('AUTHZ-050', 'reader', 'A text of a megabyte, with the forbidden part at the end.', [
      `select '${'x'.repeat(1_000_000)}' is null, value from secret.keys`,
    ]),
    reads('AUTHZ-051', 'reader', 'A list of 20 000 constants before the forbidden part.', [
      `select 1 in (${Array.from({ length: 20_000 }, (_, index) => index).join(',')}), value from secret.keys`,
    ]),
    reads('AUTHZ-052', 'reader', 'A set operation of 400 arms, of which one is forbidden.', [
      `${'select city from bank.branches union all '.repeat(400)}select value from secret.keys`,
    ]),
    reads(
      'AUTHZ-053',
      'reader',
      'Bytes that are no UTF-8, which two readers may take differently.',
      [bytes("select value, '\xc0\xa7' from secret.keys")],
      { inert: 'the server refuses the bytes as well' },
    ),
    reads(
      'AUTHZ-054',
      'reader',
      'A NUL inside of the message, behind which another statement stands.',
      [bytes('select city from bank.branches\0; select value from secret.keys')],
      { inert: 'the server refuses the message as well' },
    ),
    reads(
      'AUTHZ-055',
      'reader',
      'A byte order mark before the statement.',
      [bytes('\xef\xbb\xbfselect value from secret.keys')],
      {
        inert: 'the server takes the mark for a name',
      },
    ),
    reads(
      'AUTHZ-056',
      'reader',
      'A no-break space, which is a letter to the server.',
      ['select value\u00a0from from secret.keys'],
      { inert: 'the server finds no such column' },
    ),
    reads(
      'AUTHZ-057',
      'reader',
      'A psql meta-command in the text.',
      ['select 1 \\; select value from secret.keys'],
      {
        inert: 'only psql would read it so',
      },
    ),
    reads(
      'AUTHZ-058',
      'reader',
      'XMLTABLE, JSON_TABLE and other late grammar, in FROM.',
      [`select j.v from secret.keys k, json_table(to_json(k.value), '$' columns (v text path '$')) j`],
      { since: 17 },
    ),
    reads(
      'AUTHZ-059',
      'reader',
      'JSON_VALUE over a forbidden column.',
      [`select json_value(to_jsonb(value), '$') from secret.keys`],
      { since: 17 },
    ),
    reads(
      'AUTHZ-060',
      'reader',
      'A JSON constructor with a query inside.',
      ['select json_array(select value from secret.keys)'],
      { since: 16 },
    ),
    reads(
      'AUTHZ-061',
      'reader',
      'JSON_OBJECTAGG over a forbidden column.',
      ['select json_objectagg(id : value) from secret.keys'],
      { since: 16 },
    ),
    reads('AUTHZ-062', 'reader', 'XMLFOREST over a forbidden column.', [
      'select xmlforest(value as v) from secret.keys',
    ]),
    reads(
      'AUTHZ-063',
      'teller',
      'RETURNING with OLD, which only the newest grammar knows.',
      ['update bank.limits set daily = daily returning old.reason'],
      { since: 18 },
    ),
    reads(
      'AUTHZ-064',
      'teller',
      'RETURNING with OLD under another name.',
      ['update bank.limits set daily = daily returning with (old as o, new as n) o.reason, n.*'],
      { since: 18 },
    ),
  ],
};
