/**
 * `npm run bench`: what Countersign costs, beside a direct connection and PgBouncer, on this machine.
 *
 * All peers run against one server and take turns within every cell (A B C, A B C), so that a drift of the machine
 * meets all of them. Every peer is a process of its own.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { startPostgres } from '../test/support/postgres-server.ts';
import { runBigCopy, runBigResult } from './bulk.ts';
import type { BulkRun } from './bulk.ts';
import { readCommits, recordFigures, recordSize, startGatewayPeer } from './gateway-peer.ts';
import type { GatewayPeer } from './gateway-peer.ts';
import { HELP, parseOptions } from './options.ts';
import type { BenchOptions, PeerName } from './options.ts';
import { initialise, runPgbench } from './pgbench.ts';
import type { Endpoint } from './pgbench.ts';
import { startPgbouncer } from './pgbouncer.ts';
import type { RunningProxy } from './pgbouncer.ts';
import { readProcessCost, resetPeakRss } from './process-cost.ts';
import { render } from './report.ts';
import type { Surroundings } from './report.ts';
import { medianRun } from './results.ts';
import type { Bulk, BulkMeasured, Cell, DiskUse, Measured, Results } from './results.ts';

const ROOT = join(import.meta.dirname, '..');

interface Peer {
  readonly name: PeerName;
  readonly endpoint: Endpoint;
  readonly proxy?: RunningProxy;
  readonly gateway?: GatewayPeer;
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function startPeer(name: PeerName, target: Endpoint): Promise<Peer> {
  if (name === 'direct') return { name, endpoint: target };
  if (name === 'pgbouncer') {
    const proxy = await startPgbouncer(target);
    return { name, endpoint: proxy.endpoint, proxy };
  }
  const gateway = await startGatewayPeer(name, target);
  return { name, endpoint: gateway.endpoint, proxy: gateway, gateway };
}

async function measure(peer: Peer, cell: Cell, seconds: number): Promise<Measured> {
  const hasRecord = peer.gateway !== undefined && peer.name !== 'relay';
  const commitsBefore = hasRecord ? await readCommits(peer.gateway.gateway) : undefined;
  const cpuBefore = peer.proxy === undefined ? 0 : readProcessCost(peer.proxy.pid).cpuUs;
  const startedAt = performance.now();
  const run = await runPgbench(peer.endpoint, { ...cell, seconds });
  const elapsed = (performance.now() - startedAt) / 1_000;
  const cpu = peer.proxy === undefined ? undefined : readProcessCost(peer.proxy.pid).cpuUs - cpuBefore;
  const record =
    commitsBefore === undefined || peer.gateway === undefined
      ? undefined
      : recordFigures(commitsBefore, await readCommits(peer.gateway.gateway), elapsed);
  return {
    ...run,
    ...(cpu === undefined ? {} : { cpuPerStatementUs: cpu / run.statements }),
    ...(record === undefined ? {} : { record }),
  };
}

function cellsOf(options: BenchOptions): Cell[] {
  return options.workloads.flatMap((workload) =>
    options.modes.flatMap((mode) => options.clients.map((clients) => ({ workload, mode, clients }))),
  );
}

async function measureCells(peers: readonly Peer[], options: BenchOptions): Promise<Results['cells']> {
  const cells = cellsOf(options).map((cell) => ({ cell, runs: new Map<PeerName, Measured[]>() }));
  for (let round = 0; round < options.rounds; round++) {
    for (const { cell, runs } of cells) {
      for (const peer of peers) {
        const run = await measure(peer, cell, options.seconds);
        runs.set(peer.name, [...(runs.get(peer.name) ?? []), run]);
        const cpu = run.cpuPerStatementUs === undefined ? '' : `, ${run.cpuPerStatementUs.toFixed(1)} µs CPU`;
        say(
          `${cell.workload} ${cell.mode} ${cell.clients} ${peer.name}: ${Math.round(run.tps)} tps, p50 ${run.p50} p99 ${run.p99} p99.9 ${run.p999} µs${cpu}`,
        );
      }
    }
  }
  return cells.map(({ cell, runs }) => ({
    cell,
    peers: Object.fromEntries([...runs].map(([name, list]) => [name, medianRun(list)])),
  }));
}

async function measureBulk(peers: readonly Peer[], bytes: number): Promise<Bulk | undefined> {
  if (bytes === 0) return undefined;
  const one = async (
    peer: Peer,
    work: (endpoint: Endpoint, bytes: number) => Promise<BulkRun>,
  ): Promise<BulkMeasured> => {
    const isReset = peer.proxy !== undefined && resetPeakRss(peer.proxy.pid);
    const run = await work(peer.endpoint, bytes);
    say(`${work.name} ${peer.name}: ${Math.round(run.megabytesPerSecond)} MB/s`);
    return peer.proxy === undefined || !isReset
      ? run
      : { ...run, peakRssBytes: readProcessCost(peer.proxy.pid).peakRssBytes };
  };
  const bulk: { result: Bulk['result']; copy: Bulk['copy'] } = { result: {}, copy: {} };
  for (const peer of peers) bulk.result[peer.name] = await one(peer, runBigResult);
  for (const peer of peers) bulk.copy[peer.name] = await one(peer, runBigCopy);
  return bulk;
}

async function measureDisk(peers: readonly Peer[], options: BenchOptions): Promise<DiskUse | undefined> {
  const product = peers.find((peer) => peer.name === 'product')?.gateway;
  if (product === undefined) return undefined;
  const before = await recordSize(product);
  const run = await runPgbench(product.endpoint, {
    workload: 'tpcb-like',
    mode: 'extended',
    clients: 8,
    seconds: options.seconds,
  });
  const after = await recordSize(product);
  return {
    statements: run.statements,
    logBytes: after.log - before.log,
    vaultBytes: after.vault - before.vault,
  };
}

const version = (command: string, ...args: string[]): string =>
  execFileSync(command, args, { encoding: 'utf8' }).split('\n')[0] ?? '';

function surroundings(argv: readonly string[], options: BenchOptions, loadBefore: number): Surroundings {
  const uname = version('uname', '-sr');
  const model = /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? process.arch;
  return {
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run bench', ...(argv.length === 0 ? [] : ['--', ...argv])].join(' '),
    machine: [
      `${cpus().length} cores (${model}), ${Math.round(totalmem() / 2 ** 30)} GiB memory, ${uname}`,
      'Server, proxy and client share these cores: throughput is what is left when all three want them.',
      `Load average of the last minute before the run: ${loadBefore.toFixed(2)} (a busy machine lengthens everything, syncs most)`,
    ],
    versions: [
      'Server: PostgreSQL 18 (embedded), fsync on, shared_buffers 256 MB',
      `Client: ${version('pgbench', '--version')}, one thread; PgBouncer: ${version('/usr/sbin/pgbouncer', '--version')}, session pooling`,
      `Countersign on Node ${process.versions.node}, one worker, default configuration, started as deploy/ does, every intent on disk before it is forwarded`,
    ],
    notes: [
      `pgbench scale ${options.scale}, ${options.seconds} s per run, ${options.rounds === 1 ? 'one round' : `median of ${options.rounds} rounds`}; peers take turns within every cell.`,
      'Big result and COPY run in fresh processes, one after the other.',
      'Connections are without TLS on both sides of every proxy.',
      'Percentiles come from the per-transaction logs of pgbench; a tpcb-like transaction has 7 statements.',
    ],
  };
}

/** The first run would pay for the server's cold caches and, in the gateway, for code not yet compiled. */
async function startPeers(peers: Peer[], options: BenchOptions, target: Endpoint): Promise<void> {
  for (const name of options.peers) peers.push(await startPeer(name, target));
  for (const peer of peers) await measure(peer, { workload: 'select-only', mode: 'simple', clients: 8 }, 1);
}

async function stopPeers(peers: Peer[]): Promise<void> {
  for (const peer of peers.splice(0)) await peer.proxy?.stop();
}

async function main(argv: readonly string[]): Promise<void> {
  const options = parseOptions(argv);
  if (options === undefined) {
    say(HELP);
    return;
  }
  const loadBefore = loadavg()[0] ?? 0;
  const server = await startPostgres({
    settings: {
      fsync: 'on',
      shared_buffers: '256MB',
      max_connections: '150',
      max_wal_size: '4GB',
      checkpoint_timeout: '30min',
    },
  });
  const peers: Peer[] = [];
  try {
    const target: Endpoint = {
      host: server.host,
      port: server.port,
      database: 'postgres',
      user: server.user,
      password: server.password,
    };
    say(`initialising pgbench at scale ${options.scale}`);
    await initialise(target, options.scale);
    await startPeers(peers, options, target);
    const cells = await measureCells(peers, options);
    const disk = await measureDisk(peers, options);
    // Fresh processes, so that the peak of memory is the big result's and not what millions of statements left behind.
    if (options.bulkBytes > 0) {
      await stopPeers(peers);
      await startPeers(peers, options, target);
    }
    const bulk = await measureBulk(peers, options.bulkBytes);
    const text = render({ cells, bulk, disk }, surroundings(argv, options, loadBefore));
    say(`\n${text}`);
    if (options.output !== '') writeFileSync(join(ROOT, options.output), text);
  } finally {
    await stopPeers(peers);
    await server.stop();
  }
}

if (process.argv[2] === 'floods') await import('./floods.ts');
else if (process.argv[2] === 'distinct') await import('./distinct.ts');
else if (process.argv[2] === 'decisions') await import('./decisions.ts');
else if (process.argv[2] === 'record') await import('./record.ts');
else if (process.argv[2] === 'detectors') await import('./detectors.ts');
else if (process.argv[2] === 'masking') await import('./masking.ts');
else await main(process.argv.slice(2));
