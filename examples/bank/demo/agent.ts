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

/** Principals of the demo that call tools. */
export const AGENTS = ['report-agent', 'service-agent'] as const;
export type AgentName = (typeof AGENTS)[number];

export interface ToolCall {
  readonly agent: AgentName;
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
  /** The first of them. */
  readonly firstRow?: Readonly<Record<string, unknown>>;
}

/** What the demo does unasked: ordinary work, what each of the two walls stops, and what leaves masked. */
export const TOOL_CALLS: readonly ToolCall[] = [
  {
    agent: 'report-agent',
    tool: 'run_report',
    arguments: { from: '2026-06-01', to: '2026-06-07' },
    what: 'the report of the first week of June',
  },
  {
    agent: 'report-agent',
    tool: 'run_sql',
    arguments: {
      sql: `SELECT channel, count(*) AS large FROM bank.transactions WHERE amount_cents < -85000 GROUP BY channel`,
    },
    what: 'a question of its own, within its grant',
  },
  {
    agent: 'report-agent',
    tool: 'run_sql',
    arguments: { sql: 'SELECT given_name, family_name, ssn FROM bank.customers LIMIT 10' },
    what: 'columns beyond its grant: the gateway refuses, and says what is missing',
  },
  {
    agent: 'report-agent',
    tool: 'run_sql',
    arguments: { sql: `SELECT reporting.row_count('bank.customers WHERE ssn LIKE ''9%''')` },
    what: 'hidden in a string, for a function it may call: PostgreSQL refuses',
  },
  {
    agent: 'report-agent',
    tool: 'run_sql',
    arguments: { sql: 'SET ROLE bank_owner' },
    what: 'becoming somebody else: the gateway refuses',
  },
  {
    agent: 'service-agent',
    tool: 'run_sql',
    arguments: {
      sql: `SELECT email, date_of_birth, ssn, pan, 'card ' || pan AS label
        FROM bank.cards k JOIN bank.accounts USING (account_id) JOIN bank.customers USING (customer_id)
        WHERE k.status = 'blocked' ORDER BY card_id LIMIT 20`,
    },
    what: 'who has a blocked card: what identifies a person leaves masked',
  },
  {
    agent: 'service-agent',
    tool: 'run_sql',
    arguments: { sql: `SELECT count(*) FROM bank.customers WHERE ssn LIKE '900-00-00%'` },
    what: 'guessing what was masked: the gateway refuses',
  },
];

/** Makes the calls one after another, over streamable HTTP, each through the MCP server of its agent. */
export async function callTools(
  urls: Readonly<Record<AgentName, string>>,
  calls: readonly ToolCall[],
): Promise<readonly ToolAnswer[]> {
  const clients = new Map<AgentName, Client>();
  const answers: ToolAnswer[] = [];
  try {
    for (const call of calls) {
      const client = clients.get(call.agent) ?? new Client({ name: 'demo-agent', version: '0.1.0' });
      if (!clients.has(call.agent)) {
        clients.set(call.agent, client);
        await client.connect(new StreamableHTTPClientTransport(new URL(urls[call.agent])));
      }
      answers.push(await callTool(client, call));
    }
  } finally {
    for (const client of clients.values()) await client.close();
  }
  return answers;
}

async function callTool(client: Client, call: ToolCall): Promise<ToolAnswer> {
  const result = await client.callTool({ name: call.tool, arguments: { ...call.arguments } });
  const text = result.content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
  if (result.isError === true) return { ...call, ok: false, text };
  const { rowCount, rows } = JSON.parse(text) as {
    readonly rowCount: number;
    readonly rows: readonly Readonly<Record<string, unknown>>[];
  };
  const [firstRow] = rows;
  return { ...call, ok: true, text, rows: rowCount, ...(firstRow === undefined ? {} : { firstRow }) };
}
