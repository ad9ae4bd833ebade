/** The attacks are real, and the second wall holds by itself: no gateway is in this file. */
import { strict as assert } from 'node:assert';
import { after, test } from 'node:test';
import { ATTACKS, FAMILIES } from './corpus/index.ts';
import { THROUGH_ANALYSIS, THROUGH_ROLE } from './known.ts';
import { passedIn, runLane, stopWorlds } from './lanes.ts';

after(stopWorlds);

/** Inert ones do not count. */
const LEAST_COUNTED = 250;

test('attacks are well-formed data, each with an id of its own', () => {
  const ids = ATTACKS.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length, 'an id is given twice');
  for (const { id } of ATTACKS) assert.match(id, /^AUTHZ-\d{3}$/u);
  const hows = FAMILIES.flatMap(({ name, attacks }) =>
    attacks.map(({ how, scope }) => `${name} ${scope} ${how}`),
  );
  assert.deepEqual(
    hows.filter((how, index) => hows.indexOf(how) !== index),
    [],
    'two attacks of a family are told by the same sentence',
  );
  const texts = ATTACKS.map(({ steps, scope, options }) => JSON.stringify([scope, steps, options]));
  assert.deepEqual(
    ATTACKS.filter((_, index) => texts.indexOf(texts[index]!) !== index).map(({ id }) => id),
    [],
    'two attacks are the same',
  );
  assert.ok(ATTACKS.filter(({ inert }) => inert === undefined).length >= LEAST_COUNTED);
});

test('what shows success is in no attack itself', () => {
  for (const { id, received, steps } of ATTACKS) {
    if (received !== undefined)
      assert.ok(!JSON.stringify(steps).includes(received), `${id} sends its own evidence`);
  }
});

test('known passes are attacks that count', () => {
  for (const id of [...Object.keys(THROUGH_ANALYSIS), ...Object.keys(THROUGH_ROLE)]) {
    const attack = ATTACKS.find((each) => each.id === id);
    assert.ok(attack !== undefined && attack.inert === undefined, id);
  }
});

test('every attack succeeds where nothing stops it', async () => {
  const lane = await runLane('open');
  assert.deepEqual(lane.refusedControls, []);
  const real = ATTACKS.filter(({ inert }) => inert === undefined).map(({ id }) => id);
  assert.deepEqual(passedIn(lane), real);
  const inert = ATTACKS.filter(
    (attack) => attack.inert !== undefined && lane.verdicts.get(attack.id)?.succeeded,
  );
  assert.deepEqual(
    inert.map(({ id }) => id),
    [],
    'an attack that has an effect is marked as inert',
  );
});

test('the role of a scope lets through only what is known, and why', async (t) => {
  const lane = await runLane('role');
  assert.deepEqual(lane.refusedControls, []);
  assert.deepEqual(passedIn(lane), Object.keys(THROUGH_ROLE).toSorted());
  t.diagnostic(`${passedIn(lane).length} of ${lane.verdicts.size} attacks pass the role alone`);
});
