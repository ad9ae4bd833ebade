/** The lists of built-in routines and system relations against what real servers have: nothing may be overlooked. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client } from 'pg';
import {
  classifyBuiltIn,
  classifyRoutine,
} from '../../packages/gateway/src/postgres/inspect/routines/classify-routine.ts';
import { SECRET_SETTINGS } from '../../packages/gateway/src/postgres/inspect/routines/secret-settings.ts';
import { isListedSystemRelation } from '../../packages/gateway/src/postgres/inspect/routines/system-relations.ts';
import { POSTGRES_MAJORS, binariesOf, startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';

const ROUTINES = `SELECT n.nspname AS schema, p.proname AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE p.oid < 16384 GROUP BY 1, 2 ORDER BY 1, 2`;
const RELATIONS = `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind NOT IN ('i', 't') AND c.oid < 16384 ORDER BY 1, 2`;

interface Named {
  readonly schema: string;
  readonly name: string;
}

const servers: PostgresServer[] = [];
after(async () => {
  await Promise.all(servers.map((server) => server.stop()));
});

for (const major of POSTGRES_MAJORS) {
  const isInstalled = major === 18 || binariesOf(major) !== undefined;
  test(
    `every built-in routine, system relation and hidden setting of PostgreSQL ${major} is on a list`,
    { skip: isInstalled ? false : 'not installed' },
    async () => {
      const server = await startTestPostgres({ major });
      servers.push(server);
      const client = new Client({ connectionString: server.url() });
      await client.connect();
      try {
        const routines = (await client.query<Named>(ROUTINES)).rows;
        assert.ok(routines.length > 2000);
        const unlisted = routines.filter(({ schema, name }) =>
          schema === 'pg_catalog'
            ? classifyBuiltIn(name) === undefined
            : classifyRoutine(schema, name) === 'own',
        );
        assert.deepEqual(unlisted, []);
        const relations = (await client.query<Named>(RELATIONS)).rows;
        assert.ok(relations.length > 150);
        assert.deepEqual(
          relations.filter(({ schema, name }) => !isListedSystemRelation(schema, name)),
          [],
        );
        assert.deepEqual(
          (await hiddenSettings(client)).filter((name) => !SECRET_SETTINGS.has(name)),
          [],
        );
      } finally {
        await client.end();
      }
    },
  );
}

/** Settings that a plain role does not see. */
async function hiddenSettings(client: Client): Promise<readonly string[]> {
  const read = async (): Promise<readonly string[]> =>
    (await client.query<{ name: string }>('SELECT name FROM pg_settings')).rows.map(({ name }) => name);
  const all = await read();
  await client.query('CREATE ROLE plain');
  await client.query('SET ROLE plain');
  const seen = new Set(await read());
  const hidden = all.filter((name) => !seen.has(name));
  assert.ok(hidden.length > 10);
  return hidden;
}
