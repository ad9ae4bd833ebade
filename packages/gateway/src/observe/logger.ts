import { destination as openDestination, pino } from 'pino';
import type { DestinationStream } from 'pino';

import { CountersignError, isCountersignError } from '../errors.ts';

/**
 * What a log line may carry: a closed list of scalars. There is no field for a statement, a parameter, a credential or
 * an object of any kind, so that none can be logged by accident; redaction by pattern would come too late.
 */
export interface LogFields {
  readonly code?: string;
  /** Configured names and numbers, as in `CountersignError.detail`. */
  readonly detail?: string | undefined;
  readonly reason?: string;
  readonly session?: string;
  readonly principal?: string;
  readonly target?: string;
  readonly grant?: string;
  readonly address?: string;
  readonly port?: number;
  readonly file?: string;
  readonly path?: string;
  readonly line?: number;
  readonly digest?: string;
  readonly signal?: string;
  readonly count?: number;
  readonly durationMs?: number;
  readonly errorName?: string;
  /** Of a witness: the configured origin of a log, a tree size, the HTTP status it answered. */
  readonly origin?: string;
  readonly size?: number;
  /** Name of a witness's key, from the configuration. */
  readonly witness?: string;
  readonly status?: number;
  /** Frames only: the first line of a stack is the message, which may quote data. */
  readonly stack?: string | undefined;
}

/** The gateway's own log, for operators. It is not the record and proves nothing. */
export interface Logger {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** Writes out what is buffered; called before the process ends. */
  flush(): void;
}

/**
 * What may wait for whoever reads the log. A full pipe that nobody reads must not hold up traffic, so lines are written by
 * another thread, and beyond this they are dropped. Everything that has to be kept is in the record.
 */
const MAX_WAITING_BYTES = 1024 * 1024;

export type LogLevel = 'info' | 'warn' | 'error' | 'silent';

/** JSON lines `{"level":"info","time":"…","event":"…",…}` on stderr, or on `stream`. Level `silent` writes nothing. */
export function createLogger(
  options: { readonly level?: LogLevel; readonly stream?: DestinationStream } = {},
): Logger {
  const stderr =
    options.stream === undefined
      ? openDestination({ fd: 2, sync: false, maxLength: MAX_WAITING_BYTES })
      : undefined;
  let dropped = 0;
  stderr?.on('drop', () => {
    dropped += 1;
  });
  const log = pino(
    {
      level: options.level ?? 'info',
      base: { pid: process.pid },
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stderr ?? options.stream,
  );
  return {
    info: (event, fields = {}) => log.info(fields, event),
    warn: (event, fields = {}) => log.warn(fields, event),
    error: (event, fields = {}) => log.error(fields, event),
    flush: () => {
      // Whoever has not read until now would keep a dying process from dying.
      if (dropped === 0) stderr?.flushSync();
    },
  };
}

/** Fields that describe an error: its code and detail; of foreign errors only name, code and frames, never the message. */
export function errorFields(error: unknown): LogFields {
  if (isCountersignError(error)) {
    const fields: LogFields = { code: error.code, detail: error.detail };
    return error.code === 'CS_INTERNAL' ? { ...fields, stack: framesOf(error.cause ?? error) } : fields;
  }
  if (error instanceof Error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      code: typeof code === 'string' ? code : 'CS_INTERNAL',
      errorName: error.name,
      stack: framesOf(error),
    };
  }
  return { code: 'CS_INTERNAL' };
}

/** A foreign error as one of ours. The cause is kept for the log, never shown to a client. */
export function asCountersignError(error: unknown): CountersignError {
  return isCountersignError(error) ? error : new CountersignError('CS_INTERNAL', { cause: error });
}

function framesOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  return error.stack
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, 12)
    .map((line) => line.trim())
    .join('\n');
}
