import { join } from 'node:path';

import { FormatError } from 'countersign-verify';

import type { KeyDeskAnswer, KeyRequest, KeyService } from '../api/keys.ts';
import type { CountersignConfig, Secrets } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import type { IdentityKeyRing } from '../identity/identity-keys.ts';
import type { KeysInForce } from '../record/keys-in-force.ts';
import { parseVaultPublicKey } from '../record/keys.ts';
import {
  applyImport,
  groupDigest,
  listKeys,
  planImport,
  readArchive,
  writeArchive,
} from '../record/vault/key-archive.ts';
import { readCustodianKey } from './record-keys.ts';

export interface KeyDeskParts {
  readonly config: () => CountersignConfig;
  readonly secrets: Secrets;
  readonly keys: () => KeysInForce;
  readonly identity: IdentityKeyRing;
}

/** What can be done with the keys of a running gateway. Each act is on the record before it has an effect; one after another. */
export class KeyDesk implements KeyService {
  readonly #parts: KeyDeskParts;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: KeyDeskParts) {
    this.#parts = parts;
  }

  handle(request: KeyRequest): Promise<KeyDeskAnswer> {
    const turn = this.#turn.then(() => this.#handle(request));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #handle(request: KeyRequest): Promise<KeyDeskAnswer> {
    switch (request.act) {
      case 'rotate':
        return this.#renewIdentity();
      case 'revoke':
        return this.#revoke(request);
      case 'archive':
        return withFormatErrors(() => this.#archive(request));
      default:
        return withFormatErrors(() => this.#import(request));
    }
  }

  async #renewIdentity(): Promise<KeyDeskAnswer> {
    const { identity } = this.#parts;
    const keys = this.#parts.keys();
    await identity.renew((fingerprint) => keys.announceIdentity(fingerprint));
    return { key: identity.fingerprint };
  }

  /** A key of the gateway itself is replaced at once; of others the record says so, and their owner acts. */
  async #revoke({ cause, key, purpose }: KeyRequest & { readonly act: 'revoke' }): Promise<KeyDeskAnswer> {
    const { identity } = this.#parts;
    const keys = this.#parts.keys();
    if (purpose === 'vault-gateway' && key === undefined) return keys.revokeVaultKey(cause);
    if (purpose === 'identity' && key === undefined) {
      const revoked = identity.fingerprint;
      await keys.revoked('identity', revoked, cause);
      return { revoked, ...(await this.#renewIdentity()) };
    }
    if (key === undefined) {
      throw new CountersignError('CS_REQUEST_INVALID', {
        detail: 'which key is revoked must be said',
        hint: 'countersign key list shows them.',
      });
    }
    await keys.revoked(purpose, key, cause);
    return { revoked: key };
  }

  async #archive(request: KeyRequest & { readonly act: 'archive' }): Promise<KeyDeskAnswer> {
    const groups = await listKeys(this.#vaultDirectory, request);
    for (const group of groups) {
      await this.#parts.keys().record({
        type: 'key.archived',
        purpose: 'vault-data',
        key: group.custodian,
        class: group.retentionClass,
        period: group.period,
        count: group.files.length,
        archive: groupDigest(group),
      });
    }
    await writeArchive(request.directory, groups);
    return { count: groups.reduce((count, { files }) => count + files.length, 0) };
  }

  async #import({ directory }: KeyRequest & { readonly act: 'import' }): Promise<KeyDeskAnswer> {
    const { config, secrets } = this.#parts;
    const keys = this.#parts.keys();
    const custodian = parseVaultPublicKey(await readCustodianKey(config(), secrets));
    const imports = await planImport(this.#vaultDirectory, await readArchive(directory), custodian);
    for (const one of imports) {
      await keys.record({
        type: 'key.rotated',
        purpose: 'vault-data',
        key: one.group.custodian,
        previous: one.previous,
        class: one.group.retentionClass,
        period: one.group.period,
        count: one.group.files.length,
      });
      await applyImport(this.#vaultDirectory, one);
    }
    return { count: imports.reduce((count, { group }) => count + group.files.length, 0) };
  }

  get #vaultDirectory(): string {
    return join(this.#parts.config().stateDirectory, 'vault');
  }
}

/** What an archive lacks, and files that cannot be read or written, are for the caller. */
async function withFormatErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FormatError)
      throw new CountersignError('CS_REQUEST_INVALID', { detail: error.message, cause: error });
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof CountersignError || code === undefined) throw error;
    throw new CountersignError('CS_REQUEST_INVALID', {
      detail: `the archive cannot be read or written (${code})`,
      cause: error,
    });
  }
}
