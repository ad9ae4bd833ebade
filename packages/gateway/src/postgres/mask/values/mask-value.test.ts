import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Transform } from '../../../masking/rules.ts';
import { findMasked } from '../../../masking/transforms/find-masked.ts';
import { testKeys } from '../../../masking/transforms/keys-fixture.ts';
import { redactionText } from '../../../masking/transforms/transform-text.ts';
import type { ValueContext } from '../value.ts';
import { authenticates } from './authenticates.ts';
import type { Detection } from './detect-value.ts';
import { maskValue } from './mask-value.ts';
import { shapeOf } from './shape.ts';

const KEYS = testKeys();
const REDACTED = redactionText('ssn', KEYS);

/** Finds nine digits, and numbers of nine digits: where, not how, is what is tested here. */
const DETECTION: Detection = {
  find: (text) => pieces(text),
  findInBytes: (bytes) => pieces(Buffer.from(bytes).toString('latin1')),
  transformOf: () => ({ kind: 'redact' }),
};

function pieces(text: string): { class: string; start: number; end: number }[] {
  return Array.from(text.matchAll(/\d{3}-?\d{2}-?\d{4}/g), (match) => ({
    class: 'ssn',
    start: match.index,
    end: match.index + match[0].length,
  }));
}

const CONTEXT: ValueContext = { keys: KEYS, scope: 'grant-1', catalog: undefined, detection: DETECTION };
const T = {
  text: 25,
  bpchar: 1042,
  int2: 21,
  int4: 23,
  int8: 20,
  numeric: 1700,
  float8: 701,
  bool: 16,
} as const;
const U = { date: 1082, timestamp: 1114, timestamptz: 1184, uuid: 2950, json: 114, jsonb: 3802 } as const;
const V = {
  xml: 142,
  bytea: 17,
  texts: 1009,
  record: 2249,
  inet: 869,
  tsvector: 3614,
  name: 19,
  dates: 1182,
} as const;
const TYPES = { ...T, ...U, ...V };

function mask(text: string, typeOid: number, transform: Transform, format = 0): string | null {
  const action = { kind: 'mask', transform, class: 'ssn', object: 'a.b.c' } as const;
  return maskValue(Buffer.from(text), { typeOid, format }, action, CONTEXT)?.toString() ?? null;
}

function detect(text: string, typeOid: number, format = 0): string | null {
  return maskValue(Buffer.from(text), { typeOid, format }, { kind: 'detect' }, CONTEXT)?.toString() ?? null;
}

const YEAR: Transform = { kind: 'year' };
const BY_1000: Transform = { kind: 'bucket', size: 1_000 };
const KEEP_4: Transform = { kind: 'keep-last', count: 4 };

const CASES: readonly (readonly [
  type: keyof typeof TYPES,
  transform: Transform,
  value: string,
  masked: string | null,
])[] = [
  ['text', KEEP_4, '123-45-6789', '***-**-6789'],
  ['text', { kind: 'null' }, 'x', null],
  ['bpchar', KEEP_4, '123456789  ', '*****6789  '],
  ['xml', KEEP_4, '<number>123456789</number>', REDACTED],
  ['xml', KEEP_4, '123456789', '*****6789'],
  ['int4', KEEP_4, '123456789', null],
  ['int4', BY_1000, '123456', '123000'],
  ['int4', BY_1000, '-1', '-1000'],
  ['int2', BY_1000, '-32768', null],
  ['int2', { kind: 'token' }, '5', null],
  ['int4', { kind: 'bucket', size: 0.5 }, '3', null],
  ['numeric', BY_1000, '-0.50', '-1000.00'],
  ['numeric', BY_1000, 'NaN', null],
  ['numeric', { kind: 'fpe' }, '12.5', null],
  ['float8', BY_1000, '1234.5', '1000'],
  ['float8', BY_1000, 'Infinity', null],
  ['bool', { kind: 'redact' }, 't', null],
  ['date', YEAR, '1984-03-05', '1984-01-01'],
  ['date', YEAR, '0044-03-15 BC', '0044-01-01 BC'],
  ['date', YEAR, '4714-11-24 BC', null],
  ['date', YEAR, 'infinity', null],
  ['date', YEAR, '05/03/1984', null],
  ['date', { kind: 'bucket', size: 'quarter' }, '1984-06-05', '1984-04-01'],
  ['timestamp', YEAR, '1984-03-05 10:11:12.5', '1984-01-01 00:00:00'],
  ['timestamptz', YEAR, '1984-12-31 23:30:00-05', '1985-01-01 00:00:00+00'],
  ['timestamptz', { kind: 'bucket', size: 'month' }, '1984-03-01 04:30:00+05:30', '1984-02-01 00:00:00+00'],
  ['uuid', KEEP_4, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '00000000-0000-0000-0000-000000000a11'],
  ['json', KEEP_4, '"123-45-6789"', '"***-**-6789"'],
  ['json', KEEP_4, '4111111111111234', '"************1234"'],
  ['jsonb', KEEP_4, '{"a": 1}', JSON.stringify(REDACTED)],
  ['json', { kind: 'redact' }, 'true', JSON.stringify(REDACTED)],
  ['bytea', { kind: 'redact' }, '\\x00', `\\x${Buffer.from(REDACTED).toString('hex')}`],
  ['texts', { kind: 'redact' }, '{a,b,NULL}', `{${REDACTED}}`],
  ['texts', KEEP_4, '{123-45-6789,NULL,"a b"}', `{***-**-6789,NULL,${REDACTED}}`],
  ['texts', KEEP_4, '{{123456789},{NULL}}', '{{*****6789},{NULL}}'],
  ['texts', KEEP_4, 'broken {', `{${REDACTED}}`],
  ['dates', YEAR, '{1984-03-05,NULL,infinity}', '{1984-01-01,NULL,NULL}'],
  ['record', { kind: 'redact' }, '(1,2)', null],
  ['inet', { kind: 'redact' }, '10.0.0.1', null],
  ['tsvector', { kind: 'redact' }, "'a':1", null],
];

describe('maskValue', () => {
  for (const [type, transform, value, masked] of CASES) {
    it(`${JSON.stringify(transform)} of ${type} ${value}: ${masked ?? 'NULL'}`, () => {
      assert.equal(mask(value, TYPES[type], transform), masked);
    });
  }

  it('makes tokens that are the same where values are, whatever their type writes them as', () => {
    const token: Transform = { kind: 'token' };
    const text = mask('123-45-6789', TYPES.text, token)!;
    assert.match(text, /^\[ssn:xt/);
    assert.equal(mask('123-45-6789   ', TYPES.bpchar, token), text);
    assert.equal(mask('"123-45-6789"', TYPES.jsonb, token), JSON.stringify(text));
    assert.equal(mask('{123-45-6789}', TYPES.texts, token), `{${text}}`);
    const uuid = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11';
    assert.equal(mask(uuid, TYPES.uuid, token), mask(uuid.toLowerCase(), TYPES.uuid, token));
    assert.equal(findMasked(mask(uuid, TYPES.uuid, token)!, KEYS)?.kind, 'token');
    assert.match(mask('-123456', TYPES.int4, token)!, /^-\d+$/);
  });

  it('writes null or a valid number where a name would be too long', () => {
    const action = { kind: 'mask', transform: { kind: 'token' }, class: 'c'.repeat(32), object: '' } as const;
    const masked = maskValue(Buffer.from('x'), { typeOid: TYPES.name, format: 0 }, action, CONTEXT);
    assert.ok(masked !== null && masked.length < 64);
    assert.equal(findMasked(masked, KEYS)?.kind, 'redaction');
  });

  it('knows nothing of a type 0 but text', () => {
    assert.equal(mask('x', 0, { kind: 'redact' }), REDACTED);
    assert.equal(mask('x', 0, { kind: 'redact' }, 1), null);
  });

  it('never throws, and never lets bytes through that it cannot read', () => {
    const transforms: Transform[] = [
      { kind: 'redact' },
      { kind: 'keep-last', count: 4 },
      { kind: 'email-domain' },
      { kind: 'year' },
      { kind: 'bucket', size: 10 },
      { kind: 'token' },
      { kind: 'fpe' },
      { kind: 'detect' },
    ];
    const oids = [...Object.values(TYPES), 0, 1231, 2951, 3807, 3904, 3912, 4451, 4535, 2287, 16_400];
    fc.assert(
      fc.property(
        fc.constantFrom(...oids),
        fc.constantFrom(...transforms),
        fc.constantFrom(0, 1),
        fc.uint8Array({ minLength: 16, maxLength: 64 }),
        (typeOid, transform, format, bytes) => {
          const value = Buffer.concat([Buffer.from(bytes), randomBytes(8)]);
          const action = { kind: 'mask', transform, class: 'ssn', object: '' } as const;
          const masked = maskValue(value, { typeOid, format }, action, CONTEXT);
          const isText = shapeOf(typeOid, undefined).kind === 'text' || typeOid === 0;
          const isDetected =
            transform.kind === 'detect' &&
            (isText || typeOid === TYPES.bytea || typeOid === TYPES.json || typeOid === TYPES.jsonb);
          if (!isDetected) assert.ok(masked === null || !masked.includes(value));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('tells whether what it makes will be known again', () => {
    for (const typeOid of Object.values(TYPES)) {
      for (const transform of [
        { kind: 'redact' },
        { kind: 'token' },
        KEEP_4,
        YEAR,
        { kind: 'null' },
      ] as const) {
        const action = { kind: 'mask', transform, class: 'ssn', object: '' } as const;
        const value = typeOid === TYPES.texts ? '{abcdefghij}' : typeOid === TYPES.json ? '"a"' : 'abcdefgh';
        const masked = mask(typeOid === TYPES.bytea ? '\\x00' : value, typeOid, transform);
        if (!authenticates(action, typeOid, 0, undefined)) continue;
        if (typeOid !== TYPES.uuid) assert.ok(masked !== null && findMasked(masked, KEYS) !== undefined);
      }
    }
    const redact = { kind: 'mask', transform: { kind: 'redact' }, class: 'ssn', object: '' } as const;
    assert.ok(authenticates(redact, TYPES.text, 0, undefined));
    assert.ok(!authenticates(redact, TYPES.int4, 0, undefined));
    assert.ok(!authenticates({ ...redact, transform: KEEP_4 }, TYPES.text, 0, undefined));
    assert.ok(authenticates({ ...redact, transform: { kind: 'token' } }, TYPES.uuid, 1, undefined));
    assert.ok(!authenticates({ ...redact, transform: { kind: 'token' } }, TYPES.int8, 1, undefined));
  });
});

describe('maskValue with detectors', () => {
  it('replaces what is found in texts and nothing else', () => {
    assert.equal(detect('is 123-45-6789, or 987654321.', TYPES.text), `is ${REDACTED}, or ${REDACTED}.`);
    assert.equal(detect('{"a 123-45-6789",b}', TYPES.texts), `{"a ${REDACTED}",b}`);
    assert.equal(detect('\\x313233343536373839', TYPES.bytea), `\\x${Buffer.from(REDACTED).toString('hex')}`);
  });

  it('keeps the structure of JSON, its spaces and the order of its members', () => {
    assert.equal(
      detect('{ "ssn" : "123-45-6789", "n":123456789 ,"l": [1.50, null, true, "x"] }', TYPES.json),
      `{ "ssn" : "${REDACTED}", "n":"${REDACTED}" ,"l": [1.50, null, true, "x"] }`,
    );
    assert.equal(
      detect('{"123-45-6789": {"deep": "a 123456789 b"}}', TYPES.json),
      `{"${REDACTED}": {"deep": "a ${REDACTED} b"}}`,
    );
    assert.equal(detect('\u0001{"a":"123-45-6789"}', TYPES.jsonb, 1), `\u0001{"a":"${REDACTED}"}`);
  });

  it('leaves numbers, dates and other types of a column without a class alone', () => {
    for (const [type, value] of [
      ['int8', '123456789'],
      ['inet', '10.0.0.1'],
      ['date', '1984-03-05'],
    ] as const) {
      assert.equal(detect(value, TYPES[type]), value);
      assert.equal(mask(value, TYPES[type], { kind: 'detect' }), null);
    }
  });

  it('withholds a value of a type that it cannot write, if something is in it', () => {
    assert.equal(detect("'123-45-6789':1", TYPES.tsvector), null);
    assert.equal(detect("'harmless':1", TYPES.tsvector), "'harmless':1");
    assert.equal(detect('(1,123-45-6789)', TYPES.record), null);
    assert.equal(detect('(1,x)', TYPES.record), '(1,x)');
  });

  it('redacts the whole where there are no detectors', () => {
    const { detection: _, ...without } = CONTEXT;
    const masked = maskValue(Buffer.from('x'), { typeOid: 25, format: 0 }, { kind: 'detect' }, without);
    assert.equal(masked?.toString(), redactionText('free_text', KEYS));
  });

  it('gives back the very bytes where nothing is found', () => {
    const value = Buffer.from('harmless');
    assert.equal(maskValue(value, { typeOid: 25, format: 0 }, { kind: 'detect' }, CONTEXT), value);
  });
});
