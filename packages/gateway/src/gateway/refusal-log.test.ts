import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CountersignError } from '../errors.ts';
import type { LogFields, Logger } from '../observe/logger.ts';
import { RefusalLog } from './refusal-log.ts';

/** Keeps what it is told. */
function collect(): { readonly logger: Logger; readonly lines: LogFields[] } {
  const lines: LogFields[] = [];
  const warn = (event: string, fields: LogFields = {}): void => {
    assert.equal(event, 'connection refused');
    lines.push(fields);
  };
  return { logger: { info: assert.fail, error: assert.fail, flush: () => {}, warn }, lines };
}

test('a principal that is refused again and again gets few lines, which account for the others', () => {
  const { logger, lines } = collect();
  let nowMs = 0;
  const log = new RefusalLog(logger, () => nowMs);
  const error = new CountersignError('CS_NO_GRANT');
  for (let i = 0; i < 1000; i++) log.note(error, 'loop', 'bank');
  assert.equal(lines.length, 20);
  assert.deepEqual(
    lines.map(({ count }) => count),
    Array(20).fill(undefined),
  );
  nowMs = 10_000;
  for (let i = 0; i < 30; i++) log.note(error, 'loop', 'bank');
  assert.equal(lines.length, 40);
  assert.equal(lines[20]?.count, 980);
  assert.equal(lines[20]?.code, 'CS_NO_GRANT');
  assert.equal(lines[20]?.principal, 'loop');
});

test('it hides nobody else', () => {
  const { logger, lines } = collect();
  const log = new RefusalLog(logger, () => 0);
  for (let i = 0; i < 100; i++) log.note(new CountersignError('CS_NO_GRANT'), 'loop', 'bank');
  log.note(new CountersignError('CS_TARGET_UNKNOWN'), 'other', 'unknown');
  assert.deepEqual(lines.at(-1)?.principal, 'other');
  assert.equal(lines.at(-1)?.count, undefined);
});
