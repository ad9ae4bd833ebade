/**
 * Has a checkpoint of the log stamped from time to time (RFC 3161), so that somebody else's clock says when it existed.
 *
 * The order: (1) the newest checkpoint is read, (2) stamped and the answer checked, (3) `timestamps/<size>.checkpoint` and
 * `timestamps/<size>.tsr` are durable, (4) `checkpoint.timestamped` is appended. A crash between (3) and (4) leaves two files
 * that no leaf names; they do no harm. Nothing waits for a time stamp: what fails is told and tried again.
 */

import { join } from 'node:path';
import {
  FormatError,
  parseCheckpoint,
  parseTimestampResponse,
  parseTimestampToken,
  sha256,
  timestampPaths,
} from 'countersign-verify';
import type { Checkpoint } from 'countersign-verify';
import { readWhole, realFileLayer, replaceFile } from '../journal/file-layer.ts';
import type { FileLayer } from '../journal/file-layer.ts';
import type { Recorder } from '../recorder.ts';
import { requestTimestamp } from './request-timestamp.ts';
import type { TimestampAuthority, TimestampFailure, TimestampOutcome } from './request-timestamp.ts';

export interface TimestampServiceOptions {
  readonly authority: TimestampAuthority;
  /** From one time stamp to the next. */
  readonly intervalMs: number;
  readonly logDirectory: string;
  readonly recorder: Pick<Recorder, 'append'>;
  /** Told of every attempt that came to something. */
  readonly onOutcome: (outcome: TimestampAttempt) => void;
  /** First wait after a failure; it doubles up to an hour. Default 60,000. */
  readonly retryMs?: number;
  /** Default: the disk. */
  readonly layer?: FileLayer;
}

export type TimestampAttempt =
  | { readonly kind: 'stamped'; readonly size: number; readonly timeUs: number }
  | { readonly kind: 'failed'; readonly reason: TimestampFailure | 'record'; readonly detail?: string };

export interface TimestampStatus {
  /** Of the newest time stamp, by the authority's clock; absent when there is none. */
  readonly newestUs?: number;
  readonly newestSize?: number;
  /** Attempts that failed since the newest that did not. */
  readonly failures: number;
}

const FIRST_RETRY_MS = 60_000;
const LONGEST_RETRY_MS = 3_600_000;
/** A new log has no checkpoint yet, or a restarted one has not grown: looked at again soon, and no failure. */
const NOTHING_NEW_MS = 1_000;

export class TimestampService {
  readonly #options: TimestampServiceOptions;
  readonly #layer: FileLayer;
  readonly #directory: string;
  #newest: { readonly timeUs: number; readonly size: number } | undefined;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  readonly #closing = new AbortController();

  /** Starts at once when the newest time stamp is older than the interval, else when it will be. */
  constructor(options: TimestampServiceOptions) {
    this.#options = options;
    this.#layer = options.layer ?? realFileLayer;
    this.#directory = join(options.logDirectory, 'timestamps');
    this.#newest = this.#findNewest();
    const age = Date.now() - (this.#newest?.timeUs ?? 0) / 1000;
    // An authority's clock ahead of ours must not postpone the next one by more than the interval.
    this.#schedule(Math.max(0, Math.min(options.intervalMs, options.intervalMs - age)));
  }

  get status(): TimestampStatus {
    const newest = this.#newest;
    return {
      ...(newest !== undefined && { newestUs: newest.timeUs, newestSize: newest.size }),
      failures: this.#failures,
    };
  }

  /** Ends an attempt that waits for the authority, and waits for one that is being recorded. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** The largest size that has a token which can be read; a damaged one is for the verifier to find. */
  #findNewest(): { readonly timeUs: number; readonly size: number } | undefined {
    const sizes = this.#layer
      .list(this.#directory)
      .flatMap((name) => /^(\d{1,15})\.tsr$/.exec(name)?.[1] ?? [])
      .map(Number)
      .toSorted((a, b) => b - a);
    for (const size of sizes) {
      const response = readWhole(this.#layer, join(this.#directory, `${size}.tsr`));
      try {
        const { token } = parseTimestampResponse(response ?? Buffer.alloc(0));
        if (token !== undefined) return { size, timeUs: parseTimestampToken(token).timeUs };
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }
    return undefined;
  }

  #schedule(ms: number): void {
    if (this.#closing.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#attempt();
    }, ms);
    this.#timer.unref();
  }

  /** Never rejects. */
  async #attempt(): Promise<void> {
    let outcome: TimestampAttempt | undefined;
    try {
      outcome = await this.#stamp();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      outcome = { kind: 'failed', reason: 'record', ...(code !== undefined && { detail: code }) };
    }
    if (outcome === undefined) {
      this.#schedule(NOTHING_NEW_MS);
    } else if (outcome.kind === 'stamped') {
      this.#failures = 0;
      this.#newest = { timeUs: outcome.timeUs, size: outcome.size };
      this.#options.onOutcome(outcome);
      this.#schedule(this.#options.intervalMs);
    } else {
      this.#failures++;
      if (this.#failures === 1) this.#raiseAlert();
      this.#options.onOutcome(outcome);
      const { intervalMs, retryMs = FIRST_RETRY_MS } = this.#options;
      const wait = Math.min(retryMs * 2 ** Math.min(this.#failures - 1, 20), LONGEST_RETRY_MS);
      this.#schedule(Math.min(wait, intervalMs));
    }
  }

  /** Undefined when there is nothing new to stamp. */
  async #stamp(): Promise<TimestampAttempt | undefined> {
    const text = readWhole(this.#layer, join(this.#options.logDirectory, 'checkpoint'));
    if (text === undefined) return undefined;
    const checkpoint = parseCheckpoint(text.toString('utf8'));
    const paths = timestampPaths(checkpoint.size);
    if (checkpoint.size === 0 || this.#layer.exists(join(this.#options.logDirectory, paths.response)))
      return undefined;
    const outcome = await requestTimestamp(this.#options.authority, text, {
      signal: this.#closing.signal,
    });
    if (this.#closing.signal.aborted) return undefined;
    if (outcome.kind === 'failed') return outcome;
    await this.#keep(text, checkpoint, outcome);
    return { kind: 'stamped', size: checkpoint.size, timeUs: outcome.token.timeUs };
  }

  async #keep(
    text: Buffer,
    { root, size }: Checkpoint,
    { response, token }: TimestampOutcome & { readonly kind: 'stamped' },
  ): Promise<void> {
    const { authority, logDirectory, recorder } = this.#options;
    const paths = timestampPaths(size);
    this.#layer.makeDirectory(this.#directory);
    replaceFile(this.#layer, join(logDirectory, paths.checkpoint), text);
    replaceFile(this.#layer, join(logDirectory, paths.response), response);
    this.#layer.syncDirectory(this.#directory);
    const event = {
      type: 'checkpoint.timestamped',
      size,
      root: root.toString('base64url'),
      authority: new URL(authority.url).hostname,
      timeUs: token.timeUs,
      token: sha256(response).toString('base64url'),
    } as const;
    await recorder.append(event, [], { control: true }).durable();
  }

  /** Once for all failures in a row. The record itself may be what fails; then there is nothing more to say in it. */
  #raiseAlert(): void {
    try {
      const appended = this.#options.recorder.append({ type: 'alert', code: 'timestamp-failed' }, [], {
        control: true,
      });
      void appended.durable().catch(() => {});
    } catch {
      // The recorder tells of its own state.
    }
  }
}
