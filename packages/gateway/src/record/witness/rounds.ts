/**
 * Who is asked when. All witnesses are asked for the same checkpoint, so that a quorum can come together on one; a newer
 * one is taken up when the quorum is there, or everyone has had his turn. One request at a time per witness; whoever
 * fails waits longer each time, with jitter, and is then asked for the newest.
 */

import { cosignatureTime, parseSignatureLines } from 'countersign-verify';
import type { OwnCheckpoint } from './own-log.ts';
import type { Evidence, SubmitOutcome, WitnessClient } from './witness-client.ts';

/** What one witness is up to. Plain data: it crosses threads. */
export interface WitnessState {
  readonly name: string;
  readonly organisation: string;
  /** The operator's own, which does not count. */
  readonly isOwn: boolean;
  /** Largest size that it is known to have cosigned; 0: none. */
  readonly size: number;
  readonly failures: number;
  /** Why the last request failed; undefined when it did not. A word, an errno or an HTTP status. */
  readonly trouble: string | undefined;
  /** It claims a tree that ours does not continue. */
  readonly isContradicting: boolean;
}

export type RoundEvent =
  /** One more cosignature. */
  | {
      readonly kind: 'cosigned';
      readonly checkpoint: string;
      readonly lines: string;
    }
  /** Enough organisations besides the operator cosigned one checkpoint. `lines` are all there are. */
  | {
      readonly kind: 'quorum';
      readonly checkpoint: string;
      readonly lines: string;
      readonly size: number;
      /** base64url. */
      readonly root: string;
      readonly witnesses: readonly string[];
      readonly organisations: number;
      /** Of the newest of them. */
      readonly timeUs: number;
    }
  | {
      readonly kind: 'contradicted';
      readonly witness: string;
      readonly claimed: number;
      readonly evidence?: Evidence;
    }
  /** A witness knows less than it has cosigned: its state was lost or put back. */
  | { readonly kind: 'forgot'; readonly witness: string; readonly size: number }
  | { readonly kind: 'states'; readonly states: readonly WitnessState[] };

export interface RoundsOptions {
  readonly clients: readonly WitnessClient[];
  /** Organisations besides the operator. */
  readonly quorum: number;
  /** The newest checkpoint of the log, read anew. */
  readonly newest: () => Promise<OwnCheckpoint | undefined>;
  readonly onEvent: (event: RoundEvent) => void;
  /** Size of the newest checkpoint that had its quorum already. */
  readonly quorumSize?: number;
  /** Least time between two rounds. Default 1,000: public witnesses count requests. */
  readonly spacingMs?: number;
  /** Least and longest time that a witness which failed is left alone. Default 1,000 and 60,000. */
  readonly backoffMs?: { readonly least: number; readonly most: number };
}

interface Round {
  readonly checkpoint: OwnCheckpoint;
  /** Lines by public key of the witness. */
  readonly lines: Map<string, string>;
  readonly asked: Set<WitnessClient>;
  isQuorate: boolean;
}

interface Turn {
  isBusy: boolean;
  failures: number;
  /** Failures in a row. */
  streak: number;
  /** Left alone until this timer fires. */
  rest: NodeJS.Timeout | undefined;
  trouble: string | undefined;
  isContradicting: boolean;
}

const BACKOFF = { least: 1000, most: 60_000 };
/** No answer changes quickly that a person must act upon. */
const REFUSED_FACTOR = 5;

export class CosigningRounds {
  readonly #options: RoundsOptions;
  readonly #turns: ReadonlyMap<WitnessClient, Turn>;
  #round: Round | undefined;
  #quorumSize: number;
  #startedAtMs = -Infinity;
  #isLooking = false;
  #lookAgain = false;
  #spacing: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: RoundsOptions) {
    this.#options = options;
    this.#quorumSize = options.quorumSize ?? 0;
    this.#turns = new Map(
      options.clients.map((client) => [
        client,
        {
          isBusy: false,
          failures: 0,
          streak: 0,
          rest: undefined,
          trouble: undefined,
          isContradicting: false,
        },
      ]),
    );
  }

  get states(): readonly WitnessState[] {
    return [...this.#turns].map(([client, turn]) => ({
      name: client.name,
      organisation: client.organisation,
      isOwn: client.isOwn,
      size: client.lastSize,
      failures: turn.failures,
      trouble: turn.trouble,
      isContradicting: turn.isContradicting,
    }));
  }

  /** There may be a new checkpoint. */
  poke(): void {
    if (this.#isClosed) return;
    if (this.#isLooking) this.#lookAgain = true;
    else void this.#look();
  }

  /** Nothing more is asked, and what is under way is not heard any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#spacing);
    for (const [client, turn] of this.#turns) {
      clearTimeout(turn.rest);
      client.close();
    }
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    do {
      this.#lookAgain = false;
      try {
        await this.#advance();
      } catch {
        // The checkpoint cannot be read just now; the next one pokes again.
      }
    } while (this.#lookAgain && !this.#isClosed);
    this.#isLooking = false;
  }

  async #advance(): Promise<void> {
    if (this.#round === undefined || this.#isOver(this.#round)) {
      const newest = await this.#options.newest();
      if (newest !== undefined && newest.size > 0 && newest.text !== this.#round?.checkpoint.text) {
        const waitMs = this.#startedAtMs + (this.#options.spacingMs ?? 1000) - performance.now();
        if (waitMs > 0) this.#pokeIn(waitMs);
        else this.#begin(newest);
      }
    }
    if (this.#round !== undefined) this.#ask(this.#round);
  }

  #pokeIn(ms: number): void {
    if (this.#spacing !== undefined || this.#isClosed) return;
    this.#spacing = setTimeout(() => {
      this.#spacing = undefined;
      this.poke();
    }, ms);
  }

  #begin(checkpoint: OwnCheckpoint): void {
    this.#startedAtMs = performance.now();
    this.#round = { checkpoint, lines: new Map(), asked: new Set(), isQuorate: false };
  }

  /** Nobody who could still answer is outstanding, or it has what it needs. */
  #isOver(round: Round): boolean {
    if (round.isQuorate) return true;
    return [...this.#turns].every(
      ([client, turn]) => turn.rest !== undefined || (round.asked.has(client) && !turn.isBusy),
    );
  }

  #ask(round: Round): void {
    for (const [client, turn] of this.#turns) {
      if (turn.isBusy || turn.rest !== undefined || round.asked.has(client)) continue;
      turn.isBusy = true;
      round.asked.add(client);
      client.submit(round.checkpoint).then(
        (outcome) => this.#onOutcome(round, client, turn, outcome),
        // Our own files could not be read: as good as no answer.
        () => this.#onOutcome(round, client, turn, { kind: 'failed', reason: 'own log' }),
      );
    }
  }

  #onOutcome(round: Round, client: WitnessClient, turn: Turn, outcome: SubmitOutcome): void {
    turn.isBusy = false;
    if (this.#isClosed) return;
    turn.isContradicting = outcome.kind === 'contradicted';
    if (outcome.kind === 'cosigned') {
      turn.streak = 0;
      turn.trouble = undefined;
      this.#takeLines(round, client, outcome.lines);
      if (outcome.forgot !== undefined)
        this.#options.onEvent({ kind: 'forgot', witness: client.name, size: outcome.forgot });
    } else {
      this.#fail(round, client, turn, outcome);
    }
    this.#options.onEvent({ kind: 'states', states: this.states });
    this.poke();
  }

  #fail(
    round: Round,
    client: WitnessClient,
    turn: Turn,
    outcome: Exclude<SubmitOutcome, { readonly kind: 'cosigned' }>,
  ): void {
    turn.failures++;
    turn.streak++;
    turn.trouble = troubleOf(outcome);
    if (outcome.kind === 'contradicted') {
      const { claimed, evidence } = outcome;
      const event = { kind: 'contradicted', witness: client.name, claimed } as const;
      this.#options.onEvent(evidence === undefined ? event : { ...event, evidence });
    }
    const { least, most } = this.#options.backoffMs ?? BACKOFF;
    const factor = outcome.kind === 'failed' ? 1 : REFUSED_FACTOR;
    const backoff = Math.min(most, least * factor * 2 ** Math.min(turn.streak - 1, 16));
    const asked = outcome.kind === 'refused' ? (outcome.retryAfterMs ?? 0) : 0;
    const restMs = Math.max(Math.min(asked, most), backoff * (0.5 + Math.random() / 2));
    turn.rest = setTimeout(() => {
      turn.rest = undefined;
      round.asked.delete(client);
      this.poke();
    }, restMs);
  }

  #takeLines(round: Round, client: WitnessClient, lines: string): void {
    const { text } = round.checkpoint;
    round.lines.set(client.publicKey, lines);
    const cosigners = this.#options.clients.filter(
      ({ isOwn, publicKey }) => !isOwn && round.lines.has(publicKey),
    );
    const organisations = new Set(cosigners.map(({ organisation }) => organisation)).size;
    if (organisations < this.#options.quorum || round.checkpoint.size < this.#quorumSize) {
      this.#options.onEvent({ kind: 'cosigned', checkpoint: text, lines });
      return;
    }
    round.isQuorate = true;
    this.#quorumSize = round.checkpoint.size;
    const all = [...round.lines.values()].join('');
    const seconds = parseSignatureLines(all).map((line) => cosignatureTime(line) ?? 0);
    this.#options.onEvent({
      kind: 'quorum',
      checkpoint: text,
      lines: all,
      size: round.checkpoint.size,
      root: round.checkpoint.root.toString('base64url'),
      witnesses: cosigners.map(({ name }) => name),
      organisations,
      timeUs: Math.max(...seconds) * 1_000_000,
    });
  }
}

function troubleOf(outcome: Exclude<SubmitOutcome, { readonly kind: 'cosigned' }>): string {
  if (outcome.kind === 'failed') return outcome.reason;
  return outcome.kind === 'refused' ? `HTTP ${outcome.status}` : 'contradicts';
}
