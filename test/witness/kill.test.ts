/** A witness that is killed at any moment still knows everything that it cosigned. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseSignatureLines, parseCheckpoint, verifySignature } from 'countersign-verify';

import { originHash } from '../../packages/gateway/src/witness/witness-store.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { WitnessFolder } from '../support/witness-process.ts';

const KILLS = 12;

describe('a witness that is killed', () => {
  it('never forgets a tree whose cosignature it gave away', async () => {
    const log = new MemoryLog('log.example/bank', 4000);
    const folder = new WitnessFolder({
      logs: [{ origin: log.origin, keys: [log.vkey] }],
      more: 'limits: {checkpointsPerMinute: 60000}',
    });
    try {
      let cosigned = 0;
      for (let kill = 0; kill < KILLS; kill++) {
        const witness = await folder.start();
        const response = await fetch(`${witness.url}/${originHash(log.origin)}/checkpoint`);
        const text = await response.text();
        let known = response.status === 404 ? 0 : parseCheckpoint(text).size;
        assert.ok(known >= cosigned, `${known} leaves known, ${cosigned} were cosigned`);
        if (known > 0) assert.deepEqual(parseCheckpoint(text).root, log.root(known));
        // A few answers, each time another number, then it is killed while more are under way.
        let answered = 0;
        while (answered < 5 + kill) {
          known = cosigned = await advance(witness.url, log, known, folder);
          answered++;
        }
        const under: Promise<number | undefined>[] = [];
        for (let i = 1; i <= 3; i++) {
          under.push(advance(witness.url, log, known, folder, known + i).catch(() => undefined));
        }
        await Promise.all([witness.kill(), ...under]);
        for (const size of await Promise.all(under)) cosigned = Math.max(cosigned, size ?? 0);
      }
      assert.ok(cosigned > KILLS);
    } finally {
      folder.remove();
    }
  });
});

/** Asks for a larger tree; gives its size once a valid cosignature of it is in hand. */
async function advance(
  url: string,
  log: MemoryLog,
  from: number,
  folder: WitnessFolder,
  to = from + 1,
): Promise<number> {
  const response = await fetch(`${url}/add-checkpoint`, {
    method: 'POST',
    body: await log.request(from, to),
  });
  const answer = await response.text();
  assert.equal(response.status, 200, answer);
  const { body } = parseCheckpoint(log.checkpoint(to)).note;
  assert.ok(verifySignature(body, parseSignatureLines(answer)[0]!, folder.verifier));
  return to;
}
