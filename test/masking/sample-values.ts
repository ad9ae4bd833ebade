/** Values of every type that a client can be shown, as expressions for a real server. */

/** What the samples need. Extensions are left out where the server does not have them. */
export const SAMPLE_OBJECTS = `
DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS citext; EXCEPTION WHEN OTHERS THEN CREATE DOMAIN citext AS text; END $$;
DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS hstore; EXCEPTION WHEN OTHERS THEN CREATE DOMAIN hstore AS tsvector; END $$;
CREATE DOMAIN us_ssn AS text CHECK (VALUE ~ '^[0-9]{3}-[0-9]{2}-[0-9]{4}$');
CREATE DOMAIN ref AS int8 CHECK (VALUE >= 0);
CREATE DOMAIN ref_list AS ref[];
CREATE TYPE mood AS ENUM ('sad', 'fine', 'quite, "well"');
CREATE TYPE address AS (street text, zip varchar(40), number int4, since date);
CREATE TYPE household AS (head us_ssn, home address, others text[], score numeric);
CREATE TYPE float_range AS RANGE (subtype = float8);
CREATE TYPE nothing AS ();
CREATE TYPE large_0 AS (${Array.from({ length: 10 }, (_, index) => `f${index} text`).join(', ')});
${Array.from({ length: 4 }, (_, level) => `CREATE TYPE large_${level + 1} AS (${Array.from({ length: 10 }, (_, index) => `f${index} large_${level}`).join(', ')});`).join('\n')}
CREATE TABLE people (id int4, gone text, name text, born date);
ALTER TABLE people DROP COLUMN gone;
`;

const random = (expression: string, count = 6): string =>
  `SELECT ${expression} AS v FROM generate_series(1, ${count}) AS i`;

/** Each a query of one column \`v\`. Values change from run to run. */
export const SAMPLES: readonly string[] = [
  random("repeat(md5(random()::text), i % 3) || '-' || i"),
  `SELECT * FROM (VALUES ('123-45-6789'), (''), ('é👍"\\,{}'), (E'tab\\tnew\\nline'), ('1984-03-05'), ('ada@example.com'), ('NULL')) AS t(v)`,
  random('(random() * 1e12)::int8::varchar(20)'),
  random("('ab' || i)::char(9)"),
  random("('4111 1111 1111 111' || i)::bpchar"),
  random("('name' || i)::name"),
  random("('x' || i)::citext"),
  `SELECT 'x'::"char" AS v`,
  random("('<a b=\"' || i || '\">é</a>')::xml"),
  random("('<account>400012345' || i || '</account>')::xml"),
  random('(random() * 65535 - 32768)::int2'),
  random('(random() * 4294967295 - 2147483648)::int4'),
  `SELECT v FROM (VALUES (2147483647), (-2147483648), (0), (-1), (123456)) AS t(v)`,
  random('(random() * 1e18)::int8 * (1 - 2 * (i % 2))'),
  `SELECT v FROM (VALUES (9223372036854775807), (-9223372036854775808)) AS t(v)`,
  random('(random() * 4294967295)::int8::oid'),
  random('(random() * 10 ^ (i * 5 - 10) * (1 - 2 * (i % 2)))::numeric'),
  `SELECT v::numeric FROM (VALUES ('0'), ('0.00'), ('-0.5'), ('NaN'), ('123456789012345678901234567890.123456789'), ('10000'), ('99990000'), ('0.0001'), ('0.00010'), ('1000000'), ('-12345678.90')) AS t(v)`,
  random('(random() * 10 ^ (i * 9 - 20))::float4'),
  `SELECT v::float4 FROM (VALUES ('NaN'), ('Infinity'), ('-0'), ('1e-40'), ('123456'), ('1234567'), ('0.0001'), ('0.00001'), ('3.4028235e38')) AS t(v)`,
  random('random() * 10 ^ (i * 20 - 50)'),
  `SELECT v::float8 FROM (VALUES ('-Infinity'), ('1e15'), ('123456789012345'), ('1234567890123456'), ('5e-324'), ('0.1'), ('-1.5'), ('0')) AS t(v)`,
  random('(random() * 1e6)::numeric::money'),
  `SELECT v FROM (VALUES (true), (false)) AS t(v)`,
  random("'2000-01-01'::date + (random() * 60000 - 30000)::int4"),
  `SELECT v::date FROM (VALUES ('infinity'), ('-infinity'), ('0044-03-15 BC'), ('4714-11-24 BC'), ('5874897-12-31'), ('2000-02-29'), ('12345-06-07')) AS t(v)`,
  random("'2000-01-01'::timestamp + random() * interval '60 years' - random() * interval '150 years'"),
  `SELECT v::timestamp FROM (VALUES ('infinity'), ('-infinity'), ('0044-03-15 10:00 BC'), ('4714-11-24 BC'), ('294276-12-31 23:59:59.999999'), ('1999-12-31 23:59:59.5'), ('2000-01-01')) AS t(v)`,
  random("'2000-01-01'::timestamptz + random() * interval '60 years'"),
  `SELECT v::timestamptz FROM (VALUES ('infinity'), ('1984-12-31 23:30-05'), ('1985-01-01 00:30+05:30'), ('0001-01-01 00:00 BC')) AS t(v)`,
  random("'04:05:06'::time + random() * interval '1 hour'"),
  `SELECT v::timetz FROM (VALUES ('04:05:06+05:30'), ('23:59:59.5-08'), ('00:00+00'), ('01:02:03+01:02:03')) AS t(v)`,
  `SELECT v::interval FROM (VALUES ('1 year 2 mons -3 days 04:05:06.7'), ('-1 year 1 day'), ('0'), ('-00:00:01'), ('1 mon -1 sec'), ('-13 mons'), ('100:00'), ('1 day -2:00'), ('-1 day 2:00')) AS t(v)`,
  random('gen_random_uuid()'),
  random(`('{"b": [' || i || ', 1.50, null], "a": "x' || i || '\\u00e9"}')::json`),
  `SELECT v::json FROM (VALUES ('"123-45-6789"'), ('4111111111111111'), ('true'), ('null'), (' [ "a" ] ')) AS t(v)`,
  random(`jsonb_build_object('ssn', '123-45-678' || i, 'n', i * 1.5, 'l', jsonb_build_array(i, null))`),
  `SELECT v::jsonb FROM (VALUES ('"123-45-6789"'), ('4111111111111111'), ('true'), ('null'), ('"\\"\\\\"')) AS t(v)`,
  random("decode(md5(i::text), 'hex')"),
  `SELECT v::inet FROM (VALUES ('10.1.2.3'), ('10.1.2.3/8'), ('::'), ('::1'), ('2001:db8::1:0:0:1'), ('::ffff:1.2.3.4'), ('::1.2.3.4'), ('fe80::/64'), ('1:0:0:2:3:4:5:6')) AS t(v)`,
  `SELECT v::cidr FROM (VALUES ('10.1.0.0/16'), ('2001:db8::/32'), ('10.1.2.3')) AS t(v)`,
  `SELECT '08:00:2b:01:02:03'::macaddr AS v`,
  `SELECT '08:00:2b:01:02:03:04:05'::macaddr8 AS v`,
  `SELECT v::bit(12) FROM (VALUES (B'101010101010'), (B'000000000000')) AS t(v)`,
  `SELECT v::varbit FROM (VALUES (B'1'), (B''), (B'101010101')) AS t(v)`,
  `SELECT '(1,2.5)'::point AS v`,
  `SELECT '(1,2),(3,4)'::box AS v`,
  `SELECT '<(1,2),3>'::circle AS v`,
  `SELECT '16/B374D848'::pg_lsn AS v`,
  `SELECT '7'::xid AS v`,
  `SELECT 'pg_class'::regclass AS v`,
  `SELECT to_tsvector('simple', 'my ssn is 123456789') AS v`,
  `SELECT '$.a[*]'::jsonpath AS v`,
  `SELECT v::mood FROM (VALUES ('sad'), ('quite, "well"')) AS t(v)`,
  `SELECT '123-45-6789'::us_ssn AS v`,
  random('(random() * 1e15)::int8::ref'),
  `SELECT v::text[] FROM (VALUES ('{}'), ('{a,NULL,"x y","q\\"\\\\",""}'), ('{{a,b},{c,NULL}}'), ('[2:3]={a,b}'), ('{"NULL",null}')) AS t(v)`,
  random('ARRAY[i, NULL, i * 100000]::int4[]'),
  random('ARRAY[random(), NULL]::numeric(10,3)[]'),
  random('ARRAY[gen_random_uuid(), NULL]'),
  random("ARRAY[jsonb_build_object('a', i), '\"x\"']"),
  `SELECT ARRAY['2024-05-06', NULL, '1984-03-05']::date[] AS v`,
  `SELECT ARRAY['2024-05-06 01:02:03', NULL]::timestamptz[] AS v`,
  `SELECT '{(1,2),(3,4);(5,6),(7,8)}'::box[] AS v`,
  `SELECT ARRAY[1000001, 2]::ref[] AS v`,
  `SELECT ARRAY[1000001, 2]::ref_list AS v`,
  `SELECT ARRAY['123-45-6789', NULL]::us_ssn[] AS v`,
  `SELECT ARRAY[int4range(1000, 5000), NULL] AS v`,
  `SELECT v::int4range FROM (VALUES ('[1000,5000)'), ('empty'), ('(,5)'), ('[3,)'), ('(,)')) AS t(v)`,
  `SELECT v::numrange FROM (VALUES ('[1.5,20000.25]'), ('(1,2)'), ('empty')) AS t(v)`,
  `SELECT v::daterange FROM (VALUES ('[2023-05-01,2024-07-01)'), ('[2024-05-01,2024-06-01)'), ('empty')) AS t(v)`,
  `SELECT v::tsrange FROM (VALUES ('[2023-05-01 01:02,2024-07-01)')) AS t(v)`,
  `SELECT v::tstzrange FROM (VALUES ('[2023-05-01 01:02,)')) AS t(v)`,
  `SELECT v::float_range FROM (VALUES ('[1.5,2500.25]')) AS t(v)`,
  `SELECT v::datemultirange FROM (VALUES ('{[2022-05-01,2022-07-01),[2023-05-01,2024-07-01)}'), ('{}')) AS t(v)`,
  `SELECT v::int8multirange FROM (VALUES ('{[1,5),[1000,9000)}')) AS t(v)`,
  `SELECT ARRAY['{[1,5)}'::int4multirange] AS v`,
  random(`ROW('Main "St", (' || i || ')', NULL, i, '2020-01-01')::address`),
  `SELECT ROW('123-45-6789', ROW('a', 'b', 1, NULL), '{x,"y z"}', 1.5)::household AS v`,
  `SELECT ARRAY[ROW('a', 'b', 1, NULL)::address] AS v`,
  `SELECT ROW(1, 'Ada', '1984-03-05')::people AS v`,
  `SELECT ROW()::nothing AS v`,
  `SELECT ROW(1, 'x'::text, '2024-01-01'::date) AS v`,
  `SELECT ARRAY[ROW(1, 'x'::text)] AS v`,
  `SELECT 'a=>1'::hstore AS v`,
];
