import { CountersignError } from '../../errors.ts';
import type { Touched } from '../../session/touched.ts';
import { FIRST_OWN_OID } from '../analysis/call-reading.ts';
import { combineReadings, demandSame } from '../analysis/combine-readings.ts';
import { possibleAccess } from '../analysis/possible-access.ts';
import type { StatementReading } from '../analysis/reading.ts';
import {
  unreadable,
  type KeptReading,
  type Failed,
  type Judged,
  type Wait,
} from '../analysis/session-analysis.ts';
import type { Meaning, SessionChange } from '../inspect/meaning.ts';
import { judgeSettings } from '../inspect/settings.ts';
import { MAX_STATEMENT_BYTES } from '../inspect/parse/parse-statement.ts';
import { preparedLineage } from '../lineage/prepared-lineage.ts';
import type { Exchange } from './exchange.ts';
import { UNCERTAIN } from './name-table.ts';
import type { PreparedStatement } from './prepared-statements.ts';

/** What a command is, as far as it is known before it is authorized. */
export interface Judgement {
  readonly reading: StatementReading;
  /** Of a prepared statement: as it is now, without what it was before. To be remembered once it is forwarded. */
  readonly fresh?: StatementReading;
  /** Epoch of the snapshot, for the record. */
  readonly catalog: string | undefined;
  /** The search_path that it was judged under; undefined: not known. */
  readonly path?: readonly string[] | undefined;
  /** Why it may not run, whatever is granted: it could not be read, or changes a setting that may not be changed. */
  readonly refusal: CountersignError | undefined;
}

/** Nothing was looked up along it. */
const NO_PATH: readonly string[] = [];

/** It cannot be told yet: the message is to come again. */
export const WAIT = Symbol('wait');

/** More different meanings than this and a prepared statement has to be prepared anew. */
const MAX_MEANINGS = 8;

const NOTHING: Meaning = {
  kind: 'unknown',
  effect: 'unknown',
  statements: 1,
  demands: [],
  reaches: [],
  unknownNames: [],
  usesSearchPath: false,
  usesCatalog: false,
  changes: [],
};

/** Something that touches nothing which was not judged before: the rows of a cursor, or a statement that is not there. */
export const TOUCHES_NOTHING: Judgement = {
  reading: { meaning: NOTHING, settings: [] },
  catalog: undefined,
  refusal: undefined,
};

/** Judges the text of a Query. */
export function judgeText(exchange: Exchange, text: Buffer): Judgement | typeof WAIT {
  const judged = askAnalysis(exchange, text);
  if (judged === WAIT || judged.kind === 'failed') return settle(exchange, judged);
  return settle(exchange, withExecuted(exchange, judged));
}

/** Judges a prepared statement, for a Parse of it, a Bind or an EXECUTE. */
export function judgeStatement(exchange: Exchange, statement: PreparedStatement): Judgement | typeof WAIT {
  return settle(exchange, readPrepared(exchange, statement, true));
}

/** The same where nothing can wait any more: what is not known at once is refused. */
export function judgeStatementNow(exchange: Exchange, statement: PreparedStatement): Judgement {
  const judgement = settle(exchange, readPrepared(exchange, statement, false));
  return judgement === WAIT ? refused(new CountersignError('CS_CATALOG_MOVED')) : judgement;
}

/** Judges a FunctionCall. */
export function judgeCall(exchange: Exchange, oid: number): Judgement | typeof WAIT {
  return settle(exchange, heldBack(exchange, exchange.analysis.judgeCall(oid)));
}

/** What the session is told of it. */
export function touchedOf({ reading, catalog, path }: Judgement, text: Buffer | undefined): Touched {
  const { meaning } = reading;
  const possible =
    meaning.unknownNames.length === 0
      ? undefined
      : possibleAccess(reading, meaning.usesSearchPath ? path : NO_PATH);
  return {
    ...(possible === undefined ? {} : { possible }),
    demands: meaning.demands,
    reaches: meaning.reaches,
    unknownNames: meaning.unknownNames,
    ...(meaning.fingerprint === undefined ? {} : { fingerprint: meaning.fingerprint }),
    ...(catalog === undefined ? {} : { catalog }),
    ...(text === undefined ? {} : { text: () => text.toString('utf8') }),
  };
}

type Found = (Judged & { readonly fresh?: StatementReading }) | Failed | typeof WAIT;

function settle(exchange: Exchange, found: Found): Judgement | typeof WAIT {
  if (found === WAIT) return WAIT;
  if (found.kind === 'failed') return refused(found.error);
  const { reading, recorded, fresh, kept } = found;
  const refusal = refusalOf(exchange, reading);
  const path = kept.names.searchPath;
  return { reading, catalog: recorded, path, refusal, ...(fresh === undefined ? {} : { fresh }) };
}

function refused(refusal: CountersignError): Judgement {
  return { ...TOUCHES_NOTHING, refusal };
}

function askAnalysis(exchange: Exchange, text: Buffer, mayWait = true, kept?: KeptReading): Found {
  // Inside a COPY the target does not look at it, unless that has just failed: then nobody knows what it did to names.
  // Nor behind an error in its series: there it would not answer what the names are either.
  const waits = mayWait && exchange.copyIn === undefined && !exchange.expected.isSkipping;
  return heldBack(exchange, exchange.analysis.judge(text, exchange.transaction, waits, kept));
}

/** Does what brings the end of a wait nearer. */
function heldBack(exchange: Exchange, judged: Judged | Failed | Wait): Found {
  switch (judged.kind) {
    case 'judged':
    case 'failed':
      return judged;
    case 'answers':
      exchange.flushSeries();
      return WAIT;
    case 'names':
      if (exchange.expected.isEmpty) exchange.questions.ask(judged.missing);
      else exchange.flushSeries();
      return WAIT;
    default:
      return WAIT;
  }
}

/** The statement as it is now, and as it was when its plan may have been made: the target does not make another for every change of names. */
function readPrepared(exchange: Exchange, statement: PreparedStatement, mayWait: boolean): Found {
  const found = askAnalysis(exchange, statement.text, mayWait, statement.kept);
  if (found === WAIT || found.kind === 'failed') return found;
  statement.kept = found.kept;
  const executed = withExecuted(exchange, innerOf(found, statement), mayWait);
  const judged = withParameters(exchange, executed, statement, mayWait);
  if (judged === WAIT || judged.kind === 'failed') return judged;
  const fresh = judged.reading;
  let reading = fresh;
  for (const meaning of statement.meanings) {
    if (!demandSame(meaning, fresh)) reading = combineReadings(reading, meaning);
  }
  if (reading !== fresh && statement.meanings.length >= MAX_MEANINGS) {
    return { kind: 'failed', error: new CountersignError('CS_CATALOG_MOVED') };
  }
  return { ...judged, reading, fresh };
}

/** A prepared statement goes to the target, which may make a plan of what it means now. */
export function rememberMeaning({ meanings }: PreparedStatement, { fresh }: Judgement): void {
  if (fresh === undefined) return;
  const same = meanings.findIndex((known) => demandSame(known, fresh));
  if (same < 0) meanings.push(fresh);
  else meanings[same] = fresh;
}

/** With what the values of its parameters run, where the Parse gave their types: no text names them. */
function withParameters(
  exchange: Exchange,
  found: Found,
  { parameterTypes }: PreparedStatement,
  mayWait: boolean,
): Found {
  if (found === WAIT || found.kind === 'failed') return found;
  let { reading } = found;
  for (const oid of parameterTypes) {
    if (oid < FIRST_OWN_OID) continue;
    const type = heldBack(exchange, exchange.analysis.judgeType(oid, mayWait));
    if (type === WAIT || type.kind === 'failed') return type;
    reading = combineReadings(reading, type.reading);
  }
  return { ...found, reading };
}

/** Of a PREPARE: what it prepares. */
function innerOf(judged: Judged, { sqlName }: PreparedStatement): Judged {
  if (sqlName === undefined) return judged;
  const { reading } = judged;
  let inner = inners.get(reading);
  if (inner === undefined) {
    const change = reading.meaning.changes.findLast(
      (each) => each.kind === 'prepare' && each.name === sqlName,
    );
    const meaning = change?.kind === 'prepare' ? change.inner : undefined;
    const lineage = preparedLineage(reading.lineage, sqlName);
    inner = {
      meaning: meaning ?? { ...NOTHING, unreadable: { reason: 'unknown-prepared-statement' } },
      settings: [],
      ...(lineage === undefined ? {} : { lineage }),
    };
    inners.set(reading, inner);
  }
  return { ...judged, reading: inner };
}

const inners = new WeakMap<StatementReading, StatementReading>();

/** Together with what it EXECUTEs. */
function withExecuted(exchange: Exchange, judged: Judged, mayWait = true): Found {
  const { meaning } = judged.reading;
  const { executes } = meaning;
  if (executes === undefined || executes.length === 0) return judged;
  // What stands in front of it in the same text may have moved the names that it is looked up by.
  if (meaning.statements > 1 && mayMoveNames(meaning)) {
    return { kind: 'failed', error: unreadable('unknown-prepared-statement') };
  }
  let { reading } = judged;
  for (const name of executes) {
    const statement = exchange.statements.lookup(name, exchange.series);
    if (statement === UNCERTAIN) {
      if (!mayWait) return { kind: 'failed', error: new CountersignError('CS_CATALOG_MOVED') };
      exchange.flushSeries();
      return WAIT;
    }
    if (statement === undefined) {
      if (!exchange.mayHaveUnknownStatements) continue; // The target has none of that name either, and says so.
      return { kind: 'failed', error: unreadable('unknown-prepared-statement') };
    }
    const inner = readPrepared(exchange, statement, mayWait);
    if (inner === WAIT || inner.kind === 'failed') return inner;
    reading = combineReadings(reading, inner.reading);
  }
  return { ...judged, reading };
}

const isBenign = (kind: SessionChange['kind']): boolean => kind === 'prepare' || kind === 'deallocate';

function mayMoveNames({ changes, demands }: Meaning): boolean {
  const moves = changes.some(
    (change) => !isBenign(change.kind) && !(change.kind === 'transaction' && change.verb === 'begin'),
  );
  return moves || demands.some(({ kind }) => kind === 'schema');
}

function refusalOf(
  exchange: Exchange,
  { meaning, settings }: StatementReading,
): CountersignError | undefined {
  const denied = settingDenied(exchange, settings);
  const { unreadable: unread } = meaning;
  // A setting that may not be changed is why the path is not known behind it.
  if (unread?.reason === 'unknown-search-path' && denied !== undefined) return denied;
  return unread === undefined ? denied : unreadableError(unread, exchange);
}

function settingDenied(
  exchange: Exchange,
  settings: StatementReading['settings'],
): CountersignError | undefined {
  if (settings.length === 0) return undefined;
  const verdict = judgeSettings(settings, exchange.settings);
  if (verdict.ok) return undefined;
  const subject = verdict.setting === undefined ? '' : `${verdict.setting}: `;
  return new CountersignError('CS_SETTING_DENIED', { detail: `${subject}${verdict.reason}` });
}

function unreadableError(
  { reason, message, position }: NonNullable<Meaning['unreadable']>,
  { limits }: Exchange,
): CountersignError {
  switch (reason) {
    case 'syntax': {
      const told = {
        ...(message === undefined ? {} : { message }),
        ...(position === undefined ? {} : { position }),
      };
      return new CountersignError('CS_STATEMENT_SYNTAX', { told });
    }
    case 'too-long':
      return new CountersignError('CS_STATEMENT_TOO_LONG', {
        detail: `The limit is ${Math.min(limits.maxStatementBytes, MAX_STATEMENT_BYTES)} bytes.`,
      });
    case 'deadline':
    case 'too-deep':
      return new CountersignError('CS_STATEMENT_TOO_COMPLEX', { detail: reason, ruleIds: [reason] });
    default:
      return unreadable(reason);
  }
}
