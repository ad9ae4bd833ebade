import type { CountersignError } from '../errors.ts';
import { encodeErrorResponse, makeResponseFields } from './wire/index.ts';

/**
 * An error of ours as PostgreSQL's clients see it: fixed sentence with its code in brackets, so that people and scripts
 * can look it up, and the detail and hint that the error carries.
 */
export function encodeGatewayError(error: CountersignError, severity: 'ERROR' | 'FATAL'): Buffer {
  return encodeErrorResponse(
    makeResponseFields({
      severity,
      sqlState: error.sqlState,
      message: `${error.message} [${error.code}]`,
      detail: error.detail,
      hint: error.hint,
    }),
  );
}
