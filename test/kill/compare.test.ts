import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compare } from './compare.ts';
import type { Evidence, RecordedCall } from './compare.ts';
import { parseLoggedParameters } from './target-log.ts';
import type { LoggedStatement } from './target-log.ts';

const call = (text: string, params: readonly (string | null)[] = [], status = 'ok'): RecordedCall => ({
  backend: '7/100',
  text,
  params,
  status,
});
const logged = (text: string, params?: readonly (string | null)[]): LoggedStatement =>
  params === undefined ? { backend: '7/100', text } : { backend: '7/100', text, params };

const evidence = (changes: Partial<Evidence>): Evidence => ({
  target: { statements: [], effects: [] },
  rows: [],
  acknowledged: [],
  calls: [],
  ...changes,
});

const kinds = (changes: Partial<Evidence>): string[] =>
  compare(evidence(changes)).map((violation) => violation.kind);

test('statements that ran are a subsequence of the intents', () => {
  const calls = [call('a'), call('b'), call('c')];
  assert.deepEqual(kinds({ calls, target: { statements: [logged('a'), logged('c')], effects: [] } }), []);
  assert.deepEqual(kinds({ calls, target: { statements: [logged('c'), logged('a')], effects: [] } }), [
    'statement',
  ]);
  assert.deepEqual(kinds({ calls, target: { statements: [logged('a'), logged('a')], effects: [] } }), [
    'statement',
  ]);
  assert.deepEqual(kinds({ calls, target: { statements: [logged('d')], effects: [] } }), ['statement']);
});

test('a statement of another backend, or of a reused pid, does not count', () => {
  const statements = [{ backend: '7/101', text: 'a' }];
  assert.deepEqual(kinds({ calls: [call('a')], target: { statements, effects: [] } }), ['statement']);
});

test('parameters must be the recorded ones', () => {
  const calls = [call('a', ['1', null])];
  assert.deepEqual(kinds({ calls, target: { statements: [logged('a', ['1', null])], effects: [] } }), []);
  assert.deepEqual(kinds({ calls, target: { statements: [logged('a', ['2', null])], effects: [] } }), [
    'statement',
  ]);
  assert.deepEqual(kinds({ calls, target: { statements: [logged('a', ['1'])], effects: [] } }), [
    'statement',
  ]);
});

test('an intent from before the start of the backend was known counts once, for its pid', () => {
  const calls = [{ ...call('own'), backend: '7/?' }, call('a')];
  assert.deepEqual(kinds({ calls, target: { statements: [logged('own'), logged('a')], effects: [] } }), []);
  const twice = [logged('own'), logged('own')];
  assert.deepEqual(kinds({ calls, target: { statements: twice, effects: [] } }), ['statement']);
  const elsewhere = [{ backend: '8/100', text: 'own' }];
  assert.deepEqual(kinds({ calls, target: { statements: elsewhere, effects: [] } }), ['statement']);
});

test('effects and rows need an intent that names their marker, in the same backend', () => {
  const calls = [call("insert 'm1.2.3'")];
  const effect = (backend: string, marker: string): Partial<Evidence> => ({
    calls,
    target: { statements: [], effects: [{ backend, marker }] },
  });
  assert.deepEqual(kinds(effect('7/100', 'm1.2.3')), []);
  assert.deepEqual(kinds(effect('7/100', 'm1.2.3/4')), []);
  assert.deepEqual(kinds(effect('8/100', 'm1.2.3')), ['effect']);
  assert.deepEqual(kinds(effect('7/100', 'm1.2.30')), ['effect']);
  assert.deepEqual(kinds({ calls, rows: [{ marker: 'm1.2.3', pid: 7 }] }), []);
  assert.deepEqual(kinds({ calls, rows: [{ marker: 'm1.2.3', pid: 8 }] }), ['row']);
});

test('what the client was told is done has a result that says so', () => {
  assert.deepEqual(kinds({ calls: [call('m1.1.1')], acknowledged: ['m1.1.1'] }), []);
  assert.deepEqual(kinds({ calls: [call('m1.1.1', [], 'cut')], acknowledged: ['m1.1.1'] }), ['acknowledged']);
  assert.deepEqual(kinds({ acknowledged: ['m1.1.1'] }), ['acknowledged']);
});

test('logged parameters: quotes, nulls and the order', () => {
  assert.deepEqual(parseLoggedParameters("Parameters: $1 = 'it''s', $2 = NULL, $3 = ''"), ["it's", null, '']);
});
