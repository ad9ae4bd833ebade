import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes a file that only its owner can reach (mode 0600), whole or not at all. With `replace` false an existing file
 * is left as it is: throws the system's `EEXIST`.
 */
export function writePrivateFile(file: string, content: string, replace: boolean): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (!replace) {
    writeAndSync(file, content);
    return;
  }
  const unfinished = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    writeAndSync(unfinished, content);
    renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
}

function writeAndSync(file: string, content: string): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A password that nobody has to remember: 144 random bits in 24 letters, digits, `-` and `_`. */
export function generatePassword(): string {
  return randomBytes(18).toString('base64url');
}
