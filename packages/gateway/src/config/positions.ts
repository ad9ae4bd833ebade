import { isMap, isPair, isScalar, isSeq } from 'yaml';
import type { Document, LineCounter, Node } from 'yaml';

/** Lines and columns of a parsed YAML file, from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export class Positions {
  readonly #root: unknown;
  readonly #lines: LineCounter;

  constructor(document: Document, lines: LineCounter) {
    this.#root = document.contents;
    this.#lines = lines;
  }

  at(offset: number): Place {
    const place = this.#lines.linePos(offset);
    return { line: Math.max(1, place.line), column: Math.max(1, place.col) };
  }

  /** Where the value at `path` stands; the nearest parent that exists, when it does not. */
  ofValue(path: readonly PropertyKey[]): Place {
    let node = this.#root;
    let offset = offsetOf(node) ?? 0;
    for (const part of path) {
      node = child(node, part);
      if (node === undefined) break;
      offset = offsetOf(node) ?? offset;
    }
    return this.at(offset);
  }

  /** Where the key `key` of the map at `path` stands. */
  ofKey(path: readonly PropertyKey[], key: string): Place {
    let node = this.#root;
    for (const part of path) node = child(node, part);
    const pair = pairOf(node, key);
    const offset = pair === undefined ? undefined : offsetOf(pair.key);
    return offset === undefined ? this.ofValue(path) : this.at(offset);
  }
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

function pairOf(node: unknown, key: PropertyKey): { key: unknown; value: unknown } | undefined {
  if (!isMap(node)) return undefined;
  return node.items.find(
    (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(key),
  );
}

function child(node: unknown, part: PropertyKey): unknown {
  if (isSeq(node)) return node.items[Number(part)];
  return pairOf(node, part)?.value ?? undefined;
}
