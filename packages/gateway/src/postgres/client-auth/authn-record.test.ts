import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LeafCollector } from '../../../../../test/connections/leaf-collector.ts';
import { CountersignError } from '../../errors.ts';
import { AuthnRecord } from './authn-record.ts';

const GUESS = {
  address: '192.0.2.1',
  attempted: 'alice',
  principal: 'alice',
  method: 'scram-sha-256',
  reason: 'credential',
};

test('failures of one source become one leaf and one aggregate', async () => {
  const record = new LeafCollector();
  const authn = new AuthnRecord({ recorder: record.asRecorder() });
  for (let i = 0; i < 100; i++) await authn.refused(GUESS);
  await authn.refused({ ...GUESS, address: '192.0.2.2' });
  authn.flush();
  const leaves = record.authentications;
  assert.deepEqual(
    leaves.map(({ count }) => count),
    [undefined, undefined, 99],
  );
  assert.ok((leaves[2]?.firstAtUs ?? 0n) <= (leaves[2]?.lastAtUs ?? -1n));
});

test('names that are not configured are one source together, and never in clear', async () => {
  const record = new LeafCollector();
  const authn = new AuthnRecord({ recorder: record.asRecorder() });
  for (let i = 0; i < 50; i++) {
    await authn.refused({
      address: '192.0.2.1',
      attempted: `hunter${i}`,
      method: 'scram-sha-256',
      reason: 'unknown-principal',
    });
  }
  authn.flush();
  assert.equal(record.authentications.length, 2);
  const text = JSON.stringify(record.leaves, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  assert.ok(!text.includes('hunter') && !text.includes('192.0.2.1'));
  assert.deepEqual(
    record.payloads[0]?.map(({ field }) => field),
    ['attempted', 'peer'],
  );
});

test('many sources do not make many windows', async () => {
  const record = new LeafCollector();
  const authn = new AuthnRecord({ recorder: record.asRecorder(), maxSources: 10 });
  for (let i = 0; i < 500; i++) await authn.refused({ ...GUESS, address: `10.0.${i >> 8}.${i & 255}` });
  authn.flush();
  assert.equal(record.authentications.length, 11);
  assert.equal(record.authentications.at(-1)?.count, 490);
});

test('an acceptance that cannot be recorded is an error', async () => {
  const record = new LeafCollector();
  const authn = new AuthnRecord({ recorder: record.asRecorder() });
  record.failure = new CountersignError('CS_RECORD_FULL');
  await assert.rejects(authn.accepted(GUESS), { code: 'CS_RECORD_FULL' });
});

test('every failure is in exactly one leaf, whatever the windows', async () => {
  const record = new LeafCollector();
  const authn = new AuthnRecord({ recorder: record.asRecorder(), maxSources: 5 });
  for (let i = 0; i < 1000; i++) {
    await authn.refused({
      ...GUESS,
      address: `10.0.0.${i % 9}`,
      reason: i % 2 === 0 ? 'credential' : 'address',
    });
    if (i % 300 === 0) authn.flush();
  }
  for (let i = 0; i < 50; i++)
    authn.note({ address: '10.0.0.1', method: 'none', reason: 'CS_CONNECTION_LIMIT' });
  assert.ok(authn.size <= 6);
  authn.flush();
  const sum = record.authentications.reduce((total, { count }) => total + (count ?? 1), 0);
  assert.equal(sum, 1050);
});

test('addresses of one IPv6 network are one source', async () => {
  const record = new LeafCollector();
  const authn = new AuthnRecord({ recorder: record.asRecorder() });
  for (let i = 0; i < 500; i++) await authn.refused({ ...GUESS, address: `2001:db8:0:1::${i.toString(16)}` });
  authn.flush();
  assert.deepEqual(
    record.authentications.map(({ count }) => count),
    [undefined, 499],
  );
});
