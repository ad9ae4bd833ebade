/** `countersign explain`: what a statement would do and whether it may, by a running gateway's catalog and by a file. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { GatewayFolder, TARGET } from '../support/gateway-process.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { Harness } from '../translator/harness.ts';

const MAIN = join(import.meta.dirname, '../../packages/gateway/src/cli/main.ts');
const SCOPE =
  "{ relations: [{ on: ['bank.accounts'], verbs: [select], columns: [id, status] }, { on: ['bank.open'], verbs: [select] }], functions: [], ddl: [], allow: [] }";
const FORBID =
  '@id("never-open")\nforbid (principal, action == Action::"select", resource) when { resource.name == "open" };\n';

let server: PostgresServer;
let folder: GatewayFolder;
let directory: string;
let catalogFile: string;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-explain-'));
  server = await startTestPostgres();
  const client = new Client({ connectionString: server.url() });
  await client.connect();
  await client.query(`create schema bank; create table bank.accounts (id int primary key, status text, secret text);
    create view bank.open as select id from bank.accounts where secret is null;
    create function bank.close(int) returns void language plpgsql as 'begin end'`);
  await client.end();
  const harness = await Harness.start(server);
  catalogFile = join(directory, 'catalog.json');
  const made = await run(['catalog', TARGET, '--out', catalogFile, '-c', harness.folder.configFile]);
  assert.equal(made.code, 0, made.stderr);
  const live = await run([
    'explain',
    TARGET,
    'select secret from bank.accounts',
    '-c',
    harness.folder.configFile,
  ]);
  assert.equal(live.code, 0, live.stderr);
  assert.match(live.stdout, /select bank\.accounts\(secret\)/);
  assert.match(live.stdout, /permit: tester under grant tests\n {2}decided: {2}tests, all/);
  const { calls } = await harness.finish();
  assert.deepEqual(calls, [], 'a statement that is explained is not run');
  folder = await GatewayFolder.create({
    target: { port: server.port, database: 'postgres', user: server.user, password: server.password },
    scope: SCOPE,
  });
  writeFileSync(join(folder.directory, 'policies', 'never.cedar'), FORBID);
  // From here on there is neither a gateway nor a target.
  await server.stop();
});

after(async () => {
  await server.stop();
  folder.remove();
  rmSync(directory, { recursive: true, force: true });
});

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(args: readonly string[], input = ''): Promise<Finished> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

const explain = async (sql: string, ...more: readonly string[]): Promise<Finished> =>
  run(['explain', TARGET, sql, '--catalog', catalogFile, '-c', folder.configFile, ...more]);

test('permitted: what it demands, its fingerprint, and who decides', async () => {
  const { code, stdout } = await explain("select id from bank.accounts where status = 'x'");
  assert.equal(code, 0);
  assert.match(stdout, /^select, read, fingerprint [0-9a-f]{16}\non bank\/postgres, search_path public\n/);
  assert.match(stdout, /demands:\n {2}select bank\.accounts\(id,status\)\n/);
  assert.match(stdout, /permit: tester under grant tests/);
});

test('denied by the scope: what is missing, in words to ask with', async () => {
  const { code, stdout } = await explain('update bank.accounts set status = $1 where secret = $2');
  assert.equal(code, 4);
  assert.match(
    stdout,
    /because: {2}scope\n {2}decided: {2}tests\n {2}missing: {2}select bank\.accounts\(secret\); update bank\.accounts\(status\)/,
  );
  assert.match(stdout, /to ask: {3}Ask the owner of target bank to extend grant tests/);
});

test('denied by a policy: its name', async () => {
  const { code, stdout } = await explain('select id from bank.open', '--json');
  assert.equal(code, 4);
  const found = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual(found['demands'], ['select bank.open(id)']);
  assert.deepEqual(found['reaches'], ['select bank.accounts(id,secret) via bank.open']);
  const [decision] = found['decisions'] as readonly Record<string, unknown>[];
  assert.deepEqual(decision?.['policies'], ['tests', 'never-open']);
  assert.deepEqual(decision?.['reasons'], ['policy']);
});

test('from standard input, with the path of the session', async () => {
  const { code, stdout } = await run(
    [
      'explain',
      TARGET,
      '-',
      '--catalog',
      catalogFile,
      '-c',
      folder.configFile,
      '--search-path',
      '"$user", bank',
    ],
    'select id from accounts',
  );
  assert.equal(code, 0, stdout);
  assert.match(stdout, /search_path bank\n/);
  const unknown = await explain('select id from accounts');
  assert.equal(unknown.code, 4);
  assert.match(
    unknown.stdout,
    /names that the catalog does not have:\n {2}relation accounts\n[^]*because: {2}unknown-name/,
  );
});

test('what it calls and leaves behind; a setting that may not be changed', async () => {
  const called = await explain('select bank.close(1)', '--principal', 'tester');
  assert.match(
    called.stdout,
    /execute bank\.close\n[^]*leaves in the session:\n {2}runs code that is not seen/,
  );
  assert.equal(called.code, 4);
  const setting = await explain("set session_preload_libraries = 'x'");
  assert.match(setting.stdout, /may not change the setting session_preload_libraries: not-allowed/);
  assert.equal(setting.code, 4);
});

test('not readable: why, and exit code 2', async () => {
  const { code, stdout } = await explain('select from where');
  assert.equal(code, 2);
  assert.match(stdout, /^cannot be read: syntax: syntax error at or near "where" at character 13\n/);
});

test('without a configuration a file is enough to analyse', async () => {
  const { code, stdout } = await run([
    'explain',
    TARGET,
    'table bank.accounts',
    '--catalog',
    catalogFile,
    '-c',
    join(directory, 'none.yaml'),
  ]);
  assert.equal(code, 0);
  assert.match(stdout, /select bank\.accounts\(id,secret,status\)/);
  assert.doesNotMatch(stdout, /permit/);
});

test('wrong words are said to be wrong', async () => {
  for (const [args, said] of [
    [['--principal', 'nobody'], /no principal nobody/],
    [['--grant', 'none'], /no such grant/],
    [['--database', 'other'], /is of database postgres, not other/],
    [['--search-path', 'a,,b'], /--search-path a,,b is none that a session can have/],
  ] as const) {
    const { code, stderr } = await explain('select 1', ...args);
    assert.equal(code, 2);
    assert.match(stderr, said);
  }
  const other = await run([
    'explain',
    'other',
    'select 1',
    '--catalog',
    catalogFile,
    '-c',
    folder.configFile,
  ]);
  assert.match(other.stderr, /is of target bank, not other/);
});
