/** Text → tree, or the reason why not. Everything that a text from a stranger can do to a parser is dealt with in here. */
import type { RawStmt } from 'libpg-query';
import type { Unreadable } from '../meaning.ts';
import { isShallow } from './nesting.ts';
import { parseRaw } from './parser-instance.ts';
import type { Node } from './tree.ts';

export { initParser, isParserReady } from './parser-instance.ts';

/** PostgreSQL takes 1 GiB; a statement is judged whole, so its tree must fit into memory several times. */
export const MAX_STATEMENT_BYTES = 1024 * 1024;

/**
 * Levels of braces and brackets in the parser's JSON: about 600 chained operators, or 120 nested subqueries. The analysis recurses that
 * deep.
 */
const MAX_TREE_LEVELS = 1200;

export interface ParsedStatement {
  readonly node: Node;
  /** Where it stands in the text, in bytes. It ends before its semicolon. */
  readonly start: number;
  readonly end: number;
}

export interface ParsedText {
  /** Empty ones are left out. */
  readonly statements: readonly ParsedStatement[];
  /** 16 hexadecimal digits; equal for texts that differ only in constants. */
  readonly fingerprint: string;
}

export interface ParseLimits {
  /** Default `MAX_STATEMENT_BYTES`. */
  readonly maxBytes?: number;
}

export type ParseOutcome = { readonly parsed: ParsedText } | { readonly unreadable: Unreadable };

const EMPTY_STATEMENT = new Uint8Array([0x3b]);
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads a text as the server would (PostgreSQL 18's grammar, standard_conforming_strings=on, UTF-8). Never throws. `initParser` must have
 * ended; before that every text is a `parser-failure`.
 */
export function parseStatement(text: Uint8Array, limits: ParseLimits = {}): ParseOutcome {
  const refusal = checkBytes(text, limits.maxBytes ?? MAX_STATEMENT_BYTES);
  if (refusal !== undefined) return { unreadable: { reason: refusal } };
  // The parser takes an empty text for a missing one.
  const raw = parseRaw(text.length === 0 ? EMPTY_STATEMENT : text);
  if (raw === undefined) return { unreadable: { reason: 'parser-failure' } };
  if (raw.kind === 'too-large') return { unreadable: { reason: 'too-long' } };
  if (raw.kind === 'syntax') return { unreadable: syntaxError(raw.message, raw.position) };
  if (levelsOf(raw.json) > MAX_TREE_LEVELS) return { unreadable: { reason: 'too-deep' } };
  const statements = readStatements(raw.json, text.length);
  if (statements === undefined) return { unreadable: { reason: 'parser-failure' } };
  return { parsed: { statements, fingerprint: raw.fingerprint } };
}

function checkBytes(text: Uint8Array, maxBytes: number): Unreadable['reason'] | undefined {
  if (text.length > maxBytes) return 'too-long';
  if (text.includes(0)) return 'nul';
  try {
    strictUtf8.decode(text);
  } catch {
    return 'invalid-utf8';
  }
  return isShallow(text) ? undefined : 'too-deep';
}

/** What the parser says when its own stack (10,000 symbols) or memory ends, in place of a syntax error. */
const DEPTH_MESSAGE = /^(memory exhausted|stack depth limit exceeded)/;
const MEMORY_MESSAGE = /^out of memory/;

function syntaxError(message: string, position: number): Unreadable {
  if (DEPTH_MESSAGE.test(message)) return { reason: 'too-deep' };
  if (MEMORY_MESSAGE.test(message)) return { reason: 'too-long' };
  return position > 0 ? { reason: 'syntax', message, position } : { reason: 'syntax', message };
}

/** The deepest nesting of a JSON text. */
function levelsOf(json: string): number {
  let level = 0;
  let deepest = 0;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (code === 0x22) at = endOfString(json, at + 1);
    else if (code === 0x7b || code === 0x5b) {
      level++;
      if (level > deepest) deepest = level;
    } else if (code === 0x7d || code === 0x5d) level--;
  }
  return deepest;
}

function endOfString(json: string, from: number): number {
  let at = from;
  while (at < json.length) {
    const code = json.charCodeAt(at);
    if (code === 0x22) return at;
    at += code === 0x5c ? 2 : 1;
  }
  return at;
}

function readStatements(json: string, length: number): readonly ParsedStatement[] | undefined {
  let tree: { readonly stmts?: readonly RawStmt[] };
  try {
    tree = JSON.parse(json) as typeof tree;
  } catch {
    return undefined;
  }
  const statements: ParsedStatement[] = [];
  for (const { stmt, stmt_location: start = 0, stmt_len: size = 0 } of tree.stmts ?? []) {
    if (stmt === undefined) return undefined;
    // A length of 0 means: to the end of the text.
    statements.push({ node: stmt, start, end: size === 0 ? length : start + size });
  }
  return statements;
}
