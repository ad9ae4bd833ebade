import { CountersignError } from '../../errors.ts';
import type { Payload } from '../../record/recorder.ts';
import { Denied } from '../../session/denied.ts';
import { MASKED_VALUE_CAME_BACK } from '../../session/mask-refusal-text.ts';
import { decodeBind } from '../wire/frontend/bind.ts';
import { decodeClose } from '../wire/frontend/close.ts';
import { decodeDescribe, encodeDescribe } from '../wire/frontend/describe.ts';
import { decodeExecute } from '../wire/frontend/execute.ts';
import { decodeParse } from '../wire/frontend/parse.ts';
import { unreadable } from '../analysis/session-analysis.ts';
import type { Exchange } from './exchange.ts';
import { BoundParameters } from './bound-parameters.ts';
import { Unit } from './expected-answers.ts';
import { withLineage } from './lineage-of-command.ts';
import { UNCERTAIN } from './name-table.ts';
import {
  PREPARED_BYTES_LIMIT,
  preparedBytes,
  type Portal,
  type PreparedStatement,
} from './prepared-statements.ts';
import { refuseSeries } from './refusal.ts';
import { SeriesWindow, type BoundValues, type WindowEntry } from './series-window.ts';
import { commitStatement, describeExecute, describePlan, type CommittedIntent } from './series-intents.ts';
import {
  judgeStatement,
  judgeStatementNow,
  rememberMeaning,
  touchedOf,
  TOUCHES_NOTHING,
  WAIT,
  type Judgement,
} from './judgement.ts';

export { SeriesWindow };

/** What a handler did with a message: `wait` = nothing yet, give it again once the target has answered more. */
export type Taken = 'taken' | 'wait';

/** Parse: judged, remembered, and held until an Execute, Flush or Sync gives it an intent. */
export function onParse(
  exchange: Exchange,
  window: SeriesWindow,
  buffer: Buffer,
  start: number,
  end: number,
): Taken {
  const parse = decodeParse(buffer, start, end);
  if (parse.text.end - parse.text.start > exchange.limits.maxStatementBytes) {
    onParseTooLong(exchange, window);
    return 'taken';
  }
  const view = buffer.subarray(parse.text.start, parse.text.end);
  const { parameterTypes } = parse;
  const seen: PreparedStatement = { text: view, meanings: [], parameterTypes };
  const judgement = judgeStatement(exchange, seen);
  if (judgement === WAIT) return 'wait';
  const text = Buffer.from(view);
  const { reading } = judgement;
  const statement: PreparedStatement = { ...seen, text };
  const refusal = judgement.refusal ?? refusalForRoom(exchange, statement);
  if (refusal !== undefined) {
    if (!claimWindow(exchange, window)) return 'taken';
    const { digest, payloads } = commitStatement(exchange, text);
    const { kind } = reading.meaning;
    refuseSeries(exchange, exchange.session.deny(refusal, { kind, statement: digest }, payloads));
    return 'taken';
  }
  const change = exchange.statements.propose(parse.statement, statement, exchange.series);
  window.push({ unit: new Unit('parse', undefined, undefined, change), buffer, start, end, statement });
  claimIfLarge(exchange, window);
  return 'taken';
}

function refusalForRoom(exchange: Exchange, statement: PreparedStatement): CountersignError | undefined {
  if (exchange.statements.bytes + preparedBytes(statement) <= PREPARED_BYTES_LIMIT) return undefined;
  return new CountersignError('CS_PREPARED_LIMIT', { detail: `The limit is ${PREPARED_BYTES_LIMIT} bytes.` });
}

/** A Parse longer than `limits.maxStatementBytes`. Nothing of it is kept, and there is no commitment to it. */
export function onParseTooLong(exchange: Exchange, window: SeriesWindow): void {
  if (!claimWindow(exchange, window)) return;
  const error = new CountersignError('CS_STATEMENT_TOO_LONG', {
    detail: `The limit is ${exchange.limits.maxStatementBytes} bytes.`,
  });
  refuseSeries(exchange, exchange.session.deny(error, { kind: 'unknown' }, []));
}

/** Bind: makes a portal known, and is held with its Parse. */
export function onBind(
  exchange: Exchange,
  window: SeriesWindow,
  buffer: Buffer,
  start: number,
  end: number,
): Taken {
  const bind = decodeBind(buffer, start, end);
  const values: BoundValues = { kind: 'held', buffer, start, end, bind };
  return holdBind(exchange, window, bind.portal, bind.statement, values, { buffer, start, end });
}

/** A Bind whose values are held, or lie in a spool. */
export function holdBind(
  exchange: Exchange,
  window: SeriesWindow,
  portalName: string,
  statementName: string,
  values: BoundValues,
  bytes: Pick<WindowEntry, 'buffer' | 'start' | 'end'>,
): Taken {
  const statement = exchange.statements.lookup(statementName, exchange.series);
  if (statement === UNCERTAIN) return 'wait';
  const judgement = judgeBound(exchange, statement);
  if (judgement === WAIT) return 'wait';
  const portal: Portal = { statement, statementName, judgement, lastCall: undefined, wasExecuted: false };
  const change = exchange.portals.propose(portalName, portal, exchange.series);
  const unit = new Unit('bind', undefined, undefined, change);
  unit.boundName = portalName;
  window.push({ ...bytes, unit, portal, values });
  claimIfLarge(exchange, window);
  return 'taken';
}

/** A name that the target may know and we do not is refused: what it stands for cannot be told. */
function judgeBound(exchange: Exchange, statement: PreparedStatement | undefined): Judgement | typeof WAIT {
  if (statement !== undefined) return judgeStatement(exchange, statement);
  if (!exchange.mayHaveUnknownStatements) return TOUCHES_NOTHING;
  return { ...TOUCHES_NOTHING, refusal: unreadable('unknown-prepared-statement') };
}

/** Execute: a call of its own each time, with its statement and its own parameters. Claims what is held for it. */
export function onExecute(
  exchange: Exchange,
  window: SeriesWindow,
  buffer: Buffer,
  start: number,
  end: number,
): Taken {
  const { portal: name } = decodeExecute(buffer, start, end);
  const portal = exchange.portals.lookup(name, exchange.series);
  if (portal === UNCERTAIN) return 'wait';
  const unit = new Unit('execute');
  const entry = { unit, buffer, start, end };
  if (claim(exchange, window, { entry, portal, name }) && mayBeCopy(portal)) {
    exchange.maybeCopy = unit;
    // Or the target would keep the answer until the Sync that waits for it.
    exchange.toTarget.addAll(FLUSH, unit.call?.gate);
  }
  return 'taken';
}

/** SQL prepares no COPY and opens no portal for one: it came through us, though its text may be forgotten. */
function mayBeCopy(portal: Portal | undefined): boolean {
  if (portal === undefined) return false;
  return portal.statement === undefined || portal.judgement.reading.meaning.kind === 'copy';
}

/** Describe and Close go along: they run nothing. */
export function onDescribe(
  exchange: Exchange,
  window: SeriesWindow,
  buffer: Buffer,
  start: number,
  end: number,
): void {
  // A malformed one ends the session here, and never reaches the target.
  const { kind, name } = decodeDescribe(buffer, start, end);
  const unit = new Unit('describe');
  if (exchange.mask !== undefined) noteDescribed(exchange, unit, kind, name);
  passAlong(exchange, window, unit, buffer, start, end);
}

/** Its answer tells the types of what is masked, and of what is compared with it. */
function noteDescribed(exchange: Exchange, unit: Unit, kind: 'statement' | 'portal', name: string): void {
  if (kind === 'statement') {
    const statement = exchange.statements.lookup(name, exchange.series);
    if (statement !== UNCERTAIN) unit.statement = statement;
    return;
  }
  const portal = exchange.portals.lookup(name, exchange.series);
  if (portal === UNCERTAIN || portal === undefined) return;
  unit.portal = portal;
  portal.describing = unit;
}

/** A Describe of our own in front of an Execute whose rows are masked: the server has not been asked what they are. */
function pushDescribe(entries: WindowEntry[], { entry, portal, name }: Executing): void {
  const { call } = entry.unit;
  if (call?.mask?.needsDescription !== true) return;
  const asked = portal?.describing;
  if (portal?.description !== undefined || asked?.isSkipped === false) return;
  const unit = new Unit('describe', call);
  unit.isOwn = true;
  unit.portal = portal;
  if (portal !== undefined) portal.describing = unit;
  const buffer = encodeDescribe({ kind: 'portal', name });
  entries.push({ unit, buffer, start: 0, end: buffer.length });
}

export function onClose(
  exchange: Exchange,
  window: SeriesWindow,
  buffer: Buffer,
  start: number,
  end: number,
): void {
  const { kind, name } = decodeClose(buffer, start, end);
  const change =
    kind === 'statement'
      ? exchange.statements.propose(name, undefined, exchange.series)
      : exchange.portals.propose(name, undefined, exchange.series);
  passAlong(exchange, window, new Unit('close', undefined, undefined, change), buffer, start, end);
}

function passAlong(
  exchange: Exchange,
  window: SeriesWindow,
  unit: Unit,
  buffer: Buffer,
  start: number,
  end: number,
): void {
  if (!window.isEmpty) {
    window.push({ unit, buffer, start, end });
    claimIfLarge(exchange, window);
    return;
  }
  exchange.toTarget.add(buffer, start, end);
  exchange.noteSeries();
  exchange.expect(unit);
}

const SYNC = Buffer.from([0x53, 0, 0, 0, 4]);
const FLUSH = Buffer.from([0x48, 0, 0, 0, 4]);

/** Sync: the end of a series. Inside a COPY the target ignores it. */
export function onSync(
  exchange: Exchange,
  window: SeriesWindow,
  buffer: Buffer,
  start: number,
  end: number,
): void {
  if (exchange.copyIn !== undefined && exchange.expected.head?.kind === 'execute') {
    exchange.heldSyncs += 1;
    return;
  }
  if (exchange.copyIn !== undefined) {
    exchange.expected.spareSyncs += 1;
    exchange.toTarget.add(buffer, start, end);
    return;
  }
  claimWindow(exchange, window);
  exchange.isDropping = false;
  exchange.isSeriesOpen = false;
  exchange.series += 1;
  exchange.toTarget.add(buffer, start, end);
  exchange.expect(new Unit('sync'));
}

/** A COPY of a series has failed: the Syncs that came for it while it still went on now end the series. */
export function releaseHeldSyncs(exchange: Exchange): void {
  for (; exchange.heldSyncs > 0; exchange.heldSyncs--) {
    exchange.series += 1;
    exchange.toTarget.addAll(SYNC);
    exchange.expect(new Unit('sync'));
  }
  exchange.toTarget.schedule();
}

/** Flush: the client wants the answers so far, so what is held needs intents of its own. */
export function onFlush(
  exchange: Exchange,
  window: SeriesWindow,
  buffer: Buffer,
  start: number,
  end: number,
): void {
  if (claimWindow(exchange, window)) exchange.toTarget.add(buffer, start, end);
}

/**
 * Gives everything that is held an intent of its own: a Parse without Execute is a `prepare`, a Bind without Execute a
 * `plan` (planning can run functions). False when that was refused; the series is being dropped then.
 */
export function claimWindow(exchange: Exchange, window: SeriesWindow): boolean {
  return window.isEmpty || claim(exchange, window, undefined);
}

/** The session ends: nothing of the window will be forwarded. */
export function dropWindow(exchange: Exchange, window: SeriesWindow): void {
  dropEntries(exchange, window.takeAll());
}

function claimIfLarge(exchange: Exchange, window: SeriesWindow): void {
  if (window.isLarge) claimWindow(exchange, window);
}

interface Executing {
  readonly entry: WindowEntry;
  readonly portal: Portal | undefined;
  readonly name: string;
}

/** Calls for everything held, in order, then for the Execute if there is one; then all of it is queued. */
function claim(exchange: Exchange, window: SeriesWindow, executing: Executing | undefined): boolean {
  const entries = window.takeAll();
  try {
    beginHeld(exchange, entries, executing?.portal);
    if (executing !== undefined) {
      beginExecute(exchange, entries, executing);
      pushDescribe(entries, executing);
      entries.push(executing.entry);
    }
  } catch (error) {
    if (!(error instanceof Denied)) throw error;
    dropEntries(exchange, entries);
    refuseSeries(exchange, error);
    return false;
  }
  queueEntries(exchange, entries);
  return true;
}

function beginHeld(exchange: Exchange, entries: readonly WindowEntry[], executed: Portal | undefined): void {
  for (const [index, entry] of entries.entries()) {
    if (entry.statement !== undefined && entry.unit.call === undefined) {
      const isBound = entries.some((other, at) => at > index && other.portal?.statement === entry.statement);
      if (!isBound) {
        const { text } = entry.statement;
        const { digest, payloads } = commitStatement(exchange, text);
        const judgement = judgeStatementNow(exchange, entry.statement);
        assertReadable(exchange, judgement, 'prepare', digest, payloads);
        const intent = {
          kind: 'prepare',
          effect: 'read',
          statement: digest,
          txn: exchange.transaction,
        } as const;
        entry.unit.call = exchange.begin(intent, payloads, 'series', touchedOf(judgement, text));
        rememberMeaning(entry.statement, judgement);
        entry.unit.call.endsWith = 'parse';
      }
    } else if (entry.portal !== undefined && entry.portal !== executed) {
      judgeHeld(exchange, entry.portal);
      const intent = describePlan(exchange, entry.portal, entry.values);
      noteParameters(exchange, entry.portal, entry.values);
      beginCall(exchange, entries, entry.unit, entry.portal, intent).endsWith = 'bind';
      exchange.follow(entry.unit, entry.portal.judgement.reading.meaning);
    }
  }
}

function beginExecute(exchange: Exchange, entries: readonly WindowEntry[], executing: Executing): void {
  const { entry, portal, name } = executing;
  const bind = portal === undefined ? undefined : entries.find((other) => other.portal === portal);
  if (portal !== undefined && bind !== undefined) judgeHeld(exchange, portal);
  const intent = describeExecute(exchange, portal, name, bind?.values);
  if (portal !== undefined) noteParameters(exchange, portal, bind?.values);
  const call = beginCall(exchange, entries, entry.unit, portal, intent, name);
  entry.unit.portal = portal;
  if (bind !== undefined) bind.unit.call = call;
  if (portal !== undefined) portal.wasExecuted = true;
  exchange.newestCall = call;
  if (portal?.statement === undefined) {
    exchange.follow(entry.unit, ROWS_OF_A_CURSOR);
    return;
  }
  const { meaning } = portal.judgement.reading;
  entry.unit.change = exchange.applyMeaning(meaning, portal.statement.text, 'series');
  exchange.follow(entry.unit, meaning);
}

/** A portal that SQL opened, or that we forgot. */
const ROWS_OF_A_CURSOR = { ...TOUCHES_NOTHING.reading.meaning, kind: 'fetch' } as const;

/** What a portal was bound to is kept as long as it lives: each Execute of it is judged by that. */
function noteParameters(exchange: Exchange, portal: Portal, values: BoundValues | undefined): void {
  if (values === undefined || exchange.mask?.isClassified !== true) return;
  if (portal.judgement.reading.lineage?.isFree === true) return;
  portal.parameters = new BoundParameters(values, portal.statement, () => exchange.analysis.catalog);
}

/** A Bind that was held is judged by what its names mean when it goes. */
function judgeHeld(exchange: Exchange, portal: Portal): void {
  if (portal.statement !== undefined) portal.judgement = judgeStatementNow(exchange, portal.statement);
}

/** @throws Denied */
function assertReadable(
  exchange: Exchange,
  { refusal }: Judgement,
  kind: string,
  statement: string | undefined,
  payloads: readonly Payload[],
): void {
  if (refusal === undefined) return;
  const refused = statement === undefined ? { kind } : { kind, statement };
  throw exchange.session.deny(refusal, refused, payloads);
}

/** One call, which also covers the Parse of its statement if that is held and nobody else's. */
function beginCall(
  exchange: Exchange,
  entries: readonly WindowEntry[],
  unit: Unit,
  portal: Portal | undefined,
  described: CommittedIntent,
  cursor = '',
): NonNullable<Unit['call']> {
  const { intent, payloads } = described;
  const judgement = portal?.judgement ?? TOUCHES_NOTHING;
  assertReadable(exchange, judgement, intent.kind, intent.statement, payloads);
  const subject = portal === undefined ? { cursor } : portal;
  const judged = touchedOf(judgement, portal?.statement?.text);
  const touched = withLineage(exchange, judged, judgement, subject);
  const keys = exchange.mask?.context.keys;
  const writesBack = keys !== undefined && portal?.parameters?.holdsMasked(keys) === true;
  if (writesBack && touched.lineage?.isFree === false) {
    const { kind, statement } = intent;
    const error = new CountersignError('CS_MASK_WRITE_BACK', { told: MASKED_VALUE_CAME_BACK });
    throw exchange.session.deny(error, statement === undefined ? { kind } : { kind, statement }, payloads);
  }
  const call = exchange.begin(intent, payloads, 'series', touched);
  unit.call = call;
  if (portal === undefined) return call;
  if (portal.statement !== undefined) rememberMeaning(portal.statement, judgement);
  portal.lastCall = call.command.id;
  const parse = entries.find(
    (other) => other.statement !== undefined && other.statement === portal.statement,
  );
  if (parse !== undefined) parse.unit.call ??= call;
  return call;
}

/** Every message waits for the intent that covers it; those that need none wait with the next that does. */
function queueEntries(exchange: Exchange, entries: readonly WindowEntry[]): void {
  let follower = entries.findLast((entry) => entry.unit.call !== undefined)?.unit.call;
  for (let index = entries.length - 1; index >= 0; index--) {
    const entry = entries[index]!;
    follower = entry.unit.call ?? follower;
    entry.unit.gatedBy = follower;
  }
  if (entries.length > 0) exchange.noteSeries();
  for (const entry of entries) {
    const call = entry.unit.gatedBy;
    exchange.toTarget.add(entry.buffer, entry.start, entry.end, call?.gate);
    const spooled = entry.values?.kind === 'spooled' ? entry.values : undefined;
    if (spooled !== undefined && call !== undefined) exchange.toTarget.addStream(spooled.stream, call.gate);
    if (call !== undefined && !entry.unit.isOwn)
      call.bytesUp += entry.end - entry.start + (spooled?.bytes ?? 0);
    exchange.expect(entry.unit);
  }
}

/** A refusal in the middle: nothing of the window is forwarded. What already has an intent is on the record as skipped. */
function dropEntries(exchange: Exchange, entries: readonly WindowEntry[]): void {
  for (const { unit, values } of entries) {
    if (values?.kind === 'spooled') values.stream.drop();
    unit.change?.discard(false);
    unit.move?.settle('skipped');
    if (unit.call !== undefined) exchange.endCall(unit.call, 'skipped', undefined, 'ride');
  }
}
