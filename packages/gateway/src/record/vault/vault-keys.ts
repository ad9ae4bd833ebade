/**
 * To whom contents are sealed now, and what the gateway itself can open. On the data thread; the only owner of the gateway's
 * vault keys. It never waits for the disk there: when a month is over, the key of the next is made by the runtime's own threads,
 * and until it is durable contents are sealed under the month before.
 */

import type { KeyObject } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decodeWrappedKeyHeader, periodOf, rawX25519PublicKey } from 'countersign-verify';
import type { Clock } from '../clock.ts';
import type { FileLayer } from '../journal/file-layer.ts';
import { vaultKeyFingerprint } from '../keys.ts';
import { destroyOtherKeys, destroyFile, GatewayVaultKey, syncDirectory } from './gateway-key.ts';
import type { Sealing } from './sealing.ts';

export interface VaultKeysOptions {
  readonly layer: FileLayer;
  readonly vaultDirectory: string;
  readonly clock: Clock;
  readonly retentionClass: string;
  /** X25519 public key. */
  readonly custodian: KeyObject;
}

/** The record's part in it: each is durable before the promise resolves. */
export interface VaultKeyRecord {
  /** The gateway's key of a new period is in force; the one before is destroyed when this resolves. */
  rotated(key: string, period: string): Promise<void>;
}

const CHECK_MS = 1000;

export class VaultKeys {
  readonly #options: VaultKeysOptions;
  #gateway: GatewayVaultKey;
  #sealing: Sealing;
  #record: VaultKeyRecord | undefined;
  #checkedMs = -Infinity;
  #isWorking = false;
  /** Keys of earlier periods are on disk still. */
  #hasOld: boolean;

  private constructor(options: VaultKeysOptions, gateway: GatewayVaultKey) {
    this.#options = options;
    this.#gateway = gateway;
    this.#hasOld = GatewayVaultKey.hasOthers(options.layer, options.vaultDirectory, gateway.period);
    this.#sealing = this.#seal(rawX25519PublicKey(options.custodian));
  }

  /** Opens or makes the gateway's key of this period. Keys of other periods stay until the record has said so. */
  static open(options: VaultKeysOptions): VaultKeys {
    const period = periodOf(options.clock.atUs());
    return new VaultKeys(options, GatewayVaultKey.open(options.layer, options.vaultDirectory, period));
  }

  /** From here on the record can be written: what is due is done. */
  async attach(record: VaultKeyRecord): Promise<void> {
    this.#record = record;
    await this.#retire();
  }

  /** What is in force. Looks at the clock once a second; a clock that is set back changes nothing. */
  sealing(): Sealing {
    const now = this.#options.clock.nowMs();
    if (now - this.#checkedMs > CHECK_MS) {
      this.#checkedMs = now;
      const period = periodOf(this.#options.clock.atUs());
      if (this.#record !== undefined && !this.#isWorking) {
        if (period > this.#gateway.period) void this.#advance(period);
        else if (this.#hasOld) void this.#retire().catch(() => undefined);
      }
    }
    return this.#sealing;
  }

  /** The same as before, in a segment with another data key: the one in use is finished then. */
  renew(): void {
    this.#sealing = Object.freeze({ ...this.#sealing });
  }

  /** Opens data keys that are wrapped to the gateway. */
  get gatewayKey(): KeyObject {
    return this.#gateway.privateKey;
  }

  get period(): string {
    return this.#gateway.period;
  }

  /** base64url SHA-256 of the raw public key. */
  get gatewayFingerprint(): string {
    return vaultKeyFingerprint(this.#gateway.privateKey);
  }

  /** Data keys from now on are wrapped to this custodian. The caller has recorded it. */
  setCustodian(custodian: KeyObject): void {
    this.#sealing = this.#seal(rawX25519PublicKey(custodian));
  }

  /**
   * Takes the gateway's key of this period out of service: another one takes its place, and what was wrapped to it is removed,
   * so that whoever copied the key needs a copy of those files, too. The custodian's copies stay. The caller has recorded it.
   */
  async revokeGatewayKey(): Promise<string> {
    const { vaultDirectory } = this.#options;
    const { period } = this.#gateway;
    this.#gateway = await GatewayVaultKey.create(vaultDirectory, period);
    this.#sealing = this.#seal(this.#sealing.custodian);
    await removeGatewayCopies(vaultDirectory, this.#gateway.publicKey);
    return this.gatewayFingerprint;
  }

  async #advance(period: string): Promise<void> {
    this.#isWorking = true;
    try {
      this.#gateway = await GatewayVaultKey.create(this.#options.vaultDirectory, period);
      this.#hasOld = true;
      this.#sealing = this.#seal(this.#sealing.custodian);
      await this.#retire();
    } catch {
      // The disk or the record: the period before goes on, or the old key stays, and the next look tries again.
    } finally {
      this.#isWorking = false;
    }
  }

  /** Order: the record says that the old key is out of force, durably; then it is destroyed. */
  async #retire(): Promise<void> {
    await this.#record?.rotated(this.gatewayFingerprint, this.period);
    if (!this.#hasOld) return;
    const { vaultDirectory } = this.#options;
    try {
      await destroyOtherKeys(vaultDirectory, this.period, await readdir(vaultDirectory));
      this.#hasOld = false;
    } catch {
      // A disk that does not let go of a file is no reason to refuse traffic: the next look tries again.
    }
  }

  #seal(custodian: Uint8Array): Sealing {
    const { retentionClass } = this.#options;
    return Object.freeze({
      period: this.period,
      retentionClass,
      custodian,
      gateway: this.#gateway.publicKey,
    });
  }
}

/** Removes data keys that are wrapped to a key of the gateway other than `current`. */
async function removeGatewayCopies(vaultDirectory: string, current: Buffer): Promise<void> {
  const root = join(vaultDirectory, 'keys');
  const names = await readdir(root, { recursive: true }).catch((): string[] => []);
  const directories = new Set<string>();
  for (const name of names.filter((each) => each.endsWith('.gateway'))) {
    const path = join(root, name);
    const { recipient } = decodeWrappedKeyHeader(await readFile(path));
    if (recipient.equals(current)) continue;
    await destroyFile(path);
    directories.add(dirname(path));
  }
  for (const directory of directories) await syncDirectory(directory);
}
