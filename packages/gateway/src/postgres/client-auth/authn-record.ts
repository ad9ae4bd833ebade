import type { AuthnResult } from '../../record/events.ts';
import type { Appended, Commitment, Payload, Recorder } from '../../record/recorder.ts';
import { networkOf } from '../network.ts';

export interface AuthnAttempt {
  readonly address: string;
  /** As sent: caller-chosen, so only a commitment to it enters the leaf (decision 16). Absent: it sent none. */
  readonly attempted?: string;
  /** Name of a configured principal. */
  readonly principal?: string;
  readonly method: string;
  readonly reason?: string;
  readonly tokenId?: string;
}

export interface AuthnRecordOptions {
  readonly recorder: Recorder;
  /** Repeated failures of one source within it become one leaf. Doubles while they go on, up to 16 times. Default 10,000. */
  readonly windowMs?: number;
  /** Sources with a window of their own at a time; the failures of all others are counted together. Default 256. */
  readonly maxSources?: number;
}

interface Window {
  readonly attempt: AuthnAttempt;
  count: number;
  firstAtUs: bigint;
  lastAtUs: bigint;
  lengthMs: number;
  timer: NodeJS.Timeout;
}

const DEFAULT_WINDOW_MS = 10_000;
const DEFAULT_MAX_SOURCES = 256;
const LONGEST = 16;

/** For what no source has a window for. */
const OTHERS = 'others';
const MANY: AuthnAttempt = { address: 'many', method: 'none', reason: 'many-sources' };

/**
 * Puts `authn.result` leaves on record. The first failure of a source has a leaf of its own at once; those that follow from
 * the same source are counted, and become one aggregate when its window ends (decision 20), so nobody can fill the record by
 * guessing passwords. Every failure is in exactly one leaf. A source is a network, a configured principal (or all names that are not
 * configured) and a reason.
 */
export class AuthnRecord {
  readonly #recorder: Recorder;
  readonly #windowMs: number;
  readonly #maxSources: number;
  readonly #windows = new Map<string, Window>();

  constructor(options: AuthnRecordOptions) {
    this.#recorder = options.recorder;
    this.#windowMs = options.windowMs ?? DEFAULT_WINDOW_MS;
    this.#maxSources = options.maxSources ?? DEFAULT_MAX_SOURCES;
  }

  /** Sources with a window now. */
  get size(): number {
    return this.#windows.size;
  }

  /** Resolves when it is on disk; rejects with the record's error, and then the client must not be let in. */
  async accepted(attempt: AuthnAttempt): Promise<void> {
    const { event, payloads } = this.#leaf('accepted', attempt);
    await this.#recorder.append(event, payloads, { control: true }).durable();
  }

  /** Resolves when it is on disk, or counted into the window of its source. Rejects as `accepted` does. */
  async refused(attempt: AuthnAttempt): Promise<void> {
    await this.#refuse(attempt, 'sync')?.durable();
  }

  /** As `refused`, for refusals that nobody waits for. Never throws: what cannot be recorded had no effect either. */
  note(attempt: AuthnAttempt): void {
    try {
      this.#refuse(attempt, 'ride');
    } catch {
      // The recorder alarms for itself.
    }
  }

  /** Writes the aggregates of all open windows. Call it before the recorder closes. */
  flush(): void {
    for (const [source, window] of this.#windows) {
      clearTimeout(window.timer);
      this.#windows.delete(source);
      this.#write(window);
    }
  }

  #refuse(attempt: AuthnAttempt, urgency: 'sync' | 'ride'): Appended | undefined {
    const source = sourceOf(attempt);
    const known = this.#windows.get(source) ?? this.#others();
    if (known !== undefined) {
      known.lastAtUs = nowUs();
      if (known.count === 0) known.firstAtUs = known.lastAtUs;
      known.count++;
      return undefined;
    }
    this.#open(source, attempt);
    const { event, payloads } = this.#leaf('refused', attempt);
    return this.#recorder.append(event, payloads, { control: true, urgency });
  }

  #open(source: string, attempt: AuthnAttempt): Window {
    const window: Window = {
      attempt,
      count: 0,
      firstAtUs: 0n,
      lastAtUs: 0n,
      lengthMs: this.#windowMs,
      timer: this.#arm(source, this.#windowMs),
    };
    this.#windows.set(source, window);
    return window;
  }

  #arm(source: string, lengthMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#end(source), lengthMs).unref();
  }

  /** With too many sources at once the failures of the others are counted together, and only counted. */
  #others(): Window | undefined {
    if (this.#windows.size < this.#maxSources) return undefined;
    return this.#windows.get(OTHERS) ?? this.#open(OTHERS, MANY);
  }

  /** A window in which nothing came is over; else another one begins, twice as long. */
  #end(source: string): void {
    const window = this.#windows.get(source);
    if (window === undefined) return;
    const wasQuiet = window.count === 0;
    if (!wasQuiet && this.#write(window)) window.count = 0;
    if (wasQuiet) {
      this.#windows.delete(source);
      return;
    }
    window.lengthMs = Math.min(LONGEST * this.#windowMs, 2 * window.lengthMs);
    window.timer = this.#arm(source, window.lengthMs);
  }

  /** False when the record does not take it now. */
  #write({ attempt, count, firstAtUs, lastAtUs }: Window): boolean {
    if (count === 0) return true;
    const { event, payloads } = this.#leaf('refused', attempt);
    try {
      this.#recorder.append({ ...event, count, firstAtUs, lastAtUs }, payloads, {
        urgency: 'ride',
        control: true,
      });
      return true;
    } catch {
      // The record is not available: the failures had no effect, and the recorder alarms for itself.
      return false;
    }
  }

  #leaf(outcome: 'accepted' | 'refused', attempt: AuthnAttempt): { event: AuthnResult; payloads: Payload[] } {
    const payloads: Payload[] = [];
    const commit = (field: string, text: string): string => {
      const commitment: Commitment = this.#recorder.commit(Buffer.from(text, 'utf8'));
      payloads.push({ field, commitment });
      return commitment.digest;
    };
    const { principal, attempted, method, reason, tokenId } = attempt;
    const event: AuthnResult = {
      type: 'authn.result',
      outcome,
      ...(principal === undefined ? {} : { principal }),
      ...(principal === undefined && attempted !== undefined
        ? { attempted: commit('attempted', attempted) }
        : {}),
      peer: commit('peer', attempt.address),
      method,
      ...(reason === undefined ? {} : { reason }),
      ...(tokenId === undefined ? {} : { token: tokenId }),
    };
    return { event, payloads };
  }
}

function sourceOf(attempt: AuthnAttempt): string {
  return `${networkOf(attempt.address)} ${attempt.principal ?? ''} ${attempt.reason ?? ''}`;
}

function nowUs(): bigint {
  return BigInt(Date.now()) * 1000n;
}
