/** The gateway and its witnesses, as the processes that they are. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  cosigningOrganisations,
  directorySource,
  parseProof,
  verifierOf,
  verifyLeafProof,
  verifyLog,
  witnessOf,
} from 'countersign-verify';
import type { VerifyReport } from 'countersign-verify';

import { realFileLayer } from '../../packages/gateway/src/record/journal/file-layer.ts';
import { WitnessStore } from '../../packages/gateway/src/witness/witness-store.ts';
import { readLeaves } from '../support/record-view.ts';
import { WitnessedGateway } from '../support/witnessed-gateway.ts';
import type { WitnessedSettings } from '../support/witnessed-gateway.ts';

const MAIN = join(import.meta.dirname, '../../packages/gateway/src/cli/main.ts');

async function withGateway(
  settings: WitnessedSettings,
  body: (gateway: WitnessedGateway) => Promise<void>,
): Promise<void> {
  const gateway = await WitnessedGateway.create(settings);
  try {
    await body(gateway);
  } finally {
    await gateway.remove();
  }
}

function verify(gateway: WitnessedGateway, requireWitnesses: number): Promise<VerifyReport> {
  const witnesses = gateway.witnesses.map(({ folder, organisation }) =>
    witnessOf(folder.verifier, organisation),
  );
  return verifyLog(directorySource(gateway.log), { witnesses, requireWitnesses });
}

const alertsOf = (gateway: WitnessedGateway): readonly unknown[] =>
  readLeaves(gateway.state)
    .filter(({ type }) => type === 'alert')
    .map(({ code, size, witness }) => ({ code, size, witness }));

function cli(gateway: WitnessedGateway, ...args: readonly string[]): string {
  return execFileSync(process.execPath, [MAIN, ...args, '-c', gateway.folder.configFile], {
    encoding: 'utf8',
    timeout: 30_000,
  });
}

/** What people are shown of a log that is witnessed as a whole. */
async function checkCommandLine(gateway: WitnessedGateway, size: number): Promise<void> {
  const shown = JSON.parse(cli(gateway, 'log', 'status', '--json')) as {
    readonly state: string;
    readonly witnessed: unknown;
  };
  assert.equal(shown.state, 'WITNESSED(2)');
  assert.deepEqual(shown.witnessed, {
    newest: 2,
    size,
    organisations: 2,
    unwitnessed: { leaves: 0, seconds: 0 },
  });
  const status = cli(gateway, 'status');
  assert.match(status, /unwitnessed +0 leaves, 0 s/);
  assert.match(status, new RegExp(`witness +auditor\\.example/w1 \\(auditor\\): ${size} leaves cosigned`));
  const proof = parseProof(cli(gateway, 'log', 'prove', '0'));
  assert.equal(verifyLeafProof(proof, verifierOf(gateway.signer)), true);
  const witnesses = gateway.witnesses.map(({ folder, organisation }) =>
    witnessOf(folder.verifier, organisation),
  );
  assert.equal(cosigningOrganisations(proof.checkpoint, witnesses).size, 2);
}

describe('a gateway with witnesses', () => {
  it('has every checkpoint cosigned by a quorum, and says so once: an idle log comes to rest', async () => {
    await withGateway({ organisations: ['bank-b', 'auditor'] }, async (gateway) => {
      const process = await gateway.start();
      const first = await gateway.witnessed();
      // The leaf that says so makes a checkpoint of its own; when that is witnessed too, nothing is left to say.
      const size = await gateway.caughtUp();
      assert.ok(size > first, 'the leaf was not written');
      assert.equal(await process.metric('countersign_unwitnessed_seconds'), 0);
      assert.equal(await process.metric('countersign_witnessed_size_leaves'), size);
      const { status } = await process.get('ready');
      assert.equal(status, 200);
      await checkCommandLine(gateway, size);
      await gateway.stop();
      const said = readLeaves(gateway.state).filter(({ type }) => type === 'checkpoint.witnessed');
      assert.equal(said.length, 1);
      assert.equal(said[0]!['organisations'], 2);
      assert.deepEqual(said[0]!['witnesses'], ['bank-b.example/w1', 'auditor.example/w1']);
      // What was written at the stop was shown as well.
      const report = await verify(gateway, 2);
      assert.equal(report.verdict, 'VERIFIED', JSON.stringify(report.findings));
      assert.equal(report.witnessed, 2);
      assert.deepEqual(report.unwitnessed?.leaves, 0);
      assert.deepEqual(alertsOf(gateway), []);
    });
  });

  it('starts when no witness answers, tells the window, and catches up by itself', async () => {
    await withGateway({ organisations: ['bank-b'] }, async (gateway) => {
      const [witness] = gateway.witnesses;
      await witness!.process.kill();
      const process = await gateway.start();
      assert.match(process.log, /witness does not answer/);
      assert.ok((await process.metric('countersign_unwitnessed_leaves')) > 0);
      while ((await process.metric('countersign_witness_failures_total')) === 0) await sleep(50);
      assert.equal(gateway.checkpoint('checkpoint.witnessed'), undefined);
      await witness!.restart();
      await gateway.caughtUp();
      assert.equal(await process.metric('countersign_unwitnessed_leaves'), 0);
      await gateway.stop();
      assert.equal((await verify(gateway, 1)).verdict, 'VERIFIED');
    });
  });

  it('is stopped by no witness that has nothing but its word', async () => {
    const liar = createServer((request, response) => {
      request.resume();
      const isPost = request.method === 'POST';
      response.writeHead(isPost ? 409 : 404, { 'content-type': 'text/x.tlog.size' });
      response.end(isPost ? '1000000\n' : '');
    });
    await new Promise<void>((resolve) => {
      liar.listen(0, '127.0.0.1', resolve);
    });
    try {
      await withGateway({ organisations: ['bank-b'] }, async (gateway) => {
        const { folder } = gateway.witnesses[0]!;
        const url = `http://127.0.0.1:${(liar.address() as AddressInfo).port}`;
        gateway.addSection([{ url, key: folder.vkey, organisation: 'liar' }]);
        const process = await gateway.start();
        while ((await process.metric('countersign_witness_contradicts')) === 0) await sleep(50);
        assert.equal((await process.get('ready')).status, 200);
        assert.equal(await process.metric('countersign_log_contradicted'), 0);
        await gateway.stop();
        const told = { code: 'witness-contradicts', size: 1_000_000, witness: 'bank-b.example/w1' };
        // Once, however often it is repeated; nothing is claimed of a log that is not there yet.
        assert.deepEqual(alertsOf(gateway), [told]);
        // Ready is answered when signals are, too.
        await (await gateway.start()).get('ready');
        await gateway.stop();
        assert.deepEqual(alertsOf(gateway), [told, told]);
      });
    } finally {
      liar.close();
      liar.closeAllConnections();
    }
  });

  it('notices a witness that lost its memory', async () => {
    await withGateway({ organisations: ['bank-b'] }, async (gateway) => {
      const [witness] = gateway.witnesses;
      await gateway.start();
      await gateway.caughtUp();
      const memory = readFileSync(join(gateway.log, 'checkpoint.witnessed'), 'utf8');
      await gateway.stop();
      // An old memory is as good as none: this one has never heard of the log.
      await witness!.process.kill();
      renameSync(witness!.folder.state, `${witness!.folder.state}.lost`);
      WitnessStore.create(realFileLayer, witness!.folder.state);
      await witness!.restart();
      const process = await gateway.start();
      await gateway.caughtUp();
      assert.equal((await process.get('ready')).status, 200);
      await gateway.stop();
      assert.notEqual(readFileSync(join(gateway.log, 'checkpoint.witnessed'), 'utf8'), memory);
      const codes = alertsOf(gateway).map((alert) => (alert as { code: string }).code);
      assert.deepEqual(codes, ['witness-rolled-back']);
    });
  });
});
