/**
 * The time stamps that a log says it has: every `checkpoint.timestamped` leaf, the checkpoint that it is of and the token,
 * `timestamps/<size>.checkpoint` and `timestamps/<size>.tsr`.
 */

import type { X509Certificate } from 'node:crypto';
import { isCheckpointOf, parseCheckpoint } from './checkpoint.ts';
import { FormatError } from './errors.ts';
import type { Findings } from './findings.ts';
import type { KeyChain } from './key-chain.ts';
import type { Leaf } from './leaf.ts';
import { decodeText } from './log-reader.ts';
import type { LogSource } from './log-source.ts';
import { sha256 } from './merkle.ts';
import { authorityFlaw, authorityName } from './timestamp-authority.ts';
import { isTimestampOf, parseTimestampResponse, parseTimestampToken } from './timestamp-token.ts';
import { reportFileError, type TreeChecks } from './tree-checks.ts';

/** Where the newest checkpoint that was stamped at this size and its token lie in a log. */
export function timestampPaths(size: number): { readonly checkpoint: string; readonly response: string } {
  return { checkpoint: `timestamps/${size}.checkpoint`, response: `timestamps/${size}.tsr` };
}

export interface TimestampReport {
  /** Leaves that name a time stamp. */
  readonly recorded: number;
  /** Those whose token fits and leads to a given authority. 0 when none was given. */
  readonly trusted: number;
  /** The largest tree among the trusted ones: it existed at this time, whatever the gateway's clock said. */
  readonly newest?: { readonly size: number; readonly timeUs: number; readonly authority: string };
}

interface RecordedStamp {
  readonly index: number;
  readonly size: number;
  /** base64url. */
  readonly root: string;
  readonly token: string;
  readonly timeUs: number;
}

/** More than one a day for a lifetime; what is beyond is not looked at, and that is said. */
const MAX_STAMPS = 30_000;

export class TimestampChecks {
  readonly #findings: Findings;
  readonly #keys: KeyChain;
  readonly #authorities: readonly X509Certificate[];
  readonly #stamps: RecordedStamp[] = [];
  #recorded = 0;
  #trusted = 0;
  #newest: TimestampReport['newest'];

  constructor(findings: Findings, keys: KeyChain, authorities: readonly X509Certificate[]) {
    this.#findings = findings;
    this.#keys = keys;
    this.#authorities = authorities;
  }

  /** A `checkpoint.timestamped` leaf. */
  visit(index: number, leaf: Leaf): void {
    if (++this.#recorded > MAX_STAMPS) return;
    this.#stamps.push({
      index,
      size: leaf['size'] as number,
      root: leaf['root'] as string,
      token: leaf['token'] as string,
      timeUs: leaf['time_us'] as number,
    });
  }

  /** After the last leaf: reads the files of each, and compares the root with that of the tree. */
  async check(source: LogSource, tree: TreeChecks): Promise<TimestampReport> {
    for (const stamp of this.#stamps) {
      try {
        const flaw = await this.#flawOf(stamp, source, tree);
        if (flaw !== undefined) this.#findings.report('timestamp', 'ALTERED', flaw, stamp.index);
      } catch (error) {
        reportFileError(this.#findings, error, stamp.index);
      }
    }
    if (this.#recorded > MAX_STAMPS)
      this.#findings.report('timestamp', 'INCOMPLETE', 'more time stamps are recorded than are looked at');
    return {
      recorded: this.#recorded,
      trusted: this.#trusted,
      ...(this.#newest !== undefined && { newest: this.#newest }),
    };
  }

  async #flawOf(stamp: RecordedStamp, source: LogSource, tree: TreeChecks): Promise<string | undefined> {
    const { index, root, size } = stamp;
    const paths = timestampPaths(size);
    if (size > index) return 'a time stamp is of more leaves than come before the leaf that names it';
    if ((await tree.rootAt(size)).toString('base64url') !== root)
      return `the log's first ${size} leaves are not those that were time-stamped`;
    const [text, response] = [await source.read(paths.checkpoint), await source.read(paths.response)];
    if (text === undefined || response === undefined) {
      const missing = text === undefined ? paths.checkpoint : paths.response;
      this.#findings.report('timestamp-missing', 'INCOMPLETE', `${missing} is missing`, index);
      return undefined;
    }
    if (sha256(response).toString('base64url') !== stamp.token)
      return `${paths.response} is not the token that was recorded`;
    const checkpoint = parseCheckpoint(decodeText(text));
    if (checkpoint.size !== size || checkpoint.root.toString('base64url') !== root)
      return `${paths.checkpoint} is of another tree`;
    if (!this.#keys.keys.some((key) => isCheckpointOf(checkpoint, key)))
      return `${paths.checkpoint} is not signed by the log`;
    return this.#tokenFlaw(stamp, text, response);
  }

  #tokenFlaw(stamp: RecordedStamp, text: Buffer, response: Buffer): string | undefined {
    const path = timestampPaths(stamp.size).response;
    const token = parseTimestampResponse(response).token;
    if (token === undefined) throw new FormatError(`${path} holds no token`);
    const parsed = parseTimestampToken(token);
    if (!isTimestampOf(parsed, text)) return `${path} is a time stamp of something else`;
    if (parsed.timeUs !== stamp.timeUs) return `${path} has another time than was recorded`;
    if (this.#authorities.length === 0) return undefined;
    const flaw = authorityFlaw(parsed, this.#authorities);
    if (flaw !== undefined) {
      this.#findings.report('timestamp-authority', 'CANNOT-VERIFY', `${path}: ${flaw}`, stamp.index);
      return undefined;
    }
    this.#trusted++;
    if (stamp.size >= (this.#newest?.size ?? 0)) {
      const { size, timeUs } = stamp;
      this.#newest = { size, timeUs, authority: authorityName(parsed.signer) };
    }
    return undefined;
  }
}
