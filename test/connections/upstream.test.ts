/** Dialling real servers: authentication methods, TLS modes, session attributes, what the session begins with. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import type {
  LoginConfig,
  PostgresTargetConfig,
  TargetTlsConfig,
} from '../../packages/gateway/src/config/config.ts';
import { dialTarget } from '../../packages/gateway/src/postgres/upstream/dial.ts';
import type {
  DialOptions,
  TargetConnection,
} from '../../packages/gateway/src/postgres/upstream/target-connection.ts';
import { encodeQuery } from '../../packages/gateway/src/postgres/wire/index.ts';
import { binariesOf, type PostgresServer, startTestPostgres } from '../support/postgres-server.ts';
import { testSecrets, testTarget } from './pump-gateway.ts';
import { TlsFiles } from './tls-files.ts';

let tls: TlsFiles;
let server: PostgresServer;
let admin: Client;
/** What the gateway asked of a target by itself. */
const asked: string[] = [];

const secret = (name: string): { readonly kind: 'env'; readonly name: string } => ({ kind: 'env', name });
const file = (name: string): { readonly kind: 'file'; readonly name: string } => ({ kind: 'file', name });

before(async () => {
  tls = new TlsFiles();
  const { cert, key } = tls.issue('target', { digest: 'sha512' });
  server = await startTestPostgres({
    tls: { cert: tls.read(cert), key: tls.read(key), ca: tls.read(tls.ca) },
    hba: [
      'hostssl all certified 127.0.0.1/32 cert',
      'host all legacy 127.0.0.1/32 md5',
      'host all spoken 127.0.0.1/32 password',
      'host all trusted 127.0.0.1/32 trust',
      'host all barred 127.0.0.1/32 reject',
    ],
  });
  admin = new Client({ connectionString: server.url() });
  await admin.connect();
  await admin.query(`
    create role certified login; create role trusted login; create role barred login;
    create role scrammed login password 'pass\u2168word'; create role spoken login password 'spoken';
    create role full login connection limit 0 password 'x';
    set password_encryption = md5; create role legacy login password 'legacy';
    set password_encryption = default`);
  await admin.query('create database closed allow_connections false');
});

after(async () => {
  await admin.end();
  await server.stop();
  tls.remove();
});

const target = (changes: Partial<PostgresTargetConfig> = {}): PostgresTargetConfig =>
  testTarget(server.port, changes);
const withTls = (changes: Partial<TargetTlsConfig>): Partial<PostgresTargetConfig> => ({
  tls: { mode: 'require', direct: false, ...changes },
});

async function dial(
  to: PostgresTargetConfig,
  login: LoginConfig = { user: 'trusted' },
  options: Partial<DialOptions> = {},
): Promise<TargetConnection> {
  return dialTarget(to, login, {
    secrets: testSecrets,
    principal: 'alice',
    recordGatewayStatement: async (statement) => {
      asked.push(statement);
      return Promise.resolve(() => {});
    },
    ...options,
  });
}

/** Dials, asks the target who is there, and leaves. */
async function whoIs(
  to: PostgresTargetConfig,
  login: LoginConfig,
  options: Partial<DialOptions> = {},
): Promise<TargetConnection & { readonly user: string }> {
  const connection = await dial(to, login, options);
  const { rows } = await admin.query<{ usename: string }>(
    'select usename from pg_stat_activity where pid = $1',
    [connection.backendPid],
  );
  connection.socket.destroy();
  return { ...connection, user: rows[0]?.usename ?? '' };
}

const LOGINS: readonly (readonly [
  method: string,
  login: LoginConfig,
  changes: Partial<PostgresTargetConfig>,
])[] = [
  ['SCRAM', { user: 'scrammed', password: secret('passIXword') }, {}],
  ['SCRAM with a trailing newline in the file', { user: 'scrammed', password: secret('passIXword\n') }, {}],
  ['SCRAM-PLUS', { user: 'scrammed', password: secret('passIXword') }, withTls({})],
  ['MD5', { user: 'legacy', password: secret('legacy') }, {}],
  ['a password in clear over TLS', { user: 'spoken', password: secret('spoken') }, withTls({})],
  ['a password in clear to loopback', { user: 'spoken', password: secret('spoken') }, {}],
  ['trust', { user: 'trusted' }, {}],
];

for (const [method, login, changes] of LOGINS) {
  test(`logs in by ${method}`, async () => {
    const connection = await whoIs(target(changes), login);
    assert.equal(connection.user, login.user);
    assert.equal(connection.protocolVersion, '3.2');
    assert.equal(connection.tls?.version, changes.tls === undefined ? undefined : 'TLSv1.3');
  });
}

test('logs in by client certificate', async () => {
  const { cert, key } = tls.issue('certified');
  const changes = withTls({
    cert: file(cert),
    key: file(key),
    mode: 'verify-full',
    ca: file(tls.ca),
    serverName: 'localhost',
  });
  assert.equal((await whoIs(target(changes), { user: 'certified' })).user, 'certified');
  await assert.rejects(dial(target(withTls({})), { user: 'certified' }), { code: 'CS_TARGET_AUTHN' });
});

const REFUSED: readonly (readonly [
  why: string,
  login: LoginConfig,
  changes: Partial<PostgresTargetConfig>,
  code: string,
  detail: RegExp,
])[] = [
  ['a wrong password', { user: 'scrammed', password: secret('nope') }, {}, 'CS_TARGET_AUTHN', /28P01/],
  ['no password', { user: 'scrammed' }, {}, 'CS_TARGET_AUTHN', /has none/],
  ['barred by pg_hba.conf', { user: 'barred' }, {}, 'CS_TARGET_AUTHN', /28000/],
  [
    'a database that does not exist',
    { user: 'trusted' },
    { database: 'nowhere' },
    'CS_TARGET_UNAVAILABLE',
    /does not exist.*3D000/,
  ],
  [
    'a database that is closed',
    { user: 'trusted' },
    { database: 'closed' },
    'CS_TARGET_UNAVAILABLE',
    /55000/,
  ],
  ['too many connections', { user: 'full', password: secret('x') }, {}, 'CS_TARGET_UNAVAILABLE', /53300/],
];

for (const [why, login, changes, code, detail] of REFUSED) {
  test(`fails with a sentence of ours: ${why}`, async () => {
    await assert.rejects(
      dial(target(changes), login),
      (error: Error & { code?: string; detail?: string }) => {
        assert.equal(error.code, code);
        assert.match(error.detail ?? '', detail);
        const shown = `${error.message} ${error.detail}`;
        assert.ok(!shown.includes(login.user) && !shown.includes('nope') && !shown.includes('nowhere'));
        return true;
      },
    );
  });
}

const TLS_OK: readonly (readonly [why: string, changes: () => Partial<TargetTlsConfig>])[] = [
  ['prefer', () => ({ mode: 'prefer' })],
  ['require', () => ({ mode: 'require' })],
  ['verify-ca under another name', () => ({ mode: 'verify-ca', ca: file(tls.ca) })],
  ['verify-full', () => ({ mode: 'verify-full', ca: file(tls.ca), serverName: 'localhost' })],
  ['direct', () => ({ mode: 'verify-full', ca: file(tls.ca), serverName: 'localhost', direct: true })],
];
for (const [why, changes] of TLS_OK) {
  test(`TLS: ${why}`, async () => {
    assert.equal((await whoIs(target(withTls(changes())), { user: 'trusted' })).tls?.version, 'TLSv1.3');
  });
}

const TLS_REFUSED: readonly (readonly [why: string, changes: () => Partial<TargetTlsConfig>])[] = [
  ['verify-full without an authority for it', () => ({ mode: 'verify-full', serverName: 'localhost' })],
  [
    'verify-full under another name',
    () => ({ mode: 'verify-full', ca: file(tls.ca), serverName: 'elsewhere' }),
  ],
  ['verify-full by an address that is not in it', () => ({ mode: 'verify-full', ca: file(tls.ca) })],
  ['verify-ca with another authority', () => ({ mode: 'verify-ca', ca: file(tls.issue('stranger').cert) })],
  [
    'require with another authority, as in libpq',
    () => ({ mode: 'require', ca: file(tls.issue('stranger').cert) }),
  ],
];
for (const [why, changes] of TLS_REFUSED) {
  test(`TLS refused: ${why}`, async () => {
    const { now } = (await admin.query<{ now: string }>('select now()::text as now')).rows[0]!;
    await assert.rejects(dial(target(withTls(changes()))), { code: 'CS_TARGET_UNAVAILABLE', detail: /TLS/ });
    // Nobody logged in since; backends of earlier tests may still be leaving.
    const sql = `select usename from pg_stat_activity
      where backend_type = 'client backend' and usename is not null and backend_start > $1`;
    assert.deepEqual((await admin.query(sql, [now])).rows, []);
  });
}

test('what the session begins with', async () => {
  asked.length = 0;
  const connection = await dial(
    target(),
    { user: 'trusted' },
    {
      applicationName: 'x'.repeat(80),
      settings: new Map([
        ['work_mem', '5MB'],
        ['search_path', 'evil, pg_catalog'],
        ['datestyle', 'German'],
        ['bytea_output', 'escape'],
      ]),
    },
  );
  const { rows } = await admin.query<{ name: string; us: string }>(
    'select application_name as name, (extract(epoch from backend_start) * 1000000)::bigint as us from pg_stat_activity where pid = $1',
    [connection.backendPid],
  );
  assert.equal(rows[0]?.name, `countersign/alice ${'x'.repeat(45)}`);
  assert.equal(connection.backendStartedAtUs, BigInt(rows[0]?.us ?? 0));
  assert.equal(asked.length, 1);
  assert.equal(connection.parameters.get('client_encoding'), 'UTF8');
  assert.equal(connection.parameters.get('standard_conforming_strings'), 'on');
  assert.match(connection.serverVersion, /^18/);
  assert.equal(connection.leftover.length, 0);
  connection.socket.destroy();
});

test('without leave to send a statement none is sent', async () => {
  const connection = await dialTarget(
    target(),
    { user: 'trusted' },
    { secrets: testSecrets, principal: 'alice' },
  );
  assert.equal(connection.backendStartedAtUs, undefined);
  const { rows } = await admin.query<{ query: string }>('select query from pg_stat_activity where pid = $1', [
    connection.backendPid,
  ]);
  assert.equal(rows[0]?.query, '');
  connection.socket.destroy();
});

test('a statement that cannot be recorded is not sent', async () => {
  const dialled = dial(
    target(),
    { user: 'trusted' },
    { recordGatewayStatement: async () => Promise.reject(new Error('disk')) },
  );
  await assert.rejects(dialled, { code: 'CS_TARGET_UNAVAILABLE' });
});

for (const mode of ['disable', 'require'] as const) {
  test(`cancels over a connection of its own (tls ${mode})`, async () => {
    const connection = await dial(target({ tls: { mode, direct: false } }));
    connection.socket.resume();
    connection.socket.write(encodeQuery('select pg_sleep(600)'));
    const isSleeping = async (): Promise<boolean> =>
      (
        await admin.query('select 1 from pg_stat_activity where pid = $1 and wait_event = $2', [
          connection.backendPid,
          'PgSleep',
        ])
      ).rowCount === 1;
    while (!(await isSleeping())) await new Promise((resolve) => setImmediate(resolve));
    const answer = once(connection.socket, 'data');
    await connection.cancel();
    const [bytes] = (await answer) as [Buffer];
    assert.ok(bytes.includes('57014') || bytes[0] === 0x54);
    connection.socket.destroy();
  });
}

test('the next host is tried when one cannot be reached', async () => {
  const hosts = [
    { host: '127.0.0.1', port: 1 },
    { host: '127.0.0.1', port: server.port },
  ];
  const connection = await dial(target({ hosts }));
  assert.deepEqual(connection.host, hosts[1]);
  connection.socket.destroy();
  await assert.rejects(dial(target({ hosts: hosts.slice(0, 1) })), { code: 'CS_TARGET_UNAVAILABLE' });
});

test('an abort gives the dial up', async () => {
  await assert.rejects(dial(target(), { user: 'trusted' }, { signal: AbortSignal.abort() }), {
    code: 'CS_TARGET_UNAVAILABLE',
  });
});

test('a standby and a primary', async () => {
  // A server with a standby.signal and nobody to follow is a hot standby of itself.
  const keep = await startStandby();
  try {
    const hosts = [
      { host: '127.0.0.1', port: keep.port },
      { host: '127.0.0.1', port: server.port },
    ];
    const both = (attrs: PostgresTargetConfig['targetSessionAttrs'], order = hosts): PostgresTargetConfig =>
      target({ hosts: order, targetSessionAttrs: attrs });
    const login = { user: 'postgres', password: secret(server.password) };
    const chosen = async (to: PostgresTargetConfig): Promise<number> => {
      const connection = await dial(to, login);
      connection.socket.destroy();
      return connection.host.port;
    };
    const reversed = hosts.toReversed();
    assert.equal(await chosen(both('primary')), server.port);
    assert.equal(await chosen(both('read-write')), server.port);
    assert.equal(await chosen(both('any')), keep.port);
    assert.equal(await chosen(both('standby', reversed)), keep.port);
    assert.equal(await chosen(both('read-only', reversed)), keep.port);
    assert.equal(await chosen(both('prefer-standby', reversed)), keep.port);
    assert.equal(
      await chosen(both('prefer-standby', [{ host: '127.0.0.1', port: server.port }])),
      server.port,
    );
    await assert.rejects(dial(both('standby', [{ host: '127.0.0.1', port: server.port }]), login), {
      code: 'CS_TARGET_UNAVAILABLE',
      detail: 'no host is standby at present',
    });
  } finally {
    await keep.stop();
  }
});

async function startStandby(): Promise<PostgresServer> {
  const directory = join(dirname(server.directory), `standby-${randomUUID()}`);
  const options = { directory, superuserPassword: server.password };
  const first = await startTestPostgres(options);
  await first.stop();
  writeFileSync(join(first.directory, 'data', 'standby.signal'), '');
  const second = await startTestPostgres({ ...options, directory: first.directory });
  return { ...second, stop: async () => stopAndRemove(second) };
}

async function stopAndRemove(standby: PostgresServer): Promise<void> {
  await standby.stop();
  rmSync(standby.directory, { recursive: true, force: true });
}

for (const major of [13, 15, 17] as const) {
  test(
    `PostgreSQL ${major} speaks 3.0, and is asked what it does not report`,
    { skip: binariesOf(major) === undefined },
    async () => {
      const old = await startTestPostgres({ major });
      try {
        asked.length = 0;
        const login = { user: old.user, password: secret(old.password) };
        const to = testTarget(old.port, { targetSessionAttrs: 'read-write' });
        const connection = await dial(to, login);
        assert.equal(connection.protocolVersion, '3.0');
        assert.equal(asked.length, major < 14 ? 2 : 1);
        assert.ok(connection.backendStartedAtUs !== undefined);
        connection.socket.destroy();
        if (major < 14) {
          await assert.rejects(dialTarget(to, login, { secrets: testSecrets, principal: 'alice' }), {
            code: 'CS_TARGET_UNAVAILABLE',
          });
        }
      } finally {
        await old.stop();
      }
    },
  );
}
