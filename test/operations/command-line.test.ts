/** The command line as scripts see it: help, exit codes, JSON. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { createProgram } from '../../packages/gateway/src/cli/program.ts';
import { MAIN, runCountersign, runProgram, type Finished } from '../support/command-line.ts';

const ROOT = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'countersign-cli-'));
after(() => rmSync(folder, { recursive: true }));

const run = (...args: readonly string[]): Promise<Finished> => runCountersign(args, { cwd: folder });

/** A script of package.json, as a person calls it who stands in the test's folder. */
function runScript(name: string, ...args: readonly string[]): Promise<Finished> {
  const { INIT_CWD: _, ...env } = process.env;
  return runProgram('npm', ['--prefix', ROOT, 'run', '-s', name, '--', ...args], { cwd: folder, env });
}

type AnyCommand = ReturnType<typeof createProgram>;

function leafCommands(
  command: AnyCommand,
  path: readonly string[] = [],
): { path: readonly string[]; command: AnyCommand }[] {
  if (command.commands.length === 0) return [{ path, command }];
  return command.commands.flatMap((child) => leafCommands(child, [...path, child.name()]));
}

test('the commands are these', () => {
  const names = leafCommands(createProgram(() => {})).map(({ path }) => path.join(' '));
  assert.deepEqual(names, [
    'serve',
    'demo',
    'check',
    'init',
    'token create',
    'token issue',
    'key list',
    'key show',
    'key create',
    'key rotate',
    'key revoke',
    'key archive',
    'key import',
    'key rewrap',
    'backup',
    'restore',
    'log verify',
    'log show',
    'log tail',
    'log prove',
    'log status',
    'log recover',
    'log succeed',
    'export status',
    'export ocsf',
    'export run',
    'export reset',
    'status',
    'connect',
    'witness init',
    'witness run',
    'witness status',
    'policy check',
    'policy test',
    'policy explain',
    'policy schema',
    'target setup',
    'target check',
    'catalog',
    'classify',
    'explain',
    'mask try',
    'mask classes',
    'custody keygen',
    'custody show',
    'custody approve',
    'custody submit',
    'custody status',
    'custody officers',
    'hold place',
    'hold release',
    'hold approve',
    'hold submit',
    'hold list',
    'retention show',
    'retention due',
    'retention run',
    'retention set',
    'erase request',
    'erase unlock',
    'erase approve',
    'erase submit',
  ]);
});

test('every command has --json, a summary, and help with examples', () => {
  for (const { path, command } of leafCommands(createProgram(() => {}))) {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) });
    command.outputHelp();
    assert.match(help, /--json/, path.join(' '));
    assert.match(help, /Examples:\n {2}\S/, path.join(' '));
    assert.ok(command.summary().length > 0, path.join(' '));
  }
});

test('wrong usage ends with 2, help with 0', async () => {
  const cases: readonly (readonly [readonly string[], number])[] = [
    [['--help'], 0],
    [['log', 'verify', '--help'], 0],
    [['--version'], 0],
    [['frobnicate'], 2],
    [['serve', '--frobnicate'], 2],
    [['token', 'issue'], 2],
    [['log', 'prove', 'x'], 2],
    [['demo', '--port', '99999'], 2],
    [['log', 'verify', '--require-witness', 'many'], 2],
  ];
  for (const [args, code] of cases) assert.equal((await run(...args)).code, code, args.join(' '));
});

test('a configuration that is not there or not valid ends with 3, and every line is told', async () => {
  const missing = await run('check', '-c', 'missing.yaml');
  assert.equal(missing.code, 3);
  assert.match(missing.stderr, /missing\.yaml.*ENOENT.*countersign init/);
  writeFileSync(join(folder, 'bad.yaml'), 'version: 1\noauth: {}\nlimts: {}\n');
  const bad = await run('serve', '-c', 'bad.yaml');
  assert.equal(bad.code, 3);
  assert.match(bad.stderr, /bad\.yaml:2:1: error: oauth: this version does not have OAuth/);
  assert.match(bad.stderr, /bad\.yaml:3:1: error: limts: unknown key \(did you mean limits\?\)/);
  const json = await run('check', '-c', 'bad.yaml', '--json');
  assert.equal(json.code, 3);
  assert.equal(json.stdout, '');
  const { error } = JSON.parse(json.stderr) as {
    error: { code: string; exitCode: number; problems: unknown[] };
  };
  assert.equal(error.exitCode, 3);
  assert.ok(error.problems.length >= 2);
});

test('init writes what check accepts, and overwrites nothing', async () => {
  writeFileSync(join(folder, 'role.password'), 'role password\n');
  const args = [
    'init',
    'fresh',
    '--principal',
    'jane',
    '--kind',
    'agent',
    '--password-file',
    'role.password',
    '--custodian-out',
    'custodian.private.pem',
    '--json',
  ];
  const made = await run(...args);
  assert.equal(made.code, 0, made.stderr);
  const { password, file } = JSON.parse(made.stdout) as { password: string; file: string };
  assert.match(password, /^[A-Za-z0-9_-]{24}$/);
  assert.match(readFileSync(file, 'utf8'), /name: jane\n.*\n    kind: "agent"\n/);
  for (const name of [
    'countersign.yaml',
    'keys/log-signing.pem',
    'keys/custodian.public.pem',
    'secrets/jane.verifier',
    'secrets/bank.password',
  ]) {
    assert.equal(statSync(join(folder, 'fresh', name)).mode & 0o777, 0o600, name);
  }
  assert.equal(statSync(join(folder, 'custodian.private.pem')).mode & 0o777, 0o600);
  assert.ok(!readFileSync(join(folder, 'fresh/secrets/jane.verifier'), 'utf8').includes(password));

  const checked = await run('check', '-c', file, '--json');
  assert.equal(checked.code, 0, checked.stderr);
  const { warnings } = JSON.parse(checked.stdout) as { warnings: { path: string }[] };
  // One person made all the files.
  assert.deepEqual(
    warnings.map(({ path }) => path),
    ['log.signingKey'],
  );
  assert.equal((await run('check', '-c', file, '--strict')).code, 3);
  assert.equal((await run('check', '-c', file, '--strict', '--no-secrets')).code, 0);

  const before = readFileSync(file, 'utf8');
  const again = await run(...args);
  assert.equal(again.code, 4);
  assert.equal((JSON.parse(again.stderr) as { error: { code: string } }).error.code, 'CS_FILE_EXISTS');
  assert.equal(readFileSync(file, 'utf8'), before);
});

test('what the command line names but cannot be used is told apart from what is not understood', async () => {
  const config = join(folder, 'fresh/countersign.yaml');
  const verifier = readFileSync(join(folder, 'fresh/secrets/jane.verifier'), 'utf8');
  const cases: readonly (readonly [readonly string[], number, string])[] = [
    [['log', 'verify', '--key', 'missing.vkey'], 2, 'CS_INPUT_UNUSABLE'],
    [['log', 'verify', '--key', config], 2, 'CS_INPUT_UNUSABLE'],
    [['log', 'verify', '--custodian-key', config], 2, 'CS_INPUT_UNUSABLE'],
    [['token', 'create', 'nobody'], 2, 'CS_INPUT_UNUSABLE'],
    [['token', 'create', 'jane'], 4, 'CS_FILE_EXISTS'],
    [['log', 'verify', '--vault', folder], 2, 'CS_USAGE'],
  ];
  for (const [args, code, name] of cases) {
    const refused = await run(...args, '-c', config, '--json');
    const { error } = JSON.parse(refused.stderr) as { error: { code: string } };
    assert.deepEqual([refused.code, error.code], [code, name], args.join(' '));
  }
  assert.equal(readFileSync(join(folder, 'fresh/secrets/jane.verifier'), 'utf8'), verifier);
});

test('init without a place for it prints the private key of the custodian, once and nowhere else', async () => {
  const made = await run('init', 'printed', '--principal', 'jane');
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /-----BEGIN PRIVATE KEY-----/);
  const custodian = readFileSync(join(folder, 'printed/keys/custodian.public.pem'), 'utf8');
  assert.doesNotMatch(custodian, /PRIVATE/);
  // The password of the target is still to come; check says where.
  const checked = await run('check', '-c', 'printed/countersign.yaml');
  assert.equal(checked.code, 3);
  assert.match(checked.stderr, /targets\.bank\.logins\.default\.password.*is empty/);
});

test('check finds keys of the wrong kind', async () => {
  const made = await run(
    'init',
    'wrong',
    '--principal',
    'jane',
    '--password-file',
    'role.password',
    '--custodian-out',
    'other.pem',
  );
  assert.equal(made.code, 0, made.stderr);
  const keys = join(folder, 'wrong/keys');
  const swap = (name: string, content: string): void => writeFileSync(join(keys, name), content);
  const signing = readFileSync(join(keys, 'log-signing.pem'), 'utf8');
  swap('custodian.public.pem', readFileSync(join(folder, 'other.pem'), 'utf8'));
  const withPrivate = await run('check', '-c', 'wrong/countersign.yaml');
  assert.equal(withPrivate.code, 3);
  assert.match(withPrivate.stderr, /holds a private key/);
  swap('log-signing.pem', 'not a key');
  const noKey = await run('check', '-c', 'wrong/countersign.yaml');
  assert.equal(noKey.code, 3);
  assert.ok(!noKey.stderr.includes(signing));
});

test('a log that is not there is unreadable or cannot be verified, each with its exit code', async () => {
  assert.equal((await run('log', 'verify', 'nowhere')).code, 30);
  const shown = await run('log', 'show', 'nowhere');
  assert.equal(shown.code, 5);
  assert.match(shown.stderr, /CS_LOG_UNREADABLE/);
});

test('without a gateway the control socket is said to be silent', async () => {
  const status = await run('status', '-c', 'fresh/countersign.yaml', '--json');
  assert.equal(status.code, 5);
  assert.equal(
    (JSON.parse(status.stderr) as { error: { code: string } }).error.code,
    'CS_GATEWAY_UNAVAILABLE',
  );
});

test('the scripts take relative paths from where npm was called', async () => {
  writeFileSync(join(folder, 'here.yaml'), 'version: 1\nmask: {}\n');
  const checked = await runScript('countersign', 'check', '-c', 'here.yaml');
  assert.equal(checked.code, 3);
  assert.match(checked.stderr, /here\.yaml:2:1: error: mask/);
  writeFileSync(join(folder, 'here.proof'), 'not a proof');
  const verified = await runScript('countersign-verify', '--proof', 'here.proof', '--key', 'no-such.vkey');
  assert.equal(verified.code, 30);
  assert.match(verified.stdout, /no-such\.vkey cannot be read \(ENOENT\)/);
  const proof = await runScript('countersign-verify', '--proof', 'here.proof', '--key', 'here.proof');
  assert.doesNotMatch(proof.stdout, /cannot be read/);
});

test('a reader that has seen enough is no error', async () => {
  const child = spawn(process.execPath, [MAIN, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  // Closed before anything can be written to it.
  child.stdout.destroy();
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  assert.deepEqual([code, stderr], [0, '']);
});
