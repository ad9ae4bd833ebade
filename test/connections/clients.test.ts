/** Real clients through the listener: names, credentials, TLS, tokens, cancel. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Client } from 'pg';
import postgres from 'postgres';
import { issueToken } from '../../packages/gateway/src/identity/token.ts';
import { type PostgresServer, startTestPostgres } from '../support/postgres-server.ts';
import { PASSWORD, PumpGateway, testTarget } from './pump-gateway.ts';
import { TlsFiles } from './tls-files.ts';

const run = promisify(execFile);

let server: PostgresServer;
let tls: TlsFiles;
let gateway: PumpGateway;

before(async () => {
  tls = new TlsFiles();
  const { cert, key } = tls.issue('gateway', { digest: 'sha384' });
  server = await startTestPostgres();
  gateway = await PumpGateway.start({
    target: testTarget(server.port),
    login: { user: server.user, password: { kind: 'env', name: server.password } },
    listener: {
      tls: { cert: { kind: 'file', name: cert }, key: { kind: 'file', name: key }, required: false },
    },
  });
});

after(async () => {
  await gateway.close();
  await server.stop();
  tls.remove();
});

interface PsqlOptions {
  readonly connection?: string;
  readonly password?: string;
  readonly options?: string;
}

async function psql(
  sql: string,
  { connection = '', password = PASSWORD, options = '' }: PsqlOptions = {},
): Promise<string> {
  const conninfo = `host=localhost hostaddr=127.0.0.1 port=${gateway.port} dbname=bank user=alice ${connection}`;
  const env = { ...process.env, PGPASSWORD: password, PGOPTIONS: options, LC_ALL: 'C.UTF-8' };
  return (await run('psql', ['-XAtc', sql, conninfo], { env })).stdout.trim();
}

const ENCRYPTION: readonly (readonly [connection: () => string, method: string])[] = [
  [() => 'sslmode=disable', 'scram-sha-256'],
  [() => 'sslmode=require channel_binding=disable', 'scram-sha-256'],
  [() => 'sslmode=require channel_binding=require', 'scram-sha-256-plus'],
  [() => `sslmode=verify-full channel_binding=require sslrootcert=${tls.ca}`, 'scram-sha-256-plus'],
];

for (const [connection, method] of ENCRYPTION) {
  test(`psql with ${connection().split(' sslrootcert')[0]}`, async () => {
    const answer = await psql("select current_user || ' ' || current_setting('application_name')", {
      connection: connection(),
    });
    assert.equal(answer, 'postgres countersign/alice psql');
    assert.equal(gateway.clients.at(-1)?.method, method);
    const leaf = gateway.record.authentications.at(-1);
    assert.deepEqual([leaf?.outcome, leaf?.principal, leaf?.method], ['accepted', 'alice', method]);
  });
}

test('the certificate of the gateway is checked by the client', async () => {
  await assert.rejects(
    psql('select 1', { connection: `sslmode=verify-full host=elsewhere sslrootcert=${tls.ca}` }),
  );
});

test('a wrong password and an unknown user look the same', async () => {
  const wrong = await psql('select 1', { password: 'wrong' }).catch(
    (error: Error & { stderr?: string }) => error.stderr,
  );
  const unknown = await psql('select 1', { connection: 'user=nobody' }).catch(
    (error: Error & { stderr?: string }) => error.stderr,
  );
  const elsewhere = await psql('select 1', { connection: 'user=far' }).catch(
    (error: Error & { stderr?: string }) => error.stderr,
  );
  assert.match(String(wrong), /CS_AUTHN_FAILED/);
  assert.equal(unknown, wrong);
  assert.equal(elsewhere, wrong);
  const reasons = gateway.record.authentications.flatMap(({ reason }) =>
    reason === undefined ? [] : [reason],
  );
  assert.deepEqual(reasons.slice(-3), ['credential', 'unknown-principal', 'address']);
});

test('settings of the client reach the target, the pins do too', async () => {
  const sql =
    "select current_setting('DateStyle') || ' ' || current_setting('work_mem') || ' ' || current_setting('client_encoding')";
  const options = '-c datestyle=German,DMY --work-mem=5MB';
  assert.equal(await psql(sql, { options, connection: 'client_encoding=utf-8' }), 'German, DMY 5MB UTF8');
});

for (const options of [
  '-c session_preload_libraries=x',
  '-c role=postgres',
  '-c client_encoding=LATIN1',
  '-c nonsense=1',
]) {
  test(`refused at start-up: ${options}`, async () => {
    await assert.rejects(psql('select 1', { options }), { stderr: /CS_SETTING_DENIED/ });
  });
}

test('a token for this target over TLS, and from loopback without', async () => {
  const { token, claims } = issueToken(gateway.keys.token, { principal: 'alice', target: 'bank' }, 60_000);
  for (const connection of ['sslmode=require', 'sslmode=disable']) {
    assert.equal(
      await psql('select 1', { connection, password: token, options: '-c countersign.auth=token' }),
      '1',
    );
    assert.equal(gateway.clients.at(-1)?.tokenId, claims.jti);
  }
  // The same token is not a password, and a password is not a token.
  await assert.rejects(psql('select 1', { password: token }), { stderr: /CS_AUTHN_FAILED/ });
  await assert.rejects(psql('select 1', { options: '-c countersign.auth=token' }), {
    stderr: /CS_AUTHN_FAILED/,
  });
  assert.ok(!JSON.stringify(gateway.record.authentications).includes(token));
});

test('a principal without a password gets in with a token for this target, and only when it asks for that', async () => {
  const options = '-c countersign.auth=token';
  const { token } = issueToken(gateway.keys.token, { principal: 'robot', target: 'bank' }, 60_000);
  assert.equal(await psql('select 1', { connection: 'user=robot', password: token, options }), '1');
  const other = issueToken(gateway.keys.token, { principal: 'robot', target: 'vault' }, 60_000);
  await assert.rejects(psql('select 1', { connection: 'user=robot', password: other.token, options }), {
    stderr: /CS_AUTHN_FAILED/,
  });
  // Otherwise it looks as if it did not exist.
  await assert.rejects(psql('select 1', { connection: 'user=robot', password: token }), {
    stderr: /CS_AUTHN_FAILED/,
  });
});

function tlsClient(): Client {
  const ssl = { ca: tls.read(tls.ca), servername: 'localhost' };
  return new Client({
    host: '127.0.0.1',
    port: gateway.port,
    database: 'bank',
    user: 'alice',
    password: PASSWORD,
    ssl,
  });
}

test('node-postgres over TLS', async () => {
  const client = tlsClient();
  await client.connect();
  const { rows } = await client.query<{ a: number }>('select $1::int as a', [7]);
  assert.deepEqual(rows, [{ a: 7 }]);
  await client.end();
});

test('postgres.js', async () => {
  const sql = postgres({
    host: '127.0.0.1',
    port: gateway.port,
    database: 'bank',
    username: 'alice',
    password: PASSWORD,
    max: 1,
  });
  assert.deepEqual([...(await sql`select ${7}::int as a`)], [{ a: 7 }]);
  const slow = sql`select pg_sleep(600)`;
  setImmediate(() => slow.cancel());
  await assert.rejects(slow.execute(), { code: '57014' });
  await sql.end();
});

test('Ctrl-C in psql cancels the statement in the target', async () => {
  const before = gateway.listener.counts.cancelsKnown;
  const running = psql('select pg_sleep(600)');
  const watch = new Client({ connectionString: server.url() });
  await watch.connect();
  const isSleeping = async (): Promise<number | undefined> =>
    (
      await watch.query<{ pid: number }>(
        "select pid from pg_stat_activity where query = 'select pg_sleep(600)'",
      )
    ).rows[0]?.pid;
  while ((await isSleeping()) === undefined) await new Promise((resolve) => setImmediate(resolve));
  const { stdout } = await run('pgrep', ['-f', `select pg_sleep\\(600\\).*port=${gateway.port}`]);
  process.kill(Number(stdout.trim().split('\n')[0]), 'SIGINT');
  await assert.rejects(running, { stderr: /canceling statement due to user request/ });
  assert.equal(gateway.listener.counts.cancelsKnown, before + 1);
  await watch.end();
});

test('OpenSSL sees the certificate and the name of the protocol', async () => {
  const options = [
    '-starttls',
    'postgres',
    '-connect',
    `127.0.0.1:${gateway.port}`,
    '-CAfile',
    tls.ca,
    '-alpn',
    'postgresql',
  ];
  const running = run('openssl', [
    's_client',
    ...options,
    '-verify_return_error',
    '-verify_hostname',
    'localhost',
  ]);
  running.child.stdin?.end();
  const { stdout } = await running;
  assert.match(stdout, /Verify return code: 0 \(ok\)/);
  assert.match(stdout, /ALPN protocol: postgresql/);
  assert.match(stdout, /TLSv1\.3/);
});

test('a new certificate counts from the next handshake, and sessions stay', async () => {
  const client = tlsClient();
  await client.connect();
  const { cert, key } = tls.issue('renamed', { names: 'DNS:renamed.example' });
  const files = { cert: { kind: 'file', name: cert }, key: { kind: 'file', name: key } } as const;
  const { settings } = gateway;
  await gateway.listener.reload({
    ...settings,
    listener: { ...settings.listener, tls: { ...files, required: true } },
  });
  assert.equal((await client.query('select 1')).rowCount, 1);
  const renamed = `sslmode=verify-full sslrootcert=${tls.ca} host=renamed.example`;
  assert.equal(await psql('select 1', { connection: renamed }), '1');
  await assert.rejects(psql('select 1', { connection: 'sslmode=disable' }), { stderr: /CS_TLS_REQUIRED/ });
  const mismatch = { ...files, key: settings.listener.tls?.key ?? files.key, required: true };
  await assert.rejects(
    gateway.listener.reload({ ...settings, listener: { ...settings.listener, tls: mismatch } }),
    {
      code: 'CS_CONFIG_INVALID',
    },
  );
  assert.equal(await psql('select 1', { connection: renamed }), '1');
  await gateway.listener.reload(settings);
  const closed = once(client, 'end');
  await client.end();
  await closed;
});
