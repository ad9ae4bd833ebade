/**
 * No text makes detectors slow. Counted in characters looked at, which says the same on every machine; `npm run bench -- detectors` says how long it takes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createDetectors } from '../../packages/gateway/src/masking/detectors/detectors.ts';
import { chanceOf } from './chance.ts';
import { fuzz, textOf } from './fuzz.ts';

const detectors = createDetectors();
const stepsOf = (text: string): number => detectors.findCounting(text).steps;

/** A plain text is walked through three times. Six times of that is what the worst of all fuzzers so far made of it. */
const MOST_STEPS = 18;

/** What made earlier forms of the detectors walk through a text again and again. */
const OLD_ENEMIES: readonly string[] = [
  'sk-',
  'eyJ-',
  'eyJ.',
  'key=',
  'password=',
  'token: "',
  'born19800229',
  '1 ',
  '4111 ',
  '+1 ',
  'call (1',
  'card 4 ',
  '-----BEGIN ',
  '-----BEGIN PRIVATE KEY-----',
  '://a:',
  'a@',
  '"@',
  ':a',
  '::',
  '&#49;',
  String.raw`\\\\`,
  '%25',
  'GB82',
  'bearer ',
  'dob 1.1.',
];

test('twice the text is twice the work', () => {
  for (const motif of OLD_ENEMIES) {
    const [one, two] = [stepsOf(textOf([motif], 16_384)), stepsOf(textOf([motif], 32_768))];
    assert.ok(two < one * 2.1, `${motif}: ${one} steps, then ${two}`);
    assert.ok(one < 16_384 * MOST_STEPS, `${motif}: ${one} steps`);
  }
});

test('a fuzzer finds no text that takes more than a few looks at each character', () => {
  for (const seed of [11, 12, 13]) {
    const { median, worst } = fuzz(chanceOf(seed), (text) => stepsOf(text) / text.length, {
      texts: 200,
      changes: 600,
      length: 2_048,
    });
    assert.ok(median > 2 && median < 5, `median ${median}`);
    assert.ok(
      worst.cost < MOST_STEPS,
      `${worst.cost} steps for each character of ${JSON.stringify(worst.motif)}`,
    );
  }
});

test('a megabyte of digits, signs or keys comes to an end', () => {
  for (const motif of ['1', '4 ', '@', ':', '-', '%', '\\', '&', 'A', 'password=', 'é', '１'])
    assert.ok(stepsOf(textOf([motif], 1 << 20)) < (1 << 20) * MOST_STEPS, motif);
});
