/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
/** Witnesses are asked in a thread of its own: proofs, signatures and TLS cost the data thread nothing. */

import { parentPort, workerData } from 'node:worker_threads';
import { makeClients } from './make-clients.ts';
import { OwnLog } from './own-log.ts';
import { CosigningRounds, type RoundEvent } from './rounds.ts';
import type { WitnessAnswer, WitnessRequest, WitnessThreadOptions } from './witness-protocol.ts';

const options = workerData as WitnessThreadOptions;
const port = parentPort!;
const log = new OwnLog(options.logDirectory, options.origin, options.keys);

async function tell(event: RoundEvent): Promise<void> {
  const answer: WitnessAnswer =
    event.kind === 'quorum' ? { ...event, jseq: await lastJseq(event.size) } : event;
  port.postMessage(answer);
}

/** -1 when the leaf cannot be read just now: the window is then counted from the quorum before. */
async function lastJseq(size: number): Promise<number> {
  try {
    return (await log.place(size - 1, size))?.jseq ?? -1;
  } catch {
    return -1;
  }
}

const { clients, witnessedSize } = await makeClients(log, options);
const rounds = new CosigningRounds({
  clients,
  quorum: options.quorum,
  quorumSize: witnessedSize,
  newest: () => log.newestDurable(),
  onEvent: (event) => void tell(event),
});
port.on('message', (request: WitnessRequest) => {
  if (request.kind === 'poke') {
    rounds.poke();
  } else {
    rounds.close();
    port.close();
  }
});
rounds.poke();
