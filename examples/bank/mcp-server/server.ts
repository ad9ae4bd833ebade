/**
 * An ordinary MCP server with two tools on the bank's database. It knows nothing of the gateway: its DATABASE_URL
 * happens to point there.
 *
 *   node server.ts            serves streamable HTTP on 127.0.0.1, PORT from the environment (default: a free one),
 *                             and prints one line of JSON with its `url`
 *   node server.ts --stdio    serves its stdin and stdout
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  localhostHostValidation,
  localhostOriginValidation,
  toNodeHandler,
} from '@modelcontextprotocol/node';
import type { NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import { McpServer, createMcpHandler } from '@modelcontextprotocol/server';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { DatabaseError, Pool, types } from 'pg';
import * as z from 'zod';

const databaseUrl = process.env['DATABASE_URL'];
if (databaseUrl === undefined) {
  process.stderr.write('DATABASE_URL is not set.\n');
  process.exit(2);
}

// A date is a day, not midnight wherever this server happens to run.
types.setTypeParser(types.builtins.DATE, (day) => day);

const pool = new Pool({ connectionString: databaseUrl, max: 4, application_name: 'bank-mcp-server' });
// A connection that ends while idle is replaced at the next call.
pool.on('error', () => undefined);

const MAX_ROWS = 200;

const REPORT = `
  SELECT day::text, channel, transactions, accounts, volume_cents
  FROM reporting.daily_activity
  WHERE day BETWEEN $1::date AND $2::date
  ORDER BY day, channel`;

const failed = (text: string): CallToolResult => ({ content: [{ type: 'text', text }], isError: true });

/** What the database says is passed on, so that the model can correct itself. */
function explain(error: unknown): CallToolResult {
  if (!(error instanceof DatabaseError)) {
    return failed(error instanceof Error ? error.message : 'the database cannot be reached');
  }
  const lines = [`${error.severity ?? 'ERROR'} ${error.code ?? ''}: ${error.message}`];
  return failed(
    [...lines, error.detail, error.hint === undefined ? undefined : `Hint: ${error.hint}`]
      .filter((line) => line !== undefined)
      .join('\n'),
  );
}

async function answer(sql: string, parameters?: readonly string[]): Promise<CallToolResult> {
  try {
    const result = await pool.query<Record<string, unknown>>(sql, parameters && [...parameters]);
    // Several statements in one text give several results; the last one is what was asked for.
    const last = Array.isArray(result) ? (result as (typeof result)[]).at(-1) : result;
    const rows = last?.rows ?? [];
    const shown = { command: last?.command, rowCount: last?.rowCount ?? 0, rows: rows.slice(0, MAX_ROWS) };
    const text = JSON.stringify({ ...shown, truncated: rows.length > MAX_ROWS });
    return { content: [{ type: 'text', text }] };
  } catch (error) {
    return explain(error);
  }
}

function createBankServer(): McpServer {
  const server = new McpServer({ name: 'bank', version: '0.1.0' });
  server.registerTool(
    'run_report',
    {
      title: 'Daily activity report',
      description: 'Transactions, accounts and volume per day and channel. Data: 2026-04-01 to 2026-06-30.',
      inputSchema: z.object({
        from: z.iso.date().describe('first day, YYYY-MM-DD'),
        to: z.iso.date().describe('last day, YYYY-MM-DD'),
      }),
      annotations: { readOnlyHint: true },
    },
    ({ from, to }) => answer(REPORT, [from, to]),
  );
  server.registerTool(
    'run_sql',
    {
      title: 'Run SQL',
      description: `Runs one SQL text on the bank's database (PostgreSQL); at most ${MAX_ROWS} rows are returned.`,
      inputSchema: z.object({ sql: z.string().min(1).max(100_000) }),
    },
    ({ sql }) => answer(sql),
  );
  return server;
}

async function serveHttp(): Promise<void> {
  const handler = createMcpHandler(createBankServer);
  const handle = toNodeHandler(handler);
  const hostIsLocal = localhostHostValidation();
  const originIsLocal = localhostOriginValidation();
  const http = createServer((request, response) => {
    if (!hostIsLocal(request, response) || !originIsLocal(request, response)) {
      return;
    }
    if (new URL(request.url ?? '/', 'http://localhost').pathname !== '/mcp') {
      response.writeHead(404).end();
      return;
    }
    // The adapter's own type of a request says nothing of undefined, which Node's may be.
    void handle(request as NodeIncomingMessageLike, response);
  });
  http.listen(Number(process.env['PORT'] ?? 0), '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}/mcp` })}\n`);
  const stop = (): void => {
    http.close();
    http.closeAllConnections();
    void pool.end().finally(() => process.exit(0));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  if (process.argv.includes('--end-with-stdin')) {
    // Whoever started us holds the other end: when it is killed, nobody else would stop us.
    process.stdin.once('end', stop).resume();
  }
}

if (process.argv.includes('--stdio')) {
  serveStdio(createBankServer);
} else {
  await serveHttp();
}
