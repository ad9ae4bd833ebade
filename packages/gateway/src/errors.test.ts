import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { CountersignError, ERROR_SURFACES } from './errors.ts';
import { errorFields } from './observe/logger.ts';

/** Code, SQLSTATE, exit code of the command line, worth trying again. Public contract: changing a row breaks somebody. */
const PINNED: readonly (readonly [string, string, number, boolean])[] = [
  ['CS_INTERNAL', 'XX000', 1, false],
  ['CS_USAGE', '42601', 2, false],
  ['CS_INPUT_UNUSABLE', '22023', 2, false],
  ['CS_FILE_EXISTS', '58P02', 4, false],
  ['CS_PROGRAM_UNAVAILABLE', '58P01', 5, false],
  ['CS_REQUEST_INVALID', '22023', 2, false],
  ['CS_CONFIG_INVALID', 'F0000', 3, false],
  ['CS_CONFIG_NOT_BUILT', 'F0000', 3, false],
  ['CS_POLICY_INVALID', 'F0000', 3, false],
  ['CS_SECRET_UNAVAILABLE', 'F0000', 3, false],
  ['CS_PROTOCOL_VIOLATION', '08P01', 5, false],
  ['CS_PROTOCOL_UNSUPPORTED', '0A000', 4, false],
  ['CS_HANDSHAKE_TIMEOUT', '08006', 5, true],
  ['CS_TLS_REQUIRED', '28000', 4, false],
  ['CS_ADDRESS_DENIED', '28000', 4, false],
  ['CS_CONNECTION_LIMIT', '53300', 5, true],
  ['CS_AUTHN_BACKOFF', '28000', 5, true],
  ['CS_AUTHN_FAILED', '28P01', 4, false],
  ['CS_TOKEN_CHANNEL', '28000', 4, false],
  ['CS_TARGET_UNKNOWN', '3D000', 4, false],
  ['CS_NO_GRANT', '42501', 4, false],
  ['CS_CONNECT_DENIED', '42501', 4, false],
  ['CS_GRANT_ENDED', '57P01', 4, false],
  ['CS_TARGET_UNAVAILABLE', '08001', 5, true],
  ['CS_TARGET_AUTHN', '08004', 5, false],
  ['CS_ROLE_UNAVAILABLE', '58000', 5, true],
  ['CS_CLIENT_LOST', '08006', 5, true],
  ['CS_TARGET_LOST', '08006', 5, true],
  ['CS_CATALOG_UNAVAILABLE', '58000', 5, true],
  ['CS_SETTING_DENIED', '42501', 4, false],
  ['CS_SESSION_PIN', '57P01', 4, false],
  ['CS_PREPARED_LIMIT', '53400', 4, false],
  ['CS_STATEMENT_TOO_LONG', '54000', 4, false],
  ['CS_STATEMENT_TOO_COMPLEX', '54001', 4, false],
  ['CS_STATEMENT_SYNTAX', '42601', 4, false],
  ['CS_STATEMENT_UNREADABLE', '0A000', 4, false],
  ['CS_CATALOG_MOVED', '40001', 4, true],
  ['CS_STATEMENT_DENIED', '42501', 4, false],
  ['CS_MASK_ORACLE', '42501', 4, false],
  ['CS_MASK_DERIVED', '42501', 4, false],
  ['CS_MASK_BUDGET', '42501', 4, false],
  ['CS_MASK_FLOW', '42501', 4, false],
  ['CS_MASK_WRITE_BACK', '42501', 4, false],
  ['CS_MASK_ROW_TOO_LONG', '54000', 4, false],
  ['CS_QUOTA_EXCEEDED', '53400', 5, true],
  ['CS_IDLE_TIMEOUT', '57P05', 5, true],
  ['CS_STATEMENT_TIMEOUT', '57014', 5, true],
  ['CS_RECORD_TIMEOUT', '58030', 6, true],
  ['CS_RECORD_FULL', '53100', 6, true],
  ['CS_RECORD_FAILED', '58030', 6, true],
  ['CS_RESULT_UNRECORDED', '58030', 6, false],
  ['CS_RECORD_CORRUPT', '58030', 6, false],
  ['CS_CUSTODY_REFUSED', '42501', 4, false],
  ['CS_CONTENTS_HELD', '55006', 4, false],
  ['CS_LOG_ROLLED_BACK', '58030', 6, false],
  ['CS_LOG_FORKED', '58030', 6, false],
  ['CS_UNWITNESSED', '58030', 6, true],
  ['CS_LOG_UNREADABLE', '58030', 5, false],
  ['CS_GATEWAY_UNAVAILABLE', '08001', 5, true],
  ['CS_SHUTTING_DOWN', '57P01', 5, true],
];

test('codes, SQLSTATEs and exit codes are these', () => {
  const actual = Object.entries(ERROR_SURFACES).map(([code, { sqlState, exit, retryable }]) => [
    code,
    sqlState,
    exit,
    retryable,
  ]);
  assert.deepEqual(actual, PINNED);
});

test('an error shows the fixed sentence of its code, whatever its detail and cause', () => {
  const error = new CountersignError('CS_NO_GRANT', { detail: 'target bank', cause: new Error('secret') });
  assert.equal(error.message, ERROR_SURFACES.CS_NO_GRANT.sentence);
  assert.equal(error.sqlState, '42501');
  assert.equal(error.exitCode, 4);
  assert.equal(error.retryable, false);
  assert.equal(error.fatal, false);
  assert.equal(error.hint, ERROR_SURFACES.CS_NO_GRANT.hint);
  assert.equal(new CountersignError('CS_NO_GRANT', { hint: 'another' }).hint, 'another');
});

test('what a client is told of its own statement is in nothing that prints or serializes an error', () => {
  const error = new CountersignError('CS_STATEMENT_DENIED', {
    ruleIds: ['scope'],
    told: { message: 'near-9f1', detail: 'table-9f1', hint: 'ask-9f1', position: 3 },
  });
  assert.equal(error.told?.detail, 'table-9f1');
  const shown = [
    JSON.stringify(error),
    JSON.stringify(Object.entries(error)),
    inspect(error, { depth: 9, showHidden: true }),
    String(error),
    error.stack ?? '',
    JSON.stringify(errorFields(error)),
    JSON.stringify(structuredClone(error)),
  ];
  for (const text of shown) assert.doesNotMatch(text, /9f1/);
});
