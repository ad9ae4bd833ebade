import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { findMasked, MAX_MASKED_BYTES } from './find-masked.ts';
import { testKeys } from './keys-fixture.ts';
import { LONGEST_MARK, marksOf } from './marks.ts';

const KEYS = testKeys();
const MARKS = marksOf(KEYS);
const REDACTION = MARKS.redaction('ssn');
const TOKEN = MARKS.token('account_number', 'grant-1', '4000123');

const uuidText = (uuid: Buffer): string =>
  uuid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

describe('a mark', () => {
  it('has the form that docs/masking.md tells', () => {
    assert.match(REDACTION, /^\[ssn:xr[0-9a-hjkmnp-tv-z]{20}\]$/);
    assert.match(TOKEN, /^\[account_number:xt[0-9a-hjkmnp-tv-z]{29}\]$/);
    assert.ok(
      MARKS.token('a'.repeat(32), 's', 'v').length <= LONGEST_MARK && 2 * LONGEST_MARK < MAX_MASKED_BYTES,
    );
  });

  it('is the same for equal values of a class and scope, and for no others', () => {
    assert.equal(TOKEN, marksOf(testKeys()).token('account_number', 'grant-1', '4000123'));
    const others = [
      MARKS.token('account_number', 'grant-2', '4000123'),
      MARKS.token('customer_ref', 'grant-1', '4000123'),
      MARKS.token('account_number', 'grant-1', '4000124'),
      marksOf(testKeys('other')).token('account_number', 'grant-1', '4000123'),
    ].map((token) => token.slice(token.indexOf(':')));
    assert.equal(new Set([...others, TOKEN.slice(TOKEN.indexOf(':'))]).size, 5);
  });

  it('of a uuid is a uuid of version 8', () => {
    const uuid = MARKS.uuidToken('customer_ref', 'grant-1', randomUUID());
    assert.match(uuidText(uuid), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('findMasked', () => {
  const found = { kind: 'redaction', class: 'ssn' } as const;
  const forms: readonly { form: string; text: string; class?: string }[] = [
    { form: 'alone', text: REDACTION },
    { form: 'inside a sentence', text: `The number was ${REDACTION}, I think.` },
    { form: 'in upper case', text: REDACTION.toUpperCase() },
    { form: 'with a capital', text: REDACTION.replace('ssn', 'Ssn') },
    { form: 'in JSON', text: JSON.stringify({ ssn: REDACTION, note: '"\\' }) },
    { form: 'in a URL', text: `https://example.org/?q=${encodeURIComponent(REDACTION)}` },
    { form: 'in a CSV line', text: `1,"${REDACTION}",x` },
    { form: 'in an array literal', text: `{${REDACTION},NULL}` },
    { form: 'as bytea', text: `\\x${Buffer.from(REDACTION).toString('hex')}`, class: 'ssn' },
    {
      form: 'in the hexadecimal of a longer text, off by a digit',
      text: `f${Buffer.from(`--${REDACTION}--`).toString('hex')}`,
    },
    { form: 'without its brackets', text: REDACTION.slice(1, -1) },
    { form: 'without its class', text: REDACTION.slice(5), class: '*' },
    { form: 'behind a look-alike', text: `[ssn:xr${'0'.repeat(20)}] xxrxr ${REDACTION}` },
  ];
  for (const { form, text, class: className = 'ssn' } of forms) {
    it(`finds a redaction ${form}`, () => {
      assert.deepEqual(findMasked(text, KEYS), { ...found, class: className });
      assert.deepEqual(findMasked(Buffer.from(`é${text}`), KEYS), { ...found, class: className });
    });
  }

  it('finds tokens, of texts and of uuids', () => {
    assert.deepEqual(findMasked(`x ${TOKEN} y`, KEYS), { kind: 'token', class: 'account_number' });
    const uuid = uuidText(MARKS.uuidToken('customer_ref', 'grant-1', randomUUID()));
    for (const form of [uuid, uuid.toUpperCase(), `{${uuid.replaceAll('-', '')}}`, `"id": "${uuid}"`]) {
      assert.deepEqual(findMasked(form, KEYS), { kind: 'token', class: '*' }, form);
    }
  });

  it('lets pass what only looks like one', () => {
    const changed = REDACTION.replace(/.\]$/, (end) => `${end[0] === '0' ? '1' : '0'}]`);
    const texts = [
      changed,
      changed.toUpperCase(),
      TOKEN.slice(0, -5),
      '[ssn:xr00000000000000000000]',
      '[ssn:redacted]',
      '[REDACTED]',
      '***-**-1234',
      randomUUID(),
      '00000000-0000-8000-8000-000000000000',
      'xr'.repeat(1_000),
      marksOf(testKeys('other')).redaction('ssn'),
      uuidText(marksOf(testKeys('other')).uuidToken('c', 's', 'v')),
      '',
    ];
    for (const text of texts) assert.equal(findMasked(text, KEYS), undefined, text);
  });

  it('finds one anywhere in any text, and none where there is none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (before, after) => {
        assert.equal(findMasked(before + after, KEYS), undefined);
        assert.equal(findMasked(`${before}${TOKEN}${after}`, KEYS)?.kind, 'token');
      }),
      { numRuns: 300 },
    );
  });

  it('checks few candidates in texts that are made of them', () => {
    // The number of blocks of AES, not the time: 1 of 22 characters at most.
    const texts = [
      'xt'.repeat(50_000),
      'xr'.repeat(50_000),
      `:xt${'0'.repeat(29)}`.repeat(3_000),
      `xr${'0'.repeat(20)} `.repeat(4_000),
    ];
    const tag = MARKS.tag.bind(MARKS);
    for (const text of texts) {
      let blocks = 0;
      MARKS.tag = (...parameters) => {
        blocks += 1;
        return tag(...parameters);
      };
      try {
        assert.equal(findMasked(text, KEYS), undefined);
      } finally {
        MARKS.tag = tag;
      }
      assert.ok(blocks <= text.length / 22, `${blocks} of ${text.length}`);
    }
  });

  it('reads arbitrary bytes', () => {
    const bytes = Buffer.concat([randomBytes(1_000), Buffer.from(TOKEN), randomBytes(1_000)]);
    assert.equal(findMasked(bytes, KEYS)?.kind, 'token');
    assert.equal(findMasked(new Uint8Array(bytes), KEYS)?.kind, 'token');
    assert.equal(findMasked(randomBytes(100_000), KEYS), undefined);
  });
});
