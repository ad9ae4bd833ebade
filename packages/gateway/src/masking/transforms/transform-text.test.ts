import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Transform } from '../rules.ts';
import { emailDomain, emailDomainOfAscii } from './email-domain.ts';
import { formatPreservingOf } from './format-preserving.ts';
import { keepLast, keepLastOfAscii } from './keep-last.ts';
import { testKeys } from './keys-fixture.ts';
import { redactionText, transformText } from './transform-text.ts';

const KEYS = testKeys();
const REDACTED = 'redacted';

interface Case {
  readonly transform: Transform;
  readonly cases: readonly (readonly [value: string, masked: string])[];
}

const KEEP_4: Transform = { kind: 'keep-last', count: 4 };
const CASES: readonly Case[] = [
  {
    transform: KEEP_4,
    cases: [
      ['4111 1111 1111 1234', '**** **** **** 1234'],
      ['4111111111111234', '************1234'],
      ['DE89-3704', '****-3704'],
      ['123-45-6789', '***-**-6789'],
      ['1234567', REDACTED],
      ['1234', REDACTED],
      ['', REDACTED],
      ['٤١١١٤١١١', '****٤١١١'],
      ['Ünïcödé 👍 name', '******* * name'],
    ],
  },
  { transform: { kind: 'keep-last', count: 0 }, cases: [['ab-1', '**-*']] },
  {
    transform: { kind: 'email-domain' },
    cases: [
      ['ada@example.com', '***@example.com'],
      [' Ada.L@Sub.Example.com ', '***@Sub.Example.com'],
      ['ada@localhost', REDACTED],
      ['ada', REDACTED],
      ['@example.com', REDACTED],
      ['Ada <ada@example.com>', REDACTED],
      ['a@b.com,c@d.com', REDACTED],
      ['a@b@c.com', REDACTED],
      ['a@exa\u0000mple.com', REDACTED],
    ],
  },
  {
    transform: { kind: 'year' },
    cases: [
      ['1984-03-05', '1984-01-01'],
      ['1984-03-05T10:00:00Z', '1984-01-01'],
      ['1984/3/5', '1984/01/01'],
      ['19840305', '19840101'],
      ['05.03.1984', '01.01.1984'],
      ['3/31/1984', '01/01/1984'],
      ['1984-02-30', REDACTED],
      ['1984-03', REDACTED],
      ['March 5, 1984', REDACTED],
      ['01-02/1984', REDACTED],
    ],
  },
  {
    transform: { kind: 'bucket', size: 'quarter' },
    cases: [
      ['1984-06-05', '1984-04-01'],
      ['06/05/1984', REDACTED],
    ],
  },
  {
    transform: { kind: 'bucket', size: 1_000 },
    cases: [
      ['1234.56', '1000.00'],
      ['-1', '-1000'],
      ['0', '0'],
      ['1e5', REDACTED],
      ['about 5', REDACTED],
      ['9'.repeat(2_000), REDACTED],
    ],
  },
  { transform: { kind: 'bucket', size: 0.25 }, cases: [['1.3', '1.25']] },
  { transform: { kind: 'redact' }, cases: [['anything', REDACTED]] },
  { transform: { kind: 'detect' }, cases: [['anything', REDACTED]] },
];

const context = { keys: KEYS, scope: 'grant-1' };
const fpe = (text: string): string => transformText(text, { kind: 'fpe' }, 'pan', context)!;

describe('transformText', () => {
  for (const { transform, cases } of CASES) {
    for (const [value, masked] of cases) {
      it(`${JSON.stringify(transform)} makes ${JSON.stringify(value.slice(0, 30))} ${masked}`, () => {
        const expected = masked === REDACTED ? redactionText('ssn', KEYS) : masked;
        assert.equal(transformText(value, transform, 'ssn', context), expected);
      });
    }
  }

  it('has nothing to show for `null`', () => {
    assert.equal(transformText('x', { kind: 'null' }, 'ssn', context), null);
  });

  it('says the same of bytes and of characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii' }), fc.nat(6), (text, count) => {
        assert.equal(keepLastOfAscii(Buffer.from(text), count)?.toString(), keepLast(text, count));
      }),
    );
    assert.equal(keepLastOfAscii(Buffer.from('ééééééééé'), 2), undefined);
  });

  it('shows the same domain of bytes as of a text, or nothing', () => {
    const piece = fc.stringMatching(/^[ .]?[a-zA-Z0-9]{0,3}[-\té. @]?[a-z]{0,2}$/);
    const address = fc.tuple(
      piece,
      fc.constantFrom('@', '', 'x@'),
      piece,
      fc.constantFrom('.com', 'com', '.', ''),
    );
    let shown = 0;
    fc.assert(
      fc.property(address, (parts) => {
        const text = parts.join('');
        const masked = emailDomainOfAscii(Buffer.from(text))?.toString();
        if (masked !== undefined) {
          shown += 1;
          assert.equal(masked, emailDomain(text));
        }
      }),
      { numRuns: 2_000 },
    );
    assert.ok(shown > 50, `${shown} of 2,000`);
    for (const { transform, cases } of CASES.filter((each) => each.transform.kind === 'email-domain')) {
      for (const [value, expected] of cases) {
        const masked = emailDomainOfAscii(Buffer.from(value))?.toString();
        assert.ok(masked === undefined || masked === expected, `${transform.kind} of ${value}`);
      }
    }
    assert.equal(emailDomainOfAscii(Buffer.from('ada@example.com'))?.toString(), '***@example.com');
    assert.equal(emailDomainOfAscii(Buffer.from('bob@example.org'))?.toString(), '***@example.org');
    assert.equal(emailDomainOfAscii(Buffer.from(`a@${'b'.repeat(250)}.com`)), undefined);
  });
});

const formatOf = (text: string): string =>
  text.replaceAll(/[0-9]/g, '0').replaceAll(/[a-z]/g, 'a').replaceAll(/[A-Z]/g, 'A');

describe('format-preserving encryption', () => {
  it('keeps the format of any text that has enough letters and digits', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-zA-Z .-]{6,40}$/), (text) => {
        const masked = fpe(text);
        if (masked === redactionText('pan', KEYS)) return;
        assert.equal(formatOf(masked), formatOf(text));
      }),
    );
  });

  it('keeps separators and what is beyond ASCII but no letter', () => {
    assert.match(fpe('4111-1111-1111-1111'), /^\d{4}-\d{4}-\d{4}-\d{4}$/);
    assert.match(fpe('4111 · 1111 · 1111'), /^\d{4} · \d{4} · \d{4}$/);
    assert.match(fpe('AB123456c'), /^[A-Z]{2}\d{6}[a-z]$/);
  });

  it('redacts what has too few, or letters that it does not know', () => {
    for (const text of ['12345', 'Ab1', '12345é', '１２３４５６７', '😀1234567', '1'.repeat(129), '']) {
      assert.equal(fpe(text), redactionText('pan', KEYS), text);
    }
  });

  it('never makes two values the same', () => {
    const values = Array.from({ length: 2_000 }, (_, index) => `A${String(index).padStart(5, '0')}`);
    assert.equal(new Set(values.map(fpe)).size, values.length);
  });

  it('differs by class and scope', () => {
    const cipher = formatPreservingOf(KEYS);
    const made = [cipher.text('123456789', 'a', 's'), cipher.text('123456789', 'b', 's')];
    assert.equal(new Set([...made, cipher.text('123456789', 'a', 't')]).size, 3);
  });

  it('keeps the number of digits of a number, and its limit', () => {
    const cipher = formatPreservingOf(KEYS);
    const max = 2_147_483_647n;
    for (const value of [100_000n, 999_999n, 1_000_000_000n, max]) {
      const masked = cipher.integer(value, 'pan', 's', max)!;
      assert.equal(masked.toString().length, value.toString().length);
      assert.ok(masked <= max);
    }
    assert.equal(cipher.integer(99_999n, 'pan', 's'), undefined);
    assert.equal(cipher.integer(-100_000n, 'pan', 's'), undefined);
  });

  it('permutes whole numbers', () => {
    const cipher = formatPreservingOf(KEYS);
    const values = Array.from({ length: 1_000 }, (_, index) =>
      cipher.permuted(BigInt(index), 31, 'ref', 's'),
    );
    assert.equal(new Set(values).size, values.length);
    assert.ok(values.every((value) => value >= 0n && value < 2n ** 31n));
  });
});
