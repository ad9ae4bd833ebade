import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What runs: the version, and a digest that tells two builds of one version apart. Both go into the context leaves. */
export interface Software {
  readonly version: string;
  /** Base64url SHA-256 over the paths and contents of the sources of gateway and verify. */
  readonly digest: string;
}

let cached: Software | undefined;

/** Reads the sources once per process. */
export function runningSoftware(): Software {
  cached ??= { version: readVersion(), digest: digestSources() };
  return cached;
}

function readVersion(): string {
  const manifest = readFileSync(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/**
 * SHA-256 over `<relative path> NUL <length> NUL <content>` of every source file, ordered by path. Tests do not run in
 * production and are left out.
 */
function digestSources(): string {
  const hash = createHash('sha256');
  const gateway = fileURLToPath(new URL('..', import.meta.url));
  const verify = fileURLToPath(new URL('.', import.meta.resolve('countersign-verify')));
  for (const [name, root] of [
    ['gateway', gateway],
    ['verify', verify],
  ] as const) {
    for (const file of sourceFiles(root)) {
      const content = readFileSync(join(root, file));
      hash.update(`${name}/${file}\0${content.length}\0`).update(content);
    }
  }
  return hash.digest('base64url');
}

function sourceFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|js)$/.test(entry.name) && !/\.test\.[tj]s$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .toSorted();
}
