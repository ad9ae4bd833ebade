import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { CountersignError } from '../../errors.ts';
import { askNamesWith } from '../analysis/read-back.ts';
import type { HandshakeReader } from '../handshake-reader.ts';
import { tlsInfo } from '../tls-info.ts';
import {
  BACKEND,
  type BackendKeyData,
  decodeBackendKeyData,
  decodeDataRow,
  decodeErrorResponse,
  decodeParameterStatus,
  decodeReadyForQuery,
  encodeQuery,
  encodeTerminate,
  protocolViolation,
  SMALL_BACKEND_MESSAGE_LIMIT,
} from '../wire/index.ts';
import { cancelTarget } from './cancel-target.ts';
import type { Host } from './connect-host.ts';
import type { TargetConnection } from './target-connection.ts';
import { targetError } from './target-error.ts';

/** What the target said between AuthenticationOk and ReadyForQuery. */
export interface ReadyState {
  readonly parameters: Map<string, string>;
  readonly key: BackendKeyData | undefined;
}

export interface PreparedSessionOptions {
  readonly host: Host;
  readonly socket: Socket;
  readonly reader: HandshakeReader;
  readonly protocolVersion: '3.0' | '3.2';
  readonly state: ReadyState;
  /** Called once when nothing more is read through `reader`: its deadline is over. */
  readonly settle: () => void;
}

/** Microseconds from 1970 to 2000, where PostgreSQL's timestamps count from. */
const POSTGRES_EPOCH_US = 946_684_800_000_000n;

/**
 * Start of our own backend and what names mean in the session, without any operator or unqualified name: a client can choose the
 * search_path of the session, and then an operator could be anybody's function. As bytes, so that no display setting matters.
 */
const INTRODUCTION = askNamesWith(
  "'started', (SELECT pg_catalog.encode(pg_catalog.timestamptz_send(backend_start), 'hex') " +
    'FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()))',
);

/** What the target tells of a session at its start. */
export interface Introduction {
  readonly backendStartedAtUs?: bigint;
  /** JSON, see `NamesReading`. */
  readonly names?: string;
}

/** A session in the target that is ready and not handed over yet. */
export class PreparedSession {
  readonly parameters: ReadonlyMap<string, string>;
  readonly #options: PreparedSessionOptions;

  /** Throws `CS_SESSION_PIN` when the target does not report the pins as we sent them. */
  constructor(options: PreparedSessionOptions) {
    this.#options = options;
    this.parameters = options.state.parameters;
    assertPin(this.parameters, 'client_encoding', 'UTF8');
    assertPin(this.parameters, 'standard_conforming_strings', 'on');
  }

  /**
   * The first column of the last row of a statement of the gateway's own, recorded before it is sent. Undefined when no
   * statement may be sent, it failed, or the value is null.
   */
  async ask(statement: string): Promise<string | undefined> {
    const { host, socket, reader } = this.#options;
    const record = host.options.recordGatewayStatement;
    if (record === undefined) return undefined;
    const recordOutcome = await record(statement, {
      backendPid: this.#options.state.key?.processId ?? 0,
      serverVersion: this.parameters.get('server_version') ?? '',
      protocolVersion: this.#options.protocolVersion,
    });
    let outcome: 'ok' | 'error' = 'error';
    try {
      socket.write(encodeQuery(statement));
      const answer = await readAnswer(reader);
      outcome = answer.failed ? 'error' : 'ok';
      return answer.value;
    } finally {
      recordOutcome(outcome);
    }
  }

  /** Asks the target who we are in it. Empty when no statement may be sent, or it failed. */
  async introduce(): Promise<Introduction> {
    const names = await this.ask(INTRODUCTION);
    if (names === undefined) return {};
    const hex = /"started"\s*:\s*"([0-9a-f]{16})"/.exec(names)?.[1];
    if (hex === undefined) return { names };
    const backendStartedAtUs = BigInt.asIntN(64, BigInt(`0x${hex}`)) + POSTGRES_EPOCH_US;
    return { names, backendStartedAtUs };
  }

  /** Gives the socket away, paused. */
  handOver({ backendStartedAtUs, names }: Introduction): TargetConnection {
    const { host, socket, reader, protocolVersion, state, settle } = this.#options;
    const { key } = state;
    settle();
    return {
      socket,
      parameters: state.parameters,
      backendPid: key?.processId ?? 0,
      protocolVersion,
      serverVersion: state.parameters.get('server_version') ?? '',
      leftover: reader.rest(),
      initialStatus: 'I',
      host: host.host,
      cancel: async () => (key === undefined ? undefined : cancelTarget(host, key)),
      ...(backendStartedAtUs === undefined ? {} : { backendStartedAtUs }),
      ...(names === undefined ? {} : { names }),
      ...(socket instanceof TLSSocket ? { tls: tlsInfo(socket) } : {}),
    };
  }

  /** It is not wanted after all. */
  end(): void {
    const { socket, reader, settle } = this.#options;
    settle();
    reader.detach();
    socket.end(encodeTerminate());
    socket.destroySoon();
  }
}

export async function readUntilReady(reader: HandshakeReader): Promise<ReadyState> {
  const parameters = new Map<string, string>();
  let key: BackendKeyData | undefined;
  for (;;) {
    const message = await reader.message(SMALL_BACKEND_MESSAGE_LIMIT);
    switch (message[0]) {
      case BACKEND.parameterStatus: {
        const { name, value } = decodeParameterStatus(message, 0, message.length);
        parameters.set(name, value);
        break;
      }
      case BACKEND.backendKeyData:
        key = decodeBackendKeyData(message, 0, message.length);
        break;
      case BACKEND.noticeResponse:
        break;
      case BACKEND.errorResponse:
        throw targetError(decodeErrorResponse(message, 0, message.length));
      case BACKEND.readyForQuery:
        if (decodeReadyForQuery(message, 0, message.length) !== 'I')
          throw protocolViolation('ReadyForQuery: status');
        return { parameters, key };
      default:
        throw protocolViolation('a message that does not belong to start-up');
    }
  }
}

interface Answer {
  readonly value: string | undefined;
  readonly failed: boolean;
}

async function readAnswer(reader: HandshakeReader): Promise<Answer> {
  let value: string | undefined;
  let failed = false;
  for (;;) {
    const message = await reader.message(SMALL_BACKEND_MESSAGE_LIMIT);
    if (message[0] === BACKEND.errorResponse) failed = true;
    if (message[0] === BACKEND.dataRow) {
      const range = decodeDataRow(message, 0, message.length)[0];
      value = range === undefined ? undefined : message.toString('utf8', range.start, range.end);
    }
    if (message[0] === BACKEND.readyForQuery) return { value: failed ? undefined : value, failed };
  }
}

function assertPin(parameters: ReadonlyMap<string, string>, name: string, value: string): void {
  if (parameters.get(name) === value) return;
  throw new CountersignError('CS_SESSION_PIN', { detail: `the target does not report ${name}=${value}` });
}
