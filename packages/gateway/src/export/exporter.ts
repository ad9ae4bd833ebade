import { setTimeout as sleep } from 'node:timers/promises';

import type { Frontier } from 'countersign-verify';

import type { ExportConfig } from '../config/export-section.ts';
import { isCountersignError } from '../errors.ts';
import { readCursor, writeCursor, type Cursor } from './cursor.ts';
import type { ExportStatus } from './export-status.ts';
import { LogReplacedError, type LogFollower } from './log-follower.ts';
import { eventOf } from './ocsf/map-leaf.ts';
import type { ProvenLeaf } from './proven-leaf.ts';
import { SessionMemory } from './session-memory.ts';
import { SinkError, type OutgoingEvent, type Sink } from './sinks/sink.ts';

/** How often a log that has nothing new is looked at. */
const POLL_MS = 250;
/** Bodies beyond this wait for the next delivery, whatever `batch` says: it bounds memory. */
const MAX_BATCH_BYTES = 4 * 1_048_576;
const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 30_000;

export interface ExporterOptions {
  readonly config: ExportConfig;
  readonly stateDirectory: string;
  readonly follower: LogFollower;
  readonly sink: Sink;
  readonly version: string;
  /** Called on each change. */
  readonly onStatus: (status: ExportStatus) => void;
  /** Resolves when the record has taken note that an operator moved the cursor. */
  readonly onMoved: (from: number, to: number) => Promise<void>;
}

/** Leaves that are delivered together, made into events once: what is sent again is the same to the byte. */
interface Batch {
  readonly leaves: readonly ProvenLeaf[];
  readonly events: readonly OutgoingEvent[];
}

/** Something that trying again does not mend. */
class Stopped extends Error {}

/**
 * Takes one export through the log: read and prove, map, deliver, and only then move the durable cursor. So a crash at any
 * point repeats at most one batch and loses nothing.
 *
 * Holds one batch in memory at most; a receiver that is slow or away only makes the lag grow.
 */
export class Exporter {
  readonly #options: ExporterOptions;
  readonly #stop = new AbortController();
  #memory = new SessionMemory();
  /** Right edge of the tree of the leaves that were delivered. */
  #frontier: Frontier | undefined;
  #state: ExportStatus['state'] = 'starting';
  #reason: string | undefined;
  #failures = 0;
  #isStalled = false;
  /** Wall clock of the oldest leaf that is not delivered, µs; undefined when all are. */
  #oldestAtUs: number | undefined;
  #caughtUpOnce = false;
  #isLastRound = false;
  #progressAtMs = performance.now();

  constructor(options: ExporterOptions) {
    this.#options = options;
  }

  get status(): ExportStatus {
    const delivered = this.#frontier?.size ?? 0;
    const treeSize = this.#treeSize;
    const lagSeconds =
      this.#oldestAtUs === undefined ? 0 : Math.max(0, Date.now() - this.#oldestAtUs / 1_000) / 1_000;
    return {
      name: this.#options.config.name,
      kind: this.#options.config.kind,
      state: this.#state,
      delivered,
      treeSize,
      lagLeaves: Math.max(0, treeSize - delivered),
      lagSeconds,
      failures: this.#failures,
      isStalled: this.#isStalled,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
    };
  }

  /**
   * Runs until `stop`, or, after `finish`, until everything is delivered. Never rejects: what went wrong is in `status`.
   */
  async run(): Promise<void> {
    const { signal } = this.#stop;
    for (let attempt = 0; !signal.aborted;) {
      try {
        await this.#resume();
        const isMore = await this.#step();
        attempt = 0;
        this.#succeed();
        if (isMore) continue;
        if (this.#isLastRound) return;
        await sleep(POLL_MS, undefined, { signal });
      } catch (error) {
        if (signal.aborted) return;
        await this.#measure();
        if (!this.#fail(error)) return;
        const asked = error instanceof SinkError ? error.retryAfterMs : undefined;
        await sleep(asked ?? backoff(attempt++), undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Lets `run` end as soon as nothing is left to deliver. */
  finish(): void {
    this.#isLastRound = true;
  }

  /** Cuts short whatever is under way: it is delivered again by the next start. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#options.sink.close();
  }

  /** To be called from time to time: says when an export has lagged for too long. */
  checkLag(): void {
    const { config } = this.#options;
    const limit = config.alertAfterMs;
    const { lagLeaves, lagSeconds } = this.status;
    const isIdle =
      performance.now() - this.#progressAtMs > limit && (lagLeaves > 0 || this.#state === 'retrying');
    // An export that was just configured on an old log is behind, not stalled.
    const isBehind = this.#caughtUpOnce && lagSeconds * 1_000 > limit;
    const isStalled = this.#state === 'stopped' || isIdle || isBehind;
    // Once it was said, half of the limit must be won back before it can be said again.
    const isOver = this.#state !== 'stopped' && !isIdle && lagSeconds * 1_000 < limit / 2;
    if (isStalled) this.#isStalled = true;
    else if (isOver) this.#isStalled = false;
    this.#options.onStatus(this.status);
  }

  get #treeSize(): number {
    try {
      return this.#options.follower.head.size;
    } catch {
      return 0;
    }
  }

  /** Takes up the cursor, once. */
  async #resume(): Promise<void> {
    if (this.#frontier !== undefined) return;
    const { config, follower, stateDirectory } = this.#options;
    const head = await follower.refresh();
    const cursor = readCursor(stateDirectory, config.name);
    if (cursor !== undefined && cursor.origin !== head.origin) {
      throw new LogReplacedError('the cursor belongs to another log');
    }
    // The newest checkpoint may be younger than the disk: after a power failure the recorder makes it again.
    if (cursor !== undefined && cursor.size > head.size)
      throw new Error('the log is shorter than the cursor');
    const frontier =
      cursor === undefined ? await follower.frontierAt(0) : await follower.resume(cursor.size, cursor.root);
    this.#memory =
      cursor === undefined || cursor.memory !== undefined
        ? new SessionMemory(cursor?.memory)
        : await rebuildMemory(follower, cursor.size);
    if (cursor?.moved !== undefined) {
      await this.#options.onMoved(cursor.moved.from, cursor.moved.to);
      const { moved: _moved, ...rest } = cursor;
      writeCursor(stateDirectory, rest);
    }
    this.#frontier = frontier;
  }

  /** One batch. Gives whether there may be more at once. */
  async #step(): Promise<boolean> {
    const { follower, config } = this.#options;
    const frontier = this.#frontier!;
    const batch = await this.#nextBatch(frontier.size);
    if (batch === undefined) {
      this.#oldestAtUs = undefined;
      const { size } = await follower.refresh();
      if (size > frontier.size) return true;
      this.#caughtUpOnce = true;
      this.#progressAtMs = performance.now();
      return false;
    }
    this.#oldestAtUs = batch.leaves[0]!.leaf.at;
    this.#options.onStatus(this.status);
    await this.#deliver(batch.events);
    for (const { leafHash } of batch.leaves) frontier.append(leafHash);
    const cursor: Cursor = {
      name: config.name,
      origin: follower.head.origin,
      size: frontier.size,
      root: frontier.root(),
      atUs: Date.now() * 1_000,
      memory: this.#memory.state,
    };
    writeCursor(this.#options.stateDirectory, cursor);
    this.#pending = undefined;
    this.#progressAtMs = performance.now();
    return true;
  }

  /** What was read and has not been delivered; made once, because it moves the memory forward. */
  #pending: Batch | undefined;

  async #nextBatch(from: number): Promise<Batch | undefined> {
    if (this.#pending !== undefined) return this.#pending;
    const { follower, config, version } = this.#options;
    const leaves: ProvenLeaf[] = [];
    for (let next = from, bytes = 0; leaves.length < config.batch && bytes < MAX_BATCH_BYTES;) {
      const read = (await follower.read(next)).slice(0, config.batch - leaves.length);
      if (read.length === 0) break;
      for (const proven of read) {
        if (leaves.length > 0 && bytes + proven.bytes.length > MAX_BATCH_BYTES) {
          bytes = MAX_BATCH_BYTES;
          break;
        }
        leaves.push(proven);
        bytes += proven.bytes.length;
        next++;
      }
    }
    if (leaves.length === 0) return undefined;
    const nowUs = Date.now() * 1_000;
    const events = leaves.map((proven): OutgoingEvent => {
      const event = eventOf(proven, this.#memory, follower, { version, nowUs });
      return {
        index: proven.index,
        json: Buffer.from(JSON.stringify(event)),
        atUs: proven.leaf.at,
        type: proven.leaf.type,
        severityId: event['severity_id'] as number,
      };
    });
    this.#pending = { leaves, events };
    return this.#pending;
  }

  /** A batch that is refused is halved until the one event is found that the receiver does not take. */
  async #deliver(events: readonly OutgoingEvent[]): Promise<void> {
    try {
      await this.#options.sink.deliver(events, this.#stop.signal);
    } catch (error) {
      if (!(error instanceof SinkError) || error.failure !== 'refused') throw error;
      if (events.length === 1) {
        throw new Stopped(`leaf ${events[0]!.index} is refused: ${error.message}`, { cause: error });
      }
      const middle = Math.ceil(events.length / 2);
      await this.#deliver(events.slice(0, middle));
      await this.#deliver(events.slice(middle));
    }
  }

  #succeed(): void {
    const isNews = this.#state !== 'running';
    this.#state = 'running';
    this.#reason = undefined;
    if (isNews) this.#options.onStatus(this.status);
  }

  /** While nothing is delivered, the log grows: how far, is part of what is reported. */
  async #measure(): Promise<void> {
    try {
      await this.#options.follower.refresh();
    } catch {
      // The reading that follows meets the same, and says so.
    }
  }

  /** Gives whether it is worth trying again. */
  #fail(error: unknown): boolean {
    this.#failures += 1;
    this.#reason = reasonOf(error);
    const isFinal = error instanceof Stopped || isCountersignError(error, 'CS_RECORD_CORRUPT');
    this.#state = isFinal ? 'stopped' : 'retrying';
    this.checkLag();
    return !isFinal;
  }
}

/** Full jitter over an exponential: exports that failed together do not come back together. */
function backoff(attempt: number): number {
  const ceiling = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt, 20));
  return ceiling / 2 + (Math.random() * ceiling) / 2;
}

function reasonOf(error: unknown): string {
  if (isCountersignError(error)) return error.detail ?? error.message;
  if (error instanceof SinkError || error instanceof Stopped) return error.message;
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  return `the log or the cursor cannot be used (${typeof code === 'string' ? code : String(name)})`;
}

/** The memory after the first `size` leaves, read from the log. */
export async function rebuildMemory(follower: LogFollower, size: number): Promise<SessionMemory> {
  const memory = new SessionMemory();
  for (let next = 0; next < size;) {
    const leaves = await follower.read(next);
    if (leaves.length === 0) break;
    for (const { leaf, bytes } of leaves.slice(0, size - next)) {
      memory.learn(leaf, bytes);
      memory.forget(leaf);
    }
    next += leaves.length;
  }
  return memory;
}
