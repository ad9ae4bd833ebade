/** What an operator is told of masking by `check`, `target check`, `status`, the start and a reload. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Client } from 'pg';

import { readConfig } from '../../packages/gateway/src/config/read-config.ts';
import type { GatewayStatus } from '../../packages/gateway/src/gateway/gateway.ts';
import { startGateway } from '../../packages/gateway/src/gateway/gateway.ts';
import { createLogger } from '../../packages/gateway/src/observe/logger.ts';
import type { Finding } from '../../packages/gateway/src/postgres/roles/check-target.ts';
import { runCountersign } from '../support/command-line.ts';
import { GatewayFolder, TARGET } from '../support/gateway-process.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';

const KEY = 'masking-secret-of-more-than-32-bytes-0001';

let server: PostgresServer;
let folder: GatewayFolder;
let plain: string;

before(async () => {
  server = await startTestPostgres();
  const admin = new Client({ connectionString: server.url() });
  await admin.connect();
  await admin.query(`create table t (ssn text, mail text, note text);
    comment on column t.mail is 'countersign:class=email'; comment on column t.note is 'countersign:class=nothing_known'`);
  await admin.end();
  const { port, user, password } = server;
  folder = await GatewayFolder.create({ target: { port, user, password, database: 'postgres' } });
  plain = readFileSync(folder.configFile, 'utf8');
});

after(async () => {
  folder.remove();
  await server.stop();
});

const MASKED = {
  masking: '{ key: file:masking.key }',
  classes: '{ public.t: { ssn: ssn, mail: name }, public.gone: { a: pan } }',
};

function configure(
  { masking, classes }: { readonly masking?: string; readonly classes?: string },
  key = KEY,
): void {
  const target =
    classes === undefined ? plain : plain.replace('    protocol:', `    classes: ${classes}\n    protocol:`);
  writeFileSync(folder.configFile, target);
  if (masking !== undefined) appendFileSync(folder.configFile, `masking: ${masking}\n`);
  writeFileSync(join(folder.directory, 'masking.key'), key, { mode: 0o600 });
}

const run = (...args: readonly string[]) => runCountersign([...args, '-c', folder.configFile]);

test('check says that nothing is masked, and that a key is too short, without the key', async () => {
  configure({});
  const none = await run('check');
  assert.equal(none.code, 0, none.stderr);
  assert.match(none.stdout, /note: nothing is masked/);
  assert.equal((JSON.parse((await run('check', '--json')).stdout) as { masking: unknown }).masking, null);
  configure(MASKED);
  const good = await run('check');
  assert.equal(good.code, 0, good.stderr);
  assert.doesNotMatch(good.stdout, /nothing is masked/);
  for (const key of ['', 'too-short-a-secret']) {
    configure(MASKED, key);
    for (const command of ['check', 'serve']) {
      const bad = await run(command);
      assert.equal(bad.code, 3, bad.stderr);
      assert.match(bad.stderr, /masking\.key: .*(is empty|fewer than 32 bytes)/);
      assert.doesNotMatch(bad.stderr, /too-short-a-secret/);
    }
  }
});

test('check warns of a class that a grant unmasks and no policy permits', async () => {
  configure(MASKED);
  const text = readFileSync(folder.configFile, 'utf8');
  const expires = '    expires: 2090-01-01\n';
  writeFileSync(folder.configFile, text.replace(expires, `${expires}    unmask: [ssn, email]\n`));
  // Those of the folder permit everything.
  assert.doesNotMatch((await run('check')).stdout, /no policy permits/);
  const file = join(folder.directory, 'policies', 'no-ssn.cedar');
  const resource = `Class::"${TARGET}/postgres/ssn"`;
  writeFileSync(
    file,
    `@id("no-ssn")\nforbid (principal, action == Action::"unmask", resource == ${resource});\n`,
  );
  try {
    const { code, stdout, stderr } = await run('check');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /grants\[0\]\.unmask: no policy permits \S+ the action unmask on ssn of /);
  } finally {
    rmSync(file);
  }
});

async function findingsOf(): Promise<readonly string[]> {
  const { stdout } = await run('target', 'check', TARGET, '--json');
  const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] };
  return findings
    .filter(({ id }) => id.startsWith('class'))
    .map(({ id, severity, what }) => `${severity} ${id} ${what}`);
}

test('target check tells classes that nothing masks, and those that lead to nothing', async () => {
  configure({});
  const bare = await findingsOf();
  assert.equal(bare.length, 1);
  assert.match(
    bare[0] ?? '',
    /^high classes-not-masked comments or labels give classes to columns of 1 relations/,
  );
  configure(MASKED);
  const found = (await findingsOf()).join('\n');
  assert.match(found, /^medium class-of-nothing public\.gone has classes/m);
  assert.match(found, /^medium class-not-understood public\.t\.note /m);
  assert.match(found, /^low class-overruled public\.t\.mail /m);
});

test('status tells what is classified; a reload changes it, but not the key', async () => {
  configure(MASKED);
  const lines: string[] = [];
  const stream = { write: (line: string) => lines.push(line) };
  const gateway = await startGateway(readConfig(folder.configFile).config, {
    logger: createLogger({ stream }),
  });
  try {
    const before = gateway.status;
    assert.deepEqual(before.masking?.databases, []);
    const lease = gateway.catalogs.lease(gateway.config.targets[0]!);
    const catalog = await lease.get();
    const masking = gateway.masking?.of(TARGET);
    assert.ok(masking !== undefined);
    const first = masking.classification(catalog);
    assert.equal(masking.classification(catalog), first);
    assert.deepEqual(
      ['ssn', 'mail', 'note'].map((column) => first.classOf('public', 't', column)),
      ['ssn', 'name', '*'],
    );
    const shown = JSON.parse((await run('status', '--json')).stdout) as GatewayStatus;
    const [database] = shown.masking?.databases ?? [];
    assert.deepEqual([database?.target, database?.relations, database?.columns], [TARGET, 2, 4]);
    assert.equal(database?.warnings.length, 3);
    assert.match((await run('status')).stdout, /WARNING: public\.gone has classes in the configuration/);
    assert.equal(lines.filter((line) => line.includes('"classification"')).length, 3);

    configure({
      masking: '{ key: file:masking.key, minGroup: 9 }',
      classes: '{ public.t: { note: free_text } }',
    });
    await gateway.reload(readConfig(folder.configFile).config);
    const second = masking.classification(catalog);
    assert.equal(masking.rules.minGroup, 9);
    assert.notEqual(second.digest, first.digest);
    assert.deepEqual(
      ['ssn', 'mail', 'note'].map((column) => second.classOf('public', 't', column)),
      [undefined, 'email', 'free_text'],
    );
    for (const other of [{}, { masking: '{ key: file:target.password }' }]) {
      configure(other);
      if (other.masking !== undefined)
        writeFileSync(join(folder.directory, 'target.password'), server.password.padEnd(40, 'x'));
      await assert.rejects(gateway.reload(readConfig(folder.configFile).config), {
        code: 'CS_CONFIG_INVALID',
        detail: 'a running gateway cannot change masking.key',
      });
    }
    assert.equal(masking.rules.minGroup, 9);
    lease.release();
  } finally {
    await gateway.close();
  }
});
