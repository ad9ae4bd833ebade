import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Secrets } from '../config/config.ts';
import { addressIn, addressList, isLoopback, PrincipalRegistry } from './principal-registry.ts';
import { makeVerifier } from './scram-verifier.ts';

const secrets: Secrets = { read: async ({ name }) => Promise.resolve(Buffer.from(name)) };
const person = { owner: 'Alice', kind: 'human' } as const;

test('knows its principals and their verifiers', async () => {
  const name = `${await makeVerifier('pencil', { iterations: 2 })}\n`;
  const registry = await PrincipalRegistry.load(
    [
      { ...person, name: 'alice', credential: { kind: 'env', name }, addresses: ['10.0.0.0/8', '::1'] },
      { ...person, name: 'robot', addresses: [] },
    ],
    secrets,
  );
  assert.equal(registry.find('alice')?.owner, 'Alice');
  assert.equal(registry.find('nobody'), undefined);
  assert.equal(registry.verifierOf('alice')?.iterations, 2);
  assert.equal(registry.verifierOf('robot'), undefined);
  assert.equal(registry.mayComeFrom('alice', '10.1.2.3'), true);
  assert.equal(registry.mayComeFrom('alice', '::ffff:10.1.2.3'), true);
  assert.equal(registry.mayComeFrom('alice', '::1'), true);
  assert.equal(registry.mayComeFrom('alice', '192.0.2.1'), false);
  assert.equal(registry.mayComeFrom('robot', '192.0.2.1'), true);
  assert.equal(registry.mayComeFrom('nobody', '10.1.2.3'), false);
});

test('a credential that is not a verifier is refused, and not shown', async () => {
  const load = PrincipalRegistry.load(
    [{ ...person, name: 'alice', credential: { kind: 'env', name: 'hunter2' }, addresses: [] }],
    secrets,
  );
  await assert.rejects(load, (error: Error & { code?: string; detail?: string }) => {
    assert.equal(error.code, 'CS_CONFIG_INVALID');
    assert.ok(!`${error.message} ${error.detail}`.includes('hunter2'));
    return true;
  });
});

for (const range of ['10.0.0.0/33', '10.0.0.0/8x', '10.0.0.0/8/8', '10.0.0.0/', 'localhost', '10.0.0', '']) {
  test(`is not an address range: "${range}"`, () => {
    assert.throws(() => addressList([range]), { code: 'CS_CONFIG_INVALID' });
  });
}

test('a list of IPv6 ranges does not let IPv4 in', () => {
  assert.equal(addressIn(addressList(['2001:db8::/32']), '2001:db8::7'), true);
  assert.equal(addressIn(addressList(['2001:db8::/32']), '192.0.2.1'), false);
});

test('loopback is the peer address', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])
    assert.equal(isLoopback(address), true);
  for (const address of ['', '10.0.0.1', '::', '::ffff:10.0.0.1', '127.0.0.1.example']) {
    assert.equal(isLoopback(address), false);
  }
});
