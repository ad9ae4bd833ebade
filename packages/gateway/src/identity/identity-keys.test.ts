import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { IdentityKeyRing, loadIdentityKeys } from './identity-keys.ts';

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

test('another secret is recorded before it is in force, and then the old one is gone', async () => {
  const ring = await IdentityKeyRing.load(directory);
  const { token: before, cancel } = ring;
  await ring.renew(async (fingerprint) => {
    assert.ok(ring.token.equals(before));
    assert.notEqual(fingerprint, ring.fingerprint);
    assert.deepEqual(await readdir(join(directory, 'keys')), ['identity.key', 'identity.key.next']);
  });
  assert.ok(!ring.token.equals(before));
  assert.ok(ring.cancel.equals(cancel), 'sessions that are open can be cancelled');
  assert.ok((await loadIdentityKeys(directory)).token.equals(ring.token));
  assert.deepEqual(await readdir(join(directory, 'keys')), ['identity.key']);
});

test('what cannot be recorded does not come into force', async () => {
  const ring = await IdentityKeyRing.load(directory);
  const { token } = ring;
  await assert.rejects(
    ring.renew(() => Promise.reject(new Error('no record'))),
    /no record/,
  );
  assert.ok(ring.token.equals(token));
  assert.ok((await loadIdentityKeys(directory)).token.equals(token));
  await ring.renew(() => Promise.resolve());
});

test('a crash between record and name: the secret that was to go does not come back', async () => {
  const before = await loadIdentityKeys(directory);
  await writeFile(join(directory, 'keys', 'identity.key.next'), Buffer.alloc(32, 1), { mode: 0o600 });
  const next = await loadIdentityKeys(directory);
  assert.ok(!next.token.equals(before.token));
  assert.deepEqual(await loadIdentityKeys(directory), next);
  // One that was cut off while it was written never was in force.
  await writeFile(join(directory, 'keys', 'identity.key.next'), 'half', { mode: 0o600 });
  assert.deepEqual(await loadIdentityKeys(directory), next);
});
