/** The detectors as they are, over values of text, JSON, XML, arrays and bytea, each finding by the transform of its class. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultRules } from '../../packages/gateway/src/config/masking-section.ts';
import { createDetectors } from '../../packages/gateway/src/masking/detectors/detectors.ts';
import { testKeys } from '../../packages/gateway/src/masking/transforms/keys-fixture.ts';
import { redactionText } from '../../packages/gateway/src/masking/transforms/transform-text.ts';
import type { ValueContext } from '../../packages/gateway/src/postgres/mask/value.ts';
import { maskValue } from '../../packages/gateway/src/postgres/mask/values/mask-value.ts';

const KEYS = testKeys();
const RULES = defaultRules();
const DETECTORS = createDetectors();
const CONTEXT: ValueContext = {
  keys: KEYS,
  scope: 'grant-1',
  catalog: undefined,
  detection: {
    find: (text) => DETECTORS.find(text),
    findInBytes: (bytes) => DETECTORS.findInBytes(bytes),
    transformOf: (name) => RULES.classes.get(name)?.transform ?? { kind: 'redact' },
  },
};
const SSN = redactionText('ssn', KEYS);
const TEXT = 25;
const XML = 142;
const JSON_TYPE = 114;
const JSONB = 3802;
const TEXTS = 1009;

const CASES: readonly (readonly [typeOid: number, value: string, masked: string])[] = [
  [TEXT, 'SSN 536-90-4399 on file', `SSN ${SSN} on file`],
  [TEXT, 'é👍 card 4111 1111 1111 1111.', 'é👍 card **** **** **** 1111.'],
  [TEXT, 'write to ada@example.com today', 'write to ***@example.com today'],
  [TEXT, 'order 12345, nothing else', 'order 12345, nothing else'],
  [XML, '<a mail="ada@example.com"/>', '<a mail="***@example.com"/>'],
  [JSON_TYPE, '{"card": 4111111111111111, "n": 5}', '{"card": "************1111", "n": 5}'],
  [JSON_TYPE, '{"ssn": "536-90-4399"}', `{"ssn": "${SSN}"}`],
  [JSON_TYPE, String.raw`["line\nSSN 536-90-4399\n"]`, String.raw`["line\nSSN ${SSN}\n"]`],
  [JSON_TYPE, String.raw`["SSN 536-90\u002d4399, \"he said\""]`, String.raw`["SSN ${SSN}, \"he said\""]`],
  [JSON_TYPE, String.raw`["nothing \"here\"", "\\"]`, String.raw`["nothing \"here\"", "\\"]`],
  [JSON_TYPE, String.raw`["ada\u0040example.com"]`, '["***@example.com"]'],
  [JSONB, '{"note": "call 4111-1111-1111-1111"}', '{"note": "call ****-****-****-1111"}'],
  [TEXTS, '{"SSN 536-90-4399",NULL,x}', `{"SSN ${SSN}",NULL,x}`],
];

describe('detected values', () => {
  for (const [typeOid, value, masked] of CASES) {
    it(`of ${value} are masked`, () => {
      const made = maskValue(Buffer.from(value), { typeOid, format: 0 }, { kind: 'detect' }, CONTEXT);
      assert.equal(made?.toString(), masked);
      if ([JSON_TYPE, JSONB].includes(typeOid)) assert.doesNotThrow(() => JSON.parse(String(made)));
    });
  }

  it('leave redactions and tokens of before as they are', () => {
    for (const text of [SSN, `[ssn:xt${'0'.repeat(29)}]`]) {
      const value = Buffer.from(`before ${text} after`);
      assert.equal(maskValue(value, { typeOid: TEXT, format: 0 }, { kind: 'detect' }, CONTEXT), value);
    }
  });
});
