import { createHash } from 'node:crypto';

import type { PolicyFile } from './policy-folder.ts';

/**
 * Every file of a set as one text, each after a line `==> <name> <bytes>`: what `policy.activated` seals, and what the digest is of. People
 * can read it, and the lengths leave no doubt where a file ends.
 */
export function bundleFiles(files: readonly Pick<PolicyFile, 'name' | 'text'>[]): string {
  return files.map(({ name, text }) => `==> ${name} ${Buffer.byteLength(text)}\n${text}\n`).join('');
}

/** SHA-256, base64url. */
export function digestOf(bundle: Uint8Array | string): string {
  return createHash('sha256').update(bundle).digest('base64url');
}

/** Takes apart what {@link bundleFiles} made. Undefined for anything else. */
export function unbundleFiles(bundle: Buffer): readonly PolicyFile[] | undefined {
  const files: PolicyFile[] = [];
  let offset = 0;
  while (offset < bundle.length) {
    const lineEnd = bundle.indexOf('\n', offset);
    const [, name, length] = /^==> (.+) (\d+)$/.exec(bundle.toString('utf8', offset, lineEnd)) ?? [];
    if (lineEnd === -1 || name === undefined) return undefined;
    const end = lineEnd + 1 + Number(length);
    if (end >= bundle.length || bundle[end] !== 0x0a) return undefined;
    files.push({ name, path: name, text: bundle.toString('utf8', lineEnd + 1, end) });
    offset = end + 1;
  }
  return files;
}
