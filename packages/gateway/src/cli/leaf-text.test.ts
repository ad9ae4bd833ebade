import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatLeafLine } from './leaf-text.ts';

const LEAF = { v: 1, at: 0, mono: 0, journal: 'w0', jseq: 0, id: 'x', kind: 'select', effect: 'read' };

const lineOf = (more: object): string => formatLeafLine(1, { ...LEAF, type: 'call.intent', ...more });

test('a line about a call says what it touches, and how much more', () => {
  const objects = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `select bank.${name}(id)`);
  assert.match(lineOf({ objects: objects.slice(0, 2) }), /\[select bank\.a\(id\); select bank\.b\(id\)\]$/);
  assert.match(lineOf({ objects, objects_more: 30 }), /\[.*bank\.d\(id\); 32 more\]$/);
  assert.doesNotMatch(lineOf({}), /\[/);
});

test('a line about a call says how to ask for it', () => {
  const id = '01a2070b-5391-7f55-94b2-dad74d2e0a64';
  assert.match(lineOf({ id }), / call=4d2e0a64 select read$/);
  assert.match(formatLeafLine(1, { ...LEAF, id, type: 'call.denied' }), / call=4d2e0a64 /);
  assert.doesNotMatch(formatLeafLine(1, { ...LEAF, id, type: 'call.voided' }), /call=/);
});

test('a line about a refusal says why', () => {
  const decision = { effect: 'forbid', policies: ['reports'], reasons: ['CS_STATEMENT_DENIED', 'scope'] };
  const line = formatLeafLine(1, {
    ...LEAF,
    type: 'call.denied',
    sqlstate: '42501',
    decision,
  });
  assert.match(line, / sqlstate=42501 refused=CS_STATEMENT_DENIED,scope$/);
});

test('a line about a call says what was let out, asked for and masked', () => {
  const unmasked = ['email', 'email', 'ssn'].map((name) => ({ class: name, object: 'bank.t.c' }));
  const probes = [{ class: 'ssn', period: 'day', new: 1, used: 3, budget: 20 }];
  assert.match(lineOf({ unmasked, probes }), / unmasked=email,ssn probes=ssn:3\/20$/);
  const masked = [1, 2].map((count) => ({ object: 'bank.t.c', class: 'ssn', transform: 'redact', count }));
  const line = formatLeafLine(1, { ...LEAF, type: 'call.result', masked, masked_more: 4 });
  assert.match(line, / masked=7$/);
});
