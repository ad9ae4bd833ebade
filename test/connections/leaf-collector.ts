import { createHash, randomBytes } from 'node:crypto';
import { CountersignError } from '../../packages/gateway/src/errors.ts';
import type { RecordEvent } from '../../packages/gateway/src/record/events.ts';
import type { Appended, Commitment, Payload, Recorder } from '../../packages/gateway/src/record/recorder.ts';

/** Keeps leaves in memory, for tests of what is put on record and when; the record itself has tests of its own. */
export class LeafCollector implements Pick<Recorder, 'append' | 'commit'> {
  readonly leaves: RecordEvent[] = [];
  readonly payloads: (readonly Payload[])[] = [];
  /** While set, nothing can be put on record. */
  failure: CountersignError | undefined;
  #nextJseq = 0;

  asRecorder(): Recorder {
    return this as unknown as Recorder;
  }

  commit(bytes: Uint8Array): Commitment {
    const salt = randomBytes(32);
    return { salt, bytes, digest: createHash('sha256').update(salt).update(bytes).digest('base64url') };
  }

  append(event: RecordEvent, payloads: readonly Payload[] = []): Appended {
    const { failure } = this;
    if (failure !== undefined) throw failure;
    this.leaves.push(event);
    this.payloads.push(payloads);
    const jseq = this.#nextJseq++;
    return {
      journal: 'test',
      jseq,
      id: String(jseq),
      isDurable: true,
      onDurable: (callback) => callback(),
      durable: async () => Promise.resolve(),
    };
  }

  /** The outcomes of authentication, in order. */
  get authentications(): Extract<RecordEvent, { readonly type: 'authn.result' }>[] {
    return this.leaves.filter((leaf) => leaf.type === 'authn.result');
  }
}
