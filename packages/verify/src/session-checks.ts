/** What sessions and calls must satisfy: no holes in `seq`, each intent has its result, the closing digest fits. */

import { CompactSet } from './compact-set.ts';
import type { Finding, Findings } from './findings.ts';
import { isOwedByCrash, type JournalChecks, type JournalState } from './journal-checks.ts';
import { isUuid7, type Leaf } from './leaf.ts';
import { sha256 } from './merkle.ts';

interface SessionState {
  readonly journal: JournalState;
  /** The run of its journal in which it was opened, or was found to go on without having been closed. */
  run: number;
  next: number;
  calls: number;
  /** Sums of its results so far. */
  bytesUp: number;
  bytesDown: number;
  rolling: Buffer;
  /** Number of its newest leaf in its journal; -1 before the first. */
  lastJseq: number;
  /** True when leaves of it are lost and declared so: its digest cannot be checked. */
  isTorn: boolean;
  /** True when a leaf of it is not understood: what it did is not known, its place and its bytes are. */
  hasUnknown: boolean;
  /** True when leaves of it are missing where its journal has a hole, which a gap further on may yet declare. */
  hasHole: boolean;
  /** Ids of intents without a result, and where they are. */
  readonly openCalls: Map<string, number>;
}

const DIGEST_BYTES = 32;
const rollingScratch = Buffer.alloc(2 * DIGEST_BYTES);

/** d(n+1) = SHA-256(d(n) ‖ SHA-256(leaf)). */
export function rollDigest(rolling: Buffer, leaf: Uint8Array): Buffer {
  rollingScratch.set(rolling, 0);
  rollingScratch.set(sha256(leaf), DIGEST_BYTES);
  return sha256(rollingScratch);
}

export const ROLLING_START: Buffer = Buffer.alloc(DIGEST_BYTES);

export class SessionChecks {
  sessions = 0;
  calls = 0;
  denied = 0;
  voided = 0;
  inDoubt = 0;
  readonly #findings: Findings;
  readonly #journals: JournalChecks;
  readonly #open = new Map<string, SessionState>();
  readonly #accusations: { readonly journal: JournalState; readonly finding: Finding }[] = [];
  /** Ids of sessions that were closed. */
  readonly #closed = new CompactSet();

  constructor(findings: Findings, journals: JournalChecks) {
    this.#findings = findings;
    this.#journals = journals;
  }

  get openSessions(): number {
    return this.#open.size;
  }

  get openCalls(): number {
    let calls = 0;
    for (const session of this.#open.values()) calls += session.openCalls.size;
    return calls;
  }

  /** For each sound leaf that has a `session` and a `seq`, in log order. */
  consume(index: number, leaf: Leaf, bytes: Buffer, journal: JournalState): void {
    const id = leaf['session'] as string;
    const session = this.#sequence(index, leaf, id, journal);
    switch (leaf.type) {
      case 'call.intent':
        this.calls++;
        session.calls++;
        session.openCalls.set(leaf['id'] as string, index);
        break;
      case 'call.denied':
        this.denied += (leaf['count'] as number | undefined) ?? 1;
        break;
      case 'call.result':
        session.bytesUp += leaf['bytes_up'] as number;
        session.bytesDown += leaf['bytes_down'] as number;
        this.#endCall(index, leaf, session);
        break;
      case 'call.voided':
        this.#endCall(index, leaf, session);
        break;
      case 'session.closed':
        this.#close(index, leaf, id, session);
        break;
      default:
    }
    session.rolling = rollDigest(session.rolling, bytes);
  }

  /**
   * For a leaf that is not sound, such as one of a later version: if it has a place in a session, it counts there and in
   * the digest, and what rests on knowing every leaf is not held against the rest.
   */
  consumeUnknown(index: number, leaf: Leaf, bytes: Buffer, journal: JournalState): void {
    const { session: id, seq } = leaf;
    if (typeof id !== 'string' || !isUuid7(id) || typeof seq !== 'number' || seq < 0) return;
    const session = this.#sequence(index, leaf, id, journal);
    session.hasUnknown = true;
    session.rolling = rollDigest(session.rolling, bytes);
  }

  /**
   * Loss that an operator accepted is declared behind the leaves that survived it. Whether a session was harmed by that, or
   * by someone who took leaves out, is known at the end: when its journal has a hole that nobody declared.
   */
  #accuse(session: SessionState, finding: Finding): void {
    if (session.hasHole) this.#accusations.push({ journal: session.journal, finding });
    else this.#findings.add(finding);
  }

  /** After the last leaf: what is still open may be open only because the gateway runs. */
  finish(): void {
    for (const { finding, journal } of this.#accusations) {
      if (journal.holes.size > 0) this.#findings.add(finding);
    }
    for (const session of this.#open.values()) {
      if (session.run === session.journal.run && !session.journal.isStopped) continue;
      this.#findings.report(
        'session-not-closed',
        'INCOMPLETE',
        'a session of a run that has ended was never closed',
      );
      this.#reportOpenCalls(session);
    }
  }

  #sequence(index: number, leaf: Leaf, id: string, journal: JournalState): SessionState {
    const seq = leaf['seq'] as number;
    let session = this.#open.get(id);
    if (session === undefined) {
      this.sessions++;
      if (this.#closed.hasUuid(id)) {
        this.#findings.report('session-reopened', 'ALTERED', 'a session goes on after it was closed', index);
      }
      session = {
        journal,
        run: journal.run,
        next: 0,
        calls: 0,
        bytesUp: 0,
        bytesDown: 0,
        rolling: ROLLING_START,
        lastJseq: -1,
        isTorn: false,
        hasUnknown: false,
        hasHole: false,
        openCalls: new Map(),
      };
      this.#open.set(id, session);
      if (leaf.type !== 'session.opened') {
        this.#miss(session, leaf, Math.max(1, seq), {
          code: 'session-not-opened',
          verdict: 'INCOMPLETE',
          message: 'a session does not begin with session.opened',
          index,
        });
      }
    } else if (leaf.type === 'session.opened') {
      this.#findings.report('session-reopened', 'ALTERED', 'an open session is opened again', index);
    }
    if (session.run !== journal.run && !isOwedByCrash(leaf)) {
      session.run = journal.run;
      const message = 'a session goes on in another run than its own';
      this.#findings.report('session-not-closed', 'INCOMPLETE', message, index);
    }
    if (session.journal !== journal) {
      this.#findings.report('session-journal', 'ALTERED', 'a session continues in another journal', index);
    }
    if (seq > session.next) {
      this.#miss(session, leaf, seq - session.next, {
        code: 'seq-hole',
        verdict: 'INCOMPLETE',
        message: `a session lacks seq ${session.next} to ${seq - 1}`,
        index,
      });
    } else if (seq < session.next) {
      this.#findings.report('seq-order', 'ALTERED', `seq ${seq} comes where ${session.next} was due`, index);
    }
    session.lastJseq = leaf.jseq;
    session.next = Math.max(session.next, seq + 1);
    return session;
  }

  /** So many leaves of a session are missing before this one. */
  #miss(session: SessionState, leaf: Leaf, count: number, finding: Finding): void {
    const { journal } = session;
    const missing = { from: session.lastJseq + 1, to: leaf.jseq - 1, count };
    if (this.#journals.accuseUnlessLost(journal, missing, finding))
      session.isTorn ||= journal.holes.size === 0;
    session.hasHole ||= journal.holes.size > 0;
  }

  #endCall(index: number, leaf: Leaf, session: SessionState): void {
    const isKnown = session.openCalls.delete(leaf['call'] as string);
    if (!isKnown && !session.isTorn && !session.hasUnknown) {
      const verdict = leaf.type === 'call.result' ? 'ALTERED' : 'INCOMPLETE';
      this.#accuse(session, {
        code: 'call-without-intent',
        verdict,
        message: `a ${leaf.type} has no open intent`,
        index,
      });
    }
    if (leaf.type === 'call.voided') {
      this.voided++;
    } else if (leaf['cause'] === 'in-doubt') {
      this.inDoubt++;
      this.#journals.addGap({ index, kind: 'in-doubt', cause: 'in-doubt', atUs: leaf.at, lost: 0 });
    }
  }

  #close(index: number, leaf: Leaf, id: string, session: SessionState): void {
    if (!session.isTorn && leaf['rolling'] !== session.rolling.toString('base64url')) {
      const message = "a session's closing digest does not fit its leaves";
      this.#accuse(session, { code: 'rolling-digest', verdict: 'ALTERED', message, index });
    }
    if (!session.isTorn && !session.hasUnknown) this.#checkTotals(index, leaf, session);
    this.#reportOpenCalls(session);
    this.#open.delete(id);
    this.#closed.addUuid(id);
  }

  /** A session's own bytes are those of its results, and what came and went outside of any call. */
  #checkTotals(index: number, leaf: Leaf, session: SessionState): void {
    const accuse = (message: string): void =>
      this.#accuse(session, { code: 'session-totals', verdict: 'ALTERED', message, index });
    if (leaf['calls'] !== session.calls)
      accuse('a closed session states another number of calls than it has');
    const isLess =
      (leaf['bytes_up'] as number) < session.bytesUp || (leaf['bytes_down'] as number) < session.bytesDown;
    if (isLess) accuse('a closed session states fewer bytes than its calls have');
  }

  #reportOpenCalls(session: SessionState): void {
    for (const index of session.openCalls.values()) {
      this.#findings.report('call-without-result', 'INCOMPLETE', 'a call.intent has no result', index);
    }
  }
}
