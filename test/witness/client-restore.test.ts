/** A state directory that was put back from a backup: refused, and the two lawful ways on from there. */

import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  createSigner,
  directorySource,
  formatVerifierKey,
  parseCheckpoint,
  signCheckpoint,
  verifyLog,
} from 'countersign-verify';
import type { VerifyReport } from 'countersign-verify';

import { originHash } from '../../packages/gateway/src/witness/witness-store.ts';
import { runCountersign, type Finished } from '../support/command-line.ts';
import { readLeaves } from '../support/record-view.ts';
import { ORIGIN, WitnessedGateway } from '../support/witnessed-gateway.ts';

function cli(gateway: WitnessedGateway, ...args: readonly string[]): Promise<Finished> {
  return bare(...args, '-c', gateway.folder.configFile);
}

const bare = (...args: readonly string[]): Promise<Finished> => runCountersign(args, { timeout: 30_000 });

/** Runs once and stops, everything witnessed. */
async function runOnce(gateway: WitnessedGateway): Promise<void> {
  await gateway.start();
  await gateway.caughtUp();
  await gateway.stop();
}

interface RolledBack {
  /** The log as it was at its newest. */
  readonly mirror: string;
  readonly newest: number;
  readonly restored: number;
}

/** Two runs; then the state of after the first is put back. */
async function rollBack(gateway: WitnessedGateway): Promise<RolledBack> {
  await runOnce(gateway);
  const backup = gateway.backUp('backup');
  const restored = gateway.checkpoint()!.size;
  await runOnce(gateway);
  const newest = gateway.checkpoint()!.size;
  const mirror = join(gateway.folder.directory, 'mirror');
  cpSync(gateway.log, mirror, { recursive: true });
  gateway.putBack(backup);
  return { mirror, newest, restored };
}

async function withGateway(body: (gateway: WitnessedGateway) => Promise<void>): Promise<void> {
  const gateway = await WitnessedGateway.create({ organisations: ['bank-b'] });
  try {
    await body(gateway);
  } finally {
    await gateway.remove();
  }
}

function verify(
  gateway: WitnessedGateway,
  earlier: readonly string[] = [],
  log: string = gateway.log,
): Promise<VerifyReport> {
  const witnesses = gateway.witnesses.map(({ folder }) => folder.verifier);
  return verifyLog(directorySource(log), { earlier, witnesses, requireWitnesses: 1 });
}

const logFiles = (gateway: WitnessedGateway): readonly string[] =>
  readdirSync(gateway.log, { recursive: true, encoding: 'utf8' }).toSorted();

describe('a log that was rolled back', () => {
  it('is not started, with and without the witness, and nothing is written to it', async () => {
    await withGateway(async (gateway) => {
      const { newest, restored } = await rollBack(gateway);
      const before = logFiles(gateway);
      const refused = await cli(gateway, 'serve');
      assert.equal(refused.code, 6);
      assert.match(refused.stderr, /\[CS_LOG_ROLLED_BACK\]/);
      assert.match(refused.stderr, new RegExp(`has ${restored} leaves; its key has signed ${newest}`));
      assert.deepEqual(logFiles(gateway), before);
      assert.equal(gateway.checkpoint()!.size, restored);
      // What the witness showed is kept: whoever silences the witness gains nothing.
      await gateway.witnesses[0]!.process.kill();
      const again = await cli(gateway, 'serve');
      assert.match(again.stderr, /\[CS_LOG_ROLLED_BACK\][\s\S]*kept in the state directory/);
      await gateway.witnesses[0]!.restart();
    });
  });

  it('is not started when the state directory is empty and the key is the same', async () => {
    await withGateway(async (gateway) => {
      await runOnce(gateway);
      const empty = join(gateway.folder.directory, 'empty');
      mkdirSync(empty);
      gateway.putBack(empty);
      const refused = await cli(gateway, 'serve');
      assert.equal(refused.code, 6);
      assert.match(refused.stderr, /\[CS_LOG_ROLLED_BACK\][\s\S]*the log here has 0 leaves/);
      assert.equal(existsSync(join(gateway.log, 'tile')), false);
    });
  });

  it('recovers what it lacks from a mirror, and goes on as the same log', async () => {
    await withGateway(async (gateway) => {
      const { mirror, newest, restored } = await rollBack(gateway);
      assert.equal((await cli(gateway, 'serve')).code, 6);
      const recovered = await cli(gateway, 'log', 'recover', '--from', mirror, '--json');
      assert.equal(recovered.code, 0, recovered.stderr);
      assert.deepEqual(JSON.parse(recovered.stdout), {
        before: restored,
        size: newest,
        recovered: newest - restored,
        erased: { cameBack: [], periods: 0 },
      });
      // A second time there is nothing to do, and nothing is done wrong.
      assert.equal((await cli(gateway, 'log', 'recover', '--from', mirror)).code, 0);
      await runOnce(gateway);
      const report = await verify(gateway, [readFileSync(join(mirror, 'checkpoint'), 'utf8')]);
      // The restore is a break in the life of the record, and shows as one.
      assert.equal(report.verdict, 'VERIFIED-WITH-GAPS', JSON.stringify(report.findings));
      const alerts = readLeaves(gateway.state).filter(({ type }) => type === 'alert');
      assert.deepEqual(
        alerts.map(({ code, size }) => [code, size]),
        [['log-recovered', restored]],
      );
    });
  });

  it('recovers from a backup that was made while it ran', async () => {
    await withGateway(async (gateway) => {
      const process = await gateway.start();
      await gateway.caughtUp();
      const backups = join(gateway.folder.directory, 'backups');
      const made = await cli(gateway, 'backup', backups);
      assert.equal(made.code, 0, made.stderr);
      while ((await process.metric('countersign_unwitnessed_leaves')) > 0) await sleep(50);
      await gateway.stop();
      const mirror = join(gateway.folder.directory, 'mirror');
      cpSync(gateway.log, mirror, { recursive: true });
      rmSync(gateway.state, { recursive: true });
      const restored = await bare('restore', backups, gateway.state);
      assert.equal(restored.code, 0, restored.stderr);
      assert.match((await cli(gateway, 'serve')).stderr, /\[CS_LOG_ROLLED_BACK\]/);
      const recovered = await cli(gateway, 'log', 'recover', '--from', mirror);
      assert.equal(recovered.code, 0, recovered.stderr);
      await runOnce(gateway);
      const report = await verify(gateway, [readFileSync(join(mirror, 'checkpoint'), 'utf8')]);
      assert.equal(report.verdict, 'VERIFIED-WITH-GAPS', JSON.stringify(report.findings));
    });
  });

  it('takes nothing from a mirror that is behind, or of another history', async () => {
    await withGateway(async (gateway) => {
      await runOnce(gateway);
      const early = gateway.backUp('early');
      await runOnce(gateway);
      const behind = await cli(gateway, 'log', 'recover', '--from', join(early, 'log'));
      assert.equal(behind.code, 2);
      assert.match(behind.stderr, /fewer leaves than are here/);
      // The same key, and another second run: the witness is not asked, so it does not object.
      const other = await WitnessedGateway.create({ organisations: ['bank-c'] });
      try {
        for (const file of ['signing.pem', 'custodian.pem']) {
          cpSync(join(gateway.folder.directory, file), join(other.folder.directory, file));
        }
        other.putBack(early);
        writeFileSync(
          other.folder.configFile,
          readFileSync(other.folder.configFile, 'utf8').replace(/^witness:\n(?: .*\n)*/m, ''),
        );
        for (let run = 0; run < 2; run++) {
          await (await other.start()).get('ready');
          await other.stop();
        }
        const forked = await cli(gateway, 'log', 'recover', '--from', other.log);
        assert.equal(forked.code, 6);
        assert.match(forked.stderr, /\[CS_LOG_FORKED\]/);
      } finally {
        await other.remove();
      }
    });
  });

  it('is succeeded by a log of another name, which says what is lost', async () => {
    await withGateway(async (gateway) => {
      const { mirror, newest, restored } = await rollBack(gateway);
      const same = await cli(gateway, 'log', 'succeed');
      assert.equal(same.code, 3);
      assert.match(same.stderr, /log\.origin: the log here is test\.example\/countersign itself/);
      const name = 'test.example/countersign-2';
      const { configFile } = gateway.folder;
      writeFileSync(configFile, readFileSync(configFile, 'utf8').replace(ORIGIN, name));
      const refused = await cli(gateway, 'log', 'succeed');
      assert.equal(refused.code, 6);
      assert.match(refused.stderr, new RegExp(`${newest - restored} would be lost`));
      const done = await cli(gateway, 'log', 'succeed', '--accept-loss', '--json');
      assert.equal(done.code, 0, done.stderr);
      const { archive, lost } = JSON.parse(done.stdout) as { archive: string; lost: number };
      assert.equal(lost, newest - restored);
      assert.equal(statSync(join(archive, 'log', 'checkpoint')).mode & 0o222, 0);
      // The witness learns of the new log; the old one stays what it was, to its last known leaf.
      const [witness] = gateway.witnesses;
      const key = formatVerifierKey(createSigner(name, gateway.signer.privateKey));
      await witness!.setLogs([{ origin: name, keys: [key] }]);
      await runOnce(gateway);
      const report = await verify(gateway);
      assert.equal(report.verdict, 'VERIFIED-WITH-GAPS', JSON.stringify(report.findings));
      const finding = report.findings.find(({ code }) => code === 'succeeds');
      assert.match(
        finding!.message,
        new RegExp(`succeeds ${ORIGIN}, of which ${newest} .* ${lost} are lost`),
      );
      const [genesis] = readLeaves(gateway.state);
      const root = parseCheckpoint(readFileSync(join(mirror, 'checkpoint'), 'utf8')).root;
      assert.deepEqual(genesis!['succeeds'], {
        origin: ORIGIN,
        size: newest,
        root: root.toString('base64url'),
        kept: restored,
      });
      const old = await verify(gateway, [], join(archive, 'log'));
      assert.equal(old.verdict, 'VERIFIED', JSON.stringify(old.findings));
      // Once: the next run of the new log has no word left to put anywhere.
      await runOnce(gateway);
      assert.equal(existsSync(join(gateway.state, 'succession.json')), false);
    });
  });
});

describe('a log that its own key forked', () => {
  it('is found while it runs: alarm, not ready, commands refused, and no start afterwards', async () => {
    await withGateway(async (gateway) => {
      const process = await gateway.start();
      const size = await gateway.caughtUp();
      const { root } = gateway.checkpoint()!;
      // Whoever holds the key shows the witness another past, of the size that it knows last.
      const [witness] = gateway.witnesses;
      await witness!.process.kill();
      const forged = signCheckpoint({ origin: ORIGIN, size, root: Buffer.alloc(32, 1) }, gateway.signer);
      const liar = createServer((request, response) => {
        request.resume();
        const isRead = request.url === `/${originHash(ORIGIN)}/checkpoint`;
        response.writeHead(isRead ? 200 : 422).end(isRead ? forged : '');
      });
      await new Promise<void>((resolve) => {
        liar.listen(witness!.process.port, '127.0.0.1', resolve);
      });
      try {
        while ((await process.metric('countersign_log_contradicted')) === 0) {
          process.child.kill('SIGHUP');
          await sleep(200);
        }
        const { body, status } = await process.get('ready');
        assert.equal(status, 503);
        assert.match(body, /the log is forked/);
        await gateway.stop();
        const alert = readLeaves(gateway.state).find(({ code }) => code === 'log-forked');
        assert.deepEqual([alert?.['size'], alert?.['witness']], [size, 'bank-b.example/w1']);
        assert.notDeepEqual(root, Buffer.alloc(32, 1));
      } finally {
        liar.close();
        liar.closeAllConnections();
      }
      const refused = await cli(gateway, 'serve');
      assert.equal(refused.code, 6);
      assert.match(refused.stderr, /\[CS_LOG_FORKED\][\s\S]*kept in the state directory/);
    });
  });
});
