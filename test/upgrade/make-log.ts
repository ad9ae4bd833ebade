/**
 * Makes the old log of a release: `node test/upgrade/make-log.ts <new directory>`, run in a checkout of that release. It
 * leaves `state/` (log, vault, and a journal that is ahead of the log, as a crash left them), `keys/` made for this purpose
 * only, and `expected.json`, what the release's own verifier says. README.md in this folder says how it is packed.
 */

import { createPrivateKey } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { directorySource, parseVerifierKey, VaultChecks, VaultReader, verifyLog } from 'countersign-verify';
import { decodeFrame } from '../../packages/gateway/src/record/journal/frame.ts';
import { SEGMENT_HEADER_BYTES } from '../../packages/gateway/src/record/journal/segment.ts';
import { openRecorder, type OpenedRecorder } from '../../packages/gateway/src/record/open-recorder.ts';
import { GatewayFolder, GatewayProcess } from '../support/gateway-process.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import { bind, copyData, copyDone, execute, parse, query, RawSession, sync } from '../support/raw-session.ts';

const DIGEST = 'A'.repeat(43);
const SPOOLED_BYTES = 80_000;
const MADE_SESSION = '0190a000-0000-7000-8000-000000000001';

async function speak(session: RawSession, ...messages: readonly Buffer[]): Promise<void> {
  session.send(...messages);
  await session.receiveUntil();
}

/** Statements of every kind that a release records, and one that it refuses. */
async function useGateway(folder: GatewayFolder, port: number): Promise<void> {
  const session = await RawSession.connect(folder.endpoint(port));
  await speak(session, query('create table if not exists account (id int, owner text)'));
  session.send(query('copy account from stdin'));
  await session.receiveUntil('G');
  session.send(copyData('1\talice\n2\tbob\n'), copyDone());
  await session.receiveUntil();
  await speak(session, query('begin'));
  await speak(session, query("update account set owner = 'carol' where id = 2"));
  await speak(session, query('set standard_conforming_strings = off'));
  await speak(session, query('rollback'));
  await speak(
    session,
    parse('', 'select * from account where id = $1::int'),
    bind('', '', ['1']),
    execute(),
    sync(),
  );
  await speak(session, query('select 1/0'));
  session.end();
  await RawSession.connect({ ...folder.endpoint(port), password: 'wrong' }).then(
    () => Promise.reject(new Error('a wrong password was taken')),
    () => undefined,
  );
}

/** Enough leaves for a full tile, and time for a heartbeat. */
async function fillTile(folder: GatewayFolder, port: number): Promise<void> {
  const session = await RawSession.connect(folder.endpoint(port));
  for (let i = 0; i < 100; i++) await speak(session, query(`select ${i}`));
  await sleep(1500);
  session.end();
}

/** A call that goes on when the process ends. */
async function leaveOpen(folder: GatewayFolder, port: number): Promise<void> {
  const session = await RawSession.connect(folder.endpoint(port));
  await speak(session, query('select 1'));
  session.send(query('select pg_sleep(600)'));
  await sleep(500);
}

async function openAt(folder: GatewayFolder, state: string, acceptLoss: boolean): Promise<OpenedRecorder> {
  return await openRecorder({
    stateDirectory: state,
    node: 'test-node',
    origin: 'test.example/countersign',
    signingKey: readFileSync(join(folder.directory, 'signing.pem'), 'utf8'),
    custodianKey: readFileSync(join(folder.directory, 'custodian.pem'), 'utf8'),
    retentionClass: 'standard',
    record: {
      timeoutMs: 10_000,
      segmentBytes: 1 << 20,
      resultDelayMs: 20,
      heartbeatMs: 60_000,
      checkpointMs: 1_000_000,
      minFreeBytes: 1 << 20,
    },
    software: { version: '0.1.0', digest: DIGEST },
    configDigest: DIGEST,
    acceptLoss,
  });
}

/** The gateway spools from 1 MiB on; its recorder takes any size, which keeps the old log small. */
async function recordSpooled(recorder: OpenedRecorder): Promise<void> {
  const context = recorder.openContext({ principal: 'tester' });
  const digestKey = recorder.commit(Buffer.alloc(32, 7));
  const session = MADE_SESSION;
  let seq = 0;
  recorder.append(
    {
      type: 'session.opened',
      session,
      seq: seq++,
      context,
      protocol: 'postgres',
      protocolVersion: '3.0',
      channel: { binding: false, method: 'scram-sha-256' },
      peer: digestKey.digest,
      backend: { pid: 1, serverVersion: '18.0' },
      digestKey: digestKey.digest,
    },
    [
      { field: 'peer', commitment: digestKey },
      { field: 'digest_key', commitment: digestKey },
    ],
  );
  const spool = await recorder.openSpool();
  await spool.write(Buffer.alloc(SPOOLED_BYTES, 'spooled '));
  const value = await spool.finish();
  for await (const chunk of spool.read()) if (chunk.length === 0) throw new Error('an empty chunk');
  for (let i = 0; i < 6; i++) {
    const statement = recorder.commit(Buffer.from('select $1'));
    const intent = recorder.append(
      {
        type: 'call.intent',
        session,
        seq: seq++,
        context,
        decision: { effect: 'permit', policies: ['tests'], reasons: [] },
        kind: 'select',
        effect: 'read',
        txn: 'I',
        statement: statement.digest,
        ...(i === 0 && { params: [value.digest] }),
      },
      [
        { field: 'statement', commitment: statement },
        ...(i === 0 ? [{ field: 'params.0', commitment: value }] : []),
      ],
    );
    await intent.durable();
    const result = {
      status: 'ok',
      rows: 1,
      bytesUp: 10,
      bytesDown: 20,
      durationUs: 30,
      delivered: DIGEST,
    } as const;
    await recorder.append({ type: 'call.result', session, seq: seq++, call: intent.id, ...result }).durable();
  }
}

/** Damages the last frame but one that was acknowledged. */
function damageNewestSegment(state: string): void {
  const journal = join(state, 'journal', 'w0');
  const newest = readdirSync(journal)
    .filter((name) => /^[0-9]{8}\.seg$/.test(name))
    .toSorted()
    .at(-1)!;
  const bytes = readFileSync(join(journal, newest));
  const offsets: number[] = [];
  for (let at = SEGMENT_HEADER_BYTES; ;) {
    const frame = decodeFrame(bytes, at);
    if (frame === undefined) break;
    offsets.push(frame.offset);
    at = frame.end;
  }
  bytes[offsets.at(-3)! + 100]! ^= 0xff;
  writeFileSync(join(journal, newest), bytes);
}

async function report(folder: GatewayFolder, state: string): Promise<object> {
  const log = join(state, 'log');
  let checks: VaultChecks | undefined;
  const { source: _source, ...rest } = await verifyLog(directorySource(log), {
    key: parseVerifierKey(readFileSync(join(log, 'log.vkey'), 'utf8')),
    visitor: (findings) =>
      (checks = new VaultChecks(
        new VaultReader(join(state, 'vault'), createPrivateKey(folder.custodianKey)),
        findings,
      )),
  });
  return { ...rest, commitments: checks?.commitments };
}

const output = resolve(process.argv[2] ?? '');
if (process.argv[2] === undefined) throw new Error('usage: make-log.ts <new directory>');
mkdirSync(output);
const server = await startTestPostgres();
const { password, port, user } = server;
const folder = await GatewayFolder.create({
  target: { port, database: 'postgres', user, password },
  record: { segment: '1MiB', checkpoint: '100ms', heartbeat: '1s' },
});
let state = folder.stateDirectory;

// Two runs: the first ends in a crash, the second is told to stop.
let gateway = await GatewayProcess.start(folder);
await useGateway(folder, gateway.port);
await leaveOpen(folder, gateway.port);
await gateway.kill();
gateway = await GatewayProcess.start(folder);
await useGateway(folder, gateway.port);
await fillTile(folder, gateway.port);
await gateway.stop();

// A run whose journal is damaged before the log has its leaves; the loss is accepted.
const whole = await openAt(folder, state, false);
await recordSpooled(whole);
const damaged = join(folder.directory, 'damaged');
cpSync(state, damaged, { recursive: true });
await whole.close('made');
damageNewestSegment(damaged);
await (await openAt(folder, damaged, true)).close('made');

// The last run is killed while its journal is ahead of the log.
state = damaged;
const config = readFileSync(folder.configFile, 'utf8')
  .replace(/^state: .*$/m, `state: ${state}`)
  .replace('checkpoint: 100ms', 'checkpoint: 60s');
writeFileSync(folder.configFile, config);
gateway = await GatewayProcess.start(folder);
await useGateway(folder, gateway.port);
await leaveOpen(folder, gateway.port);
await gateway.kill();
await server.stop();

cpSync(state, join(output, 'state'), { recursive: true, filter: (path) => !path.endsWith('.sock') });
mkdirSync(join(output, 'keys'));
for (const name of ['signing.pem', 'custodian.pem']) {
  cpSync(join(folder.directory, name), join(output, 'keys', name));
}
writeFileSync(join(output, 'keys', 'custodian-private.pem'), folder.custodianKey);
writeFileSync(join(output, 'expected.json'), `${JSON.stringify(await report(folder, state), null, 2)}\n`);
folder.remove();
