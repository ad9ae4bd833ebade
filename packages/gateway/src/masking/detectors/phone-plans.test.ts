/** Held against the package whose data it reads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { getExampleNumber, isValidPhoneNumber, getCountries } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';

import { createPhonePlans } from './phone-plans.ts';

const plans = createPhonePlans(['US']);

/** Numbers in a row that look like chance (Lehmer). */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

test('an example of every country is a number', () => {
  for (const country of getCountries()) {
    const number = getExampleNumber(country, examples)?.number.slice(1);
    if (number !== undefined) assert.ok(plans.isInternational(number), country);
  }
});

test('what the package takes for a number, so do the plans, and hardly anything else', () => {
  const random = randoms(20_261_123);
  let valid = 0;
  let more = 0;
  for (let index = 0; index < 6_000; index++) {
    const length = 8 + Math.floor(random() * 8);
    const digits = Array.from({ length }, () => Math.floor(random() * 10)).join('');
    const isValid = isValidPhoneNumber(`+${digits}`);
    const isOurs = plans.isInternational(digits);
    if (isValid) valid += 1;
    // The package also takes a zero that is dialled at home only, behind the code of the country.
    if (isValid && !isOurs && !/^\d{1,3}[08]/.test(digits))
      assert.fail(`missed a number of ${length} digits`);
    if (isOurs && !isValid) more += 1;
  }
  assert.ok(valid > 300, `${valid} of the numbers are valid`);
  // Where a zero is dialled at home, we take it behind the code of any country.
  assert.ok(more < valid * 0.1, `${more} numbers more than ${valid}`);
});

test('numbers of North America are those with an area and an exchange', () => {
  const random = randoms(7);
  for (let index = 0; index < 3_000; index++) {
    const digits = Array.from({ length: 10 }, () => Math.floor(random() * 10)).join('');
    // The package takes exchanges of the Dominican Republic that begin with 0 or 1; there are none.
    const isExchange = (digits[3] ?? '0') > '1';
    if (isExchange && isValidPhoneNumber(`+1${digits}`)) assert.ok(plans.isNorthAmerican(digits), digits);
  }
  for (const digits of ['1125550123', '2121550123', '9995550123', '21255501234', '212555012'])
    assert.equal(plans.isNorthAmerican(digits), false, digits);
});
