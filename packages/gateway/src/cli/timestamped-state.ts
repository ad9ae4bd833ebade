import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { X509Certificate } from 'node:crypto';

import {
  authorityFlaw,
  authorityName,
  decodeText,
  FormatError,
  hashReaderFromTiles,
  isCheckpointOf,
  isTimestampOf,
  parseCheckpoint,
  parseTimestampResponse,
  parseTimestampToken,
  readTile,
  SourceError,
  timestampPaths,
  treeRoot,
} from 'countersign-verify';
import type { Checkpoint, KeyChain, LogSource } from 'countersign-verify';

import { createSecrets } from '../config/secrets.ts';
import { timestampAuthority } from '../gateway/timestamping.ts';
import { configOf } from './common-options.ts';
import type { CommonOptions } from './common-options.ts';
import { readCertificates } from './log-errors.ts';

/** The newest time stamp of a log that fits it, by its files alone. */
export interface TimestampedState {
  /** The tree that was stamped; the first so many leaves are what existed. */
  readonly size: number;
  /** By the authority's clock. */
  readonly timeUs: number;
  /** Name of its certificate: whose word it is only when `isTrusted`. */
  readonly authority: string;
  /** It leads to one of the certificates that were given. */
  readonly isTrusted: boolean;
}

export interface TimestampedCheck {
  /** The log's directory; undefined for a URL, of whose time stamps there is no list. */
  readonly directory: string | undefined;
  /** Any key that the log has had may have signed what was stamped. */
  readonly keys: KeyChain | undefined;
  readonly authorities: readonly X509Certificate[];
}

/**
 * Looks from the newest time stamp back until one fits: a checkpoint that a key of the log signed, with the root that the log has at
 * this size, and a token of just that. What does not fit is passed over: `log verify` says what is wrong with it. Of a URL, only the newest
 * checkpoint itself is looked up.
 */
export async function timestampedState(
  source: LogSource,
  checkpoint: Checkpoint,
  check: TimestampedCheck,
): Promise<TimestampedState | undefined> {
  for (const size of await sizesOf(check.directory, checkpoint.size)) {
    try {
      const state = await stateAt(source, checkpoint, size, check);
      if (state !== undefined) return state;
    } catch (error) {
      if (!(error instanceof FormatError) && !(error instanceof SourceError)) throw error;
    }
  }
  return undefined;
}

/** Largest first. */
async function sizesOf(directory: string | undefined, newest: number): Promise<readonly number[]> {
  if (directory === undefined) return [newest];
  const names = await readdir(join(directory, 'timestamps')).catch((): string[] => []);
  return names
    .flatMap((name) => /^(\d{1,15})\.tsr$/.exec(name)?.[1] ?? [])
    .map(Number)
    .filter((size) => size > 0 && size <= newest)
    .toSorted((a, b) => b - a);
}

async function stateAt(
  source: LogSource,
  newest: Checkpoint,
  size: number,
  { authorities, keys }: TimestampedCheck,
): Promise<TimestampedState | undefined> {
  const paths = timestampPaths(size);
  const [text, response] = [await source.read(paths.checkpoint), await source.read(paths.response)];
  if (text === undefined || response === undefined || keys === undefined) return undefined;
  const stamped = parseCheckpoint(decodeText(text));
  if (stamped.size !== size || !keys.keys.some((key) => isCheckpointOf(stamped, key))) return undefined;
  const root = await treeRoot(
    size,
    hashReaderFromTiles(newest.size, (level, index, width) => readTile(source, level, index, width)),
  );
  if (!root.equals(stamped.root)) return undefined;
  const { token: der } = parseTimestampResponse(response);
  if (der === undefined) return undefined;
  const token = parseTimestampToken(der);
  if (!isTimestampOf(token, text)) return undefined;
  return {
    size,
    timeUs: token.timeUs,
    authority: authorityName(token.signer),
    isTrusted: authorities.length > 0 && authorityFlaw(token, authorities) === undefined,
  };
}

/** Whose clocks are believed: those of the command line, else those of the configuration, for its own log. */
export async function authoritiesOf(
  place: string | undefined,
  options: CommonOptions & { readonly tsaCa: readonly string[] },
): Promise<readonly X509Certificate[]> {
  if (options.tsaCa.length > 0) return (await Promise.all(options.tsaCa.map(readCertificates))).flat();
  if (place !== undefined) return [];
  return (await timestampAuthority(configOf(options), createSecrets()))?.trusted ?? [];
}
