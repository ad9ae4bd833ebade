/** Every attempt through the real gateway to real PostgreSQL: with masking none gets anything that it should not, without it those of a sample do. */
import { strict as assert } from 'node:assert';
import { createHash, randomInt } from 'node:crypto';
import { after, test } from 'node:test';
import { ATTEMPTS, FAMILIES, unprovenIn } from './corpus/index.ts';
import { THROUGH_MASK } from './known.ts';
import { leakedIn, runLane, stopWorlds } from './lanes.ts';
import { tableOf } from './table.ts';

after(stopWorlds);

/** The limit. */
const LEAST_ATTEMPTS = 300;
/** Each has its reason in known.ts. */
const MOST_THROUGH_MASK = 15;

/** Where nothing is masked a sample is played, another in each run; `npm run test:masking` plays all. */
const SAMPLE = 60;

test('attempts are well-formed data, each with an id of its own', () => {
  const ids = ATTEMPTS.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length, 'an id is given twice');
  for (const id of ids) assert.match(id, /^MASK-\d{3}$/u);
  const hows = FAMILIES.flatMap(({ name, attempts }) => attempts.map(({ how }) => `${name}: ${how}`));
  assert.deepEqual(
    hows.filter((how, index) => hows.indexOf(how) !== index),
    [],
    'two attempts of a family are told by the same sentence',
  );
  const texts = ATTEMPTS.map(({ steps, grant, setup }) => JSON.stringify([steps, grant, setup]));
  assert.deepEqual(
    ATTEMPTS.filter((_, index) => texts.indexOf(texts[index]!) !== index).map(({ id }) => id),
    [],
    'two attempts are the same',
  );
  assert.ok(ATTEMPTS.filter(({ blocked }) => blocked === undefined).length >= LEAST_ATTEMPTS);
});

test('attempts get a value or a bit where nothing is masked', async (t) => {
  const seed = Number(process.env['COUNTERSIGN_MASKING_SEED'] ?? randomInt(2 ** 31));
  t.diagnostic(`COUNTERSIGN_MASKING_SEED=${seed}`);
  const without = await runLane('without-masking', { only: sampleOf(seed) });
  t.diagnostic(`${leakedIn(without).length} of ${without.verdicts.size} got something`);
  assert.ok(without.verdicts.size > SAMPLE / 2);
  assert.deepEqual(without.wrongControls, []);
  assert.deepEqual(unprovenIn(new Set(leakedIn(without)), new Set(without.verdicts.keys())), []);
});

/** @returns ids, the same for the same seed */
function sampleOf(seed: number): readonly string[] {
  const rank = (id: string): string => createHash('sha256').update(`${seed} ${id}`).digest('hex');
  const ranked = ATTEMPTS.map(({ id }) => ({ id, rank: rank(id) }));
  return ranked
    .toSorted((a, b) => (a.rank < b.rank ? -1 : 1))
    .slice(0, SAMPLE)
    .map(({ id }) => id);
}

test('no attempt gets anything through the mask but what is known, and why', async (t) => {
  const masking = await runLane('masking');
  for (const line of tableOf({ masking }).split('\n')) t.diagnostic(line);
  assert.deepEqual(masking.wrongControls, []);
  for (const id of leakedIn(masking)) t.diagnostic(`${id} ${THROUGH_MASK[id] ?? 'NO REASON IS KNOWN'}`);
  assert.deepEqual(leakedIn(masking), Object.keys(THROUGH_MASK).toSorted());
  assert.ok(leakedIn(masking).length <= MOST_THROUGH_MASK);
});
