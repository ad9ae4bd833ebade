import { createHmac, hash, hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CountersignError } from '../errors.ts';

/** Keys that prove who somebody is to this node. Each has one purpose; all come from one secret in the state directory. */
export interface IdentityKeys {
  /** MAC of short-lived tokens. */
  readonly token: Buffer;
  /** Makes the salt that an unknown user is shown: the same at every try, so that it does not tell. */
  readonly mock: Buffer;
  /** MAC of cancel keys (decision 23). */
  readonly cancel: Buffer;
  /** Names the secret on record; nobody finds the secret from it. base64url. */
  readonly fingerprint: string;
}

const KEY_BYTES = 32;
/** A secret that is to take the place of the one in force: from when it is whole until it has its name. */
const NEXT = 'identity.key.next';

/**
 * Reads `keys/identity.key` (32 random bytes, mode 0600) under the state directory, or makes it on first use.
 * Order when it is made: write and sync a file of another name, link it to its own name, so a crash leaves either no
 * key or a whole one, and of two processes one wins. Throws `CS_SECRET_UNAVAILABLE` when it cannot be read, has another
 * length, or is readable by others.
 */
export async function loadIdentityKeys(stateDirectory: string): Promise<IdentityKeys> {
  const directory = join(stateDirectory, 'keys');
  const file = join(directory, 'identity.key');
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await finishRenewal(directory, file);
    return keysFrom((await readKey(file)) ?? (await createKey(file)));
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause;
    throw new CountersignError('CS_SECRET_UNAVAILABLE', {
      detail: 'keys/identity.key in the state directory',
      cause,
    });
  }
}

function keysFrom(secret: Buffer): IdentityKeys {
  const fingerprint = createHmac('sha256', secret).update('countersign identity fingerprint v1').digest();
  return {
    token: derive(secret, 'token'),
    mock: derive(secret, 'mock'),
    cancel: derive(secret, 'cancel'),
    fingerprint: hash('sha256', fingerprint, 'base64url'),
  };
}

/**
 * The keys of a running gateway, which may get another secret. Tokens of the secret before are refused from then on; sessions go
 * on, and so do their cancel keys, which the gateway holds itself.
 */
export class IdentityKeyRing implements IdentityKeys {
  readonly #stateDirectory: string;
  #keys: IdentityKeys;
  /** Stays: keys that were given out with it lie in the registry, and it forges none of them. */
  readonly cancel: Buffer;

  private constructor(stateDirectory: string, keys: IdentityKeys) {
    this.#stateDirectory = stateDirectory;
    this.#keys = keys;
    this.cancel = keys.cancel;
  }

  /** Throws as {@link loadIdentityKeys} does. */
  static async load(stateDirectory: string): Promise<IdentityKeyRing> {
    return new IdentityKeyRing(stateDirectory, await loadIdentityKeys(stateDirectory));
  }

  get token(): Buffer {
    return this.#keys.token;
  }

  get mock(): Buffer {
    return this.#keys.mock;
  }

  get fingerprint(): string {
    return this.#keys.fingerprint;
  }

  /**
   * Another secret takes the place of the one in force. Order: (1) it is durable under another name, (2) `record` has put it on
   * record, (3) it gets its name, durably, (4) it is in force. A crash after (1) lets the next start go on with the new one: a
   * secret that was to go does not come back.
   */
  async renew(record: (fingerprint: string) => Promise<void>): Promise<void> {
    const directory = join(this.#stateDirectory, 'keys');
    const secret = randomBytes(KEY_BYTES);
    await writeSynced(join(directory, NEXT), secret);
    await syncNames(directory);
    const keys = keysFrom(secret);
    try {
      await record(keys.fingerprint);
    } catch (error) {
      await unlink(join(directory, NEXT)).catch(() => undefined);
      throw error;
    }
    await rename(join(directory, NEXT), join(directory, 'identity.key'));
    await syncNames(directory);
    this.#keys = keys;
  }
}

/** A crash came while another secret was taking over. One that is not whole never was in force. */
async function finishRenewal(directory: string, file: string): Promise<void> {
  const next = join(directory, NEXT);
  const bytes = await readFile(next).catch(() => undefined);
  if (bytes === undefined) return;
  if (bytes.length === KEY_BYTES) await rename(next, file);
  else await unlink(next);
  await syncNames(directory);
}

async function readKey(file: string): Promise<Buffer | undefined> {
  let secret: Buffer;
  try {
    secret = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (secret.length !== KEY_BYTES) {
    throw new CountersignError('CS_SECRET_UNAVAILABLE', {
      detail: 'keys/identity.key does not have 32 bytes',
    });
  }
  if (((await stat(file)).mode & 0o077) !== 0) {
    throw new CountersignError('CS_SECRET_UNAVAILABLE', {
      detail: 'keys/identity.key may be read or written by others',
      hint: 'Set its mode to 0600.',
    });
  }
  return secret;
}

async function createKey(file: string): Promise<Buffer> {
  const secret = randomBytes(KEY_BYTES);
  const unfinished = `${file}.${randomBytes(6).toString('hex')}`;
  await writeSynced(unfinished, secret);
  try {
    await link(unfinished, file);
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const other = await readKey(file);
    if (other === undefined) throw error;
    return other;
  } finally {
    await unlink(unfinished);
  }
}

async function writeSynced(file: string, secret: Buffer): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(secret);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncNames(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function derive(secret: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `countersign ${purpose} v1`, KEY_BYTES));
}
