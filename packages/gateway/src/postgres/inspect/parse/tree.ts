/**
 * The parser's tree with types. A node is an object with one key, its kind: `{ ColumnRef: { fields: […] } }`. Fields with the
 * default of their type (0, false, '', NULL) are left out.
 */
import type { Node } from 'libpg-query';

export type { Node };

type KeysOf<T> = T extends unknown ? keyof T : never;

/** Every kind of node that the grammar of the parser knows. */
export type NodeKind = KeysOf<Node>;

/** Kind → fields. */
export type NodeOf<K extends NodeKind> = Extract<Node, Readonly<Record<K, unknown>>>[K & KeysOf<Node>];

/** The kind of a node. A string, not `NodeKind`, where the parser is newer than our types. */
export function kindOf(node: Node): string {
  for (const kind in node) return kind;
  return '';
}

/** The fields of a node if it is of this kind. */
export function asKind<K extends NodeKind>(node: Node | undefined, kind: K): NodeOf<K> | undefined {
  return node === undefined ? undefined : (node as unknown as Readonly<Partial<Record<K, NodeOf<K>>>>)[kind];
}

/** The text of a String node. */
export function stringOf(node: Node | undefined): string | undefined {
  const string = asKind(node, 'String');
  return string === undefined ? undefined : (string.sval ?? '');
}

const NONE: readonly string[] = [];

/** The texts of a list of String nodes: a name in its parts. Undefined when one is not a String. */
export function stringsOf(nodes: readonly Node[] | undefined): readonly string[] | undefined {
  if (nodes === undefined) return NONE;
  const strings: string[] = [];
  for (const node of nodes) {
    const string = stringOf(node);
    if (string === undefined) return undefined;
    strings.push(string);
  }
  return strings;
}

/**
 * Visits every node below `root` (and itself, if it is a node), parents first: also those that no analysis knows of. `visit` returns
 * false to leave out what lies below. Iterative: depth is no matter.
 */
export function walkNodes(root: unknown, visit: (kind: string, fields: unknown) => boolean | void): void {
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    const value = stack.pop();
    if (Array.isArray(value)) {
      for (let index = value.length - 1; index >= 0; index--) stack.push(value[index]);
    } else if (typeof value === 'object' && value !== null) pushBelow(value, stack, visit);
  }
}

function pushBelow(
  value: object,
  stack: unknown[],
  visit: (kind: string, fields: unknown) => boolean | void,
): void {
  const below: unknown[] = [];
  for (const [key, field] of Object.entries(value)) {
    if (typeof field !== 'object' || field === null) continue;
    // Kinds begin with a capital letter, fields with a small one.
    if (key.charCodeAt(0) <= 0x5a && visit(key, field) === false) continue;
    below.push(field);
  }
  for (let index = below.length - 1; index >= 0; index--) stack.push(below[index]);
}
