/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
/** All exports in a thread of their own: reading, proving and encoding delay nobody. They run side by side. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

import { directorySource, parseVerifierKey } from 'countersign-verify';

import type { ExportConfig } from '../config/export-section.ts';
import { createSecrets } from '../config/secrets.ts';
import type { ExportReport, ExportRequest, ExportThreadOptions } from './export-protocol.ts';
import { Exporter } from './exporter.ts';
import { LogFollower } from './log-follower.ts';
import { createSink } from './sinks/create-sink.ts';

const CHECK_MS = 1_000;

interface Running {
  readonly identity: string;
  readonly exporter: Exporter;
  readonly ended: Promise<void>;
  /** Resolves when the record holds that the cursor was moved. */
  recorded: () => void;
}

const options = workerData as ExportThreadOptions;
const port = parentPort!;
const keys = options.keys.map((key) => parseVerifierKey(key));
const secrets = createSecrets();
const running = new Map<string, Running>();
const tell = (report: ExportReport): void => port.postMessage(report);

function start(config: ExportConfig): void {
  const { node, version, stateDirectory } = options;
  const exporter = new Exporter({
    config,
    stateDirectory,
    follower: new LogFollower(directorySource(join(stateDirectory, 'log')), keys),
    sink: createSink(config, { node, version, secrets }),
    version,
    onStatus: (status) => tell({ kind: 'status', status }),
    onMoved: (from, to) =>
      new Promise((resolve) => {
        one.recorded = resolve;
        tell({ kind: 'moved', name: config.name, from, to });
      }),
  });
  const one: Running = {
    identity: JSON.stringify(config),
    exporter,
    ended: Promise.resolve(),
    recorded: () => {},
  };
  running.set(config.name, Object.assign(one, { ended: exporter.run() }));
}

/** Ends what is gone or different, or has stopped by itself; begins what is new. Only one export writes a cursor. */
async function configure(exports: readonly ExportConfig[]): Promise<void> {
  for (const [name, { identity, exporter, ended }] of running) {
    const next = exports.find((config) => config.name === name);
    const isSame = next !== undefined && JSON.stringify(next) === identity;
    if (isSame && exporter.status.state !== 'stopped') continue;
    await exporter.stop();
    await ended;
    running.delete(name);
    if (next === undefined) tell({ kind: 'removed', name });
  }
  for (const config of exports) if (!running.has(config.name)) start(config);
}

async function close(graceMs: number): Promise<void> {
  const all = [...running.values()];
  for (const { exporter } of all) exporter.finish();
  await Promise.race([Promise.all(all.map(({ ended }) => ended)), sleep(graceMs)]);
  for (const { exporter } of all) await exporter.stop();
  await Promise.all(all.map(({ ended }) => ended));
  clearInterval(timer);
  port.close();
}

async function answer(request: ExportRequest): Promise<void> {
  if (request.kind === 'configure') await configure(request.exports);
  else if (request.kind === 'recorded') running.get(request.name)?.recorded();
  else await close(request.graceMs);
}

const timer = setInterval(() => {
  for (const { exporter } of running.values()) exporter.checkLag();
}, CHECK_MS);

/** One after another, but for `recorded`, which an export under way may be waiting for. */
let turn = Promise.resolve();
port.on('message', (request: ExportRequest) => {
  if (request.kind === 'recorded') void answer(request);
  else turn = turn.then(() => answer(request));
});
