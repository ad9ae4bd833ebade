/* oxlint-disable no-underscore-dangle -- the C code's exports are named so */
/**
 * Instances of PostgreSQL's own parser: libpg-query, the raw parser of PostgreSQL 18 compiled to WebAssembly.
 *
 * The package keeps one instance for ever. That is not enough for texts from strangers: a tree that is too deep ends in a
 * RangeError of the engine in the middle of the parser's code, and such an instance answers the next text wrongly (tried). So
 * instances are made here, with two more kept ready, and one that ever threw is dropped. `nesting.ts` keeps ordinary trouble away.
 */
import createParserModule from 'libpg-query/wasm/libpg-query.js';
import type { ParserModule } from 'libpg-query/wasm/libpg-query.js';

/** Fields of PgQueryParseResult and PgQueryError, in words of four bytes. */
const TREE = 0;
const ERROR = 2;
const ERROR_MESSAGE = 0;
const ERROR_CURSOR = 4;

/** An instance's memory begins at 128 MiB (hardly any of it touched) and never shrinks; one that grew beyond this is replaced. */
const MAX_MEMORY_BYTES = 256 * 1024 * 1024;

/** How many instances wait besides the one in use. Making one takes some 20 ms, off this thread for the most part. */
const SPARES = 2;

/** Text of the parser's tree. Longer ones are refused: a tree takes about five times this in memory. */
const MAX_TREE_BYTES = 64 * 1024 * 1024;

const FINGERPRINT = /^[0-9a-f]{16}$/;
const decoder = new TextDecoder();
const nothing = (): void => {};

export type RawTree =
  | { readonly kind: 'tree'; readonly json: string; readonly fingerprint: string }
  | { readonly kind: 'too-large' }
  /** `position`: 1-based, in characters; 0: not known. */
  | { readonly kind: 'syntax'; readonly message: string; readonly position: number };

const spares: ParserModule[] = [];
let current: ParserModule | undefined;
let filling: Promise<void> | undefined;

/** Makes the parser ready: call it once per thread before the first text. Later calls wait until the spares are there again. */
export async function initParser(): Promise<void> {
  await fill();
}

/** Whether a text would be parsed: false before `initParser`, and for moments after several failures in a row. */
export function isParserReady(): boolean {
  return current !== undefined;
}

/**
 * @param text valid UTF-8 without NUL.
 * @returns undefined when the parser broke on the text (its instance is gone then) or none is ready.
 */
export function parseRaw(text: Uint8Array): RawTree | undefined {
  const module = current;
  if (module === undefined) {
    fill().catch(nothing);
    return undefined;
  }
  try {
    const result = readTree(module, text);
    if (module.HEAPU8.length > MAX_MEMORY_BYTES) replaceCurrent();
    return result;
  } catch {
    replaceCurrent();
    return undefined;
  }
}

function makeInstance(): Promise<ParserModule> {
  return createParserModule({ print: nothing, printErr: nothing });
}

async function fill(): Promise<void> {
  filling ??= makeAll().finally(() => {
    filling = undefined;
  });
  await filling;
}

async function makeAll(): Promise<void> {
  while (current === undefined || spares.length < SPARES) {
    const instance = await makeInstance();
    if (current === undefined) current = instance;
    else spares.push(instance);
  }
}

/** Nothing is given back to an instance that threw: its memory goes with it. */
function replaceCurrent(): void {
  current = spares.pop();
  // Should one fail to be made, the next replacement tries again, and texts are refused in between.
  fill().catch(nothing);
}

function readTree(module: ParserModule, text: Uint8Array): RawTree {
  const pointer = module._malloc(text.length + 1);
  if (pointer === 0) throw new RangeError('out of memory');
  module.HEAPU8.set(text, pointer);
  module.HEAPU8[pointer + text.length] = 0;
  const result = module._wasm_parse_query_raw(pointer);
  if (result === 0) throw new RangeError('out of memory');
  let answer: RawTree;
  const error = wordAt(module, result, ERROR);
  if (error === 0) answer = readResult(module, pointer, wordAt(module, result, TREE));
  else {
    answer = {
      kind: 'syntax',
      message: readString(module, wordAt(module, error, ERROR_MESSAGE)),
      position: wordAt(module, error, ERROR_CURSOR) | 0,
    };
  }
  module._free(pointer);
  module._wasm_free_parse_result(result);
  return answer;
}

function readResult(module: ParserModule, text: number, tree: number): RawTree {
  const end = module.HEAPU8.indexOf(0, tree);
  if (tree === 0 || end < 0) throw new RangeError('no tree');
  if (end - tree > MAX_TREE_BYTES) return { kind: 'too-large' };
  const json = decoder.decode(module.HEAPU8.subarray(tree, end));
  const digits = module._wasm_fingerprint(text);
  const fingerprint = readString(module, digits);
  if (!FINGERPRINT.test(fingerprint)) throw new RangeError('no fingerprint');
  module._wasm_free_string(digits);
  return { kind: 'tree', json, fingerprint };
}

function wordAt(module: ParserModule, address: number, word: number): number {
  return module.HEAPU32[(address >>> 2) + word]!;
}

function readString(module: ParserModule, address: number): string {
  if (address === 0) throw new RangeError('no string');
  return decoder.decode(module.HEAPU8.subarray(address, module.HEAPU8.indexOf(0, address)));
}
