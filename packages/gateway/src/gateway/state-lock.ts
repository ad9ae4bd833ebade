import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { CountersignError } from '../errors.ts';

/** Holds a state directory for one gateway. */
export interface StateLock {
  release(): void;
}

/** What is said when another process holds the lock: `detail` goes before the directory. */
export interface TakenWords {
  readonly detail: string;
  readonly hint: string;
}

const BY_A_GATEWAY: TakenWords = {
  detail: 'another gateway works in',
  hint: 'Stop it first, or give this one a state directory of its own.',
};

/**
 * Two gateways that write one journal would destroy it, so a state directory belongs to one process at a time. Node has
 * no file locks of its own; SQLite takes one from the kernel, which gives it up whatever way the process ends. Nothing
 * is ever written to the file.
 *
 * Throws `CS_CONFIG_INVALID` when another process holds it (in the words of `taken`), or when the directory cannot be used.
 */
export function lockState(stateDirectory: string, taken: TakenWords = BY_A_GATEWAY): StateLock {
  const file = join(stateDirectory, 'lock');
  let database: DatabaseSync;
  try {
    mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
    database = new DatabaseSync(file, { timeout: 0 });
    chmodSync(file, 0o600);
  } catch (error) {
    throw new CountersignError('CS_CONFIG_INVALID', {
      detail: `the state directory cannot be used: ${stateDirectory} (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`,
      cause: error,
    });
  }
  try {
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw new CountersignError('CS_CONFIG_INVALID', {
      detail: `${taken.detail} ${stateDirectory}`,
      hint: taken.hint,
      cause: error,
    });
  }
  return { release: () => database.close() };
}
