/** The MCP server of the example as a process of its own, and a client that calls its tools as an agent would. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

export interface BankMcpServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Its one configuration is the database's URL, which leads through the gateway. */
export async function startMcpServer(databaseUrl: string): Promise<BankMcpServer> {
  const program = join(import.meta.dirname, '..', 'mcp-server', 'server.ts');
  const child = spawn(process.execPath, [program, '--end-with-stdin'], {
    env: { PATH: process.env['PATH'], DATABASE_URL: databaseUrl, PORT: '0' },
    stdio: ['pipe', 'pipe', 'inherit'],
    // Ctrl-C in a terminal reaches us alone; we stop it in order.
    detached: true,
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  const firstLine = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      return line;
    }
    throw new Error('the MCP server ended before it served');
  })();
  const { url } = JSON.parse(await firstLine) as { readonly url: string };
  return { url, stop: () => stopServer(child, ended) };
}

async function stopServer(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await ended;
  }
}

export interface ToolCall {
  readonly tool: 'run_report' | 'run_sql';
  readonly arguments: Readonly<Record<string, string>>;
  /** Why an agent would do this. */
  readonly what: string;
}

export interface ToolAnswer extends ToolCall {
  readonly ok: boolean;
  /** What the model gets to see. */
  readonly text: string;
  /** Of a successful call. */
  readonly rows?: number;
}

/** What the demo does unasked: ordinary work, and what each of the two walls stops. */
export const TOOL_CALLS: readonly ToolCall[] = [
  {
    tool: 'run_report',
    arguments: { from: '2026-06-01', to: '2026-06-07' },
    what: 'the report of the first week of June',
  },
  {
    tool: 'run_sql',
    arguments: {
      sql: `SELECT channel, count(*) AS large FROM bank.transactions WHERE amount_cents < -85000 GROUP BY channel`,
    },
    what: 'a question of its own, within its grant',
  },
  {
    tool: 'run_sql',
    arguments: { sql: 'SELECT given_name, family_name, ssn FROM bank.customers LIMIT 10' },
    what: 'columns beyond its grant: the gateway refuses, and says what is missing',
  },
  {
    tool: 'run_sql',
    arguments: { sql: `SELECT reporting.row_count('bank.customers WHERE ssn LIKE ''9%''')` },
    what: 'hidden in a string, for a function it may call: PostgreSQL refuses',
  },
  {
    tool: 'run_sql',
    arguments: { sql: 'SET ROLE bank_owner' },
    what: 'becoming somebody else: the gateway refuses',
  },
];

/** Makes the calls one after another, over streamable HTTP. */
export async function callTools(url: string, calls: readonly ToolCall[]): Promise<readonly ToolAnswer[]> {
  const client = new Client({ name: 'demo-agent', version: '0.1.0' });
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  const answers: ToolAnswer[] = [];
  try {
    for (const call of calls) {
      const result = await client.callTool({ name: call.tool, arguments: { ...call.arguments } });
      const text = result.content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
      const ok = result.isError !== true;
      const { rowCount } = ok ? (JSON.parse(text) as { rowCount: number }) : {};
      answers.push({ ...call, ok, text, ...(rowCount === undefined ? {} : { rows: rowCount }) });
    }
  } finally {
    await client.close();
  }
  return answers;
}
