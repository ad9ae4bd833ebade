import { hash } from 'node:crypto';
import type { Socket } from 'node:net';
import { CountersignError } from '../../errors.ts';
import type { HandshakeReader } from '../handshake-reader.ts';
import { SCRAM_PLUS } from '../scram/scram-message.ts';
import { ScramClientExchange } from '../scram/scram-client-exchange.ts';
import {
  type Authentication,
  AUTH_MESSAGE_LIMIT,
  BACKEND,
  decodeAuthentication,
  decodeErrorResponse,
  encodePasswordMessage,
  encodeSASLInitialResponse,
  encodeSASLResponse,
} from '../wire/index.ts';
import { targetError } from './target-error.ts';

export interface TargetAuthnOptions {
  readonly socket: Socket;
  readonly reader: HandshakeReader;
  readonly user: string;
  readonly password: string | undefined;
  /** Channel-binding data of the target's certificate. */
  readonly endPoint: Buffer | undefined;
  /** Whether a password may go out as it is: over TLS, or to this machine when TLS is switched off. */
  readonly mayShowPassword: boolean;
}

/**
 * Answers the target's authentication requests until AuthenticationOk, starting with `first`. Throws `CS_TARGET_AUTHN`
 * when it refuses us, wants a method that we do not offer (Kerberos, GSSAPI, SSPI, a password in clear over an open network), or
 * says OK in the middle of a SCRAM exchange, before it proved that it knows the password.
 */
export async function answerAuthentication(first: Buffer, options: TargetAuthnOptions): Promise<void> {
  for (let message = first; ; message = await options.reader.message(AUTH_MESSAGE_LIMIT)) {
    const request = authenticationOf(message);
    switch (request.kind) {
      case 'ok':
        return;
      case 'cleartext-password':
        if (!options.mayShowPassword)
          throw refused('the target wants the password in clear over an open connection');
        options.socket.write(encodePasswordMessage(passwordOf(options)));
        break;
      case 'md5-password':
        options.socket.write(encodePasswordMessage(md5Answer(options, request.salt)));
        break;
      case 'sasl':
        await answerSasl(request.mechanisms, options);
        break;
      case 'sasl-continue':
      case 'sasl-final':
      case 'other':
        throw refused('the target wants an authentication method that the gateway does not offer');
    }
  }
}

/** Returns after AuthenticationSASLFinal was checked; AuthenticationOk is still to come. */
async function answerSasl(mechanisms: readonly string[], options: TargetAuthnOptions): Promise<void> {
  const { socket, reader, endPoint } = options;
  const exchange = new ScramClientExchange({
    password: passwordOf(options),
    // A target that offers -PLUS without TLS is not one that we can bind to.
    mechanisms: endPoint === undefined ? mechanisms.filter((name) => name !== SCRAM_PLUS) : mechanisms,
    ...(endPoint === undefined ? {} : { endPoint }),
  });
  const data = Buffer.from(exchange.first());
  socket.write(encodeSASLInitialResponse({ mechanism: exchange.mechanism, data }));
  const challenge = authenticationOf(await reader.message(AUTH_MESSAGE_LIMIT));
  if (challenge.kind !== 'sasl-continue') throw refused('the target left the SCRAM exchange');
  socket.write(encodeSASLResponse(Buffer.from(await exchange.final(challenge.data.toString('utf8')))));
  const outcome = authenticationOf(await reader.message(AUTH_MESSAGE_LIMIT));
  if (outcome.kind !== 'sasl-final') throw refused('the target left the SCRAM exchange');
  exchange.verify(outcome.data.toString('utf8'));
}

function authenticationOf(message: Buffer): Authentication {
  if (message[0] === BACKEND.errorResponse)
    throw targetError(decodeErrorResponse(message, 0, message.length));
  if (message[0] !== BACKEND.authentication) throw refused('the target broke off the authentication');
  return decodeAuthentication(message, 0, message.length);
}

function passwordOf(options: TargetAuthnOptions): string {
  if (options.password === undefined || options.password === '') {
    throw refused('the target wants a password and the login has none');
  }
  return options.password;
}

/** `"md5" ‖ hex(md5(hex(md5(password ‖ user)) ‖ salt))`. */
function md5Answer(options: TargetAuthnOptions, salt: Buffer): string {
  const inner = hash('md5', Buffer.from(passwordOf(options) + options.user, 'utf8'), 'hex');
  return `md5${hash('md5', Buffer.concat([Buffer.from(inner), salt]), 'hex')}`;
}

function refused(detail: string): CountersignError {
  return new CountersignError('CS_TARGET_AUTHN', { detail });
}
