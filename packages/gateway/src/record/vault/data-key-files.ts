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

/** Wraps a data key to both recipients and makes the files durable; only then may anything be sealed with it. */
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
    const handle = layer.open(path, 'create');
    try {
      layer.write(handle, wrapped, wrapped.length, 0);
      layer.sync(handle);
    } finally {
      layer.close(handle);
    }
  }
  layer.syncDirectory(directory);
}
