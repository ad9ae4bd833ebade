/**
 * The file of spent probe budgets: `masking/probes` in the state directory. Keyed digests and numbers only, of periods that are not over: what has ended is
 * gone from it after a day at most. It stands beside the record and not in it, because digests of regulated values, even keyed ones, have no place in a log
 * that nobody can erase; the record has the counts.
 *
 * A line is the CRC-32C of the rest, a space, and an entry as JSON. Appending: (1) write, (2) sync, (3) only then commands go on. A crash leaves a torn last
 * line at most, of which nobody was told. Whatever goes wrong, the next writing makes a new file: (1) write `probes.tmp`, (2) sync it, (3) rename it,
 * (4) sync the directory. So no line ever follows one that may not be there.
 *
 * Nothing here blocks the data thread.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CountersignError } from '../errors.ts';
import type { BudgetPeriod, Spending } from '../masking/probe-budget.ts';
import {
  createAsyncFileLayer,
  syncUpTo,
  type AsyncFile,
  type AsyncFileLayer,
} from '../record/journal/async-file-layer.ts';
import { crc32c } from '../record/journal/crc32c.ts';
import type { FaultSpec } from '../record/journal/faulty-file-layer.ts';
import { recordError } from '../record/record-error.ts';

/** Values spent by one owner, of one class in one period. */
export interface ProbeEntry {
  readonly owner: string;
  readonly class: string;
  readonly period: BudgetPeriod;
  /** When the period began, as text that sorts. */
  readonly start: string;
  readonly digests: readonly string[];
}

export interface ProbeFileOptions {
  readonly stateDirectory: string;
  /** Longest wait of a command for it. */
  readonly timeoutMs: number;
  /** Everything that still counts, what is on its way to the disk included. */
  readonly live: () => readonly ProbeEntry[];
  /** Tests only. */
  readonly faults?: FaultSpec | undefined;
}

const DIRECTORY = 'masking';
const NAME = 'probes';
/** Beyond it the file is made anew, if half of it is of periods that are over. */
const COMPACT_BYTES = 4 * 1024 * 1024;
const DAY_MS = 86_400_000;

/** What one command waits for. */
class Pending implements Spending {
  readonly bytes: Buffer;
  readonly #timer: NodeJS.Timeout;
  #outcome: { readonly error?: Error } | undefined;
  #callbacks: ((error?: Error) => void)[] = [];

  constructor(bytes: Buffer, timeoutMs: number) {
    this.bytes = bytes;
    this.#timer = setTimeout(() => this.settle(new CountersignError('CS_RECORD_TIMEOUT')), timeoutMs);
  }

  get isDurable(): boolean {
    return this.#outcome !== undefined && this.#outcome.error === undefined;
  }

  onDurable(callback: (error?: Error) => void): void {
    if (this.#outcome === undefined) this.#callbacks.push(callback);
    else callback(this.#outcome.error);
  }

  /** The first outcome counts: who was told that it came too late was refused. */
  settle(error?: Error): void {
    if (this.#outcome !== undefined) return;
    clearTimeout(this.#timer);
    this.#outcome = error === undefined ? {} : { error };
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) callback(error);
  }
}

/**
 * Reads what is there. Throws `CS_RECORD_CORRUPT` when a line before the last is damaged, `CS_RECORD_FAILED` when it cannot be read.
 */
export async function readProbeFile(stateDirectory: string): Promise<readonly ProbeEntry[]> {
  const text = await readFile(join(stateDirectory, DIRECTORY, NAME), 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw recordError(error);
  });
  const lines = text.split('\n');
  const entries: ProbeEntry[] = [];
  for (const [index, line] of lines.entries()) {
    const entry = decodeLine(line);
    if (entry !== undefined) entries.push(entry);
    // The last is empty, or was torn by a crash before anybody was told of it.
    else if (index < lines.length - 1)
      throw new CountersignError('CS_RECORD_CORRUPT', { detail: `${DIRECTORY}/${NAME}: line ${index + 1}` });
  }
  return entries;
}

export class ProbeFile {
  readonly #options: ProbeFileOptions;
  readonly #layer: AsyncFileLayer;
  readonly #directory: string;
  #file: AsyncFile | undefined;
  #position = 0;
  #rewrittenAtMs = 0;
  /** Of the file as it was last made. */
  #rewrittenBytes = 0;
  #queue: Pending[] = [];
  #running: Promise<void> | undefined;

  constructor(options: ProbeFileOptions) {
    this.#options = options;
    this.#layer = createAsyncFileLayer(options.faults);
    this.#directory = join(options.stateDirectory, DIRECTORY);
  }

  /** Makes the file anew, without what is over. */
  async open(): Promise<void> {
    try {
      await this.#layer.makeDirectory(this.#directory);
      await syncUpTo(this.#layer, this.#options.stateDirectory, this.#directory);
      await this.#rewrite();
    } catch (error) {
      throw recordError(error);
    }
  }

  append(entries: readonly ProbeEntry[]): Spending {
    return this.#push(Buffer.from(entries.map(encodeLine).join('')));
  }

  /** What was spent before and may not be on disk yet; undefined: all of it is. */
  outstanding(): Spending | undefined {
    if (this.#file !== undefined && this.#queue.length === 0 && this.#running === undefined) return undefined;
    return this.#push(Buffer.alloc(0));
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#file?.close();
    this.#file = undefined;
  }

  #push(bytes: Buffer): Spending {
    const pending = new Pending(bytes, this.#options.timeoutMs);
    this.#queue.push(pending);
    this.#running ??= this.#run();
    return pending;
  }

  /** One writing for all that came while the one before was under way. Never rejects. */
  async #run(): Promise<void> {
    // All that is spent in this turn goes together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      const error = await this.#write(batch).then(
        () => undefined,
        (cause: unknown) => recordError(cause),
      );
      if (error !== undefined) await this.#abandon();
      for (const pending of batch) pending.settle(error);
    }
    this.#running = undefined;
  }

  async #write(batch: readonly Pending[]): Promise<void> {
    if (this.#file === undefined || this.#isDue()) {
      // It has what the batch has: that counts already.
      await this.#abandon();
      await this.#rewrite();
      return;
    }
    const bytes = Buffer.concat(batch.map((pending) => pending.bytes));
    if (bytes.length === 0) return;
    await this.#file.write(bytes, this.#position);
    await this.#file.sync();
    this.#position += bytes.length;
  }

  #isDue(): boolean {
    const isOld = Math.floor(Date.now() / DAY_MS) !== Math.floor(this.#rewrittenAtMs / DAY_MS);
    return isOld || this.#position > 2 * this.#rewrittenBytes + COMPACT_BYTES;
  }

  async #rewrite(): Promise<void> {
    const path = join(this.#directory, NAME);
    const temporary = `${path}.tmp`;
    const bytes = Buffer.from(this.#options.live().map(encodeLine).join(''));
    await this.#layer.remove(temporary);
    const file = await this.#layer.create(temporary);
    try {
      await file.write(bytes, 0);
      await file.sync();
      await this.#layer.rename(temporary, path);
      await this.#layer.syncDirectory(this.#directory);
    } catch (error) {
      await file.close().catch(() => {});
      throw error;
    }
    this.#file = file;
    this.#position = bytes.length;
    this.#rewrittenBytes = bytes.length;
    this.#rewrittenAtMs = Date.now();
  }

  /** Nothing is appended to a file of which it is not known how it ends. */
  async #abandon(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => {});
  }
}

function encodeLine(entry: ProbeEntry): string {
  const { owner, class: name, period, start, digests } = entry;
  const json = JSON.stringify([owner, name, period, start, digests]);
  return `${checksum(json)} ${json}\n`;
}

function checksum(json: string): string {
  return crc32c(Buffer.from(json)).toString(16).padStart(8, '0');
}

function decodeLine(line: string): ProbeEntry | undefined {
  const json = line.slice(9);
  if (line.length < 10 || line.slice(0, 9) !== `${checksum(json)} `) return undefined;
  const [owner, name, period, start, digests] = JSON.parse(json) as [
    string,
    string,
    BudgetPeriod,
    string,
    readonly string[],
  ];
  return { owner, class: name, period, start, digests };
}
