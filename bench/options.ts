/** The command line of `npm run bench`. */

import { parseArgs } from 'node:util';

export const PROTOCOL_MODES = ['simple', 'extended', 'prepared'] as const;
export type ProtocolMode = (typeof PROTOCOL_MODES)[number];

export const WORKLOADS = ['select-only', 'tpcb-like'] as const;
export type Workload = (typeof WORKLOADS)[number];

/** Everything that is measured; the order is the order of the columns and of the interleaving. */
export const PEERS = ['direct', 'pgbouncer', 'relay', 'record', 'product'] as const;
export type PeerName = (typeof PEERS)[number];

export interface BenchOptions {
  /** Length of one pgbench run, in seconds. */
  readonly seconds: number;
  /** How often the whole round of peers is repeated; the median run of each cell is reported. */
  readonly rounds: number;
  readonly clients: readonly number[];
  readonly modes: readonly ProtocolMode[];
  readonly workloads: readonly Workload[];
  readonly peers: readonly PeerName[];
  /** Size of pgbench's tables (`-s`). */
  readonly scale: number;
  /** Bytes of the big result and of the big COPY; 0 leaves both out. */
  readonly bulkBytes: number;
  /** Where the Markdown goes; empty prints only. */
  readonly output: string;
  readonly quick: boolean;
}

export const HELP = `npm run bench -- [options]

  --seconds N        length of one pgbench run (default 8, quick 3)
  --rounds N         repeat everything N times, report the median (default 1)
  --clients 1,8,32   client counts
  --modes simple,extended,prepared
  --workloads select-only,tpcb-like
  --peers direct,pgbouncer,relay,record,product
  --scale N          pgbench -s (default 32, quick 8)
  --bulk MIB         size of the big result and COPY (default 1024, quick 256; 0 leaves them out)
  --output FILE      Markdown to write (default docs/benchmarks.md; 'none' only prints; quick defaults to none)
  --quick            a smaller run for a first impression
`;

function pick<T extends string>(text: string, known: readonly T[], what: string): T[] {
  return text.split(',').map((word) => {
    const found = known.find((candidate) => candidate === word.trim());
    if (found === undefined) throw new Error(`unknown ${what} '${word}'; known: ${known.join(', ')}`);
    return found;
  });
}

function count(text: string, what: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${what} must be a whole number, not '${text}'`);
  return value;
}

/** Throws with a sentence for a value it does not understand; gives undefined when only help was asked for. */
export function parseOptions(argv: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seconds: { type: 'string' },
      rounds: { type: 'string', default: '1' },
      clients: { type: 'string', default: '1,8,32' },
      modes: { type: 'string', default: PROTOCOL_MODES.join(',') },
      workloads: { type: 'string', default: WORKLOADS.join(',') },
      peers: { type: 'string', default: PEERS.join(',') },
      scale: { type: 'string' },
      bulk: { type: 'string' },
      output: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const quick = values.quick;
  const output = values.output ?? (quick ? 'none' : 'docs/benchmarks.md');
  return {
    seconds: count(values.seconds ?? (quick ? '3' : '8'), '--seconds'),
    rounds: Math.max(1, count(values.rounds, '--rounds')),
    clients: values.clients.split(',').map((word) => count(word, '--clients')),
    modes: pick(values.modes, PROTOCOL_MODES, 'mode'),
    workloads: pick(values.workloads, WORKLOADS, 'workload'),
    peers: pick(values.peers, PEERS, 'peer'),
    scale: count(values.scale ?? (quick ? '8' : '32'), '--scale'),
    bulkBytes: count(values.bulk ?? (quick ? '256' : '1024'), '--bulk') * 1024 * 1024,
    output: output === 'none' ? '' : output,
    quick,
  };
}
