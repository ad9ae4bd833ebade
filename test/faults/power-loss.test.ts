/** The power is cut at every sync point of a run. `npm run test:faults` goes on for longer. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { losePower, type PowerLossOptions } from './power-loss.ts';

const seed = Math.floor(Math.random() * 0x7fff_ffff);

test('wherever the power is cut, nothing acknowledged is lost and the record starts again by itself', async (context) => {
  context.diagnostic(`seed ${seed}`);
  const report = await losePower({ seed, states: 60, report: (text) => context.diagnostic(text) });
  context.diagnostic(JSON.stringify(report));
  assert.deepEqual(report.violations, [], `seed ${seed}`);
  assert.ok(report.points > 100 && report.acknowledged > 40 && report.states >= 55, JSON.stringify(report));
});

/** What a disk may pretend to do, and how many states it takes at most until the simulation has seen that it lies. */
const LIES: Readonly<Record<string, NonNullable<PowerLossOptions['lies']>>> = {
  'syncs of the journal': ({ op }, path) => op === 'sync' && path.endsWith('.seg'),
  'syncs of the names in the journal': ({ op }, path) =>
    op === 'syncDirectory' && path.endsWith('/journal/w0'),
  'syncs of tiles and bundles': ({ op }, path) => op === 'sync' && path.includes('/log/tile/'),
  'syncs of the names of tiles': ({ op }, path) => op === 'syncDirectory' && path.includes('/log/tile'),
  'syncs of the vault': ({ op }, path) => op === 'sync' && path.includes('/vault/blocks/'),
  'syncs of wrapped data keys': ({ op }, path) => op === 'sync' && path.includes('/vault/keys/'),
  'syncs of spooled values': ({ op }, path) => op === 'sync' && path.includes('/vault/spool/'),
};

for (const [what, lies] of Object.entries(LIES)) {
  test(`a disk that lies about ${what} is caught`, async () => {
    const report = await losePower({ seed, lies, nested: 0, most: 1, cuts: ['nothing'], states: 60 });
    assert.equal(report.violations.length, 1, `seed ${seed}: ${JSON.stringify(report)}`);
  });
}
