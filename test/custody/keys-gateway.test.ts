/** Keys and backups of the real gateway, by its own command line. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { directorySource, VaultChecks, VaultReader, verifyLog } from 'countersign-verify';
import type { KeyStory } from '../../packages/gateway/src/record/key-history.ts';
import { generateSigningKey } from '../../packages/gateway/src/record/keys.ts';
import { GatewayFolder, GatewayProcess, spawnGateway } from '../support/gateway-process.ts';

const run = promisify(execFile);
const MAIN = join(import.meta.dirname, '../../packages/gateway/src/cli/main.ts');

let folder: GatewayFolder;
let gateway: GatewayProcess;
let scratch = '';

before(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'countersign-keys-'));
  // No client comes here: the record of its own life is enough.
  const target = { port: 1, database: 'none', user: 'none', password: 'none' };
  folder = await GatewayFolder.create({ target });
  gateway = await GatewayProcess.start(folder);
});

after(async () => {
  await gateway.stop();
  folder.remove();
  rmSync(scratch, { recursive: true, force: true });
});

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function countersign(...args: readonly string[]): Promise<Ran> {
  try {
    const { stderr, stdout } = await run(process.execPath, [MAIN, ...args]);
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stderr, stdout } = error as { code: number; stderr: string; stdout: string };
    return { code, stdout, stderr };
  }
}

/** Runs a command that asks the gateway of the folder, and gives its answer. */
async function ask<T>(...args: readonly string[]): Promise<T> {
  const { code, stderr, stdout } = await countersign(...args, '-c', folder.configFile, '--json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as T;
}

/** The log follows the journal within a second. */
async function keysOnRecord(
  isThere: (stories: readonly KeyStory[]) => boolean,
): Promise<readonly KeyStory[]> {
  for (;;) {
    const stories = await ask<readonly KeyStory[]>('key', 'list', '--all');
    if (isThere(stories)) return stories;
  }
}

const isIn = (purpose: string, state: string) => (stories: readonly KeyStory[]) =>
  stories.some((story) => story.purpose === purpose && story.state === state);

test('key list: what the record says of every purpose', async () => {
  const stories = await keysOnRecord(isIn('identity', 'active'));
  const active = stories.filter(({ state }) => state === 'active').map(({ purpose }) => purpose);
  assert.deepEqual(
    new Set(active),
    new Set(['log-signing', 'vault-custodian', 'vault-gateway', 'vault-data', 'identity']),
  );
  const { stdout } = await countersign('key', 'list', '-c', folder.configFile);
  assert.match(stdout, /^vault-data +active +\S+ +1 key, standard \d{4}-\d{2}$/m);
});

test('key rotate identity: another secret, recorded, in force without a restart', async () => {
  const file = join(folder.stateDirectory, 'keys/identity.key');
  const before = readFileSync(file);
  const { key } = await ask<{ readonly key: string }>('key', 'rotate', 'identity');
  assert.ok(!readFileSync(file).equals(before));
  const stories = await keysOnRecord(isIn('identity', 'destroyed'));
  assert.ok(stories.some((story) => story.key === key && story.state === 'active'));
});

test('key revoke: what is the gateway’s own is replaced, of others the record says so', async () => {
  const answer = await ask<{ readonly key: string; readonly revoked: string }>(
    'key',
    'revoke',
    'vault-gateway',
    '--cause',
    'compromised',
  );
  const stories = await keysOnRecord(isIn('vault-gateway', 'revoked'));
  const revoked = stories.find(({ key }) => key === answer.revoked);
  assert.deepEqual([revoked?.state, revoked?.cause], ['revoked', 'compromised']);
  assert.ok(stories.some(({ key, state }) => key === answer.key && state === 'active'));
  const whichKey = await countersign(
    'key',
    'revoke',
    'log-signing',
    '--cause',
    'lost',
    '-c',
    folder.configFile,
  );
  assert.equal(whichKey.code, 2);
  const cause = await countersign('key', 'revoke', 'identity', '--cause', 'boredom', '-c', folder.configFile);
  assert.equal(cause.code, 2);
});

test('another custodian: SIGHUP, archive, rewrap on their own machine, import; then the new key opens all of it', async () => {
  const [privateFile, publicFile] = [join(scratch, 'new.private.pem'), join(scratch, 'new.public.pem')];
  const created = await countersign(
    'key',
    'create',
    'vault-custodian',
    '-o',
    privateFile,
    '--public-output',
    publicFile,
  );
  assert.equal(created.code, 0, created.stderr);
  writeFileSync(join(folder.directory, 'custodian.pem'), readFileSync(publicFile));
  gateway.child.kill('SIGHUP');
  await keysOnRecord(isIn('vault-custodian', 'superseded'));
  const archive = join(scratch, 'archive');
  const { count } = await ask<{ readonly count: number }>('key', 'archive', archive);
  assert.ok(count > 0);
  // As long as it is wrapped to the custodian before, it is not taken in.
  const early = await countersign('key', 'import', archive, '-c', folder.configFile);
  assert.equal(early.code, 2, early.stdout);
  const oldFile = join(scratch, 'old.private.pem');
  writeFileSync(oldFile, folder.custodianKey);
  const rewrap = ['key', 'rewrap', archive, '--old-key', oldFile, '--new-key', publicFile];
  const rewrapped = await countersign(...rewrap);
  assert.equal(rewrapped.code, 0, rewrapped.stderr);
  // Nothing is left that is wrapped to the old key.
  assert.equal((await countersign(...rewrap)).code, 2);
  const imported = await ask<{ readonly count: number }>('key', 'import', archive);
  assert.ok(imported.count > 0 && imported.count <= count);
  assert.equal((await ask<{ readonly count: number }>('key', 'import', archive)).count, 0);
  const tampered = join(archive, 'archive.json');
  writeFileSync(tampered, readFileSync(tampered, 'utf8').replace(/[0-9a-f]{64}/, 'f'.repeat(64)));
  assert.equal((await countersign('key', 'import', archive, '-c', folder.configFile)).code, 2);
  const reader = new VaultReader(
    join(folder.stateDirectory, 'vault'),
    createPrivateKey(readFileSync(privateFile)),
  );
  const report = await verifyLog(directorySource(join(folder.stateDirectory, 'log')), {
    visitor: (findings) => new VaultChecks(reader, findings),
  });
  assert.equal(report.verdict, 'VERIFIED', JSON.stringify(report.findings));
});

test('backup of the running gateway is on its record; what is restored from it does not start', async () => {
  const backups = join(scratch, 'backups');
  const backup = await ask<{ readonly size: number; readonly verdict: string; readonly isStopped: boolean }>(
    'backup',
    backups,
  );
  assert.deepEqual([backup.verdict, backup.isStopped], ['VERIFIED', false]);
  const state = join(scratch, 'restored');
  const restored = await countersign('restore', backups, state, '--json');
  assert.equal(restored.code, 0, restored.stderr);
  assert.equal((JSON.parse(restored.stdout) as { readonly size: number }).size, backup.size);
  const config = readFileSync(folder.configFile, 'utf8').replace(
    `state: ${folder.stateDirectory}`,
    `state: ${state}`,
  );
  const file = join(folder.directory, 'restored.yaml');
  writeFileSync(file, config);
  const served = await countersign('serve', '-c', file);
  assert.equal(served.code, 6, served.stdout);
  assert.match(served.stderr, /CS_LOG_ROLLED_BACK/);
  const again = await countersign('restore', backups, state);
  assert.equal(again.code, 4);
});

test('the log gets another key by configuration; a stopped gateway is backed up whole', async () => {
  assert.equal(await gateway.stop(), 0);
  const config = readFileSync(folder.configFile, 'utf8');
  const vkey = readFileSync(join(folder.stateDirectory, 'log/log.vkey'), 'utf8').trim();
  writeFileSync(join(folder.directory, 'signing-2.pem'), generateSigningKey(), { mode: 0o600 });
  const both = config.replace(
    'signingKey: file:signing.pem',
    'signingKey: file:signing-2.pem\n  previousKey: file:signing.pem',
  );
  writeFileSync(folder.configFile, both);
  gateway = await GatewayProcess.start(folder);
  await keysOnRecord(isIn('log-signing', 'superseded'));
  assert.equal(await gateway.stop(), 0);
  writeFileSync(folder.configFile, both.replace('\n  previousKey: file:signing.pem', ''));
  const backups = join(scratch, 'final');
  const backup = await ask<{ readonly directory: string; readonly isStopped: boolean }>(
    'backup',
    backups,
    '--key',
    vkey,
  );
  assert.ok(backup.isStopped && existsSync(join(backup.directory, 'journal')));
  rmSync(folder.stateDirectory, { recursive: true });
  assert.equal((await countersign('restore', backups, folder.stateDirectory, '--key', vkey)).code, 0);
  gateway = await GatewayProcess.start(folder);
  const verified = await countersign('log', 'verify', '-c', folder.configFile, '--key', vkey);
  assert.match(verified.stdout, /^VERIFIED\b/);
  // A key that the log does not know is refused, and says what to do.
  writeFileSync(join(folder.directory, 'signing-3.pem'), generateSigningKey(), { mode: 0o600 });
  assert.equal(await gateway.stop(), 0);
  writeFileSync(folder.configFile, config.replace('file:signing.pem', 'file:signing-3.pem'));
  const child = spawnGateway(folder);
  child.stderr?.resume();
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 6);
});
