import { randomBytes, type KeyObject } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { rawX25519PublicKey, x25519PrivateKey } from 'countersign-verify';
import { readWhole, replaceFile, type FileLayer } from '../journal/file-layer.ts';

const FILE_NAME = /^gateway-[0-9]{4}-[0-9]{2}\.key$/;
const KEY_BYTES = 32;

/** `<vault>/gateway-YYYY-MM.key`: 32 bytes, 0600. */
function fileOf(vaultDirectory: string, period: string): string {
  return join(vaultDirectory, `gateway-${period}.key`);
}

/**
 * The gateway's own key to the vault: what is sealed during the current period can be read through the running gateway
 * (`log show`), and only that. Who holds it and the vault's files can open the period's contents, so it ends with the period.
 */
export class GatewayVaultKey {
  readonly privateKey: KeyObject;
  /** Raw, 32 bytes. */
  readonly publicKey: Buffer;
  readonly period: string;

  private constructor(raw: Buffer, period: string) {
    this.privateKey = x25519PrivateKey(raw);
    this.publicKey = rawX25519PublicKey(this.privateKey);
    this.period = period;
  }

  /** Reads the key of a period, or makes it. For the start: it waits for the disk. */
  static open(layer: FileLayer, vaultDirectory: string, period: string): GatewayVaultKey {
    const path = fileOf(vaultDirectory, period);
    let raw = readWhole(layer, path);
    if (raw?.length !== KEY_BYTES) {
      raw = randomBytes(KEY_BYTES);
      replaceFile(layer, path, raw);
      layer.syncDirectory(vaultDirectory);
    }
    return new GatewayVaultKey(raw, period);
  }

  /**
   * Makes a new key for a period, in place of one that is there, without waiting on this thread. Order: written aside and
   * synced, renamed, the name synced: a crash leaves the old key or the new one.
   */
  static async create(vaultDirectory: string, period: string): Promise<GatewayVaultKey> {
    const raw = randomBytes(KEY_BYTES);
    const path = fileOf(vaultDirectory, period);
    const unfinished = `${path}.${randomBytes(6).toString('hex')}`;
    try {
      const handle = await open(unfinished, 'wx', 0o600);
      try {
        await handle.writeFile(raw);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(unfinished, path);
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => undefined);
      throw error;
    }
    await syncDirectory(vaultDirectory);
    return new GatewayVaultKey(raw, period);
  }

  /** Whether keys of other periods lie there still: of a period that is over, or left by a crash. */
  static hasOthers(layer: FileLayer, vaultDirectory: string, period: string): boolean {
    const own = fileOf('', period);
    return layer.list(vaultDirectory).some((name) => FILE_NAME.test(name) && name !== own);
  }
}

/** Destroys the gateway's keys of other periods: overwritten, synced, removed, the names synced. May be repeated. */
export async function destroyOtherKeys(
  vaultDirectory: string,
  period: string,
  names: readonly string[],
): Promise<void> {
  const own = fileOf('', period);
  for (const name of names) {
    if (FILE_NAME.test(name) && name !== own) await destroyFile(join(vaultDirectory, name));
  }
  await syncDirectory(vaultDirectory);
}

/** Overwrites a small secret with zeros, syncs and removes it. Media that copy on write keep the old bytes until they are reused. */
export async function destroyFile(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r+');
    try {
      const { size } = await handle.stat();
      await handle.write(Buffer.alloc(size), 0, size, 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await rm(path, { force: true });
}

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
