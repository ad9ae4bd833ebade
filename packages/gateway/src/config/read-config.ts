import { readFileSync, statSync } from 'node:fs';

import { LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';

import { assembleConfig } from './assemble.ts';
import type { CountersignConfig } from './config.ts';
import { crossCheck } from './cross-checks.ts';
import { Positions } from './positions.ts';
import { ConfigError } from './problem.ts';
import type { ConfigProblem } from './problem.ts';
import { checkShape } from './shape.ts';

/** A configuration larger than this is a mistake. */
const MAX_FILE_BYTES = 4 * 1_048_576;

export interface ReadConfigOptions {
  /** True only for `countersign demo`. Default false. */
  readonly demo?: boolean;
  /** Wall clock, µs since the epoch. Default: now. */
  readonly nowUs?: bigint;
}

export interface ReadConfigResult {
  readonly config: CountersignConfig;
  readonly warnings: readonly ConfigProblem[];
}

/**
 * Reads and checks a configuration file. Opens no secret and no connection.
 *
 * Throws {@link ConfigError} with every problem that was found.
 */
export function readConfig(file: string, options: ReadConfigOptions = {}): ReadConfigResult {
  let text: string;
  try {
    if (statSync(file).size > MAX_FILE_BYTES) throw fileError(file, 'the file is larger than 4 MiB');
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const message =
      code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
        ? 'the file is not UTF-8'
        : `the file cannot be read: ${code ?? 'unknown'}`;
    throw fileError(file, message, error, code === 'ENOENT' ? 'countersign init writes one' : undefined);
  }
  return parseConfig(text, file, options);
}

/** The same for a text that was read already. `file` names it in problems and is the base of relative paths. */
export function parseConfig(text: string, file: string, options: ReadConfigOptions = {}): ReadConfigResult {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    stringKeys: true,
    uniqueKeys: true,
    version: '1.2',
  });
  const positions = new Positions(document, lines);
  const syntax: ConfigProblem[] = [];
  for (const error of [...document.errors, ...document.warnings]) {
    const { line, column } = positions.at(error.pos[0]);
    const message = `not valid YAML: ${syntaxMessage(error.code)}`;
    syntax.push({ severity: 'error', code: 'CS_CONFIG_INVALID', path: '', line, column, message });
  }
  if (syntax.length > 0) throw new ConfigError(file, syntax);

  const { file: shape, problems } = checkShape(plainValue(file, document), positions);
  if (shape === undefined) throw new ConfigError(file, problems);

  const config = assembleConfig(file, text, shape, options.demo ?? false);
  const found = crossCheck(config, positions, options.nowUs ?? BigInt(Date.now()) * 1_000n);
  if (found.some((problem) => problem.severity === 'error')) throw new ConfigError(file, found);
  return { config, warnings: found };
}

/** Aliases are resolved only here: one without an anchor, or a bomb of nested ones, is not a value. */
function plainValue(file: string, document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    // The library's message quotes the alias.
    throw fileError(file, 'not valid YAML: an alias cannot be resolved');
  }
}

/** The parser's own sentences quote the text, which may hold a pasted secret; its codes do not. */
function syntaxMessage(code: string): string {
  return code === 'DUPLICATE_KEY' ? 'a key is given twice' : code.toLowerCase().replaceAll('_', ' ');
}

function fileError(file: string, message: string, cause?: unknown, hint?: string): ConfigError {
  const problem = {
    severity: 'error',
    code: 'CS_CONFIG_INVALID',
    path: '',
    line: 0,
    column: 0,
    message,
  } as const;
  return new ConfigError(file, [hint === undefined ? problem : { ...problem, hint }], cause);
}
