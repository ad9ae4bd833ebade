import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatVerifier, makeVerifier, parseVerifier } from './scram-verifier.ts';

// RFC 7677 section 3: password "pencil", this salt, 4,096 iterations. The keys were computed by PostgreSQL 15.
const SALT = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
const VERIFIER =
  'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=';

test('a verifier is what PostgreSQL stores for the same password and salt', async () => {
  assert.equal(await makeVerifier('pencil', { salt: SALT }), VERIFIER);
});

test('a verifier survives parsing and formatting', () => {
  const verifier = parseVerifier(VERIFIER);
  assert.ok(verifier);
  assert.equal(formatVerifier(verifier), VERIFIER);
  assert.equal(verifier.iterations, 4096);
});

test('two verifiers of one password differ by their salt', async () => {
  assert.notEqual(
    await makeVerifier('pencil', { iterations: 2 }),
    await makeVerifier('pencil', { iterations: 2 }),
  );
});

const NOT_VERIFIERS: Readonly<Record<string, string>> = {
  'a password': 'pencil',
  'an MD5 hash': `md5${'0'.repeat(32)}`,
  'another mechanism': VERIFIER.replace('SHA-256', 'SHA-1'),
  'no iterations': VERIFIER.replace('4096', ''),
  'zero iterations': VERIFIER.replace('4096', '0'),
  'an empty salt': VERIFIER.replace('W22ZaJ0SNY7soEsUEjb6gQ==', ''),
  'a short key': VERIFIER.replace('WG5d', ''),
  'something behind it': `${VERIFIER}x`,
};

for (const [name, text] of Object.entries(NOT_VERIFIERS)) {
  test(`is not a verifier: ${name}`, () => assert.equal(parseVerifier(text), undefined));
}
