import { randomBytes, timingSafeEqual } from 'node:crypto';
import { CountersignError } from '../../errors.ts';
import {
  clientKeyOf,
  clientProof,
  SCRAM_MAX_ITERATIONS,
  saltedPassword,
  serverKeyOf,
  serverSignature,
} from '../../identity/scram-verifier.ts';
import { isNonce, NONCE_BYTES, parseBase64, SCRAM, SCRAM_PLUS } from './scram-message.ts';

export interface ScramClientOptions {
  readonly password: string;
  /** tls-server-end-point data of the target's certificate; absent without TLS or when it has no hash to bind to. */
  readonly endPoint?: Uint8Array;
  /** What the target offers. */
  readonly mechanisms: readonly string[];
  /** Given only by tests. */
  readonly nonce?: string;
  /** Given only by tests: RFC 7677 has a user name, PostgreSQL's clients leave it empty. */
  readonly userName?: string;
}

/** Our side as a client of a target. Every method throws `CS_TARGET_AUTHN` for what does not follow the grammar. */
export class ScramClientExchange {
  readonly mechanism: string;
  readonly #password: string;
  readonly #gs2Header: string;
  readonly #endPoint: Uint8Array;
  readonly #nonce: string;
  readonly #clientFirstBare: string;
  #expectedSignature: Buffer | undefined;

  constructor(options: ScramClientOptions) {
    const canBind = options.endPoint !== undefined;
    const isPlus = canBind && options.mechanisms.includes(SCRAM_PLUS);
    if (!isPlus && !options.mechanisms.includes(SCRAM))
      throw refused('no authentication mechanism in common');
    this.mechanism = isPlus ? SCRAM_PLUS : SCRAM;
    this.#password = options.password;
    // "y" lets the target notice when somebody between us removed -PLUS from its offer.
    this.#gs2Header = isPlus ? 'p=tls-server-end-point,,' : canBind ? 'y,,' : 'n,,';
    this.#endPoint = isPlus ? (options.endPoint ?? new Uint8Array()) : new Uint8Array();
    this.#nonce = options.nonce ?? randomBytes(NONCE_BYTES).toString('base64');
    this.#clientFirstBare = `n=${options.userName ?? ''},r=${this.#nonce}`;
  }

  first(): string {
    return this.#gs2Header + this.#clientFirstBare;
  }

  async final(serverFirst: string): Promise<string> {
    const match = /^r=([^,]*),s=([^,]*),i=(\d{1,9})$/.exec(serverFirst);
    if (match === null) throw refused('malformed SCRAM message');
    const [, nonce = '', saltText = '', iterationsText = ''] = match;
    const salt = parseBase64(saltText);
    const iterations = Number.parseInt(iterationsText, 10);
    if (!isNonce(nonce) || !nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length) {
      throw refused('the SCRAM nonce is not ours');
    }
    if (salt === undefined || salt.length === 0 || iterations < 1) throw refused('malformed SCRAM message');
    if (iterations > SCRAM_MAX_ITERATIONS) throw refused('the SCRAM iteration count is above 1,000,000');
    const salted = await saltedPassword(this.#password, salt, iterations);
    const binding = Buffer.concat([Buffer.from(this.#gs2Header), this.#endPoint]).toString('base64');
    const withoutProof = `c=${binding},r=${nonce}`;
    const authMessage = `${this.#clientFirstBare},${serverFirst},${withoutProof}`;
    this.#expectedSignature = serverSignature(serverKeyOf(salted), authMessage);
    return `${withoutProof},p=${clientProof(clientKeyOf(salted), authMessage).toString('base64')}`;
  }

  /** Checks that the target knows the password too. Without this step an impostor could accept any proof. */
  verify(serverFinal: string): void {
    const match = /^v=([^,]*)$/.exec(serverFinal);
    const signature = parseBase64(match?.[1] ?? '!');
    const expected = this.#expectedSignature;
    if (
      expected === undefined ||
      signature?.length !== expected.length ||
      !timingSafeEqual(signature, expected)
    ) {
      throw refused('the target did not prove that it knows the password');
    }
  }
}

function refused(detail: string): CountersignError {
  return new CountersignError('CS_TARGET_AUTHN', { detail });
}
