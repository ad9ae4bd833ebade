/** What `check` says of keys that are in the wrong hands, or in the wrong place. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkCustody } from '../../packages/gateway/src/config/custody.ts';
import { readConfig } from '../../packages/gateway/src/config/read-config.ts';
import { createSecrets } from '../../packages/gateway/src/config/secrets.ts';
import { trySecrets } from '../../packages/gateway/src/gateway/try-secrets.ts';
import { GatewayFolder } from '../support/gateway-process.ts';

const target = { port: 1, database: 'none', user: 'none', password: 'none' };

test('the custodian’s private key is noticed under any name, beside the configuration too', async (t) => {
  const folder = await GatewayFolder.create({ target });
  const elsewhere = mkdtempSync(join(tmpdir(), 'countersign-check-'));
  t.after(() => {
    folder.remove();
    rmSync(elsewhere, { recursive: true });
  });
  const warnings = (): string[] =>
    checkCustody(readConfig(folder.configFile).config)
      .filter(({ path }) => path === 'vault.custodianKey')
      .map(({ message }) => message);
  assert.deepEqual(warnings(), []);
  // Another private key of the same kind is not the custodian's.
  const other = await GatewayFolder.create({ target });
  writeFileSync(join(folder.directory, 'other.pem'), other.custodianKey);
  other.remove();
  assert.deepEqual(warnings(), []);
  writeFileSync(join(folder.directory, 'notes.txt'), folder.custodianKey);
  assert.equal(warnings().length, 1);
  // The public half may lie elsewhere.
  const publicFile = join(elsewhere, 'custodian.pem');
  writeFileSync(publicFile, readFileSync(join(folder.directory, 'custodian.pem')));
  const text = readFileSync(folder.configFile, 'utf8').replace('file:custodian.pem', `file:${publicFile}`);
  writeFileSync(folder.configFile, text);
  assert.match(warnings()[0]!, /is the custodian's private key/);
});

test('log.previousKey must be another key than the one in force', async (t) => {
  const folder = await GatewayFolder.create({ target });
  t.after(() => folder.remove());
  const text = readFileSync(folder.configFile, 'utf8').replace(
    'signingKey: file:signing.pem',
    'signingKey: file:signing.pem\n  previousKey: file:signing.pem',
  );
  writeFileSync(folder.configFile, text);
  const problems = await trySecrets(readConfig(folder.configFile).config, createSecrets());
  assert.deepEqual(
    problems.map(({ path, severity }) => [severity, path]),
    [['error', 'log.previousKey']],
  );
});
