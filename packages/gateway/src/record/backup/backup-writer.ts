import { hash } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory } from '../vault/gateway-key.ts';
import type { BackupFile, BackupManifest } from './manifest.ts';

/** An earlier backup, whose files are linked instead of copied where they are the same. */
export interface EarlierBackup {
  readonly directory: string;
  readonly manifest: BackupManifest;
}

/** Puts files into a backup: new ones written and synced, unchanged ones linked to the earlier backup. */
export class BackupWriter {
  readonly files: BackupFile[] = [];
  linked = 0;
  readonly #directory: string;
  readonly #earlier: EarlierBackup | undefined;
  readonly #known: ReadonlyMap<string, BackupFile>;
  readonly #directories = new Set<string>();
  readonly #paths = new Set<string>();

  constructor(directory: string, earlier: EarlierBackup | undefined) {
    this.#directory = directory;
    this.#earlier = earlier;
    this.#known = new Map(earlier?.manifest.files.map((file) => [file.path, file]));
  }

  /** Takes over a file that never changes once it is there. False when the earlier backup does not have it. */
  async keep(path: string): Promise<boolean> {
    const known = this.#known.get(path);
    if (known === undefined || !(await this.#link(path))) return false;
    this.#paths.add(path);
    this.files.push(known);
    return true;
  }

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  async put(path: string, bytes: Buffer): Promise<void> {
    this.#paths.add(path);
    const sha256 = hash('sha256', bytes, 'hex');
    this.files.push({ path, bytes: bytes.length, sha256 });
    if (this.#known.get(path)?.sha256 === sha256 && (await this.#link(path))) return;
    const file = await this.#place(path);
    const handle = await open(file, 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /** Makes every name durable. */
  async sync(): Promise<void> {
    for (const directory of this.#directories) await syncDirectory(directory);
  }

  async #place(path: string): Promise<string> {
    const file = join(this.#directory, path);
    for (let directory = dirname(file); !this.#directories.has(directory); directory = dirname(directory)) {
      this.#directories.add(directory);
      if (directory === this.#directory) break;
    }
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    return file;
  }

  /**
   * False where it is gone, is not any more what its manifest says (one bad file would be in every backup from here on), or the
   * earlier backup lies on another file system.
   */
  async #link(path: string): Promise<boolean> {
    const file = await this.#place(path);
    const present = join(this.#earlier!.directory, path);
    try {
      if ((await digestOf(present)) !== this.#known.get(path)?.sha256) return false;
      await link(present, file);
      this.linked++;
      return true;
    } catch {
      return false;
    }
  }
}

/** SHA-256 in hex; undefined for what is no plain file. Follows no link, waits for no pipe. */
async function digestOf(path: string): Promise<string | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return (await handle.stat()).isFile() ? hash('sha256', await handle.readFile(), 'hex') : undefined;
  } finally {
    await handle.close();
  }
}
