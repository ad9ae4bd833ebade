import assert from 'node:assert/strict';
import { test } from 'node:test';

import { maskingGrant } from '../masking/judge-fixture.ts';
import type { MaskRefusal } from '../masking/refusal.ts';
import { tellMaskRefusal } from './mask-refusal-text.ts';

const FLOW: MaskRefusal = {
  code: 'CS_MASK_FLOW',
  reason: 'column',
  classes: ['ssn'],
  objects: ['bank.customers.ssn'],
};

function hintOf(refusals: readonly MaskRefusal[], unmask: readonly string[] | 'all' = []): string {
  const masking = maskingGrant({ unmask: unmask === 'all' ? unmask : new Set(unmask) });
  const grant = { id: 'reports', target: 'bank', masking };
  const told = tellMaskRefusal({ grant, rules: { minGroup: 5 }, kind: 'select', refusals, text: undefined });
  return told.hint ?? '';
}

test('asks for an extension of the grant, after what may be written instead', () => {
  assert.equal(hintOf([FLOW]), 'Ask the owner of target bank to extend grant reports by unmask: [ssn].');
  assert.match(
    hintOf([{ ...FLOW, code: 'CS_MASK_ORACLE', reason: 'order' }]),
    /^Order by .* Or ask the owner of target bank to extend grant reports by unmask: \[ssn\]\.$/,
  );
});

test('asks for a policy where the grant says it already', () => {
  const policy =
    /^Ask the owner of target bank for a policy: grant reports unmasks ssn, and no policy permits .*\.$/;
  assert.match(hintOf([FLOW], ['ssn']), policy);
  assert.match(hintOf([FLOW], 'all'), policy);
  const both = hintOf([FLOW, { ...FLOW, classes: ['pan'] }], ['ssn']);
  assert.match(both, /extend grant reports by unmask: \[pan\]\. Ask the owner .* unmasks ssn,/);
  assert.match(hintOf([{ ...FLOW, classes: ['*'] }], ['ssn']), /by unmask: \[all\]/);
});

test('asks for nothing where nothing that is granted helps', () => {
  const hint = hintOf([{ ...FLOW, code: 'CS_MASK_WRITE_BACK', reason: 'masked-value' }]);
  assert.equal(hint, 'A masked value is not the real one: leave the column out of the statement.');
});
