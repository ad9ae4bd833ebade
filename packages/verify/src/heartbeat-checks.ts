/** Whether the counters of a heartbeat are those of the leaves since the one before. */

import type { Findings } from './findings.ts';
import type { JournalState } from './journal-checks.ts';
import type { Leaf } from './leaf.ts';

interface Counters {
  calls: number;
  /** Refusals; one leaf may stand for several, so there is a least and a most. */
  deniedLeaves: number;
  denied: number;
  bytesUp: number;
  bytesDown: number;
  /** False once a leaf since then is missing or not understood: what it counted is not known. */
  isWhole: boolean;
}

function fresh(): Counters {
  return { calls: 0, deniedLeaves: 0, denied: 0, bytesUp: 0, bytesDown: 0, isWhole: true };
}

export class HeartbeatChecks {
  readonly #findings: Findings;
  readonly #counters = new Map<JournalState, Counters>();

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** For each leaf with a sound envelope, in log order, after its journal has counted it. */
  consume(index: number, leaf: Leaf, isSound: boolean, journal: JournalState): void {
    let counters = this.#counters.get(journal);
    // A run counts from its start: what recovery writes before that is neither a call nor has it bytes.
    if (counters === undefined || leaf.type === 'software.started')
      this.#counters.set(journal, (counters = fresh()));
    if (!isSound || journal.holes.size > 0) {
      counters.isWhole = false;
      return;
    }
    switch (leaf.type) {
      case 'call.intent':
        counters.calls++;
        break;
      case 'call.denied':
        counters.deniedLeaves++;
        counters.denied += (leaf['count'] as number | undefined) ?? 1;
        break;
      case 'call.result':
        counters.bytesUp += leaf['bytes_up'] as number;
        counters.bytesDown += leaf['bytes_down'] as number;
        break;
      case 'heartbeat':
        this.#compare(index, leaf, counters);
        this.#counters.set(journal, fresh());
        break;
      default:
    }
  }

  #compare(index: number, leaf: Leaf, counters: Counters): void {
    if (!counters.isWhole) return;
    const denied = leaf['denied'] as number;
    const fits =
      leaf['calls'] === counters.calls &&
      leaf['bytes_up'] === counters.bytesUp &&
      leaf['bytes_down'] === counters.bytesDown &&
      denied >= counters.deniedLeaves &&
      denied <= counters.denied;
    if (fits) return;
    const message = 'a heartbeat counts other calls, refusals or bytes than there are since the one before';
    this.#findings.report('heartbeat-totals', 'ALTERED', message, index);
  }
}
