import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { loadIdentityKeys } from './identity-keys.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'countersign-keys-'));
});
afterEach(async () => rm(directory, { recursive: true, force: true }));

test('keys are made once, differ by purpose, and nobody else may read them', async () => {
  const first = await loadIdentityKeys(directory);
  assert.deepEqual(await loadIdentityKeys(directory), first);
  assert.ok(!first.token.equals(first.mock) && !first.mock.equals(first.cancel));
  assert.deepEqual(await readdir(join(directory, 'keys')), ['identity.key']);
  assert.equal((await stat(join(directory, 'keys', 'identity.key'))).mode & 0o777, 0o600);
});

test('of several at once all get the same keys', async () => {
  const all = await Promise.all(Array.from({ length: 8 }, async () => loadIdentityKeys(directory)));
  for (const keys of all) assert.deepEqual(keys, all[0]);
  assert.deepEqual(await readdir(join(directory, 'keys')), ['identity.key']);
});

test('a key that others may read is refused', async () => {
  await loadIdentityKeys(directory);
  await chmod(join(directory, 'keys', 'identity.key'), 0o640);
  await assert.rejects(loadIdentityKeys(directory), { code: 'CS_SECRET_UNAVAILABLE' });
});

test('a key of another length is refused, not replaced', async () => {
  await loadIdentityKeys(directory);
  await writeFile(join(directory, 'keys', 'identity.key'), 'short');
  await assert.rejects(loadIdentityKeys(directory), { code: 'CS_SECRET_UNAVAILABLE' });
});
