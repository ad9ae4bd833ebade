/**
 * The record of a stopped gateway as an examiner with the custodian's key reads it: leaves from the published tiles,
 * contents from the vault. Every content is checked against the commitment in its leaf. Nothing of the gateway is used,
 * only the public formats of `countersign-verify`.
 */

import { createPrivateKey } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FormatError,
  blockBytes,
  commitmentOf,
  decodeEntryBundle,
  directorySource,
  entriesPath,
  openBlock,
  tileWidth,
  unwrapDataKey,
  verifyLog,
} from 'countersign-verify';
import type { VaultEntry, VerifyReport } from 'countersign-verify';

/** A leaf as JSON; which fields it has depends on `type` (docs/record-format.md). */
export interface Leaf {
  readonly type: string;
  readonly id?: string;
  readonly journal: string;
  readonly jseq: number;
  readonly session?: string;
  readonly seq?: number;
  readonly [field: string]: unknown;
}

/** Leaves of the log in `stateDirectory`, in log order, as far as its checkpoint reaches. */
export function readLeaves(stateDirectory: string): Leaf[] {
  const log = join(stateDirectory, 'log');
  const size = Number(readFileSync(join(log, 'checkpoint'), 'utf8').split('\n')[1]);
  const leaves: Leaf[] = [];
  for (let index = 0; leaves.length < size; index++) {
    const width = tileWidth(0, index, size);
    const bundle = decodeEntryBundle(readFileSync(join(log, entriesPath(index, width))));
    for (const entry of bundle) leaves.push(JSON.parse(entry.toString('utf8')) as Leaf);
  }
  return leaves;
}

/**
 * Ids of the gateway's own sessions: nobody connected for them. How many there are, and how many statements they hold, depends on
 * when catalogs were read.
 */
export function ownSessions(leaves: readonly Leaf[]): ReadonlySet<string> {
  const own = leaves.filter((leaf) => {
    const channel = leaf['channel'] as { readonly method?: string } | undefined;
    return leaf.type === 'session.opened' && channel?.method === 'internal';
  });
  return new Set(own.map(({ session }) => session!));
}

/** Sessions and calls of clients in a log, and those of them that are still open. */
export function countClients(
  leaves: readonly Leaf[],
): Readonly<Record<'sessions' | 'calls' | 'openSessions' | 'openCalls', number>> {
  const own = ownSessions(leaves);
  const ended = new Set(leaves.filter(({ type }) => type === 'call.result').map((leaf) => leaf['call']));
  const closed = new Set(
    leaves.filter(({ type }) => type === 'session.closed').map(({ session }) => session),
  );
  const of = (type: string): Leaf[] =>
    leaves.filter((leaf) => leaf.type === type && leaf.session !== undefined && !own.has(leaf.session));
  const sessions = of('session.opened');
  const calls = of('call.intent');
  return {
    sessions: sessions.length,
    calls: calls.length,
    openSessions: sessions.filter(({ session }) => !closed.has(session)).length,
    openCalls: calls.filter(({ id }) => !ended.has(id)).length,
  };
}

/** What the offline checker says of the log. `earlier`: texts of checkpoints that were seen before. */
export async function verifyRecord(
  stateDirectory: string,
  earlier: readonly string[] = [],
): Promise<VerifyReport> {
  return await verifyLog(directorySource(join(stateDirectory, 'log')), { earlier });
}

function filesBelow(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Contents of the vault by `journal/jseq/field`. Spooled objects are not read. */
export class Vault {
  readonly #entries = new Map<string, VaultEntry>();

  constructor(stateDirectory: string, custodianKeyPem: string) {
    const vault = join(stateDirectory, 'vault');
    const privateKey = createPrivateKey(custodianKeyPem);
    const dataKeys = new Map<string, Buffer>();
    for (const path of filesBelow(join(vault, 'keys')).filter((name) => name.endsWith('.custodian'))) {
      try {
        const key = unwrapDataKey(readFileSync(path), privateKey);
        dataKeys.set(key.keyId.toString('hex'), key.dataKey);
      } catch (error) {
        // A disk or a process that failed while the key was made: nothing was ever sealed with it, or `#readBlocks` will say so.
        if (!(error instanceof FormatError)) throw error;
      }
    }
    for (const path of filesBelow(join(vault, 'blocks')).filter((name) => name.endsWith('.blk'))) {
      this.#readBlocks(readFileSync(path), dataKeys);
    }
  }

  #readBlocks(file: Buffer, dataKeys: ReadonlyMap<string, Buffer>): void {
    for (let at = 0; at < file.length;) {
      const end = at + blockBytes(file.subarray(at));
      const block = file.subarray(at, end);
      const dataKey = dataKeys.get(block.subarray(5, 21).toString('hex'));
      if (dataKey === undefined)
        throw new Error('a block is sealed with a key that the custodian does not have');
      const { header, entries } = openBlock(block, dataKey);
      for (const entry of entries) this.#entries.set(`${header.journal}/${entry.jseq}/${entry.field}`, entry);
      at = end;
    }
  }

  /** The bytes behind a commitment of a leaf. Throws when they are missing or are not what was committed to. */
  open(leaf: Leaf, field: string, commitment: string): Buffer {
    const entry = this.#entries.get(`${leaf.journal}/${leaf.jseq}/${field}`);
    if (entry?.bytes === undefined)
      throw new Error(`the vault has no ${field} of leaf ${leaf.journal}/${leaf.jseq}`);
    if (commitmentOf(entry.salt, entry.bytes).toString('base64url') !== commitment) {
      throw new Error(
        `the vault's ${field} of leaf ${leaf.journal}/${leaf.jseq} is not what was committed to`,
      );
    }
    return entry.bytes;
  }
}
