/** What share of the values in ordinary texts is found, and how often something is found that is none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createDetectors } from '../../packages/gateway/src/masking/detectors/detectors.ts';
import { foldCodePoint } from '../../packages/gateway/src/masking/detectors/characters.ts';
import { measure } from './accuracy.ts';
import { chanceOf } from './chance.ts';
import type { Chance } from './chance.ts';
import { documents } from './documents.ts';
import type { Document } from './documents.ts';

const detectors = createDetectors();

test('nearly every value is found, and little else', () => {
  for (const seed of [21, 22, 23]) {
    const measured = measure(detectors, documents(chanceOf(seed), 120));
    for (const [name, { values, found, findings, wrong }] of measured.classes) {
      assert.ok(found >= values * 0.99, `${name}: ${found} of ${values}: ${measured.missed.join('\n')}`);
      // One number of a hundred by chance has the prefix of a brand and the right check digit: it is taken for a card.
      assert.ok(wrong <= findings * 0.06, `${name}: ${wrong} of ${findings}: ${measured.wrong.join('\n')}`);
    }
  }
});

const ZERO_WIDTH = ['\u200b', '\u200d', '\u2060', '\ufeff', '\u00ad'];
const ZEROS = [0xff10, 0x0660, 0x0966, 0x1d7ce, 0x1d7f6];

/** The same text, its digits of another script and with invisible characters between them. */
function hide({ text, labels }: Document, chance: Chance): Document {
  const zero = chance.pick(ZEROS);
  const places: number[] = [];
  let hidden = '';
  for (const character of text) {
    for (let unit = 0; unit < character.length; unit++) places.push(hidden.length);
    const isDigit = character >= '0' && character <= '9';
    hidden += isDigit ? String.fromCodePoint(zero + Number(character)) : character;
    if (isDigit && chance.next() < 0.3) hidden += chance.pick(ZERO_WIDTH);
  }
  places.push(hidden.length);
  const moved = labels.map((label) => ({
    class: label.class,
    start: places[label.start] ?? 0,
    // An invisible character behind the last digit is not part of it.
    end: (places[label.end - 1] ?? 0) + 1,
  }));
  return { text: hidden, labels: moved };
}

test('neither scripts nor invisible characters hide a number', () => {
  const chance = chanceOf(31);
  const numbers = new Set(['pan', 'ssn', 'account_number', 'phone', 'dob']);
  const plain = documents(chance, 60).filter(({ labels }) =>
    labels.some((label) => numbers.has(label.class)),
  );
  const hidden = plain.map((document) => hide(document, chance));
  for (const [name, { values, found }] of measure(detectors, hidden).classes)
    if (numbers.has(name)) assert.ok(found >= values * 0.99, `${name}: ${found} of ${values}`);
});

test('findings are in order, apart from each other and the same in bytes', () => {
  const chance = chanceOf(41);
  for (const document of documents(chance, 20)) {
    const { text } = hide(document, chance);
    const findings = detectors.find(text);
    let last = 0;
    for (const { start, end } of findings) {
      assert.ok(start >= last && end > start && end <= text.length);
      last = end;
    }
    const bytes = Buffer.from(text);
    assert.deepEqual(
      detectors
        .findInBytes(bytes)
        .map(({ start, end, class: name }) => [name, bytes.toString('utf8', start, end)]),
      findings.map(({ start, end, class: name }) => [name, text.slice(start, end)]),
    );
  }
});

test('every decimal digit of Unicode is folded to its value', () => {
  for (let codePoint = 0x80; codePoint < 0x20000; codePoint++) {
    const text = String.fromCodePoint(codePoint);
    if (!/\p{Nd}/u.test(text)) continue;
    const folded = foldCodePoint(codePoint);
    assert.ok(folded >= 0x30 && folded <= 0x39, codePoint.toString(16));
    // Digits come in tens: the tenth of a run is a nine.
    if (!/\p{Nd}/u.test(String.fromCodePoint(codePoint + 1)))
      assert.equal(folded, 0x39, codePoint.toString(16));
  }
});
