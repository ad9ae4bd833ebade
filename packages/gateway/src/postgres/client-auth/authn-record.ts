import type { AuthnResult } from '../../record/events.ts';
import type { Commitment, Payload, Recorder } from '../../record/recorder.ts';

export interface AuthnAttempt {
  readonly address: string;
  /** As sent: caller-chosen, so only a commitment to it enters the leaf (decision 16). */
  readonly attempted: string;
  /** Name of a configured principal. */
  readonly principal?: string;
  readonly method: string;
  readonly reason?: string;
  readonly tokenId?: string;
}

export interface AuthnRecordOptions {
  readonly recorder: Recorder;
  /** Repeated failures of one source within it become one leaf. Default 10,000. */
  readonly windowMs?: number;
  /** Sources with a window of their own at a time; further ones share one. Default 1,000. */
  readonly maxSources?: number;
}

interface Window {
  readonly attempt: AuthnAttempt;
  count: number;
  firstAtUs: bigint;
  lastAtUs: bigint;
  readonly timer: NodeJS.Timeout;
}

const DEFAULT_WINDOW_MS = 10_000;
const DEFAULT_MAX_SOURCES = 1000;

/**
 * Puts `authn.result` leaves on record. The first failure of a source has a leaf of its own at once; those that follow from
 * the same source within the window become one aggregate when it ends (decision 20), so nobody can fill the record by
 * guessing passwords. A source is an address and a configured principal, or an address and all names that are not configured.
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

  /** Resolves when it is on disk; rejects with the record's error, and then the client must not be let in. */
  async accepted(attempt: AuthnAttempt): Promise<void> {
    const { event, payloads } = this.#leaf('accepted', attempt);
    await this.#recorder.append(event, payloads, { control: true }).durable();
  }

  /** Resolves when it is on disk, or counted into the window of its source. Rejects as `accepted` does. */
  async refused(attempt: AuthnAttempt): Promise<void> {
    const known = this.#windows.get(sourceOf(attempt)) ?? this.#overflow();
    if (known !== undefined) {
      known.lastAtUs = nowUs();
      if (known.count === 0) known.firstAtUs = known.lastAtUs;
      known.count++;
      return;
    }
    this.#open(sourceOf(attempt), attempt);
    const { event, payloads } = this.#leaf('refused', attempt);
    await this.#recorder.append(event, payloads, { control: true }).durable();
  }

  /** Writes the aggregates of all open windows. Call it before the recorder closes. */
  flush(): void {
    for (const source of this.#windows.keys()) this.#end(source);
  }

  #open(source: string, attempt: AuthnAttempt): void {
    const timer = setTimeout(() => this.#end(source), this.#windowMs);
    timer.unref();
    this.#windows.set(source, { attempt, count: 0, firstAtUs: 0n, lastAtUs: 0n, timer });
  }

  /** With too many sources at once their failures are counted together, under the address and name of the first. */
  #overflow(): Window | undefined {
    if (this.#windows.size < this.#maxSources) return undefined;
    return this.#windows.values().next().value;
  }

  #end(source: string): void {
    const window = this.#windows.get(source);
    if (window === undefined) return;
    clearTimeout(window.timer);
    this.#windows.delete(source);
    if (window.count === 0) return;
    const { event, payloads } = this.#leaf('refused', window.attempt);
    const { count, firstAtUs, lastAtUs } = window;
    try {
      this.#recorder.append({ ...event, count, firstAtUs, lastAtUs }, payloads, {
        urgency: 'ride',
        control: true,
      });
    } catch {
      // The record is not available: the failures had no effect, and the recorder alarms for itself.
    }
  }

  #leaf(outcome: 'accepted' | 'refused', attempt: AuthnAttempt): { event: AuthnResult; payloads: Payload[] } {
    const payloads: Payload[] = [];
    const commit = (field: string, text: string): string => {
      const commitment: Commitment = this.#recorder.commit(Buffer.from(text, 'utf8'));
      payloads.push({ field, commitment });
      return commitment.digest;
    };
    const { principal, method, reason, tokenId } = attempt;
    const event: AuthnResult = {
      type: 'authn.result',
      outcome,
      ...(principal === undefined ? { attempted: commit('attempted', attempt.attempted) } : { principal }),
      peer: commit('peer', attempt.address),
      method,
      ...(reason === undefined ? {} : { reason }),
      ...(tokenId === undefined ? {} : { token: tokenId }),
    };
    return { event, payloads };
  }
}

function sourceOf(attempt: AuthnAttempt): string {
  return `${attempt.address} ${attempt.principal ?? ''}`;
}

function nowUs(): bigint {
  return BigInt(Date.now()) * 1000n;
}
