/**
 * `npm run bench -- distinct [--statements N]`: a million statements, none twice, through eight sessions of one gateway. Prints what it
 * keeps in memory and on disk after each tenth of them. Nothing may grow but the record.
 */

import { loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { startPostgres } from '../test/support/postgres-server.ts';
import { GatewayFolder, GatewayProcess } from '../test/support/gateway-process.ts';
import { bind, execute, parse, query, RawSession, sync } from '../test/support/raw-session.ts';

const SESSIONS = 8;
const PER_BATCH = 100;
const ROWS = 10;
const MIB = 2 ** 20;

/** Half of them as queries, half parsed with a text, a column and a parameter of their own. */
function distinct(n: number): Buffer {
  if (n % 2 === 0) return query(`select ${n} as "column ${n}"`);
  return Buffer.concat([
    parse('', `select ${n} as "column ${n}", $1::text`),
    bind('', '', [`value ${n}`]),
    execute(),
    sync(),
  ]);
}

/** Sends statements until `upTo` are done; `next` gives the number of the first of so many. */
async function send(session: RawSession, next: () => number | undefined): Promise<void> {
  for (let from = next(); from !== undefined; from = next()) {
    const first = from;
    session.send(Buffer.concat(Array.from({ length: PER_BATCH }, (_, n) => distinct(first + n))));
    for (let ready = 0; ready < PER_BATCH;) {
      const { type } = await session.receive();
      if (type === 'Z') ready += 1;
      else if (type === 'E') throw new Error('a statement was refused');
    }
  }
}

interface Moment {
  readonly statements: number;
  readonly seconds: number;
  readonly heapMib: number;
  readonly rssMib: number;
  readonly recordMib: number;
}

async function look(gateway: GatewayProcess, statements: number, startedAt: number): Promise<Moment> {
  return {
    statements,
    seconds: (performance.now() - startedAt) / 1000,
    heapMib: (await gateway.metric('process_heap_bytes')) / MIB,
    rssMib: (await gateway.metric('process_resident_memory_bytes')) / MIB,
    recordMib: (await gateway.metric('countersign_journal_bytes_total')) / MIB,
  };
}

function render(moments: readonly Moment[], load: number): string {
  const lines = moments.map(({ statements, seconds, heapMib, rssMib, recordMib }) => {
    const cells = [
      statements,
      seconds.toFixed(0),
      heapMib.toFixed(1),
      rssMib.toFixed(0),
      recordMib.toFixed(0),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    `${SESSIONS} sessions, ${PER_BATCH} statements in flight in each; load average before: ${load.toFixed(2)}.`,
    '',
    '| distinct statements | s | JavaScript heap MiB | RSS MiB | journal MiB |',
    '|---:|---:|---:|---:|---:|',
    ...lines,
    '',
  ].join('\n');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { statements: { type: 'string', default: '1000000' } },
    allowPositionals: true,
  });
  const total = Number(values.statements);
  const load = loadavg()[0] ?? 0;
  const server = await startPostgres({ settings: { fsync: 'on', log_min_error_statement: 'panic' } });
  try {
    const { port, user, password } = server;
    const folder = await GatewayFolder.create({ target: { port, database: 'postgres', user, password } });
    const gateway = await GatewayProcess.start(folder);
    try {
      const endpoint = folder.endpoint(gateway.port);
      const sessions = await Promise.all(
        Array.from({ length: SESSIONS }, () => RawSession.connect(endpoint)),
      );
      const startedAt = performance.now();
      const moments = [await look(gateway, 0, startedAt)];
      let sent = 0;
      for (let row = 1; row <= ROWS; row++) {
        const upTo = (total / ROWS) * row;
        const next = (): number | undefined => {
          if (sent >= upTo) return undefined;
          sent += PER_BATCH;
          return sent - PER_BATCH;
        };
        await Promise.all(sessions.map((session) => send(session, next)));
        moments.push(await look(gateway, sent, startedAt));
        process.stderr.write(`${sent} of ${total}\n`);
      }
      process.stdout.write(render(moments, load));
      for (const session of sessions) session.end();
    } finally {
      await gateway.kill();
      folder.remove();
    }
  } finally {
    await server.stop();
  }
}

await main();
