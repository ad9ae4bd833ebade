/** The thread that asks witnesses dies: another one takes its place, and says so. */

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { formatVerifierKey } from 'countersign-verify';

import { RecordFixture, ORIGIN } from '../../packages/gateway/src/record/record-fixture.ts';
import { parseSigningKey } from '../../packages/gateway/src/record/keys.ts';
import { KeptWitnessThread } from '../../packages/gateway/src/record/witness/kept-thread.ts';
import { FixedWitness } from '../support/witnessed-gateway.ts';

describe('the thread that asks witnesses', () => {
  it('is started again when it dies, after a longer wait each time, and goes on', async () => {
    const fixture = new RecordFixture();
    const key = formatVerifierKey(parseSigningKey(fixture.options().signingKey, ORIGIN));
    const witness = await FixedWitness.start('bank-b', [ORIGIN], key);
    try {
      const recorder = await fixture.open();
      await recorder.close('test');
      // What it reads when it starts is no checkpoint.
      const logDirectory = join(fixture.directory, 'damaged');
      mkdirSync(logDirectory);
      writeFileSync(join(logDirectory, 'checkpoint'), 'nonsense\n');
      const waits: number[] = [];
      const quorum = Promise.withResolvers<number>();
      const thread = new KeptWitnessThread(
        {
          logDirectory,
          origin: ORIGIN,
          keys: [key],
          witnesses: [
            { url: witness.url, monitoring: witness.url, key: witness.folder.vkey, organisation: 'bank-b' },
          ],
          quorum: 1,
          timeoutMs: 5000,
        },
        {
          onAnswer: (answer) => {
            if (answer.kind === 'quorum') quorum.resolve(answer.size);
          },
          onDeath: (error, waitMs) => {
            assert.ok(error instanceof Error, 'why is not told');
            waits.push(waitMs);
            if (waits.length === 2) cpSync(join(fixture.directory, 'log'), logDirectory, { recursive: true });
          },
        },
      );
      assert.ok((await quorum.promise) > 0);
      assert.deepEqual(waits, [1000, 2000]);
      assert.equal(thread.deaths, 2);
      await thread.close();
      assert.equal(thread.deaths, 2, 'one that is asked to go does not die');
    } finally {
      await witness.remove();
      fixture.remove();
    }
  });
});
