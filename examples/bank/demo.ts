/**
 * The demo: a real PostgreSQL with a synthetic bank, the gateway in front of it, and an MCP server whose database
 * connection leads through the gateway. Run by `countersign demo` (`npm start`).
 */
import { openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { setupRequestOf, targetOf } from '../../packages/gateway/src/cli/commands/target-setup.ts';
import { readConfig } from '../../packages/gateway/src/config/read-config.ts';
import { startGateway } from '../../packages/gateway/src/gateway/gateway.ts';
import { lockState } from '../../packages/gateway/src/gateway/state-lock.ts';
import { makeVerifier } from '../../packages/gateway/src/identity/scram-verifier.ts';
import { createLogger } from '../../packages/gateway/src/observe/logger.ts';
import { setupSql } from '../../packages/gateway/src/postgres/roles/setup-sql.ts';
import { installSecondWall, loadBank } from './database/load.ts';
import { AGENTS, TOOL_CALLS, callTools, startMcpServer } from './demo/agent.ts';
import type { AgentName, ToolAnswer } from './demo/agent.ts';
import { factsOf, gatewayUrl } from './demo/facts.ts';
import type { DemoFacts } from './demo/facts.ts';
import { openDemoFolder, writeConfiguration } from './demo/folder.ts';
import type { DemoFolder } from './demo/folder.ts';
import { explain, lastCalls, verify } from './demo/record.ts';
import {
  explainLines,
  nextLines,
  partsLines,
  print,
  progress,
  recordLines,
  trafficLines,
} from './demo/screen.ts';
import { startPostgres } from './postgres-server.ts';
import type { PostgresServer } from './postgres-server.ts';

export interface DemoOptions {
  /** Port of the gateway on 127.0.0.1. Default: a free one. */
  readonly port?: number;
  /** Where keys, database, record and `demo.json` are kept. */
  readonly directory: string;
  /** Make the tool calls of `TOOL_CALLS`. */
  readonly traffic: boolean;
  /** Print one line of JSON (the content of `demo.json`, with `calls`, `verdict` and `explained` if there was traffic) and nothing else. */
  readonly json: boolean;
}

type Undo = () => Promise<void> | void;

/** Resolves with an exit code when SIGINT or SIGTERM has ended it and everything it started is stopped. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const stop = stopSignal();
  const started: Undo[] = [];
  try {
    await Promise.race([present(options, started), stop]);
    await stop;
  } finally {
    if (!options.json) {
      progress('stopping …');
    }
    for (const undo of started.toReversed()) {
      await undo();
    }
  }
  return 0;
}

/** Resolves at the first SIGINT or SIGTERM. A terminal, npm and a script may each send one: more change nothing. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGINT', () => resolve());
    process.on('SIGTERM', () => resolve());
  });
}

async function present(options: DemoOptions, started: Undo[]): Promise<void> {
  const say = options.json ? (): void => undefined : progress;
  const show = options.json ? (): void => undefined : print;
  const directory = resolve(options.directory);
  // Before anything is touched: a second demo would take the first one's database for a leftover and stop it.
  const lock = lockState(directory, {
    detail: 'another demo runs in',
    hint: 'Stop it first (Ctrl-C), or name another folder with --dir.',
  });
  started.push(() => lock.release());
  const folder = await openDemoFolder(directory);
  say('starting PostgreSQL …');
  const database = await startDatabase(folder, say, started);
  writeConfiguration(folder, { gateway: options.port ?? 0, database: database.port });
  await installWall(folder, database);
  say('starting the gateway …');
  const gateway = await startDemoGateway(folder, started);
  const mcp = await startMcpServers(folder, gateway.port, started);
  const facts = factsOf(folder, { gatewayPort: gateway.port, database, mcp });
  writeFileSync(folder.demoFile, `${JSON.stringify(facts, null, 2)}\n`, { mode: 0o600 });
  started.push(() => rmSync(folder.demoFile, { force: true }));
  show(partsLines(facts));
  const calls = options.traffic ? await makeTraffic(folder, mcp, show) : {};
  if (options.json) {
    print(JSON.stringify({ ...facts, ...calls }));
  }
  show(nextLines(facts, folder));
}

async function startDatabase(
  folder: DemoFolder,
  say: (text: string) => void,
  started: Undo[],
): Promise<PostgresServer> {
  const database = await startPostgres({
    directory: folder.databaseDirectory,
    superuserPassword: folder.passwords.postgres,
    settings: { log_statement: 'all', log_line_prefix: '%m [%p] %q%u@%d ' },
  });
  started.push(() => database.stop());
  say('filling the bank …');
  await loadBank((name) => database.url(name));
  return database;
}

/** As the bank's DBA would, with what `countersign target setup bank --print` prints. */
async function installWall(folder: DemoFolder, database: PostgresServer): Promise<void> {
  const { config } = readConfig(folder.configFile, { demo: true });
  const request = setupRequestOf(targetOf(config, 'bank'));
  await installSecondWall(database.url('bank'), {
    setupSql: setupSql(request),
    login: request.login,
    verifier: await makeVerifier(folder.passwords.countersign_gateway),
  });
}

async function startDemoGateway(folder: DemoFolder, started: Undo[]): Promise<{ readonly port: number }> {
  const { config } = readConfig(folder.configFile, { demo: true });
  const log = openSync(folder.gatewayLog, 'a', 0o600);
  const gateway = await startGateway(config, {
    logger: createLogger({ stream: { write: (line: string) => void writeSync(log, line) } }),
    onFatal: () => process.kill(process.pid, 'SIGTERM'),
  });
  started.push(() => gateway.close('demo stopped'));
  return { port: gateway.address.port };
}

async function startMcpServers(
  folder: DemoFolder,
  gatewayPort: number,
  started: Undo[],
): Promise<Readonly<Record<AgentName, string>>> {
  const servers = await Promise.all(
    AGENTS.map(async (name) => {
      const server = await startMcpServer(gatewayUrl(folder, gatewayPort, name));
      started.push(() => server.stop());
      return [name, server.url] as const;
    }),
  );
  return Object.fromEntries(servers) as Record<AgentName, string>;
}

/** One that the operator may run and the agents may not; and what of it would leave masked. */
const EXPLAINED = 'SELECT phone, ssn FROM bank.customers WHERE customer_id = 7';

interface Traffic {
  readonly calls: readonly ToolAnswer[];
  readonly verdict: string;
  /** What `countersign explain` printed. */
  readonly explained: string;
}

async function makeTraffic(
  folder: DemoFolder,
  mcp: Readonly<Record<AgentName, string>>,
  show: (lines: readonly string[]) => void,
): Promise<Traffic> {
  const answers = await callTools(mcp, TOOL_CALLS);
  show(trafficLines(answers));
  const explaining = explain(folder, EXPLAINED);
  const calls = await lastCalls(folder, TOOL_CALLS.length);
  const verification = await verify(folder);
  show(recordLines(calls, verification));
  const explained = await explaining;
  show(explainLines(EXPLAINED, explained));
  return { calls: answers, verdict: verification.verdict, explained };
}

export type { DemoFacts };
