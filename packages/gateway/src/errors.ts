/**
 * The one error type of the gateway, and the closed list of its codes.
 *
 * A code is public contract: clients, scripts and the record see it, and a test pins the list. The message of a
 * code is a fixed sentence; it never carries a value, a credential or the text of a statement. What differs from
 * case to case goes into `detail` (names from configuration and numbers only) and into the gateway's own log.
 */

/** How one code looks on each surface. `sqlState`: PostgreSQL Appendix A. `exit`: process exit code of the CLI. */
interface Surface {
  readonly sqlState: string;
  readonly exit: number;
  readonly retryable: boolean;
  readonly sentence: string;
  readonly hint?: string;
}

const surface = (
  sqlState: string,
  exit: number,
  retryable: boolean,
  sentence: string,
  hint?: string,
): Surface =>
  hint === undefined
    ? { sqlState, exit, retryable, sentence }
    : { sqlState, exit, retryable, sentence, hint };

/** Exit codes: 0 ok, 1 internal, 2 usage, 3 configuration, 4 not permitted, 5 unavailable, 6 record failure. */
export const ERROR_SURFACES = {
  CS_INTERNAL: surface('XX000', 1, false, 'internal error in the gateway'),
  CS_USAGE: surface('42601', 2, false, 'the command line is not understood'),
  CS_INPUT_UNUSABLE: surface('22023', 2, false, 'something that the command line names cannot be used'),
  CS_FILE_EXISTS: surface('58P02', 4, false, 'a file is there already and was left as it is'),
  CS_PROGRAM_UNAVAILABLE: surface('58P01', 5, false, 'the program cannot be started'),
  CS_REQUEST_INVALID: surface('22023', 2, false, 'the gateway cannot answer the request as it was put'),
  CS_CONFIG_INVALID: surface('F0000', 3, false, 'the configuration is not valid'),
  CS_CONFIG_NOT_BUILT: surface(
    'F0000',
    3,
    false,
    'the configuration asks for something this version does not have',
  ),
  CS_POLICY_INVALID: surface('F0000', 3, false, 'the policies are not valid'),
  CS_SECRET_UNAVAILABLE: surface(
    'F0000',
    3,
    false,
    'a secret that the configuration refers to cannot be read',
  ),
  CS_PROTOCOL_VIOLATION: surface('08P01', 5, false, 'the peer broke the wire protocol'),
  CS_PROTOCOL_UNSUPPORTED: surface(
    '0A000',
    4,
    false,
    'this part of the protocol is not offered by the gateway',
  ),
  CS_HANDSHAKE_TIMEOUT: surface('08006', 5, true, 'the connection was not established in time'),
  CS_TLS_REQUIRED: surface(
    '28000',
    4,
    false,
    'this listener accepts only TLS connections',
    'Connect with sslmode=require or stronger.',
  ),
  CS_ADDRESS_DENIED: surface('28000', 4, false, 'connections from this address are not accepted'),
  CS_CONNECTION_LIMIT: surface(
    '53300',
    5,
    true,
    'too many connections',
    'Close a connection or ask the operator to raise the limit.',
  ),
  CS_AUTHN_BACKOFF: surface(
    '28000',
    5,
    true,
    'too many failed attempts; this one was not looked at',
    'Wait some seconds before the next attempt.',
  ),
  CS_AUTHN_FAILED: surface(
    '28P01',
    4,
    false,
    'authentication failed',
    'Check the principal name and its credential.',
  ),
  CS_TOKEN_CHANNEL: surface(
    '28000',
    4,
    false,
    'a token is accepted only over TLS or from a loopback address',
    'Connect with TLS.',
  ),
  CS_TARGET_UNKNOWN: surface(
    '3D000',
    4,
    false,
    'no such target, or no live grant for it',
    'Name the target as dbname=<target>; ask its owner for a grant.',
  ),
  CS_NO_GRANT: surface(
    '42501',
    4,
    false,
    'no live grant covers this',
    'Ask the owner of the target for a grant.',
  ),
  CS_CONNECT_DENIED: surface(
    '42501',
    4,
    false,
    'no policy permits a session on this target',
    'Ask the owner of the target.',
  ),
  CS_GRANT_ENDED: surface(
    '57P01',
    4,
    false,
    'the grant of this session has ended',
    'Ask the owner of the target for a new grant and connect again.',
  ),
  CS_TARGET_UNAVAILABLE: surface('08001', 5, true, 'the target cannot be reached'),
  CS_TARGET_AUTHN: surface('08004', 5, false, 'the target refused the login of the gateway'),
  CS_ROLE_UNAVAILABLE: surface(
    '58000',
    5,
    true,
    'the role of this grant could not be made in the target, so no session was opened',
    'Try again; the operator sees the reason in the log of the gateway.',
  ),
  CS_CLIENT_LOST: surface('08006', 5, true, 'the connection to the client was lost'),
  CS_TARGET_LOST: surface('08006', 5, true, 'the connection to the target was lost'),
  CS_CATALOG_UNAVAILABLE: surface(
    '58000',
    5,
    true,
    'the catalog of the target is not known at present, so the command was not executed',
    'Try again; the operator has been alarmed.',
  ),
  CS_SETTING_DENIED: surface(
    '42501',
    4,
    false,
    'this setting may not be changed through the gateway',
    'The operator can allow it under targets.<name>.settings.allow.',
  ),
  CS_SESSION_PIN: surface(
    '57P01',
    4,
    false,
    'a setting that the gateway pins was changed in the target, so the session was ended',
    'Leave client_encoding at UTF8 and standard_conforming_strings on.',
  ),
  CS_PREPARED_LIMIT: surface(
    '53400',
    4,
    false,
    'the session has more prepared statements than the gateway keeps',
    'Close or deallocate prepared statements that are not needed any more.',
  ),
  CS_STATEMENT_TOO_LONG: surface(
    '54000',
    4,
    false,
    'the statement is longer than the gateway accepts',
    'Send large values as parameters or with COPY.',
  ),
  CS_STATEMENT_TOO_COMPLEX: surface(
    '54001',
    4,
    false,
    'the statement could not be read in time, so it was not executed',
    'Send shorter statements; large values as parameters or with COPY.',
  ),
  CS_STATEMENT_SYNTAX: surface('42601', 4, false, 'the statement has a syntax error, so it was not executed'),
  CS_STATEMENT_UNREADABLE: surface(
    '0A000',
    4,
    false,
    'what the statement would do cannot be told, so it was not executed',
    'docs/analysis.md says what each reason means.',
  ),
  CS_CATALOG_MOVED: surface(
    '40001',
    4,
    true,
    'what the names of the statement mean has just changed, so it was not executed',
    'Try again; prepare the statement anew.',
  ),
  CS_STATEMENT_DENIED: surface('42501', 4, false, 'this statement is not permitted through the gateway'),
  CS_MASK_ORACLE: surface(
    '42501',
    4,
    false,
    'the statement would tell something of regulated values by its form, so it was not executed',
  ),
  CS_MASK_DERIVED: surface(
    '42501',
    4,
    false,
    'the statement answers an expression over a regulated value that may be in none, so it was not executed',
  ),
  CS_MASK_BUDGET: surface(
    '42501',
    4,
    false,
    'the statement asks for more regulated values by equality than the grant allows, so it was not executed',
  ),
  CS_MASK_FLOW: surface(
    '42501',
    4,
    false,
    'the statement would move a regulated value to where it is not masked any more, so it was not executed',
  ),
  CS_MASK_WRITE_BACK: surface(
    '42501',
    4,
    false,
    'the statement could write a masked value over a real one, so it was not executed',
  ),
  CS_MASK_ROW_TOO_LONG: surface(
    '54000',
    4,
    false,
    'a row with a masked column is longer than the gateway puts together, so the session was ended',
    'Leave the long columns out, or raise masking.maxRowBytes.',
  ),
  CS_QUOTA_EXCEEDED: surface(
    '53400',
    5,
    true,
    'the quota of this principal is used up, so the command was not executed',
    'Send fewer commands, or ask the operator to raise limits.principal.',
  ),
  CS_IDLE_TIMEOUT: surface('57P05', 5, true, 'the session was idle for too long'),
  CS_STATEMENT_TIMEOUT: surface('57014', 5, true, 'the statement took longer than the gateway permits'),
  CS_RECORD_TIMEOUT: surface(
    '58030',
    6,
    true,
    'the record could not be written in time, so the command was not executed',
    'Try again; the operator has been alarmed.',
  ),
  CS_RECORD_FULL: surface(
    '53100',
    6,
    true,
    'there is no room left for the record, so the command was not executed',
    'The operator must free disk space.',
  ),
  CS_RECORD_FAILED: surface(
    '58030',
    6,
    true,
    'the record cannot be written, so the command was not executed',
    'Try again; the operator has been alarmed.',
  ),
  CS_RESULT_UNRECORDED: surface(
    '58030',
    6,
    false,
    'the command was executed, but its result could not be recorded, so the session was ended',
  ),
  CS_RECORD_CORRUPT: surface('58030', 6, false, 'the record on disk is damaged'),
  CS_CUSTODY_REFUSED: surface(
    '42501',
    4,
    false,
    'the request about sealed contents was refused, and that is on the record',
    'docs/custody.md says what each reason means.',
  ),
  CS_CONTENTS_HELD: surface(
    '55006',
    4,
    false,
    'the contents are held and cannot be erased',
    'The holds that are named must be released first.',
  ),
  CS_LOG_ROLLED_BACK: surface(
    '58030',
    6,
    false,
    'the log was rolled back: its key has signed more leaves than it has',
    'The operator must restore the record lawfully (docs/witness.md).',
  ),
  CS_LOG_FORKED: surface(
    '58030',
    6,
    false,
    'the log is forked: its key has signed other leaves than it has',
    'The operator must find out who used the key (docs/witness.md).',
  ),
  CS_UNWITNESSED: surface(
    '58030',
    6,
    true,
    'no quorum of witnesses has seen the record for too long, so the command was not executed',
    'Try again; the operator has been alarmed.',
  ),
  CS_LOG_UNREADABLE: surface('58030', 5, false, 'the log cannot be read'),
  CS_GATEWAY_UNAVAILABLE: surface('08001', 5, true, 'the gateway does not answer'),
  CS_SHUTTING_DOWN: surface('57P01', 5, true, 'the gateway is shutting down'),
} as const satisfies Record<string, Surface>;

export type ErrorCode = keyof typeof ERROR_SURFACES;

/** What the client alone is told of an error that its own statement caused. It may repeat names that the statement has. */
export interface ToldToClient {
  /** Behind the code's sentence. */
  readonly message?: string;
  readonly detail?: string;
  readonly hint?: string;
  /** Of a syntax error: 1-based, in characters of the statement. */
  readonly position?: number;
}

export interface CountersignErrorOptions {
  /** What differs in this case: configured names and numbers, never a value, credential or statement text. */
  readonly detail?: string;
  /** A hint that replaces the code's own: the lawful next step. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Which rules or checks refused: public ids, which the record keeps behind the code. */
  readonly ruleIds?: readonly string[];
  /** For the client's eyes: neither the record nor the gateway's log has it. */
  readonly told?: ToldToClient | undefined;
  /** True when the process must stop (integrity of the record is in question). Default false. */
  readonly fatal?: boolean;
}

export class CountersignError extends Error {
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  readonly fatal: boolean;
  readonly ruleIds: readonly string[];
  /** Private, so that nothing that prints or serializes an error takes it along. */
  readonly #told: ToldToClient | undefined;

  constructor(code: ErrorCode, options: CountersignErrorOptions = {}) {
    super(ERROR_SURFACES[code].sentence, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CountersignError';
    this.code = code;
    this.detail = options.detail;
    const own: Surface = ERROR_SURFACES[code];
    this.hint = options.hint ?? own.hint;
    this.fatal = options.fatal ?? false;
    this.ruleIds = options.ruleIds ?? [];
    this.#told = options.told;
  }

  /** For an ErrorResponse to the client that sent the statement, and nothing else. */
  get told(): ToldToClient | undefined {
    return this.#told;
  }

  get sqlState(): string {
    return ERROR_SURFACES[this.code].sqlState;
  }

  get exitCode(): number {
    return ERROR_SURFACES[this.code].exit;
  }

  get retryable(): boolean {
    return ERROR_SURFACES[this.code].retryable;
  }
}

export function isCountersignError(value: unknown, code?: ErrorCode): value is CountersignError {
  return value instanceof CountersignError && (code === undefined || value.code === code);
}
