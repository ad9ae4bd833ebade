import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Logger } from '../observe/logger.ts';
import type { RecorderHealth } from '../record/recorder.ts';
import { watchRecord } from './watch-record.ts';

test("the gateway's log says that commands are refused when they are, and not while only the log waits", () => {
  const lines: string[] = [];
  const put = (event: string): void => void lines.push(event);
  const logger: Logger = { info: put, warn: put, error: put, flush: () => undefined };
  const callbacks: ((health: RecorderHealth) => void)[] = [];
  watchRecord({ onHealthChange: (callback) => void callbacks.push(callback) }, logger, undefined);
  const health = (ready: boolean, takesCommands: boolean): void =>
    callbacks[0]!({ ready, takesCommands, reason: 'why' } as RecorderHealth);
  health(false, true);
  health(false, true);
  health(false, false);
  health(true, true);
  health(false, false);
  assert.deepEqual(lines, [
    'record not ready: commands are taken into the journal, but the log waits',
    'record not ready: commands are refused',
    'record ready',
    'record not ready: commands are refused',
  ]);
});
