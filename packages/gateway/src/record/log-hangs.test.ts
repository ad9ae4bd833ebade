import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCountersignError } from '../errors.ts';
import { writeFaultControl } from './journal/faulty-file-layer.ts';
import { RecordFixture, TestSession, until } from './record-fixture.ts';
import type { RecorderHealth } from './recorder.ts';

test('a log whose disk hangs is told, commands go on, and the end of the room refuses them', async () => {
  const fixture = new RecordFixture({ checkpointMs: 10 });
  const faults = { controlFile: fixture.controlFile };
  const recorder = await fixture.open({ faults, logHangsAfterMs: 50 });
  const session = new TestSession(recorder);
  await session.run();
  // On a busy machine the log may take so long that it is said to hang, until it does not.
  await until(() => recorder.health().integratedJseq === recorder.health().durableJseq);
  const told: RecorderHealth[] = [];
  recorder.onHealthChange((health) => told.push(health));

  writeFaultControl(fixture.controlFile, { stall: true, path: '/log/' });
  await session.run();
  await until(() => !recorder.health().ready);
  assert.deepEqual(
    told.map(({ ready, takesCommands, reason }) => ({ ready, takesCommands, reason })),
    [{ ready: false, takesCommands: true, reason: 'the log cannot be written (its disk does not answer)' }],
  );
  // Nobody else looks at the disk while the integrator hangs.
  await session.run();
  writeFaultControl(fixture.controlFile, { stall: true, path: '/log/', freeBytes: 1 });
  await until(() => recorder.health().takesCommands === false);
  assert.throws(
    () => session.intent(),
    (error) => isCountersignError(error, 'CS_RECORD_FULL'),
  );

  writeFaultControl(fixture.controlFile, undefined);
  await until(() => recorder.health().ready);
  assert.ok(told.at(-1)?.ready === true);
  await session.run();
  session.close();
  await recorder.close('test');
  assert.equal((await fixture.verify()).verdict, 'VERIFIED');
  fixture.remove();
});

test('an idle record does not hang, however old its checkpoint is', async () => {
  const fixture = new RecordFixture({ checkpointMs: 10 });
  const recorder = await fixture.open({ logHangsAfterMs: 20 });
  await until(() => recorder.health().integratedJseq === recorder.health().durableJseq);
  await until(() => recorder.health().checkpointAgeMs > 100);
  assert.equal(recorder.health().ready, true);
  await recorder.close('test');
  fixture.remove();
});
