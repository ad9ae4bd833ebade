import { CountersignError } from '../errors.ts';
import type { ServedSession } from '../postgres/translator/ports.ts';
import type { Session } from '../session/session.ts';

interface OpenSession {
  readonly session: Session;
  readonly served: ServedSession;
}

/** The sessions that are being relayed. */
export class OpenSessions {
  readonly #open = new Set<OpenSession>();
  readonly #idle = new Set<() => void>();

  get size(): number {
    return this.#open.size;
  }

  /** Keeps a session until it is done, and resolves then. */
  async keep(session: Session, served: ServedSession): Promise<void> {
    const entry = { session, served };
    this.#open.add(entry);
    await served.done;
    this.#open.delete(entry);
    if (this.#open.size > 0) return;
    for (const wake of this.#idle) wake();
    this.#idle.clear();
  }

  /**
   * Asks every session to end: idle ones at once, others after the transaction under way, and after `timeoutMs` without
   * waiting any longer (their commands are cancelled and recorded as cut). Resolves when all are done.
   */
  async end(timeoutMs: number): Promise<void> {
    for (const { session } of this.#open) session.requestEnd(new CountersignError('CS_SHUTTING_DOWN'));
    if (this.#open.size === 0) return;
    const timer = setTimeout(() => this.endNow(), timeoutMs);
    await new Promise<void>((resolve) => {
      this.#idle.add(resolve);
    });
    clearTimeout(timer);
  }

  /** Ends every session without waiting for its transaction. */
  endNow(): void {
    for (const { session } of this.#open) {
      session.requestEnd(new CountersignError('CS_SHUTTING_DOWN', { fatal: true }));
    }
  }
}
