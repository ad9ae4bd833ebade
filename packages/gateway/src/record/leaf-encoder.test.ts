import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkLeaf } from 'countersign-verify';
import type { CallIntent, CallResult } from './events.ts';
import { crc32c } from './journal/crc32c.ts';
import { encodeEvent, encodeGeneric } from './leaf-encoder.ts';
import { uuidv7 } from './random.ts';
import type { LeafRef } from './recorder.ts';

const DIGEST = 'A'.repeat(43);
const ID = '0190a000-0000-7000-8000-000000000001';
const envelope = { journal: 'w0', jseq: 12, id: ID, atUs: 1_763_851_404_123_456, monoUs: 5_000_123, seq: 3 };
const context: LeafRef = { journal: 'w0', jseq: 4, digest: DIGEST };

const intent: CallIntent = {
  type: 'call.intent',
  session: ID,
  seq: 3,
  decision: { effect: 'permit', policies: ['grant-"1"', 'é'], reasons: [] },
  kind: 'select',
  effect: 'read',
};
const result: CallResult = {
  type: 'call.result',
  session: ID,
  seq: 3,
  call: ID,
  status: 'ok',
  bytesUp: 1,
  bytesDown: 2,
  durationUs: 3,
};

/** Every subset of the optional fields. */
function* variants<T>(base: T, optional: Partial<T>): Generator<T> {
  const names = Object.keys(optional) as (keyof T)[];
  for (let bits = 0; bits < 1 << names.length; bits++) {
    const chosen = Object.fromEntries(
      names.filter((_, i) => (bits & (1 << i)) !== 0).map((n) => [n, optional[n]]),
    );
    yield { ...base, ...chosen };
  }
}

test('leaves: the hand-written encoders give what the canonicalizer gives, and the schema accepts it', () => {
  const intents = variants(intent, {
    context,
    statement: DIGEST,
    statementName: DIGEST,
    message: DIGEST,
    params: [DIGEST, DIGEST],
    txn: 'T',
    resumes: ID,
    statements: 2,
    after: { journal: 'w1', jseq: 3 },
    fingerprint: '0123456789abcdef',
    objects: ['select bank.accounts(id)', 'select bank."odd \\"name"'],
    objectsMore: 3,
    objectsAll: DIGEST,
  });
  const ofMasking = variants(
    { ...intent, context, resumes: ID, params: [DIGEST] },
    {
      unmasked: [{ class: 'email', object: 'bank.customers."Odd \\"mail"' }],
      unmaskedMore: 2,
      probes: [{ class: 'ssn', period: 'day', new: 1, used: 3, budget: 20 }],
      txn: 'I',
    },
  );
  const masked = variants(
    { ...result, rows: 2 },
    {
      masked: [{ object: 'bank.customers.ssn', class: 'ssn', transform: 'redact', count: 2 }],
      maskedMore: 4,
    },
  );
  const results = variants(result, {
    sqlstate: '22012',
    rows: 4,
    completed: 2,
    delivered: DIGEST,
    copied: DIGEST,
    suspended: true,
    cause: 'CS_TARGET_LOST',
    context,
  });
  let count = 0;
  for (const event of [...intents, ...results, ...ofMasking, ...masked]) {
    const text = encodeEvent(event, envelope);
    assert.equal(text, encodeGeneric(event, envelope));
    assert.deepEqual(checkLeaf(Buffer.from(text)).problems, []);
    count++;
  }
  assert.equal(count, 8192 + 256 + 16 + 4);
});

test('leaves: UUIDs are version 7 of their time and differ', () => {
  const ids = new Set(Array.from({ length: 2000 }, () => uuidv7(1_763_851_404_123)));
  assert.equal(ids.size, 2000);
  for (const id of ids) assert.match(id, /^019aadbc-835b-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('crc32c: the check value of RFC 3720', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
});
