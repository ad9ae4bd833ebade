/**
 * The kind and effect of one statement, from its words alone.
 *
 * `effect: 'read'` only where the text shows no way to write as far as lexing can tell; it decides whether a result
 * may ride along to the disk, and is a label in the record. It is never a permission.
 */
import { TOKEN } from './lexer.ts';
import type { Scanner } from './lexer.ts';
import { WORD, WORD_NONE, commandName, isHarmlessBeforeParenthesis } from './words.ts';
import type { COMMAND_WORDS } from './words.ts';

export type CommandKind = (typeof COMMAND_WORDS)[number];

/** A command word, or: several statements, none, a first word that no command has. */
export type StatementKind = CommandKind | 'multi' | 'empty' | 'unknown';

export type Effect = 'read' | 'write' | 'admin' | 'unknown';

export type TransactionVerb =
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'savepoint'
  | 'release'
  | 'rollback-to'
  | 'prepare';

const RANK: Readonly<Record<Effect, number>> = { read: 0, unknown: 1, write: 2, admin: 3 };

/** The stronger of two effects. */
export function combineEffects(one: Effect, other: Effect): Effect {
  return RANK[one] >= RANK[other] ? one : other;
}

const OPEN = 0x28;
const CLOSE = 0x29;
const POINT = 0x2e;

/** What stood before the current token. */
const PREVIOUS = { other: 0, harmless: 1, callable: 2, point: 3 } as const;

const MAIN_VERBS: ReadonlySet<number> = new Set([
  WORD.select,
  WORD.insert,
  WORD.update,
  WORD.delete,
  WORD.merge,
  WORD.values,
  WORD.table,
]);

const CHANGES: ReadonlySet<number> = new Set([WORD.insert, WORD.update, WORD.delete, WORD.merge, WORD.into]);

/** Second words that make CREATE, ALTER or DROP the administration of the server. */
const ADMIN_OBJECTS: ReadonlySet<number> = new Set([
  WORD.role,
  WORD.user,
  WORD.group,
  WORD.system,
  WORD.database,
  WORD.tablespace,
  WORD.subscription,
  WORD.default,
]);

const ROUTINES: ReadonlySet<number> = new Set([WORD.function, WORD.procedure]);

/** Gathers one statement token by token. */
export class StatementShape {
  /** The text had no lexical end. */
  isBroken = false;
  #tokens = 0;
  #first = WORD_NONE;
  #second = WORD_NONE;
  #main = WORD_NONE;
  #depth = 0;
  /** Nesting of `BEGIN ATOMIC … CASE … END` in a CREATE FUNCTION, whose semicolons end no statement. */
  #atomic = 0;
  #isRoutine = false;
  #previous: number = PREVIOUS.other;
  #previousWord = WORD_NONE;
  #isQualified = false;
  #calls = false;
  #changes = false;
  #analyzes = false;
  #prepared = false;
  #toSavepoint = false;
  /** COPY: 'from', or where it goes to. */
  #copy: 'from' | 'to' | 'stdout' | undefined;

  get isEmpty(): boolean {
    return this.#tokens === 0 && !this.isBroken;
  }

  get endsAtSemicolon(): boolean {
    return this.#depth === 0 && this.#atomic === 0;
  }

  get kind(): StatementKind {
    return commandName(this.#first === WORD.with ? this.#main : this.#first) ?? 'unknown';
  }

  reset(): void {
    this.isBroken = false;
    this.#tokens = 0;
    this.#first = WORD_NONE;
    this.#second = WORD_NONE;
    this.#main = WORD_NONE;
    this.#depth = 0;
    this.#atomic = 0;
    this.#isRoutine = false;
    this.#previous = PREVIOUS.other;
    this.#previousWord = WORD_NONE;
    this.#isQualified = false;
    this.#calls = false;
    this.#changes = false;
    this.#analyzes = false;
    this.#prepared = false;
    this.#toSavepoint = false;
    this.#copy = undefined;
  }

  /** The scanner's current token belongs to the statement. */
  see(scanner: Scanner): void {
    const { kind, word } = scanner;
    if (kind === TOKEN.punctuation) {
      this.#seePunctuation(scanner.bytes[scanner.start]!);
      return;
    }
    this.#tokens++;
    if (kind === TOKEN.identifier) {
      if (word !== WORD_NONE) this.#seeWord(word);
      this.#isQualified = this.#previous === PREVIOUS.point;
      this.#previous = isHarmlessBeforeParenthesis(word) ? PREVIOUS.harmless : PREVIOUS.callable;
    } else if (kind === TOKEN.quotedIdentifier || kind === TOKEN.unicodeIdentifier) {
      this.#previous = PREVIOUS.callable;
    } else {
      // `U&"f" UESCAPE '!' (…)` is a call too.
      const isUescape = kind === TOKEN.string && this.#previousWord === WORD.uescape;
      this.#previous = isUescape ? PREVIOUS.callable : PREVIOUS.other;
    }
    this.#previousWord = word;
    if (this.#tokens === 1) this.#first = word;
    else if (this.#tokens === 2) this.#second = word;
  }

  #seePunctuation(byte: number): void {
    if (byte === OPEN) {
      const isCall =
        this.#previous === PREVIOUS.callable || (this.#previous === PREVIOUS.harmless && this.#isQualified);
      // The columns of COPY are no call.
      if (isCall && (this.#depth > 0 || this.#first !== WORD.copy)) this.#calls = true;
      this.#depth++;
    } else if (byte === CLOSE) {
      this.#depth = Math.max(0, this.#depth - 1);
    } else if (this.#tokens === 0) {
      this.#tokens++;
    }
    this.#previous = byte === POINT ? PREVIOUS.point : PREVIOUS.other;
    this.#previousWord = WORD_NONE;
  }

  #seeWord(word: number): void {
    if (CHANGES.has(word)) this.#changes = true;
    else if (
      this.#previousWord === WORD.for &&
      (word === WORD.share || word === WORD.no || word === WORD.key)
    ) {
      this.#changes = true;
    }
    if (this.#main === WORD_NONE && this.#depth === 0 && MAIN_VERBS.has(word)) this.#main = word;
    switch (word) {
      case WORD.analyze:
      case WORD.analyse:
        this.#analyzes = true;
        break;
      case WORD.prepared:
        this.#prepared = true;
        break;
      case WORD.from:
      case WORD.to:
        this.#toSavepoint ||= word === WORD.to;
        if (this.#first === WORD.copy && this.#depth === 0) this.#copy ??= word === WORD.from ? 'from' : 'to';
        break;
      case WORD.stdout:
        if (this.#previousWord === WORD.to && this.#copy === 'to') this.#copy = 'stdout';
        break;
      default:
        this.#seeAtomic(word);
    }
  }

  #seeAtomic(word: number): void {
    if (ROUTINES.has(word) && this.#first === WORD.create && this.#tokens <= 4) this.#isRoutine = true;
    if (!this.#isRoutine) return;
    if (word === WORD.atomic && this.#previousWord === WORD.begin) this.#atomic = 1;
    else if (this.#atomic > 0 && word === WORD.case) this.#atomic++;
    else if (this.#atomic > 0 && word === WORD.end) this.#atomic--;
  }

  get transaction(): TransactionVerb | undefined {
    switch (this.#first) {
      case WORD.begin:
      case WORD.start:
        return 'begin';
      case WORD.commit:
      case WORD.end:
        return 'commit';
      case WORD.rollback:
        return this.#toSavepoint ? 'rollback-to' : 'rollback';
      case WORD.abort:
        return 'rollback';
      case WORD.savepoint:
        return 'savepoint';
      case WORD.release:
        return 'release';
      case WORD.prepare:
        return this.#second === WORD.transaction ? 'prepare' : undefined;
      default:
        return undefined;
    }
  }

  get effect(): Effect {
    if (this.isBroken) return 'unknown';
    switch (this.#first) {
      case WORD.select:
      case WORD.table:
      case WORD.values:
      case WORD.with:
      case WORD.declare:
        return this.#queryEffect();
      case WORD.explain:
        return this.#analyzes ? 'unknown' : 'read';
      case WORD.copy:
        return this.#copy === 'stdout' ? this.#queryEffect() : 'write';
      case WORD.rollback:
        return this.#prepared ? 'write' : 'read';
      case WORD.set:
        // Deferred constraint triggers run when SET CONSTRAINTS makes them immediate.
        return this.#second === WORD.constraints ? 'write' : 'read';
      case WORD.prepare:
        return this.#second === WORD.transaction ? 'write' : 'read';
      default:
        return this.#verbEffect();
    }
  }

  #queryEffect(): Effect {
    if (this.#changes) return 'write';
    return this.#calls ? 'unknown' : 'read';
  }

  #verbEffect(): Effect {
    switch (this.#first) {
      case WORD.abort:
      case WORD.begin:
      case WORD.close:
      case WORD.deallocate:
      case WORD.fetch:
      case WORD.move:
      case WORD.release:
      case WORD.reset:
      case WORD.savepoint:
      case WORD.show:
      case WORD.start:
        return 'read';
      case WORD.create:
      case WORD.alter:
      case WORD.drop:
        return ADMIN_OBJECTS.has(this.#second) ? 'admin' : 'write';
      case WORD.checkpoint:
      case WORD.grant:
      case WORD.load:
      case WORD.reassign:
      case WORD.revoke:
        return 'admin';
      case WORD.call:
      case WORD.discard:
      case WORD.do:
      case WORD.execute:
      case WORD.listen:
      case WORD.lock:
      case WORD.unlisten:
        return 'unknown';
      default:
        return commandName(this.#first) === undefined ? 'unknown' : 'write';
    }
  }
}
