/**
 * The demo's scopes and policies are what its story says, and so are the roles that the database makes of them: each statement is judged
 * as the gateway would, and tried as the role of the grant's scope.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Client, DatabaseError } from 'pg';
import { setupRequestOf, targetOf } from '../../packages/gateway/src/cli/commands/target-setup.ts';
import type { GrantConfig } from '../../packages/gateway/src/config/config.ts';
import { readConfig } from '../../packages/gateway/src/config/read-config.ts';
import { LiveGrant } from '../../packages/gateway/src/grants/live-grant.ts';
import { Scope } from '../../packages/gateway/src/grants/scope.ts';
import { SystemClock } from '../../packages/gateway/src/grants/system-clock.ts';
import { makeVerifier } from '../../packages/gateway/src/identity/scram-verifier.ts';
import { loadPolicies } from '../../packages/gateway/src/policy/policy-set.ts';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { analyzeStatement } from '../../packages/gateway/src/postgres/inspect/analyze-statement.ts';
import { initParser } from '../../packages/gateway/src/postgres/inspect/parse/parse-statement.ts';
import { privilegesOf } from '../../packages/gateway/src/postgres/roles/privileges.ts';
import { makeRole, roleKey } from '../../packages/gateway/src/postgres/roles/role-functions.ts';
import type { RoleAnswer } from '../../packages/gateway/src/postgres/roles/role-functions.ts';
import { setupSql } from '../../packages/gateway/src/postgres/roles/setup-sql.ts';
import { Authorizer, type Authorization } from '../../packages/gateway/src/session/authorizer.ts';
import { loadTestCatalog } from '../../test/support/catalog.ts';
import { startTestPostgres, type PostgresServer } from '../../test/support/postgres-server.ts';
import { installSecondWall } from './database/load.ts';
import { TOOL_CALLS } from './demo/agent.ts';

const CONFIG = join(import.meta.dirname, 'countersign.yaml');
const REPORT = `SELECT day::text, channel, transactions, accounts, volume_cents FROM reporting.daily_activity
  WHERE day BETWEEN $1::date AND $2::date ORDER BY day, channel`;

const LOGIN = { user: 'countersign_gateway', password: 'of the gateway' } as const;

const sql = (name: string): string => readFileSync(join(import.meta.dirname, 'database', name), 'utf8');

let server: PostgresServer;
let client: Client;
let catalog: Catalog;
/** Roles in the database, by principal. */
const roles = new Map<string, string>();

before(async () => {
  await initParser();
  server = await startTestPostgres();
  client = new Client({ connectionString: server.url('postgres') });
  await client.connect();
  await client.query('CREATE ROLE bank_owner');
  await client.query('GRANT CREATE ON DATABASE postgres TO bank_owner');
  await client.query('BEGIN');
  await client.query(sql('schema.sql'));
  await client.query('COMMIT');
  await client.query(sql('helpers.sql'));
  await installSecondWall(server.url('postgres'), {
    setupSql: setupSql(setupRequestOf(targetOf(config, 'bank'))),
    login: LOGIN.user,
    verifier: await makeVerifier(LOGIN.password),
  });
  catalog = await loadTestCatalog(server);
  for (const grant of config.grants) roles.set(grant.principal, await roleFor(grant));
});

after(async () => {
  await client.end();
  await server.stop();
});

const { config } = readConfig(CONFIG, { demo: true });
const { set: policies } = loadPolicies(config.policies?.directory);
const authorizer = new Authorizer(() => policies);

function authorizationOf(name: string): Authorization {
  const principal = config.principals.find((each) => each.name === name);
  const grant = config.grants.find((each) => each.principal === name);
  assert.ok(principal !== undefined && grant !== undefined);
  return authorizer.authorize({
    principal,
    grant: new LiveGrant(grant, new SystemClock()),
    database: 'bank',
  });
}

/** The role that the gateway has made for a grant. */
async function roleFor({ id, scope }: GrantConfig): Promise<string> {
  const own = new Client({ ...LOGIN, host: server.host, port: server.port, database: 'postgres' });
  await own.connect();
  const run = async (text: string): Promise<RoleAnswer> => {
    const { rows } = await own.query<{ made: unknown }>(`${text} AS made`);
    return { sqlState: undefined, value: JSON.stringify(rows[0]?.made) };
  };
  try {
    const made = await makeRole(run, {
      node: config.node,
      key: roleKey(config.node, 'bank', 'postgres', id),
      verifier: await makeVerifier('of the role'),
      validUntilMs: Date.parse('2099-12-31'),
      privileges: privilegesOf(new Scope(scope ?? assert.fail()), catalog),
    });
    assert.deepEqual(made.skipped, [], 'the bank offers what its grants name');
    return made.role;
  } finally {
    await own.end();
  }
}

function judge(name: string, text: string): boolean {
  const meaning = analyzeStatement(Buffer.from(text), catalog, {
    searchPath: ['public'],
    temporary: new Set(),
  });
  assert.equal(meaning.unreadable, undefined);
  const { decision } = authorizationOf(name).decide(meaning.demands);
  return decision.effect === 'permit' && meaning.unknownNames.length === 0;
}

/** Whether the privileges of the role of the principal's grant let it. */
async function isGrantedInDatabase(name: string, text: string): Promise<boolean> {
  await client.query(`SET ROLE ${roles.get(name) ?? assert.fail()}`);
  try {
    await client.query({ text: `EXPLAIN (GENERIC_PLAN) ${text}` });
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === '42501') return false;
    throw error;
  } finally {
    await client.query('RESET ROLE');
  }
}

/** What a report agent and an operator may do, each statement for both. */
const STATEMENTS: readonly (readonly [string, agent: boolean, operator: boolean])[] = [
  [REPORT, true, true],
  [
    'SELECT channel, count(*) FROM bank.transactions WHERE amount_cents < -85000 GROUP BY channel',
    true,
    true,
  ],
  ['SELECT kind, sum(balance_cents) FROM bank.accounts GROUP BY kind', true, true],
  ['SELECT count(*) FROM bank.customers', true, true],
  ['SELECT segment, count(*) FROM bank.customers GROUP BY segment', true, true],
  ['SELECT given_name, family_name, ssn FROM bank.customers LIMIT 10', false, true],
  ['SELECT * FROM bank.customers', false, true],
  ['SELECT customer_id FROM bank.customers WHERE ssn = $1', false, true],
  [
    'SELECT a.balance_cents FROM bank.accounts a JOIN bank.customers c ON a.customer_id = c.customer_id',
    false,
    true,
  ],
  ['SELECT account_number FROM bank.accounts', false, true],
  ['SELECT pan FROM bank.cards', false, true],
  ["INSERT INTO bank.transactions VALUES (1, 2, now(), 'atm', 5, 'x')", false, true],
  ["UPDATE bank.customers SET email = 'x' WHERE customer_id = 1", false, true],
  ["UPDATE bank.accounts SET status = 'frozen' WHERE account_id = 1", false, true],
  ["UPDATE bank.cards SET status = 'blocked' WHERE card_id = 1", false, true],
  ["UPDATE bank.customers SET ssn = 'x' WHERE customer_id = 1", false, false],
  ['UPDATE bank.transactions SET amount_cents = 0', false, false],
  ["SELECT reporting.row_count('bank.transactions')", true, false],
  ['DELETE FROM bank.transactions', false, false],
  ['DELETE FROM bank.customers', false, false],
];

for (const [text, agent, operator] of STATEMENTS) {
  test(`the agent ${agent ? 'may' : 'may not'}, the operator ${operator ? 'may' : 'may not'}: ${text.split('\n')[0]}`, async () => {
    assert.equal(judge('report-agent', text), agent);
    assert.equal(judge('operator', text), operator);
    assert.equal(await isGrantedInDatabase('report-agent', text), agent);
    assert.equal(await isGrantedInDatabase('operator', text), operator);
  });
}

test('what the demo has its agent ask is judged as the demo says', () => {
  const judged = TOOL_CALLS.flatMap(({ agent, arguments: { sql } }) =>
    sql === undefined ? [] : [[judge(agent, sql), sql]],
  );
  assert.deepEqual(
    judged.map(([permitted]) => permitted),
    [true, false, true, false, true, true],
  );
});

test('the agent for cards reads who has which card, and no more', async () => {
  const judged: readonly (readonly [string, boolean])[] = [
    [
      'SELECT c.email, c.ssn FROM bank.customers c JOIN bank.accounts a ON a.customer_id = c.customer_id',
      true,
    ],
    ['SELECT pan, status FROM bank.cards', true],
    ['SELECT given_name FROM bank.customers', false],
    ['SELECT phone FROM bank.customers', false],
    ['SELECT account_number FROM bank.accounts', false],
    ['SELECT counterparty FROM bank.transactions', false],
    ["UPDATE bank.cards SET status = 'active' WHERE card_id = 1", false],
    // It makes SQL of its argument: with it, what leaves masked could be counted, one guess after the other.
    ["SELECT reporting.row_count('bank.cards')", false],
  ];
  for (const [text, isPermitted] of judged) {
    assert.equal(judge('service-agent', text), isPermitted, text);
    assert.equal(await isGrantedInDatabase('service-agent', text), isPermitted, text);
  }
});

/** A read that the text of the call does not show. */
const hidden = (condition: string): string =>
  `SELECT reporting.row_count('bank.customers WHERE ${condition}')`;

const asAgent = async (text: string): Promise<unknown> => {
  await client.query(`SET ROLE ${roles.get('report-agent') ?? assert.fail()}`);
  try {
    return await client.query(text);
  } finally {
    await client.query('RESET ROLE');
  }
};

test('what the reading of a text cannot tell is stopped by the role', async () => {
  assert.equal(judge('report-agent', hidden("ssn LIKE ''9%''")), true);
  await assert.rejects(asAgent(hidden("ssn LIKE ''9%''")), { code: '42501' });
  await assert.doesNotReject(asAgent(hidden("segment = ''retail''")));
});

test('both may look at the structure, and neither at values of others', () => {
  for (const name of ['report-agent', 'operator']) {
    assert.equal(judge(name, 'SELECT relname FROM pg_catalog.pg_class'), true);
    assert.equal(judge(name, 'SELECT table_name FROM information_schema.tables'), true);
    assert.equal(judge(name, 'SELECT most_common_vals FROM pg_stats'), false);
    assert.equal(judge(name, 'SELECT query FROM pg_stat_activity'), false);
    assert.equal(judge(name, 'SELECT passwd FROM pg_shadow'), false);
    assert.equal(judge(name, 'CREATE TABLE bank.x (a int)'), false);
    assert.equal(judge(name, 'LISTEN x'), false);
  }
});
