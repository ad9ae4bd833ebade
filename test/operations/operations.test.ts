/** A running gateway in the hands of an operator: reload, drain, health, metrics, logs. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { directorySource, iterateLeaves, readCheckpoint, verifyLog } from 'countersign-verify';
import { Client } from 'pg';

import { GatewayFolder, GatewayProcess, PRINCIPAL, TARGET } from '../support/gateway-process.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';

const MAIN = join(import.meta.dirname, '../../packages/gateway/src/cli/main.ts');
/** Nothing that stands in a statement or a parameter may be in a log line. */
const STATEMENT_SECRET = 'statement-secret-7f3a';

let server: PostgresServer;
const logs: string[] = [];

before(async () => {
  server = await startTestPostgres();
});

after(async () => {
  await server.stop();
});

interface Running {
  readonly folder: GatewayFolder;
  readonly gateway: GatewayProcess;
}

/** A gateway of its own for each test. Everything it logged is kept for the last test. */
async function withGateway(
  body: (running: Running) => Promise<void>,
  options: Parameters<typeof GatewayProcess.start>[1] = {},
): Promise<void> {
  const { port, user, password } = server;
  const folder = await GatewayFolder.create({ target: { port, user, password, database: 'postgres' } });
  const gateway = await GatewayProcess.start(folder, options);
  try {
    await body({ folder, gateway });
  } finally {
    await gateway.stop();
    logs.push(gateway.log, folder.password, password);
    const report = await verifyLog(directorySource(join(folder.stateDirectory, 'log')));
    folder.remove();
    assert.match(report.verdict, /^VERIFIED/, JSON.stringify(report.findings));
  }
}

async function connect({ folder, gateway }: Running): Promise<Client> {
  const client = new Client({
    host: '127.0.0.1',
    port: gateway.port,
    user: PRINCIPAL,
    password: folder.password,
    database: TARGET,
  });
  // The end of a session by the gateway is what these tests are about.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Waits for what must come; the test runner's own limit ends a wait for what does not. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(10);
}

async function leavesOf(folder: GatewayFolder): Promise<Record<string, unknown>[]> {
  const source = directorySource(join(folder.stateDirectory, 'log'));
  const { size } = await readCheckpoint(source);
  const leaves: Record<string, unknown>[] = [];
  for await (const { bytes } of iterateLeaves(source, { size })) {
    leaves.push(JSON.parse(bytes.toString('utf8')) as Record<string, unknown>);
  }
  return leaves;
}

function edit(folder: GatewayFolder, change: (text: string) => string): void {
  writeFileSync(folder.configFile, change(readFileSync(folder.configFile, 'utf8')));
}

/** Sends SIGHUP and waits until the log says how it went. */
async function reload(
  gateway: GatewayProcess,
  expected: 'configuration reloaded' | 'reload refused',
): Promise<void> {
  const count = (): number => gateway.log.split(expected).length;
  const earlier = count();
  gateway.child.kill('SIGHUP');
  await until(() => count() > earlier);
}

const sqlState = (error: unknown): unknown => (error as { code?: unknown }).code;

test('a reload keeps sessions, and is on the record before it is in force', async () => {
  await withGateway(async (running) => {
    const { folder, gateway } = running;
    const client = await connect(running);
    await client.query('begin');
    await client.query('create temp table kept (a int)');
    edit(
      folder,
      (text) =>
        `${text}  - { id: more, principal: ${PRINCIPAL}, target: ${TARGET}, login: app, databases: [template1], expires: 2090-01-01 }\n`,
    );
    await reload(gateway, 'configuration reloaded');
    await client.query(`insert into kept values (1) -- ${STATEMENT_SECRET}`);
    await client.query('commit');
    assert.equal((await client.query('select * from kept')).rowCount, 1);
    const other = new Client({
      host: '127.0.0.1',
      port: gateway.port,
      user: PRINCIPAL,
      password: folder.password,
      database: `${TARGET}/template1`,
    });
    await other.connect();
    assert.equal((await other.query('select current_database() as name')).rows[0].name, 'template1');
    await other.end();
    await client.end();
    await gateway.stop();

    const leaves = await leavesOf(folder);
    const changes = leaves.filter((leaf) => leaf['type'] === 'config.changed');
    assert.deepEqual(
      changes.map((leaf) => leaf['cause']),
      ['start', 'reload'],
    );
    const issued = leaves.filter((leaf) => leaf['type'] === 'grant.issued').map((leaf) => leaf['grant']);
    assert.deepEqual(issued, ['tests', `gateway.${TARGET}.app`, 'more']);
    const digests = leaves.filter((leaf) => leaf['type'] === 'context').map((leaf) => leaf['config']);
    assert.equal(digests.at(0), changes[0]?.['config']);
    assert.equal(digests.at(-1), changes[1]?.['config']);
  });
});

test('a reload that is not valid, or cannot be taken, changes nothing', async () => {
  await withGateway(async (running) => {
    const { folder, gateway } = running;
    const client = await connect(running);
    const good = readFileSync(folder.configFile, 'utf8');
    const bad: readonly ((text: string) => string)[] = [
      (text) => text.replace('login: app', 'login: nobody'),
      (text) => text.replace('file:tester.verifier', 'file:missing.verifier'),
      (text) => text.replace('file:target.password', 'file:missing.password'),
      (text) => text.replace('node: test-node', 'node: other-node'),
      (text) => `${text}mask: {}\n`,
    ];
    for (const change of bad) {
      edit(folder, () => change(good));
      await reload(gateway, 'reload refused');
      assert.equal((await client.query('select 1 as one')).rows[0].one, 1);
      await (await connect(running)).end();
    }
    await client.end();
    await gateway.stop();
    const changes = (await leavesOf(folder)).filter((leaf) => leaf['type'] === 'config.changed');
    assert.equal(changes.length, 1);
  });
});

test('a grant that a reload removes ends its sessions', async () => {
  await withGateway(async (running) => {
    const { folder, gateway } = running;
    const client = await connect(running);
    const ended = once(client, 'error');
    edit(folder, (text) => text.slice(0, text.indexOf('grants:')));
    await reload(gateway, 'configuration reloaded');
    const [error] = (await ended) as [unknown];
    assert.equal(sqlState(error), '57P01');
    await assert.rejects(connect(running), (refusal) => sqlState(refusal) === '3D000');
    await gateway.stop();
    const types = (await leavesOf(folder)).map((leaf) => leaf['type']);
    assert.ok(types.includes('grant.revoked'));
  });
});

test('a principal that gets nowhere is on the record: from where, and why', async () => {
  await withGateway(async (running) => {
    const { folder, gateway } = running;
    const { port } = gateway;
    const { password } = folder;
    for (const [database, expected] of [
      ['nothing', '3D000'],
      [`${TARGET}/template1`, '42501'],
    ] as const) {
      const client = new Client({ host: '127.0.0.1', port, user: PRINCIPAL, password, database });
      await assert.rejects(client.connect(), (error) => sqlState(error) === expected);
    }
    await gateway.stop();
    const refused = (await leavesOf(folder)).filter(
      (leaf) => leaf['type'] === 'authn.result' && leaf['outcome'] === 'refused',
    );
    assert.deepEqual(
      refused.map((leaf) => [leaf['principal'], leaf['reason']]),
      [
        [PRINCIPAL, 'CS_TARGET_UNKNOWN'],
        [PRINCIPAL, 'CS_NO_GRANT'],
      ],
    );
  });
});

test('a rotated password of a principal counts after a reload', async () => {
  await withGateway(async (running) => {
    const { folder, gateway } = running;
    const { stdout } = await run([
      'token',
      'create',
      PRINCIPAL,
      '--force',
      '--json',
      '-c',
      folder.configFile,
    ]);
    const { password } = JSON.parse(stdout) as { password: string };
    logs.push(password);
    await reload(gateway, 'configuration reloaded');
    await assert.rejects(connect(running), (refusal) => sqlState(refusal) === '28P01');
    const client = new Client({
      host: '127.0.0.1',
      port: gateway.port,
      user: PRINCIPAL,
      password,
      database: TARGET,
    });
    await client.connect();
    await client.end();
  });
});

test('SIGTERM drains: idle sessions end, a transaction may finish', async () => {
  await withGateway(async (running) => {
    const { folder, gateway } = running;
    const idle = await connect(running);
    const busy = await connect(running);
    await busy.query('begin');
    const idleEnded = once(idle, 'error');
    const busyEnded = once(busy, 'error');
    gateway.child.kill('SIGTERM');
    assert.equal(sqlState(((await idleEnded) as [unknown])[0]), '57P01');
    await assert.rejects(connect(running));
    assert.equal((await gateway.get('ready')).status, 503);
    assert.equal((await gateway.get('live')).status, 200);
    await busy.query('create table drained (a int)');
    await busy.query('commit');
    assert.equal(sqlState(((await busyEnded) as [unknown])[0]), '57P01');
    assert.equal(await gateway.stop(), 0);

    const leaves = await leavesOf(folder);
    assert.equal(leaves.at(-1)?.['type'], 'software.stopped');
    const reasons = leaves.filter((leaf) => leaf['type'] === 'session.closed').map((leaf) => leaf['reason']);
    assert.equal(reasons.filter((reason) => reason === 'CS_SHUTTING_DOWN').length, 2);
    const check = new Client({ connectionString: server.url('postgres') });
    await check.connect();
    assert.equal((await check.query("select to_regclass('drained') as name")).rows[0].name, 'drained');
    await check.end();
  });
});

test('a second SIGTERM does not wait for the transaction', async () => {
  await withGateway(async (running) => {
    const { folder, gateway } = running;
    const busy = await connect(running);
    await busy.query('begin');
    await busy.query('create table undone (a int)');
    const ended = once(busy, 'error');
    gateway.child.kill('SIGTERM');
    await until(() => gateway.log.includes('draining'));
    gateway.child.kill('SIGTERM');
    assert.equal(sqlState(((await ended) as [unknown])[0]), '57P01');
    assert.equal(await gateway.stop(), 0);
    assert.equal((await leavesOf(folder)).at(-1)?.['type'], 'software.stopped');
  });
});

test('the drain timeout ends a transaction that does not end by itself', async () => {
  await withGateway(async (running) => {
    const { folder, gateway } = running;
    edit(folder, (text) => `${text}limits: { drainTimeout: 100ms }\n`);
    await reload(gateway, 'configuration reloaded');
    const busy = await connect(running);
    await busy.query('begin');
    const ended = once(busy, 'error');
    const running2 = assert.rejects(busy.query('select pg_sleep(600)'));
    gateway.child.kill('SIGTERM');
    await ended;
    await running2;
    assert.equal(await gateway.stop(), 0);
    const results = (await leavesOf(folder)).filter((leaf) => leaf['type'] === 'call.result');
    assert.match(String(results.at(-1)?.['status']), /^(cancelled|cut)$/);
  });
});

test('readiness follows the record: refused while the disk fails, back by itself', async () => {
  const { port, user, password } = server;
  const folder = await GatewayFolder.create({
    target: { port, user, password, database: 'postgres' },
    record: { timeout: '200ms' },
  });
  const controlFile = join(folder.directory, 'faults.json');
  writeFileSync(controlFile, '{}');
  const gateway = await GatewayProcess.start(folder, {
    arguments: ['--unsafe-faults'],
    environment: { COUNTERSIGN_FAULTS: JSON.stringify({ controlFile }) },
  });
  try {
    const client = await connect({ folder, gateway });
    assert.equal((await gateway.get('ready')).status, 200);
    writeFileSync(controlFile, JSON.stringify({ fail: 'EIO', path: 'journal' }));
    await assert.rejects(client.query('select 1'), (error) =>
      ['58030', '53100'].includes(String(sqlState(error))),
    );
    const { status, body } = await gateway.get('ready');
    assert.equal(status, 503);
    const { ready, reason } = JSON.parse(body) as { ready: boolean; reason: string };
    assert.equal(ready, false);
    assert.ok(reason.length > 0);
    assert.equal((await gateway.get('live')).status, 200);
    assert.equal(await gateway.metric('countersign_record_ready'), 0);
    assert.equal(await gateway.metric('countersign_ready'), 0);
    writeFileSync(controlFile, '{}');
    await until(async () => (await gateway.get('ready')).status === 200);
    const next = await connect({ folder, gateway });
    assert.equal((await next.query('select 1 as one')).rows[0].one, 1);
    await next.end();
    await client.end().catch(() => {});
  } finally {
    rmSync(controlFile);
    await gateway.stop();
    logs.push(gateway.log, folder.password, password);
    folder.remove();
  }
});

test('metrics count commands, refusals, sessions and commits', async () => {
  await withGateway(async (running) => {
    const { gateway } = running;
    const client = await connect(running);
    for (let i = 0; i < 5; i++) await client.query('select $1::int', [i]);
    await assert.rejects(client.query('set role postgres'));
    assert.equal(await gateway.metric('countersign_commands_total'), 5);
    assert.equal(await gateway.metric('countersign_sessions_open'), 1);
    assert.equal(await gateway.metric('countersign_ready'), 1);
    assert.equal(await gateway.metric('countersign_record_ready'), 1);
    const { body } = await gateway.get('metrics');
    assert.match(body, /^countersign_refusals_total\{code="CS_SETTING_DENIED"\} 1$/m);
    for (const name of [
      'countersign_commit_latency_seconds_count',
      'countersign_client_bytes_total',
      'countersign_target_bytes_total',
      'countersign_leaves_total',
      'countersign_disk_free_bytes',
    ]) {
      assert.ok((await gateway.metric(name)) > 0, name);
    }
    for (const name of [
      'countersign_journal_lag_leaves',
      'countersign_integration_lag_leaves',
      'countersign_checkpoint_age_seconds',
    ]) {
      assert.match(body, new RegExp(`^${name} `, 'm'));
    }
    // The log is at most a second behind the journal.
    await until(async () => (await gateway.metric('countersign_log_size_leaves')) > 0);
    await client.end();
    await until(async () => (await gateway.metric('countersign_sessions_open')) === 0);
  });
});

test('a state directory belongs to one gateway, and its files to their owner', async () => {
  await withGateway(async ({ folder }) => {
    const second = await run(['serve', '-c', folder.configFile]);
    assert.equal(second.code, 3);
    assert.match(second.stderr, /another gateway works in/);
    const mode = (name: string): number => statSync(join(folder.stateDirectory, name)).mode & 0o777;
    assert.equal(mode('control.sock'), 0o600);
    assert.equal(mode('lock'), 0o600);
    assert.equal(mode('keys/identity.key'), 0o600);
    assert.equal(statSync(folder.stateDirectory).mode & 0o077, 0);
  });
});

test('tokens, contents and status through the control socket', async () => {
  await withGateway(async (running) => {
    const { folder } = running;
    const config = ['-c', folder.configFile];
    const client = await connect(running);
    await client.query(`select 'shown by log show'`);
    const connected = await run([
      'connect',
      TARGET,
      ...config,
      '--',
      process.execPath,
      '-e',
      'console.log(process.env.PGUSER, process.env.PGDATABASE, process.argv.length)',
    ]);
    assert.equal(connected.stdout, `${PRINCIPAL} ${TARGET} 1\n`);
    const issued = await run(['token', 'issue', '--target', TARGET, '--ttl', '1m', '--json', ...config]);
    const { token } = JSON.parse(issued.stdout) as { token: string };
    logs.push(token);
    const byToken = new Client({
      host: '127.0.0.1',
      port: running.gateway.port,
      user: PRINCIPAL,
      password: token,
      database: TARGET,
      options: '-c countersign.auth=token',
    });
    await byToken.connect();
    await byToken.end();
    await client.end();
    const unknown = await run(['token', 'issue', '--target', 'nothing', ...config]);
    assert.equal(unknown.code, 4);
    const status = await run(['status', '--json', ...config]);
    assert.equal((JSON.parse(status.stdout) as { ready: boolean }).ready, true);

    const { stdout } = await untilShown(config);
    assert.match(stdout, /statement: select 'shown by log show'/);
    await running.gateway.stop();
    const leaves = await leavesOf(folder);
    assert.equal(leaves.filter((leaf) => leaf['type'] === 'token.issued').length, 2);
    assert.ok(
      leaves.some((leaf) => leaf['type'] === 'log.read' && leaf['reader'] === `uid:${process.getuid?.()}`),
    );
    const offline = await run(['status', ...config]);
    assert.equal(offline.code, 5);

    // Without the gateway: with the custodian's key, and for one leaf with a proof.
    const keyFile = join(folder.directory, 'custodian.private.pem');
    writeFileSync(keyFile, folder.custodianKey);
    const opened = await run(['log', 'show', '--type', 'call.intent', '--custodian-key', keyFile, ...config]);
    assert.match(opened.stdout, /statement: select 'shown by log show'/);
    const theirs = ['log', 'show', '--principal', PRINCIPAL, '--from', '20', ...config];
    const own = await run([...theirs, '--custodian-key', keyFile]);
    assert.match(own.stdout, /statement: select 'shown by log show'/);
    assert.doesNotMatch(own.stdout, /pg_namespace/, 'nothing of the gateway’s own');
    const nobody = await run(['log', 'show', '--principal', 'nobody', '--json', ...config]);
    assert.deepEqual(JSON.parse(nobody.stdout), []);
    const checked = await run(['log', 'verify', '--custodian-key', keyFile, '--json', ...config]);
    assert.equal(checked.code, 0, checked.stdout);
    const proofFile = join(folder.directory, 'leaf.proof');
    assert.equal((await run(['log', 'prove', '2', '-o', proofFile, ...config])).code, 0);
    const verifyMain = join(import.meta.dirname, '../../packages/verify/src/cli.ts');
    const proved = await run(
      ['--proof', proofFile, '--key', join(folder.stateDirectory, 'log/log.vkey')],
      verifyMain,
    );
    assert.equal(proved.code, 0, proved.stdout);
    assert.match(proved.stdout, /^VERIFIED\nleaf 2 of /);
    const tailed = await run(['log', 'tail', '-n', '2', '--no-follow', '--json', ...config]);
    const lines = tailed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { index: number });
    assert.deepEqual(
      lines.map(({ index }) => index),
      [leaves.length - 2, leaves.length - 1],
    );
    const { stdout: state } = await run(['log', 'status', '--json', ...config]);
    assert.equal((JSON.parse(state) as { state: string }).state, 'SIGNED');
  });
});

/** The log is at most a second behind the journal. */
async function untilShown(config: readonly string[]): Promise<Finished> {
  let shown: Finished | undefined;
  await until(async () => {
    shown = await run(['log', 'show', '--type', 'call.intent', '--contents', ...config]);
    return shown.stdout.includes('shown by log show');
  });
  assert.ok(shown !== undefined);
  return shown;
}

test('no log line carries a password, a token, or the text of a statement', () => {
  const lines = logs.filter((text) => text.includes('"event"')).join('');
  const secrets = [
    STATEMENT_SECRET,
    'shown by log show',
    'drained',
    ...logs.filter((text) => !text.includes('"event"')),
  ];
  assert.ok(lines.includes('"event":"session opened"'));
  for (const secret of secrets) {
    if (secret !== '') assert.ok(!lines.includes(secret));
  }
});

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], program = MAIN): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}
