/**
 * Broken on purpose: a recorder that writes everything down but says "it is on disk" before it is. A gateway on top of
 * it forwards before the record. It exists so that the kill loop can show that it would notice.
 */

import type { Appended, Recorder } from '../../packages/gateway/src/record/recorder.ts';

class Hasty implements Appended {
  readonly journal: string;
  readonly jseq: number;
  readonly id: string;
  readonly isDurable = true;

  constructor(real: Appended) {
    this.journal = real.journal;
    this.jseq = real.jseq;
    this.id = real.id;
    real.onDurable(() => {
      // Whatever became of it: nobody waits.
    });
  }

  onDurable(callback: (error?: Error) => void): void {
    callback();
  }

  async durable(): Promise<void> {
    // The lie itself.
  }
}

/** The same recorder, in a hurry. */
export function makeHasty<R extends Recorder>(real: R): R {
  return new Proxy(real, {
    get(target, property) {
      if (property === 'append') {
        return (...args: Parameters<Recorder['append']>): Appended => new Hasty(target.append(...args));
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
