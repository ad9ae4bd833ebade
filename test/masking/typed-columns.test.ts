/** Regulated columns of every type, through the gateway: node-postgres (text and binary) and postgres.js read what leaves, and it is what `maskValue` makes. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import postgres from 'postgres';
import { defaultRules } from '../../packages/gateway/src/config/masking-section.ts';
import type { ClassRule, Transform } from '../../packages/gateway/src/masking/rules.ts';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { maskValue } from '../../packages/gateway/src/postgres/mask/values/mask-value.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';
import { directEndpoint, Harness } from '../translator/harness.ts';
import { KEYS, run, withMasking } from './masked-gateway.ts';
import { TypedSession } from './typed-session.ts';

const TRANSFORMS: readonly Transform[] = [
  { kind: 'redact' },
  { kind: 'null' },
  { kind: 'keep-last', count: 4 },
  { kind: 'email-domain' },
  { kind: 'year' },
  { kind: 'bucket', size: 1_000 },
  { kind: 'token' },
  { kind: 'fpe' },
  { kind: 'detect' },
];

/** Of what detectors read only a part is replaced: detected-values.test.ts. Here it has to be readable. */
const isDetect = ({ kind }: Transform): boolean => kind === 'detect';

/** A value of each type with something in it that must not be seen. */
const COLUMNS: readonly (readonly [type: string, value: string])[] = [
  ['text', "'536-90-4399 Canary'"],
  ['varchar(40)', "'canary@example.com'"],
  ['char(30)', "'536904399'"],
  ['name', "'canary_name'"],
  ['xml', "'<a>536904399</a>'"],
  ['int2', '12345'],
  ['int4', '536904399'],
  ['int8', '439953690439953'],
  ['numeric(20,2)', '536904399.53'],
  ['float4', '53690.5'],
  ['float8', '536904399.5'],
  ['money', '5369.04'],
  ['bool', 'true'],
  ['date', "'1984-03-05'"],
  ['time', "'05:36:09'"],
  ['timestamp', "'1984-03-05 05:36:09'"],
  ['timestamptz', "'1984-03-05 05:36:09+00'"],
  ['interval', "'5 days 36 minutes'"],
  ['uuid', "'53690439-9536-4439-9536-904399536904'"],
  ['json', `'{"ssn": "536-90-4399"}'`],
  ['jsonb', `'{"ssn": "536-90-4399", "n": 536904399}'`],
  ['bytea', "'536-90-4399'"],
  ['inet', "'53.69.4.39'"],
  ['macaddr', "'53:69:04:39:95:36'"],
  ['bit(8)', "B'10110101'"],
  ['text[]', `'{"536-90-4399",NULL}'`],
  ['int4[]', "'{536904399,NULL}'"],
  ['date[]', "'{1984-03-05}'"],
  ['numeric[]', "'{536904.39}'"],
  ['uuid[]', "'{53690439-9536-4439-9536-904399536904}'"],
  ['jsonb[]', `ARRAY['"536-90-4399"'::jsonb]`],
  ['int4range', "'[5369,53690)'"],
  ['daterange', "'[1984-03-05,1999-03-05)'"],
  ['datemultirange', "'{[1984-03-05,1999-03-05)}'"],
  ['feeling', "'sad'"],
  ['place', `'("536 Canary St",53690,1984-03-05)'`],
  ['place[]', `ARRAY['("536 Canary St",53690,1984-03-05)'::place]`],
  ['ssn_text', "'536-90-4399'"],
  ['ssn_text[]', "'{536-90-4399}'"],
  ['point', "'(5.369,0.4399)'"],
  ['tsvector', "'canary:1'"],
];

const CANARY = /canary|536-90-4399|536904399/i;

const className = (index: number): string => `own_${index}`;
const columnName = (index: number): string => `c${index}`;
const list = (write: (index: number) => string): string => COLUMNS.map((_, index) => write(index)).join(', ');

const SETUP = `
CREATE TYPE feeling AS ENUM ('sad', 'fine');
CREATE TYPE place AS (street text, number int4, since date);
CREATE DOMAIN ssn_text AS text CHECK (VALUE ~ '^[0-9-]+$');
${TRANSFORMS.map(
  (_, table) => `
CREATE TABLE typed_${table} (id int4, ${list((index) => `${columnName(index)} ${COLUMNS[index]![0]}`)});
INSERT INTO typed_${table} VALUES (1, ${list((index) => COLUMNS[index]![1])}), (2, ${list(() => 'NULL')});`,
).join('\n')}
`;

async function startTyped(server: PostgresServer): Promise<Harness> {
  const own = TRANSFORMS.map((transform, index): [string, ClassRule] => [
    className(index),
    { name: className(index), transform, derived: 'redact' },
  ]);
  const rules = { classes: new Map([...defaultRules().classes, ...own]) };
  const classes = TRANSFORMS.flatMap((_, table) =>
    COLUMNS.map((_, index) => ({
      schema: 'public',
      relation: `typed_${table}`,
      column: columnName(index),
      class: className(table),
      written: `public.typed_${table}`,
    })),
  );
  return await Harness.start(server, {
    change: (config) => ({
      ...withMasking(config, { rules }),
      targets: config.targets.map((target) => ({ ...target, classes })),
    }),
  });
}

describe('regulated columns of every type', () => {
  let server: PostgresServer;
  let harness: Harness;
  let catalog: Catalog;

  before(async () => {
    server = await startTestPostgres();
    await run(server, SETUP);
    catalog = await loadTestCatalog(server, directEndpoint(server).database);
    harness = await startTyped(server);
  });

  after(async () => {
    await server?.stop();
  });

  for (const [table, transform] of TRANSFORMS.entries()) {
    const select = `SELECT * FROM typed_${table} ORDER BY id`;

    it(`leave after ${JSON.stringify(transform)} as maskValue makes them, in text and binary`, async () => {
      const [through, direct] = await Promise.all([
        TypedSession.connect(harness.endpoint),
        TypedSession.connect(directEndpoint(server)),
      ]);
      try {
        for (const format of [0, 1]) {
          const answer = await through.query(select, format);
          const original = await direct.query(select, format);
          assert.deepEqual(answer.typeOids, original.typeOids);
          assert.deepEqual(answer.rows[1], original.rows[1]);
          const action = { kind: 'mask', transform, class: className(table), object: '' } as const;
          for (const [index, value] of original.rows[0]!.entries()) {
            if (index === 0) continue;
            const typeOid = original.typeOids[index]!;
            const context = { keys: KEYS, scope: 'tests', catalog };
            const expected = maskValue(value!, { typeOid, format }, action, context);
            const masked = answer.rows[0]![index]!;
            if (isDetect(transform)) continue;
            assert.deepEqual(masked, expected, COLUMNS[index - 1]![0]);
            assert.notDeepEqual(masked, value);
          }
        }
      } finally {
        through.end();
        direct.end();
      }
    });

    it(`are read by drivers after ${JSON.stringify(transform)}`, async () => {
      const { host, port, database, user, password } = harness.endpoint;
      const client = new Client({ host, port, database, user, password });
      const sql = postgres({ host, port, database, user, password, max: 1, fetch_types: false });
      await client.connect();
      try {
        for (const binary of [false, true]) {
          const { rows } = await client.query<unknown[]>({ text: select, rowMode: 'array', binary } as {
            text: string;
            rowMode: 'array';
          });
          assert.equal(rows.length, 2);
          if (!isDetect(transform)) assert.doesNotMatch(JSON.stringify(rows), CANARY);
        }
        const rows = await sql.unsafe(select);
        assert.equal(rows.length, 2);
        if (!isDetect(transform)) assert.doesNotMatch(JSON.stringify(rows), CANARY);
      } finally {
        await client.end();
        await sql.end();
      }
    });
  }
});
