/**
 * Which keys the record knows to be in force, so that a new one is announced once: `key.created` for the first of a purpose,
 * `key.rotated` for one that takes another's place. The file only spares repetition. Whoever changes it makes the next start
 * announce a key again, or as successor of a name that the record never had; neither hides a key.
 *
 * Order: the leaf is durable, then the file says so. A crash in between repeats the leaf.
 */

import { randomBytes } from 'node:crypto';
import { open, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { KeyEvent, KeyPurpose } from './events/keys.ts';
import { readWhole, type FileLayer } from './journal/file-layer.ts';
import type { Appended } from './recorder.ts';
import { syncDirectory } from './vault/gateway-key.ts';

export interface KeyAnnouncement {
  readonly purpose: Exclude<KeyPurpose, 'vault-data'>;
  readonly key: string;
  readonly period?: string;
  /** The key before it, for a register that does not know it any more. */
  readonly previous?: string;
}

type Append = (event: KeyEvent) => Appended;

/** Below the state directory. */
const FILE = 'keys/announced.json';

export class KeyRegister {
  readonly #file: string;
  readonly #origin: string;
  readonly #keys: Map<string, string>;
  #append: Append | undefined;
  #writing = Promise.resolve();

  /** What another log knows says nothing of this one. */
  constructor(layer: FileLayer, stateDirectory: string, origin: string) {
    this.#origin = origin;
    this.#file = join(stateDirectory, FILE);
    layer.makeDirectory(dirname(this.#file));
    this.#keys = parse(readWhole(layer, this.#file), origin);
  }

  attach(append: Append): void {
    this.#append = append;
  }

  /** The key of a purpose that the record knows, if any. */
  known(purpose: KeyAnnouncement['purpose']): string | undefined {
    return this.#keys.get(purpose);
  }

  /** Records the key unless it is known already. Resolves when that is durable. */
  async announce(announcement: KeyAnnouncement): Promise<void> {
    const { key, previous: claimed, purpose, ...more } = announcement;
    const previous = this.#keys.get(purpose) ?? claimed;
    if (previous === key) return;
    const event: KeyEvent =
      previous === undefined
        ? { type: 'key.created', purpose, key, ...more }
        : { type: 'key.rotated', purpose, key, previous, ...more };
    await this.#append!(event).durable();
    this.#keys.set(purpose, key);
    await this.#save();
  }

  /** A file that cannot be written costs a repeated leaf at the next start, and nothing else. */
  #save(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write()).catch(() => undefined);
    return this.#writing;
  }

  async #write(): Promise<void> {
    const unfinished = `${this.#file}.${randomBytes(6).toString('hex')}`;
    const handle = await open(unfinished, 'wx', 0o600);
    try {
      await handle.writeFile(
        `${JSON.stringify({ origin: this.#origin, keys: Object.fromEntries(this.#keys) })}\n`,
      );
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(unfinished, this.#file);
    await syncDirectory(dirname(this.#file));
  }
}

function parse(bytes: Buffer | undefined, origin: string): Map<string, string> {
  try {
    const value = JSON.parse(bytes?.toString('utf8') ?? '{}') as {
      readonly origin?: unknown;
      readonly keys?: Readonly<Record<string, unknown>>;
    };
    if (value.origin !== origin) return new Map();
    return new Map(
      Object.entries(value.keys ?? {}).filter(
        (entry): entry is [string, string] => typeof entry[1] === 'string',
      ),
    );
  } catch {
    return new Map();
  }
}
