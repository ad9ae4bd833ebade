/**
 * The words that `classify.ts` and `settings.ts` look for, each with a small number, found without making a string.
 *
 * Only these words are ever told apart; every other identifier is `WORD_NONE`. That keeps caller-chosen text out of
 * what is derived from a statement.
 */

/** First words of PostgreSQL's commands: the closed list of a statement's kinds. */
export const COMMAND_WORDS = [
  'abort',
  'alter',
  'analyse',
  'analyze',
  'begin',
  'call',
  'checkpoint',
  'close',
  'cluster',
  'comment',
  'commit',
  'copy',
  'create',
  'deallocate',
  'declare',
  'delete',
  'discard',
  'do',
  'drop',
  'end',
  'execute',
  'explain',
  'fetch',
  'grant',
  'import',
  'insert',
  'listen',
  'load',
  'lock',
  'merge',
  'move',
  'notify',
  'prepare',
  'reassign',
  'refresh',
  'reindex',
  'release',
  'reset',
  'revoke',
  'rollback',
  'savepoint',
  'security',
  'select',
  'set',
  'show',
  'start',
  'table',
  'truncate',
  'unlisten',
  'update',
  'vacuum',
  'values',
  'with',
] as const;

/** Words whose place in a statement matters. */
const SYNTAX_WORDS = [
  'all',
  'and',
  'as',
  'atomic',
  'authorization',
  'case',
  'chain',
  'characteristics',
  'configuration',
  'constraints',
  'current',
  'database',
  'default',
  'false',
  'for',
  'from',
  'function',
  'group',
  'into',
  'is',
  'isolation',
  'key',
  'language',
  'local',
  'name',
  'names',
  'no',
  'off',
  'on',
  'or',
  'pg_settings',
  'prepared',
  'privileges',
  'procedure',
  'role',
  'routine',
  'rule',
  'session',
  'set_config',
  'share',
  'stdin',
  'stdout',
  'subscription',
  'system',
  'tablespace',
  'temp',
  'text',
  'time',
  'to',
  'transaction',
  'true',
  'uescape',
  'user',
  'view',
  'where',
  'work',
  'zone',
  'loop',
  'then',
  'else',
  'temporary',
  'plans',
  'sequences',
  'schema',
  'seed',
  'snapshot',
  'xml',
  'option',
  'none',
  'exception',
  'query_to_xml',
  'query_to_xmlschema',
  'query_to_xml_and_xmlschema',
  'ts_stat',
  'ts_rewrite',
  'pg_catalog',
] as const;

/**
 * Words that may stand before `(` without it being the call of a function that could write: syntax, type names, and
 * built-in functions without effects. A schema-qualified one is not taken for harmless.
 */
const HARMLESS_BEFORE_PARENTHESIS = [
  'abs',
  'age',
  'any',
  'array',
  'array_agg',
  'avg',
  'between',
  'bit',
  'bool_and',
  'bool_or',
  'btrim',
  'by',
  'cast',
  'ceil',
  'ceiling',
  'char',
  'char_length',
  'character',
  'character_length',
  'coalesce',
  'concat',
  'concat_ws',
  'count',
  'cross',
  'cube',
  'current_setting',
  'date_part',
  'date_trunc',
  'decimal',
  'dense_rank',
  'distinct',
  'every',
  'except',
  'exists',
  'extract',
  'filter',
  'first_value',
  'float',
  'floor',
  'format',
  'greatest',
  'grouping',
  'having',
  'ilike',
  'in',
  'inner',
  'intersect',
  'interval',
  'join',
  'json_agg',
  'json_build_object',
  'jsonb_agg',
  'jsonb_build_object',
  'lag',
  'last_value',
  'lateral',
  'lead',
  'least',
  'left',
  'length',
  'like',
  'limit',
  'lower',
  'ltrim',
  'materialized',
  'max',
  'md5',
  'min',
  'mod',
  'not',
  'now',
  'ntile',
  'nullif',
  'numeric',
  'octet_length',
  'offset',
  'over',
  'overlay',
  'partition',
  'percent_rank',
  'position',
  'power',
  'rank',
  'recursive',
  'replace',
  'right',
  'rollup',
  'round',
  'row',
  'row_number',
  'rtrim',
  'sets',
  'sign',
  'some',
  'split_part',
  'sqrt',
  'string_agg',
  'substr',
  'substring',
  'sum',
  'timestamp',
  'timestamptz',
  'to_char',
  'to_date',
  'to_json',
  'to_jsonb',
  'to_number',
  'to_timestamp',
  'trim',
  'trunc',
  'union',
  'unnest',
  'upper',
  'using',
  'varchar',
  'varying',
  'version',
  'when',
  'within',
] as const;

/** Syntax and command words that may stand before `(` too. */
const SYNTAX_BEFORE_PARENTHESIS: readonly string[] = [
  'all',
  'analyze',
  'and',
  'as',
  'case',
  'else',
  'explain',
  'for',
  'from',
  'group',
  'is',
  'on',
  'or',
  'select',
  'then',
  'time',
  'to',
  'values',
  'where',
  'with',
  'copy',
];

export type Word =
  | (typeof COMMAND_WORDS)[number]
  | (typeof SYNTAX_WORDS)[number]
  | (typeof HARMLESS_BEFORE_PARENTHESIS)[number];

/** Not one of the words. */
export const WORD_NONE = 0;

const NAMES: readonly Word[] = [
  ...new Set<Word>([...COMMAND_WORDS, ...SYNTAX_WORDS, ...HARMLESS_BEFORE_PARENTHESIS]),
];

/** Word → number, from 1. */
export const WORD = Object.fromEntries(NAMES.map((name, index) => [name, index + 1])) as Readonly<
  Record<Word, number>
>;

const COMMAND_NUMBERS: ReadonlySet<number> = new Set(COMMAND_WORDS.map((name) => WORD[name]));
const HARMLESS = new Uint8Array(NAMES.length + 1);
for (const name of HARMLESS_BEFORE_PARENTHESIS) HARMLESS[WORD[name]] = 1;
for (const name of SYNTAX_BEFORE_PARENTHESIS) HARMLESS[WORD[name as Word]] = 1;

/** The kind that a statement beginning with this word has, or undefined if no command begins so. */
export function commandName(word: number): (typeof COMMAND_WORDS)[number] | undefined {
  return COMMAND_NUMBERS.has(word) ? (NAMES[word - 1] as (typeof COMMAND_WORDS)[number]) : undefined;
}

export function isHarmlessBeforeParenthesis(word: number): boolean {
  return HARMLESS[word] === 1;
}

// Open addressing over a table of four times the words. A hit is always confirmed byte by byte.
const TABLE_SIZE = 1024;
const TABLE = new Uint16Array(TABLE_SIZE);
const LENGTHS = new Uint8Array(NAMES.length + 1);
const LONGEST = Math.max(...NAMES.map((name) => name.length));
const LETTERS: readonly Uint8Array[] = [
  new Uint8Array(0),
  ...NAMES.map((name) => Buffer.from(name, 'latin1')),
];

/** One step of the hash over lower-cased bytes; the scanner computes it as it walks an identifier. */
export function hashStep(hash: number, lowerByte: number): number {
  return (Math.imul(hash, 31) + lowerByte) | 0;
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 10)) & (TABLE_SIZE - 1);
}

for (const [index, name] of NAMES.entries()) {
  let hash = 0;
  for (const byte of LETTERS[index + 1]!) hash = hashStep(hash, byte);
  let slot = slotOf(hash);
  while (TABLE[slot] !== 0) slot = (slot + 1) & (TABLE_SIZE - 1);
  TABLE[slot] = index + 1;
  LENGTHS[index + 1] = name.length;
}

/** The number of the identifier `bytes[start, end)` in any case, whose hash is `hash`; `WORD_NONE` if it is no word. */
export function findWord(bytes: Uint8Array, start: number, end: number, hash: number): number {
  const length = end - start;
  if (length > LONGEST) return WORD_NONE;
  for (let slot = slotOf(hash); ; slot = (slot + 1) & (TABLE_SIZE - 1)) {
    const word = TABLE[slot]!;
    if (word === WORD_NONE) return WORD_NONE;
    if (LENGTHS[word] === length && sameLetters(LETTERS[word]!, bytes, start)) return word;
  }
}

function sameLetters(letters: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < letters.length; index++) {
    let byte = bytes[start + index]!;
    if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
    if (byte !== letters[index]) return false;
  }
  return true;
}
