/** What scripts can know of a running demo: the content of `demo.json`. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentName } from './agent.ts';
import type { DemoClient, DemoFolder } from './folder.ts';

export interface DemoFacts {
  /** Process to stop with SIGTERM. */
  readonly pid: number;
  /** Through the gateway, by principal. `default` is the operator. */
  readonly gateway: string;
  readonly gateways: Readonly<Record<DemoClient, string>>;
  /** Straight to the database, as its superuser: what no client of a real installation ever has. */
  readonly target: string;
  /** The database's own log of statements, to hold against the record. */
  readonly targetLog: string;
  /** Directory of the public log. */
  readonly log: string;
  readonly vkey: string | undefined;
  readonly custodianKey: string;
  readonly config: string;
  readonly state: string;
  /** The MCP server of each agent. `url` is the report agent's. */
  readonly mcp: { readonly url: string } & Readonly<Record<AgentName, string>>;
  readonly ports: { readonly gateway: number; readonly database: number };
}

interface Running {
  readonly gatewayPort: number;
  readonly database: { readonly port: number; readonly logFile: string; url(name?: string): string };
  readonly mcp: Readonly<Record<AgentName, string>>;
}

/** Where clients of the gateway connect as `principal`. */
export function gatewayUrl(folder: DemoFolder, port: number, principal: DemoClient): string {
  return `postgresql://${principal}:${folder.passwords[principal]}@127.0.0.1:${port}/bank`;
}

export function factsOf(folder: DemoFolder, { gatewayPort, database, mcp }: Running): DemoFacts {
  const vkeyFile = join(folder.logDirectory, 'log.vkey');
  return {
    pid: process.pid,
    gateway: gatewayUrl(folder, gatewayPort, 'operator'),
    gateways: {
      operator: gatewayUrl(folder, gatewayPort, 'operator'),
      'report-agent': gatewayUrl(folder, gatewayPort, 'report-agent'),
      'service-agent': gatewayUrl(folder, gatewayPort, 'service-agent'),
    },
    target: database.url('bank'),
    targetLog: database.logFile,
    log: folder.logDirectory,
    vkey: existsSync(vkeyFile) ? readFileSync(vkeyFile, 'utf8').trim() : undefined,
    custodianKey: folder.custodianKeyFile,
    config: folder.configFile,
    state: join(folder.directory, 'state'),
    mcp: { url: mcp['report-agent'], ...mcp },
    ports: { gateway: gatewayPort, database: database.port },
  };
}
