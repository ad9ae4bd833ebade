import { randomInt } from 'node:crypto';
import type { Access } from '../../policy/access.ts';
import type { Meaning, SessionNames } from '../inspect/meaning.ts';
import { sizeOfLineage } from './lineage-size.ts';
import type { StatementReading } from './reading.ts';

export interface MeaningCacheOptions {
  /** What all of it may take, as estimated. Default 32 MiB. */
  readonly maxBytes?: number;
  /** Longer texts are not kept. Default 65,536. */
  readonly maxTextBytes?: number;
}

export interface MeaningCacheCounts {
  readonly hits: number;
  readonly misses: number;
  readonly entries: number;
  readonly bytes: number;
}

interface Entry {
  /** A copy of its own. */
  readonly text: Buffer;
  /** By identity: `SessionNamesPool` gives equal names the same object. */
  readonly names: SessionNames;
  readonly epoch: string;
  /** Of the classification that its lineage is of; absent: it has none. */
  readonly digest: string | undefined;
  readonly reading: StatementReading;
  readonly bytes: number;
  /** Of the same hash. */
  next: Entry | undefined;
}

const DEFAULT_BYTES = 32 << 20;
const DEFAULT_TEXT_BYTES = 65_536;
/** Texts with the same hash: more than chance brings. What is over it is dropped, so that nobody can make look-ups long. */
const MAX_CHAIN = 8;
/** Longer texts are hashed by their ends and their length. */
const HASHED_BYTES = 1_024;

/**
 * What texts mean, for all sessions of the process: looked up by the bytes of the text and by whatever the meaning depends on (search_path and temporary
 * names, catalog epoch). Bounded by bytes: what was not asked for while half of the room filled up is dropped.
 *
 * A look-up makes no copy and no string of the text. Runs on the data thread.
 */
export class MeaningCache {
  #half: number;
  readonly #maxTextBytes: number;
  readonly #seed = randomInt(0x7fffffff);
  #young = new Map<number, Entry>();
  #old = new Map<number, Entry>();
  #youngBytes = 0;
  #oldBytes = 0;
  #youngEntries = 0;
  #oldEntries = 0;
  #hits = 0;
  #misses = 0;

  constructor(options: MeaningCacheOptions = {}) {
    this.#half = (options.maxBytes ?? DEFAULT_BYTES) / 2;
    this.#maxTextBytes = options.maxTextBytes ?? DEFAULT_TEXT_BYTES;
  }

  /** @param digest of the classification in force; absent: nothing is classified. */
  find(text: Buffer, names: SessionNames, epoch: string, digest?: string): StatementReading | undefined {
    if (text.length > this.#maxTextBytes) return undefined;
    const hash = hashText(text, this.#seed);
    const entry = findIn(this.#young.get(hash), text, names, epoch, digest);
    if (entry !== undefined) {
      this.#hits += 1;
      return entry.reading;
    }
    const older = findIn(this.#old.get(hash), text, names, epoch, digest);
    if (older === undefined) {
      this.#misses += 1;
      return undefined;
    }
    this.#hits += 1;
    this.#insert(hash, { ...older, next: undefined });
    return older.reading;
  }

  add(text: Buffer, names: SessionNames, epoch: string, reading: StatementReading, digest?: string): void {
    if (text.length > this.#maxTextBytes) return;
    const bytes = text.length + sizeOfReading(reading);
    if (bytes > this.#half) return;
    this.#insert(hashText(text, this.#seed), {
      text: copyOf(text),
      names,
      epoch,
      digest,
      reading,
      bytes,
      next: undefined,
    });
  }

  /** Counts from what is added next on. */
  set maxBytes(bytes: number) {
    this.#half = bytes / 2;
  }

  get counts(): MeaningCacheCounts {
    return {
      hits: this.#hits,
      misses: this.#misses,
      entries: this.#youngEntries + this.#oldEntries,
      bytes: this.#youngBytes + this.#oldBytes,
    };
  }

  #insert(hash: number, entry: Entry): void {
    if (this.#youngBytes + entry.bytes > this.#half) this.#turn();
    const chain = this.#young.get(hash);
    entry.next = chain;
    this.#young.set(hash, entry);
    this.#youngBytes += entry.bytes;
    this.#youngEntries += 1;
    this.#cutChain(entry);
  }

  #cutChain(entry: Entry): void {
    let last = entry;
    for (let length = 1; last.next !== undefined; length++) {
      if (length === MAX_CHAIN) {
        for (let dropped: Entry | undefined = last.next; dropped !== undefined; dropped = dropped.next) {
          this.#youngBytes -= dropped.bytes;
          this.#youngEntries -= 1;
        }
        last.next = undefined;
        return;
      }
      last = last.next;
    }
  }

  #turn(): void {
    this.#old = this.#young;
    this.#oldBytes = this.#youngBytes;
    this.#oldEntries = this.#youngEntries;
    this.#young = new Map();
    this.#youngBytes = 0;
    this.#youngEntries = 0;
  }
}

/** Not from Buffer's pool: one text would keep a whole slab of others' bytes. */
function copyOf(text: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(text.length);
  text.copy(copy);
  return copy;
}

function findIn(
  chain: Entry | undefined,
  text: Buffer,
  names: SessionNames,
  epoch: string,
  digest: string | undefined,
): Entry | undefined {
  for (let entry = chain; entry !== undefined; entry = entry.next) {
    if (entry.digest === digest && holdsFor(entry, names, epoch) && entry.text.equals(text)) return entry;
  }
  return undefined;
}

function holdsFor(entry: Entry, names: SessionNames, epoch: string): boolean {
  const { meaning } = entry.reading;
  if (entry.epoch !== epoch && meaning.usesCatalog) return false;
  return entry.names === names || !meaning.usesSearchPath;
}

/** FNV-1a from a seed of the process. It only has to spread: texts are compared, and chains are short. */
function hashText(text: Buffer, seed: number): number {
  const { length } = text;
  let hash = (0x811c9dc5 ^ seed ^ length) | 0;
  const head = length <= HASHED_BYTES ? length : HASHED_BYTES / 2;
  for (let at = 0; at < head; at++) hash = Math.imul(hash ^ text[at]!, 0x01000193);
  if (head < length) {
    for (let at = length - HASHED_BYTES / 2; at < length; at++) {
      hash = Math.imul(hash ^ text[at]!, 0x01000193);
    }
  }
  return hash;
}

/** What an object takes in V8, roughly; measured by filling the cache (`bench/`), rounded up. */
const ENTRY_BYTES = 900;
const ACCESS_BYTES = 160;
const NAME_BYTES = 40;

function sizeOfReading({ lineage, meaning, settings }: StatementReading): number {
  const bytes = ENTRY_BYTES + settings.length * ACCESS_BYTES + sizeOfMeaning(meaning);
  return lineage === undefined ? bytes : bytes + sizeOfLineage(lineage);
}

function sizeOfMeaning(meaning: Meaning): number {
  let bytes = (meaning.unknownNames.length + meaning.changes.length) * ACCESS_BYTES;
  bytes += sizeOfAccesses(meaning.demands) + sizeOfAccesses(meaning.reaches);
  for (const { written } of meaning.unknownNames) bytes += 2 * written.length;
  for (const change of meaning.changes) {
    if (change.kind === 'prepare') bytes += ENTRY_BYTES + sizeOfMeaning(change.inner);
    else if (change.kind === 'temporary' && change.names !== '*') bytes += change.names.length * NAME_BYTES;
  }
  return bytes;
}

function sizeOfAccesses(accesses: readonly Access[]): number {
  let bytes = accesses.length * ACCESS_BYTES;
  for (const access of accesses) {
    if (access.kind === 'relation' && access.columns !== '*') bytes += access.columns.length * NAME_BYTES;
  }
  return bytes;
}
