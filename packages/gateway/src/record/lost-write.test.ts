import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isCountersignError } from '../errors.ts';
import { writeFaultControl } from './journal/faulty-file-layer.ts';
import { RecordFixture, TestSession, until } from './record-fixture.ts';

const isDamage = (error: unknown): boolean => isCountersignError(error, 'CS_RECORD_CORRUPT');

test('a write that the disk only pretended: the leaves that were acknowledged are missed, and named', async () => {
  const fixture = new RecordFixture({ checkpointMs: 10 });
  const recorder = await fixture.openFaulty();
  const session = new TestSession(recorder);
  await session.run();
  await recorder.drained();
  await until(() => recorder.health().integratedJseq === recorder.health().durableJseq);
  const before = recorder.health().durableJseq;
  writeFaultControl(fixture.controlFile, { lie: true, calls: ['write'], path: '.seg' });
  const lost = session.intent();
  await lost.durable();
  await until(() => recorder.health().isFatal === true);
  writeFaultControl(fixture.controlFile, undefined);
  await recorder.close('test');

  const note = join(fixture.journalDirectory, 'damage.json');
  const { acknowledged } = JSON.parse(readFileSync(note, 'utf8')) as { acknowledged: number };
  assert.ok(acknowledged >= lost.jseq);
  // Refused as often as it is tried, and nothing is changed by that.
  for (let i = 0; i < 2; i++) await assert.rejects(fixture.open(), isDamage);
  await (await fixture.open({ acceptLoss: true })).close('test');
  // Said once.
  await (await fixture.open()).close('test');
  const declared = (await fixture.leaves()).filter(({ type }) => type === 'gap.declared');
  assert.deepEqual(
    declared.map((leaf) => [leaf['cause'], leaf['from'], leaf['to'], leaf['lost']]),
    [['corruption', before + 1, acknowledged, acknowledged - before]],
  );
  const report = await fixture.verify();
  assert.equal(report.verdict, 'VERIFIED-WITH-GAPS');
  fixture.remove();
});

test('a note of damage that cannot be read, or is of another journal, changes nothing', async () => {
  const fixture = new RecordFixture({ checkpointMs: 10 });
  await (await fixture.open()).close('test');
  const other = JSON.stringify({ journal: 'w1', segment: 1, offset: 4096, acknowledged: 1000 });
  for (const text of ['', '{', 'null', '{"journal":"w0","acknowledged":"9"}', other]) {
    writeFileSync(join(fixture.journalDirectory, 'damage.json'), text);
    await (await fixture.open()).close('test');
  }
  assert.equal((await fixture.verify()).verdict, 'VERIFIED');
  fixture.remove();
});
