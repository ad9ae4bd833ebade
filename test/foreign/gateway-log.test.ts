/**
 * The record of the real gateway in front of a real server, through a crash and a clean stop: checked while it runs, after
 * each end, with every content opened by the custodian, and by Go's packages.
 */

import assert from 'node:assert/strict';
import { createHash, createPrivateKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  commitmentsOf,
  directorySource,
  parseVerifierKey,
  VaultChecks,
  VaultReader,
  verifyLog,
  type Leaf,
  type VerifyReport,
} from 'countersign-verify';
import { GatewayFolder, GatewayProcess } from '../support/gateway-process.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';
import {
  bind,
  execute,
  frame,
  parse,
  query,
  RawSession,
  sync,
  type RawMessage,
} from '../support/raw-session.ts';
import { countClients, readLeaves, Vault } from '../support/record-view.ts';
import { needGo, verifyWithGo } from './tools.ts';

let server: PostgresServer;
let folder: GatewayFolder;
let gateway: GatewayProcess;
/** Checkpoints as somebody outside would have kept them. */
const kept: string[] = [];

before(async () => {
  server = await startTestPostgres();
  const { password, port, user } = server;
  folder = await GatewayFolder.create({ target: { port, database: 'postgres', user, password } });
  gateway = await GatewayProcess.start(folder);
});

after(async () => {
  await gateway.stop();
  await server.stop();
  folder.remove();
});

function logDirectory(): string {
  return join(folder.stateDirectory, 'log');
}

function keepCheckpoint(): void {
  kept.push(readFileSync(join(logDirectory(), 'checkpoint'), 'utf8'));
}

async function check(): Promise<VerifyReport & { readonly commitments: number }> {
  let checks: VaultChecks | undefined;
  const reader = new VaultReader(join(folder.stateDirectory, 'vault'), createPrivateKey(folder.custodianKey));
  const report = await verifyLog(directorySource(logDirectory()), {
    key: parseVerifierKey(readFileSync(join(logDirectory(), 'log.vkey'), 'utf8')),
    earlier: kept,
    visitor: (findings) => (checks = new VaultChecks(reader, findings)),
  });
  return { ...report, commitments: checks?.commitments ?? 0 };
}

/** Waits until a checkpoint covers what is asked for; the number of attempts is bounded. */
async function checkOnce(isThere: (counts: VerifyReport['counts']) => boolean): Promise<VerifyReport> {
  for (let attempt = 0; ; attempt++) {
    const report = await check();
    if (isThere(report.counts) || attempt === 200) return report;
    await sleep(50);
  }
}

/** What clients did, once the log has as many calls as that; the number of attempts is bounded. */
async function clientsOnce(
  wanted: Partial<ReturnType<typeof countClients>>,
): Promise<ReturnType<typeof countClients> | undefined> {
  let counts: ReturnType<typeof countClients> | undefined;
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      counts = countClients(readLeaves(folder.stateDirectory));
      if (counts.calls === wanted.calls && counts.openCalls === wanted.openCalls) return counts;
    } catch (error) {
      // The log grows meanwhile: a partial bundle gives way to a longer one.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    await sleep(50);
  }
  return counts;
}

function codesOf({ findings }: VerifyReport): string[] {
  return [...new Set(findings.map((f) => f.code))].toSorted();
}

/** The bytes of the messages of one type, as they were on the wire. */
function wire(messages: readonly RawMessage[], type: string): Buffer {
  return Buffer.concat(messages.filter((m) => m.type === type).map((m) => frame(type, m.body)));
}

describe('the log of a gateway', () => {
  let rows: Buffer;

  it('is VERIFIED while the gateway runs and a call is open', async () => {
    const session = await RawSession.connect(folder.endpoint(gateway.port));
    session.send(query("select n, 'row ' || n from generate_series(1, 5) n"));
    rows = wire(await session.receiveUntil(), 'D');
    session.send(parse('', 'select $1::int'), bind('', '', ['7']), execute(), sync());
    await session.receiveUntil();
    session.send(query('select 1/0'));
    await session.receiveUntil();
    session.send(query('select pg_sleep(600)'));
    // What the gateway asks of its own is on the record too, in sessions of its own.
    assert.deepEqual(await clientsOnce({ calls: 4, openCalls: 1 }), {
      sessions: 1,
      calls: 4,
      openSessions: 1,
      openCalls: 1,
    });
    const report = await check();
    assert.deepEqual(report.findings, []);
    assert.equal(report.verdict, 'VERIFIED');
    assert.ok(report.counts.openSessions >= 1 && report.counts.openCalls >= 1);
    keepCheckpoint();
  });

  it('is VERIFIED-WITH-GAPS after it was killed, with the open call in doubt', async () => {
    await gateway.kill();
    gateway = await GatewayProcess.start(folder);
    const report = await checkOnce((counts) => counts.gaps === 2);
    assert.deepEqual(
      [report.verdict, codesOf(report)],
      ['VERIFIED-WITH-GAPS', ['gap-crash', 'gap-in-doubt']],
    );
    assert.deepEqual([report.counts.openSessions, report.counts.openCalls, report.counts.inDoubt], [0, 0, 1]);
    keepCheckpoint();
  });

  it('stays so after more sessions and a clean stop, and extends every checkpoint that was kept', async () => {
    const session = await RawSession.connect(folder.endpoint(gateway.port));
    for (let i = 0; i < 200; i++) {
      session.send(query(`select ${i}`));
      await session.receiveUntil();
    }
    session.end();
    assert.equal(await gateway.stop(), 0);
    const report = await check();
    assert.deepEqual(
      [report.verdict, codesOf(report)],
      ['VERIFIED-WITH-GAPS', ['gap-crash', 'gap-in-doubt']],
    );
    assert.deepEqual([report.counts.openSessions, report.counts.openCalls], [0, 0]);
    const all = readLeaves(folder.stateDirectory);
    assert.deepEqual(countClients(all), { sessions: 2, calls: 204, openSessions: 0, openCalls: 0 });
    assert.equal(report.counts.calls, all.filter(({ type }) => type === 'call.intent').length);
    const leaves = all as unknown as Leaf[];
    assert.equal(
      report.commitments,
      leaves.reduce((sum, leaf) => sum + commitmentsOf(leaf).length, 0),
    );
    keepCheckpoint();
  });

  it('passes the Go verifier, also against the first checkpoint that was kept', needGo(), () => {
    const vkey = readFileSync(join(logDirectory(), 'log.vkey'), 'utf8').trim();
    const earlier = join(folder.directory, 'earlier');
    writeFileSync(earlier, kept[0]!);
    const { isAccepted, output } = verifyWithGo(logDirectory(), vkey, earlier);
    assert.ok(isAccepted, output);
  });

  it('lets the custodian recompute the digest of the rows that a client received', () => {
    const leaves = readLeaves(folder.stateDirectory);
    const vault = new Vault(folder.stateDirectory, folder.custodianKey);
    const result = leaves.find((leaf) => leaf.type === 'call.result' && leaf['rows'] === 5)!;
    const opened = leaves.find((leaf) => leaf.type === 'session.opened' && leaf.session === result.session)!;
    const key = vault.open(opened, 'digest_key', opened['digest_key'] as string);
    assert.equal(result['delivered'], createHash('sha256').update(key).update(rows).digest('base64url'));
  });
});
