import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { ALGORITHM_ED25519, isKeyName, parseVerifierKey } from 'countersign-verify';
import type { NoteVerifier } from 'countersign-verify';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';

import { isLoopbackHost, parseHostPort } from '../config/addresses.ts';
import type { HostPort } from '../config/addresses.ts';
import type { SecretRef } from '../config/config.ts';
import { Positions } from '../config/positions.ts';
import { ConfigError, formatPath } from '../config/problem.ts';
import type { ConfigProblem } from '../config/problem.ts';

/** One of the witness's own keys. */
export interface WitnessKeyConfig {
  /** Key name, a URL without scheme. */
  readonly name: string;
  readonly key: SecretRef;
}

/** A log that this witness cosigns. */
export interface WitnessedLog {
  /** First line of its checkpoints. */
  readonly origin: string;
  /** Any of them must have signed; while a log changes its key, both stand here. */
  readonly keys: readonly NoteVerifier[];
  /** Path between the prefix and `/add-checkpoint` where alone this log is taken; empty for the prefix itself. */
  readonly path: string;
}

export interface WitnessConfig {
  readonly file: string;
  /** Absolute. */
  readonly stateDirectory: string;
  readonly listen: HostPort;
  readonly tls?: { readonly cert: SecretRef; readonly key: SecretRef };
  /** Where /live, /ready and /metrics answer. */
  readonly health?: HostPort;
  /** Submission and monitoring prefix of the URL, without a slash at its end; empty for none. */
  readonly prefix: string;
  readonly keys: readonly WitnessKeyConfig[];
  readonly logs: readonly WitnessedLog[];
  /** New checkpoints of one log that are cosigned per minute. */
  readonly checkpointsPerMinute: number;
  readonly connections: number;
  readonly connectionsPerAddress: number;
}

const MAX_FILE_BYTES = 4 * 1_048_576;
const REFERENCE = /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/;
const URL_PATH = /^(\/[A-Za-z0-9._~-]+)+$/;

const address = z
  .string()
  .refine((text) => parseHostPort(text) !== undefined, 'must be host:port, such as 127.0.0.1:7380');
const reference = z
  .string()
  .regex(REFERENCE, 'must be a reference, env:NAME or file:PATH; a secret itself never stands in this file');
const urlPath = z.string().regex(URL_PATH, 'must begin with "/" and not end with one, such as /witness');
const keyName = z.string().refine(isKeyName, 'must be a URL without scheme, such as witness.example/w1');

const schema = z.strictObject({
  version: z.literal(1),
  state: z.string().min(1),
  listen: z.strictObject({
    address,
    tls: z.strictObject({ cert: reference, key: reference }).optional(),
    prefix: urlPath.optional(),
    connections: z.int().min(1).max(65_536).default(256),
    connectionsPerAddress: z.int().min(1).max(65_536).default(16),
  }),
  health: z.strictObject({ address }).optional(),
  keys: z.array(z.strictObject({ name: keyName, key: reference })).min(1),
  logs: z.array(
    z.strictObject({
      origin: z.string().regex(/^[^\n]{1,255}$/u, 'must be one line of at most 255 characters'),
      keys: z.array(z.string().refine(isLogKey, 'must be a verifier key of a log: name+id+base64')).min(1),
      path: urlPath.optional(),
    }),
  ),
  limits: z.strictObject({ checkpointsPerMinute: z.int().min(1).max(60_000).default(120) }).prefault({}),
});

function isLogKey(text: string): boolean {
  try {
    return parseVerifierKey(text).algorithm === ALGORITHM_ED25519;
  } catch {
    return false;
  }
}

/**
 * Reads `witness.yaml`. Opens no secret and no connection. Throws {@link ConfigError} with every problem that was found;
 * an unknown key is one.
 */
export function readWitnessConfig(file: string): WitnessConfig {
  let text: string;
  try {
    if (statSync(file).size > MAX_FILE_BYTES) throw failure(file, 'the file is larger than 4 MiB');
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw failure(
      file,
      `the file cannot be read: ${code ?? 'unknown'}`,
      'countersign witness init writes one',
    );
  }
  return parseWitnessConfig(text, file);
}

/** The same for a text. `file` names it in problems and is the base of relative paths. */
export function parseWitnessConfig(text: string, file: string): WitnessConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    stringKeys: true,
    uniqueKeys: true,
  });
  const positions = new Positions(document, lines);
  const [broken] = [...document.errors, ...document.warnings];
  if (broken !== undefined) {
    const place = positions.at(broken.pos[0]);
    const message = `not valid YAML: ${broken.code.toLowerCase().replaceAll('_', ' ')}`;
    throw new ConfigError(file, [{ ...problemAt([], message), ...place }]);
  }
  const parsed = schema.safeParse(plainValue(file, () => document.toJS({ maxAliasCount: 100 })));
  if (!parsed.success) {
    throw new ConfigError(
      file,
      parsed.error.issues.flatMap((issue) => translate(issue, positions)),
    );
  }
  const config = assemble(parsed.data, file);
  const problems = crossCheck(config, positions);
  if (problems.length > 0) throw new ConfigError(file, problems);
  return config;
}

function plainValue(file: string, read: () => unknown): unknown {
  try {
    return read();
  } catch {
    throw failure(file, 'not valid YAML: an alias cannot be resolved');
  }
}

function assemble(shape: z.infer<typeof schema>, file: string): WitnessConfig {
  const base = dirname(resolve(file));
  const secret = (text: string): SecretRef =>
    text.startsWith('env:')
      ? { kind: 'env', name: text.slice('env:'.length) }
      : { kind: 'file', name: resolve(base, text.slice('file:'.length)) };
  const { tls } = shape.listen;
  return {
    file,
    stateDirectory: resolve(base, shape.state),
    listen: parseHostPort(shape.listen.address)!,
    ...(tls !== undefined && { tls: { cert: secret(tls.cert), key: secret(tls.key) } }),
    ...(shape.health !== undefined && { health: parseHostPort(shape.health.address)! }),
    prefix: shape.listen.prefix ?? '',
    keys: shape.keys.map(({ key, name }) => ({ name, key: secret(key) })),
    logs: shape.logs.map(({ keys, origin, path }) => ({
      origin,
      keys: keys.map((key) => parseVerifierKey(key)),
      path: path ?? '',
    })),
    checkpointsPerMinute: shape.limits.checkpointsPerMinute,
    connections: shape.listen.connections,
    connectionsPerAddress: shape.listen.connectionsPerAddress,
  };
}

function crossCheck(config: WitnessConfig, positions: Positions): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const add = (path: readonly PropertyKey[], message: string, hint?: string): void => {
    const problem = { ...problemAt(path, message), ...positions.ofValue(path) };
    problems.push(hint === undefined ? problem : { ...problem, hint });
  };
  if (config.tls === undefined && !isLoopbackHost(config.listen.host))
    add(['listen', 'address'], 'needs listen.tls: it is beyond loopback');
  const origins = new Set<string>();
  for (const [index, { origin }] of config.logs.entries()) {
    if (origins.has(origin)) add(['logs', index, 'origin'], 'is there twice', 'list its keys in one entry');
    origins.add(origin);
  }
  return problems;
}

/** Sentences without values: what stands in the file may be a secret in the wrong place. */
function translate(issue: z.core.$ZodIssue, positions: Positions): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      ...problemAt([...issue.path, key], 'unknown key'),
      ...positions.ofKey(issue.path, key),
    }));
  }
  const message =
    issue.code === 'invalid_value'
      ? `must be ${issue.values.join(' or ')}`
      : issue.code === 'invalid_type'
        ? 'is missing or of the wrong type'
        : issue.message;
  return [{ ...problemAt(issue.path, message), ...positions.ofValue(issue.path) }];
}

function problemAt(path: readonly PropertyKey[], message: string): ConfigProblem {
  return {
    severity: 'error',
    code: 'CS_CONFIG_INVALID',
    path: formatPath(path),
    line: 0,
    column: 0,
    message,
  };
}

function failure(file: string, message: string, hint?: string): ConfigError {
  const problem = problemAt([], message);
  return new ConfigError(file, [hint === undefined ? problem : { ...problem, hint }]);
}
