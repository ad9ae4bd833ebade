import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { isCountersignError } from '../errors.ts';
import { checkCustody, CUSTODIAN_PRIVATE_FILE, readEverySecret } from './custody.ts';
import { markDemo, refuseDemo } from './demo-rule.ts';
import { parseConfig } from './read-config.ts';
import { createSecrets } from './secrets.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-secrets-'));
after(() => rmSync(folder, { recursive: true }));

const secrets = createSecrets({ PASSWORD: 'from the environment', EMPTY: '' });

test('a secret comes from the environment or a file, without one line break at its end', async () => {
  writeFileSync(join(folder, 'unix'), 'secret\n');
  writeFileSync(join(folder, 'windows'), 'secret\r\n');
  writeFileSync(join(folder, 'two'), 'secret\n\n');
  const read = async (name: string): Promise<string> =>
    (await secrets.read({ kind: 'file', name: join(folder, name) })).toString();
  assert.equal(await read('unix'), 'secret');
  assert.equal(await read('windows'), 'secret');
  assert.equal(await read('two'), 'secret\n');
  assert.equal((await secrets.read({ kind: 'env', name: 'PASSWORD' })).toString(), 'from the environment');
});

test('a rotated file counts at the next read', async () => {
  const name = join(folder, 'rotated');
  writeFileSync(name, 'one');
  assert.equal((await secrets.read({ kind: 'file', name })).toString(), 'one');
  writeFileSync(name, 'two');
  assert.equal((await secrets.read({ kind: 'file', name })).toString(), 'two');
});

test('what cannot be read is named by its reference', async () => {
  writeFileSync(join(folder, 'empty'), '\n');
  writeFileSync(join(folder, 'large'), Buffer.alloc(1_048_577, 'x'));
  const cases = [
    [{ kind: 'env', name: 'MISSING' }, /env:MISSING is not set/],
    [{ kind: 'env', name: 'EMPTY' }, /env:EMPTY is empty/],
    [{ kind: 'file', name: join(folder, 'nothing') }, /nothing cannot be read: ENOENT/],
    [{ kind: 'file', name: join(folder, 'empty') }, /empty is empty/],
    [{ kind: 'file', name: join(folder, 'large') }, /larger than 1 MiB/],
    [{ kind: 'file', name: folder }, /is not a file/],
  ] as const;
  for (const [reference, said] of cases) {
    await assert.rejects(
      secrets.read(reference),
      (error) => isCountersignError(error, 'CS_SECRET_UNAVAILABLE') && said.test(error.detail ?? ''),
    );
  }
});

/** A configuration whose secrets are files in `folder`. */
function configOf(name: string) {
  for (const file of ['log.pem', 'custodian.pem', 'target.password', 'agent.verifier']) {
    writeFileSync(join(folder, file), 'x', { mode: 0o600 });
    chmodSync(join(folder, file), 0o600);
  }
  const text = `version: 1
state: ./${name}
log: { origin: example.com/x, signingKey: 'file:log.pem' }
vault: { custodianKey: 'file:custodian.pem' }
listen: { postgres: { address: '127.0.0.1:0' } }
targets:
  bank: { protocol: postgres, hosts: ['127.0.0.1'], database: bank, logins: { a: { user: a, password: 'file:target.password' } } }
principals: [{ name: agent, owner: x, kind: agent, credential: 'file:agent.verifier' }]
`;
  return parseConfig(text, join(folder, 'countersign.yaml')).config;
}

test('custody: modes, owners and the custodian', () => {
  const config = configOf('custody');
  const paths = (): string[] => checkCustody(config).map((problem) => problem.path);
  // Whoever runs this test owns both files.
  assert.deepEqual(paths(), ['log.signingKey']);

  chmodSync(join(folder, 'target.password'), 0o644);
  assert.deepEqual(paths(), ['targets.bank.logins.a.password', 'log.signingKey']);
  // The custodian's key is public.
  chmodSync(join(folder, 'custodian.pem'), 0o644);
  assert.deepEqual(paths(), ['targets.bank.logins.a.password', 'log.signingKey']);

  writeFileSync(join(folder, CUSTODIAN_PRIVATE_FILE), 'x');
  assert.deepEqual(paths().at(-1), 'vault.custodianKey');
  rmSync(join(folder, CUSTODIAN_PRIVATE_FILE));
});

test('a secret that cannot be read is told under its key', async () => {
  const config = configOf('unreadable');
  const secrets = createSecrets();
  assert.deepEqual(await readEverySecret(config, secrets), []);
  rmSync(join(folder, 'agent.verifier'));
  const [missing, ...rest] = await readEverySecret(config, secrets);
  assert.equal(missing?.code, 'CS_SECRET_UNAVAILABLE');
  assert.equal(missing?.path, 'principals[0].credential');
  assert.deepEqual(rest, []);
});

test('a demo marks its folders, and nothing else may stand on them', () => {
  const config = configOf('demo-state');
  refuseDemo(config);
  markDemo(config);
  assert.throws(
    () => refuseDemo(config),
    (error) => isCountersignError(error, 'CS_CONFIG_INVALID') && error.detail?.includes(folder) === true,
  );
});
