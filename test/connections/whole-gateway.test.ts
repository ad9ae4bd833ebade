/** Connections to the real gateway over TLS, and what its record says of them once it has stopped. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { encodeCancelRequest } from '../../packages/gateway/src/postgres/wire/index.ts';
import { GatewayFolder, GatewayProcess, PRINCIPAL, TARGET } from '../support/gateway-process.ts';
import { type PostgresServer, startTestPostgres } from '../support/postgres-server.ts';
import { type Leaf, readLeaves, verifyRecord } from '../support/record-view.ts';
import { TlsFiles } from './tls-files.ts';

const run = promisify(execFile);

let tls: TlsFiles;
let server: PostgresServer;
let folder: GatewayFolder;
let gateway: GatewayProcess;

before(async () => {
  tls = new TlsFiles();
  server = await startTestPostgres();
  folder = await GatewayFolder.create({
    target: { port: server.port, database: 'postgres', user: server.user, password: server.password },
  });
  useCertificate('gateway');
  gateway = await GatewayProcess.start(folder);
});

after(async () => {
  await gateway.stop();
  await server.stop();
  folder.remove();
  tls.remove();
});

function useCertificate(name: string): void {
  const { cert, key } = tls.issue(name, { names: `DNS:${name}.example` });
  const text = readFileSync(folder.configFile, 'utf8').replace(/\n {4}tls: .*/, '');
  const line = `    tls: { cert: 'file:${cert}', key: 'file:${key}', required: true }`;
  writeFileSync(folder.configFile, text.replace('address: 127.0.0.1:0\n', `address: 127.0.0.1:0\n${line}\n`));
}

async function psql(sql: string, name: string, password = folder.password): Promise<string> {
  const conninfo = `host=${name}.example hostaddr=127.0.0.1 port=${gateway.port} dbname=${TARGET} user=${PRINCIPAL} sslmode=verify-full sslrootcert=${tls.ca} channel_binding=require`;
  return (
    await run('psql', ['-XAtc', sql, conninfo], { env: { ...process.env, PGPASSWORD: password } })
  ).stdout.trim();
}

function openClient(name: string): Client {
  const ssl = { ca: tls.read(tls.ca), servername: `${name}.example` };
  return new Client({ ...folder.endpoint(gateway.port), ssl });
}

test('psql with channel binding', async () => {
  assert.equal(
    await psql("select current_setting('application_name')", 'gateway'),
    `countersign/${PRINCIPAL} psql`,
  );
});

test('a cancel reaches the statement of its own session only', async () => {
  const sleeper = openClient('gateway');
  const bystander = openClient('gateway');
  await sleeper.connect();
  await bystander.connect();
  const admin = new Client({ connectionString: server.url() });
  await admin.connect();
  const sleeping = sleeper.query('select pg_sleep(600)');
  const still = bystander.query('select pg_sleep(0.5), 7 as seven');
  const count = async (): Promise<number | null> =>
    (await admin.query("select 1 from pg_stat_activity where wait_event = 'PgSleep'")).rowCount;
  while ((await count()) !== 2) await new Promise((resolve) => setImmediate(resolve));
  const refused = assert.rejects(sleeping, { code: '57014' });
  sendCancel(sleeper);
  await refused;
  assert.equal((await still).rows[0]?.seven, 7);
  for (const client of [sleeper, bystander, admin]) await client.end();
});

/** With the key that node-postgres was given, over direct TLS. */
function sendCancel(client: Client): void {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  const key = Buffer.alloc(4);
  key.writeInt32BE(secretKey);
  const options = { ca: tls.read(tls.ca), servername: 'gateway.example', ALPNProtocols: ['postgresql'] };
  const socket = connectTls({ ...options, port: gateway.port, host: '127.0.0.1' });
  socket.end(encodeCancelRequest({ processId: processID, key }));
}

const isTaken = async (certificate: string): Promise<boolean> =>
  psql('select 1', certificate).then(
    () => true,
    () => false,
  );

test('a new certificate is taken by SIGHUP, and sessions stay', async () => {
  const client = openClient('gateway');
  await client.connect();
  useCertificate('renewed');
  gateway.child.kill('SIGHUP');
  while (!(await isTaken('renewed'))) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await client.query('select 1')).rowCount, 1);
  await client.end();
});

test('guessed passwords leave a few leaves, not thirty, and the record verifies', async () => {
  for (let i = 0; i < 30; i++)
    await assert.rejects(psql('select 1', 'renewed', `guess-${i}`), {
      stderr: i < 5 ? /CS_AUTHN_FAILED/ : /CS_AUTHN_(FAILED|BACKOFF)/,
    });
  await gateway.stop();
  const report = await verifyRecord(folder.stateDirectory);
  assert.equal(report.verdict, 'VERIFIED');
  const leaves = readLeaves(folder.stateDirectory);
  const authentications = leaves.filter(({ type }) => type === 'authn.result');
  const refused = authentications.filter(({ outcome }) => outcome === 'refused');
  assert.deepEqual(
    new Set(refused.map(({ principal, reason }) => `${String(principal)} ${String(reason)}`)),
    new Set([`${PRINCIPAL} credential`, `${PRINCIPAL} CS_AUTHN_BACKOFF`]),
  );
  // More than four only when the guessing took longer than a window.
  assert.ok(refused.length < 15);
  assert.equal(
    refused.reduce((sum, { count }) => sum + Number(count ?? 1), 0),
    30,
  );
  // Sessions in which the gateway asks for the backend's start are its own: nobody authenticated for them.
  const opened = leaves.filter(
    ({ type, channel }) => type === 'session.opened' && (channel as { binding: boolean }).binding,
  );
  const bound = authentications.filter(
    ({ outcome, method }) => outcome === 'accepted' && method === 'scram-sha-256-plus',
  );
  assert.ok(opened.length > 0);
  assert.equal(bound.length, opened.length);
  assert.ok(leaves.some(({ type, status }: Leaf) => type === 'call.result' && status === 'cancelled'));
  assert.ok(!JSON.stringify(leaves).includes('127.0.0.1'));
  assert.ok(!gateway.log.includes(folder.password) && !gateway.log.includes('guess-'));
});
