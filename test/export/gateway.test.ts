/** Exports of the real gateway: killed at any moment, with receivers that fail, hang and come back. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { directorySource, readCheckpoint } from 'countersign-verify';

import { readCursor } from '../../packages/gateway/src/export/cursor.ts';
import { Prng } from '../kill/prng.ts';
import { Target, TARGET_LOGIN, TARGET_PASSWORD } from '../kill/target.ts';
import { runCountersign, type Finished } from '../support/command-line.ts';
import { GatewayFolder, GatewayProcess } from '../support/gateway-process.ts';
import { query, RawSession } from '../support/raw-session.ts';
import { HttpReceiver, parseLines, type ReceivedEvent } from './receivers.ts';
import { assertComplete, duplicatesOf } from './stage.ts';

const BATCH = 25;

let target: Target;
let folder: GatewayFolder;
let receiver: HttpReceiver;

before(async () => {
  target = await Target.start();
});

after(() => target.server.stop());

beforeEach(async () => {
  receiver = await new HttpReceiver().listen();
  folder = await GatewayFolder.create({
    target: {
      port: target.server.port,
      database: target.database,
      user: TARGET_LOGIN,
      password: TARGET_PASSWORD,
    },
    record: { checkpoint: '50ms' },
  });
});

afterEach(async () => {
  await receiver.close();
  folder.remove();
});

const eventsFile = (): string => join(folder.directory, 'events.jsonl');

/** Puts a section in place of the one before. */
function configure(section: string): void {
  const [text = ''] = readFileSync(folder.configFile, 'utf8').split('export:\n');
  writeFileSync(folder.configFile, `${text}${section === '' ? '' : `export:\n${section}`}`);
}

const toHttp = (more = ''): string =>
  `  - { name: siem, kind: http, url: '${receiver.url}', batch: ${BATCH}, timeout: 2s${more} }\n`;
const toFile = (): string => `  - { name: archive, kind: file, path: events.jsonl, batch: ${BATCH} }\n`;

function run(...args: readonly string[]): Promise<Finished> {
  return runCountersign(['export', ...args, '-c', folder.configFile]);
}

async function work(gateway: GatewayProcess, calls: number): Promise<void> {
  const session = await RawSession.connect(folder.endpoint(gateway.port));
  for (let i = 0; i < calls; i++) {
    session.send(query('select 1'));
    await session.receiveUntil();
  }
  session.destroy();
}

async function treeSize(): Promise<number> {
  return (await readCheckpoint(directorySource(join(folder.stateDirectory, 'log')))).size;
}

async function waitFor(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

const archived = (): readonly ReceivedEvent[] => parseLines(readFileSync(eventsFile(), 'utf8'));

test('a gateway killed again and again, with a receiver that fails as it likes, loses no leaf', async () => {
  configure(toHttp() + toFile());
  const seed = Number(process.env['COUNTERSIGN_SEED'] ?? Date.now() % 1_000_000);
  const prng = new Prng(seed);
  const kills = 6;
  let failures = 0;
  receiver.answer = () => {
    const dice = prng.between(0, 9);
    if (dice < 3) failures++;
    if (dice === 0) return 'keep-and-break';
    if (dice === 1) return 'break';
    return { status: dice === 2 ? 503 : 200, headers: { 'retry-after': '0' } };
  };
  for (let round = 0; round < kills; round++) {
    const gateway = await GatewayProcess.start(folder);
    const working = work(gateway, 80).catch(() => {});
    await sleep(50 + prng.between(0, 399));
    await gateway.kill();
    await working;
  }
  receiver.answer = () => ({ status: 200 });
  const gateway = await GatewayProcess.start(folder);
  await work(gateway, 10);
  assert.equal(await gateway.stop(), 0);
  // What the last moments left is for the next start, or for `export run`.
  for (const name of ['siem', 'archive']) {
    const finished = await run('run', name);
    assert.equal(finished.code, 0, finished.stderr);
  }
  const logDirectory = join(folder.stateDirectory, 'log');
  const told = `seed ${seed}`;
  await assertComplete(receiver.received, logDirectory);
  await assertComplete(archived(), logDirectory);
  assert.ok(duplicatesOf(archived()) <= kills * BATCH, told);
  assert.ok(duplicatesOf(receiver.received) <= (kills + failures) * BATCH, told);
});

test('a receiver that hangs delays no command; the stall is on the record once, and ends', async () => {
  configure(toHttp(', alertAfter: 1s'));
  receiver.answer = () => 'hang';
  const gateway = await GatewayProcess.start(folder);
  try {
    await work(gateway, 60);
    await waitFor(async () => (await gateway.metric('countersign_export_stalled')) === 1);
    await waitFor(async () => (await gateway.metric('countersign_export_lag_leaves')) > 60);
    assert.ok((await gateway.metric('countersign_export_lag_seconds')) > 0);
    const status = await run('status', '--json');
    const [siem] = (JSON.parse(status.stdout) as { exports: { isStalled: boolean; reason?: string }[] })
      .exports;
    assert.equal(siem?.isStalled, true);
    // Commands go on as if nothing were there.
    await work(gateway, 60);
    await waitFor(async () => (await gateway.metric('countersign_export_failures_total')) > 1);
    receiver.answer = () => ({ status: 200 });
    await waitFor(async () => (await gateway.metric('countersign_export_stalled')) === 0);
    await waitFor(() => alerts(receiver.received).length > 0);
    assert.deepEqual(alerts(receiver.received), [{ code: 'export-stalled', export: 'siem' }]);
  } finally {
    await gateway.stop();
  }
});

interface AlertFields {
  readonly code: string;
  readonly export?: string;
}

function alerts(events: readonly ReceivedEvent[]): readonly AlertFields[] {
  return events
    .filter(({ metadata }) => metadata.event_code === 'alert')
    .map(({ raw_data: leaf }) => JSON.parse(leaf) as AlertFields)
    .filter(({ code }) => code.startsWith('export-'))
    .map(({ code, export: name }) => (name === undefined ? { code } : { code, export: name }));
}

async function exportsOf(): Promise<readonly string[]> {
  const { stdout } = await run('status', '--json');
  return (JSON.parse(stdout) as { exports: { name: string }[] }).exports.map(({ name }) => name);
}

test('a reload adds and removes exports; the cursor of one that is gone stays', async () => {
  const gateway = await GatewayProcess.start(folder);
  try {
    await work(gateway, 20);
    assert.deepEqual(await exportsOf(), []);
    configure(toHttp());
    gateway.child.kill('SIGHUP');
    await waitFor(() => receiver.received.length > 40);
    configure(toFile());
    gateway.child.kill('SIGHUP');
    await waitFor(async () => (await exportsOf()).join() === 'archive');
    const before = receiver.requests.length;
    await work(gateway, 20);
    const size = await treeSize();
    await waitFor(() => (readCursor(folder.stateDirectory, 'archive')?.size ?? 0) >= size);
    assert.equal(receiver.requests.length, before);
    configure(toFile() + toHttp());
    gateway.child.kill('SIGHUP');
    await waitFor(() => (readCursor(folder.stateDirectory, 'siem')?.size ?? 0) >= size);
    assert.equal(duplicatesOf(receiver.received), 0);
  } finally {
    await gateway.stop();
  }
});

test('a refused event is passed only by an operator, and the record says so', async () => {
  configure(toHttp());
  const POISON = 12;
  receiver.answer = (events) =>
    events.some(({ metadata }) => metadata.sequence === POISON) ? { status: 400 } : { status: 200 };
  const gateway = await GatewayProcess.start(folder);
  await work(gateway, 20);
  await waitFor(async () => (await gateway.metric('countersign_export_stalled')) === 1);
  const refused = await run('reset', 'siem', '--to', String(POISON + 1));
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /the running gateway has the export siem/);
  await gateway.stop();
  assert.equal((await run('reset', 'siem', '--to', '1000000')).code, 2);
  const moved = await run('reset', 'siem', '--to', String(POISON + 1), '--json');
  const { from, ...rest } = JSON.parse(moved.stdout) as { from: number };
  assert.deepEqual(rest, { export: 'siem', to: POISON + 1 });
  // How much had gone out before the refused one depends on when the first batch was cut.
  assert.ok(from <= POISON);
  // Only a gateway can put it on the record, and it must be there before anything is delivered.
  assert.equal((await run('run', 'siem')).code, 2);
  const next = await GatewayProcess.start(folder);
  await waitFor(() => alerts(receiver.received).some(({ code }) => code === 'export-moved'));
  await next.stop();
  // Each at least once: a stop between a delivery and its cursor repeats a batch.
  const codes = [...new Set(alerts(receiver.received).map((alert) => JSON.stringify(alert)))];
  assert.deepEqual(
    codes.map((text) => JSON.parse(text) as AlertFields),
    [
      { code: 'export-stalled', export: 'siem' },
      { code: 'export-moved', export: 'siem' },
    ],
  );
  assert.ok(!receiver.received.some(({ metadata }) => metadata.sequence === POISON));
});

const withoutTime = (events: readonly ReceivedEvent[]): unknown =>
  events.map(({ unmapped: _unmapped, ...event }) => event);

test('no event carries a statement, a value or an address', async () => {
  configure(toHttp());
  const gateway = await GatewayProcess.start(folder);
  const session = await RawSession.connect(folder.endpoint(gateway.port));
  session.send(
    query("select 'wanderlust' as marker"),
    query('select 1/0'),
    query('set client_encoding to latin1'),
  );
  for (let answers = 0; answers < 3; answers++) await session.receiveUntil();
  session.destroy();
  await waitFor(() => receiver.received.some(({ metadata }) => metadata.event_code === 'session.closed'));
  await gateway.stop();
  const text = JSON.stringify(receiver.received);
  assert.ok(text.includes('"call.denied"'));
  assert.doesNotMatch(text, /wanderlust|marker|latin1|1\/0|127\.0\.0\.1|tests@example\.com/);
});

test('a log is printed as events from a directory alone, whole or in part', async () => {
  const gateway = await GatewayProcess.start(folder);
  await work(gateway, 150);
  await gateway.stop();
  const whole = await run('ocsf');
  assert.equal(whole.code, 0, whole.stderr);
  await assertComplete(parseLines(whole.stdout), join(folder.stateDirectory, 'log'));
  const part = await run('ocsf', folder.stateDirectory, '--from', '100', '--to', '103');
  assert.deepEqual(
    withoutTime(parseLines(part.stdout)),
    withoutTime(parseLines(whole.stdout).slice(100, 103)),
  );
});
