/** A mirror that shows other leaves when they are read again. */

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';

import { directorySource, formatVerifierKey } from 'countersign-verify';
import type { LogSource } from 'countersign-verify';

import { isCountersignError } from '../../packages/gateway/src/errors.ts';
import { catchUp } from '../../packages/gateway/src/record/catch-up.ts';
import { parseSigningKey } from '../../packages/gateway/src/record/keys.ts';
import { ORIGIN, RecordFixture } from '../../packages/gateway/src/record/record-fixture.ts';
import { OwnLog } from '../../packages/gateway/src/record/witness/own-log.ts';

it('a mirror that changes while it is read leaves nothing behind that the true one would not', async () => {
  const fixture = new RecordFixture();
  const place = mkdtempSync(join(tmpdir(), 'countersign-mirror-'));
  try {
    await (await fixture.open()).close('test');
    cpSync(fixture.directory, join(place, 'backup'), { recursive: true });
    const recorder = await fixture.open();
    for (let i = 0; i < 600; i++)
      recorder.append({ type: 'alert', code: 'test', size: i }, [], { control: true });
    await recorder.close('test');
    cpSync(join(fixture.directory, 'log'), join(place, 'mirror'), { recursive: true });
    rmSync(fixture.directory, { recursive: true });
    cpSync(join(place, 'backup'), fixture.directory, { recursive: true });
    const key = formatVerifierKey(parseSigningKey(fixture.options().signingKey, ORIGIN));
    const honest = directorySource(join(place, 'mirror'));
    const attempt = (mirror: LogSource, name: string) =>
      catchUp({
        stateDirectory: fixture.directory,
        log: new OwnLog(join(fixture.directory, 'log'), ORIGIN, [key]),
        mirror,
        oldJournal: join(place, name),
        atUs: Date.now() * 1000,
      });
    for (const from of [0, 1]) {
      let reads = 0;
      const fickle: LogSource = {
        name: 'fickle',
        async read(path) {
          const bytes = await honest.read(path);
          if (path !== 'tile/entries/000' || bytes === undefined || reads++ < from) return bytes;
          const changed = Buffer.from(bytes);
          changed[changed.length - 3]! ^= 1;
          return changed;
        },
      };
      await assert.rejects(
        attempt(fickle, `never-${from}`),
        (error) => isCountersignError(error) && ['CS_LOG_FORKED', 'CS_INPUT_UNUSABLE'].includes(error.code),
      );
    }
    const { before, size } = await attempt(honest, 'old');
    assert.ok(size > before + 500);
    await (await fixture.open()).close('test');
    assert.equal((await fixture.verify()).verdict, 'VERIFIED-WITH-GAPS');
  } finally {
    fixture.remove();
    rmSync(place, { recursive: true });
  }
});
