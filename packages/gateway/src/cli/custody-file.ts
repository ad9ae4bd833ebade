/** Files that carry a request from who makes it to the officers and on to the gateway. */

import { createPrivateKey, randomBytes, type KeyObject } from 'node:crypto';

import {
  decodeCustodyRequest,
  encodeCustodyRequest,
  FormatError,
  officerKeyText,
  printable,
  signApproval,
} from 'countersign-verify';
import type { Approval, CanonicalObject, CustodyRequest } from 'countersign-verify';
import { z } from 'zod';

import { formatDuration, parseDuration } from '../config/units.ts';
import { readInput } from './log-errors.ts';
import { fileExists, inputError, usageError } from './output.ts';
import { writePrivateFile } from './private-file.ts';

/** `request` is the canonical document as a text, so that just these bytes are signed and sent. */
const fileSchema = z.strictObject({
  request: z.string(),
  approvals: z.array(z.strictObject({ officer: z.string(), key: z.string(), signature: z.string() })),
  /** Data keys that the custodian wrapped to the gateway, base64. */
  keys: z.array(z.base64()).optional(),
});

export interface RequestFile {
  readonly request: CustodyRequest;
  readonly approvals: readonly Approval[];
  readonly keys?: readonly string[];
}

export async function readRequestFile(file: string): Promise<RequestFile> {
  try {
    const { approvals, keys, request } = fileSchema.parse(JSON.parse(await readInput(file)));
    return {
      request: decodeCustodyRequest(Buffer.from(request)),
      approvals,
      ...(keys !== undefined && { keys }),
    };
  } catch (error) {
    if (error instanceof FormatError || error instanceof SyntaxError || error instanceof z.ZodError)
      throw inputError(`${file} is not a request`);
    throw error;
  }
}

export function writeRequestFile(
  file: string,
  { approvals, keys, request }: RequestFile,
  replace: boolean,
): void {
  const value = { request: request.document.toString('utf8'), approvals, keys };
  try {
    writePrivateFile(file, `${JSON.stringify(value, undefined, 2)}\n`, replace);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST')
      throw fileExists(file, 'Name another file for the request.');
    throw error;
  }
}

export interface RequestOptions {
  readonly reason: string;
  readonly expires: string;
  /** RFC 3339; default: now. */
  readonly at?: string | undefined;
}

const MAX_LIFE_MS = 31 * 86_400_000;

/** Throws `CS_USAGE` when the reason or the time does not do. */
export function makeRequest(
  log: string,
  action: string,
  scope: CanonicalObject,
  { at, expires, reason }: RequestOptions,
): CustodyRequest {
  const lifeMs = parseDuration(expires);
  if (lifeMs === undefined || lifeMs < 60_000 || lifeMs > MAX_LIFE_MS)
    throw usageError(`--expires needs a duration from 1m to ${formatDuration(MAX_LIFE_MS)}, such as 7d`);
  const requestedAtUs = (at === undefined ? Date.now() : Date.parse(at)) * 1000;
  if (!Number.isSafeInteger(requestedAtUs) || requestedAtUs < 0)
    throw usageError('--at needs a time such as 2026-11-23T12:00:00Z');
  try {
    return encodeCustodyRequest({
      action,
      log,
      scope,
      reason,
      nonce: randomBytes(32).toString('base64url'),
      requestedAtUs,
      expiresAtUs: requestedAtUs + lifeMs * 1000,
    });
  } catch (error) {
    if (error instanceof FormatError)
      throw usageError(error.message, 'The reason is 1 to 500 printable characters.');
    throw error;
  }
}

/** Reads a private Ed25519 key in PEM. */
export async function readOfficerKey(file: string): Promise<KeyObject> {
  try {
    const key = createPrivateKey(await readInput(file));
    officerKeyText(key);
    return key;
  } catch {
    throw inputError(`${file} is not a private Ed25519 key in PEM`);
  }
}

/** Adds the officer's approval; one that the same officer gave before is replaced. */
export function approve(file: RequestFile, officer: string, key: KeyObject): RequestFile {
  const approval = { officer, key: officerKeyText(key), signature: signApproval(file.request, key) };
  const others = file.approvals.filter((each) => each.officer !== officer);
  return { ...file, approvals: [...others, approval] };
}

const time = (us: number): string => new Date(Math.floor(us / 1000)).toISOString();

/** Everything that is signed, with nothing that could repaint it. */
export function formatRequest({ approvals, request }: RequestFile): string {
  const lines = [
    `action:    ${request.action}`,
    `log:       ${request.log}`,
    `reason:    ${request.reason}`,
    `requested: ${time(request.requestedAtUs)}`,
    `expires:   ${time(request.expiresAtUs)}`,
    `request:   ${request.digest}`,
    `approvals: ${approvals.map(({ officer }) => officer).join(', ') || 'none'}`,
    'scope:',
    ...JSON.stringify(request.scope, undefined, 2)
      .split('\n')
      .map((line) => `  ${line}`),
  ];
  return printable(lines.join('\n'));
}
