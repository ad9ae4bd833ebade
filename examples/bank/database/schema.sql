-- A small bank. All data is synthetic (data.sql). Nobody but its owner may do anything with it: what may be granted is in offers.sql.
CREATE SCHEMA bank AUTHORIZATION bank_owner;
CREATE SCHEMA reporting AUTHORIZATION bank_owner;

SET LOCAL ROLE bank_owner;

CREATE TABLE bank.customers (
  customer_id   integer PRIMARY KEY,
  given_name    text NOT NULL,
  family_name   text NOT NULL,
  ssn           char(11) NOT NULL UNIQUE,
  date_of_birth date NOT NULL,
  email         text NOT NULL,
  phone         text NOT NULL,
  segment       text NOT NULL CHECK (segment IN ('retail', 'premier', 'business')),
  customer_since date NOT NULL
);

CREATE TABLE bank.accounts (
  account_id     integer PRIMARY KEY,
  customer_id    integer NOT NULL REFERENCES bank.customers,
  account_number char(12) NOT NULL UNIQUE,
  kind           text NOT NULL CHECK (kind IN ('checking', 'savings')),
  status         text NOT NULL CHECK (status IN ('active', 'frozen', 'closed')),
  balance_cents  bigint NOT NULL,
  opened_on      date NOT NULL
);
CREATE INDEX ON bank.accounts (customer_id);

CREATE TABLE bank.cards (
  card_id    integer PRIMARY KEY,
  account_id integer NOT NULL REFERENCES bank.accounts,
  pan        char(16) NOT NULL UNIQUE,
  expires_on date NOT NULL,
  status     text NOT NULL CHECK (status IN ('active', 'blocked'))
);
CREATE INDEX ON bank.cards (account_id);

CREATE TABLE bank.transactions (
  transaction_id bigint PRIMARY KEY,
  account_id     integer NOT NULL REFERENCES bank.accounts,
  booked_at      timestamptz NOT NULL,
  channel        text NOT NULL CHECK (channel IN ('card', 'transfer', 'atm', 'direct_debit', 'branch')),
  amount_cents   bigint NOT NULL,
  counterparty   text NOT NULL
);
CREATE INDEX ON bank.transactions (booked_at);
CREATE INDEX ON bank.transactions (account_id, booked_at);

-- What reports are made from: no person appears in it.
CREATE VIEW reporting.daily_activity AS
  SELECT (booked_at AT TIME ZONE 'UTC')::date AS day,
         channel,
         count(*) AS transactions,
         count(DISTINCT account_id) AS accounts,
         sum(abs(amount_cents)) AS volume_cents
  FROM bank.transactions
  GROUP BY 1, 2;

RESET ROLE;
