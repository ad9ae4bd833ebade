import { CountersignError } from '../errors.ts';

/** Errors of the system become the codes that a refusal needs; others stay what they are. */
export function recordError(error: unknown): Error {
  if (error instanceof CountersignError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) {
    return error instanceof Error ? error : new Error(String(error));
  }
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  return new CountersignError(isFull ? 'CS_RECORD_FULL' : 'CS_RECORD_FAILED', { detail: code, cause: error });
}
