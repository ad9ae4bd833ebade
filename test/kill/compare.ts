/** Holds the target's own account of what it did against the record, and names everything the record does not know. */

import type { LoggedStatement, TargetLog } from './target-log.ts';

/** One `call.intent` with its contents from the vault. */
export interface RecordedCall {
  /**
   * `<pid>/<start in seconds>` from the session's `session.opened`; `<pid>/?` for the gateway's own statement by which it
   * learns the start (decision 7).
   */
  readonly backend: string;
  readonly text: string;
  readonly params: readonly (string | null)[];
  /** Status of its `call.result`; absent when there is none. */
  readonly status?: string;
}

export interface SideEffectRow {
  readonly marker: string;
  readonly pid: number;
}

export interface Violation {
  readonly kind: 'statement' | 'effect' | 'row' | 'acknowledged';
  readonly detail: string;
}

export interface Evidence {
  readonly target: TargetLog;
  /** Committed rows of the side-effect table. */
  readonly rows: readonly SideEffectRow[];
  /** Markers of writes whose final ReadyForQuery reached the client outside a transaction. */
  readonly acknowledged: readonly string[];
  /** In the order of each session. */
  readonly calls: readonly RecordedCall[];
}

/** The workload's markers: `m<round>.<client>.<number>`. A row of a COPY has the marker of its COPY and a suffix. */
const MARKER = /m\d+\.\d+\.\d+/g;

const baseMarker = (marker: string): string => /^m\d+\.\d+\.\d+/.exec(marker)?.[0] ?? marker;

function groupByBackend<T extends { readonly backend: string }>(items: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.backend);
    if (group === undefined) groups.set(item.backend, [item]);
    else group.push(item);
  }
  return groups;
}

function isSameStatement(logged: LoggedStatement, call: RecordedCall): boolean {
  if (logged.text !== call.text) return false;
  if (logged.params === undefined) return true;
  return (
    logged.params.length === call.params.length &&
    logged.params.every((value, index) => value === call.params[index])
  );
}

/** Uses up an intent of the same pid from before the start of its backend was known. */
function takeEarly(recorded: ReadonlyMap<string, RecordedCall[]>, statement: LoggedStatement): boolean {
  const [pid] = statement.backend.split('/');
  const early = recorded.get(`${pid}/?`) ?? [];
  const own = early.findIndex((call) => isSameStatement(statement, call));
  if (own >= 0) early.splice(own, 1);
  return own >= 0;
}

/**
 * The statements that a backend executed must be a subsequence of the intents of its session: an intent need not
 * have run (the kill came between the disk and the wire, or the target skipped it), the reverse may never happen.
 */
function compareStatements(evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  const recorded = groupByBackend(evidence.calls);
  for (const [backend, statements] of groupByBackend(evidence.target.statements)) {
    const calls = recorded.get(backend) ?? [];
    let next = 0;
    for (const statement of statements) {
      const from = next;
      while (next < calls.length && !isSameStatement(statement, calls[next]!)) next++;
      if (next < calls.length) {
        next++;
        continue;
      }
      next = from;
      if (takeEarly(recorded, statement)) continue;
      violations.push({
        kind: 'statement',
        detail: `backend ${backend} executed without an intent: ${statement.text}`,
      });
    }
  }
  return violations;
}

/** Where each marker was mentioned: marker → backends of the calls, and whether one of them ended `ok`. */
function indexMarkers(
  calls: readonly RecordedCall[],
): Map<string, { backends: Set<string>; isDone: boolean }> {
  const index = new Map<string, { backends: Set<string>; isDone: boolean }>();
  for (const call of calls) {
    const text = [call.text, ...call.params].join('\n');
    for (const [marker] of text.matchAll(MARKER)) {
      const entry = index.get(marker) ?? { backends: new Set<string>(), isDone: false };
      entry.backends.add(call.backend);
      entry.isDone ||= call.status === 'ok';
      index.set(marker, entry);
    }
  }
  return index;
}

function compareMarkers(evidence: Evidence): Violation[] {
  const violations: Violation[] = [];
  const index = indexMarkers(evidence.calls);
  for (const effect of evidence.target.effects) {
    if (index.get(baseMarker(effect.marker))?.backends.has(effect.backend) === true) continue;
    violations.push({
      kind: 'effect',
      detail: `backend ${effect.backend} had the effect ${effect.marker} without an intent`,
    });
  }
  for (const row of evidence.rows) {
    const backends = [...(index.get(baseMarker(row.marker))?.backends ?? [])];
    if (backends.some((backend) => backend.startsWith(`${row.pid}/`))) continue;
    violations.push({ kind: 'row', detail: `row ${row.marker} of backend ${row.pid} has no intent` });
  }
  for (const marker of evidence.acknowledged) {
    if (index.get(marker)?.isDone === true) continue;
    violations.push({
      kind: 'acknowledged',
      detail: `the client was told that ${marker} is done; the record has no such result`,
    });
  }
  return violations;
}

/** Everything that happened without a record of it. Empty means the promise held. */
export function compare(evidence: Evidence): Violation[] {
  return [...compareStatements(evidence), ...compareMarkers(evidence)];
}
