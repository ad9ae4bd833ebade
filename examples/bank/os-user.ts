/**
 * PostgreSQL refuses to run as root. When we are root, its processes run as an unprivileged operating-system user
 * instead; otherwise they run as whoever we are.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Whom the server's processes run as. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const DEDICATED = 'countersign-demo';

/** Tried in this order when the dedicated user cannot be created (no `useradd`, read-only /etc). */
const FALLBACKS = ['postgres', 'nobody'] as const;

function lookUp(name: string): ServerUser | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { name, uid: Number(uid), gid: Number(gid) };
}

/** Undefined means: run as ourselves. Throws when we are root and no unprivileged user can be had. */
export function unprivilegedUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) {
    return undefined;
  }
  const existing = lookUp(DEDICATED);
  if (existing !== undefined) {
    return existing;
  }
  try {
    const account = ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent'];
    execFileSync('useradd', [...account, '--shell', '/usr/sbin/nologin', DEDICATED], { stdio: 'ignore' });
  } catch {
    // Another run may have created it at the same moment, or we may not: both are settled by looking again.
  }
  const user = [DEDICATED, ...FALLBACKS].map(lookUp).find((found) => found !== undefined);
  if (user === undefined) {
    throw new Error(
      `PostgreSQL does not run as root, and no unprivileged user is available. Create one: useradd --system ${DEDICATED}`,
    );
  }
  return user;
}

/** Whether `user` may pass through every folder above `path` and read `path` itself (mode bits only, no ACLs). */
export function isReachable(path: string, user: ServerUser | undefined): boolean {
  if (user === undefined) {
    return true;
  }
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = statSync(folder);
    const needed = uid === user.uid ? 0o500 : gid === user.gid ? 0o050 : 0o005;
    const search = needed & 0o111;
    const wanted = folder === resolve(path) ? needed : search;
    if ((mode & wanted) !== wanted) {
      return false;
    }
    if (folder === dirname(folder)) {
      return true;
    }
  }
}
