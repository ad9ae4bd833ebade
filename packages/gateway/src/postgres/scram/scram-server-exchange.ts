import { randomBytes, timingSafeEqual } from 'node:crypto';
import { CountersignError } from '../../errors.ts';
import {
  claimedClientKey,
  SCRAM_KEY_BYTES,
  type ScramVerifier,
  serverSignature,
  sha256,
} from '../../identity/scram-verifier.ts';
import { isNonce, NONCE_BYTES, parseBase64, SCRAM_PLUS } from './scram-message.ts';

export interface ScramServerOptions {
  readonly mechanism: string;
  readonly verifier: ScramVerifier;
  /** True for a user that does not exist: every step looks the same, the outcome is always a refusal. */
  readonly isMock: boolean;
  /** tls-server-end-point data of our certificate; present when we offered -PLUS. */
  readonly endPoint?: Uint8Array;
  /** Given only by tests. */
  readonly nonce?: string;
}

/**
 * Our side of one SCRAM-SHA-256(-PLUS) exchange (RFC 5802 section 7), with PostgreSQL's choices: the user name inside is
 * ignored (the start-up packet names the user), an authorisation identity and extensions are refused.
 * Both steps throw `CS_PROTOCOL_VIOLATION` for what does not follow the grammar.
 */
export class ScramServerExchange {
  readonly #options: ScramServerOptions;
  #gs2Header = '';
  #nonce = '';
  #clientFirstBare = '';
  #serverFirst = '';

  constructor(options: ScramServerOptions) {
    this.#options = options;
  }

  /** client-first-message → server-first-message. */
  first(message: string): string {
    const match = /^((n|y|p=([A-Za-z0-9.-]+)),([^,]*),)(.*)$/s.exec(message);
    if (match === null) throw malformed();
    const [, gs2Header = '', flag = '', bindingName, authorisation = '', bare = ''] = match;
    if (authorisation !== '') throw malformed();
    this.#checkBindingFlag(flag, bindingName);
    const attributes = /^n=([^,]*),r=([^,]*)(,.*)?$/s.exec(bare);
    if (attributes === null) throw malformed();
    const [, , clientNonce = '', extensions] = attributes;
    if (!isNonce(clientNonce)) throw malformed();
    // Optional extensions may follow and are ignored; mandatory ones (`m=` first) already failed to match.
    void extensions;
    const { verifier } = this.#options;
    this.#gs2Header = gs2Header;
    this.#clientFirstBare = bare;
    this.#nonce = clientNonce + (this.#options.nonce ?? randomBytes(NONCE_BYTES).toString('base64'));
    this.#serverFirst = `r=${this.#nonce},s=${verifier.salt.toString('base64')},i=${verifier.iterations}`;
    return this.#serverFirst;
  }

  /** client-final-message → server-final-message, or undefined when the proof is wrong. */
  final(message: string): string | undefined {
    const match = /^(c=([^,]*),r=([^,]*)(?:,[^,]*)*?),p=([^,]*)$/s.exec(message);
    if (match === null) throw malformed();
    const [, withoutProof = '', binding = '', nonce = '', proofText = ''] = match;
    const proof = parseBase64(proofText);
    if (proof?.length !== SCRAM_KEY_BYTES) throw malformed();
    if (nonce !== this.#nonce) throw malformed();
    if (binding !== this.#expectedBinding()) throw malformed('channel binding does not match');
    const { verifier, isMock } = this.#options;
    const authMessage = `${this.#clientFirstBare},${this.#serverFirst},${withoutProof}`;
    const claimed = claimedClientKey(proof, verifier.storedKey, authMessage);
    const isRight = timingSafeEqual(sha256(claimed), verifier.storedKey);
    const signature = serverSignature(verifier.serverKey, authMessage);
    return isRight && !isMock ? `v=${signature.toString('base64')}` : undefined;
  }

  #checkBindingFlag(flag: string, bindingName: string | undefined): void {
    const isPlus = this.#options.mechanism === SCRAM_PLUS;
    if (isPlus !== flag.startsWith('p')) throw malformed();
    if (isPlus && bindingName !== 'tls-server-end-point')
      throw malformed('only tls-server-end-point is offered');
    // "y": the client could bind but believes that we cannot. When we did offer it, somebody took the offer away.
    if (flag === 'y' && this.#options.endPoint !== undefined) throw malformed('channel binding was stripped');
  }

  #expectedBinding(): string {
    const data =
      this.#options.mechanism === SCRAM_PLUS
        ? (this.#options.endPoint ?? new Uint8Array())
        : new Uint8Array();
    return Buffer.concat([Buffer.from(this.#gs2Header), data]).toString('base64');
  }
}

function malformed(detail = 'malformed SCRAM message'): CountersignError {
  return new CountersignError('CS_PROTOCOL_VIOLATION', { detail });
}
