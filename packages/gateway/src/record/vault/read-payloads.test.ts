import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { RecordFixture, TestSession, until } from '../record-fixture.ts';

test('any range of leaves is found in a vault of many segments, and nothing else', async (t) => {
  const fixture = new RecordFixture({ segmentBytes: 32 * 1024 });
  t.after(() => fixture.remove());
  const recorder = await fixture.open();
  const session = new TestSession(recorder);
  for (let i = 0; i < 240; i++) await session.run(`select ${i}, '${'x'.repeat(400)}'`);
  const last = recorder.health().appendedJseq;
  await until(() => recorder.health().integratedJseq >= last);
  const segments = readdirSync(join(fixture.directory, 'vault/blocks'), { recursive: true });
  assert.ok(segments.filter((name) => String(name).endsWith('.blk')).length > 4);
  const read = async (from: number, to: number): Promise<string[]> => {
    const found: string[] = [];
    for await (const { field, jseq } of recorder.readPayloads(from, to)) found.push(`${jseq} ${field}`);
    return found;
  };
  const all = await read(0, last);
  assert.ok(all.length >= 240);
  for (let from = 0; from <= last; from += 13) {
    for (const length of [0, 1, 40, last]) {
      const to = from + length;
      const expected = all.filter((entry) => {
        const jseq = Number.parseInt(entry, 10);
        return jseq >= from && jseq <= to;
      });
      assert.deepEqual(await read(from, to), expected, `${from} to ${to}`);
    }
  }
  session.close();
  await recorder.close('test');
});
