/**
 * One way in which the disk under the record fails, and what must be true before, during and after. The gateway is the
 * real process; the target is a real server whose own log says what reached it.
 */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { compare } from '../kill/compare.ts';
import { readRecordedCalls } from '../kill/recorded-calls.ts';
import { Target, TARGET_LOGIN, TARGET_PASSWORD } from '../kill/target.ts';
import { GatewayFolder, GatewayProcess } from '../support/gateway-process.ts';
import type { StartOptions } from '../support/gateway-process.ts';
import {
  bind,
  execute,
  parse,
  query,
  RawSession,
  SessionLost,
  sqlStateOf,
  sync,
} from '../support/raw-session.ts';
import type { RawEndpoint, RawMessage } from '../support/raw-session.ts';
import { readLeaves, verifyRecord } from '../support/record-view.ts';

export interface Scenario {
  /** Where journal, log and vault are; default: the gateway's temporary folder. */
  readonly stateDirectory?: string;
  readonly start: StartOptions;
  /** Makes the disk fail, and makes it work again. */
  readonly break: () => void;
  readonly repair: () => void;
  /** SQLSTATEs that a refused command may carry. */
  readonly refusals: readonly string[];
  /** The journal has room of its own, so commands may still be taken, and lawfully executed, until the fault shows. */
  readonly mayTakeMore?: boolean;
}

type Outcome = { readonly sqlState: string } | 'done' | 'lost';

async function outcomeOf(session: RawSession, ...messages: readonly Buffer[]): Promise<Outcome> {
  let answer: RawMessage[];
  try {
    session.send(...messages);
    answer = await session.receiveUntil();
  } catch (error) {
    if (error instanceof SessionLost) return 'lost';
    throw error;
  }
  const refused = answer.find((message) => message.type === 'E');
  return refused === undefined ? 'done' : { sqlState: sqlStateOf(refused) };
}

const insert = (marker: string): Buffer => query(`insert into kill_work (marker) values ('${marker}')`);

/** Connects and inserts until that works; the number of attempts is bounded, not the time of each. */
async function insertWhenReady(endpoint: RawEndpoint, marker: string): Promise<void> {
  let last: unknown;
  for (let attempt = 0; attempt < 300; attempt++) {
    try {
      const session = await RawSession.connect(endpoint);
      last = await outcomeOf(session, insert(marker));
      session.destroy();
      if (last === 'done') return;
    } catch (error) {
      last = error;
    }
    await sleep(50);
  }
  throw new Error('the gateway did not recover by itself', { cause: last });
}

/** Inserts until the first refusal; gives the markers that were acknowledged before. The number of tries is bounded. */
async function insertUntilRefused(session: RawSession): Promise<string[]> {
  const acknowledged: string[] = [];
  for (let number = 0; number < 500; number++) {
    const marker = `m4.0.${number}`;
    if ((await outcomeOf(session, insert(marker))) !== 'done') return acknowledged;
    acknowledged.push(marker);
    await sleep(10);
  }
  throw new Error('commands are still executed although the record cannot be kept');
}

/** What must be refused while the disk fails: a simple query, a pipeline, and after that the gateway must say it is not ready. */
async function checkRefusals(
  sessions: readonly RawSession[],
  gateway: GatewayProcess,
  scenario: Scenario,
): Promise<void> {
  const [simple, pipelined] = sessions;
  assert.ok(simple !== undefined && pipelined !== undefined);
  // The answer is awaited while the disk still fails: that it comes at all is the bound.
  const refusedSimple = await outcomeOf(simple, insert('m2.0.0'));
  assert.ok(
    typeof refusedSimple === 'object',
    `a simple query was not refused but ${JSON.stringify(refusedSimple)}`,
  );
  assert.ok(scenario.refusals.includes(refusedSimple.sqlState), `refused with ${refusedSimple.sqlState}`);
  const text = 'insert into kill_work (marker) values ($1)';
  const refusedPipeline = await outcomeOf(
    pipelined,
    ...['m2.1.0', 'm2.1.1'].flatMap((marker) => [parse('', text), bind('', '', [marker]), execute()]),
    sync(),
  );
  assert.ok(typeof refusedPipeline === 'object', 'a pipeline was not refused');
  assert.ok(scenario.refusals.includes(refusedPipeline.sqlState), `refused with ${refusedPipeline.sqlState}`);
  const ready = await gateway.get('ready');
  assert.equal(ready.status, 503, 'the gateway says it is ready');
  assert.equal((await gateway.get('live')).status, 200);
}

async function checkAfterwards(
  target: Target,
  folder: GatewayFolder,
  acknowledged: readonly string[],
): Promise<void> {
  const account = await target.account();
  const refused = account.log.statements.filter(({ text, params }) =>
    [text, ...(params ?? [])].join(' ').includes('m2.'),
  );
  assert.deepEqual(refused, [], 'a refused command reached the target');
  const { calls } = readRecordedCalls(folder.stateDirectory, folder.custodianKey);
  const evidence = { target: account.log, rows: account.rows, acknowledged, calls };
  assert.deepEqual(compare(evidence), []);
  const { verdict, findings } = await verifyRecord(folder.stateDirectory);
  const gaps = readLeaves(folder.stateDirectory).filter((leaf) => leaf.type === 'gap.declared');
  assert.equal(verdict, gaps.length === 0 ? 'VERIFIED' : 'VERIFIED-WITH-GAPS', JSON.stringify(findings));
}

/** Runs a scenario from a healthy start to a verified record. */
export async function runScenario(scenario: Scenario): Promise<void> {
  const target = await Target.start();
  const folder = await GatewayFolder.create({
    target: {
      port: target.server.port,
      database: target.database,
      user: TARGET_LOGIN,
      password: TARGET_PASSWORD,
    },
    record: { segment: '1MiB', timeout: '300ms', checkpoint: '100ms' },
    ...(scenario.stateDirectory === undefined ? {} : { stateDirectory: scenario.stateDirectory }),
  });
  let gateway: GatewayProcess | undefined;
  try {
    gateway = await GatewayProcess.start(folder, scenario.start);
    const endpoint = folder.endpoint(gateway.port);
    const sessions = [await RawSession.connect(endpoint), await RawSession.connect(endpoint)];
    for (const [index, session] of sessions.entries()) {
      assert.equal(await outcomeOf(session, insert(`m1.${index}.0`)), 'done');
    }
    scenario.break();
    const taken = scenario.mayTakeMore === true ? await insertUntilRefused(sessions[0]!) : [];
    await checkRefusals(sessions, gateway, scenario);
    scenario.repair();
    await insertWhenReady(endpoint, 'm3.0.0');
    assert.equal((await gateway.get('ready')).status, 200);
    for (const session of sessions) session.destroy();
    assert.equal(await gateway.stop(), 0);
    await checkAfterwards(target, folder, ['m1.0.0', 'm1.1.0', 'm3.0.0', ...taken]);
  } finally {
    scenario.repair();
    if (gateway !== undefined) await gateway.kill();
    folder.remove();
    await target.stop();
  }
}
