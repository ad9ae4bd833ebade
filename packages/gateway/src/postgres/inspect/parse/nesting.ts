/**
 * How deep a text's tree could become, judged by its words before anything is built. The parser, its JSON and the analysis all
 * recurse on the tree; the engine's stack ends at about 2,000 nested subqueries or 5,000 chained operators.
 *
 * The measure is an upper bound that hardly any honest text comes near: every token may nest what comes after it (`not`, `-`, `::`),
 * until something ends the expression. A comma ends all but chains of set operations; AND, OR, WHEN, THEN and ELSE end all but CASE, NOT,
 * BETWEEN and joins; so does a set operation. What is open in outer brackets counts too.
 */
import { Scanner, TOKEN } from '../lexer.ts';
import { WORD } from '../words.ts';

/** Limit of the measure. The deepest trees that pass are half as deep as the parser can take. */
const MAX_NESTING = 3000;
/** Brackets and set operations nest several nodes each. */
const HEAVY = 3;

const COMMA = 0x2c;
const SEMICOLON = 0x3b;

const SOFT_ENDS: ReadonlySet<number> = new Set([WORD.and, WORD.or, WORD.when, WORD.then, WORD.else]);
const HELD: ReadonlySet<number> = new Set([WORD.not, WORD.between, WORD.case, WORD.join]);
const SET_OPERATIONS: ReadonlySet<number> = new Set([WORD.union, WORD.intersect, WORD.except]);

/** @returns whether the text may be given to the parser. A text that the lexer finds broken may: the parser says what is wrong. */
export function isShallow(text: Uint8Array): boolean {
  return new Measure().isShallow(new Scanner(text, 0, text.length, true));
}

class Measure {
  /** Since the last soft end, the last comma, and the begin of this level of brackets. */
  #run = 0;
  #held = 0;
  #chained = 0;
  /** What is open outside of this level: the three figures of each, and their sum. */
  readonly #outer: number[] = [];
  #outside = 0;

  isShallow(scanner: Scanner): boolean {
    for (;;) {
      const kind = scanner.next();
      if (kind === TOKEN.end || kind === TOKEN.broken) return true;
      if (kind === TOKEN.punctuation) this.#seePunctuation(scanner.bytes[scanner.start]!);
      else if (scanner.word === 0) this.#run++;
      else this.#seeWord(scanner.word);
      if (this.#run + this.#held + this.#chained + this.#outside > MAX_NESTING) return false;
    }
  }

  #seeWord(word: number): void {
    if (SOFT_ENDS.has(word)) this.#run = 0;
    else if (HELD.has(word)) this.#held++;
    else if (SET_OPERATIONS.has(word)) {
      this.#chained += HEAVY;
      this.#run = 0;
      this.#held = 0;
    } else this.#run++;
  }

  #seePunctuation(byte: number): void {
    switch (byte) {
      case 0x28: // (
      case 0x5b: // [
        this.#outer.push(this.#run, this.#held, this.#chained);
        this.#outside += HEAVY + this.#run + this.#held + this.#chained;
        this.#begin();
        break;
      case 0x29: // )
      case 0x5d: // ]
        this.#close();
        break;
      case COMMA:
        this.#run = 0;
        this.#held = 0;
        break;
      case SEMICOLON:
        // In brackets too (CREATE RULE): between statements nothing is open but what lies outside.
        this.#begin();
        break;
      default:
        this.#run++;
    }
  }

  #begin(): void {
    this.#run = 0;
    this.#held = 0;
    this.#chained = 0;
  }

  #close(): void {
    if (this.#outer.length === 0) return;
    this.#chained = this.#outer.pop()!;
    this.#held = this.#outer.pop()!;
    // The bracket itself is a token like any other: `f(a)[1](…)`.
    this.#run = this.#outer.pop()! + 1;
    this.#outside -= HEAVY + this.#run - 1 + this.#held + this.#chained;
  }
}
