/** One caller's text must not hold up everybody: what the gateway reads of it takes time in proportion to its length. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { nameEffectOf } from '../../packages/gateway/src/postgres/translator/prepared-statements.ts';

const LONG = 1 << 20;

// An expression that tries each way to divide the white space takes hours for one of these texts; the limit is no clock.
const TEXTS: readonly (readonly [text: string, effect: string])[] = [
  [`deallocate x${' '.repeat(LONG)}y`, 'everything'],
  [`deallocate x;${' '.repeat(LONG)}y`, 'everything'],
  [`${' '.repeat(LONG)}deallocate${' '.repeat(LONG)}prepare${' '.repeat(LONG)}é`, 'everything'],
  [`deallocate "${'""'.repeat(LONG)}`, 'everything'],
  [`deallocate ${'a'.repeat(LONG)}é`, 'everything'],
  [`prepare transaction${' '.repeat(LONG)};y`, 'everything'],
  [`prepare transaction 'x'${' '.repeat(LONG)};${' '.repeat(LONG)}`, 'none'],
  [`deallocate x${' '.repeat(LONG)};${' '.repeat(LONG)}`, 'statement'],
];

for (const [text, effect] of TEXTS) {
  const title = text.slice(0, 30).trim() || 'white space first';
  test(`${title} … ${text.length} characters`, { timeout: 60_000 }, () => {
    assert.equal(nameEffectOf(text).kind, effect);
  });
}
