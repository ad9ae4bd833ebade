import type { Socket } from 'node:net';
import type { LoginConfig, PostgresTargetConfig, Secrets } from '../../config/config.ts';
import type { Access } from '../../policy/access.ts';
import type { TlsInfo } from '../authenticated-client.ts';

/** An authenticated session in the target, idle, before the first command of a client. */
export interface TargetConnection {
  /** Paused and without a `data` listener; who takes over reads `leftover` first. An `error` listener is in place. */
  readonly socket: Socket;
  /** The ParameterStatus values that the target reported, in its order: `server_version`, `client_encoding`, … */
  readonly parameters: ReadonlyMap<string, string>;
  readonly backendPid: number;
  /** Start of the backend, µs since the epoch, for joining with the target's log (decision 32). Absent when no
   *  `recordGatewayStatement` was given or the target did not tell. */
  readonly backendStartedAtUs?: bigint;
  /** What names mean at the start, as the target told (`postgres/analysis/read-back.ts`). Absent like `backendStartedAtUs`. */
  readonly names?: string;
  readonly protocolVersion: '3.0' | '3.2';
  readonly serverVersion: string;
  readonly tls?: TlsInfo;
  readonly leftover: Buffer;
  readonly initialStatus: 'I';
  readonly host: { readonly host: string; readonly port: number };
  /** Sends a CancelRequest over a connection of its own under the same TLS rules, and resolves when the target closed
   *  it. Never rejects: a cancel is a wish, not a promise. */
  cancel(): Promise<void>;
}

export type GatewayStatementOutcome = 'ok' | 'error';

/** How the record calls a statement of the gateway's own. */
export interface StatementWords {
  readonly kind: string;
  readonly effect: 'read' | 'write' | 'admin';
  /** What it touches. Default: the server's own relations. One array for many statements: it is the key of a decision. */
  readonly demands?: readonly Access[];
}

/**
 * Records a statement of the gateway's own (decision 7) as principal `gateway` and resolves once that is durable; only then
 * is the statement sent. The function it gives back is called once with the outcome.
 */
export type RecordGatewayStatement = (
  statement: string,
  backend: Pick<TargetConnection, 'backendPid' | 'serverVersion' | 'protocolVersion'>,
  /** Default: `{ kind: 'select', effect: 'read' }`. */
  words?: StatementWords,
) => Promise<(outcome: GatewayStatementOutcome) => void>;

export interface DialOptions {
  /** Default: the target's configured one. */
  readonly database?: string;
  /** Settings for the start-up packet, already judged against the target's allow-list. */
  readonly settings?: ReadonlyMap<string, string>;
  readonly secrets: Secrets;
  /** Shown in the target as `countersign/<principal>[ <applicationName>]`, cut to 63 bytes. */
  readonly principal: string;
  readonly applicationName?: string;
  /** Without it the gateway sends no statement of its own: no backend start time, and on servers before 14 a
   *  `targetSessionAttrs` other than `any` cannot be met. */
  readonly recordGatewayStatement?: RecordGatewayStatement;
  /** Gives the dial up, with `CS_TARGET_UNAVAILABLE`. */
  readonly signal?: AbortSignal;
}

/**
 * `dialTarget(target, login, options)` in `dial.ts`.
 * Throws `CountersignError`: `CS_TARGET_UNAVAILABLE` (no host in time, or none with the wanted session attributes),
 * `CS_TARGET_AUTHN` (login refused, or only an authentication method that we do not accept), `CS_SECRET_UNAVAILABLE`,
 * `CS_SESSION_PIN` (the target does not report the pinned settings). Never with a credential or the target's own words.
 */
export type DialTarget = (
  target: PostgresTargetConfig,
  login: LoginConfig,
  options: DialOptions,
) => Promise<TargetConnection>;
