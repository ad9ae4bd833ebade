/**
 * `npm run bench -- masking [--rows N] [--rounds N] [--quick] [--statements]`: what masking costs. A large result of ten text columns, two of them masked, beside a
 * gateway without masking (both run all the time and take turns), by transform; and what a statement costs that was seen before
 * (`masking-statements.ts`). `--statements`: that alone.
 */

import { loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { GatewayFolder, GatewayProcess } from '../test/support/gateway-process.ts';
import type { GatewaySettings } from '../test/support/gateway-process.ts';
import { startPostgres } from '../test/support/postgres-server.ts';
import type { PostgresServer } from '../test/support/postgres-server.ts';
import { query, RawSession } from '../test/support/raw-session.ts';
import { drainUntilReady } from './bulk.ts';
import { statementLines } from './masking-statements.ts';
import type { Endpoint } from './pgbench.ts';
import { readProcessCost } from './process-cost.ts';

const FREE = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const;

/** What is measured: two columns beside eight that are free. The classes are configured so that each has the transform that it is named after. */
const KINDS: readonly (readonly [what: string, columns: readonly [string, string]])[] = [
  ['nothing', ['i', 'j']],
  ['redact', ['ssn', 'ssn2']],
  ['keep-last', ['pan', 'pan2']],
  ['email-domain', ['email', 'email2']],
  ['token', ['ref', 'ref2']],
  ['detect', ['note', 'note2']],
];

const MASKING: NonNullable<GatewaySettings['masking']> = {
  rules: '{ ref: { transform: token }, ssn: { transform: redact } }',
  columns:
    '{ public.people: { ssn: ssn, ssn2: ssn, pan: pan, pan2: pan, email: email, email2: email, ref: ref, ref2: ref, note: free_text, note2: free_text } }',
};

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const queryOf = (columns: readonly string[]): string =>
  `select ${[...FREE, ...columns].join(', ')} from people`;

/** Texts of 24 characters, and values of each class as long as they are in earnest. */
async function fill(server: PostgresServer, rows: number): Promise<void> {
  const client = new Client({ connectionString: server.url() });
  await client.connect();
  const free = [...FREE, 'i', 'j'].map((name, index) => `substr(md5('${index}' || i), 1, 24) as ${name}`);
  const each: Readonly<Record<string, string>> = {
    ssn: `format('%s-%s-%s', 100 + i % 800, 10 + i % 90, 1000 + i % 9000)`,
    pan: `'400000' || lpad((i * 104729::bigint % 10000000000)::text, 10, '0')`,
    email: `'customer.' || i || '@example.com'`,
    ref: `'C-' || lpad(i::text, 10, '0')`,
    note: `'called about order ' || i || ', wants it today'`,
  };
  const regulated = Object.entries(each).flatMap(([name, text]) => [
    `${text} as ${name}`,
    `${text} as ${name}2`,
  ]);
  await client.query(
    `create unlogged table people as select ${[...free, ...regulated].join(', ')} from generate_series(1, ${rows}) i`,
  );
  await client.query('vacuum analyze people');
  await client.end();
}

interface Peer {
  readonly name: 'direct' | 'unmasked' | 'masked';
  readonly endpoint: Endpoint;
  readonly pid?: number;
}

interface Run {
  readonly seconds: number;
  readonly cpuUs: number;
}

async function read({ endpoint, pid }: Peer, text: string): Promise<Run> {
  const session = await RawSession.connect(endpoint);
  const socket = session.takeSocket();
  const cpuBefore = pid === undefined ? 0 : readProcessCost(pid).cpuUs;
  const startedAt = performance.now();
  socket.write(query(text));
  await drainUntilReady(socket);
  const seconds = (performance.now() - startedAt) / 1_000;
  socket.destroy();
  return { seconds, cpuUs: pid === undefined ? 0 : readProcessCost(pid).cpuUs - cpuBefore };
}

/** How many of the two columns come otherwise than from the server. A benchmark of masking that masks nothing would look fine. */
async function changedColumns(peer: Peer, direct: Peer, columns: readonly string[]): Promise<number> {
  const firstOf = async ({ endpoint }: Peer): Promise<readonly unknown[]> => {
    const client = new Client({ ...endpoint });
    await client.connect();
    try {
      const { rows } = await client.query<unknown[]>({
        text: `${queryOf(columns)} where a = (select min(a) from people)`,
        rowMode: 'array',
      });
      return rows[0] ?? [];
    } finally {
      await client.end();
    }
  };
  const [real, seen] = [await firstOf(direct), await firstOf(peer)];
  return real.filter((value, index) => value !== seen[index]).length;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function check(peers: readonly Peer[], direct: Peer): Promise<void> {
  for (const [what, columns] of KINDS) {
    for (const peer of peers) {
      // The notes have nothing in them that a detector finds: they cost what looking costs.
      const expected = peer.name === 'masked' && what !== 'nothing' && what !== 'detect' ? 2 : 0;
      const changed = await changedColumns(peer, direct, columns);
      if (changed !== expected)
        throw new Error(`${what} through ${peer.name}: ${changed} columns changed, not ${expected}`);
    }
  }
}

async function measureResults(peers: readonly Peer[], rows: number, rounds: number): Promise<string[]> {
  const lines = [
    '| masked of ten columns | direct | gateway without masking | with masking | share | CPU added for a row |',
    '|---|---:|---:|---:|---:|---:|',
  ];
  for (const [what, columns] of KINDS) {
    const runs = new Map<Peer, Run[]>(peers.map((peer) => [peer, []]));
    // The first round pays for cold caches and code that is not compiled yet.
    for (let round = 0; round <= rounds; round++) {
      for (const peer of peers) {
        const run = await read(peer, queryOf(columns));
        if (round > 0) runs.get(peer)?.push(run);
      }
    }
    const [direct, unmasked, masked] = peers.map((peer) => {
      const all = runs.get(peer) ?? [];
      return {
        seconds: median(all.map(({ seconds }) => seconds)),
        cpuUs: median(all.map(({ cpuUs }) => cpuUs)),
      };
    });
    if (direct === undefined || unmasked === undefined || masked === undefined) throw new Error('no peers');
    const speed = ({ seconds }: Run): string => Math.round(rows / seconds / 1_000).toLocaleString('en-US');
    const added = (masked.cpuUs - unmasked.cpuUs) / rows;
    const cells = [
      what === 'nothing' ? 'none, in a target with classes' : `two: ${what}`,
      ...[direct, unmasked, masked].map(speed),
      (unmasked.seconds / masked.seconds).toFixed(2),
      `${added.toFixed(2)} µs`,
    ];
    lines.push(`| ${cells.join(' | ')} |`);
    say(lines.at(-1) ?? '');
  }
  return lines;
}

async function withGateway<T>(
  server: PostgresServer,
  masking: GatewaySettings['masking'],
  use: (gateway: GatewayProcess, endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  const { port, user, password } = server;
  const folder = await GatewayFolder.create({
    target: { port, database: 'postgres', user, password },
    record: {},
    ...(masking === undefined ? {} : { masking }),
  });
  try {
    const gateway = await GatewayProcess.start(folder);
    try {
      return await use(gateway, folder.endpoint(gateway.port));
    } finally {
      await gateway.stop();
    }
  } finally {
    folder.remove();
  }
}

async function resultLines(rows: number, rounds: number): Promise<string[]> {
  const server = await startPostgres({ settings: { shared_buffers: '256MB' } });
  try {
    const { host, port, user, password } = server;
    const direct: Peer = { name: 'direct', endpoint: { host, port, user, password, database: 'postgres' } };
    await fill(server, rows);
    return await withGateway(server, undefined, (plain, plainEndpoint) =>
      withGateway(server, MASKING, async (masking, endpoint) => {
        const unmasked: Peer = { name: 'unmasked', endpoint: plainEndpoint, pid: plain.pid };
        const masked: Peer = { name: 'masked', endpoint, pid: masking.pid };
        await check([unmasked, masked], direct);
        return await measureResults([direct, unmasked, masked], rows, rounds);
      }),
    );
  } finally {
    await server.stop();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      statements: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  const rows = Number(values.rows ?? (values.quick ? 50_000 : 300_000));
  const rounds = Number(values.rounds ?? (values.quick ? 3 : 5));
  const load = loadavg()[0] ?? 0;
  const statements = await statementLines();
  const results = values.statements ? [] : await resultLines(rows, rounds);
  const heading = `Node ${process.versions.node}; ${rows} rows, median of ${rounds} rounds, thousands of rows per second; load average before: ${load.toFixed(2)}.`;
  say(['', heading, '', ...results, '', ...statements].join('\n'));
}

await main();
