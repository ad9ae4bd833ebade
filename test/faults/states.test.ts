/** The real gateway, killed in each of its states, and stopped for a while: what it did is on the record, and it starts again. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  writeFaultControl,
  type FaultControl,
} from '../../packages/gateway/src/record/journal/faulty-file-layer.ts';
import { compare } from '../kill/compare.ts';
import { readRecordedCalls } from '../kill/recorded-calls.ts';
import { Target, TARGET_LOGIN, TARGET_PASSWORD } from '../kill/target.ts';
import {
  GatewayFolder,
  GatewayProcess,
  spawnGateway,
  type StartOptions,
} from '../support/gateway-process.ts';
import { query, RawSession } from '../support/raw-session.ts';
import { readLeaves, verifyRecord } from '../support/record-view.ts';

let target: Target;
let directory: string;
let controlFile: string;
let start: StartOptions;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-states-'));
  controlFile = join(directory, 'control.json');
  start = {
    arguments: ['--unsafe-faults'],
    environment: { COUNTERSIGN_FAULTS: JSON.stringify({ loseUnsynced: true, controlFile }) },
  };
  target = await Target.start();
});

after(async () => {
  await target.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** More markers than any other test of this file has used. */
let marker = 0;
const markers: string[] = [];

function createFolder(record: Readonly<Record<string, string>> = {}): Promise<GatewayFolder> {
  return GatewayFolder.create({
    target: {
      port: target.server.port,
      database: target.database,
      user: TARGET_LOGIN,
      password: TARGET_PASSWORD,
    },
    record: { segment: '1MiB', timeout: '2s', checkpoint: '100ms', ...record },
  });
}

async function insert(session: RawSession): Promise<boolean> {
  const name = `m9.9.${marker++}`;
  session.send(query(`insert into kill_work (marker) values ('${name}')`));
  const answer = await session.receiveUntil();
  const isDone = !answer.some(({ type }) => type === 'E');
  if (isDone) markers.push(name);
  return isDone;
}

/** Sends a command whose answer nobody waits for. */
function insertUnheard(session: RawSession): void {
  session.send(query(`insert into kill_work (marker) values ('m9.9.${marker++}')`));
  session.receiveUntil().catch(() => undefined);
}

interface State {
  readonly name: string;
  /** Under the gateway while it gets into the state. */
  readonly fault?: FaultControl;
  /** The fault is there from the start, so that the gateway never listens. */
  readonly isStart?: boolean;
  readonly enter?: (gateway: GatewayProcess, session: RawSession) => Promise<void>;
}

const STATES: readonly State[] = [
  {
    name: 'starting, its first segment on the way',
    fault: { stall: true, path: '.seg', calls: ['sync'] },
    isStart: true,
  },
  {
    name: 'recovering, the end of the last run on the way',
    fault: { stall: true, path: '.seg', calls: ['sync'], skip: 2 },
    isStart: true,
  },
  { name: 'serving', enter: async (_, session) => insertUnheard(session) },
  {
    name: 'degraded',
    fault: { fail: 'EIO', path: '.seg' },
    enter: async (_, session) => assert.equal(await insert(session), false),
  },
  {
    name: 'degraded and recovering',
    fault: { fail: 'EIO', path: '.seg', calls: ['write'] },
    enter: async (_, session) => {
      assert.equal(await insert(session), false);
      // The next segment opens; what was kept waits for the disk.
      writeFaultControl(controlFile, { stall: true, path: '.seg', calls: ['sync'], skip: 2 });
      await sleep(150);
    },
  },
  {
    name: 'full',
    fault: { freeBytes: 0 },
    enter: async (_, session) => {
      let isTaken = true;
      for (let i = 0; i < 200 && isTaken; i++) isTaken = await insert(session);
      assert.equal(isTaken, false, 'no command is taken while there is no room');
    },
  },
  {
    name: 'draining',
    enter: async (gateway, session) => {
      session.send(query('select pg_sleep(3)'));
      session.receiveUntil().catch(() => undefined);
      gateway.child.kill('SIGTERM');
      await sleep(100);
    },
  },
  {
    name: 'closing the record',
    fault: { stall: true, path: '/log/' },
    enter: async (gateway, session) => {
      session.destroy();
      gateway.child.kill('SIGTERM');
      await sleep(200);
    },
  },
  {
    name: 'integrating',
    fault: { stall: true, path: '/log/tile/' },
    enter: async (_, session) => insertUnheard(session),
  },
];

async function enterAndKill(folder: GatewayFolder, state: State): Promise<void> {
  writeFaultControl(controlFile, undefined);
  if (state.isStart === true) {
    writeFaultControl(controlFile, state.fault);
    const child = spawnGateway(folder, start);
    child.stderr?.resume();
    await sleep(600);
    child.kill('SIGKILL');
    await once(child, 'exit');
    return;
  }
  const gateway = await GatewayProcess.start(folder, start);
  const session = await RawSession.connect(folder.endpoint(gateway.port));
  assert.ok(await insert(session));
  writeFaultControl(controlFile, state.fault);
  await state.enter?.(gateway, session);
  await gateway.kill();
  session.destroy();
}

async function checkRecord(folder: GatewayFolder): Promise<void> {
  const account = await target.account();
  const { calls } = readRecordedCalls(folder.stateDirectory, folder.custodianKey);
  const evidence = { target: account.log, rows: account.rows, acknowledged: markers, calls };
  assert.deepEqual(compare(evidence), []);
  const { findings, verdict } = await verifyRecord(folder.stateDirectory);
  assert.equal(verdict, 'VERIFIED-WITH-GAPS', JSON.stringify(findings));
}

test('killed in each of its states, one after another, it starts again and nothing is missing', async (context) => {
  const folder = await createFolder({ heartbeat: '6s' });
  try {
    for (const state of STATES) {
      await enterAndKill(folder, state);
      writeFaultControl(controlFile, undefined);
      const gateway = await GatewayProcess.start(folder, start);
      const session = await RawSession.connect(folder.endpoint(gateway.port));
      assert.ok(await insert(session), `after: ${state.name}`);
      session.destroy();
      assert.equal(await gateway.stop(), 0, state.name);
      context.diagnostic(`killed while ${state.name}`);
    }
    // Stopped for longer than the shortest standstill that is told, with a session open.
    const gateway = await GatewayProcess.start(folder, start);
    const session = await RawSession.connect(folder.endpoint(gateway.port));
    assert.ok(await insert(session));
    gateway.child.kill('SIGSTOP');
    await sleep(1600);
    gateway.child.kill('SIGCONT');
    assert.ok(await insert(session), 'the session goes on');
    session.destroy();
    assert.equal(await gateway.stop(), 0);
    const suspended = readLeaves(folder.stateDirectory).filter((leaf) => leaf['code'] === 'suspended');
    assert.ok(suspended.some((leaf) => Number(leaf['for_us']) >= 1_000_000));
    await checkRecord(folder);
  } finally {
    folder.remove();
  }
});
