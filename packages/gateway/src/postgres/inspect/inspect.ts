/**
 * One pass over a statement's text: what kind it is, what it may do, and what it does to the session's settings.
 *
 * Lexical only. It serves three things: the labels of a call's intent, the question whether the result of a
 * command may ride along (decision 5), and the allow-list of settings (decision 2). It is never a permission to
 * read or write data: a view, an operator or a cast can run code that no text shows.
 */
import { Scanner, TOKEN } from './lexer.ts';
import { StatementShape, combineEffects } from './classify.ts';
import type { Effect, StatementKind, TransactionVerb } from './classify.ts';
import { readAlter, readReset, readSet, readSetConfig, unicodeIdentifierText } from './setting-changes.ts';
import type { SettingChange } from './setting-changes.ts';
import { stringContent } from './string-content.ts';
import { WORD, WORD_NONE } from './words.ts';

export interface Inspection {
  /** From a closed list; `multi` for several statements, `empty` for none. */
  readonly kind: StatementKind;
  readonly effect: Effect;
  /** How many statements, empty ones not counted. */
  readonly statements: number;
  /** For a single statement of transaction control. */
  readonly transaction: TransactionVerb | undefined;
  /** What `judgeSettings` judges; mostly empty. */
  readonly settings: readonly SettingChange[];
}

const SEMICOLON = 0x3b;
const NO_CHANGES: readonly SettingChange[] = [];

/** A text with more changes of settings is refused: a list of them takes many times the room of the text. */
const MAX_CHANGES = 10_000;

/** How deep the bodies of DO, and the strings that they execute, are looked into. */
const MAX_BODY_DEPTH = 3;

/**
 * @param text the statement in UTF-8 without its NUL (`bytes[start, end)`), or a string.
 */
export function inspectStatement(
  text: Uint8Array | string,
  start = 0,
  end: number = text.length,
): Inspection {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  const limit = typeof text === 'string' ? bytes.length : end;
  return new Pass(bytes, start, limit).run();
}

/** Shorter strings cannot even hold the word SET, which is refused where a string may be put together with others. */
const SHORTEST_CHANGE = 3;

/** Words after which PL/pgSQL begins a statement. */
const BEGINS_STATEMENT: ReadonlySet<number> = new Set([
  WORD.begin,
  WORD.then,
  WORD.else,
  WORD.loop,
  WORD.declare,
]);

/** Functions that run a string as a query. */
const RUNS_STRINGS: ReadonlySet<number> = new Set([
  WORD.query_to_xml,
  WORD.query_to_xmlschema,
  WORD.query_to_xml_and_xmlschema,
  WORD.ts_stat,
  WORD.ts_rewrite,
  WORD.execute,
]);

class Pass {
  readonly #scanner: Scanner;
  readonly #shape = new StatementShape();
  /** 0: a statement of the client's; more: the text of a body or string inside one. */
  readonly #depth: number;
  #statements = 0;
  #kind: StatementKind = 'empty';
  #effect: Effect = 'read';
  #transaction: TransactionVerb | undefined;
  #changes: SettingChange[] | undefined;
  #namesPgSettings = false;
  #mayChangeView = false;
  #runsStrings = false;

  constructor(bytes: Uint8Array, start: number, limit: number, depth = 0) {
    this.#scanner = new Scanner(bytes, start, limit);
    this.#depth = depth;
  }

  run(): Inspection {
    const scanner = this.#scanner;
    const shape = this.#shape;
    let atStart = true;
    for (;;) {
      const kind = scanner.next();
      if (kind === TOKEN.end || kind === TOKEN.broken) break;
      if (scanner.word !== WORD_NONE) this.#seeWord(scanner.word, atStart);
      else if (kind !== TOKEN.identifier && kind !== TOKEN.punctuation) this.#seeOther(kind);
      if (kind === TOKEN.punctuation && scanner.bytes[scanner.start] === SEMICOLON) {
        atStart = true;
        if (shape.endsAtSemicolon) this.#finishStatement();
        continue;
      }
      atStart = this.#depth > 0 && (BEGINS_STATEMENT.has(scanner.word) || kind === TOKEN.operator);
      shape.see(scanner);
    }
    // The server lexes a whole message before it runs any of it, so this one will only be an error there.
    if (scanner.kind === TOKEN.broken) shape.isBroken = true;
    this.#finishStatement();
    if (this.#namesPgSettings && this.#mayChangeView) this.#add({ kind: 'refused', reason: 'pg-settings' });
    if (this.#runsStrings) this.#lookIntoStrings();
    return {
      kind: this.#kind,
      effect: this.#effect,
      statements: this.#statements,
      transaction: this.#statements === 1 ? this.#transaction : undefined,
      settings: this.#changes ?? NO_CHANGES,
    };
  }

  #finishStatement(): void {
    const shape = this.#shape;
    if (!shape.isEmpty) {
      this.#statements++;
      this.#kind = this.#statements === 1 ? shape.kind : 'multi';
      const effect = shape.effect;
      this.#effect = this.#statements === 1 ? effect : combineEffects(this.#effect, effect);
      this.#transaction = shape.transaction;
    }
    shape.reset();
  }

  #add(change: SettingChange | undefined): void {
    if (change === undefined) return;
    this.#changes ??= [];
    const { length } = this.#changes;
    if (length < MAX_CHANGES) this.#changes.push(change);
    else if (length === MAX_CHANGES) this.#changes.push({ kind: 'refused', reason: 'unreadable' });
  }

  #seeWord(word: number, atStart: boolean): void {
    const { bytes, end, limit } = this.#scanner;
    if (atStart && this.#seeFirstWord(word)) return;
    switch (word) {
      case WORD.set_config:
        this.#add(readSetConfig(bytes, end, limit));
        break;
      case WORD.pg_settings:
        this.#namesPgSettings = true;
        break;
      case WORD.update:
      case WORD.view:
      case WORD.rule:
        this.#mayChangeView = true;
        break;
      default:
        if (RUNS_STRINGS.has(word)) this.#runsStrings ||= word !== WORD.execute || this.#depth > 0;
    }
  }

  /** True if the word was one that begins a change of settings. */
  #seeFirstWord(word: number): boolean {
    const { bytes, end, limit } = this.#scanner;
    switch (word) {
      case WORD.set:
        this.#add(this.#inBody(readSet(bytes, end, limit)));
        return true;
      case WORD.reset:
        this.#add(this.#inBody(readReset(bytes, end, limit)));
        return true;
      case WORD.alter:
        this.#add(readAlter(bytes, end, limit));
        return true;
      case WORD.do:
        this.#runsStrings = true;
        return true;
      default:
        return false;
    }
  }

  /** A string that only looks like SET (`'set x'` in a message) is no change. */
  #inBody(change: SettingChange | undefined): SettingChange | undefined {
    const isProse = this.#depth > 1 && change?.kind === 'refused' && change.reason === 'unreadable';
    return isProse ? undefined : change;
  }

  #seeOther(kind: number): void {
    const scanner = this.#scanner;
    if (kind !== TOKEN.quotedIdentifier && kind !== TOKEN.unicodeIdentifier) return;
    const name = kind === TOKEN.unicodeIdentifier ? unicodeIdentifierText(scanner) : quotedWord(scanner);
    if (name === 'set_config') this.#add(readSetConfig(scanner.bytes, this.#afterUescape(), scanner.limit));
    else if (name === 'pg_settings') this.#namesPgSettings = true;
    else if (name !== undefined && QUOTED_RUNS_STRINGS.has(name)) this.#runsStrings = true;
  }

  #afterUescape(): number {
    const ahead = Scanner.behind(this.#scanner.bytes, this.#scanner.end, this.#scanner.limit);
    if (ahead.next() !== TOKEN.identifier || ahead.word !== WORD.uescape) return this.#scanner.end;
    ahead.next();
    return ahead.end;
  }

  /** The body of DO, and in it or beside a function that runs queries every string, is read as statements too. */
  #lookIntoStrings(): void {
    if (this.#depth >= MAX_BODY_DEPTH) {
      this.#add({ kind: 'refused', reason: 'unreadable' });
      return;
    }
    const { bytes, origin, limit } = this.#scanner;
    const scanner = new Scanner(bytes, origin, limit);
    for (let kind = scanner.next(); kind !== TOKEN.end && kind !== TOKEN.broken; kind = scanner.next()) {
      const content = stringContent(scanner);
      if (content === undefined || content.length < SHORTEST_CHANGE) continue;
      for (const change of new Pass(content, 0, content.length, this.#depth + 1).run().settings)
        this.#add(change);
    }
  }
}

const QUOTED_RUNS_STRINGS: ReadonlySet<string> = new Set([
  'query_to_xml',
  'query_to_xmlschema',
  'query_to_xml_and_xmlschema',
  'ts_stat',
  'ts_rewrite',
]);

/** The content of a quoted identifier that may be one of those that are looked for; undefined for another. No string is made for that. */
function quotedWord(scanner: Scanner): string | undefined {
  const { bytes, start, end } = scanner;
  const length = end - start - 2;
  if (length < SHORTEST_QUOTED || length > LONGEST_QUOTED) return undefined;
  if (!FIRST_LETTERS.includes(bytes[start + 1]!)) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset + start + 1, length).toString('latin1');
}

const QUOTED_WORDS = ['set_config', 'pg_settings', ...QUOTED_RUNS_STRINGS];
const SHORTEST_QUOTED = Math.min(...QUOTED_WORDS.map((name) => name.length));
const LONGEST_QUOTED = Math.max(...QUOTED_WORDS.map((name) => name.length));
const FIRST_LETTERS = Uint8Array.from(new Set(QUOTED_WORDS.map((name) => name.charCodeAt(0))));
