/** Ways from a put-back state to a second history under one name: none may be open, whoever made a mistake. */

import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { directorySource, verifyLog } from 'countersign-verify';

import { runCountersign, type Finished } from '../support/command-line.ts';
import { readLeaves } from '../support/record-view.ts';
import { GatewayFolder, GatewayProcess } from '../support/gateway-process.ts';
import { ORIGIN, WitnessedGateway } from '../support/witnessed-gateway.ts';

const NO_TARGET = { port: 1, user: 'nobody', password: 'nothing', database: 'postgres' };

function cli(folder: GatewayFolder, ...args: readonly string[]): Promise<Finished> {
  return runCountersign([...args, '-c', folder.configFile], { timeout: 30_000 });
}

async function runOnce(folder: GatewayFolder): Promise<void> {
  const gateway = await GatewayProcess.start(folder);
  await gateway.get('ready');
  assert.equal(await gateway.stop(), 0);
}

function rename(folder: GatewayFolder, name: string): void {
  const text = readFileSync(folder.configFile, 'utf8');
  writeFileSync(folder.configFile, text.replace(/^ {2}origin: .*$/m, `  origin: ${name}`));
}

describe('a log that is succeeded', () => {
  it('does not come back under its name, and its successor is the one that was named', async () => {
    const folder = await GatewayFolder.create({ target: NO_TARGET, record: { checkpoint: '100ms' } });
    try {
      await runOnce(folder);
      rename(folder, 'test.example/second');
      assert.equal((await cli(folder, 'log', 'succeed')).code, 0);
      // The configuration is put back, or mistyped: nobody witnesses this log, so nobody else would notice.
      rename(folder, ORIGIN);
      const back = await cli(folder, 'serve');
      assert.match(back.stderr, /\[CS_LOG_ROLLED_BACK\]/);
      rename(folder, 'test.example/third');
      const other = await cli(folder, 'serve');
      assert.match(other.stderr, /test\.example\/second is to succeed test\.example\/countersign here/);
      assert.match((await cli(folder, 'log', 'succeed')).stderr, /test\.example\/second is to succeed/);
      rename(folder, 'test.example/second');
      await runOnce(folder);
      const origins = (): unknown => {
        const [genesis] = readLeaves(folder.stateDirectory);
        return [genesis!['origin'], (genesis!['succeeds'] as { origin: string }).origin];
      };
      assert.deepEqual(origins(), ['test.example/second', ORIGIN]);
      rename(folder, ORIGIN);
      assert.match((await cli(folder, 'log', 'succeed')).stderr, /was succeeded here before/);
      rename(folder, 'test.example/third');
      assert.equal((await cli(folder, 'log', 'succeed')).code, 0);
      await runOnce(folder);
      assert.deepEqual(origins(), ['test.example/third', 'test.example/second']);
    } finally {
      folder.remove();
    }
  });
});

describe('a mirror that was made with the key', () => {
  it('is not taken when what witnesses saw says otherwise, and the true one still is', async () => {
    const gateway = await WitnessedGateway.create({ organisations: ['bank-b'] });
    const { folder } = gateway;
    const forger = await GatewayFolder.create({ target: NO_TARGET, record: { checkpoint: '100ms' } });
    try {
      await gateway.start();
      await gateway.caughtUp();
      await gateway.stop();
      const backup = gateway.backUp('backup');
      await gateway.start();
      await gateway.caughtUp();
      await gateway.stop();
      const mirror = join(folder.directory, 'mirror');
      cpSync(gateway.log, mirror, { recursive: true });
      gateway.putBack(backup);
      // Whoever has the key goes on from the same backup, and further, and publishes that.
      for (const file of ['signing.pem', 'custodian.pem'])
        cpSync(join(folder.directory, file), join(forger.directory, file));
      cpSync(backup, forger.stateDirectory, { recursive: true });
      for (let run = 0; run < 3; run++) await runOnce(forger);
      const taken = await cli(folder, 'log', 'recover', '--from', join(forger.stateDirectory, 'log'));
      assert.match(taken.stderr, /\[CS_LOG_FORKED\]/);
      // Nor when no witness answers any more, once one has: what it showed is kept.
      assert.match((await cli(folder, 'serve')).stderr, /\[CS_LOG_ROLLED_BACK\]/);
      await gateway.witnesses[0]!.process.kill();
      const again = await cli(folder, 'log', 'recover', '--from', join(forger.stateDirectory, 'log'));
      assert.match(again.stderr, /\[CS_LOG_FORKED\]/);
      await gateway.witnesses[0]!.restart();
      assert.equal((await cli(folder, 'log', 'recover', '--from', mirror)).code, 0);
      await gateway.start();
      await gateway.caughtUp();
      await gateway.stop();
      const earlier = [readFileSync(join(mirror, 'checkpoint'), 'utf8')];
      const report = await verifyLog(directorySource(gateway.log), { earlier });
      assert.notEqual(report.verdict, 'FORKED', JSON.stringify(report.findings));
    } finally {
      forger.remove();
      await gateway.remove();
    }
  });
});
