import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from './clock.ts';
import { RecordFixture, TestSession } from './record-fixture.ts';

/** Clocks that a test sets; `nowMs` follows the monotonic one. */
class TestClock implements Clock {
  readonly source = 'test';
  wall = 1_800_000_000_000_000;
  mono = 1_000_000;
  boot = 5_000_000;

  atUs(): number {
    return this.wall;
  }

  monoUs(): number {
    return this.mono;
  }

  bootUs(): number {
    return this.boot;
  }

  nowMs(): number {
    return this.mono / 1000;
  }

  /** Time goes by: for the process, and beyond it while the machine sleeps. */
  pass(runUs: number, asleepUs = 0): void {
    this.mono += runUs;
    this.wall += runUs + asleepUs;
    this.boot += runUs + asleepUs;
  }
}

const MINUTE_US = 60_000_000;

async function verdictAfter(
  act: (clock: TestClock, session: TestSession, beat: () => void) => Promise<void>,
): Promise<{ verdict: string; findings: string[]; suspended: (readonly [unknown, unknown])[] }> {
  const fixture = new RecordFixture();
  const clock = new TestClock();
  const recorder = await fixture.open({ clock });
  const session = new TestSession(recorder);
  await act(clock, session, () => recorder.heartbeat());
  session.close();
  await recorder.close('test');
  const report = await fixture.verify();
  const alerts = (await fixture.leaves()).filter((leaf) => leaf['code'] === 'suspended');
  fixture.remove();
  return {
    verdict: report.verdict,
    findings: report.findings.map(({ code }) => code),
    suspended: alerts.map((leaf) => [leaf['for_us'], leaf['asleep_us']] as const),
  };
}

test('standstill: a process that was stopped says so before anything else, and that is a gap', async () => {
  const found = await verdictAfter(async (clock, session) => {
    await session.run();
    clock.pass(20 * MINUTE_US);
    await session.run();
  });
  assert.deepEqual(found, {
    verdict: 'VERIFIED-WITH-GAPS',
    findings: ['gap-declared'],
    suspended: [[20 * MINUTE_US, undefined]],
  });
});

test('standstill: the first leaf after it may be a heartbeat, whose mark is still that of the leaf before', async () => {
  const found = await verdictAfter(async (clock, session, beat) => {
    await session.run();
    clock.pass(2 * MINUTE_US);
    beat();
    clock.pass(MINUTE_US / 100);
    await session.run();
  });
  assert.deepEqual(found.findings, ['gap-declared']);
});

test('standstill: a pause that is short is no standstill, and its silence is not explained away', async () => {
  const found = await verdictAfter(async (clock, session) => {
    for (let i = 0; i < 12; i++) {
      clock.pass(9_000_000);
      await session.run();
    }
  });
  // 108 s without a heartbeat, in steps that are each too short.
  assert.deepEqual(
    [found.verdict, found.findings, found.suspended],
    ['INCOMPLETE', ['heartbeat-missing'], []],
  );
});

test('standstill: a machine that slept while the process was stopped is told apart', async () => {
  const found = await verdictAfter(async (clock, session) => {
    await session.run();
    clock.pass(12_000_000, 60 * MINUTE_US);
    await session.run();
  });
  assert.equal(found.verdict, 'VERIFIED-WITH-GAPS');
  assert.deepEqual(found.suspended, [[12_000_000 + 60 * MINUTE_US, 60 * MINUTE_US]]);
});
