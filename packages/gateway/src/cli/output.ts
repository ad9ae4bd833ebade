import { ConfigError, formatProblem } from '../config/problem.ts';
import { CountersignError } from '../errors.ts';
import { asCountersignError } from '../observe/logger.ts';
import { PolicyError } from '../policy/policy-problem.ts';

/** Where a command's result goes: one JSON document with `--json`, else text for people. */
export interface Output {
  readonly json: boolean;
  /** Prints the result. `text` is only made when it is wanted. */
  result(value: unknown, text: () => string): void;
  /** One more line for people; nothing with `--json`. */
  note(text: string): void;
}

export function createOutput(json: boolean): Output {
  return {
    json,
    result: (value, text) => {
      process.stdout.write(json ? `${JSON.stringify(value, withoutBigInts)}\n` : ensureLineBreak(text()));
    },
    note: (text) => {
      if (!json) process.stderr.write(ensureLineBreak(text));
    },
  };
}

/** Prints an error on stderr and gives the exit code of the process. */
export function reportError(error: unknown, json: boolean): number {
  const known = asCountersignError(error);
  if (json) {
    const { code, message, detail, hint, exitCode, retryable } = known;
    const body = { error: { code, message, detail, hint, exitCode, retryable, ...problemsOf(error) } };
    process.stderr.write(`${JSON.stringify(body)}\n`);
  } else {
    process.stderr.write(formatError(known, error));
  }
  return known.exitCode;
}

function problemsOf(error: unknown): Record<string, unknown> {
  if (error instanceof ConfigError) return { file: error.file, problems: error.problems };
  return error instanceof PolicyError ? { problems: error.problems } : {};
}

/** What, where, what to do: one line each. */
function formatError(known: CountersignError, original: unknown): string {
  const lines = [`countersign: ${known.message} [${known.code}]`];
  if (original instanceof ConfigError) {
    const errors = original.problems.filter((problem) => problem.severity === 'error');
    lines.push(...errors.map((problem) => `  ${formatProblem(original.file, problem)}`));
  } else if (known.detail !== undefined) {
    lines.push(...known.detail.split('\n').map((line) => `  ${line}`));
  }
  if (known.hint !== undefined) lines.push(`  ${known.hint}`);
  // Only a defect of ours shows frames: the operator can do nothing about it but report it.
  if (known.code === 'CS_INTERNAL' && known.cause instanceof Error)
    lines.push(`  ${known.cause.stack ?? ''}`);
  return `${lines.join('\n')}\n`;
}

/** The exit codes, for `--help`. */
export const EXIT_CODE_HELP = `
Exit codes:
  0  done                          4  not permitted
  1  internal error                5  unavailable; try again
  2  usage                         6  the record cannot be written
  3  configuration
  log verify: 0 VERIFIED, 10 VERIFIED-WITH-GAPS, 11 INCOMPLETE, 12 DISPOSED, 13 UNWITNESSED,
              20 ALTERED, 21 FORKED, 30 CANNOT-VERIFY
  policy test: 40 when an answer is not the expected one
  explain: 0 permitted, 4 not permitted, 2 not readable`;

/** Aligned columns; the last is not padded. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  return rows
    .map((row) =>
      row
        .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Makes a usage error: exit code 2. */
export function usageError(detail: string, hint?: string): CountersignError {
  return new CountersignError('CS_USAGE', hint === undefined ? { detail } : { detail, hint });
}

/** Makes an error for a file, key or name on the command line that is there but does not serve: exit code 2. */
export function inputError(detail: string, hint?: string): CountersignError {
  return new CountersignError('CS_INPUT_UNUSABLE', hint === undefined ? { detail } : { detail, hint });
}

/** Makes the refusal to overwrite: exit code 4. `files` is the list as it is shown. */
export function fileExists(files: string, hint: string): CountersignError {
  return new CountersignError('CS_FILE_EXISTS', { detail: files, hint });
}

function ensureLineBreak(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

function withoutBigInts(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}
