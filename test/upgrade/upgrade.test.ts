/** The upgrade rule: what a released version wrote, every later one reads, judges alike, opens, takes up and continues. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  directorySource,
  parseVerifierKey,
  VaultChecks,
  VaultReader,
  verifyLog,
  type VerifyReport,
} from 'countersign-verify';
import { GatewayFolder, GatewayProcess } from '../support/gateway-process.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';
import { query, RawSession } from '../support/raw-session.ts';
import { countClients, readLeaves } from '../support/record-view.ts';

type ExpectedReport = Omit<VerifyReport, 'source'> & { readonly commitments: number };

const versions = readdirSync(import.meta.dirname).filter((name) => /^v\d/.test(name));
const scratch = mkdtempSync(join(tmpdir(), 'countersign-upgrade-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

async function check(
  state: string,
  custodianKey: string,
  key: string,
  earlier: readonly string[] = [],
): Promise<ExpectedReport> {
  let checks: VaultChecks | undefined;
  const { source: _source, ...report } = await verifyLog(directorySource(join(state, 'log')), {
    key: parseVerifierKey(key),
    earlier,
    visitor: (findings) =>
      (checks = new VaultChecks(
        new VaultReader(join(state, 'vault'), createPrivateKey(custodianKey)),
        findings,
      )),
  });
  return { ...report, commitments: checks?.commitments ?? 0 };
}

/** One session, one statement, and a polite end. */
async function runOnce(folder: GatewayFolder): Promise<void> {
  const gateway = await GatewayProcess.start(folder);
  const session = await RawSession.connect(folder.endpoint(gateway.port));
  session.send(query('select 42'));
  await session.receiveUntil();
  session.end();
  assert.equal(await gateway.stop(), 0, gateway.log);
}

it('keeps an old log of at least one release', () => assert.ok(versions.includes('v0.1.0')));

for (const version of versions) {
  describe(`the log of ${version}`, () => {
    const unpacked = join(scratch, version);
    let expected: ExpectedReport;
    let custodianKey: string;
    let checkpoint: string;

    before(() => {
      const folder = join(import.meta.dirname, version);
      execFileSync('tar', [
        '-C',
        scratch,
        `--transform=s,^,${version}/,`,
        '-xzf',
        join(folder, 'old-log.tar.gz'),
      ]);
      expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as ExpectedReport;
      custodianKey = readFileSync(join(unpacked, 'keys', 'custodian-private.pem'), 'utf8');
      checkpoint = readFileSync(join(unpacked, 'state', 'log', 'checkpoint'), 'utf8');
    });

    it('has the verdict, the counts and the findings that its own version gave, and every content opens', async () => {
      const report = await check(join(unpacked, 'state'), custodianKey, expected.key!);
      // Later versions may say more, never anything else.
      assert.partialDeepStrictEqual(report, expected);
      assert.equal(report.findingsTotal, expected.findingsTotal);
      assert.ok(report.commitments > 100);
    });

    describe('taken up by the gateway of this version', () => {
      let server: PostgresServer;
      let folder: GatewayFolder;

      before(async () => {
        server = await startTestPostgres();
        const { password, port, user } = server;
        folder = await GatewayFolder.create({ target: { port, database: 'postgres', user, password } });
        for (const name of ['signing.pem', 'custodian.pem'])
          cpSync(join(unpacked, 'keys', name), join(folder.directory, name));
        cpSync(join(unpacked, 'state'), folder.stateDirectory, { recursive: true });
      });

      after(async () => {
        folder.remove();
        await server.stop();
      });

      it('goes on: what its journal held comes into the log, new calls follow, all of it verifies', async () => {
        await runOnce(folder);
        const report = await check(folder.stateDirectory, custodianKey, expected.key!, [checkpoint]);
        assert.equal(report.verdict, 'VERIFIED-WITH-GAPS', JSON.stringify(report.findings));
        const gaps = expected.gaps.map(({ kind }) => kind);
        // The call that the last kill cut is in doubt, and that run never stopped.
        assert.deepEqual(
          report.gaps.map(({ kind }) => kind),
          [...gaps, 'in-doubt', 'crash'],
        );
        // Two sessions that only the journal had and one of now, besides the gateway's own.
        const before = countClients(readLeaves(join(unpacked, 'state')));
        const now = countClients(readLeaves(folder.stateDirectory));
        assert.equal(now.sessions, before.sessions + 3);
        assert.ok(report.counts.sessions >= expected.counts.sessions + 6);
        assert.deepEqual([report.counts.openSessions, report.counts.openCalls], [0, 0]);
        assert.equal(report.counts.denied, expected.counts.denied + 1);
        assert.ok(report.counts.calls > expected.counts.calls + 10);
      });

      it('starts again on what it wrote itself', async () => {
        await runOnce(folder);
        const report = await check(folder.stateDirectory, custodianKey, expected.key!, [checkpoint]);
        assert.equal(report.verdict, 'VERIFIED-WITH-GAPS');
        assert.equal(report.gaps.length, expected.gaps.length + 2);
      });
    });
  });
}
