import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { PolicyProblem } from './policy-problem.ts';

/** One file of policies: its name in the folder, and its text. */
export interface PolicyFile {
  readonly name: string;
  /** Where it was read from, for problems. */
  readonly path: string;
  readonly text: string;
}

export interface PolicyFolder {
  /** In the order of their names, by code unit: the same on every machine. */
  readonly files: readonly PolicyFile[];
  readonly problems: readonly PolicyProblem[];
}

/** Policies are read by people. What is larger than this was not written by one. */
export const MAX_FILES = 256;
export const MAX_FILE_BYTES = 1_048_576;
export const MAX_TOTAL_BYTES = 4 * 1_048_576;

const SUFFIX = '.cedar';

/**
 * Reads every `*.cedar` of a folder; folders inside it are not entered. Links are followed, because volumes of orchestrators consist of them;
 * what they lead to must be a file. Hidden files (editors leave them) are no policies. A folder that is not there is a problem, an empty one is none.
 */
export function readPolicyFolder(directory: string): PolicyFolder {
  let names: readonly string[];
  try {
    names = readdirSync(directory).filter((name) => !name.startsWith('.'));
  } catch (error) {
    return { files: [], problems: [problemOf(directory, `the folder cannot be read: ${codeOf(error)}`)] };
  }
  const problems: PolicyProblem[] = [...strangeNames(directory, names), ...openToOthers(directory)];
  const wanted = names.filter((name) => name.endsWith(SUFFIX)).toSorted(byCodeUnit);
  if (wanted.length > MAX_FILES) {
    problems.push(problemOf(directory, `there are more than ${MAX_FILES} files`));
    return { files: [], problems };
  }
  const files: PolicyFile[] = [];
  let total = 0;
  for (const name of wanted) {
    const path = join(directory, name);
    const text = readPolicyFile(path);
    if (typeof text === 'string') {
      total += Buffer.byteLength(text);
      files.push({ name, path, text });
    } else problems.push(problemOf(path, text.problem));
  }
  if (total > MAX_TOTAL_BYTES)
    problems.push(problemOf(directory, 'the files are larger than 4 MiB together'));
  return { files, problems };
}

/** The text, or why there is none. */
export function readPolicyFile(path: string): string | { readonly problem: string } {
  const bytes = readBytes(path);
  if (typeof bytes === 'string') return { problem: bytes };
  return decodeText(bytes) ?? { problem: 'the file is not UTF-8, or holds a NUL' };
}

/** The bytes, or why not. Looks at what was opened, not at what the name meant before: a pipe would block. */
function readBytes(path: string): Buffer | string {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    return `the file cannot be read: ${codeOf(error)}`;
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return 'this is not a file';
    if (stat.size > MAX_FILE_BYTES) return 'the file is larger than 1 MiB';
    return readFileSync(file);
  } catch (error) {
    return `the file cannot be read: ${codeOf(error)}`;
  } finally {
    closeSync(file);
  }
}

function decodeText(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** A policy in `rules.CEDAR` or `rules.cedar.txt` would be missed without a word. */
function strangeNames(directory: string, names: readonly string[]): PolicyProblem[] {
  return names
    .filter((name) => !name.endsWith(SUFFIX) && /\.cedar(\W|$)/i.test(name))
    .map((name) =>
      problemOf(join(directory, name), 'is not read: its name does not end in .cedar', 'warning'),
    );
}

/** Whoever can write here decides what everybody may do. */
function openToOthers(directory: string): PolicyProblem[] {
  const stat = statSync(directory, { throwIfNoEntry: false });
  if (stat === undefined || (stat.mode & 0o002) === 0) return [];
  return [problemOf(directory, 'everybody on this machine can write to the folder', 'warning', 'chmod o-w')];
}

function problemOf(
  file: string,
  message: string,
  severity: PolicyProblem['severity'] = 'error',
  hint?: string,
): PolicyProblem {
  const problem = { severity, file, line: 0, column: 0, message } as const;
  return hint === undefined ? problem : { ...problem, hint };
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown';
}

function byCodeUnit(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
