/**
 * Finds what a statement's own text does to the session's settings: SET, RESET, DISCARD, ALTER … SET and set_config.
 *
 * The functions here read on from a word that the pass in `inspect.ts` met, with a scanner of their own. What they
 * cannot read becomes a change with a reason, which every policy refuses: unknown means deny.
 */
import { Scanner, TOKEN } from './lexer.ts';
import { WORD, WORD_NONE } from './words.ts';

/** Why a change is refused whatever the allow-list says. */
export type RefusalReason =
  /** SET ROLE: the login of the grant is who the session is. */
  | 'role'
  | 'session-authorization'
  | 'alter-system'
  /** The name of the setting is not a plain literal. */
  | 'dynamic-name'
  /** UPDATE of pg_settings, or a view or rule over it. */
  | 'pg-settings'
  /** A SET that cannot be read, or strings run inside strings too deep. */
  | 'unreadable';

export type SettingChange =
  /** `value`: a single literal or word as it stands in the text; undefined if it is a list or an expression. */
  | { readonly kind: 'set'; readonly name: string; readonly value: string | undefined }
  /** Back to the value that the session began with. */
  | { readonly kind: 'reset'; readonly name: string }
  | { readonly kind: 'refused'; readonly reason: RefusalReason };

const refused = (reason: RefusalReason): SettingChange => ({ kind: 'refused', reason });

/** Text of an unquoted token, a quoted identifier or a plain string without its quotes. Undefined: not a plain one. */
export function plainText(scanner: Scanner): string | undefined {
  const text = Buffer.from(
    scanner.bytes.buffer,
    scanner.bytes.byteOffset + scanner.start,
    scanner.end - scanner.start,
  ).toString('utf8');
  switch (scanner.kind) {
    case TOKEN.identifier:
    case TOKEN.number:
      return text;
    case TOKEN.quotedIdentifier:
      return text.slice(1, -1).replaceAll('""', '"');
    case TOKEN.string:
      if (scanner.continued || !text.startsWith("'")) return undefined;
      return text.slice(1, -1).replaceAll("''", "'");
    default:
      return undefined;
  }
}

const MAX_UNICODE_ESCAPE = 0x10ffff;

/**
 * The name that `U&"…"` spells, read with the escape character that a following UESCAPE gives.
 * Undefined: it cannot be read.
 */
export function unicodeIdentifierText(scanner: Scanner): string | undefined {
  const raw = Buffer.from(scanner.bytes.subarray(scanner.start + 3, scanner.end - 1))
    .toString('utf8')
    .replaceAll('""', '"');
  const ahead = Scanner.behind(scanner.bytes, scanner.end, scanner.limit);
  let escape = '\\';
  if (ahead.next() === TOKEN.identifier && ahead.word === WORD.uescape) {
    const given = ahead.next() === TOKEN.string ? plainText(ahead) : undefined;
    if (given === undefined || given.length !== 1) return undefined;
    escape = given;
  }
  let text = '';
  for (let at = 0; at < raw.length;) {
    if (raw[at] !== escape) text += raw[at++];
    else if (raw[at + 1] === escape) {
      text += escape;
      at += 2;
    } else {
      const long = raw[at + 1] === '+';
      const digits = long ? raw.slice(at + 2, at + 8) : raw.slice(at + 1, at + 5);
      const code = digits.length === (long ? 6 : 4) ? Number(`0x${digits}`) : Number.NaN;
      if (!(code <= MAX_UNICODE_ESCAPE)) return undefined;
      text += String.fromCodePoint(code);
      at += long ? 8 : 5;
    }
  }
  return text;
}

/** Reads on behind one word. One scanner, one token of memory. */
class Reader {
  readonly scanner: Scanner;

  constructor(bytes: Uint8Array, start: number, limit: number) {
    // The pass that met the word has found no NUL, or it would have met no word.
    this.scanner = Scanner.behind(bytes, start, limit);
    this.scanner.next();
  }

  get word(): number {
    return this.scanner.kind === TOKEN.identifier ? this.scanner.word : WORD_NONE;
  }

  get atEnd(): boolean {
    return this.scanner.kind === TOKEN.end || this.isSymbol(';');
  }

  isSymbol(symbol: string): boolean {
    return this.scanner.symbol === symbol.charCodeAt(0);
  }

  acceptWord(...words: readonly number[]): boolean {
    if (!words.includes(this.word)) return false;
    this.scanner.next();
    return true;
  }

  acceptSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.scanner.next();
    return true;
  }

  /** The plain text of a token of one of `kinds`, which is passed; undefined (and nothing passed) if it is another. */
  acceptText(...kinds: readonly number[]): string | undefined {
    if (!kinds.includes(this.scanner.kind)) return undefined;
    const text = plainText(this.scanner);
    if (text !== undefined) this.scanner.next();
    return text;
  }

  /** A name, possibly with points in it, in lower case as the server compares names of settings. */
  settingName(): string | undefined {
    let name = this.acceptText(TOKEN.identifier, TOKEN.quotedIdentifier);
    while (name !== undefined && this.acceptSymbol('.')) {
      const part = this.acceptText(TOKEN.identifier, TOKEN.quotedIdentifier);
      name = part === undefined ? undefined : `${name}.${part}`;
    }
    return name?.toLowerCase();
  }

  /** One value up to the end of the statement; undefined if it is anything else. Words fold to lower case. */
  singleValue(): string | undefined {
    const isWord = this.scanner.kind === TOKEN.identifier;
    const sign = this.acceptSymbol('-') ? '-' : '';
    if (sign === '') this.acceptSymbol('+');
    const value = this.acceptText(TOKEN.identifier, TOKEN.quotedIdentifier, TOKEN.string, TOKEN.number);
    if (value === undefined || !this.atEnd) return undefined;
    return sign + (isWord ? value.toLowerCase() : value);
  }

  /** `= value`, `TO value` or `TO DEFAULT`, to the end of the statement. */
  assignment(name: string): SettingChange {
    if (!this.acceptSymbol('=') && !this.acceptWord(WORD.to)) return refused('unreadable');
    return this.valueOf(name);
  }

  valueOf(name: string): SettingChange {
    const isDefault = this.word === WORD.default;
    const value = this.singleValue();
    return isDefault && value !== undefined ? { kind: 'reset', name } : { kind: 'set', name, value };
  }
}

/** Behind the word SET at the start of a statement. Undefined: nothing is set (SET CONSTRAINTS, SET TRANSACTION). */
export function readSet(bytes: Uint8Array, start: number, limit: number): SettingChange | undefined {
  const reader = new Reader(bytes, start, limit);
  if (reader.acceptWord(WORD.session)) {
    if (reader.acceptWord(WORD.characteristics)) return undefined;
    if (reader.acceptWord(WORD.authorization))
      return readIdentity(reader, 'session-authorization', 'session_authorization');
  } else {
    reader.acceptWord(WORD.local);
    // SET LOCAL SESSION AUTHORIZATION is lawful too.
    if (reader.word === WORD.session) {
      reader.scanner.next();
      if (!reader.acceptWord(WORD.authorization)) return refused('unreadable');
      return readIdentity(reader, 'session-authorization', 'session_authorization');
    }
  }
  const word = reader.word;
  const name = reader.settingName();
  if (name === undefined) return refused('dynamic-name');
  if (reader.isSymbol('=') || reader.word === WORD.to) return reader.assignment(name);
  switch (word) {
    case WORD.transaction:
    case WORD.constraints:
      return undefined;
    case WORD.role:
      return readIdentity(reader, 'role', 'role');
    case WORD.time:
      return reader.acceptWord(WORD.zone) ? readTimeZone(reader) : refused('unreadable');
    case WORD.names:
      return reader.atEnd ? { kind: 'reset', name: 'client_encoding' } : reader.valueOf('client_encoding');
    case WORD.schema:
      return reader.valueOf('search_path');
    case WORD.xml:
      return reader.acceptWord(WORD.option) ? reader.valueOf('xmloption') : refused('unreadable');
    default:
      return refused('unreadable');
  }
}

/** The zone may be an interval (`INTERVAL '-08:00' HOUR TO MINUTE`), which is no single value but harmless. */
function readTimeZone(reader: Reader): SettingChange {
  if (reader.acceptWord(WORD.local)) return { kind: 'reset', name: 'timezone' };
  return reader.valueOf('timezone');
}

function readIdentity(reader: Reader, reason: RefusalReason, name: string): SettingChange {
  const isReset = reader.word === WORD.none || reader.word === WORD.default;
  return isReset && reader.singleValue() !== undefined ? { kind: 'reset', name } : refused(reason);
}

/** Behind the word RESET at the start of a statement. */
export function readReset(bytes: Uint8Array, start: number, limit: number): SettingChange {
  const reader = new Reader(bytes, start, limit);
  if (reader.acceptWord(WORD.session)) {
    return reader.acceptWord(WORD.authorization)
      ? { kind: 'reset', name: 'session_authorization' }
      : refused('unreadable');
  }
  if (reader.acceptWord(WORD.time)) {
    return reader.acceptWord(WORD.zone) ? { kind: 'reset', name: 'timezone' } : refused('unreadable');
  }
  if (reader.acceptWord(WORD.transaction)) return { kind: 'reset', name: 'transaction_isolation' };
  const name = reader.settingName();
  return name === undefined ? refused('dynamic-name') : { kind: 'reset', name };
}

/** Behind ALTER at the start of a statement. What ALTER ROLE and ALTER DATABASE set outlives the session. */
export function readAlter(bytes: Uint8Array, start: number, limit: number): SettingChange | undefined {
  const reader = new Reader(bytes, start, limit);
  if (reader.acceptWord(WORD.system)) return refused('alter-system');
  if (!reader.acceptWord(WORD.role, WORD.user, WORD.database)) return undefined;
  while (!reader.atEnd && reader.scanner.kind !== TOKEN.broken) {
    if (reader.acceptWord(WORD.set)) {
      if (reader.acceptWord(WORD.tablespace)) return undefined;
      if (reader.acceptWord(WORD.time))
        return reader.acceptWord(WORD.zone) ? readTimeZone(reader) : refused('unreadable');
      const name = reader.settingName();
      if (name === undefined) return refused('dynamic-name');
      // FROM CURRENT copies a value that was already allowed for this session.
      return reader.word === WORD.from ? undefined : reader.assignment(name);
    }
    reader.scanner.next();
  }
  return undefined;
}

/** What pg_dump (17 and later) sends: it leaves the name to pg_settings so that older servers find no row. */
const SELF_NAMED_SETTING = 'restrict_nonsystem_relation_kind';

/** Behind the name set_config, wherever it stands: `('name', …`, or what pg_dump sends; everything else is refused. */
export function readSetConfig(bytes: Uint8Array, start: number, limit: number): SettingChange {
  const reader = new Reader(bytes, start, limit);
  if (!reader.acceptSymbol('(')) return refused('dynamic-name');
  if (reader.acceptWord(WORD.name)) return readSelfNamed(reader);
  const name = reader.acceptText(TOKEN.string);
  if (name === undefined) return refused('dynamic-name');
  acceptTextCast(reader);
  if (!reader.acceptSymbol(',')) return refused('dynamic-name');
  const value = reader.acceptText(TOKEN.string);
  if (value !== undefined) acceptTextCast(reader);
  return { kind: 'set', name: name.toLowerCase(), value: reader.isSymbol(',') ? value : undefined };
}

function acceptTextCast(reader: Reader): void {
  if (!reader.acceptSymbol(':')) return;
  reader.acceptSymbol(':');
  reader.acceptWord(WORD.text);
}

function readSelfNamed(reader: Reader): SettingChange {
  if (!reader.acceptSymbol(',')) return refused('dynamic-name');
  const value = reader.acceptText(TOKEN.string);
  const readsOn =
    value !== undefined &&
    reader.acceptSymbol(',') &&
    reader.acceptWord(WORD.false, WORD.true) &&
    reader.acceptSymbol(')') &&
    reader.acceptWord(WORD.from);
  if (!readsOn) return refused('dynamic-name');
  if (reader.acceptWord(WORD.pg_catalog) && !reader.acceptSymbol('.')) return refused('dynamic-name');
  const isOneRow =
    reader.acceptWord(WORD.pg_settings) &&
    reader.acceptWord(WORD.where) &&
    reader.acceptWord(WORD.name) &&
    reader.acceptSymbol('=');
  const name = isOneRow ? reader.acceptText(TOKEN.string) : undefined;
  return name === SELF_NAMED_SETTING && reader.atEnd ? { kind: 'set', name, value } : refused('dynamic-name');
}
