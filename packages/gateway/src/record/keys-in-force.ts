/** The keys of a running gateway's record: announced, rotated and revoked, each time on the record first. */

import type { KeyObject } from 'node:crypto';
import { rawX25519PublicKey } from 'countersign-verify';
import type { KeyEvent, KeyPurpose } from './events/keys.ts';
import type { KeyRegister } from './key-register.ts';
import { vaultKeyFingerprint } from './keys.ts';
import type { Appended } from './recorder.ts';
import type { VaultKeys } from './vault/vault-keys.ts';

/** Why a key is taken out of service. */
export const REVOCATION_CAUSES = ['compromised', 'lost', 'retired'] as const;
export type RevocationCause = (typeof REVOCATION_CAUSES)[number];

/** Verifier keys of the log; `previous` while one takes the other's place. */
export interface SigningKeys {
  readonly key: string;
  readonly previous?: string;
}

export interface KeysInForceOptions {
  readonly register: KeyRegister;
  readonly vault: VaultKeys;
  /** Appends a control event. */
  readonly append: (event: KeyEvent) => Appended;
  readonly signing: SigningKeys;
  readonly custodian: KeyObject;
}

export class KeysInForce {
  readonly #options: KeysInForceOptions;
  #custodian: KeyObject;

  constructor(options: KeysInForceOptions) {
    this.#options = options;
    this.#custodian = options.custodian;
    options.register.attach(options.append);
  }

  /** After `software.started`: what this run begins with. What a crash left to be destroyed is destroyed. */
  async start(): Promise<void> {
    const { register, signing, vault } = this.#options;
    const announced = [
      register.announce({ purpose: 'log-signing', ...signing }),
      register.announce({ purpose: 'vault-custodian', key: vaultKeyFingerprint(this.#custodian) }),
      vault.attach({
        rotated: (key, period) => register.announce({ purpose: 'vault-gateway', key, period }),
      }),
    ];
    await Promise.all(announced);
  }

  /** The public fingerprint of the gateway's identity key, announced when it is not known yet. */
  announceIdentity(fingerprint: string): Promise<void> {
    return this.#options.register.announce({ purpose: 'identity', key: fingerprint });
  }

  /** Fingerprint of the custodian that new data keys are wrapped to. */
  get custodian(): string {
    return vaultKeyFingerprint(this.#custodian);
  }

  /**
   * Another custodian from now on: recorded, then the next group commit begins a segment whose data key is wrapped to them.
   * Data keys that exist stay wrapped to the custodian before (`countersign key rewrap`). Nothing happens for the same key.
   */
  async changeCustodian(custodian: KeyObject): Promise<void> {
    if (rawX25519PublicKey(custodian).equals(rawX25519PublicKey(this.#custodian))) return;
    const key = vaultKeyFingerprint(custodian);
    await this.#options.register.announce({ purpose: 'vault-custodian', key });
    this.#custodian = custodian;
    this.#options.vault.setCustodian(custodian);
  }

  /** Takes the gateway's vault key of this period out of service at once. Gives the fingerprints of both. */
  async revokeVaultKey(cause: RevocationCause): Promise<{ readonly revoked: string; readonly key: string }> {
    const { register, vault } = this.#options;
    const revoked = vault.gatewayFingerprint;
    await this.revoked('vault-gateway', revoked, cause);
    const key = await vault.revokeGatewayKey();
    await register.announce({ purpose: 'vault-gateway', key, period: vault.period });
    return { revoked, key };
  }

  /** Puts a revocation on the record. */
  async revoked(purpose: KeyPurpose, key: string, cause: RevocationCause): Promise<void> {
    await this.#options.append({ type: 'key.revoked', purpose, key, cause }).durable();
  }

  /** Puts any other event of a key on the record. */
  async record(event: KeyEvent): Promise<void> {
    await this.#options.append(event).durable();
  }
}
