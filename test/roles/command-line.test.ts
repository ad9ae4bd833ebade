import { strict as assert } from 'node:assert';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Finding } from '../../packages/gateway/src/postgres/roles/check-target.ts';
import { runCountersign } from '../support/command-line.ts';
import type { Finished } from '../support/command-line.ts';
import { GatewayFolder, TARGET } from '../support/gateway-process.ts';
import { LOGIN, LOGIN_PASSWORD, OBJECTS, WalledServer, withoutPsql } from './harness.ts';

let walled: WalledServer;
let folder: GatewayFolder;

before(async () => {
  walled = await WalledServer.start(18);
  const { password, port, user } = walled.server;
  folder = await GatewayFolder.create({ target: { port, database: 'postgres', user, password } });
});

after(async () => {
  folder.remove();
  await walled.stop();
});

async function run(...args: readonly string[]): Promise<Finished> {
  return await runCountersign([...args, '-c', folder.configFile]);
}

/** The target of the folder, with the login that makes roles alone or beside a superuser. */
function configure({ isAlone }: { readonly isAlone: boolean }): void {
  const { directory } = folder;
  writeFileSync(join(directory, 'roles.password'), LOGIN_PASSWORD, { mode: 0o600 });
  const superuser = `      app:\n        user: ${walled.server.user}\n        password: file:target.password\n`;
  writeFileSync(
    folder.configFile,
    `version: 1
state: state
log: { origin: test.example/countersign, signingKey: file:signing.pem }
vault: { custodianKey: file:custodian.pem }
listen: { postgres: { address: '127.0.0.1:0' } }
targets:
  ${TARGET}:
    protocol: postgres
    hosts: ['127.0.0.1:${walled.server.port}']
    database: postgres
    logins:
${isAlone ? '' : superuser}      roles:
        user: ${LOGIN}
        password: file:roles.password
    roles: { login: roles, owner: ${OBJECTS} }
`,
  );
}

test('setup without a section roles says what to add', async () => {
  const { code, stderr } = await run('target', 'setup', TARGET, '--print');
  assert.equal(code, 2, stderr);
  assert.match(stderr, /targets\.bank\.roles/);
});

test('setup prints what can be run, twice, and names what it is for', async () => {
  configure({ isAlone: true });
  const { code, stderr, stdout } = await run('target', 'setup', TARGET, '--print');
  assert.equal(code, 0, stderr);
  await walled.dba.query(withoutPsql(stdout));
  for (const name of [LOGIN, OBJECTS, 'countersign_owner', 'SECURITY DEFINER'])
    assert.ok(stdout.includes(name), name);
  assert.equal((await run('target', 'setup', TARGET)).code, 2);
  assert.equal((await run('target', 'setup', 'nowhere', '--print')).code, 2);
});

test('check finds the superuser with 4, and gives 0 without one', async () => {
  configure({ isAlone: false });
  const bad = await run('target', 'check', TARGET, '--json');
  assert.equal(bad.code, 4, bad.stderr);
  const { findings } = JSON.parse(bad.stdout) as { findings: readonly Finding[] };
  assert.equal(findings[0]?.id, 'login-attributes');
  configure({ isAlone: true });
  const good = await run('target', 'check', TARGET);
  assert.equal(good.code, 0, good.stdout);
  assert.match(good.stdout, /MEDIUM public-temporary/);
  assert.equal((await run('target', 'check', TARGET, '--strict')).code, 4);
});
