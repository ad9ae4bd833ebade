import { formatVerifierKey } from 'countersign-verify';

import type { CountersignConfig, Secrets } from '../config/config.ts';
import type { ExportReport } from '../export/export-protocol.ts';
import type { ExportStatus } from '../export/export-status.ts';
import { ExportThread } from '../export/export-thread.ts';
import { errorFields } from '../observe/logger.ts';
import type { Logger } from '../observe/logger.ts';
import type { ExportAlert } from '../record/events/export.ts';
import { parseSigningKey } from '../record/keys.ts';
import type { Recorder } from '../record/recorder.ts';
import { readRecordKeys } from './record-keys.ts';

/** How long a gateway that stops waits for receivers. What is left is delivered after the next start. */
const CLOSE_GRACE_MS = 2_000;
/** A thread that died is started again after so long. */
const RESTART_MS = 5_000;

export interface ExportingParts {
  readonly config: CountersignConfig;
  readonly secrets: Secrets;
  readonly recorder: Recorder;
  readonly logger: Logger;
  readonly version: string;
}

/**
 * The exports of a running gateway: starts their thread when there is one to run, keeps what it reports for metrics and
 * status, and puts on the record when an export stalls or was moved.
 */
export class Exporting {
  readonly #parts: ExportingParts;
  readonly #keys: readonly string[];
  readonly #statuses = new Map<string, ExportStatus>();
  #config: CountersignConfig;
  #thread: ExportThread | undefined;
  #isClosed = false;
  #restart: NodeJS.Timeout | undefined;

  private constructor(parts: ExportingParts, keys: readonly string[]) {
    this.#parts = parts;
    this.#config = parts.config;
    this.#keys = keys;
    this.#configure();
  }

  /** Throws what `readRecordKeys` throws. */
  static async start(parts: ExportingParts): Promise<Exporting> {
    const { signingKey, previousKey } = await readRecordKeys(parts.config, parts.secrets);
    const { origin } = parts.config.log;
    const keys = [signingKey, previousKey].flatMap((key) =>
      key === undefined ? [] : [formatVerifierKey(parseSigningKey(key, origin))],
    );
    return new Exporting(parts, keys);
  }

  /** Of every export that is configured, by name. */
  get statuses(): readonly ExportStatus[] {
    return this.#config.exports.flatMap(({ name }) => this.#statuses.get(name) ?? []);
  }

  /** Takes a new configuration: ends, begins and, those that had stopped, tries exports again. */
  reload(config: CountersignConfig): void {
    this.#config = config;
    this.#configure();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#restart);
    await this.#thread?.close(CLOSE_GRACE_MS);
    this.#thread = undefined;
  }

  #configure(): void {
    if (this.#isClosed || (this.#thread === undefined && this.#config.exports.length === 0)) return;
    const { config, version } = this.#parts;
    this.#thread ??= new ExportThread(
      { stateDirectory: config.stateDirectory, node: config.node, version, keys: this.#keys },
      { onReport: (report) => this.#take(report), onDeath: (error) => this.#onDeath(error) },
    );
    this.#thread.configure(this.#config.exports);
  }

  #take(report: ExportReport): void {
    const { logger } = this.#parts;
    if (report.kind === 'removed') {
      this.#statuses.delete(report.name);
      logger.info('export removed', { path: report.name });
    } else if (report.kind === 'moved') {
      void this.#recordMove(report.name, report.from, report.to);
    } else {
      const before = this.#statuses.get(report.status.name);
      this.#statuses.set(report.status.name, report.status);
      this.#compare(before, report.status);
    }
  }

  #compare(before: ExportStatus | undefined, now: ExportStatus): void {
    const { logger } = this.#parts;
    const fields = {
      path: now.name,
      count: now.lagLeaves,
      ...(now.reason === undefined ? {} : { reason: now.reason }),
    };
    if (now.state !== before?.state) {
      if (now.state === 'running') logger.info('export running', fields);
      else if (now.state !== 'starting') logger.warn(`export ${now.state}`, fields);
    }
    if (now.isStalled && before?.isStalled !== true) {
      logger.error('export stalled', fields);
      this.#alert({ type: 'alert', code: 'export-stalled', export: now.name, lag: now.lagLeaves });
    } else if (!now.isStalled && before?.isStalled === true) {
      logger.info('export caught up', fields);
    }
  }

  /** An operator's decision that leaves are skipped or repeated belongs on the record before it takes effect. */
  async #recordMove(name: string, from: number, to: number): Promise<void> {
    const { logger, recorder } = this.#parts;
    logger.warn('export moved', { path: name, count: to - from });
    try {
      await recorder
        .append({ type: 'alert', code: 'export-moved', export: name, from, to }, [], { control: true })
        .durable();
      this.#thread?.recorded(name);
    } catch (error) {
      // Unanswered, the export waits; the next start asks again.
      logger.error('an export was moved, and that could not be recorded', errorFields(error));
    }
  }

  #alert(event: ExportAlert): void {
    const { logger, recorder } = this.#parts;
    if (this.#isClosed) return;
    try {
      recorder.append(event, [], { control: true });
    } catch (error) {
      logger.error('an alert could not be recorded', errorFields(error));
    }
  }

  #onDeath(error: Error): void {
    this.#parts.logger.error('the thread of the exports has died', errorFields(error));
    this.#thread = undefined;
    if (this.#isClosed) return;
    this.#restart = setTimeout(() => this.#configure(), RESTART_MS);
    this.#restart.unref();
  }
}
