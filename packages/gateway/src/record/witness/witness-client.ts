/**
 * One witness, asked for cosignatures: `add-checkpoint` of C2SP tlog-witness (https://c2sp.org/tlog-witness). What it
 * answers is believed as far as it is signed: a cosignature by its key, a contradiction only by our own.
 */

import {
  formatAddCheckpoint,
  formatSignatureLines,
  FormatError,
  parseCheckpoint,
  parseSignatureLines,
  parseTreeSize,
  parseVerifierKey,
  TREE_SIZE_CONTENT_TYPE,
  verifySignature,
  type NoteVerifier,
} from 'countersign-verify';
import { Exchange, ExchangeError, type Answer } from './exchange.ts';
import type { OwnCheckpoint, OwnLog } from './own-log.ts';

export interface WitnessTarget {
  readonly url: string;
  /** Prefix for reading back what it cosigned. */
  readonly monitoring: string;
  /** Verifier key, algorithm 0x04. */
  readonly key: string;
  readonly organisation: string;
  /** The operator's own: asked like any other, and never counted. Default false. */
  readonly isOwn?: boolean;
  /** PEM. */
  readonly ca?: string;
}

/** What contradicts our log: a checkpoint that our own key signed. */
export interface Evidence {
  readonly kind: 'log-rolled-back' | 'log-forked';
  readonly size: number;
  /** The checkpoint as the witness shows it. */
  readonly text: string;
}

export type SubmitOutcome =
  | {
      readonly kind: 'cosigned';
      /** Verified lines over the checkpoint that was submitted. */
      readonly lines: string;
      /** A smaller size than it cosigned before, if it named one: it lost its memory. */
      readonly forgot?: number;
    }
  /** It claims a tree that ours does not continue. Without evidence it may lie. */
  | { readonly kind: 'contradicted'; readonly claimed: number; readonly evidence?: Evidence }
  /** It understood and does not want to: 403, 404, 429, … */
  | { readonly kind: 'refused'; readonly status: number; readonly retryAfterMs?: number }
  /** No answer, or none that means anything. */
  | { readonly kind: 'failed'; readonly reason: string };

/** A witness that names another size each time is not asked for ever. */
const MAX_ATTEMPTS = 4;

export class WitnessClient {
  readonly name: string;
  readonly organisation: string;
  /** The operator's own: its cosignatures are kept and not counted. */
  readonly isOwn: boolean;
  /** Raw, hex. */
  readonly publicKey: string;
  readonly #target: WitnessTarget;
  readonly #verifier: NoteVerifier;
  readonly #log: OwnLog;
  readonly #exchange: Exchange;
  /** The largest size that it cosigned, as far as we know. */
  #lastSize: number;

  constructor(log: OwnLog, target: WitnessTarget, timeoutMs: number, lastSize = 0) {
    this.#log = log;
    this.#target = target;
    this.#verifier = parseVerifierKey(target.key);
    this.#exchange = new Exchange({ timeoutMs, ...(target.ca === undefined ? {} : { ca: target.ca }) });
    this.#lastSize = lastSize;
    this.name = this.#verifier.name;
    this.organisation = target.organisation;
    this.isOwn = target.isOwn ?? false;
    this.publicKey = this.#verifier.publicKey.toString('hex');
  }

  get lastSize(): number {
    return this.#lastSize;
  }

  /** It cosigned this size before, as a file of ours shows. */
  noteCosigned(size: number): void {
    this.#lastSize = Math.max(this.#lastSize, size);
  }

  /** Asks for a cosignature. Never rejects for what the witness does; one call at a time. */
  async submit(checkpoint: OwnCheckpoint): Promise<SubmitOutcome> {
    try {
      return await this.#submit(checkpoint);
    } catch (error) {
      if (error instanceof ExchangeError) return { kind: 'failed', reason: error.reason };
      if (error instanceof FormatError) return { kind: 'failed', reason: 'malformed' };
      throw error;
    }
  }

  /** What it shows as the newest checkpoint of ours that it cosigned, if that contradicts our log of `size` leaves. */
  async lookForEvidence(size: number): Promise<Evidence | undefined> {
    const url = `${this.#target.monitoring}/${this.#log.originHash}/checkpoint`;
    try {
      const { body, status } = await this.#exchange.get(url);
      return status === 200 ? await this.#judge(body, size) : undefined;
    } catch (error) {
      // Not offered, not answered or not a checkpoint: no evidence either way.
      if (error instanceof ExchangeError || error instanceof FormatError) return undefined;
      throw error;
    }
  }

  close(): void {
    this.#exchange.close();
  }

  async #submit(checkpoint: OwnCheckpoint): Promise<SubmitOutcome> {
    let oldSize = Math.min(this.#lastSize, checkpoint.size);
    let forgot: number | undefined;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const proof = await this.#log.proof(oldSize, checkpoint.size);
      const body = formatAddCheckpoint({ oldSize, proof, checkpoint: checkpoint.text });
      const answer = await this.#exchange.post(`${this.#target.url}/add-checkpoint`, body);
      if (answer.status === 200) return this.#takeCosignature(checkpoint, answer, forgot);
      if (answer.status === 422) return await this.#contradicted(oldSize, checkpoint.size);
      if (answer.status !== 409) return refusal(answer);
      const claimed = sizeIn(answer);
      // It has this very size, and another root.
      if (claimed === undefined || claimed === oldSize) {
        if (oldSize !== checkpoint.size) return { kind: 'failed', reason: 'malformed' };
        return await this.#contradicted(oldSize, checkpoint.size);
      }
      if (claimed > checkpoint.size) return await this.#contradicted(claimed, checkpoint.size);
      if (claimed < this.#lastSize) forgot = claimed;
      oldSize = claimed;
    }
    return { kind: 'failed', reason: 'no agreement on a size' };
  }

  #takeCosignature(checkpoint: OwnCheckpoint, answer: Answer, forgot: number | undefined): SubmitOutcome {
    const { body } = checkpoint.note;
    const lines = parseSignatureLines(answer.body).filter((line) =>
      verifySignature(body, line, this.#verifier),
    );
    if (lines.length === 0) return { kind: 'failed', reason: 'no valid cosignature' };
    this.#lastSize = checkpoint.size;
    const text = formatSignatureLines(lines);
    return forgot === undefined
      ? { kind: 'cosigned', lines: text }
      : { kind: 'cosigned', lines: text, forgot };
  }

  async #contradicted(claimed: number, size: number): Promise<SubmitOutcome> {
    const evidence = await this.lookForEvidence(size);
    return evidence === undefined
      ? { kind: 'contradicted', claimed }
      : { kind: 'contradicted', claimed, evidence };
  }

  async #judge(text: string, size: number): Promise<Evidence | undefined> {
    const shown = parseCheckpoint(text);
    if (!this.#log.isOwn(shown)) return undefined;
    if (shown.size > size) return { kind: 'log-rolled-back', size: shown.size, text };
    const root = await this.#log.rootAt(shown.size);
    return root.equals(shown.root) ? undefined : { kind: 'log-forked', size: shown.size, text };
  }
}

function sizeIn(answer: Answer): number | undefined {
  return answer.contentType === TREE_SIZE_CONTENT_TYPE ? parseTreeSize(answer.body) : undefined;
}

function refusal({ retryAfter, status }: Answer): SubmitOutcome {
  if (status >= 500 && retryAfter === undefined) return { kind: 'failed', reason: `HTTP ${status}` };
  return retryAfter === undefined
    ? { kind: 'refused', status }
    : { kind: 'refused', status, retryAfterMs: retryAfter * 1000 };
}
