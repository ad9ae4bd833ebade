import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
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

test('nobody reads the log: the process goes on, and the last lines are there for those who do', async () => {
  const program = `
    const { createLogger } = await import(${JSON.stringify(new URL('logger.ts', import.meta.url).href)});
    const logger = createLogger();
    for (let line = 0; line < 100_000; line += 1) logger.info('a line that fills the pipe', { count: line });
    console.log('alive');
  `;
  const unread = spawn(process.execPath, ['--input-type=module', '-e', program]);
  const [chunk] = (await once(unread.stdout, 'data')) as [Buffer];
  assert.equal(chunk.toString(), 'alive\n');
  unread.kill('SIGKILL');

  const short = program
    .replace('100_000', '10')
    .replace("console.log('alive')", 'logger.flush(); process.exit(1)');
  const read = spawn(process.execPath, ['--input-type=module', '-e', short], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  for await (const part of read.stderr) text += String(part);
  assert.equal(text.trimEnd().split('\n').length, 10);
});
