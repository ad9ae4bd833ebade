/** What an operator is told about a configuration: by `check`, by a start, by a reload. No database is needed for it. */

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { GatewayFolder, GatewayProcess } from '../support/gateway-process.ts';

const MAIN = join(import.meta.dirname, '../../packages/gateway/src/cli/main.ts');

let folder: GatewayFolder;
let good: string;

beforeEach(async () => {
  const target = { port: 1, user: 'nobody', password: 'target-password-93c1', database: 'postgres' };
  folder = await GatewayFolder.create({ target });
  good = readFileSync(folder.configFile, 'utf8');
});

afterEach(() => folder.remove());

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (...args: readonly string[]): Promise<Finished> => runBare(...args, '-c', folder.configFile);

function runBare(...args: readonly string[]): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

/** None of these may be quoted. */
const SECRETS = ['target-password-93c1', 'tester-verifier-2b7e', 'signing-key-55d0', 'listener-cert-77aa'];

const write = (name: string, text: string): void => writeFileSync(join(folder.directory, name), text);
const configure = (change: (text: string) => string): void => writeFileSync(folder.configFile, change(good));

async function withGateway(body: (gateway: GatewayProcess) => Promise<void>): Promise<void> {
  const gateway = await GatewayProcess.start(folder);
  try {
    await body(gateway);
  } finally {
    assert.equal(await gateway.stop(), 0);
  }
}

/** Each breaks one secret. The pattern is what every command says of it: the key first. */
const BROKEN: readonly (readonly [string, () => void, RegExp])[] = [
  [
    'an empty password',
    () => write('target.password', ''),
    /targets\.bank\.logins\.app\.password: .* is empty/,
  ],
  [
    'a password that is not there',
    () => rmSync(join(folder.directory, 'target.password')),
    /targets\.bank\.logins\.app\.password: .* cannot be read: ENOENT/,
  ],
  [
    'what is not a verifier',
    () => write('tester.verifier', 'tester-verifier-2b7e'),
    /principals\[0\]\.credential: .* is not a SCRAM-SHA-256 verifier/,
  ],
  [
    'what is not a signing key',
    () => write('signing.pem', 'signing-key-55d0'),
    /log\.signingKey: is not an Ed25519 key of this origin/,
  ],
  [
    'a certificate that is none',
    () => {
      write('listener.pem', 'listener-cert-77aa');
      configure((text) =>
        text.replace(
          '    address: 127.0.0.1:0\n',
          '    address: 127.0.0.1:0\n    tls: { cert: file:listener.pem, key: file:signing.pem }\n',
        ),
      );
    },
    /listen\.postgres\.tls: the certificate and key of the listener cannot be used together/,
  ],
  [
    'a client certificate for the target that is none',
    () => {
      write('client.pem', 'client-cert-0f0f');
      configure((text) =>
        text.replace(
          '    logins:\n',
          '    tls: { mode: require, cert: file:client.pem, key: file:signing.pem }\n    logins:\n',
        ),
      );
    },
    /targets\.bank\.tls: the certificate and key for the target cannot be used together/,
  ],
];

for (const [what, breakIt, said] of BROKEN) {
  test(`${what}: check, serve and a reload refuse it and name the key`, async () => {
    await withGateway(async (gateway) => {
      breakIt();
      gateway.child.kill('SIGHUP');
      while (!/"event":"reload refused[^\n]*\n/.test(gateway.log)) await sleep(10);
      const line = gateway.log.split('\n').find((text) => text.includes('reload refused'));
      assert.match((JSON.parse(line ?? '') as { detail: string }).detail, said);
      for (const secret of SECRETS) assert.ok(!gateway.log.includes(secret));
      const { status } = await gateway.get('ready');
      assert.equal(status, 200);
    });
    const [checked, served] = [await run('check'), await run('serve')];
    assert.equal(checked.code, 3);
    assert.match(checked.stderr, said);
    assert.deepEqual([served.code, served.stderr], [checked.code, checked.stderr]);
  });
}

test('check says what the running gateway could not reload, and is valid all the same', async () => {
  const offline = await run('check', '--json');
  assert.ok(!('running' in (JSON.parse(offline.stdout) as object)));
  await withGateway(async () => {
    const same = await run('check');
    assert.equal(same.code, 0);
    assert.doesNotMatch(same.stdout, /running gateway/);
    configure((text) =>
      text.replace('node: test-node', 'node: other-node').replace('minFree: 1MiB', 'minFree: 2MiB'),
    );
    const changed = await run('check');
    assert.equal(changed.code, 0, changed.stderr);
    assert.match(changed.stdout, /: warning: the running gateway cannot change node, record: /);
    assert.equal((await run('check', '--strict', '--no-secrets')).code, 0);
    const { running } = JSON.parse((await run('check', '--json')).stdout) as { running: unknown };
    assert.deepEqual(running, { unreloadable: ['node', 'record'] });
  });
  assert.equal((await run('check')).stdout.includes('running gateway'), false);
});

test('a tool that is not there, and a request that names nobody, are told as what they are', async () => {
  configure((text) =>
    `${text}  - { id: second, principal: other, target: bank, login: app, expires: 2090-01-01, scope: { ddl: [x] } }\n`.replace(
      'principals:\n',
      'principals:\n  - { name: other, owner: Other Team, kind: agent }\n',
    ),
  );
  await withGateway(async () => {
    const config = ['-c', folder.configFile];
    const noTool = await runBare('connect', 'bank', '-p', 'tester', ...config, '--', 'no-such-tool-here');
    assert.equal(noTool.code, 5);
    assert.match(noTool.stderr, /^countersign: the program cannot be started \[CS_PROGRAM_UNAVAILABLE\]/);
    const nobody = await runBare('token', 'issue', '--target', 'bank', ...config);
    assert.equal(nobody.code, 2);
    assert.match(
      nobody.stderr,
      /\[CS_REQUEST_INVALID\]\n.*2 principals have a grant.*\n.*(other, tester|tester, other)/,
    );
  });
});

test('a grant that has ended is named where operators look, and stops nothing', async () => {
  configure((text) => text.replace('expires: 2090-01-01', 'expires: 2020-01-01'));
  const said = /grants\[0\]\.expires: the grant has ended: tests/;
  const checked = await run('check');
  assert.equal(checked.code, 0);
  assert.match(checked.stdout, said);
  await withGateway(async (gateway) => {
    const warnings = (): string[] => gateway.log.split('\n').filter((line) => said.test(line));
    assert.equal(warnings().length, 1);
    gateway.child.kill('SIGHUP');
    while (!gateway.log.includes('configuration reloaded')) await sleep(10);
    assert.equal(warnings().length, 2);
    assert.ok(warnings().every((line) => line.includes('"level":"warn"')));
  });
});

test('serve --json prints one document: where it listens', async () => {
  const child = spawn(process.execPath, [MAIN, 'serve', '--json', '-c', folder.configFile], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    child.kill('SIGTERM');
  }
  assert.deepEqual(await exited, [0, null]);
  assert.equal(lines.length, 1);
  const { listening, state, pid } = JSON.parse(lines[0] ?? '') as {
    listening: { postgres: string; health: string };
    state: string;
    pid: number;
  };
  assert.match(listening.postgres, /^127\.0\.0\.1:[1-9]\d*$/);
  assert.match(listening.health, /^127\.0\.0\.1:[1-9]\d*$/);
  assert.equal(state, folder.stateDirectory);
  assert.equal(pid, child.pid);
});
