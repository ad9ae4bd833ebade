import { CountersignError } from '../../errors.ts';
import { isAbrupt } from '../../session/session.ts';
import { makeSettingsPolicy } from '../inspect/settings.ts';
import { Deadlines, type DeadlineHost } from './deadlines.ts';
import { Exchange } from './exchange.ts';
import { GatedWriter } from './gated-writer.ts';
import { SessionMask } from './session-mask.ts';
import type { ServedSession, ServeSessionOptions } from './ports.ts';
import { ReadValve, ValveReason } from './read-valve.ts';
import { BackendRelay, type BackendHost } from './relay-backend.ts';
import { FrontendRelay, type FrontendHost } from './relay-frontend.ts';
import { cutCalls } from './termination.ts';

/** What may wait for the record, or for a slow peer, before we stop reading from the other side. */
const HELD_BYTES = 262_144;
/**
 * How many messages may be without an answer before we stop reading from the client. Each has an answer of 5 bytes or more,
 * and the server keeps back 8 KiB of answers at most, so it never takes more from the client to bring the number down.
 */
const UNANSWERED = 16_384;
/** Decision 11: how long a cancelled command may take to tell how it ended. */
const SETTLE_MS = 200;
const TERMINATE = Buffer.from([0x58, 0, 0, 0, 4]);

/**
 * Relays one session, from the first command to its end. The client was welcomed and its session opened; both sockets are
 * paused. Everything of the session is recorded by the time `done` resolves.
 */
export function serveSession(options: ServeSessionOptions): ServedSession {
  return new SessionRelay(options);
}

class SessionRelay implements ServedSession, FrontendHost, BackendHost, DeadlineHost {
  readonly done: Promise<void>;
  readonly #options: ServeSessionOptions;
  readonly #exchange: Exchange;
  readonly #frontend: FrontendRelay;
  readonly #backend: BackendRelay;
  readonly #clientValve: ReadValve;
  readonly #targetValve: ReadValve;
  /** Too much is held for the target, or for the client. */
  readonly #heldForTarget: ValveReason;
  readonly #heldForClient: ValveReason;
  /** Too much of what the client sent has no answer yet. */
  readonly #unanswered: ValveReason;
  /** The client's socket takes nothing more for now. */
  readonly #clientIsFull: ValveReason;
  readonly #deadlines: Deadlines;
  #resolveDone: () => void = () => {};
  #bytesUp = 0;
  #bytesDown = 0;
  #lastActivityMs = performance.now();
  /** When what stands at the head of the expected answers came there: the target can work on it only since then. */
  #headSinceMs = 0;
  #isTerminating = false;
  /** The client has closed its side while messages of it still wait for their turn. */
  #isLeaving = false;
  #wasToldFatal = false;
  #isEnding = false;
  #isCancelling = false;
  /** Set while no answers are read in this turn: ends that. */
  #endYield: (() => void) | undefined;
  #onSettled: (() => void) | undefined;

  constructor(options: ServeSessionOptions) {
    this.#options = options;
    const { client, target, session, limits } = options;
    this.done = new Promise((resolve) => {
      this.#resolveDone = resolve;
    });
    this.#clientValve = new ReadValve(client.socket);
    this.#targetValve = new ReadValve(target.socket);
    this.#heldForTarget = new ValveReason(this.#clientValve);
    this.#heldForClient = new ValveReason(this.#targetValve);
    this.#unanswered = new ValveReason(this.#clientValve);
    const targetIsFull = new ValveReason(this.#clientValve);
    this.#clientIsFull = new ValveReason(this.#targetValve);
    this.#exchange = new Exchange({
      session,
      limits,
      settings: makeSettingsPolicy(options.allowedSettings),
      toTarget: new GatedWriter(
        target.socket,
        (isFull) => targetIsFull.set(isFull),
        () => this.#onTargetFlushed(),
      ),
      toClient: new GatedWriter(
        client.socket,
        (isFull) => this.#clientIsFull.set(isFull),
        () => this.#onClientFlushed(),
      ),
      fail: (error) => this.stop(error),
      analysis: options.analysis,
      recordOwn: options.recordOwn,
      mask:
        options.masking === undefined
          ? undefined
          : new SessionMask(options.masking, session, options.analysis),
    });
    this.#frontend = new FrontendRelay(this.#exchange, this);
    this.#backend = new BackendRelay(this.#exchange, this);
    this.#deadlines = new Deadlines(this, limits);
    this.#listen();
    session.onEndRequested((error) => this.#onEndRequested(error));
  }

  /** While one is on its way, another would hit the same command: nothing new is sent meanwhile. */
  cancel(): void {
    if (!this.#isCancelling) this.#cancel(undefined);
  }

  stop(error: CountersignError): void {
    void this.#end(error);
  }

  pauseClient(): () => void {
    return this.#clientValve.close();
  }

  onTerminate(): void {
    this.#isTerminating = true;
  }

  onReady(): void {
    this.#frontend.retryWaiting();
  }

  onFatal(): void {
    this.#wasToldFatal = true;
  }

  runningSinceMs(): number | undefined {
    const { head } = this.#exchange.expected;
    if (head === undefined) return undefined;
    // What has no call of its own (Sync, Describe) has no gate either.
    const forwardedAtMs = head.call === undefined ? this.#headSinceMs : head.call.gate.passedAtMs;
    return forwardedAtMs === undefined ? performance.now() : Math.max(forwardedAtMs, this.#headSinceMs);
  }

  idleSinceMs(): number | undefined {
    const isBusy = !this.#exchange.expected.isEmpty || this.#isTerminating || this.#frontend.isPaced;
    return isBusy ? undefined : this.#lastActivityMs;
  }

  onStatementTimeout(): void {
    this.#cancel('CS_STATEMENT_TIMEOUT');
  }

  onIdleTimeout(): void {
    this.stop(new CountersignError('CS_IDLE_TIMEOUT'));
  }

  #listen(): void {
    const { client, target } = this.#options;
    client.socket.on('data', (chunk: Buffer) => this.#onClientData(chunk));
    target.socket.on('data', (chunk: Buffer) => this.#onTargetData(chunk));
    client.socket.on('end', () => this.#onClientGone());
    client.socket.on('close', () => this.#onClientClosed());
    target.socket.on('close', () => this.#onTargetGone());
    if (target.leftover.length > 0) this.#onTargetData(target.leftover);
    if (client.leftover.length > 0) this.#onClientData(client.leftover);
    // Closed and opened once, which starts the flow unless something above already closed it.
    this.#clientValve.close()();
    this.#targetValve.close()();
    if (client.socket.destroyed) this.#onClientClosed();
    if (target.socket.destroyed) this.#onTargetGone();
  }

  #onClientData(chunk: Buffer): void {
    if (this.#isEnding) return;
    this.#bytesUp += chunk.length;
    this.#options.observer?.onBytes?.(chunk.length, 0);
    this.#lastActivityMs = performance.now();
    this.takeMore(() => this.#frontend.push(chunk));
  }

  takeMore(work: () => void): void {
    if (this.#isEnding) return;
    const wasIdle = this.#exchange.expected.isEmpty;
    try {
      work();
    } catch (error) {
      this.#exchange.failWith(error);
      return;
    }
    this.#unanswered.set(this.#exchange.expected.length > UNANSWERED);
    if (wasIdle) this.#headSinceMs = performance.now();
    this.#heldForTarget.set(this.#exchange.toTarget.queuedBytes > HELD_BYTES);
    this.#deadlines.watchStatement();
    if (this.#isLeaving) this.#onClientGone();
  }

  #onTargetData(chunk: Buffer): void {
    this.#bytesDown += chunk.length;
    this.#options.observer?.onBytes?.(0, chunk.length);
    const { head } = this.#exchange.expected;
    try {
      this.#backend.push(chunk);
      this.#frontend.retryWaiting();
    } catch (error) {
      // A target that breaks the protocol, or a pin: nothing that it says later can be attributed.
      this.#options.target.socket.destroy();
      this.#exchange.failWith(error);
      return;
    }
    this.#unanswered.set(this.#exchange.expected.length > UNANSWERED);
    if (this.#exchange.expected.head !== head) this.#headSinceMs = performance.now();
    this.#heldForClient.set(this.#exchange.toClient.queuedBytes > HELD_BYTES);
    if (this.#isEnding) this.#checkSettled();
    else {
      this.#yieldTurn();
      this.#endIfAsked();
    }
  }

  /** Recording results takes time as well: who had much of this turn reads on in a later one. */
  #yieldTurn(): void {
    const { pace } = this.#options.session;
    if (pace?.isOutOfTurn !== true || this.#endYield !== undefined) return;
    const open = this.#targetValve.close();
    const forget = pace.waitForTurn(() => this.#endYield?.());
    this.#endYield = () => {
      this.#endYield = undefined;
      forget();
      open();
    };
  }

  #onTargetFlushed(): void {
    if (this.#exchange.toTarget.queuedBytes <= HELD_BYTES) this.#heldForTarget.set(false);
  }

  #onClientFlushed(): void {
    if (this.#exchange.toClient.queuedBytes <= HELD_BYTES) this.#heldForClient.set(false);
    this.#lastActivityMs = performance.now();
    this.#endIfAsked();
  }

  #onClientGone(): void {
    if (this.#isTerminating || this.#isEnding) return;
    // It may have said goodbye in what still waits: that is read before it is taken for lost.
    this.#isLeaving = this.#frontend.isPaced;
    if (this.#isLeaving) return;
    this.stop(new CountersignError('CS_CLIENT_LOST'));
  }

  /**
   * After Terminate what runs goes on to its end, as at the server; but nobody will read its answer, so nothing may wait
   * for a reader.
   */
  #onClientClosed(): void {
    this.#onClientGone();
    if (this.#isEnding) return;
    this.#backend.isMuted = true;
    this.#exchange.toClient.seal();
    this.#heldForClient.set(false);
    this.#clientIsFull.set(false);
  }

  #onTargetGone(): void {
    if (this.#isEnding) this.#onSettled?.();
    else if (this.#isTerminating && this.#exchange.expected.isEmpty) void this.#end(undefined);
    else this.stop(new CountersignError('CS_TARGET_LOST'));
  }

  #onEndRequested(error: CountersignError): void {
    if (isAbrupt(error)) this.stop(error);
    else this.#endIfAsked();
  }

  /** A polite end: between two transactions, with everything answered and released. */
  #endIfAsked(): void {
    const asked = this.#options.session.endRequested;
    if (asked === undefined || this.#isEnding) return;
    const { expected, toClient, toTarget, transaction } = this.#exchange;
    const isBusy =
      !expected.isEmpty || transaction !== 'I' || toClient.queuedBytes > 0 || toTarget.queuedBytes > 0;
    // A client that has said goodbye itself is not sent away.
    if (!isBusy) void this.#end(this.#isTerminating ? undefined : asked);
  }

  /** Cancels what the target runs, and sends it nothing new until that wish has arrived, so that it hits nothing else. */
  #cancel(cause: string | undefined): void {
    const { head } = this.#exchange.expected;
    if (head === undefined) return;
    // A Sync commits and a Describe may wait for a lock: they have no call, and nothing holds them back at the head.
    const call = head.call ?? (head.kind === 'sync' ? this.#backend.completedCall : undefined);
    if (head.call?.wasForwarded === false) return;
    if (call !== undefined) call.cancelCause = cause;
    void this.#sendCancel();
  }

  async #sendCancel(): Promise<void> {
    const unblock = this.#exchange.toTarget.block();
    this.#isCancelling = true;
    await this.#options.target.cancel();
    this.#isCancelling = false;
    unblock();
  }

  /**
   * The end (decision 11): nothing more is released or forwarded; what runs is cancelled and has 200 ms to tell how it
   * ended; the target session is ended; every open call gets its true outcome; then the client is told.
   */
  async #end(error: CountersignError | undefined): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    const { client, target, session } = this.#options;
    const { toClient, toTarget } = this.#exchange;
    this.#deadlines.stop();
    this.#clientValve.close();
    this.#endYield?.();
    if (error?.code !== 'CS_GRANT_ENDED') toClient.flush();
    toClient.seal();
    toTarget.seal();
    this.#backend.isMuted = true;
    await this.#settle(error);
    this.#endTarget(target.socket.destroyed);
    this.#frontend.drop();
    const cause = error?.code ?? 'CS_TARGET_LOST';
    this.#backend.finishCompleted(error?.code ?? 'client');
    cutCalls(this.#exchange, cause, this.#backend.takeDelivered());
    try {
      await session.close(error?.code ?? 'client', this.#bytesUp, this.#bytesDown).durable();
    } catch {
      // The record is down; the recorder synthesises the close when it recovers (reason `crash`).
    }
    if (error === undefined || this.#wasToldFatal || toClient.isMidMessage) client.socket.destroySoon();
    else client.sendFatal(error);
    this.#resolveDone();
  }

  #endTarget(isGone: boolean): void {
    const { socket } = this.#options.target;
    const isIdle = this.#exchange.expected.isEmpty && !this.#exchange.toTarget.isMidMessage;
    if (isGone) return;
    if (isIdle) socket.end(TERMINATE);
    else socket.destroy();
  }

  /** Waits for the outcome of what the target runs, at most 200 ms. */
  async #settle(error: CountersignError | undefined): Promise<void> {
    const { target } = this.#options;
    if (error === undefined || target.socket.destroyed || !this.#isRunning) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, SETTLE_MS);
      this.#onSettled = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#heldForClient.set(false);
      this.#cancel(error.code);
    });
    this.#onSettled = undefined;
  }

  #checkSettled(): void {
    if (!this.#isRunning) this.#onSettled?.();
  }

  /** Whether the target has something to tell the outcome of: commands, or the commit of one at its Sync. */
  get #isRunning(): boolean {
    const { expected } = this.#exchange;
    const isCommitting = expected.head?.kind === 'sync' && this.#backend.completedCall !== undefined;
    return isCommitting || expected.all.some((unit) => unit.call?.wasForwarded === true);
  }
}
