/**
 * A disk that forgets what was not synced. It takes the trace of what a run did to its files (`traced-file-layer.ts`), knows at
 * every moment what is surely on the disk and what is only on its way, and gives any state that a power cut could leave.
 *
 * The rules are POSIX's, at their worst: contents are durable after a sync of the file, names after a sync of their directory, and
 * neither stands for the other. What is on its way may reach the disk or not, each sector for itself and in any order; changes of
 * names that touch the same file or the same name keep their order.
 */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { TraceLine } from '../../packages/gateway/src/record/journal/traced-file-layer.ts';
import type { Prng } from '../kill/prng.ts';

const SECTOR_BYTES = 512;

interface ContentChange {
  readonly end: bigint;
  /** Position of the bytes; undefined for a truncation to `length`. */
  readonly at?: number;
  readonly bytes?: Buffer;
  readonly length?: number;
}

interface FileNode {
  readonly kind: 'file';
  durable: Buffer;
  pending: ContentChange[];
}

interface NameChange {
  readonly end: bigint;
  /** Names that get a node, or lose it. */
  readonly set: readonly (readonly [name: string, node: Node | undefined])[];
  /** The file or directory that it is about. */
  readonly node: Node;
}

interface DirectoryNode {
  readonly kind: 'directory';
  readonly durable: Map<string, Node>;
  readonly now: Map<string, Node>;
  pending: NameChange[];
}

type Node = FileNode | DirectoryNode;

/**
 * Which of what is on its way reaches the disk: nothing; everything (a killed process); each sector and name by chance; or of every
 * file and directory only what came last.
 */
export const CUTS = ['nothing', 'everything', 'chance', 'newest'] as const;
export type Cut = (typeof CUTS)[number];

/** What a crash leaves: files by path relative to the root. Directories without files are left out. */
export type DiskState = ReadonlyMap<string, Buffer>;

function directory(): DirectoryNode {
  return { kind: 'directory', durable: new Map(), now: new Map(), pending: [] };
}

/** Line by line as it happened. */
export function readTrace(file: string): TraceLine[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TraceLine);
  return lines.toSorted((a, b) => {
    const [one, other] = [BigInt(a.end), BigInt(b.end)];
    return one < other ? -1 : one > other ? 1 : 0;
  });
}

export class SimulatedDisk {
  readonly #root: string;
  readonly #top = directory();
  /** By the name that the trace gives to an opened file. */
  readonly #open = new Map<string, FileNode>();

  /** `root`: the directory that the trace is about; what the run did elsewhere is left out. Its present contents are durable. */
  constructor(root: string, present: DiskState = new Map()) {
    this.#root = root;
    for (const [path, bytes] of present) this.#putDurable(path, bytes);
  }

  #putDurable(path: string, bytes: Buffer): void {
    let above = this.#top;
    for (const name of path.split('/').slice(0, -1)) {
      let next = above.now.get(name);
      if (next === undefined) {
        next = directory();
        above.now.set(name, next);
        above.durable.set(name, next);
      }
      above = next as DirectoryNode;
    }
    const file: FileNode = { kind: 'file', durable: bytes, pending: [] };
    above.now.set(basename(path), file);
    above.durable.set(basename(path), file);
  }

  /** Path relative to the root, as names; undefined for what lies elsewhere. */
  #names(path: string): string[] | undefined {
    if (path === this.#root) return [];
    return path.startsWith(`${this.#root}/`) ? path.slice(this.#root.length + 1).split('/') : undefined;
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#top;
    for (const name of this.#names(path) ?? ['\0']) {
      node = node?.kind === 'directory' ? node.now.get(name) : undefined;
    }
    return node;
  }

  #directoryOf(path: string): DirectoryNode | undefined {
    const found = this.#find(dirname(path));
    return found?.kind === 'directory' ? found : undefined;
  }

  #change(where: DirectoryNode, change: NameChange): void {
    for (const [name, node] of change.set) {
      if (node === undefined) where.now.delete(name);
      else where.now.set(name, node);
    }
    where.pending.push(change);
  }

  apply(line: TraceLine): void {
    const end = BigInt(line.end);
    const start = BigInt(line.start);
    switch (line.op) {
      case 'open': {
        const where = this.#directoryOf(line.path);
        if (where === undefined) return;
        const name = basename(line.path);
        let file = where.now.get(name);
        if (file === undefined) {
          file = { kind: 'file', durable: Buffer.alloc(0), pending: [] };
          this.#change(where, { end, set: [[name, file]], node: file });
        }
        this.#open.set(line.file, file as FileNode);
        return;
      }
      case 'write':
        this.#open
          .get(line.file)
          ?.pending.push({ end, at: line.at, bytes: Buffer.from(line.bytes, 'base64') });
        return;
      case 'allocate': {
        const bytes = Buffer.alloc(line.to - line.from);
        this.#open.get(line.file)?.pending.push({ end, at: line.from, bytes });
        return;
      }
      case 'truncate':
        this.#open.get(line.file)?.pending.push({ end, length: line.length });
        return;
      case 'sync': {
        const file = this.#open.get(line.file);
        if (file !== undefined) syncFile(file, start);
        return;
      }
      case 'syncDirectory': {
        const where = this.#find(line.path);
        if (where?.kind === 'directory') syncNames(where, start);
        return;
      }
      case 'makeDirectory': {
        const where = this.#directoryOf(line.path);
        const made = directory();
        if (where !== undefined) this.#change(where, { end, set: [[basename(line.path), made]], node: made });
        return;
      }
      case 'rename': {
        const where = this.#directoryOf(line.path);
        const node = this.#find(line.path);
        if (where === undefined) return;
        if (node === undefined || dirname(line.path) !== dirname(line.to))
          throw new Error(`the trace renames what is not there: ${line.path}`);
        const set = [
          [basename(line.path), undefined],
          [basename(line.to), node],
        ] as const;
        this.#change(where, { end, set, node });
        return;
      }
      case 'remove': {
        const where = this.#directoryOf(line.path);
        const node = this.#find(line.path);
        if (where === undefined || node === undefined) return;
        this.#change(where, { end, set: [[basename(line.path), undefined]], node });
        return;
      }
      default:
    }
  }

  /** What is in the file now, synced or not: what another process sees. */
  visible(path: string): Buffer | undefined {
    const node = this.#find(join(this.#root, path));
    return node?.kind === 'file' ? contents(node, 'everything') : undefined;
  }

  /** What a cut at this moment may leave. */
  after(cut: Cut, random: Prng): DiskState {
    const state = new Map<string, Buffer>();
    const walk = (where: DirectoryNode, path: string): void => {
      for (const [name, node] of names(where, cut, random)) {
        if (node.kind === 'directory') walk(node, `${path}${name}/`);
        else state.set(`${path}${name}`, contents(node, cut, random));
      }
    };
    walk(this.#top, '');
    return state;
  }
}

function syncFile(file: FileNode, before: bigint): void {
  const done = file.pending.filter((change) => change.end <= before);
  file.durable = done.reduce(changed, file.durable);
  file.pending = file.pending.filter((change) => change.end > before);
}

function syncNames(where: DirectoryNode, before: bigint): void {
  for (const change of where.pending) if (change.end <= before) applyNames(where.durable, change);
  where.pending = where.pending.filter((change) => change.end > before);
}

function applyNames(target: Map<string, Node>, change: NameChange): void {
  for (const [name, node] of change.set) {
    if (node === undefined) target.delete(name);
    else target.set(name, node);
  }
}

function changed(before: Buffer, change: ContentChange): Buffer {
  if (change.bytes === undefined) {
    const after = Buffer.alloc(change.length!);
    before.copy(after);
    return after;
  }
  const end = change.at! + change.bytes.length;
  const after = Buffer.alloc(Math.max(before.length, end));
  before.copy(after);
  change.bytes.copy(after, change.at);
  return after;
}

/** The parts of a write that reach the disk each for itself. */
function sectors(change: ContentChange): ContentChange[] {
  const { at, bytes, end } = change;
  if (at === undefined || bytes === undefined) return [change];
  const parts: ContentChange[] = [];
  for (let from = at; from < at + bytes.length;) {
    const to = Math.min(at + bytes.length, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    parts.push({ end, at: from, bytes: bytes.subarray(from - at, to - at) });
    from = to;
  }
  return parts;
}

function contents(file: FileNode, cut: Cut, random?: Prng): Buffer {
  const { durable, pending } = file;
  if (cut === 'nothing') return durable;
  if (cut === 'everything') return pending.reduce(changed, durable);
  if (cut === 'newest') return pending.slice(-1).reduce(changed, durable);
  return pending
    .flatMap((change) => (random!.next() < 0.5 ? sectors(change) : [change]))
    .filter(() => random!.next() < 0.5)
    .reduce(changed, durable);
}

function names(where: DirectoryNode, cut: Cut, random: Prng): ReadonlyMap<string, Node> {
  if (cut === 'everything') return where.now;
  const kept = new Map(where.durable);
  if (cut === 'nothing') return kept;
  // What depends on a change that is lost is lost with it.
  const lostNodes = new Set<Node>();
  const lostNames = new Set<string>();
  for (const [i, change] of where.pending.entries()) {
    const isLast = i === where.pending.length - 1;
    const isChosen = cut === 'newest' ? isLast : random.next() < 0.5;
    const isFree = !lostNodes.has(change.node) && change.set.every(([name]) => !lostNames.has(name));
    if (isChosen && isFree) {
      applyNames(kept, change);
      continue;
    }
    lostNodes.add(change.node);
    for (const [name] of change.set) lostNames.add(name);
  }
  return kept;
}

/** Puts a state into an empty directory. */
export function writeState(state: DiskState, root: string): void {
  mkdirSync(root, { recursive: true, mode: 0o700 });
  for (const [path, bytes] of state) {
    const absolute = join(root, path);
    mkdirSync(dirname(absolute), { recursive: true, mode: 0o700 });
    writeFileSync(absolute, bytes, { mode: 0o600 });
  }
}

export function readState(root: string): DiskState {
  const state = new Map<string, Buffer>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    state.set(path.slice(root.length + 1), readFileSync(path));
  }
  return state;
}
