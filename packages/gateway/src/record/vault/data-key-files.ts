import { dirname, join } from 'node:path';
import { wrapDataKey, wrappedKeyPath, x25519PublicKey, type VaultScope } from 'countersign-verify';
import type { FileLayer } from '../journal/file-layer.ts';

/** Raw X25519 public keys of who can open a data key. */
export interface KeyRecipients {
  readonly custodian: Uint8Array;
  readonly gateway: Uint8Array;
}

export interface WrappedKeyFile {
  readonly path: string;
  readonly wrapped: Buffer;
}

/** What to write, and where, before a data key may be used. */
export function wrappedKeyFiles(
  vaultDirectory: string,
  scope: VaultScope & { readonly keyId: Buffer },
  dataKey: Uint8Array,
  recipients: KeyRecipients,
): WrappedKeyFile[] {
  return (['custodian', 'gateway'] as const).map((recipient) => ({
    path: join(vaultDirectory, wrappedKeyPath(scope, scope.keyId, recipient)),
    wrapped: wrapDataKey(scope, dataKey, x25519PublicKey(recipients[recipient])),
  }));
}

/**
 * Wraps a data key to both recipients and makes the files durable; only then may anything be sealed with it. Each file is (1) written
 * aside and synced, (2) read back, since a key that is not there is noticed too late by whoever needs it, (3) renamed: under the name
 * of a key there is a whole one. What a failed attempt leaves has another name, and nobody reads it.
 */
export function writeDataKey(
  layer: FileLayer,
  vaultDirectory: string,
  scope: VaultScope & { readonly keyId: Buffer },
  dataKey: Uint8Array,
  recipients: KeyRecipients,
): void {
  let directory = '';
  for (const { path, wrapped } of wrappedKeyFiles(vaultDirectory, scope, dataKey, recipients)) {
    directory = dirname(path);
    layer.makeDirectory(directory);
    writeAside(layer, `${path}.tmp`, wrapped);
    layer.rename(`${path}.tmp`, path);
  }
  layer.syncDirectory(directory);
}

/** @throws Error with code `EIO` when the file does not hold what was written. */
function writeAside(layer: FileLayer, path: string, bytes: Buffer): void {
  const handle = layer.open(path, 'create');
  try {
    layer.write(handle, bytes, bytes.length, 0);
    layer.sync(handle);
    const present = Buffer.alloc(bytes.length + 1);
    const length = layer.read(handle, present, present.length, 0);
    if (!present.subarray(0, length).equals(bytes))
      throw Object.assign(new Error('a wrapped data key is not what was written'), { code: 'EIO' });
  } finally {
    layer.close(handle);
  }
}
