/** What real programs were captured to send (test/ordinary), with its regulated columns masked: what of it is refused that was not. */
import { Client } from 'pg';
import { defaultRules } from '../../packages/gateway/src/config/masking-section.ts';
import { BANK_SCHEMA } from '../ordinary/bank-schema.ts';
import { CORPUS, SCOPES } from '../ordinary/corpus.ts';
import { KNOWN_REFUSALS } from '../ordinary/known-refusals.ts';
import { play } from '../ordinary/play.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import { Harness } from '../translator/harness.ts';
import { SECRET } from './compare.ts';

/** Of test/ordinary's bank. */
const CLASSES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'bank.customers': { name: 'name', email: 'email', address: 'address' },
  'bank.accounts': { iban: 'account_number' },
  'bank.postings': { text: 'free_text' },
};
const KEY_VARIABLE = 'COUNTERSIGN_TEST_MASKING_KEY';
const LOGIN = { user: 'app', password: 'not-a-secret-in-a-test' };

export interface Captured {
  readonly statements: number;
  /** `id: why`, of those that are not refused without masking. */
  readonly refused: readonly string[];
}

const OIDS = `select '{' || kind || ':' || name || '}' as name, oid::text from (
  select 'class' as kind, n.nspname || '.' || c.relname as name, c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
  union all select 'type', n.nspname || '.' || t.typname, t.oid from pg_type t join pg_namespace n on n.oid = t.typnamespace
  union all select 'proc', n.nspname || '.' || p.proname, p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  union all select 'namespace', nspname, oid from pg_namespace) o where oid >= 16384`;

/** Under the scopes that fit each kind of work, `writeClasses` for all of it and a budget of 20 values of each class. */
export async function playCaptured(): Promise<Captured> {
  process.env[KEY_VARIABLE] = SECRET;
  const server = await startTestPostgres();
  const refused: string[] = [];
  let statements = 0;
  try {
    const admin = new Client({ connectionString: server.url() });
    await admin.connect();
    await admin.query(`create role app login password '${LOGIN.password}'`);
    await admin.query('create database bank_template owner app');
    const owner = new Client({ ...LOGIN, host: '127.0.0.1', port: server.port, database: 'bank_template' });
    await owner.connect();
    await owner.query(BANK_SCHEMA);
    const { rows } = await owner.query<{ name: string; oid: string }>(OIDS);
    const oids = new Map(rows.map(({ name, oid }) => [name, oid]));
    await owner.end();
    const resolve = (sql: string): string =>
      sql.replaceAll(/\{(?:class|type|proc|namespace):[^{}]+\}/gu, (name) => oids.get(name) ?? name);
    const known = new Set(KNOWN_REFUSALS.map(({ id }) => id));
    for (const series of CORPUS) {
      await admin.query('drop database if exists shop with (force)');
      await admin.query('create database shop template bank_template owner app');
      const harness = await Harness.start(server, {
        target: { ...LOGIN, port: server.port, database: 'shop' },
        scope: SCOPES[series.scope],
        change: (config) => ({
          ...config,
          masking: { key: { kind: 'env', name: KEY_VARIABLE }, rules: defaultRules() },
          targets: config.targets.map((target) => ({ ...target, classes: bindings() })),
          grants: config.grants.map((grant) => ({
            ...grant,
            masking: {
              unmask: new Set<string>(),
              writeClasses: 'all' as const,
              budgets: new Map(
                ['email', 'name', 'account_number'].map((name) => [
                  name,
                  { values: 20, period: 'day' as const },
                ]),
              ),
            },
          })),
        }),
      });
      const answers = await play(harness.endpoint, series, resolve);
      await harness.finish();
      statements += series.statements.length;
      for (const { id } of series.statements) {
        const { error } = answers.get(id) ?? {};
        if (error?.detail?.includes('"refused":"CS_MASK') === true && !known.has(id))
          refused.push(`${id}: ${error.detail.replaceAll('\n', ' ')}`);
      }
    }
    await admin.end();
  } finally {
    await server.stop();
  }
  return { statements, refused };
}

function bindings(): {
  schema: string;
  relation: string;
  column: string;
  class: string;
  written: string;
}[] {
  return Object.entries(CLASSES).flatMap(([written, columns]) => {
    const [schema = '', relation = ''] = written.split('.');
    return Object.entries(columns).map(([column, name]) => ({
      schema,
      relation,
      column,
      class: name,
      written,
    }));
  });
}

if (import.meta.main) {
  const { statements, refused } = await playCaptured();
  for (const line of refused) process.stdout.write(`${line}\n`);
  process.stdout.write(`${statements} statements, ${refused.length} refused because of masking\n`);
}
