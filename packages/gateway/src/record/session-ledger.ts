/**
 * What the recorder knows of every open session: its counter, its rolling digest and its calls without a result. Kept
 * while appending (so that `session.closed` can carry the digest), written as a snapshot at the start of every segment,
 * and rebuilt from there on recovery.
 */

import { hash } from 'node:crypto';

/** d0: 32 zero bytes, as latin1. */
const ZERO_DIGEST = '\0'.repeat(32);
const scratch = Buffer.alloc(64);

export interface SessionState {
  readonly id: string;
  /** Counter that its next leaf gets. */
  nextSeq: number;
  /** How far the recorder's counter is ahead of the author's, because of leaves that the recorder inserted. */
  shift: number;
  /** d(n), 32 bytes as latin1. */
  digest: string;
  calls: number;
  bytesUp: number;
  bytesDown: number;
  /** JSON of the context reference of its newest leaf; empty when it had none. */
  context: string;
  /** Ids of intents without a result. */
  readonly open: Set<string>;
}

type Row = readonly [
  id: string,
  nextSeq: number,
  digest: string,
  calls: number,
  bytesUp: number,
  bytesDown: number,
  context: string,
  open: readonly string[],
];

/** The parts of a leaf as it is on disk that concern its session. */
export interface LeafFacts {
  readonly type: string;
  readonly session?: string;
  readonly seq?: number;
  readonly id?: string;
  readonly call?: string;
  readonly bytes_up?: number;
  readonly bytes_down?: number;
  readonly context?: unknown;
  /** Of a `gap.declared`. */
  readonly cause?: string;
  readonly from?: number;
}

export class SessionLedger {
  readonly #sessions = new Map<string, SessionState>();

  get size(): number {
    return this.#sessions.size;
  }

  sessions(): IterableIterator<SessionState> {
    return this.#sessions.values();
  }

  find(id: string): SessionState | undefined {
    return this.#sessions.get(id);
  }

  obtain(id: string): SessionState {
    const known = this.#sessions.get(id);
    if (known !== undefined) return known;
    const fresh: SessionState = {
      id,
      nextSeq: 0,
      shift: 0,
      digest: ZERO_DIGEST,
      calls: 0,
      bytesUp: 0,
      bytesDown: 0,
      context: '',
      open: new Set(),
    };
    this.#sessions.set(id, fresh);
    return fresh;
  }

  close(id: string): void {
    this.#sessions.delete(id);
  }

  /** Takes in a leaf that recovery found. */
  replay(leaf: LeafFacts, bytes: Uint8Array): void {
    if (leaf.session === undefined || leaf.seq === undefined) return;
    const state = this.obtain(leaf.session);
    state.nextSeq = leaf.seq + 1;
    rollDigestOfBytes(state, bytes);
    if (leaf.context !== undefined) state.context = JSON.stringify(leaf.context);
    if (leaf.type === 'call.intent') {
      state.calls++;
      state.open.add(leaf.id!);
    } else if (leaf.type === 'call.result' || leaf.type === 'call.voided') {
      state.open.delete(leaf.call!);
      state.bytesUp += leaf.bytes_up ?? 0;
      state.bytesDown += leaf.bytes_down ?? 0;
    } else if (leaf.type === 'session.closed') {
      this.close(leaf.session);
    }
  }

  /** The state after leaf `jseq`. */
  snapshot(jseq: number): Buffer {
    const rows: Row[] = [];
    for (const s of this.#sessions.values()) {
      const digest = Buffer.from(s.digest, 'latin1').toString('base64url');
      rows.push([s.id, s.nextSeq, digest, s.calls, s.bytesUp, s.bytesDown, s.context, [...s.open]]);
    }
    return Buffer.from(JSON.stringify({ jseq, rows }));
  }

  /** Returns the `jseq` after which this was the state. */
  restore(snapshot: Buffer): number {
    this.#sessions.clear();
    const { jseq, rows } = JSON.parse(snapshot.toString('utf8')) as { jseq: number; rows: Row[] };
    for (const row of rows) {
      const state = this.obtain(row[0]);
      state.nextSeq = row[1];
      state.digest = Buffer.from(row[2], 'base64url').toString('latin1');
      state.calls = row[3];
      state.bytesUp = row[4];
      state.bytesDown = row[5];
      state.context = row[6];
      for (const call of row[7]) state.open.add(call);
    }
    return jseq;
  }
}

/** d(n+1) = SHA-256(d(n) ‖ SHA-256(leaf)); the leaf is the UTF-8 of `text`. */
export function rollDigest(state: SessionState, text: string): void {
  scratch.write(state.digest, 0, 'latin1');
  scratch.write(hash('sha256', text, 'binary'), 32, 'latin1');
  state.digest = hash('sha256', scratch, 'binary');
}

/** As `rollDigest`, from the bytes of the leaf. */
export function rollDigestOfBytes(state: SessionState, leaf: Uint8Array): void {
  scratch.write(state.digest, 0, 'latin1');
  scratch.write(hash('sha256', leaf, 'binary'), 32, 'latin1');
  state.digest = hash('sha256', scratch, 'binary');
}
