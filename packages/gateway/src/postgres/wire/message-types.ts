/**
 * The messages of protocol 3.0 to 3.2 and how long each may be ("53.7. Message Formats" of the PostgreSQL manual).
 *
 * `limit` is the largest value of the message's length word, as the server (frontend messages: `SocketBackend` in
 * tcop/postgres.c, `recv_password_packet` in libpq/auth.c) and libpq (backend messages: `pqParseInput3` in
 * fe-protocol3.c) have it. The length word counts itself and not the type byte.
 */

/** `PQ_LARGE_MESSAGE_LIMIT` = `MaxAllocSize - 1` (libpq/libpq.h). */
export const LARGE_MESSAGE_LIMIT = 0x3fffffff - 1;
/** `PQ_SMALL_MESSAGE_LIMIT` (libpq/libpq.h). */
export const SMALL_MESSAGE_LIMIT = 10_000;
/** `PG_MAX_AUTH_TOKEN_LENGTH` (libpq/auth.h). */
export const AUTH_MESSAGE_LIMIT = 65_535;
/** What libpq accepts of a backend message that is not one of its "long" types (`pqParseInput3`). */
export const SMALL_BACKEND_MESSAGE_LIMIT = 30_000;

/** Type bytes of the messages that a frontend sends. `password` is also the SASL and GSS responses. */
export const FRONTEND = {
  bind: 0x42, // B
  close: 0x43, // C
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyFail: 0x66, // f
  describe: 0x44, // D
  execute: 0x45, // E
  flush: 0x48, // H
  functionCall: 0x46, // F
  parse: 0x50, // P
  password: 0x70, // p
  query: 0x51, // Q
  sync: 0x53, // S
  terminate: 0x58, // X
} as const;

/** Type bytes of the messages that a backend sends. */
export const BACKEND = {
  authentication: 0x52, // R
  backendKeyData: 0x4b, // K
  bindComplete: 0x32, // 2
  closeComplete: 0x33, // 3
  commandComplete: 0x43, // C
  copyBothResponse: 0x57, // W
  copyData: 0x64, // d
  copyDone: 0x63, // c
  copyInResponse: 0x47, // G
  copyOutResponse: 0x48, // H
  dataRow: 0x44, // D
  emptyQueryResponse: 0x49, // I
  errorResponse: 0x45, // E
  functionCallResponse: 0x56, // V
  negotiateProtocolVersion: 0x76, // v
  noData: 0x6e, // n
  noticeResponse: 0x4e, // N
  notificationResponse: 0x41, // A
  parameterDescription: 0x74, // t
  parameterStatus: 0x53, // S
  parseComplete: 0x31, // 1
  portalSuspended: 0x73, // s
  readyForQuery: 0x5a, // Z
  rowDescription: 0x54, // T
} as const;

/** Who sends a message. */
export type Side = 'frontend' | 'backend';

/** Messages that are a header and nothing else: their length word is 4. */
const EMPTY: Readonly<Record<Side, ReadonlySet<number>>> = {
  frontend: new Set([FRONTEND.copyDone, FRONTEND.flush, FRONTEND.sync, FRONTEND.terminate]),
  backend: new Set([
    BACKEND.bindComplete,
    BACKEND.closeComplete,
    BACKEND.copyDone,
    BACKEND.emptyQueryResponse,
    BACKEND.noData,
    BACKEND.parseComplete,
    BACKEND.portalSuspended,
  ]),
};

const LARGE_FRONTEND: ReadonlySet<number> = new Set([
  FRONTEND.bind,
  FRONTEND.copyData,
  FRONTEND.functionCall,
  FRONTEND.parse,
  FRONTEND.query,
]);

const LARGE_BACKEND: ReadonlySet<number> = new Set([
  BACKEND.copyData,
  BACKEND.dataRow,
  BACKEND.errorResponse,
  BACKEND.functionCallResponse,
  BACKEND.noticeResponse,
  BACKEND.notificationResponse,
  BACKEND.rowDescription,
]);

function frontendLimit(type: number): number {
  if (EMPTY.frontend.has(type)) return 4;
  if (type === FRONTEND.password) return AUTH_MESSAGE_LIMIT;
  return LARGE_FRONTEND.has(type) ? LARGE_MESSAGE_LIMIT : SMALL_MESSAGE_LIMIT;
}

function backendLimit(type: number): number {
  if (EMPTY.backend.has(type)) return 4;
  // 65,535 parameters are lawful and do not fit the limit that libpq applies to this message.
  if (type === BACKEND.parameterDescription) return 4 + 2 + 4 * 0xffff;
  return LARGE_BACKEND.has(type) ? LARGE_MESSAGE_LIMIT : SMALL_BACKEND_MESSAGE_LIMIT;
}

/** Cap on the body by type byte; -1 = no such message. Built once: a framer is made for each connection. */
const MAX_BODY_BYTES: Readonly<Record<Side, Int32Array>> = {
  frontend: new Int32Array(256).fill(-1),
  backend: new Int32Array(256).fill(-1),
};
for (const type of Object.values(FRONTEND)) MAX_BODY_BYTES.frontend[type] = frontendLimit(type) - 4;
for (const type of Object.values(BACKEND)) MAX_BODY_BYTES.backend[type] = backendLimit(type) - 4;

/**
 * The protocol's own cap on a message body (bytes after the length word), or -1 if `side` has no such message.
 */
export function protocolMaxBodyBytes(side: Side, type: number): number {
  return MAX_BODY_BYTES[side][type] ?? -1;
}

/** The message's name in camel case, for errors and tests; undefined if `side` has no such message. */
export function messageName(side: Side, type: number): string | undefined {
  const types: Readonly<Record<string, number>> = side === 'frontend' ? FRONTEND : BACKEND;
  return Object.keys(types).find((name) => types[name] === type);
}
