import assert from 'node:assert/strict';
import { test } from 'node:test';
import { saslprep } from './saslprep.ts';

// The first rows are RFC 4013 section 3; test/connections/password-preparation.test.ts compares with PostgreSQL itself.
const ROWS: readonly (readonly [why: string, input: string, output: string])[] = [
  ['a soft hyphen is mapped to nothing', 'I\u00adX', 'IX'],
  ['nothing to do', 'user', 'user'],
  ['case is kept', 'USER', 'USER'],
  ['NFKC', '\u00aa', 'a'],
  ['NFKC, Roman numeral nine', '\u2168', 'IX'],
  ['a no-break space becomes a space', 'a\u00a0b', 'a b'],
  ['ASCII control characters pass, as in PostgreSQL', '\u0007', '\u0007'],
  ['prohibited next to non-ASCII: used as it came', '\u0007é\u2168', '\u0007é\u2168'],
  ['right to left and a digit at the end: used as it came', '\u0627\u0031\u00aa', '\u0627\u0031\u00aa'],
  ['only mapped to nothing: used as it came', '\u00ad', '\u00ad'],
  ['unassigned in Unicode 3.2: used as it came', '🦊\u2168', '🦊\u2168'],
];

for (const [why, input, output] of ROWS) {
  test(why, () => assert.equal(saslprep(input), output));
}
