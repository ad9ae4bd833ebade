import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { isCountersignError } from '../errors.ts';
import type { Clock } from './clock.ts';
import { writeFaultControl, type FaultControl } from './journal/faulty-file-layer.ts';
import { RecordFixture, TestSession, until } from './record-fixture.ts';
import type { Appended, Commitment, Recorder } from './recorder.ts';

function vaultFiles(fixture: RecordFixture, place: string): string[] {
  const root = join(fixture.directory, 'vault', place);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

const FAILURES: readonly (readonly [
  name: string,
  control: FaultControl,
  code: 'CS_RECORD_FULL' | 'CS_RECORD_FAILED',
])[] = [
  ['no space', { fail: 'ENOSPC', path: '/spool/', calls: ['write'] }, 'CS_RECORD_FULL'],
  ['a failing disk', { fail: 'EIO', path: '/spool/', calls: ['write'] }, 'CS_RECORD_FAILED'],
  ['a sync that fails', { fail: 'EIO', path: '/spool/', calls: ['sync'] }, 'CS_RECORD_FAILED'],
  ['a rename that fails', { fail: 'EIO', path: '/spool/', calls: ['rename'] }, 'CS_RECORD_FAILED'],
];

test('spool: a disk that fails is a refusal with its code, and nothing of the value stays', async () => {
  const fixture = new RecordFixture();
  const recorder = await fixture.openFaulty();
  const keys = vaultFiles(fixture, 'keys').length;
  for (const [name, control, code] of FAILURES) {
    const spool = await recorder.openSpool();
    writeFaultControl(fixture.controlFile, control);
    const value = Buffer.alloc(2_500_000, 1);
    await assert.rejects(
      async () => {
        await spool.write(value);
        await spool.finish();
      },
      (error) => isCountersignError(error, code),
      name,
    );
    writeFaultControl(fixture.controlFile, undefined);
    assert.deepEqual(vaultFiles(fixture, 'spool'), [], name);
    assert.equal(vaultFiles(fixture, 'keys').length, keys, name);
  }
  writeFaultControl(fixture.controlFile, { fail: 'EIO', path: '/keys/' });
  await assert.rejects(recorder.openSpool(), (error) => isCountersignError(error, 'CS_RECORD_FAILED'));
  writeFaultControl(fixture.controlFile, undefined);
  assert.equal(vaultFiles(fixture, 'keys').length, keys);
  await recorder.close('test');
  fixture.remove();
});

test('spool: a value never takes the room that results are promised', async () => {
  const fixture = new RecordFixture({ minFreeBytes: 1024 * 1024, checkpointMs: 1_000_000 });
  writeFaultControl(fixture.controlFile, { freeBytes: 8 * 1024 * 1024 });
  const recorder = await fixture.openFaulty();
  const spool = await recorder.openSpool();
  const chunk = Buffer.alloc(1024 * 1024);
  let written = 0;
  await assert.rejects(
    async () => {
      for (; written < 16; written++) await spool.write(chunk);
    },
    (error) => isCountersignError(error, 'CS_RECORD_FULL'),
  );
  assert.ok(written >= 4 && written <= 8, `${written} MiB`);
  assert.deepEqual(vaultFiles(fixture, 'spool'), []);
  await assert.rejects(recorder.openSpool(), (error) => isCountersignError(error, 'CS_RECORD_FULL'));
  await recorder.close('test');
  fixture.remove();
});

/** An intent that names a spooled value, with the number that comes next in its session. */
function nameSpooled(recorder: Recorder, session: TestSession, commitment: Commitment): Appended {
  return recorder.append(
    {
      type: 'call.intent',
      session: session.id,
      seq: 1,
      decision: { effect: 'permit', policies: [], reasons: [] },
      kind: 'insert',
      effect: 'write',
      message: commitment.digest,
    },
    [{ field: 'message', commitment }],
  );
}

test('spool: what a crash left unfinished or unnamed is gone after the next start, with its keys', async () => {
  const fixture = new RecordFixture({ checkpointMs: 1_000_000 });
  const recorder = await fixture.open();
  const keys = vaultFiles(fixture, 'keys').length;
  const left = await recorder.openSpool();
  await left.write(Buffer.alloc(3_000_000));
  const spools = [await recorder.openSpool(), await recorder.openSpool()] as const;
  for (const spool of spools) await spool.write(Buffer.alloc(10));
  const [unnamed, named] = [await spools[0].finish(), await spools[1].finish()];
  await nameSpooled(recorder, new TestSession(recorder), named).durable();
  for (const file of [...vaultFiles(fixture, 'keys'), ...vaultFiles(fixture, 'spool')]) {
    assert.equal(statSync(file).mode & 0o777, 0o600, file);
  }
  const crashed = fixture.copy();
  // As if the crash had come before the claim to the named value was given up.
  const directory = dirname(vaultFiles(crashed, 'spool')[0]!);
  writeFileSync(join(directory, `${named.spool}.${named.digest}.claim`), '');
  await left.abort();
  for (const spool of spools) await spool.abort();
  assert.deepEqual(spoolNames(fixture), [named.spool], 'what a leaf names is not for abort() to take away');
  await recorder.close('test');
  assert.ok(spoolNames(crashed).some((name) => name.endsWith('.part')));
  assert.ok(spoolNames(crashed).includes(unnamed.spool!));
  const next = await crashed.open();
  assert.deepEqual(spoolNames(crashed), [named.spool]);
  // Two for the value that is named, two for the segment of this run.
  assert.equal(vaultFiles(crashed, 'keys').length, keys + 4);
  await next.close('test');
  const { findings } = await crashed.verify();
  assert.deepEqual(
    findings.filter(({ verdict }) => verdict !== 'VERIFIED-WITH-GAPS'),
    [],
  );
  crashed.remove();
  fixture.remove();
});

test('spool: a finished value whose intent is refused does not stay', async () => {
  const fixture = new RecordFixture();
  const recorder = await fixture.openFaulty();
  const keys = vaultFiles(fixture, 'keys').length;
  const session = new TestSession(recorder);
  const spool = await recorder.openSpool();
  await spool.write(Buffer.alloc(10));
  const commitment = await spool.finish();
  await recorder.drained();
  writeFaultControl(fixture.controlFile, { fail: 'EIO', path: '.seg' });
  await assert.rejects(session.intent().durable());
  assert.throws(() => nameSpooled(recorder, session, commitment));
  await spool.abort();
  writeFaultControl(fixture.controlFile, undefined);
  assert.deepEqual(spoolNames(fixture), []);
  await until(() => recorder.health().ready);
  assert.ok(vaultFiles(fixture, 'keys').length <= keys + 2, 'only the new segment has keys of its own');
  await recorder.close('test');
  fixture.remove();
});

function spoolNames(fixture: RecordFixture): string[] {
  return vaultFiles(fixture, 'spool')
    .map((file) => file.split('/').at(-1)!)
    .sort();
}

test('record: a wall clock that is set is recorded, and the log stays sound', async () => {
  let wallUs = 1_800_000_000_000_000;
  let monoUs = 1_000_000;
  const clock: Clock = {
    source: 'test',
    atUs: () => wallUs,
    monoUs: () => monoUs,
    nowMs: () => performance.now(),
  };
  const fixture = new RecordFixture();
  const recorder = await fixture.open({ clock });
  const session = new TestSession(recorder);
  for (const [wall, mono] of [
    [1_900_000, 0],
    [10_000_000, 10_000_000],
    [3_600_000_000, 1000],
    [-40 * 86_400_000_000, 1000],
    [-1_900_000, 0],
  ] as const) {
    wallUs += wall;
    monoUs += mono;
    await session.run();
  }
  session.close();
  await recorder.close('test');
  const report = await fixture.verify();
  assert.deepEqual([report.verdict, report.findings], ['VERIFIED', []]);
  const entries = readEntries(fixture);
  assert.deepEqual(
    [...entries.matchAll(/"code":"clock-step".{0,300}?"step_us":(-?[0-9]+)/gs)].map(([, step]) =>
      Number(step),
    ),
    [3_600_000_000 - 1000, -40 * 86_400_000_000 - 1000],
  );
  fixture.remove();
});

function readEntries(fixture: RecordFixture): string {
  const root = join(fixture.directory, 'log', 'tile', 'entries');
  const newest = readdirSync(join(root, '000.p'))
    .map(Number)
    .toSorted((a, b) => b - a)[0]!;
  return readFileSync(join(root, '000.p', String(newest)), 'latin1');
}
