/**
 * What the target itself says it executed: PostgreSQL's own log (`log_destination=jsonlog`, `log_statement=all`).
 *
 * The gateway has no part in this file, so it is an independent witness of every statement, and of every side effect:
 * the functions and triggers of the workload report theirs with `RAISE LOG`, which no rollback takes back.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Settings that a server under the kill loop must run with. `directory` must be writable by the server. */
export function targetLogSettings(directory: string): Readonly<Record<string, string>> {
  return {
    logging_collector: 'on',
    log_destination: 'jsonlog',
    log_directory: directory,
    log_filename: 'target.log',
    log_rotation_age: '0',
    log_rotation_size: '0',
    log_truncate_on_rotation: 'off',
    log_statement: 'all',
    log_min_messages: 'log',
    log_checkpoints: 'off',
    log_autovacuum_min_duration: '-1',
  };
}

export interface LoggedStatement {
  /** `<pid>/<start of the backend in seconds since the epoch>`. */
  readonly backend: string;
  readonly text: string;
  /** Values of an extended query as the server shows them; absent for a simple query. */
  readonly params?: readonly (string | null)[];
}

export interface LoggedEffect {
  readonly backend: string;
  readonly marker: string;
}

export interface TargetLog {
  /** In the order of each backend. */
  readonly statements: readonly LoggedStatement[];
  readonly effects: readonly LoggedEffect[];
}

interface JsonLine {
  readonly pid?: number;
  readonly session_id?: string;
  readonly error_severity?: string;
  readonly message?: string;
  readonly detail?: string;
  readonly user?: string;
}

/** What the workload's functions raise in front of their marker. */
export const EFFECT_PREFIX = 'side-effect ';

/** `$1 = 'it''s', $2 = NULL` → values. */
export function parseLoggedParameters(detail: string): (string | null)[] {
  const values: (string | null)[] = [];
  for (const found of detail.matchAll(/\$\d+ = (?:NULL|'((?:[^']|'')*)')/g)) {
    values.push(found[1] === undefined ? null : found[1].replaceAll("''", "'"));
  }
  return values;
}

function backendOf(line: JsonLine): string {
  const started = Number.parseInt(line.session_id?.split('.')[0] ?? '', 16);
  return `${line.pid}/${started}`;
}

function statementOf(line: JsonLine, message: string): LoggedStatement | undefined {
  const backend = backendOf(line);
  if (message.startsWith('statement: ')) return { backend, text: message.slice('statement: '.length) };
  const executed = /^execute (?:fetch from )?\S+: /.exec(message);
  if (executed === null) return undefined;
  const params = line.detail === undefined ? [] : parseLoggedParameters(line.detail);
  return { backend, text: message.slice(executed[0].length), params };
}

/** Reads the whole log of sessions that came in as `user`. The server must have stopped, or the last lines may be missing. */
export function readTargetLog(directory: string, user: string): TargetLog {
  const statements: LoggedStatement[] = [];
  const effects: LoggedEffect[] = [];
  for (const name of readdirSync(directory).filter((file) => file.endsWith('.json'))) {
    for (const text of readFileSync(join(directory, name), 'utf8').split('\n')) {
      if (text === '') continue;
      const line = JSON.parse(text) as JsonLine;
      if (line.user !== user || line.error_severity !== 'LOG' || line.message === undefined) continue;
      if (line.message.startsWith(EFFECT_PREFIX)) {
        effects.push({ backend: backendOf(line), marker: line.message.slice(EFFECT_PREFIX.length) });
        continue;
      }
      const statement = statementOf(line, line.message);
      if (statement !== undefined) statements.push(statement);
    }
  }
  return { statements, effects };
}
