-- Synthetic and the same on every machine: each value is a function of its row number, by way of MD5.
-- No person exists behind it: social security numbers with area 900 to 999 and group 00 are never issued,
-- 555-01xx telephone numbers and example.com are reserved for examples, card numbers come from a test range.

CREATE FUNCTION pg_temp.noise(row_number bigint, purpose text, below bigint) RETURNS bigint
  LANGUAGE sql IMMUTABLE AS
  $$ SELECT ('x' || substr(md5(purpose || ':' || row_number), 1, 15))::bit(60)::bigint % below $$;

CREATE FUNCTION pg_temp.pick(row_number bigint, purpose text, choices text[]) RETURNS text
  LANGUAGE sql IMMUTABLE AS
  $$ SELECT choices[1 + pg_temp.noise(row_number, purpose, cardinality(choices))] $$;

-- The Luhn check digit of 15 digits.
CREATE FUNCTION pg_temp.check_digit(digits text) RETURNS text
  LANGUAGE sql IMMUTABLE AS
  $$ SELECT ((10 - sum(CASE WHEN place % 2 = 1 THEN digit * 2 - 9 * (digit / 5) ELSE digit END) % 10) % 10)::text
     FROM (SELECT place, substr(digits, place, 1)::integer AS digit FROM generate_series(1, 15) AS place) AS each $$;

INSERT INTO bank.customers
SELECT i,
       given, family,
       format('%s-00-%s', 900 + i / 10000, lpad((i % 10000)::text, 4, '0')),
       date '1940-01-01' + pg_temp.noise(i, 'born', 24000)::integer,
       lower(format('%s.%s.%s@example.com', given, family, i)),
       format('+1-%s-555-01%s', 201 + pg_temp.noise(i, 'area', 700), lpad(pg_temp.noise(i, 'line', 100)::text, 2, '0')),
       pg_temp.pick(i, 'segment', '{retail,retail,retail,retail,premier,business}'),
       date '2001-01-01' + pg_temp.noise(i, 'since', 9000)::integer
FROM (
  SELECT i,
         pg_temp.pick(i, 'given', '{Ada,Alan,Barbara,Claude,Dorothy,Edsger,Frances,Grace,Hedy,Ivan,Joan,Ken,Leslie,Margaret,Niklaus,Olga,Peter,Radia,Sophie,Tim}') AS given,
         pg_temp.pick(i, 'family', '{Abara,Berg,Castillo,Dube,Eriksen,Fontaine,Greene,Haddad,Ito,Jansen,Kowalska,Lindqvist,Moreau,Nakamura,Okafor,Petrov,Quispe,Rossi,Silva,Tanaka}') AS family
  FROM generate_series(1, 8000) AS i
) AS names;

INSERT INTO bank.accounts
SELECT i,
       1 + (i - 1) % 8000,
       lpad((400000000000 + i * 7919::bigint)::text, 12, '0'),
       CASE WHEN i <= 8000 THEN 'checking' ELSE 'savings' END,
       pg_temp.pick(i, 'status', '{active,active,active,active,active,active,active,active,active,frozen,closed}'),
       pg_temp.noise(i, 'balance', 5000000),
       date '2005-01-01' + pg_temp.noise(i, 'opened', 7500)::integer
FROM generate_series(1, 12000) AS i;

INSERT INTO bank.cards
SELECT i, i, digits || pg_temp.check_digit(digits),
       date '2027-01-31' + 31 * pg_temp.noise(i, 'expires', 36)::integer,
       pg_temp.pick(i, 'card', '{active,active,active,active,active,active,active,active,active,blocked}')
FROM (SELECT i, '400000' || lpad((i * 104729::bigint % 1000000000)::text, 9, '0') AS digits
      FROM generate_series(1, 8000) AS i) AS numbers;

-- 100,000 transactions in the second quarter of 2026.
INSERT INTO bank.transactions
SELECT i,
       1 + pg_temp.noise(i, 'account', 12000),
       timestamptz '2026-04-01 00:00:00+00' + (i - 1) * interval '78624 milliseconds',
       channel,
       CASE channel
         WHEN 'card' THEN -(150 + pg_temp.noise(i, 'amount', 20000))
         WHEN 'atm' THEN -2000 * (1 + pg_temp.noise(i, 'amount', 20))
         WHEN 'direct_debit' THEN -(1000 + pg_temp.noise(i, 'amount', 90000))
         ELSE pg_temp.noise(i, 'amount', 600000) - 200000
       END,
       pg_temp.pick(i, 'counterparty', '{Harbor Grocers,Union Transit,Cedar Pharmacy,Lakeside Energy,Northgate Payroll,Maple Books,Riverside Clinic,Summit Insurance,Old Mill Bakery,Delta Telecom}')
FROM (SELECT i, pg_temp.pick(i, 'channel', '{card,card,card,card,transfer,transfer,atm,direct_debit,branch}') AS channel
      FROM generate_series(1, 100000) AS i) AS channels;

ANALYZE bank.customers, bank.accounts, bank.cards, bank.transactions;
