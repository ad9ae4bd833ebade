/**
 * What a text would do: parsed by PostgreSQL's own grammar, its names found in the catalog as the server finds them (docs/analysis.md). The entry of
 * this room; pure, and never throws.
 */
import type { Catalog } from '../catalog/catalog.ts';
import { combineEffects } from './classify.ts';
import type { Effect } from './classify.ts';
import { inspectStatement } from './inspect.ts';
import type { AnalyzeStatement, Meaning, SessionNames, Unreadable } from './meaning.ts';
import { parseStatement } from './parse/parse-statement.ts';
import type { ParsedStatement, ParsedText } from './parse/parse-statement.ts';
import type { Node } from './parse/tree.ts';
import { analyzeStatementNode } from './statement/statement-analysis.ts';
import type { StatementFound } from './statement/statement-analysis.ts';
import { kindOfStatement } from './statement/statement-kind.ts';
import { TextNames, meaningOfStatement } from './statement/text-names.ts';
import { Demands, UnreadableStatement, withinWork } from './query/analyze-query.ts';

/** A statement of a text, with the catalog and the names as they are when it runs: for whatever follows it further. */
export interface AnalyzedStatement {
  readonly node: Node;
  readonly catalog: Catalog;
  readonly names: SessionNames;
  readonly found: StatementFound;
}

export interface AnalyzedText {
  readonly meaning: Meaning;
  /** None of a text that is unreadable. */
  readonly statements: readonly AnalyzedStatement[];
}

export const analyzeStatement: AnalyzeStatement = (text, catalog, names) =>
  analyzeText(text, catalog, names).meaning;

/** As `analyzeStatement`, with what was read. */
export function analyzeText(text: Uint8Array, catalog: Catalog, names: SessionNames): AnalyzedText {
  let parsed: ParsedText | undefined;
  try {
    const outcome = parseStatement(text);
    if ('unreadable' in outcome) return unread(unreadableMeaning(text, outcome.unreadable));
    ({ parsed } = outcome);
    const { fingerprint } = parsed;
    const read = parsed;
    const statements: AnalyzedStatement[] = [];
    const meaning = withinWork(() => meaningOf(text, read, catalog, names, statements));
    return { meaning: { ...meaning, fingerprint }, statements };
  } catch (error) {
    const reason =
      error instanceof UnreadableStatement
        ? error.reason
        : error instanceof RangeError
          ? 'too-deep'
          : 'parser-failure';
    const fingerprint = parsed === undefined ? {} : { fingerprint: parsed.fingerprint };
    return unread({ ...unreadableMeaning(text, { reason }), ...fingerprint });
  }
}

const unread = (meaning: Meaning): AnalyzedText => ({ meaning, statements: [] });

function meaningOf(
  text: Uint8Array,
  parsed: ParsedText,
  catalog: Catalog,
  names: SessionNames,
  analyzed: AnalyzedStatement[],
): Meaning {
  const [first, ...others] = parsed.statements;
  if (first === undefined) return EMPTY;
  const state = new TextNames(catalog, names);
  const found = analyzeOne(first.node, state, analyzed);
  if (others.length === 0) return meaningOfStatement(kindOfText(text, first), found);
  state.take(found, first.node);
  const all: StatementFound[] = [found];
  for (const { node } of others) {
    const next = analyzeOne(node, state, analyzed);
    state.take(next, node);
    all.push(next);
  }
  return merged(all, catalog);
}

function analyzeOne(node: Node, state: TextNames, analyzed: AnalyzedStatement[]): StatementFound {
  const { catalog, names } = state;
  const found = analyzeStatementNode(node, state);
  analyzed.push({ node, catalog, names, found });
  return found;
}

const EMPTY: Meaning = {
  kind: 'empty',
  effect: 'read',
  statements: 0,
  demands: [],
  reaches: [],
  unknownNames: [],
  usesSearchPath: false,
  usesCatalog: false,
  changes: [],
};

function merged(all: readonly StatementFound[], catalog: Catalog): Meaning {
  const demands = new Demands(catalog);
  let effect: Effect = 'read';
  for (const found of all) {
    demands.include(found);
    effect = combineEffects(effect, found.effect);
  }
  const together: StatementFound = {
    ...demands.finish(),
    effect,
    changes: all.flatMap(({ changes }) => changes),
    executes: all.flatMap(({ executes }) => executes),
  };
  return { ...meaningOfStatement('multi', together), statements: all.length };
}

/** The first word as written; where that is none of a statement (a bracket), what the tree says. */
function kindOfText(text: Uint8Array, { node }: ParsedStatement): Meaning['kind'] {
  const { kind } = inspectStatement(text);
  return kind === 'unknown' || kind === 'multi' || kind === 'empty' ? kindOfStatement(node) : kind;
}

/** A text that cannot be judged: nothing is demanded of it, it is refused. */
function unreadableMeaning(text: Uint8Array, unreadable: Unreadable): Meaning {
  return {
    ...EMPTY,
    kind: labelOf(text),
    effect: 'unknown',
    statements: 1,
    usesSearchPath: true,
    usesCatalog: true,
    unreadable,
  };
}

/** Only a label, and only of a text that is short enough to look at. */
function labelOf(text: Uint8Array): Meaning['kind'] {
  if (text.length > MAX_LABELLED_BYTES) return 'unknown';
  const { kind } = inspectStatement(text);
  return kind === 'empty' ? 'unknown' : kind;
}

const MAX_LABELLED_BYTES = 64 * 1024;
