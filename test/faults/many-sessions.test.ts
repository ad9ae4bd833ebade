import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureRecovery } from './many-sessions.ts';

const SESSIONS = 3000;

test('a crash under many open sessions: every one of them is closed, every open call is in doubt', async (context) => {
  const figures = await measureRecovery(SESSIONS);
  context.diagnostic(JSON.stringify(figures));
  assert.deepEqual(
    [figures.verdict, figures.closed, figures.inDoubt],
    ['VERIFIED-WITH-GAPS', SESSIONS, SESSIONS],
  );
});
