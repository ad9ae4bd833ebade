/** Both walls as they stand in the product: a real gateway process in front of a real server, sessions as roles of their scopes. */
import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { GatewayFolder, GatewayProcess, PRINCIPAL, TARGET } from '../support/gateway-process.ts';
import { readLeaves, Vault, verifyRecord } from '../support/record-view.ts';
import type { Leaf } from '../support/record-view.ts';
import { LOGIN, LOGIN_PASSWORD, OBJECTS, outcomeOf, WalledServer } from './harness.ts';

let walled: WalledServer;
let folder: GatewayFolder;
const processes: GatewayProcess[] = [];

const GRANTS = {
  reader: `{relations: [{on: ['bank.accounts'], verbs: [select], columns: [id, status]}, {on: ['bank.open_accounts'], verbs: [select]}]}`,
  writer: `{relations: [{on: ['bank.orders'], verbs: [select, insert]}]}`,
} as const;

type GrantName = keyof typeof GRANTS;

function configure(names: readonly GrantName[]): void {
  const text = readFileSync(folder.configFile, 'utf8');
  const head = text.slice(0, text.indexOf('targets:\n'));
  const principals = text.slice(text.indexOf('principals:\n'), text.indexOf('grants:'));
  const grants = names.map(
    (name) =>
      `  - {id: ${name}, principal: ${PRINCIPAL}, target: ${TARGET}, expires: 2090-01-01, scope: ${GRANTS[name]}}\n`,
  );
  writeFileSync(
    folder.configFile,
    `${head}targets:
  ${TARGET}:
    protocol: postgres
    hosts: ['127.0.0.1:${walled.server.port}']
    database: postgres
    logins:
      roles:
        user: ${LOGIN}
        password: file:target.password
    roles: {login: roles, owner: ${OBJECTS}}
${principals}grants:${names.length === 0 ? ' []' : ''}
${grants.join('')}`,
  );
}

async function start(): Promise<GatewayProcess> {
  const started = await GatewayProcess.start(folder);
  processes.push(started);
  return started;
}

async function connect({ port }: GatewayProcess, grant: GrantName): Promise<Client> {
  const client = new Client({
    ...folder.endpoint(port),
    options: `-c countersign.grant=${grant}`,
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

async function roleOf(client: Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>('SELECT current_user AS name');
  return rows[0]?.name ?? '';
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

function loginOf(context: Leaf | undefined): unknown {
  return (context?.['target'] as { readonly login: string } | undefined)?.login;
}

function contextOf(leaves: readonly Leaf[], opened: Leaf): Leaf | undefined {
  const { jseq } = opened['context'] as { readonly jseq: number };
  return leaves.find((leaf) => leaf.jseq === jseq && leaf.journal === opened.journal);
}

before(async () => {
  walled = await WalledServer.start(18);
  folder = await GatewayFolder.create({
    target: { port: walled.server.port, database: 'postgres', user: LOGIN, password: LOGIN_PASSWORD },
  });
});

after(async () => {
  await Promise.all(processes.map(async (each) => each.kill()));
  folder.remove();
  await walled.stop();
});

test('sessions run as roles of their scopes, from the grant to its end, a crash in between', async () => {
  configure(['reader', 'writer']);
  const first = await start();
  const reader = await connect(first, 'reader');
  const writer = await connect(first, 'writer');
  const also = await connect(first, 'reader');
  const [role, other] = [await roleOf(reader), await roleOf(writer)];
  assert.match(role, /^cs_[0-9a-f]{32}$/);
  assert.notEqual(role, other);
  assert.equal(await roleOf(also), role);
  assert.equal(await outcomeOf(reader, 'SELECT id, status FROM bank.accounts'), 'ok');
  assert.equal(await outcomeOf(reader, 'SELECT secret FROM bank.accounts'), '42501');
  assert.equal(await outcomeOf(reader, 'SELECT id FROM bank.orders'), '42501');
  assert.equal(await outcomeOf(writer, 'INSERT INTO bank.orders (amount) VALUES (1)'), 'ok');
  assert.equal(await outcomeOf(writer, 'DELETE FROM bank.orders'), '42501');
  assert.equal(await first.metric('countersign_target_roles'), 2);
  assert.equal(await first.metric('countersign_target_roles_sessions'), 3);

  await first.kill();
  assert.deepEqual(await walled.rolesThere(), [role, other].toSorted());
  configure(['reader']);
  const second = await start();
  await until(async () => (await walled.rolesThere()).length === 0);
  assert.equal(await second.metric('countersign_target_roles_swept_total'), 2);

  const again = await connect(second, 'reader');
  assert.equal(await roleOf(again), role);
  assert.equal(await outcomeOf(again, 'SELECT id FROM bank.accounts'), 'ok');
  const ended = new Promise((resolve) => {
    again.once('end', resolve);
  });
  configure([]);
  second.child.kill('SIGHUP');
  await ended;
  await until(async () => (await walled.rolesThere()).length === 0);
  const { rows } = await walled.dba.query('SELECT 1 FROM pg_stat_activity WHERE usename ~ $1', ['^cs_']);
  assert.equal(rows.length, 0);
  assert.equal(await second.stop(), 0);

  const leaves = readLeaves(folder.stateDirectory);
  const told = leaves.filter(({ type }) => type.startsWith('role.'));
  assert.deepEqual(
    told
      .map(({ type, role: name, cause, dropped }) =>
        [type, name === role ? 'reader' : 'writer', String(cause ?? dropped)].join(' '),
      )
      .toSorted((one, another) => one.localeCompare(another)),
    [
      'role.created reader new',
      'role.created reader new',
      'role.created writer new',
      'role.ended reader grant',
      'role.swept reader true',
      'role.swept writer true',
    ],
  );
  const opened = leaves
    .filter((leaf) => leaf.type === 'session.opened')
    .map((leaf) => contextOf(leaves, leaf));
  const sessions = opened.filter((context) => context?.['principal'] === PRINCIPAL);
  assert.deepEqual(
    sessions.map((context) => [context?.['role'], loginOf(context)]),
    [role, other, role, role].map((name) => ['scope', name]),
  );
  assert.match((await verifyRecord(folder.stateDirectory)).verdict, /^VERIFIED/);
});

test('every statement that made or ended a role is on the record, and no password is', () => {
  const vault = new Vault(folder.stateDirectory, folder.custodianKey);
  const texts = readLeaves(folder.stateDirectory)
    .filter((leaf) => leaf.type === 'call.intent' && leaf['effect'] === 'admin')
    .map((leaf) => vault.open(leaf, 'statement', String(leaf['statement'])).toString());
  const calls = (name: string): number =>
    texts.filter((text) => text.includes(`countersign.${name}(`)).length;
  assert.equal(calls('make_role'), 3);
  assert.equal(calls('end_role'), 3);
  assert.ok(
    texts.filter((text) => text.includes('make_role')).every((text) => text.includes("'SCRAM-SHA-256$4096:")),
  );
});

test('a target without the setup refuses the session, says why to the operator, and the process stays', async () => {
  configure(['reader']);
  await walled.dba.query('ALTER FUNCTION countersign.make_role RENAME TO gone');
  const gateway = await start();
  await assert.rejects(
    connect(gateway, 'reader'),
    (error: { readonly code?: string }) => error.code === '58000',
  );
  await until(() => gateway.log.includes('CS_ROLE_UNAVAILABLE'));
  await walled.dba.query('ALTER FUNCTION countersign.gone RENAME TO make_role');
  const client = await connect(gateway, 'reader');
  assert.equal(await outcomeOf(client, 'SELECT id FROM bank.accounts'), 'ok');
  await client.end();
  assert.equal(await gateway.stop(), 0);
  assert.deepEqual(await walled.rolesThere(), []);
});
