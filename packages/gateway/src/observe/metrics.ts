import { readdirSync } from 'node:fs';

import { Counter, Gauge, Histogram, Registry } from 'prom-client';

import type { Recorder } from '../record/recorder.ts';
import { addCatalogMetrics } from './catalog-metrics.ts';
import type { CatalogMetricFigures } from './catalog-metrics.ts';
import { addMaskingMetrics } from './masking-metrics.ts';
import type { MaskingFigures } from './masking-metrics.ts';
import { addRoleMetrics } from './role-metrics.ts';
import type { RoleMetricFigures } from './role-metrics.ts';
import { addTimestampMetrics } from './timestamp-metrics.ts';
import type { TimestampFigures } from './timestamp-metrics.ts';
import { addWitnessMetrics } from './witness-metrics.ts';
import type { WitnessFigures } from './witness-metrics.ts';
import { addExportMetrics, addTraceMetrics } from './export-metrics.ts';
import type { ExportFigures, SpanTotals } from './export-metrics.ts';

/** Where the figures come from that are read only when somebody asks. */
export interface MetricSources {
  readonly recorder: Pick<Recorder, 'health' | 'onCommit'>;
  readonly sessions: () => number;
  readonly connections: () => { readonly open: number; readonly pending: number };
  /** Refusals since the start, by error code. */
  readonly refusals: () => ReadonlyMap<string, number>;
  readonly cancels: () => { readonly known: number; readonly unknown: number };
  readonly traffic: () => Traffic;
  readonly exports?: () => readonly ExportFigures[];
  readonly spans?: () => SpanTotals;
  readonly catalogs?: () => readonly CatalogMetricFigures[];
  readonly roles?: () => RoleMetricFigures;
  /** Absent: nothing is masked, and nothing said of it. */
  readonly masking?: (() => MaskingFigures) | undefined;
  /** What makes sessions wait for their share (docs/floods.md). Absent: nothing does. */
  readonly pacing?: () => Pacing;
  /** Why the gateway is not ready, or `undefined`. */
  readonly notReady: () => string | undefined;
  /** Absent: nothing is witnessed, and nothing said of it. */
  readonly witness?: () => WitnessFigures;
  readonly timestamps?: () => TimestampFigures | undefined;
  readonly version: string;
}

/** How often sessions had to wait, by reason, and how many do now. */
export interface Pacing {
  readonly counts: Readonly<Record<string, number>>;
  readonly waiting: number;
}

/** Totals since the start. */
export interface Traffic {
  readonly commands: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Refused commands whose refusal could not be recorded either, because the record was failing. */
  readonly unrecordedRefusals: number;
}

/**
 * Prometheus metrics in a registry of their own. Everything but the commit figures is read when scraped, so commands
 * pay nothing for it. Label values are error codes and configured words only: the number of series is bounded.
 */
export function createMetrics(sources: MetricSources): Registry {
  const registry = new Registry();
  addProcessMetrics(registry);
  addCommitMetrics(registry, sources);
  addRecordGauges(registry, sources);
  addTrafficMetrics(registry, sources);
  addPacingMetrics(registry, sources);
  addStateMetrics(registry, sources);
  addWitnessMetrics(registry, sources.witness);
  addTimestampMetrics(registry, sources.timestamps);
  addCatalogMetrics(registry, sources.catalogs ?? (() => []));
  addRoleMetrics(registry, sources.roles);
  addMaskingMetrics(registry, sources.masking);
  addExportMetrics(registry, sources.exports ?? (() => []));
  addTraceMetrics(registry, sources.spans ?? (() => ({ sent: 0, dropped: 0 })));
  return registry;
}

/** The usual names. prom-client's own set would keep a timer at 100 Hz and an observer of every garbage collection. */
function addProcessMetrics(registry: Registry): void {
  const registers = [registry];
  const cpu: Counter = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process, all threads.',
    registers,
    collect: () => {
      const { user, system } = process.cpuUsage();
      cpu.reset();
      cpu.inc((user + system) / 1_000_000);
    },
  });
  const gauge = (name: string, help: string, value: () => number): void => {
    const metric: Gauge = new Gauge({ name, help, registers, collect: () => metric.set(value()) });
  };
  const startedAt = Date.now() / 1_000 - process.uptime();
  gauge('process_start_time_seconds', 'Start of the process, since the epoch.', () => startedAt);
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  gauge('process_heap_bytes', 'JavaScript heap in use.', () => process.memoryUsage().heapUsed);
  gauge('process_open_fds', 'Open file descriptors.', () => readdirSync('/proc/self/fd').length);
}

function addCommitMetrics(registry: Registry, { recorder }: MetricSources): void {
  const registers = [registry];
  const latency = new Histogram({
    name: 'countersign_commit_latency_seconds',
    help: 'From the first append of a group commit to its being on disk.',
    buckets: [
      0.0001, 0.0002, 0.0003, 0.0005, 0.00075, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2,
      5,
    ],
    registers,
  });
  const commits = new Counter({ name: 'countersign_commits_total', help: 'Group commits.', registers });
  const leaves = new Counter({ name: 'countersign_leaves_total', help: 'Leaves made durable.', registers });
  const bytes = new Counter({
    name: 'countersign_journal_bytes_total',
    help: 'Bytes written to the journal.',
    registers,
  });
  recorder.onCommit((commit) => {
    latency.observe(commit.latencyMs / 1_000);
    commits.inc();
    leaves.inc(commit.leaves);
    bytes.inc(commit.bytes);
  });
}

function addRecordGauges(registry: Registry, { recorder }: MetricSources): void {
  const gauge = (
    name: string,
    help: string,
    value: (health: ReturnType<Recorder['health']>) => number,
  ): void => {
    const metric = new Gauge({
      name: `countersign_${name}`,
      help,
      registers: [registry],
      collect: () => {
        metric.set(value(recorder.health()));
      },
    });
  };
  gauge('record_ready', '1 while the record takes commands and its log is written.', (health) =>
    health.ready ? 1 : 0,
  );
  gauge(
    'log_waiting',
    '1 while commands are taken into the journal but the log cannot be written.',
    (health) => (!health.ready && health.takesCommands === true ? 1 : 0),
  );
  gauge(
    'journal_lag_leaves',
    'Leaves appended and not yet on disk.',
    (health) => health.appendedJseq - health.durableJseq,
  );
  gauge(
    'integration_lag_leaves',
    'Leaves on disk and not yet in the log.',
    (health) => health.durableJseq - health.integratedJseq,
  );
  gauge(
    'checkpoint_age_seconds',
    'Age of the newest signed checkpoint.',
    (health) => health.checkpointAgeMs / 1_000,
  );
  gauge('disk_free_bytes', 'Free room where the record is.', (health) => health.freeBytes);
  gauge('disk_low', '1 while less than record.warnFree is free.', (health) =>
    health.isLow === true ? 1 : 0,
  );
  gauge('log_size_leaves', 'Leaves in the log.', (health) => health.treeSize);
}

function addTrafficMetrics(registry: Registry, sources: MetricSources): void {
  total(registry, 'commands_total', 'Commands admitted to the record.', () => sources.traffic().commands);
  total(
    registry,
    'client_bytes_total',
    'Bytes of commands, towards targets.',
    () => sources.traffic().bytesUp,
  );
  total(
    registry,
    'target_bytes_total',
    'Bytes of answers, towards clients.',
    () => sources.traffic().bytesDown,
  );
  total(
    registry,
    'cancels_total',
    'Cancel requests with a key that was given out.',
    () => sources.cancels().known,
  );
  total(
    registry,
    'cancels_unknown_total',
    'Cancel requests with any other key.',
    () => sources.cancels().unknown,
  );
  total(
    registry,
    'unrecorded_refusals_total',
    'Refusals while the record could take nothing.',
    () => sources.traffic().unrecordedRefusals,
  );
  const refusals = new Counter({
    name: 'countersign_refusals_total',
    help: 'Connections and commands refused, by error code.',
    labelNames: ['code'] as const,
    registers: [registry],
    collect: () => {
      refusals.reset();
      for (const [code, count] of sources.refusals()) refusals.inc({ code }, count);
    },
  });
}

/** A counter whose value is kept elsewhere. */
function total(registry: Registry, name: string, help: string, value: () => number): void {
  const counter = new Counter({
    name: `countersign_${name}`,
    help,
    registers: [registry],
    collect: () => {
      counter.reset();
      counter.inc(value());
    },
  });
}

function addPacingMetrics(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  const waits = new Counter({
    name: 'countersign_waits_total',
    help: 'How often a session was not read from because its principal had had its share, by reason.',
    labelNames: ['reason'] as const,
    registers,
    collect: () => {
      waits.reset();
      for (const [reason, count] of Object.entries(sources.pacing?.().counts ?? {})) {
        waits.inc({ reason }, count);
      }
    },
  });
  const waiting: Gauge = new Gauge({
    name: 'countersign_sessions_waiting',
    help: 'Sessions that are not read from now because their principal has had its share.',
    registers,
    collect: () => waiting.set(sources.pacing?.().waiting ?? 0),
  });
}

function addStateMetrics(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  const sessions: Gauge = new Gauge({
    name: 'countersign_sessions_open',
    help: 'Sessions on the record that have not ended.',
    registers,
    collect: () => sessions.set(sources.sessions()),
  });
  const connections = new Gauge({
    name: 'countersign_connections_open',
    help: 'Client connections, by whether they have authenticated.',
    labelNames: ['state'] as const,
    registers,
    collect: () => {
      const { open, pending } = sources.connections();
      connections.set({ state: 'pending' }, pending);
      connections.set({ state: 'established' }, open - pending);
    },
  });
  const ready: Gauge = new Gauge({
    name: 'countersign_ready',
    help: '1 while the gateway takes traffic.',
    registers,
    collect: () => ready.set(sources.notReady() === undefined ? 1 : 0),
  });
  new Gauge({
    name: 'countersign_build_info',
    help: 'Always 1; the version is a label.',
    labelNames: ['version'] as const,
    registers,
  }).set({ version: sources.version }, 1);
}
