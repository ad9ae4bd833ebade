/**
 * A recorder that records nothing and says at once that everything is on disk: the stage "relay only" of the
 * benchmark. It exists here and nowhere else; nothing in the gateway's configuration can lead to it.
 */

import type { GatewayRecorder } from '../packages/gateway/src/gateway/open-record.ts';
import type {
  Appended,
  Commitment,
  ContextFields,
  LeafRef,
  RecorderHealth,
  Spool,
} from '../packages/gateway/src/record/recorder.ts';

const DIGEST = 'A'.repeat(43);
const SALT = new Uint8Array(32);
const JOURNAL = 'bench';

class Acknowledged implements Appended {
  readonly journal = JOURNAL;
  readonly id = '00000000-0000-7000-8000-000000000000';
  readonly isDurable = true;
  readonly jseq: number;

  constructor(jseq: number) {
    this.jseq = jseq;
  }

  onDurable(callback: (error?: Error) => void): void {
    callback();
  }

  async durable(): Promise<void> {
    // It already is.
  }
}

class ForgetfulSpool implements Spool {
  readonly #chunks: Uint8Array[] = [];

  async write(chunk: Uint8Array): Promise<void> {
    this.#chunks.push(Uint8Array.from(chunk));
  }

  async finish(): Promise<Commitment> {
    return { digest: DIGEST, salt: SALT, spool: 'bench' };
  }

  async *read(): AsyncIterable<Uint8Array> {
    yield* this.#chunks;
  }

  async abort(): Promise<void> {
    this.#chunks.length = 0;
  }
}

export class AckRecorder implements GatewayRecorder {
  readonly journal = JOURNAL;
  readonly node = JOURNAL;
  #jseq = 0;

  commit(bytes: Uint8Array): Commitment {
    return { digest: DIGEST, salt: SALT, bytes };
  }

  append(): Appended {
    return new Acknowledged(this.#jseq++);
  }

  openContext(_fields: ContextFields): LeafRef {
    return { journal: JOURNAL, jseq: this.#jseq++, digest: DIGEST };
  }

  async openSpool(): Promise<Spool> {
    return new ForgetfulSpool();
  }

  health(): RecorderHealth {
    return {
      ready: true,
      durableJseq: this.#jseq,
      appendedJseq: this.#jseq,
      integratedJseq: this.#jseq,
      treeSize: this.#jseq,
      checkpointAgeMs: 0,
      freeBytes: Number.MAX_SAFE_INTEGER,
    };
  }

  onHealthChange(): void {
    // It never changes.
  }

  onCommit(): void {
    // There are no commits.
  }

  setConfigDigest(): void {
    // Nothing cites it.
  }

  // oxlint-disable-next-line require-yield -- there is never anything to give
  async *readPayloads(): AsyncIterable<never> {
    // There is no vault.
  }

  async close(): Promise<void> {
    // Nothing is open.
  }
}
