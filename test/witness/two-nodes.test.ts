/** Two gateway nodes of two organisations, each of which runs a witness for the other, and what each can then show. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { directorySource, verifyLog, witnessOf } from 'countersign-verify';

import { readLeaves } from '../support/record-view.ts';
import { WitnessedGateway } from '../support/witnessed-gateway.ts';

describe('two nodes that witness each other', () => {
  it('agree through kills of a node and of a witness, and each log verifies by the word of the other', async () => {
    // The witness of bank-b belongs to the second node's owner, that of bank-a to the first's.
    const [first, second] = await Promise.all([
      WitnessedGateway.create({ organisations: ['bank-b'], section: '  operator: bank-a\n  timeout: 2s' }),
      WitnessedGateway.create({ organisations: ['bank-a'], section: '  operator: bank-b\n  timeout: 2s' }),
    ]);
    const nodes = [first, second] as const;
    try {
      await Promise.all(nodes.map((node) => node.start()));
      await Promise.all(nodes.map((node) => node.caughtUp()));
      // A node and the other's witness die at any moment, and come back.
      await first.process.kill();
      await first.start();
      await second.witnesses[0]!.restart();
      const size = await first.caughtUp();
      assert.ok(size > 0);
      while ((await second.process.metric('countersign_unwitnessed_leaves')) > 0) await sleep(50);
      for (const node of nodes) {
        assert.equal((await node.process.get('ready')).status, 200);
        assert.equal(await node.process.metric('countersign_witness_contradicts'), 0);
      }
      await Promise.all(nodes.map((node) => node.stop()));
      for (const [node, crashed] of [
        [first, true],
        [second, false],
      ] as const) {
        const witnesses = node.witnesses.map(({ folder, organisation }) =>
          witnessOf(folder.verifier, organisation),
        );
        const report = await verifyLog(directorySource(node.log), { witnesses, requireWitnesses: 1 });
        const expected = crashed ? 'VERIFIED-WITH-GAPS' : 'VERIFIED';
        assert.equal(report.verdict, expected, JSON.stringify(report.findings));
        assert.equal(report.unwitnessed?.leaves, 0);
        assert.deepEqual(
          readLeaves(node.state).filter(({ type }) => type === 'alert'),
          [],
        );
      }
    } finally {
      await Promise.all(nodes.map((node) => node.remove()));
    }
  });
});
