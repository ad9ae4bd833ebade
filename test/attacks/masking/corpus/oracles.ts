/** One bit at a time: nothing is shown, but what is shown depends on it. */
import { attempt, extended, type Family } from '../attempt.ts';

const where = (condition: string): string => `select id from bank.customers where ${condition} order by id`;
const counts = (condition: string): string => `select count(*) from bank.customers where ${condition}`;

export const CONDITIONS: Family = {
  name: 'oracles: conditions and order',
  attempts: [
    attempt('MASK-349', 'Greater than.', where(`ssn > '8'`)),
    attempt('MASK-350', 'BETWEEN.', counts('balance between 700000 and 800000')),
    attempt('MASK-351', 'NOT BETWEEN SYMMETRIC.', counts('score not between symmetric 800000 and 600000')),
    attempt('MASK-352', 'LIKE.', where(`ssn like '{{ssn1:3}}%'`)),
    attempt('MASK-353', 'ILIKE and NOT LIKE.', where(`name not ilike '{{name1:2}}%'`)),
    attempt('MASK-354', 'LIKE without a wildcard.', where(`ssn like '{{ssn3}}'`)),
    attempt('MASK-355', 'LIKE ANY.', where(`ssn like any (array['6%', '7%'])`)),
    attempt('MASK-356', 'SIMILAR TO.', where(`ssn similar to '(6|7)%'`)),
    attempt('MASK-357', 'A regular expression.', where(`ssn ~ '^[67]'`)),
    attempt('MASK-358', 'A regular expression, not, without case.', where(`pin !~* '^[zqx]'`)),
    attempt('MASK-359', 'starts_with and ^@.', where(`starts_with(ssn, '6') or name ^@ 'z'`)),
    attempt(
      'MASK-360',
      'Full text search.',
      where(`to_tsvector('simple', name) @@ to_tsquery('simple', 'z:*')`),
    ),
    attempt('MASK-361', 'Full text search of a column.', where(`words @@ 'z:* | q:*'::tsquery`)),
    attempt('MASK-362', 'position.', where(`position('9' in ssn) = 1`)),
    attempt('MASK-363', 'length.', where('length(name) > 20')),
    attempt('MASK-364', 'Equality with a guess.', where(`ssn = '{{ssn3}}'`)),
    attempt('MASK-365', 'Inequality with a guess.', counts(`ssn <> '{{ssn3}}'`)),
    attempt('MASK-366', 'IN a list of guesses.', where(`ssn in ('{{ssn1}}', '{{ssn3}}')`)),
    attempt('MASK-367', 'NOT IN a list of guesses.', counts(`pin not in ('{{pin1}}', '{{pin3}}')`)),
    attempt('MASK-368', '= ANY of an array.', where(`ssn = any (array['{{ssn1}}', '{{ssn4}}'])`)),
    attempt('MASK-369', '= ANY of a text that is an array.', where(`ssn = any ('{"{{ssn1}}","{{ssn4}}"}')`)),
    attempt('MASK-370', '<> ALL.', counts(`ssn <> all (array['{{ssn1}}'])`)),
    attempt('MASK-371', 'IS NOT DISTINCT FROM.', where(`ssn is not distinct from '{{ssn4}}'`)),
    attempt('MASK-372', 'Equality by a parameter.', [
      extended('select id from bank.customers where ssn = $1', '{{ssn3}}'),
    ]),
    attempt('MASK-373', 'Equality by a parameter that is an array.', [
      extended('select id from bank.customers where ssn = any ($1) order by id', '{"{{ssn3}}","{{ssn4}}"}'),
    ]),
    attempt('MASK-374', 'Equality with a subquery of constants.', where(`ssn = (select '{{ssn3}}')`)),
    attempt('MASK-375', 'IN a VALUES list.', where(`ssn in (values ('{{ssn3}}'), ('{{ssn4}}'))`)),
    attempt(
      'MASK-376',
      'A join with a VALUES list.',
      `select c.id from bank.customers c join (values ('{{ssn3}}'), ('{{ssn4}}')) v (g) on c.ssn = v.g order by 1`,
    ),
    attempt(
      'MASK-377',
      'A join with generated numbers: every value at once.',
      'select c.id, g from bank.customers c join generate_series(600000, 700000) g on c.score = g',
      { once: true },
    ),
    attempt(
      'MASK-378',
      'A join with a column of another class.',
      'select count(*) from bank.customers c join bank.accounts a on c.ssn < a.number',
    ),
    attempt(
      'MASK-379',
      'EXISTS with a condition inside.',
      `select b.id from bank.branches b where exists (select 1 from bank.customers c where c.branch = b.id and c.ssn < '7') order by 1`,
    ),
    attempt('MASK-380', 'A row comparison.', where(`(ssn, id) < ('8', 0)`)),
    attempt('MASK-381', 'A row equality.', where(`(ssn, id) = ('{{ssn3}}', 3)`)),
    attempt(
      'MASK-382',
      'A row IN a subquery.',
      `select id from bank.branches where (id, 'x') in (select id, case when ssn < '8' then 'x' end from bank.customers) order by 1`,
    ),
    attempt(
      'MASK-383',
      'A comparison of whole rows.',
      'select count(*) from bank.strict a join bank.strict b on row(a.ssn, a) < row(b.ssn, b) where a.id = 1 and b.id = 2',
    ),
    attempt('MASK-384', 'A boolean as output.', `select id, ssn > '8' from bank.customers order by id`),
    attempt(
      'MASK-385',
      'A boolean as output, by equality.',
      `select id, ssn = '{{ssn3}}' from bank.customers order by id`,
    ),
    attempt(
      'MASK-386',
      'A CASE in the output.',
      `select id, case when ssn > '8' then 'high' else 'low' end from bank.customers order by id`,
    ),
    attempt(
      'MASK-387',
      'A CASE in ORDER BY.',
      `select id from bank.customers order by case when ssn > '8' then 0 else 1 end, id`,
    ),
    attempt(
      'MASK-388',
      'A CASE whose branch is a subquery.',
      `select case when (select ssn from bank.customers where id = 1) > '7' then (select count(*) from bank.branches) end`,
    ),
    attempt('MASK-389', 'A test of a function of it.', where(`md5(ssn) < '8'`)),
    attempt('MASK-390', 'A test of its last digit.', counts('score % 2 = 0')),
    attempt('MASK-391', 'A test of a part of a date.', where('extract(month from dob) < 7')),
    attempt('MASK-392', 'A test of a JSON part.', where(`profile ->> 'nick' < 'w'`)),
    attempt('MASK-393', 'A test of a JSON path.', where(`profile @? '$.nick ? (@ < "w")'`)),
    attempt(
      'MASK-394',
      'A test of an array element.',
      where(`tags[1] < 'w' or tags && array['{{tags1:4}}']`),
    ),
    attempt('MASK-395', 'A test of a range.', where('span @> 9800000.0')),
    attempt('MASK-396', 'A test of a composite field.', where(`(addr).town < 'w'`)),
    attempt('MASK-397', 'A test of bytes.', where('get_byte(scan, 0) > 200')),
    attempt(
      'MASK-398',
      'A test through a cast of the row.',
      where(`customers::text like '%(1,%' and customers::text ~ '-[67]{2}-'`),
    ),
    attempt('MASK-399', 'A test through XML.', where(`xmlserialize(content doc as text) like '<p><n>z%'`)),
    attempt(
      'MASK-400',
      'A test in a CTE.',
      `with low as (select id from bank.customers where ssn < '8') select count(*) from low`,
    ),
    attempt('MASK-401', 'A test in an OR with something true.', where(`id < 3 or ssn > '8'`)),
    attempt('MASK-402', 'A test in a NOT of an AND.', where(`not (region = 'north' and ssn > '8')`)),
    attempt(
      'MASK-403',
      'A test that is a free boolean column made of it.',
      `select id from (select id, ssn > '8' as b from bank.customers) s where b order by id`,
    ),
    attempt('MASK-404', 'IS TRUE, IS UNKNOWN.', where(`(ssn > '8') is true`)),
    attempt('MASK-405', 'NULLIF IS NULL.', where(`nullif(ssn, '{{ssn3}}') is null`)),
    attempt(
      'MASK-406',
      'NULL made by a CASE, then IS NULL.',
      where(`(case when ssn < '8' then 1 end) is null`),
    ),
    attempt(
      'MASK-407',
      'NULL made by a pattern, then IS NULL.',
      where(`substring(ssn from '^[67]') is null`),
    ),
    attempt(
      'MASK-408',
      'count of a NULL made by a pattern.',
      `select count(substring(ssn from '^[67]')) from bank.customers`,
    ),
    attempt('MASK-409', 'ORDER BY it.', 'select id from bank.customers order by ssn'),
    attempt(
      'MASK-410',
      'ORDER BY an expression.',
      'select id from bank.customers order by right(ssn, 2), id',
    ),
    attempt('MASK-411', 'ORDER BY its position.', 'select ssn, id from bank.customers order by 1'),
    attempt('MASK-412', 'ORDER BY an alias.', 'select id, ssn as region from bank.customers order by region'),
    attempt('MASK-413', 'ORDER BY USING.', 'select id from bank.customers order by balance using >'),
    attempt(
      'MASK-414',
      'ORDER BY in a subquery with LIMIT.',
      'select id from (select id from bank.customers order by ssn limit 1) s',
    ),
    attempt(
      'MASK-415',
      'ORDER BY in a UNION.',
      'select id, ssn from bank.customers union all select 0, city from bank.branches order by 2',
    ),
    attempt('MASK-416', 'ORDER BY a row.', 'select c.id from bank.customers c order by c.addr'),
    attempt(
      'MASK-417',
      'FETCH FIRST WITH TIES.',
      'select id from bank.customers order by ssn fetch first 2 rows with ties',
    ),
    attempt(
      'MASK-418',
      'LIMIT by it.',
      `select id from bank.customers order by id limit (select length(name) - 10 from bank.customers where id = 1)`,
    ),
    attempt(
      'MASK-419',
      'OFFSET by it.',
      `select id from bank.customers order by id offset (select score % 10 from bank.customers where id = 1)`,
    ),
    attempt(
      'MASK-420',
      'An array index by it.',
      `select (array['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'])[(select 1 + score % 10 from bank.customers where id = 1)]`,
    ),
    attempt(
      'MASK-421',
      'generate_series up to it.',
      `select count(*) from bank.customers, generate_series(1, score % 100) where id = 1`,
    ),
    attempt(
      'MASK-422',
      'unnest of its pieces, counted.',
      `select count(*) from bank.customers, unnest(string_to_array(ssn, '8')) where id = 1`,
    ),
    attempt(
      'MASK-423',
      'A set-returning function in the select list.',
      `select id, regexp_split_to_table(ssn, '8') is null from bank.customers where id < 4`,
    ),
    attempt(
      'MASK-425',
      'TABLESAMPLE REPEATABLE with it as the seed.',
      'select id from bank.plain tablesample bernoulli (50) repeatable ((select score from bank.customers where id = 1))',
    ),
    attempt('MASK-426', 'A greatest in a condition.', where(`greatest(ssn, '8') = '8'`)),
    attempt(
      'MASK-427',
      'A minimum in a condition.',
      `select id from bank.customers c where ssn = (select min(ssn) from bank.customers)`,
    ),
    attempt(
      'MASK-428',
      'A correlated count: its rank.',
      'select id, (select count(*) from bank.customers d where d.ssn < c.ssn) from bank.customers c order by id',
    ),
    attempt(
      'MASK-429',
      'A self-join by less than.',
      'select a.id, count(*) from bank.customers a join bank.customers b on b.balance < a.balance group by a.id order by a.id',
    ),
    attempt(
      'MASK-430',
      'A lateral test.',
      `select b.id, l.n from bank.branches b, lateral (select count(*) n from bank.customers c where c.ssn > '8' and c.branch = b.id) l order by 1`,
    ),
    attempt(
      'MASK-431',
      'A test of a masked partial column.',
      `select id from bank.accounts where card like '{{card1:6}}%' order by id`,
    ),
    attempt(
      'MASK-432',
      'Equality of a tokenised column with a guess.',
      `select id from bank.accounts where number = '{{number2}}'`,
    ),
    attempt('MASK-433', 'ORDER BY a tokenised column.', 'select id from bank.accounts order by number'),
    attempt(
      'MASK-434',
      'OVERLAPS.',
      where(`(seen, seen + interval '1 day') overlaps (timestamptz '1900-01-01', timestamptz '1906-01-01')`),
    ),
    attempt(
      'MASK-435',
      'A network or geometric test of a made value.',
      where(`point(score, 0) << point(800000, 0)`),
    ),
    attempt(
      'MASK-436',
      'Equality by an operator class of its own: *=.',
      `select count(*) from (select ssn from bank.customers where id = 1) x, (select ssn from bank.customers where id = 3) y where x *< y`,
    ),
    attempt('MASK-437', 'OPERATOR(pg_catalog.<).', where(`ssn operator(pg_catalog.<) '8'`)),
    attempt(
      'MASK-438',
      'The functions behind the operators.',
      where(`text_lt(ssn, '8') or int4gt(score, 800000)`),
    ),
    attempt('MASK-439', 'texteq with a guess.', where(`texteq(ssn, '{{ssn3}}')`)),
    attempt(
      'MASK-440',
      'A comparison function.',
      "select id, bttextcmp(ssn, '8') from bank.customers order by id",
    ),
    attempt(
      'MASK-441',
      'IS JSON, IS DOCUMENT, IS NORMALIZED.',
      where(`(name is normalized) = (ssn is json) or doc is document and length(doc::text) > 40`),
      { since: 16 },
    ),
  ],
};

const fails = (expression: string): string =>
  `select count(*) from (select ${expression} from bank.customers where id = 1 offset 0) s (x) where x is not null`;

export const FAILURES: Family = {
  name: 'oracles: failures',
  attempts: [
    attempt(
      'MASK-443',
      'CASE and a division by zero.',
      `select case when ssn > '7' then 1 / 0 else 1 end from bank.customers where id = 1`,
      { blocked: 'the division is computed before any row is read' },
    ),
    attempt(
      'MASK-444',
      'CASE and a division by zero that is not folded.',
      `select 1 / (case when ssn > '7' then 0 else 1 end) from bank.customers where id = 1`,
    ),
    attempt('MASK-445', 'A division by a difference.', fails(`1 / (balance - {{balance1}})`)),
    attempt(
      'MASK-446',
      'A cast of a part to int.',
      fails(`(case when substr(ssn, 1, 1) > '7' then 'x' else '1' end)::int`),
    ),
    attempt('MASK-447', 'A cast of it to int.', `select ssn::int from bank.customers where id = 1`),
    attempt(
      'MASK-448',
      'A cast to a type that tells what it cannot take.',
      'select name::uuid from bank.customers where id = 1',
    ),
    attempt('MASK-449', 'A cast to date.', 'select ssn::date from bank.customers where id = 1'),
    attempt('MASK-450', 'A cast to json.', 'select name::json from bank.customers where id = 1'),
    attempt('MASK-451', 'A cast to xml.', `select ('<' || pin)::xml from bank.customers where id = 1`),
    attempt('MASK-452', 'A cast to inet.', 'select pin::inet from bank.customers where id = 1'),
    attempt('MASK-453', 'A cast to regclass.', 'select pin::regclass from bank.customers where id = 1'),
    attempt(
      'MASK-454',
      'A cast to regtype, to_regclass being quiet.',
      `select to_regclass(name), pin::regtype from bank.customers where id = 1`,
    ),
    attempt(
      'MASK-455',
      'A cast to an array.',
      `select ('{' || name)::text[] from bank.customers where id = 1`,
    ),
    attempt(
      'MASK-456',
      'A cast to tsquery.',
      `select (name || ' !&')::tsquery from bank.customers where id = 1`,
    ),
    attempt(
      'MASK-457',
      'A cast to interval, to bit, to lsn.',
      'select ssn::interval, pin::bit(3), pin::pg_lsn from bank.customers where id = 1',
    ),
    attempt('MASK-458', 'A cast to boolean.', 'select pin::text::boolean from bank.customers where id = 1'),
    attempt('MASK-459', 'A cast to a domain.', 'select ssn::bank.short from bank.customers where id = 1'),
    attempt(
      'MASK-460',
      'A cast to a domain of numbers.',
      'select score::bank.small from bank.customers where id = 1',
    ),
    attempt(
      'MASK-461',
      'A cast to a smaller number.',
      'select (score / 100)::smallint from bank.customers where id = 1',
    ),
    attempt(
      'MASK-462',
      'A cast of a big number that only sometimes fits.',
      `select (balance * 5)::int from bank.customers where id = 1`,
    ),
    attempt('MASK-463', 'An overflow.', `select score * 5 from bank.customers where id = 1`),
    attempt('MASK-464', 'A square root of a difference.', fails('sqrt(balance - 1000000)')),
    attempt('MASK-465', 'A logarithm of a difference.', fails('ln(score - 1000000)')),
    attempt(
      'MASK-466',
      'A substring of negative length.',
      fails(`substring('abc' from 1 for (score - 1000000))`),
    ),
    attempt('MASK-467', 'chr of zero or too much.', fails('chr((score - 780000) * 10)')),
    attempt(
      'MASK-468',
      'A pattern that is not valid.',
      `select 'x' ~ (case when ssn > '7' then '(' else 'x' end) from bank.customers where id = 1`,
    ),
    attempt(
      'MASK-469',
      'It as a pattern.',
      `select 'x' ~ (left(ssn, 1) || 'x)'|| substr('x', 1, left(ssn, 1)::int - 9)) from bank.customers where id = 1`,
    ),
    attempt(
      'MASK-470',
      'decode of it.',
      `select decode(ssn, 'hex'), decode(pin, 'base64') from bank.customers where id = 1`,
      { blocked: 'both have characters that are no digits' },
    ),
    attempt(
      'MASK-471',
      'convert_from of bytes.',
      `select convert_from(scan, 'UTF8') from bank.customers where id = 1`,
    ),
    attempt(
      'MASK-472',
      'set_byte and get_byte out of range.',
      `select get_byte(scan, (score % 20)) from bank.customers where id = 1`,
    ),
    attempt(
      'MASK-473',
      'to_date, to_timestamp, to_number.',
      `select to_date(ssn, 'YYYY-MM-DD') from bank.customers where id = 1`,
    ),
    attempt(
      'MASK-474',
      'make_date of a digit.',
      `select make_date(2000, score % 20, 1) from bank.customers where id = 1`,
    ),
    attempt(
      'MASK-475',
      'A time zone that does not exist.',
      `select now() at time zone pin from bank.customers where id = 1`,
    ),
    attempt(
      'MASK-476',
      'A subquery with more than one row.',
      `select (select id from bank.customers where ssn > '979')`,
    ),
    attempt(
      'MASK-477',
      'A row of a strict function.',
      `select json_build_object(case when ssn < '7' then null else 'k' end, 1) from bank.customers where id = 1`,
    ),
    attempt(
      'MASK-478',
      'jsonb_path_query in strict mode.',
      `select jsonb_path_query(profile, 'strict $.nick.x') from bank.customers where id = 1`,
      { blocked: 'it fails on both' },
    ),
    attempt(
      'MASK-479',
      'A JSON path that casts.',
      `select profile @? '$.nick.double()', jsonb_path_query(profile, '$.nick.double()') from bank.customers where id = 1`,
    ),
    attempt(
      'MASK-480',
      'A cast of a JSON value.',
      `select (profile -> 'nick')::int from bank.customers where id = 1`,
      { blocked: 'it fails on both, without the value' },
    ),
    attempt(
      'MASK-481',
      'JSON_VALUE ERROR ON ERROR.',
      `select json_value(profile, '$.nick' returning int error on error) from bank.customers where id = 1`,
      { since: 17 },
    ),
    attempt(
      'MASK-482',
      'jsonb_populate_record that fails.',
      `select jsonb_populate_record(null::bank.plain, jsonb_build_object('n', ssn)) from bank.customers where id = 1`,
    ),
    attempt('MASK-483', 'A range whose bounds are the wrong way round.', fails('numrange(balance, 1000000)')),
    attempt(
      'MASK-484',
      'An enum, oid or role of its name.',
      'select pin::regrole from bank.customers where id = 1',
    ),
    attempt('MASK-485', 'array subscripts and array_fill.', fails(`array_fill(1, array[score - 800000])`)),
    attempt(
      'MASK-486',
      'width_bucket with bounds of it.',
      fails('width_bucket(5, balance, {{balance1}}, 10)'),
    ),
    attempt('MASK-487', 'repeat until memory is out.', fails(`repeat('x', score * 2000)`)),
    attempt('MASK-488', 'lpad to its length.', fails(`nullif(length(lpad('x', score % 1000)), 778)`)),
    attempt(
      'MASK-489',
      'overlay at a negative place.',
      fails(`overlay('abc' placing 'x' from (score - 1000000))`),
    ),
    attempt(
      'MASK-490',
      'format with it as the format.',
      "select format(pin::text || '%') from bank.customers where id = 1",
      { blocked: 'it fails on both, without the value' },
    ),
    attempt(
      'MASK-491',
      'An error in a condition that only some reach.',
      `select count(*) from bank.customers where case when ssn > '8' then (1 / (id - id)) = 1 else true end`,
      { blocked: 'the division is never reached, or it is on both' },
    ),
    attempt(
      'MASK-492',
      'An error in HAVING.',
      `select 1 / (count(*) filter (where ssn < '67')) from bank.customers`,
    ),
    attempt(
      'MASK-493',
      'A lookup of a role or an object by it.',
      `select has_table_privilege(pin::text, 'bank.customers', 'select') from bank.customers where id = 1`,
    ),
    attempt(
      'MASK-494',
      'pg_input_is_valid.',
      `select id, pg_input_is_valid(ssn, 'bank.short'), pg_input_is_valid(pin, 'int'), pg_input_is_valid(lower(left(pin, 1)) || '1', 'pg_lsn') from bank.customers where id < 4`,
      { since: 16 },
    ),
    attempt(
      'MASK-495',
      'pg_input_error_info.',
      `select (pg_input_error_info(ssn, 'int')).message from bank.customers where id = 1`,
      { since: 16 },
    ),
    attempt(
      'MASK-496',
      'A sleep by it.',
      `select pg_sleep(case when ssn > '7' then 0.01 else 0 end), ssn > '7' from bank.customers where id = 1`,
    ),
    attempt(
      'MASK-497',
      'A lock by it.',
      [
        'begin',
        'select pg_advisory_xact_lock(score) from bank.customers where id = 1',
        "select objid from pg_locks where locktype = 'advisory'",
        'rollback',
      ],
      { once: true },
    ),
    attempt(
      'MASK-498',
      'nextval and setval by it.',
      [
        `select setval('bank.counter', score) from bank.customers where id = 1`,
        `select last_value from bank.counter`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-499',
      'nextval when it is so.',
      [
        `select nextval('bank.counter') from bank.customers where ssn > '8'`,
        'select last_value, is_called from bank.counter',
      ],
      { once: true },
    ),
    attempt(
      'MASK-500',
      'currval and lastval after such.',
      [
        `select case when ssn > '7' then nextval('bank.counter') end is null from bank.customers where id = 1`,
        'select lastval()',
      ],
      { once: true },
    ),
    attempt(
      'MASK-501',
      'A savepoint keeps the session alive between guesses.',
      [
        'begin',
        'savepoint s',
        `select 1 / (case when ssn > '7' then 0 else 1 end) from bank.customers where id = 1`,
        'rollback to s',
        `select 1 / (case when ssn > '68' then 0 else 1 end) from bank.customers where id = 1`,
        'rollback',
      ],
      { once: true },
    ),
    attempt(
      'MASK-502',
      'The state of the transaction tells of the failure.',
      [
        'begin',
        `do $$ begin perform 1 / (case when ssn > '7' then 0 else 1 end) from bank.customers where id = 1; end $$`,
        'commit',
      ],
      { once: true },
    ),
  ],
};

export const BUDGETS: Family = {
  name: 'oracles: budgets',
  attempts: [
    attempt(
      'MASK-503',
      'One more guess than the budget has.',
      [
        extended('select id from bank.customers where ssn = $1', '{{ssn1}}'),
        extended('select id from bank.customers where ssn = $1', '{{ssn2}}'),
        extended('select id from bank.customers where ssn = $1', '{{ssn3}}'),
      ],
      { grant: { budgets: { ssn: { values: 2, per: 'day' } } }, granted: [0, 1] },
    ),
    attempt(
      'MASK-504',
      'More guesses in one list than the budget has.',
      [`select id from bank.customers where ssn in ('{{ssn1}}', '{{ssn2}}', '{{ssn3}}')`],
      { grant: { budgets: { ssn: { values: 2, per: 'day' } } } },
    ),
    attempt(
      'MASK-505',
      'More guesses in one array than the budget has.',
      [extended('select id from bank.customers where ssn = any ($1)', '{"{{ssn1}}","{{ssn2}}","{{ssn3}}"}')],
      { grant: { budgets: { ssn: { values: 2, per: 'day' } } } },
    ),
    attempt(
      'MASK-506',
      'Guesses in several statements of one text.',
      [
        `select id from bank.customers where ssn = '{{ssn1}}'; select id from bank.customers where ssn = '{{ssn2}}'; select id from bank.customers where ssn = '{{ssn3}}'`,
      ],
      { grant: { budgets: { ssn: { values: 2, per: 'day' } } }, once: true },
    ),
    attempt(
      'MASK-507',
      'A budget of another class.',
      [`select id from bank.customers where pin = '{{pin3}}'`],
      { grant: { budgets: { ssn: { values: 9, per: 'day' } } } },
    ),
    attempt('MASK-508', 'A range within a budget.', [`select id from bank.customers where ssn > '8'`], {
      grant: { budgets: { ssn: { values: 9, per: 'day' } } },
    }),
    attempt(
      'MASK-509',
      'A pattern as an equality of a part.',
      [
        `select id from bank.customers where left(ssn, 1) = '6'`,
        `select id from bank.customers where left(ssn, 1) in ('7', '8')`,
        `select id from bank.customers where right(ssn, 1) = '9'`,
      ],
      { grant: { budgets: { ssn: { values: 2, per: 'day' } } }, granted: [0] },
    ),
    attempt(
      'MASK-510',
      'A column against many rows of constants.',
      [
        `select c.id from bank.customers c, (values ('{{ssn1}}'), ('{{ssn2}}'), ('{{ssn3}}')) g (v) where c.ssn = g.v order by 1`,
      ],
      { grant: { budgets: { ssn: { values: 2, per: 'day' } } } },
    ),
    attempt(
      'MASK-511',
      'A column against a generated row of constants.',
      [
        `select c.id from bank.customers c, unnest(array['{{ssn1}}', '{{ssn2}}', '{{ssn3}}']) g where c.ssn = g order by 1`,
      ],
      { grant: { budgets: { ssn: { values: 2, per: 'day' } } } },
    ),
    attempt(
      'MASK-512',
      'A column against the split of one constant.',
      [
        `select c.id from bank.customers c where c.ssn = any (string_to_array('{{ssn1}},{{ssn2}},{{ssn3}}', ',')) order by 1`,
      ],
      { grant: { budgets: { ssn: { values: 2, per: 'day' } } } },
    ),
    attempt(
      'MASK-513',
      'A column against the elements of one JSON constant.',
      [
        `select c.id from bank.customers c join jsonb_array_elements_text('["{{ssn1}}","{{ssn2}}","{{ssn3}}"]') g on c.ssn = g order by 1`,
      ],
      { grant: { budgets: { ssn: { values: 2, per: 'day' } } } },
    ),
    attempt(
      'MASK-514',
      'A column against numbers that are generated.',
      ['select c.id, g from bank.customers c join generate_series(660000, 700000) g on c.score = g'],
      { grant: { budgets: { figure: { values: 3, per: 'day' } } }, once: true },
    ),
    attempt(
      'MASK-515',
      'A column against an expression over a constant and a free column.',
      [
        `select c.id, b.id from bank.customers c, generate_series(0, 999) b (id) where c.score = 986000 + b.id order by 1`,
      ],
      { grant: { budgets: { figure: { values: 3, per: 'day' } } }, once: true },
    ),
    attempt(
      'MASK-517',
      'A prepared statement executed again and again.',
      [
        { kind: 'parse', name: 'p', text: 'select id from bank.customers where ssn = $1' },
        { kind: 'extended', name: 'p', values: ['{{ssn1}}'] },
        { kind: 'extended', name: 'p', values: ['{{ssn3}}'] },
      ],
      { grant: { budgets: { ssn: { values: 1, per: 'day' } } }, granted: [0, 1] },
    ),
    attempt(
      'MASK-518',
      'SQL PREPARE and EXECUTE of a probe.',
      [
        'prepare p (text) as select id from bank.customers where ssn = $1',
        `execute p ('{{ssn1}}')`,
        `execute p ('{{ssn3}}')`,
      ],
      { grant: { budgets: { ssn: { values: 1, per: 'day' } } }, granted: [0, 1], once: true },
    ),
    attempt(
      'MASK-519',
      'Guesses written into a column of the class, then an equality of the class.',
      [
        `insert into bank.guesses values (1, '{{ssn1}}'), (2, '{{ssn3}}'), (3, '{{ssn4}}')`,
        'select g.id, c.id from bank.guesses g join bank.customers c on c.ssn = g.ssn order by 1, 2',
      ],
      { once: true },
    ),
    attempt(
      'MASK-520',
      'Guesses copied into a column of the class, then counted together.',
      [
        {
          kind: 'copy-in',
          text: 'copy bank.guesses from stdin',
          data: '1\t{{ssn1}}\n2\t{{ssn3}}\n3\t{{ssn4}}\n',
        },
        'select count(distinct ssn) from (select ssn from bank.guesses union all select ssn from bank.customers) s',
      ],
      { once: true },
    ),
    attempt(
      'MASK-521',
      'Guesses in a temporary table.',
      [
        'create temp table g (v text)',
        `insert into g values ('{{ssn1}}'), ('{{ssn3}}')`,
        'select c.id from bank.customers c join g on c.ssn = g.v order by 1',
      ],
      { once: true },
    ),
    attempt(
      'MASK-522',
      'An update of the class by its own value.',
      [`update bank.guesses set ssn = '{{ssn3}}'`, `update bank.tracked set id = id where ssn = '{{ssn3}}'`],
      { once: true },
    ),
    attempt('MASK-523', 'A count of deleted rows.', [`delete from bank.strict where ssn = '{{ssn3}}'`], {
      once: true,
    }),
    attempt(
      'MASK-524',
      'A count of updated rows by a range.',
      [`update bank.customers set branch = branch where ssn > '8'`],
      { once: true },
    ),
    attempt(
      'MASK-525',
      'A unique column refuses what is there.',
      [`insert into bank.parents values ('{{ssn3}}')`],
      { once: true },
    ),
    attempt(
      'MASK-526',
      'ON CONFLICT tells by its count.',
      [`insert into bank.parents values ('{{ssn3}}') on conflict do nothing`],
      { once: true },
    ),
    attempt(
      'MASK-527',
      'ON CONFLICT DO UPDATE RETURNING.',
      [
        `insert into bank.parents values ('{{ssn3}}') on conflict (ssn) do update set ssn = excluded.ssn returning (xmax = 0) as fresh`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-528',
      'MERGE on a guess.',
      [
        `merge into bank.tracked t using (values ('{{ssn3}}')) g (v) on t.ssn = g.v when matched then do nothing when not matched then insert values (9, 'none')`,
      ],
      { since: 15, once: true },
    ),
    attempt(
      'MASK-529',
      'MERGE on its order.',
      [
        `merge into bank.branches b using bank.customers c on b.id = c.id when matched and c.ssn > '8' then update set city = city`,
      ],
      { since: 15, once: true },
    ),
    attempt(
      'MASK-530',
      'A foreign key refuses what is not there.',
      [`insert into bank.children values (9, '{{ssn4}}')`],
      { once: true },
    ),
    attempt(
      'MASK-531',
      'A partition is found or not.',
      [`insert into bank.ssn_parts values ('88') returning tableoid::regclass`],
      { once: true },
    ),
    attempt(
      'MASK-532',
      'An exclusion constraint refuses what is there.',
      [`insert into bank.strict values (9, 'none', 11, 'x', '{{pin1}}', 't')`],
      { once: true },
    ),
  ],
};
