import { createHmac, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { CountersignError } from '../../errors.ts';
import type { Principal } from '../../identity/principal.ts';
import { isLoopback, type PrincipalRegistry } from '../../identity/principal-registry.ts';
import {
  SCRAM_DEFAULT_ITERATIONS,
  SCRAM_DEFAULT_SALT_BYTES,
  SCRAM_KEY_BYTES,
  type ScramVerifier,
} from '../../identity/scram-verifier.ts';
import { verifyToken } from '../../identity/token.ts';
import type { AuthnMethod } from '../authenticated-client.ts';
import type { HandshakeReader } from '../handshake-reader.ts';
import { SCRAM, SCRAM_PLUS } from '../scram/scram-message.ts';
import { ScramServerExchange } from '../scram/scram-server-exchange.ts';
import type { StartupRequest } from '../startup-request.ts';
import {
  decodePasswordMessage,
  decodeSASLInitialResponse,
  decodeSASLResponse,
  encodeAuthenticationCleartextPassword,
  encodeAuthenticationSASL,
  encodeAuthenticationSASLContinue,
  encodeAuthenticationSASLFinal,
  FRONTEND,
  protocolViolation,
} from '../wire/index.ts';

/** `PG_MAX_SASL_MESSAGE_LENGTH` (libpq/sasl.h), and room for the mechanism's name and lengths around it. */
const MAX_SASL_BODY_BYTES = 1024 + 64;
/** A token has at most 1,024 characters; a longer password is told apart from it, not cut off. */
const MAX_PASSWORD_BODY_BYTES = 2048;

export interface AuthenticateOptions {
  readonly socket: Socket;
  readonly reader: HandshakeReader;
  readonly request: StartupRequest;
  readonly isEncrypted: boolean;
  /** Channel-binding data of our certificate; only over TLS. */
  readonly endPoint: Buffer | undefined;
  readonly address: string;
  readonly principals: PrincipalRegistry;
  readonly tokenKey: Uint8Array;
  readonly mockKey: Uint8Array;
}

/** Which words may stand as `reason` in a refused `authn.result`. */
export type AuthnRefusal =
  | 'unknown-principal'
  | 'address'
  | 'credential'
  | 'protocol'
  | 'channel'
  | `token-${'malformed' | 'mac' | 'expired' | 'principal' | 'target'}`;

export interface AuthnAccepted {
  readonly outcome: 'accepted';
  readonly principal: Principal;
  readonly method: AuthnMethod;
  readonly tokenId?: string;
  /** To be sent once the outcome is on record: it proves to the client that we know its verifier. */
  readonly finalMessage?: Buffer;
}

export interface AuthnRefused {
  readonly outcome: 'refused';
  /** Only of a configured principal. */
  readonly principal?: Principal;
  readonly method: AuthnMethod;
  readonly reason: AuthnRefusal;
  readonly tokenId?: string;
  /** What the client is told. */
  readonly error: CountersignError;
}

/**
 * Runs the exchange that fits what the client asked for. Rejects only when the connection broke or timed out; every answer
 * that was given and found wanting is a `refused`, so that it can be recorded.
 */
export async function authenticate(options: AuthenticateOptions): Promise<AuthnAccepted | AuthnRefused> {
  const { request, principals, address } = options;
  const principal = principals.find(request.user);
  // From a wrong address a principal looks as if it did not exist.
  const isHere = principal !== undefined && principals.mayComeFrom(principal.name, address);
  const who = { principal, isHere };
  // Only the client's own wish decides: asking token-only principals for a token would tell them from unknown ones.
  if (request.wantsToken) return authenticateToken(options, who);
  return authenticateScram(options, who, isHere ? principals.verifierOf(principal.name) : undefined);
}

interface Who {
  readonly principal: Principal | undefined;
  readonly isHere: boolean;
}

async function authenticateScram(
  options: AuthenticateOptions,
  who: Who,
  verifier: ScramVerifier | undefined,
): Promise<AuthnAccepted | AuthnRefused> {
  const { socket, reader, endPoint } = options;
  const offered = endPoint === undefined ? [SCRAM] : [SCRAM_PLUS, SCRAM];
  socket.write(encodeAuthenticationSASL(offered));
  const initial = await readPassword(reader, MAX_SASL_BODY_BYTES);
  let method: AuthnMethod = 'scram-sha-256';
  try {
    const { mechanism, data } = decodeSASLInitialResponse(initial, 0, initial.length);
    if (!offered.includes(mechanism) || data === null)
      throw protocolViolation('SASLInitialResponse: mechanism');
    if (mechanism === SCRAM_PLUS) method = 'scram-sha-256-plus';
    const exchange = new ScramServerExchange({
      mechanism,
      verifier: verifier ?? mockVerifier(options.mockKey, options.request.user),
      isMock: verifier === undefined,
      ...(endPoint === undefined ? {} : { endPoint }),
    });
    socket.write(encodeAuthenticationSASLContinue(Buffer.from(exchange.first(data.toString('utf8')))));
    const response = await readPassword(reader, MAX_SASL_BODY_BYTES);
    const final = exchange.final(decodeSASLResponse(response, 0, response.length).toString('utf8'));
    if (final === undefined || !who.isHere || who.principal === undefined) {
      return refuse(who, method, missing(who) ?? 'credential', new CountersignError('CS_AUTHN_FAILED'));
    }
    return {
      outcome: 'accepted',
      principal: who.principal,
      method,
      finalMessage: encodeAuthenticationSASLFinal(Buffer.from(final)),
    };
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== 'CS_PROTOCOL_VIOLATION') throw error;
    return refuse(who, method, 'protocol', error);
  }
}

async function authenticateToken(
  options: AuthenticateOptions,
  who: Who,
): Promise<AuthnAccepted | AuthnRefused> {
  const { socket, reader, request } = options;
  if (!options.isEncrypted && !isLoopback(options.address)) {
    return refuse(who, 'token', 'channel', new CountersignError('CS_TOKEN_CHANNEL'));
  }
  socket.write(encodeAuthenticationCleartextPassword());
  const message = await readPassword(reader, MAX_PASSWORD_BODY_BYTES);
  let password: Buffer;
  try {
    ({ password } = decodePasswordMessage(message, 0, message.length));
  } catch (error) {
    return refuse(who, 'token', 'protocol', error as CountersignError);
  }
  const subject = { principal: request.user, target: request.targetName };
  const verdict = verifyToken(options.tokenKey, password.toString('latin1'), subject);
  password.fill(0);
  message.fill(0);
  if (verdict.ok && who.isHere && who.principal !== undefined) {
    return { outcome: 'accepted', principal: who.principal, method: 'token', tokenId: verdict.claims.jti };
  }
  const reason = verdict.ok ? (missing(who) ?? 'credential') : (`token-${verdict.reason}` as const);
  const tokenId = verdict.ok ? verdict.claims.jti : verdict.jti;
  return refuse(who, 'token', reason, new CountersignError('CS_AUTHN_FAILED'), tokenId);
}

function missing(who: Who): AuthnRefusal | undefined {
  if (who.principal === undefined) return 'unknown-principal';
  return who.isHere ? undefined : 'address';
}

function refuse(
  who: Who,
  method: AuthnMethod,
  reason: AuthnRefusal,
  error: CountersignError,
  tokenId?: string,
): AuthnRefused {
  return {
    outcome: 'refused',
    method,
    reason,
    error,
    ...(who.principal === undefined ? {} : { principal: who.principal }),
    ...(tokenId === undefined ? {} : { tokenId }),
  };
}

async function readPassword(reader: HandshakeReader, maxBodyBytes: number): Promise<Buffer> {
  const message = await reader.message(maxBodyBytes);
  if (message[0] !== FRONTEND.password)
    throw protocolViolation('expected the answer to an authentication request');
  return message;
}

/**
 * What an unknown user is measured against (PostgreSQL's `mock_scram_secret`): a salt that is always the same for the same
 * name, keys that nobody knows. Its steps cost the same as those of a real one.
 * RISK: a principal whose verifier has another iteration count or salt length than `makeVerifier` gives can be told from one that
 * does not exist, as in PostgreSQL.
 */
function mockVerifier(mockKey: Uint8Array, user: string): ScramVerifier {
  const salt = createHmac('sha256', mockKey)
    .update(user, 'utf8')
    .digest()
    .subarray(0, SCRAM_DEFAULT_SALT_BYTES);
  return {
    iterations: SCRAM_DEFAULT_ITERATIONS,
    salt,
    storedKey: randomBytes(SCRAM_KEY_BYTES),
    serverKey: randomBytes(SCRAM_KEY_BYTES),
  };
}
