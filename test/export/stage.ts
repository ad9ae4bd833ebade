/** A record that grows, and exports of it, in one process. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  directorySource,
  hashLeaf,
  parseCheckpoint,
  parseVerifierKey,
  readCheckpoint,
} from 'countersign-verify';

import type {
  ExportConfig,
  FileExportConfig,
  HttpExportConfig,
  SyslogExportConfig,
} from '../../packages/gateway/src/config/export-section.ts';
import { createSecrets } from '../../packages/gateway/src/config/secrets.ts';
import type { ExportStatus } from '../../packages/gateway/src/export/export-status.ts';
import { Exporter } from '../../packages/gateway/src/export/exporter.ts';
import { LogFollower } from '../../packages/gateway/src/export/log-follower.ts';
import { createSink } from '../../packages/gateway/src/export/sinks/create-sink.ts';
import type { Sink } from '../../packages/gateway/src/export/sinks/sink.ts';
import type { OpenedRecorder } from '../../packages/gateway/src/record/open-recorder.ts';
import { RecordFixture, TestSession, until } from '../../packages/gateway/src/record/record-fixture.ts';
import type { ReceivedEvent } from './receivers.ts';

const BASE = { name: 'out', batch: 50, timeoutMs: 5_000, alertAfterMs: 3_600_000 };

export const fileExport = (path: string, more: Partial<FileExportConfig> = {}): FileExportConfig => ({
  ...BASE,
  kind: 'file',
  path,
  maxBytes: 1 << 26,
  keep: 0,
  ...more,
});

export const httpExport = (url: string, more: Partial<HttpExportConfig> = {}): HttpExportConfig => ({
  ...BASE,
  kind: 'http',
  url,
  headers: [],
  format: 'ndjson',
  gzip: false,
  tls: {},
  ...more,
});

export const syslogExport = (port: number, more: Partial<SyslogExportConfig> = {}): SyslogExportConfig => ({
  ...BASE,
  kind: 'syslog',
  host: '127.0.0.1',
  port,
  facility: 13,
  ...more,
});

export class ExportStage {
  readonly fixture = new RecordFixture();
  #recorder: OpenedRecorder | undefined;
  readonly #running: { readonly exporter: Exporter; readonly ended: Promise<void> }[] = [];

  get directory(): string {
    return this.fixture.directory;
  }

  get logDirectory(): string {
    return join(this.directory, 'log');
  }

  /** Runs a session with `calls` calls and resolves when a checkpoint covers all of it. */
  async grow(calls: number): Promise<void> {
    const recorder = (this.#recorder ??= await this.fixture.open());
    const session = new TestSession(recorder);
    for (let i = 0; i < calls; i++) {
      const intent = session.intent();
      await intent.durable();
      session.result(intent.id);
    }
    const { jseq } = session.close();
    await until(() => recorder.health().integratedJseq >= jseq);
  }

  async stopRecorder(): Promise<void> {
    await this.#recorder?.close('stopped');
    this.#recorder = undefined;
  }

  follower(): LogFollower {
    const key = readFileSync(join(this.logDirectory, 'log.vkey'), 'utf8').trim();
    return new LogFollower(directorySource(this.logDirectory), [parseVerifierKey(key)]);
  }

  start(config: ExportConfig, sink?: Sink): Exporter {
    const context = { node: 'node-1', version: '0.1.0', secrets: createSecrets() };
    const exporter = new Exporter({
      config,
      stateDirectory: this.directory,
      follower: this.follower(),
      sink: sink ?? createSink(config, context),
      version: '0.1.0',
      onStatus: () => {},
      onMoved: () => Promise.resolve(),
    });
    this.#running.push({ exporter, ended: exporter.run() });
    return exporter;
  }

  /** Delivers what is there, and ends. */
  async drain(config: ExportConfig, sink?: Sink): Promise<ExportStatus> {
    const exporter = this.start(config, sink);
    exporter.finish();
    await this.#running.at(-1)?.ended;
    await exporter.stop();
    return exporter.status;
  }

  async stopExports(): Promise<void> {
    for (const { exporter, ended } of this.#running.splice(0)) {
      await exporter.stop();
      await ended;
    }
  }

  async size(): Promise<number> {
    return (await readCheckpoint(directorySource(this.logDirectory))).size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopExports();
    await this.stopRecorder();
    this.fixture.remove();
  }
}

/** Every leaf of the log at least once, the first time in order, each as it stands in the log. */
export async function assertComplete(events: readonly ReceivedEvent[], logDirectory: string): Promise<void> {
  const text = readFileSync(join(logDirectory, 'checkpoint'), 'utf8');
  const { size, origin } = parseCheckpoint(text);
  const follower = new LogFollower(directorySource(logDirectory), []);
  await follower.refresh();
  const seen = new Map<number, ReceivedEvent>();
  for (const event of events) {
    const { index } = event.unmapped.countersign;
    const before = seen.get(index);
    if (before === undefined) {
      assert.equal(index, seen.size, 'an event came before the one that it follows');
      seen.set(index, event);
    } else {
      assert.equal(event.metadata.uid, before.metadata.uid);
      assert.equal(event.raw_data, before.raw_data);
    }
  }
  assert.equal(seen.size, size, 'leaves are missing');
  for (let next = 0; next < size;) {
    const leaves = await follower.read(next);
    for (const { index, bytes } of leaves) {
      const event = seen.get(index)!;
      assert.equal(event.raw_data, bytes.toString('utf8'));
      assert.equal(event.unmapped.countersign.origin, origin);
      assert.equal(event.unmapped.countersign.leaf_hash, hashLeaf(bytes).toString('base64'));
    }
    next += leaves.length;
  }
}

/** Events that came more than once, counted by how often they came too much. */
export function duplicatesOf(events: readonly ReceivedEvent[]): number {
  return events.length - new Set(events.map(({ metadata }) => metadata.uid)).size;
}
