import { hkdfSync, randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
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
}

const KEY_BYTES = 32;

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
    const secret = (await readKey(file)) ?? (await createKey(file));
    return { token: derive(secret, 'token'), mock: derive(secret, 'mock'), cancel: derive(secret, 'cancel') };
  } catch (cause) {
    if (cause instanceof CountersignError) throw cause;
    throw new CountersignError('CS_SECRET_UNAVAILABLE', {
      detail: 'keys/identity.key in the state directory',
      cause,
    });
  }
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
  const handle = await open(unfinished, 'wx', 0o600);
  try {
    await handle.writeFile(secret);
    await handle.sync();
  } finally {
    await handle.close();
  }
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

function derive(secret: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `countersign ${purpose} v1`, KEY_BYTES));
}
