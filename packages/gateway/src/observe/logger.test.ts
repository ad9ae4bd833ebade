import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CountersignError } from '../errors.ts';
import { createLogger, errorFields } from './logger.ts';

test('a line is one JSON object with level, time, event and the given fields', () => {
  const lines: string[] = [];
  const logger = createLogger({ stream: { write: (line) => lines.push(line) } });
  logger.warn('connection refused', { code: 'CS_NO_GRANT', principal: 'agent' });
  const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.match(String(line['time']), /^\d{4}-\d{2}-\d{2}T.*Z$/);
  assert.deepEqual(
    { ...line, time: '', pid: 0 },
    { level: 'warn', time: '', pid: 0, code: 'CS_NO_GRANT', principal: 'agent', event: 'connection refused' },
  );
});

test('of an error that is not ours, neither message nor cause is logged', () => {
  const error = new TypeError('cannot parse "hunter2"', { cause: new Error('hunter2') });
  const text = JSON.stringify(errorFields(error));
  assert.doesNotMatch(text, /hunter2/);
  assert.match(text, /TypeError/);
  assert.match(text, /logger\.test\.ts/);
  assert.doesNotMatch(
    JSON.stringify(errorFields(new CountersignError('CS_INTERNAL', { cause: error }))),
    /hunter2/,
  );
  assert.deepEqual(errorFields('hunter2'), { code: 'CS_INTERNAL' });
});

test('of ours, code and detail', () => {
  assert.deepEqual(errorFields(new CountersignError('CS_TARGET_UNAVAILABLE', { detail: 'bank' })), {
    code: 'CS_TARGET_UNAVAILABLE',
    detail: 'bank',
  });
});
