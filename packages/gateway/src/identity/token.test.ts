import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { issueToken, TOKEN_MAX_TTL_MS, verifyToken } from './token.ts';

const KEY = Buffer.alloc(32, 1);
const NOW = 1_800_000_000_000;
const SUBJECT = { principal: 'alice', target: 'bank' };

test('a token is good for its principal and target until it ends', () => {
  const { token, claims } = issueToken(KEY, SUBJECT, 60_000, NOW);
  assert.deepEqual(verifyToken(KEY, token, SUBJECT, NOW), { ok: true, claims });
  assert.deepEqual(verifyToken(KEY, token, SUBJECT, NOW + 59_999), { ok: true, claims });
  assert.equal(claims.exp, NOW + 60_000);
});

test('no token lives longer than 15 minutes', () => {
  assert.equal(issueToken(KEY, SUBJECT, 86_400_000, NOW).claims.exp, NOW + TOKEN_MAX_TTL_MS);
});

test('two tokens never have one id', () => {
  assert.notEqual(issueToken(KEY, SUBJECT, 1, NOW).claims.jti, issueToken(KEY, SUBJECT, 1, NOW).claims.jti);
});

const sign = (payload: string): string => {
  const signed = `cst1.${Buffer.from(payload).toString('base64url')}`;
  return `${signed}.${createHmac('sha256', KEY).update(signed).digest('base64url')}`;
};

const { token: GOOD } = issueToken(KEY, SUBJECT, 60_000, NOW);
const [, PAYLOAD = '', MAC = ''] = GOOD.split('.');
const OTHER_PAYLOAD = Buffer.from(
  '{"principal":"root","target":"bank","exp":1800000000001,"jti":"x"}',
).toString('base64url');

const REFUSED: readonly (readonly [why: string, token: string, reason: string])[] = [
  ['empty', '', 'malformed'],
  ['no prefix', GOOD.slice(5), 'malformed'],
  ['something behind it', `${GOOD}x`, 'malformed'],
  ['longer than any token', `cst1.${'A'.repeat(2000)}.${MAC}`, 'malformed'],
  ['payload of somebody else under this MAC', `cst1.${OTHER_PAYLOAD}.${MAC}`, 'mac'],
  ['a MAC of zeros', `cst1.${PAYLOAD}.${'A'.repeat(43)}`, 'mac'],
  ['signed, but not JSON', sign('nonsense'), 'malformed'],
  ['signed, but null', sign('null'), 'malformed'],
  ['signed, but exp is text', sign('{"principal":"alice","target":"bank","exp":"9","jti":"x"}'), 'malformed'],
  [
    'signed, but for a year',
    sign(`{"principal":"alice","target":"bank","exp":${NOW + 3e10},"jti":"x"}`),
    'expired',
  ],
  [
    'of another principal',
    issueToken(KEY, { principal: 'bob', target: 'bank' }, 60_000, NOW).token,
    'principal',
  ],
  [
    'for another target',
    issueToken(KEY, { principal: 'alice', target: 'vault' }, 60_000, NOW).token,
    'target',
  ],
  ['ended', issueToken(KEY, SUBJECT, 0, NOW).token, 'expired'],
  ['under another key', issueToken(Buffer.alloc(32, 2), SUBJECT, 60_000, NOW).token, 'mac'],
];

for (const [why, token, reason] of REFUSED) {
  test(`refused: ${why}`, () => {
    const verdict = verifyToken(KEY, token, SUBJECT, NOW);
    assert.equal(verdict.ok, false);
    assert.equal(verdict.ok ? undefined : verdict.reason, reason);
  });
}

test('no change of one character gets through', () => {
  for (let at = 0; at < GOOD.length; at++) {
    const changed = GOOD.slice(0, at) + (GOOD[at] === 'A' ? 'B' : 'A') + GOOD.slice(at + 1);
    // The last character of a base64url MAC has two bits that carry nothing; a change of those alone is no change.
    const isSameMac = Buffer.from(changed.split('.')[2] ?? '', 'base64url').equals(
      Buffer.from(MAC, 'base64url'),
    );
    if (isSameMac && changed.startsWith(`cst1.${PAYLOAD}.`)) continue;
    assert.equal(verifyToken(KEY, changed, SUBJECT, NOW).ok, false, `at ${at}`);
  }
});
