import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';

import type { Secrets } from '../../config/config.ts';
import { SinkError, unavailable, type OutgoingEvent, type Sink } from './sink.ts';
import { formatSyslogMessage, frameSyslogMessage, type SyslogIdentity } from './syslog-message.ts';
import { readTls, type OutgoingTls } from './tls-files.ts';

export interface SyslogSinkOptions {
  readonly host: string;
  readonly port: number;
  /** Absent: plain TCP, which configuration admits on loopback only. */
  readonly tls?: OutgoingTls;
  readonly identity: SyslogIdentity;
  /** For connecting, and for each of the other steps. */
  readonly timeoutMs: number;
}

const KEEPALIVE_MS = 30_000;
/** How long after the end of a delivery the end of the sentinel may still show; both come from the same exit. */
const SENTINEL_GRACE_MS = 10;

/**
 * Syslog over TLS (RFC 5425) or plain TCP (RFC 6587), octet counting.
 *
 * Syslog has no acknowledgement: a write that succeeded has reached the own kernel, no more. So each delivery has a
 * connection of its own, and its end is the acknowledgement: after the last message our side is closed, and the delivery
 * counts when the receiver, having read to that end, closes its side in good order. A receiver that dies in between resets
 * the connection or ends it before we did; then everything is delivered again.
 *
 * One that dies just after it has read everything and before it has written it looks the same as a proper close, because
 * its kernel closes for it. It closes every other connection at the same moment, too: a second, idle one, the sentinel, must
 * have outlived the delivery.
 */
export class SyslogSink implements Sink {
  readonly #options: SyslogSinkOptions;
  readonly #secrets: Secrets;
  #sentinel: Socket | undefined;

  constructor(options: SyslogSinkOptions, secrets: Secrets) {
    this.#options = options;
    this.#secrets = secrets;
  }

  async deliver(events: readonly OutgoingEvent[], signal: AbortSignal): Promise<void> {
    const { identity } = this.#options;
    const frames = events.map((event) => frameSyslogMessage(formatSyslogMessage(event, identity)));
    let socket: Socket | undefined;
    try {
      const sentinel = (this.#sentinel ??= await this.#openSentinel(signal));
      socket = await this.#connect(signal);
      await exchange(socket, Buffer.concat(frames), this.#options.timeoutMs, signal);
      await sleep(SENTINEL_GRACE_MS);
      if (this.#sentinel !== sentinel)
        throw new SinkError('unavailable', 'the receiver ended while it took events');
    } catch (error) {
      throw unavailable('the syslog receiver does not take events', error);
    } finally {
      socket?.destroy();
    }
  }

  close(): Promise<void> {
    this.#sentinel?.destroy();
    return Promise.resolve();
  }

  async #openSentinel(signal: AbortSignal): Promise<Socket> {
    const socket = await this.#connect(signal);
    const forget = (): void => {
      socket.destroy();
      if (this.#sentinel === socket) this.#sentinel = undefined;
    };
    socket.setTimeout(0);
    socket.setKeepAlive(true, KEEPALIVE_MS);
    socket.on('error', forget);
    socket.on('end', forget);
    socket.on('close', forget);
    socket.resume();
    return socket;
  }

  async #connect(signal: AbortSignal): Promise<Socket> {
    const { host, port, tls, timeoutMs } = this.#options;
    const place = { host, port, timeout: timeoutMs };
    const files = tls === undefined ? undefined : await readTls(tls, this.#secrets);
    signal.throwIfAborted();
    return await new Promise<Socket>((resolve, reject) => {
      const socket =
        files === undefined ? connectTcp(place) : connectTls({ ...place, ...files, minVersion: 'TLSv1.2' });
      const fail = (error: Error): void => {
        socket.destroy();
        reject(error);
      };
      const abort = (): void => fail(new SinkError('unavailable', 'cut short'));
      signal.addEventListener('abort', abort, { once: true });
      socket.once('error', fail);
      socket.once('timeout', () => fail(new SinkError('unavailable', 'no connection in time')));
      socket.once(files === undefined ? 'connect' : 'secureConnect', () => {
        signal.removeEventListener('abort', abort);
        socket.off('error', fail);
        socket.removeAllListeners('timeout');
        resolve(socket);
      });
    });
  }
}

/** Writes everything, ends our side, and waits for the receiver to end its own. */
function exchange(
  socket: Socket | TLSSocket,
  bytes: Buffer,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let isFinished = false;
    const fail = (message: string): void => reject(new SinkError('unavailable', message));
    socket.on('error', reject);
    // A receiver that reads, however slowly, keeps this from firing.
    socket.setTimeout(timeoutMs, () => fail('the receiver does not read or does not end the connection'));
    socket.on('end', () => {
      if (isFinished) resolve();
      else fail('the receiver ended the connection before everything was written');
    });
    socket.on('close', () => fail('the connection ended without a proper close'));
    signal.addEventListener('abort', () => fail('cut short'), { once: true });
    // Nothing comes on this connection but its end; unread bytes would hide it.
    socket.resume();
    socket.end(bytes, () => {
      isFinished = true;
    });
  });
}
