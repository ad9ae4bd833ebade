import type { RoundEvent } from './rounds.ts';
import type { WitnessTarget } from './witness-client.ts';

/** What the thread that talks to witnesses works on. */
export interface WitnessThreadOptions {
  readonly logDirectory: string;
  readonly origin: string;
  /** Verifier keys of the log. */
  readonly keys: readonly string[];
  readonly witnesses: readonly WitnessTarget[];
  /** Organisations. */
  readonly quorum: number;
  readonly timeoutMs: number;
}

export type WitnessRequest = { readonly kind: 'poke' | 'close' };

/** `jseq` of a quorum: the last leaf that it covers. */
export type WitnessAnswer = RoundEvent & { readonly jseq?: number };
