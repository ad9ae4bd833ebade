/** Who reads contents: by signature, where the configuration names readers; else whoever reached the socket. */

import { verify, type KeyObject, sign } from 'node:crypto';

import { officerPublicKey } from 'countersign-verify';
import { z } from 'zod';

import type { CustodyConfig } from '../config/config.ts';
import { socketPeer } from './control-services.ts';

/** How far the clocks of reader and gateway may be apart. */
const FRESH_MS = 120_000;
const MAX_NONCES = 10_000;

/** A reader's word that it is they who want just this, now. */
export const readerSchema = z.strictObject({
  name: z.string().min(1).max(63),
  /** Wall clock, ms. */
  atMs: z.int().min(0),
  nonce: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  /** Ed25519, base64url. */
  signature: z.string().length(86),
});

export type ReaderClaim = z.infer<typeof readerSchema>;

export interface ReadRange {
  readonly origin: string;
  readonly journal: string;
  readonly from: number;
  readonly to: number;
}

/** What a reader signs. */
function readMessage(range: ReadRange, claim: Omit<ReaderClaim, 'signature'>): Buffer {
  const { from, journal, origin, to } = range;
  const lines = ['countersign log read v1', origin, journal, from, to, claim.name, claim.atMs, claim.nonce];
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}

/** The claim of a reader who holds the private key. */
export function signRead(
  range: ReadRange,
  claim: Omit<ReaderClaim, 'signature'>,
  privateKey: KeyObject,
): ReaderClaim {
  return {
    ...claim,
    signature: sign(undefined, readMessage(range, claim), privateKey).toString('base64url'),
  };
}

export interface Reader {
  /** As it goes on the record. */
  readonly reader: string;
  readonly evidence: 'socket' | 'signature';
  readonly key?: string;
  /** Why the reading is refused: a word. */
  readonly refusal?: string;
}

/** Remembers the nonces that were used: a claim is good once. */
export class Readers {
  readonly #nonces = new Map<string, number>();

  identify(range: ReadRange, claim: ReaderClaim | undefined, custody: CustodyConfig | undefined): Reader {
    const readers = custody?.readers ?? [];
    const socket = { reader: socketPeer(), evidence: 'socket' } as const;
    if (claim === undefined) return readers.length === 0 ? socket : { ...socket, refusal: 'unsigned' };
    const known = readers.find(({ name }) => name === claim.name);
    if (known === undefined) return { ...socket, refusal: 'unknown-reader' };
    const isValid = verify(
      undefined,
      readMessage(range, claim),
      officerPublicKey(known.key),
      Buffer.from(claim.signature, 'base64url'),
    );
    // Not signed: the name is only what somebody at the socket said.
    if (!isValid) return { ...socket, refusal: 'bad-signature' };
    const reader = { reader: known.name, evidence: 'signature', key: known.key } as const;
    if (Math.abs(Date.now() - claim.atMs) > FRESH_MS) return { ...reader, refusal: 'stale' };
    return this.#isNew(claim.nonce) ? reader : { ...reader, refusal: 'replayed' };
  }

  #isNew(nonce: string): boolean {
    const now = Date.now();
    for (const [old, atMs] of this.#nonces) {
      if (now - atMs <= 2 * FRESH_MS && this.#nonces.size <= MAX_NONCES) break;
      this.#nonces.delete(old);
    }
    if (this.#nonces.has(nonce)) return false;
    this.#nonces.set(nonce, now);
    return true;
  }
}
