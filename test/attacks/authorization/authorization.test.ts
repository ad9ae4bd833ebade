/**
 * The attack corpus: each attack must be real (it succeeds where nothing stops it), and none may pass both walls.
 */
import { strict as assert } from 'node:assert';
import { after, test } from 'node:test';
import { ATTACKS, FAMILIES } from './corpus/index.ts';
import { openDoor, tryAttack } from './try-attack.ts';
import { Arena, World } from './world.ts';

const worlds: World[] = [];
after(async () => {
  for (const world of worlds) await world.stop();
});

/** The issue asks for 250; inert ones do not count. */
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

test('every attack succeeds where nothing stops it', async () => {
  const world = await World.start({});
  worlds.push(world);
  const door = openDoor(await Arena.open(world, 'authz_open'));
  const wrong: string[] = [];
  for (const attack of ATTACKS) {
    const { succeeded, findings, errors } = await tryAttack(door, attack);
    const expected = attack.inert === undefined;
    if (succeeded !== expected)
      wrong.push(`${attack.id} ${succeeded ? findings.join(', ') : errors.join(', ')}`);
  }
  await door.close();
  assert.deepEqual(wrong, []);
});
