/**
 * The words that detectors look for, all found in one pass whatever the text (Aho-Corasick). Letters of either case are the same; space, `-`, `_` and `.` are the
 * same, so that `api key`, `api_key` and `api-key` are one word.
 */
import { SECRET_MARKS, TOKEN_PREFIXES, WORDS } from './word-list.ts';
import type { Context, Meaning, SecretMark } from './word-list.ts';
import { NOTHING, isDigit, isLetter, isLower, isUpper } from './characters.ts';

interface Word {
  readonly length: number;
  readonly meaning: Meaning;
  /** Of `shape`: which prefix. */
  readonly prefix: number;
}

const ALL: readonly (Word & { readonly text: string })[] = [
  ...Object.entries(WORDS).flatMap(([meaning, texts]) =>
    texts.map((text) => ({ text, length: text.length, meaning: meaning as Meaning, prefix: -1 })),
  ),
  ...TOKEN_PREFIXES.map((text, prefix) => ({ text, length: text.length, meaning: 'shape' as const, prefix })),
];

/** Every letter, then what words have besides. 0: in no word. */
const WIDTH_BITS = 5;
const WIDTH = 1 << WIDTH_BITS;
const SEPARATOR = 27;
const SLASH = 28;
const COLON = 29;
const HASH = 30;
/** A letter of another script: in `contraseña`. */
const FOREIGN = 31;

function inputOf(code: number): number {
  if (isUpper(code) || isLower(code)) return (code | 0x20) - 0x60;
  switch (code) {
    case 0x20:
    case 0x2d:
    case 0x2e:
    case 0x5f:
      return SEPARATOR;
    case 0x2f:
      return SLASH;
    case 0x3a:
      return COLON;
    case 0x23:
      return HASH;
    default:
      return code >= 0x80 ? FOREIGN : 0;
  }
}

interface Automaton {
  readonly input: Uint8Array;
  /** The state behind a state and an input. */
  readonly next: Uint16Array;
  /** The longest word that ends in a state, as its number and 1; 0: none. */
  readonly word: Uint8Array;
}

/** Builds the trie, then the links of failure into it, breadth first. */
function build(): Automaton {
  const input = Uint8Array.from({ length: 256 }, (_, code) => inputOf(code));
  const states = 1 + ALL.reduce((sum, { length }) => sum + length, 0);
  const next = new Uint16Array(states * WIDTH);
  const word = new Uint8Array(states);
  let used = 1;
  for (const [index, { text }] of ALL.entries()) {
    let state = 0;
    for (const character of text) {
      const edge = state * WIDTH + inputOf(character.charCodeAt(0));
      if (next[edge] === 0) {
        next[edge] = used;
        used += 1;
      }
      state = next[edge] ?? 0;
    }
    word[state] = index + 1;
  }
  const fallback = new Uint16Array(used);
  const queue: number[] = [];
  for (let code = 0; code < WIDTH; code++) if (next[code] !== 0) queue.push(next[code] ?? 0);
  for (let at = 0; at < queue.length; at++) {
    const state = queue[at] ?? 0;
    const shorter = fallback[state] ?? 0;
    if (word[state] === 0) word[state] = word[shorter] ?? 0;
    for (let code = 0; code < WIDTH; code++) {
      const child = next[state * WIDTH + code] ?? 0;
      const other = next[shorter * WIDTH + code] ?? 0;
      if (child === 0) {
        next[state * WIDTH + code] = other;
      } else {
        fallback[child] = other;
        queue.push(child);
      }
    }
  }
  return { input, next: next.slice(0, used * WIDTH), word: word.slice(0, used) };
}

const AUTOMATON = build();

/** A mark of a secret, where it stands. */
export interface MarkHit {
  readonly mark: SecretMark;
  readonly prefix: number;
  readonly start: number;
  readonly end: number;
}

/** Where the words of one context are. Asked from left to right only. */
export class ContextWords {
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  #at = 0;

  /** How far the next word before `start` is; if there is none, `before` and how far the next behind `end` is; Infinity: none within so many codes. */
  distance(start: number, end: number, before: number, after: number): number {
    while (this.#at < this.ends.length && (this.ends[this.#at] ?? 0) <= start) this.#at += 1;
    const ahead = this.#at === 0 ? Infinity : start - (this.ends[this.#at - 1] ?? 0);
    if (ahead <= before) return ahead;
    const behind = this.#at === this.starts.length ? Infinity : (this.starts[this.#at] ?? 0) - end;
    return behind >= 0 && behind <= after ? before + behind : Infinity;
  }
}

export interface FoundWords {
  readonly contexts: Readonly<Record<Context, ContextWords>>;
  readonly marks: MarkHit[];
  /** Digits in the whole text. */
  digits: number;
}

/** Everything that any detector starts from but `@` and `:`, in one pass. */
export function findWords(codes: Uint8Array): FoundWords {
  const { input, next, word } = AUTOMATON;
  const found: FoundWords = {
    contexts: {
      card: new ContextWords(),
      ssn: new ContextWords(),
      routing: new ContextWords(),
      phone: new ContextWords(),
      birth: new ContextWords(),
      version: new ContextWords(),
    },
    marks: [],
    digits: 0,
  };
  let state = 0;
  let digits = 0;
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] as number;
    if (code >= 0x30 && code <= 0x39) digits += 1;
    state = next[(state << WIDTH_BITS) | (input[code] as number)] as number;
    const hit = word[state] as number;
    if (hit !== 0) note(found, codes, hit - 1, at + 1);
  }
  found.digits = digits;
  return found;
}

function note(found: FoundWords, codes: Uint8Array, index: number, end: number): void {
  const word = ALL[index];
  if (word === undefined) return;
  const start = end - word.length;
  const { meaning } = word;
  if (isMark(meaning)) {
    if (isMarkAt(codes, meaning, start, end))
      found.marks.push({ mark: meaning, prefix: word.prefix, start, end });
    return;
  }
  if (!isWordAt(codes, start, end)) return;
  const words = found.contexts[meaning];
  // A word that ends where a longer one of the same context does not, belongs to it: "date of birth" is one word.
  words.starts.push(start);
  words.ends.push(end);
}

const isMark = (meaning: Meaning): meaning is SecretMark =>
  (SECRET_MARKS as readonly string[]).includes(meaning);

function isMarkAt(codes: Uint8Array, mark: SecretMark, start: number, end: number): boolean {
  if (mark === 'shape') {
    const before = codes[start - 1] ?? NOTHING;
    return !isLetter(before) && !isDigit(before);
  }
  return mark === 'begin' || mark === 'end' || mark === 'url' || isWordAt(codes, start, end);
}

/** Whether it is a word of its own: no letter goes on, unless a hump of camelCase begins there, or it is a plural. */
function isWordAt(codes: Uint8Array, start: number, end: number): boolean {
  const before = codes[start - 1] ?? NOTHING;
  const first = codes[start] ?? NOTHING;
  if (isLetter(before) && !(isUpper(first) && isLower(before))) return false;
  const last = codes[end - 1] ?? NOTHING;
  const after = codes[end] ?? NOTHING;
  return !isLetter(after) || (isUpper(after) && isLower(last));
}
