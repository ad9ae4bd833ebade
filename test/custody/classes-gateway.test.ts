/** Two targets with two retention classes behind the real gateway: killed, started again, reloaded. */

import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  directorySource,
  VaultChecks,
  VaultReader,
  verifyLog,
  type VaultEntry,
  type VerifyReport,
} from 'countersign-verify';
import { Client } from 'pg';
import { GatewayFolder, GatewayProcess, PRINCIPAL, TARGET } from '../support/gateway-process.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';
import { readLeaves } from '../support/record-view.ts';

const LEDGER = 'ledger';
/** Larger than what is held in memory: it goes to the vault as a value of its own. */
const LARGE_BYTES = 3 * 1024 * 1024;

let server: PostgresServer;
let folder: GatewayFolder;
let gateway: GatewayProcess | undefined;

/** The target of the folder once more, under a class of its own. */
function addLedger(config: string): string {
  const start = config.indexOf(`  ${TARGET}:\n`);
  const end = config.indexOf('principals:\n');
  const again = config
    .slice(start, end)
    .replace(`  ${TARGET}:\n`, `  ${LEDGER}:\n    retentionClass: seven-years\n`);
  const grant = config.slice(config.indexOf('  - id: tests')).replace('id: tests', 'id: ledger');
  return `${config.slice(0, end)}${again}${config.slice(end)}${grant.replace(`target: ${TARGET}`, `target: ${LEDGER}`)}`;
}

before(async () => {
  server = await startTestPostgres();
  const { password, port, user } = server;
  folder = await GatewayFolder.create({
    target: { port, user, password, database: 'postgres' },
    record: { segment: '1MiB', checkpoint: '50ms' },
  });
  writeFileSync(folder.configFile, addLedger(readFileSync(folder.configFile, 'utf8')));
});

after(async () => {
  await gateway?.stop();
  folder.remove();
  await server.stop();
});

async function connect(target: string): Promise<Client> {
  const client = new Client({
    host: '127.0.0.1',
    port: gateway!.port,
    user: PRINCIPAL,
    password: folder.password,
    database: target,
  });
  // A gateway that is killed ends its connections.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const reader = (): VaultReader =>
  new VaultReader(join(folder.stateDirectory, 'vault'), createPrivateKey(folder.custodianKey));

function verify(): Promise<VerifyReport> {
  return verifyLog(directorySource(join(folder.stateDirectory, 'log')), {
    visitor: (findings) => new VaultChecks(reader(), findings),
  });
}

/** Statements by the class under which they lie. */
async function statements(): Promise<Map<string, Set<string>>> {
  const vault = reader();
  const found = new Map<string, Set<string>>();
  for await (const { header, place } of vault.blocks()) {
    const own = found.get(header.retentionClass) ?? new Set<string>();
    found.set(header.retentionClass, own);
    for (const { bytes, field } of await vault.readBlock(place))
      if (field === 'statement') own.add(bytes!.toString('utf8'));
  }
  return found;
}

/** Statements on one target until the connection breaks; those that were answered. */
async function runUntilCut(target: string): Promise<string[]> {
  const client = await connect(target);
  const answered: string[] = [];
  try {
    for (let i = 0; ; i++) {
      const text = `select 'on ${target} ${i}'`;
      await client.query(text);
      answered.push(text);
    }
  } catch {
    return answered;
  }
}

async function spooled(target: string): Promise<void> {
  const client = await connect(target);
  await client.query('select length($1::text)', [target[0]!.repeat(LARGE_BYTES)]);
  await client.end();
}

test('killed under traffic on both, every answered statement is there, each under the class of its target', async () => {
  gateway = await GatewayProcess.start(folder);
  await Promise.all([spooled(TARGET), spooled(LEDGER)]);
  const loads = [runUntilCut(TARGET), runUntilCut(LEDGER), runUntilCut(LEDGER)];
  while ((await gateway.metric('countersign_commands_total')) < 400) await new Promise(setImmediate);
  await gateway.kill();
  const [bank, ...ledger] = await Promise.all(loads);
  gateway = await GatewayProcess.start(folder);
  assert.equal(await gateway.stop(), 0);
  const report = await verify();
  const others = report.findings.filter(({ verdict }) => verdict !== 'VERIFIED-WITH-GAPS');
  assert.deepEqual([report.verdict, others], ['VERIFIED-WITH-GAPS', []]);
  const found = await statements();
  const standard = found.get('standard')!;
  const seven = found.get('seven-years')!;
  assert.ok(bank!.length > 20 && ledger[0]!.length > 20);
  for (const text of bank!) assert.ok(standard.has(text) && !seven.has(text), text);
  for (const text of ledger.flat()) assert.ok(seven.has(text) && !standard.has(text), text);
  const spools = (name: string): string[] =>
    readdirSync(join(folder.stateDirectory, 'vault/spool', name), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);
  assert.deepEqual([spools('standard').length, spools('seven-years').length], [1, 1]);
});

test('the gateway’s own stays under its own class', async () => {
  const leaves = new Map(readLeaves(folder.stateDirectory).map((leaf) => [leaf.jseq, leaf.type]));
  const vault = reader();
  const types = new Map<string, Set<string>>();
  const take = (name: string, { jseq }: VaultEntry): void => {
    const own = types.get(name) ?? new Set<string>();
    types.set(name, own.add(leaves.get(jseq)!));
  };
  for await (const { header, place } of vault.blocks())
    for (const entry of await vault.readBlock(place)) take(header.retentionClass, entry);
  assert.deepEqual([...types.get('seven-years')!].toSorted(), ['call.intent', 'session.opened']);
  for (const type of ['config.changed', 'identity.registered', 'authn.result', 'context', 'call.intent'])
    assert.ok(types.get('standard')!.has(type), type);
});

test('a reload gives new sessions another class; those that are open keep theirs', async () => {
  gateway = await GatewayProcess.start(folder);
  const open = await connect(LEDGER);
  const config = readFileSync(folder.configFile, 'utf8');
  writeFileSync(folder.configFile, config.replace('seven-years', 'ninety-days'));
  gateway.child.kill('SIGHUP');
  while (!gateway.log.includes('configuration reloaded')) await new Promise(setImmediate);
  const next = await connect(LEDGER);
  await open.query("select 'before the reload'");
  await next.query("select 'after the reload'");
  await open.end();
  await next.end();
  assert.equal(await gateway.stop(), 0);
  const found = await statements();
  assert.ok(found.get('seven-years')!.has("select 'before the reload'"));
  assert.ok(found.get('ninety-days')!.has("select 'after the reload'"));
  assert.equal((await verify()).verdict, 'VERIFIED-WITH-GAPS');
});
