import { randomBytes, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { periodOf, rawX25519PublicKey, x25519PrivateKey } from 'countersign-verify';
import type { Clock } from '../clock.ts';
import { readWhole, replaceFile, type FileLayer } from '../journal/file-layer.ts';

const FILE_NAME = /^gateway-[0-9]{4}-[0-9]{2}\.key$/;

/**
 * The gateway's own key to the vault: what is sealed during the current period can be read through the running gateway
 * (`log show`), and only that. Keys of other periods are removed when the recorder opens, so that they end with the
 * first start after the period.
 */
export class GatewayVaultKey {
  readonly privateKey: KeyObject;
  /** Raw, 32 bytes. */
  readonly publicKey: Buffer;

  private constructor(raw: Buffer) {
    this.privateKey = x25519PrivateKey(raw);
    this.publicKey = rawX25519PublicKey(this.privateKey);
  }

  /** Reads the key of this period, or makes it. `<vault>/gateway-YYYY-MM.key`, 32 bytes, 0600. */
  static open(layer: FileLayer, vaultDirectory: string, clock: Clock): GatewayVaultKey {
    const name = `gateway-${periodOf(clock.atUs())}.key`;
    const path = join(vaultDirectory, name);
    let raw = readWhole(layer, path);
    if (raw?.length !== 32) {
      raw = randomBytes(32);
      replaceFile(layer, path, raw);
      layer.syncDirectory(vaultDirectory);
    }
    for (const other of layer.list(vaultDirectory)) {
      if (FILE_NAME.test(other) && other !== name) layer.remove(join(vaultDirectory, other));
    }
    return new GatewayVaultKey(raw);
  }
}
