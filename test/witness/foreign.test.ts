/** Our witness and our requests, met by software that no one here wrote. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { addSignatures, parseSignatureLines } from 'countersign-verify';

import { needGo, runGoWitness } from '../foreign/tools.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { WitnessFolder, type WitnessProcess } from '../support/witness-process.ts';
import { Litewitness, needLitewitness } from './litewitness.ts';

const GO_ORIGIN = 'go.example/log';
const GO_SEED = '5e'.repeat(32);

describe("Go's note and tlog packages", needGo(), () => {
  let goKey = '';
  let folder: WitnessFolder;
  let witness: WitnessProcess;
  let directory = '';
  const log = new MemoryLog('log.example/bank', 1000);

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'countersign-foreign-witness-'));
    goKey = (await runGoWitness('vkey', GO_ORIGIN, GO_SEED)).output.trim();
    folder = new WitnessFolder({
      logs: [
        { origin: GO_ORIGIN, keys: [goKey] },
        { origin: log.origin, keys: [log.vkey] },
      ],
    });
    witness = await folder.start();
  });
  after(async () => {
    await witness.stop();
    folder.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  function file(name: string, text: string): string {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  }

  it('are a log that our witness cosigns as it grows, and sees through when it lies', async () => {
    const answer = await runGoWitness('log', witness.url, folder.vkey, GO_ORIGIN, GO_SEED);
    assert.deepEqual(answer, { isAccepted: true, output: 'ok\n' });
  });

  it('verify a checkpoint with our cosignature, and refuse it changed or without', async () => {
    const response = await fetch(`${witness.url}/add-checkpoint`, {
      method: 'POST',
      body: await log.request(0, 900),
    });
    const lines = parseSignatureLines(await response.text());
    const text = addSignatures(log.checkpoint(900), lines);
    const verdict = (name: string, note: string) =>
      runGoWitness('check', file(name, note), log.vkey, folder.vkey);
    assert.deepEqual(await verdict('witnessed', text), { isAccepted: true, output: 'ok 900\n' });
    assert.ok(!(await verdict('alone', log.checkpoint(900))).isAccepted);
    const signature = Buffer.from(lines[0]!.signature);
    signature[3]! ^= 1;
    const later = addSignatures(log.checkpoint(900), [{ ...lines[0]!, signature }]);
    assert.ok(!(await verdict('another-time', later)).isAccepted);
    assert.ok(!(await verdict('another-tree', addSignatures(log.checkpoint(901), lines))).isAccepted);
  });

  it('verify the consistency proofs of our requests, and refuse those of another past', async () => {
    const past = new MemoryLog('log.example/bank', 1000, 'another leaf');
    for (const [from, to] of [
      [1, 2],
      [6, 7],
      [255, 256],
      [256, 1000],
      [700, 701],
      [999, 1000],
    ] as const) {
      const old = file(`old-${from}`, log.checkpoint(from));
      const request = file(`request-${from}`, await log.request(from, to));
      const expected = { isAccepted: true, output: `ok ${from} ${to}\n` };
      assert.deepEqual(await runGoWitness('consistency', request, old, log.vkey), expected);
      const other = file(`other-${from}`, await past.request(from, to));
      assert.ok(!(await runGoWitness('consistency', other, old, log.vkey)).isAccepted);
    }
  });
});

describe('litewitness, a witness of others', needLitewitness(), () => {
  it('cosigns what our requests prove, so that our verifier and Go accept it, and refuses what ours refuses', async () => {
    const log = new MemoryLog('log.example/bank', 600);
    const theirs = await Litewitness.start('litewitness.example/w1', [log]);
    const ours = new WitnessFolder({ logs: [{ origin: log.origin, keys: [log.vkey] }] });
    const process = await ours.start();
    try {
      const ask = async (body: string): Promise<readonly [number, number]> => {
        const statuses = [];
        for (const url of [theirs.url, process.url]) {
          const response = await fetch(`${url}/add-checkpoint`, { method: 'POST', body });
          if (response.status === 200) lines.push(...parseSignatureLines(await response.text()));
          else if (response.status === 409) {
            assert.equal(response.headers.get('content-type'), 'text/x.tlog.size');
            sizes.push(await response.text());
          } else await response.arrayBuffer();
          statuses.push(response.status);
        }
        return [statuses[0]!, statuses[1]!];
      };
      let lines: ReturnType<typeof parseSignatureLines> = [];
      const sizes: string[] = [];
      const past = new MemoryLog('log.example/bank', 600, 'another leaf');
      const stranger = new MemoryLog('log.example/stranger', 10);
      const steps: readonly (readonly [string, string, number])[] = [
        ['the first checkpoint', await log.request(0, 5), 200],
        ['growth', await log.request(5, 256), 200],
        ['growth again', await log.request(256, 600), 200],
        ['the same once more', await log.request(600, 600), 200],
        ['an old size', await log.request(5, 600), 409],
        ['an unknown log', await stranger.request(0), 404],
        ['a fork', (await log.request(600, 600)).replace(log.checkpoint(600), past.checkpoint(600)), 422],
        ['nonsense', 'old\n\n', 400],
      ];
      for (const [what, body, status] of steps) assert.deepEqual(await ask(body), [status, status], what);
      assert.deepEqual(sizes, ['600\n', '600\n']);
      lines = [];
      assert.deepEqual(await ask(await log.request(600, 600)), [200, 200]);
      const directory = mkdtempSync(join(tmpdir(), 'countersign-two-witnesses-'));
      try {
        const checkpoint = join(directory, 'checkpoint');
        writeFileSync(checkpoint, addSignatures(log.checkpoint(600), lines));
        const answer = await runGoWitness('check', checkpoint, log.vkey, theirs.vkey, ours.vkey);
        assert.deepEqual(answer, { isAccepted: true, output: 'ok 600\n' });
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    } finally {
      await process.stop();
      await theirs.stop();
      ours.remove();
    }
  });
});
