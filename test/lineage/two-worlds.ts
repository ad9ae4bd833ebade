/**
 * Two databases that are alike but for what is regulated: each regulated value of the one has another in the other, different ones different ones, and NULL is NULL. What a
 * statement answers without saying that it comes from a regulated value must be the same in both.
 */
import { Client } from 'pg';
import { indexClassification } from '../../packages/gateway/src/postgres/classify/classification.ts';
import type { Classification } from '../../packages/gateway/src/masking/rules.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { ORACLE_SCHEMA } from '../oracle/schema.ts';

export const WORLDS = ['first', 'second'] as const;

const CLASSES: readonly (readonly [
  schema: string,
  name: string,
  columns: Readonly<Record<string, string>>,
])[] = [
  ['shop', 'customers', { name: 'name', profile: 'free_text' }],
  ['shop', 'orders', { note: 'free_text' }],
  ['shop', 'lines', { product: 'secret', price: 'balance' }],
  ['shop', 'events', { payload: 'free_text' }],
  ['shop', 'dogs', { bark: 'secret' }],
  ['crm', 'customers', { phone: 'phone', name: 'name' }],
  ['crm', 'notes', { secret: 'secret', body: 'free_text' }],
  ['audit', 'keys', { key: 'secret' }],
  ['Odd Place', 'Odd Table', { 'a b': 'secret' }],
];

export const WORLD_CLASSES: Classification = indexClassification({
  digest: 'two worlds',
  isEmpty: false,
  relations: CLASSES.map(([schema, name, columns]) => ({ schema, name, columns: Object.entries(columns) })),
});

/** Stands in every regulated text of both. */
export const CANARY = 'kanarie';

/** `hid` makes a regulated value of a number: another one in each world, none that is equal, shorter, or in the same order. */
const HIDING: Readonly<Record<(typeof WORLDS)[number], string>> = {
  first: `create function public.hid(int) returns text language sql immutable as 'select ''${CANARY} '' || $1';
    create function public.hid_number(int) returns numeric language sql immutable as 'select 7.5 + $1 * 3'`,
  second: `create function public.hid(int) returns text language sql immutable as 'select ''the '' || 977 - $1 * 31 || '' ${CANARY}''';
    create function public.hid_number(int) returns numeric language sql immutable as 'select 88001 - $1 * 41'`,
};

const CONTENT = `
delete from shop.customers;
insert into shop.customers (id, name, mood, address, joined, profile, active) select i, public.hid(i), case when i % 2 = 0 then 'good' else 'bad' end::shop.mood, row(i, 'street ' || i)::shop.pair,
  '2026-01-01 00:00+00'::timestamptz + i * interval '1 day', jsonb_build_object('a', public.hid(i)), i % 3 = 0 from generate_series(1, 12) i;
insert into shop.orders (customer_id, total, status, placed, note) select 1 + i % 12, i * 2, case when i % 2 = 0 then 'open' else 'closed' end, '2026-02-01 00:00+00'::timestamptz + i * interval '1 hour',
  case when i % 4 > 0 then public.hid(i % 7) end from generate_series(1, 20) i;
insert into shop.lines (order_id, line, product, amount, price, code, share) select 1 + i % 20, i, public.hid(i % 5), i, public.hid_number(i % 6), 'c' || i, i % 100 from generate_series(1, 25) i;
insert into shop.events (id, region, at, payload) select i, case when i % 2 = 0 then 'north' else 'south' end, '2026-03-01 00:00+00'::timestamptz + i * interval '1 minute', to_jsonb(public.hid(i)) from generate_series(1, 10) i;
insert into shop.animals select 'animal ' || i, i % 5 from generate_series(1, 4) i;
insert into shop.dogs (name, legs, bark) select 'dog ' || i, 4, public.hid(i) from generate_series(1, 4) i;
insert into shop.puppies (name, legs, bark, age) select 'puppy ' || i, 4, public.hid(i), i from generate_series(1, 3) i;
insert into crm.customers select i, public.hid(i + 3), public.hid(i), 'owner ' || i % 3 from generate_series(1, 9) i;
insert into crm.notes (id, customer_id, body, secret, at) select i, 1 + i % 9, public.hid(i % 4), public.hid(i), '2026-04-01 00:00+00'::timestamptz + i * interval '1 day' from generate_series(1, 12) i;
insert into crm.guarded select i, i % 3, 'body ' || i, i % 2 = 0 from generate_series(1, 6) i;
insert into crm.watched select i, 'status ' || i, i from generate_series(1, 6) i;
insert into audit.log select i, 'what ' || i, '2026-05-01 00:00+00'::timestamptz + i * interval '1 day' from generate_series(1, 6) i;
insert into audit.keys select i, public.hid(i) from generate_series(1, 6) i;
insert into "Odd Place"."Odd Table" select i, 'select ' || i, public.hid(i), i from generate_series(1, 6) i;
refresh materialized view shop.totals;
drop function public.hid, public.hid_number;
`;

export async function createWorlds(server: PostgresServer): Promise<readonly Client[]> {
  const clients: Client[] = [];
  for (const world of WORLDS) {
    const first = new Client({ connectionString: server.url() });
    await first.connect();
    await first.query(`create database world_${world}`);
    await first.end();
    const client = new Client({ connectionString: server.url(`world_${world}`) });
    await client.connect();
    clients.push(client);
    // The role of the schema is the cluster's.
    const schema =
      world === 'first' ? ORACLE_SCHEMA : ORACLE_SCHEMA.replace('create role oracle_reader;', '');
    await client.query(schema);
    await client.query(HIDING[world]);
    await client.query(CONTENT);
    await client.query("set statement_timeout = '3s'; set timezone = 'UTC'");
  }
  return clients;
}
