/** As object-relational mappers and BI tools write, after what they are seen to send. */
import { casesOf } from '../case.ts';

export const MAPPERS = casesOf('orm', [
  // Prisma
  [
    'SELECT "bank"."customers"."id", "bank"."customers"."number", "bank"."customers"."name", "bank"."customers"."email" FROM "bank"."customers" WHERE ("bank"."customers"."id" = $1 AND 1=1) LIMIT $2 OFFSET $3',
    '7',
    '1',
    '0',
  ],
  [
    'SELECT "bank"."customers"."id", "bank"."customers"."name", "bank"."customers"."email" FROM "bank"."customers" WHERE ("bank"."customers"."email" = $1 AND 1=1) LIMIT $2 OFFSET $3',
    'person4@example.org',
    '1',
    '0',
  ],
  [
    'SELECT "bank"."accounts"."id", "bank"."accounts"."account_number", "bank"."accounts"."customer_id" FROM "bank"."accounts" WHERE "bank"."accounts"."customer_id" IN ($1,$2,$3) ORDER BY "bank"."accounts"."id" OFFSET $4',
    '1',
    '2',
    '3',
    '0',
  ],
  [
    'SELECT COUNT(*) FROM (SELECT "bank"."customers"."id" FROM "bank"."customers" WHERE "bank"."customers"."segment"::text = $1 OFFSET $2) AS "sub"',
    'private',
    '0',
  ],
  [
    'SELECT "t0"."id", "t0"."name", "t1"."id" AS "a_id", "t1"."account_number" FROM "bank"."customers" AS "t0" LEFT JOIN "bank"."accounts" AS "t1" ON "t1"."customer_id" = "t0"."id" WHERE "t0"."id" = ANY($1::int[]) ORDER BY "t0"."id", "t1"."id"',
    '{1,2,3}',
  ],
  {
    sql: [
      'SELECT "t1"."id", "t1"."number", "t1_accounts"."__prisma_data__" AS "accounts" FROM "bank"."customers" AS "t1" LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("__prisma_data__"), \'[]\') AS "__prisma_data__" FROM (SELECT JSONB_BUILD_OBJECT(\'id\', "t2"."id", \'kind\', "t2"."kind", \'number\', "t2"."account_number") AS "__prisma_data__" FROM "bank"."accounts" AS "t2" WHERE "t1"."id" = "t2"."customer_id" ORDER BY "t2"."id") AS "t3") AS "t1_accounts" ON TRUE WHERE "t1"."id" < $1 ORDER BY "t1"."id" LIMIT $2',
      '6',
      '3',
    ],
    masked: { accounts: 'account_number!' },
  },
  [
    'SELECT "t1"."id", "t1_loans"."__prisma_data__" AS "loans" FROM "bank"."customers" AS "t1" LEFT JOIN LATERAL (SELECT COALESCE(JSONB_AGG("__prisma_data__"), \'[]\') AS "__prisma_data__" FROM (SELECT JSONB_BUILD_OBJECT(\'id\', "t2"."id", \'principal\', "t2"."principal") AS "__prisma_data__" FROM "bank"."loans" AS "t2" WHERE "t1"."id" = "t2"."customer_id" ORDER BY "t2"."id") AS "t3") AS "t1_loans" ON TRUE WHERE "t1"."id" < $1 ORDER BY "t1"."id"',
    '6',
  ],
  // SQLAlchemy
  [
    'SELECT bank.customers.id AS bank_customers_id, bank.customers.name AS bank_customers_name, bank.customers.email AS bank_customers_email FROM bank.customers WHERE bank.customers.id = $1::INTEGER',
    '9',
  ],
  [
    'SELECT customers_1.id, customers_1.name, accounts_1.id AS id_1, accounts_1.account_number, accounts_1.balance FROM bank.customers AS customers_1 LEFT OUTER JOIN bank.accounts AS accounts_1 ON customers_1.id = accounts_1.customer_id WHERE customers_1.branch_id = $1::INTEGER ORDER BY customers_1.id, accounts_1.id',
    '3',
  ],
  [
    'SELECT anon_1.id AS anon_1_id, anon_1.name AS anon_1_name, cards_1.id AS cards_1_id, cards_1.pan AS cards_1_pan FROM (SELECT bank.customers.id AS id, bank.customers.name AS name FROM bank.customers ORDER BY bank.customers.id LIMIT $1::INTEGER) AS anon_1 LEFT OUTER JOIN (bank.accounts AS accounts_1 JOIN bank.cards AS cards_1 ON accounts_1.id = cards_1.account_id) ON anon_1.id = accounts_1.customer_id ORDER BY anon_1.id, cards_1.id',
    '4',
  ],
  'SELECT count(*) AS count_1 FROM (SELECT bank.customers.id AS bank_customers_id, bank.customers.name AS bank_customers_name, bank.customers.email AS bank_customers_email FROM bank.customers WHERE bank.customers.is_active IS true) AS anon_1',
  [
    'SELECT EXISTS (SELECT 1 FROM bank.customers WHERE bank.customers.number = $1::VARCHAR) AS anon_1',
    'C00003',
  ],
  [
    'SELECT accounts_1.customer_id AS accounts_1_customer_id, accounts_1.id AS accounts_1_id, accounts_1.account_number AS accounts_1_account_number FROM bank.accounts AS accounts_1 WHERE accounts_1.customer_id IN ($1::INTEGER, $2::INTEGER)  ORDER BY accounts_1.id',
    '4',
    '5',
  ],
  // Hibernate
  [
    'select c1_0.id,c1_0.address,c1_0.dob,c1_0.email,c1_0.name,c1_0.number,c1_0.phone,c1_0.ssn,c1_0.version from bank.customers c1_0 where c1_0.id=$1',
    '12',
  ],
  [
    'select c1_0.id,c1_0.email,c1_0.name,b1_0.id,b1_0.city,b1_0.region from bank.customers c1_0 join bank.branches b1_0 on b1_0.id=c1_0.branch_id where c1_0.segment::text=$1 order by c1_0.id offset $2 rows fetch first $3 rows only',
    'private',
    '0',
    '5',
  ],
  ['select count(c1_0.id) from bank.customers c1_0 where c1_0.is_active=true and c1_0.branch_id=$1', '2'],
  [
    'select a1_0.customer_id,a1_0.id,a1_0.account_number,a1_0.balance,a1_0.version from bank.accounts a1_0 where a1_0.customer_id=$1 for update',
    '5',
  ],
  [
    'select distinct c1_0.id,c1_0.name,a1_0.customer_id,a1_0.id,a1_0.balance from bank.customers c1_0 left join bank.accounts a1_0 on c1_0.id=a1_0.customer_id where c1_0.id<$1 order by c1_0.id,a1_0.id',
    '5',
  ],
  // ActiveRecord
  ['SELECT "customers".* FROM "bank"."customers" WHERE "customers"."id" = $1 LIMIT $2', '3', '1'],
  ['SELECT "customers".* FROM "bank"."customers" ORDER BY "customers"."id" ASC LIMIT $1', '1'],
  [
    'SELECT 1 AS one FROM "bank"."customers" WHERE "customers"."email" = $1 LIMIT $2',
    'person4@example.org',
    '1',
  ],
  [
    'SELECT 1 AS one FROM "bank"."customers" WHERE "customers"."email" = $1 AND "customers"."id" != $2 LIMIT $3',
    'person4@example.org',
    '4',
    '1',
  ],
  'SELECT COUNT(*) AS "count_all", "customers"."segment" AS "customers_segment" FROM "bank"."customers" GROUP BY "customers"."segment" ORDER BY 2',
  'SELECT "customers"."id" AS t0_r0, "customers"."name" AS t0_r1, "accounts"."id" AS t1_r0, "accounts"."account_number" AS t1_r1 FROM "bank"."customers" LEFT OUTER JOIN "bank"."accounts" ON "accounts"."customer_id" = "customers"."id" WHERE "accounts"."kind" = \'savings\' ORDER BY "accounts"."id"',
  [
    'SELECT DISTINCT "customers"."id", "customers"."joined" AS alias_0 FROM "bank"."customers" INNER JOIN "bank"."accounts" ON "accounts"."customer_id" = "customers"."id" ORDER BY "customers"."joined" DESC, "customers"."id" LIMIT $1',
    '5',
  ],
  'SELECT "customers".* FROM "bank"."customers" WHERE "customers"."email" IS NOT NULL AND "customers"."phone" IS NULL ORDER BY "customers"."id"',
  // Django
  [
    'SELECT "bank"."customers"."id", "bank"."customers"."name", "bank"."customers"."email" FROM "bank"."customers" WHERE "bank"."customers"."id" IN ($1, $2) ORDER BY "bank"."customers"."id" ASC',
    '1',
    '2',
  ],
  'SELECT COUNT(*) AS "__count" FROM "bank"."customers"',
  ['SELECT 1 AS "a" FROM "bank"."customers" WHERE "bank"."customers"."number" = $1 LIMIT 1', 'C00001'],
  'SELECT "c"."id", "c"."name", COUNT("a"."id") AS "accounts__count" FROM "bank"."customers" "c" LEFT OUTER JOIN "bank"."accounts" "a" ON ("c"."id" = "a"."customer_id") GROUP BY "c"."id" ORDER BY "accounts__count" DESC, "c"."id" LIMIT 10',
  'SELECT "c"."id", "c"."number", "c"."name", "c"."email", "c"."phone", COUNT("a"."id") AS "n" FROM "bank"."customers" "c" LEFT OUTER JOIN "bank"."accounts" "a" ON ("c"."id" = "a"."customer_id") GROUP BY "c"."id", "c"."number", "c"."name", "c"."email", "c"."phone" ORDER BY "c"."id" LIMIT 10',
  [
    'SELECT "c"."id", "c"."name", (SELECT U0."balance" FROM "bank"."accounts" U0 WHERE U0."customer_id" = ("c"."id") ORDER BY U0."id" ASC LIMIT 1) AS "first_balance" FROM "bank"."customers" "c" WHERE "c"."branch_id" = $1 ORDER BY "c"."id" LIMIT 21',
    '1',
  ],
  'SELECT "c"."id", EXISTS(SELECT 1 AS "a" FROM "bank"."tickets" U0 WHERE U0."customer_id" = ("c"."id") LIMIT 1) AS "has_tickets" FROM "bank"."customers" "c" ORDER BY "c"."id" LIMIT 21',
  'SELECT SUM("col1"), COUNT(*) FROM (SELECT "a"."balance" AS "col1" FROM "bank"."accounts" "a" WHERE "a"."closed_at" IS NULL) subquery',
  // Others
  [
    'select "id", "name", "email" from "bank"."customers" where "branch_id" = $1 order by "id" asc limit $2',
    '1',
    '5',
  ],
  [
    'SELECT "Customer"."id" AS "Customer_id", "Customer"."name" AS "Customer_name", "Customer"."email" AS "Customer_email" FROM "bank"."customers" "Customer" WHERE (("Customer"."id" = $1)) LIMIT 1',
    '2',
  ],
  [
    'SELECT DISTINCT "distinctAlias"."Customer_id" AS "ids_Customer_id" FROM (SELECT "Customer"."id" AS "Customer_id", "Customer"."name" AS "Customer_name", "Account"."id" AS "Account_id" FROM "bank"."customers" "Customer" LEFT JOIN "bank"."accounts" "Account" ON "Account"."customer_id"="Customer"."id" WHERE (("Customer"."branch_id" = $1))) "distinctAlias" ORDER BY "Customer_id" ASC LIMIT 1',
    '2',
  ],
  [
    'SELECT "customer"."id", "customer"."name", "accounts"."id" AS "accounts.id", "accounts"."account_number" AS "accounts.account_number" FROM "bank"."customers" AS "customer" INNER JOIN "bank"."accounts" AS "accounts" ON "customer"."id" = "accounts"."customer_id" AND "accounts"."balance" > $1 ORDER BY "accounts"."id"',
    '20000',
  ],
  [
    'SELECT t0_.id AS id_0, t0_.name AS name_1, t0_.email AS email_2, t1_.city AS city_3 FROM bank.customers t0_ INNER JOIN bank.branches t1_ ON t0_.branch_id = t1_.id WHERE t1_.region = $1 ORDER BY t0_.id ASC LIMIT 20',
    'east',
  ],
  [
    'SELECT c.id, c.name AS "Name", c.email AS "Email", a.id, a.account_number AS "AccountNumber" FROM (SELECT id, name, email FROM bank.customers WHERE branch_id = $1 ORDER BY id LIMIT $2) AS c LEFT JOIN bank.accounts AS a ON c.id = a.customer_id ORDER BY c.id, a.id',
    '2',
    '4',
  ],
  ['SELECT count(*)::int FROM bank.customers AS c WHERE c.segment = $1', 'student'],
]);

export const BUSINESS_INTELLIGENCE = casesOf('bi', [
  // Metabase
  'SELECT "bank"."customers"."id" AS "id", "bank"."customers"."name" AS "name", "bank"."customers"."email" AS "email", "bank"."customers"."ssn" AS "ssn", "bank"."customers"."dob" AS "dob" FROM "bank"."customers" ORDER BY "bank"."customers"."id" LIMIT 2000',
  'SELECT "source"."segment" AS "segment", COUNT(*) AS "count" FROM (SELECT "bank"."customers"."segment" AS "segment", "bank"."customers"."name" AS "name", "bank"."customers"."email" AS "email" FROM "bank"."customers") AS "source" GROUP BY "source"."segment" ORDER BY "source"."segment" ASC',
  'select * from (select id, name, email, joined from bank.customers) as source order by id limit 2000',
  'SELECT CAST(DATE_TRUNC(\'month\', "bank"."transactions"."booked_at") AS date) AS "booked_at", SUM("bank"."transactions"."amount") AS "sum" FROM "bank"."transactions" GROUP BY CAST(DATE_TRUNC(\'month\', "bank"."transactions"."booked_at") AS date) ORDER BY 1 ASC',
  'SELECT FLOOR(("bank"."accounts"."balance" / 10000.0)) * 10000.0 AS "balance", COUNT(*) AS "count" FROM "bank"."accounts" GROUP BY 1 ORDER BY 1',
  'SELECT COUNT(DISTINCT "bank"."customers"."email") AS "count" FROM "bank"."customers"',
  'SELECT "C"."city" AS "city", AVG("bank"."accounts"."balance")::numeric(12,2) AS "avg" FROM "bank"."accounts" LEFT JOIN "bank"."branches" AS "C" ON "bank"."accounts"."branch_id" = "C"."id" GROUP BY "C"."city" ORDER BY "C"."city"',
  'SELECT SUM(CASE WHEN "bank"."accounts"."balance" < 0 THEN 1 ELSE 0.0 END) / NULLIF(COUNT(*), 0.0) AS "share" FROM "bank"."accounts"',
  'SELECT "source"."month" AS "month", "source"."sum" AS "sum", SUM("source"."sum") OVER (ORDER BY "source"."month" ASC ROWS UNBOUNDED PRECEDING) AS "cumulative" FROM (SELECT DATE_TRUNC(\'month\', booked_at) AS "month", SUM(amount) AS "sum" FROM bank.transactions GROUP BY 1) AS "source" ORDER BY 1',
  // Tableau
  'SELECT "customers"."segment"::text AS "segment", SUM(1) AS "sum:Number of Records:ok" FROM "bank"."customers" "customers" GROUP BY 1 ORDER BY 1',
  'SELECT CAST("transactions"."category" AS TEXT) AS "category", DATE_TRUNC( \'QUARTER\', CAST("transactions"."booked_at" AS TIMESTAMP) ) AS "tqr:booked_at:ok", SUM("transactions"."amount") AS "sum:amount:ok" FROM "bank"."transactions" "transactions" GROUP BY 1, 2 ORDER BY 1, 2',
  'SELECT "t0"."city" AS "city", "t1"."x_measure__1" AS "x" FROM (SELECT "city" FROM "bank"."branches" GROUP BY 1) "t0" INNER JOIN (SELECT "b"."city", COUNT(DISTINCT "c"."id") AS "x_measure__1" FROM "bank"."customers" "c" JOIN "bank"."branches" "b" ON "b"."id" = "c"."branch_id" GROUP BY 1) "t1" ON ("t0"."city" IS NOT DISTINCT FROM "t1"."city") ORDER BY 1',
  'SELECT * FROM (SELECT * FROM bank.customers) "Custom SQL Query" LIMIT 0',
  'SELECT MIN("accounts"."balance") AS "TEMP(min)", MAX("accounts"."balance") AS "TEMP(max)" FROM "bank"."accounts" "accounts" HAVING (COUNT(1) > 0)',
  // Power BI
  'select "_"."id", "_"."number", "_"."name", "_"."email", "_"."segment" from "bank"."customers" "_" order by "_"."id" limit 1000',
  'select "rows"."category" as "category", sum("rows"."amount") as "a0" from ( select "_"."category", "_"."amount" from "bank"."transactions" "_" where "_"."channel" = \'card\' and "_"."channel" is not null ) "rows" group by "category" order by 1 limit 1000001',
  'select "$Outer"."name", "$Inner"."city", "$Outer"."id" from ( select "id", "name", "branch_id" from "bank"."customers" ) "$Outer" left outer join "bank"."branches" "$Inner" on ("$Outer"."branch_id" = "$Inner"."id") order by 3 limit 200',
  'select count(*) as "C1" from ( select 1 as "C" from "bank"."customers" "_" where "_"."email" is null ) "_"',
  // Superset
  "SELECT DATE_TRUNC('week', opened_at) AS opened_at, topic AS topic, COUNT(*) AS count FROM bank.tickets WHERE opened_at >= TO_TIMESTAMP('2026-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') GROUP BY DATE_TRUNC('week', opened_at), topic ORDER BY count DESC, 1, 2 LIMIT 10000",
  "SELECT segment AS segment, count(*) AS count FROM (SELECT c.*, b.region FROM bank.customers c JOIN bank.branches b ON b.id = c.branch_id) AS virtual_table WHERE region IN ('central') GROUP BY segment ORDER BY count DESC, 1 LIMIT 100",
  'SELECT kind AS kind, (sum(balance) / count(*))::numeric(12,2) AS "AVG" FROM bank.accounts GROUP BY kind HAVING sum(balance) > 0 ORDER BY 2 DESC LIMIT 100',
  // DBeaver, DataGrip, pgAdmin
  'SELECT x.* FROM bank.customers x ORDER BY x.id LIMIT 200',
  'SELECT id, number, "name", email, phone, ssn, dob, address FROM bank.customers WHERE id=5',
  {
    sql: "SELECT c.id, c.name, c.name::text AS label FROM bank.customers c WHERE c.number = 'C00004'",
    masked: { label: 'name!' },
  },
  'SELECT t.*, t.ctid FROM bank.branches t LIMIT 501',
  'SELECT count(*) FROM bank.transactions',
  // Looker, Grafana, Redash
  "SELECT TO_CHAR(DATE_TRUNC('month', transactions.booked_at), 'YYYY-MM') AS \"transactions.month\", COALESCE(SUM(transactions.amount), 0) AS \"transactions.total\" FROM bank.transactions AS transactions LEFT JOIN bank.accounts AS accounts ON accounts.id = transactions.account_id WHERE accounts.kind = 'savings' GROUP BY 1 ORDER BY 1 DESC LIMIT 500",
  "SELECT floor(extract(epoch from booked_at)/86400)*86400 AS \"time\", sum(amount) AS value FROM bank.transactions WHERE booked_at BETWEEN '2025-01-01T00:00:00Z' AND '2025-02-01T00:00:00Z' GROUP BY 1 ORDER BY 1",
  'SELECT opened_at AS "time", topic AS metric, priority AS value FROM bank.tickets WHERE opened_at > to_timestamp(1767312000) ORDER BY 1',
  'WITH customer_facts AS (SELECT customer_id, count(*) AS lifetime, min(opened_at) AS first FROM bank.accounts GROUP BY 1) SELECT customers.number, customers.email, customer_facts.lifetime FROM bank.customers AS customers LEFT JOIN customer_facts ON customers.id = customer_facts.customer_id ORDER BY customer_facts.lifetime DESC NULLS LAST, customers.id LIMIT 500',
  'SELECT NULL AS "TABLE_CAT", n.nspname AS "TABLE_SCHEM", c.relname AS "TABLE_NAME" FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND n.nspname = \'bank\' AND c.relkind in (\'r\', \'v\') ORDER BY 2, 3',
  "select column_name, data_type, is_nullable, character_maximum_length from information_schema.columns where table_schema = 'bank' and table_name = 'customers' order by ordinal_position",
  'select relname, reltuples from pg_class where relnamespace = $$bank$$::regnamespace and relkind = $$r$$ order by 1',
  'select current_database() is not null, current_schema, version() is not null, now() > $$2020-01-01$$',
  'explain (costs off) select segment, count(*) from bank.customers group by segment',
  'explain (costs off) select id, kind from bank.accounts where id = 5',
]);
