import { parseCheckpoint, parseVerifierKey, verifySignature, type Checkpoint } from 'countersign-verify';
import type { OwnLog } from './own-log.ts';
import { WitnessClient, type WitnessTarget } from './witness-client.ts';

export interface ClientOptions {
  readonly witnesses: readonly WitnessTarget[];
  readonly timeoutMs: number;
}

/** A client for each witness, which knows what the log's files show that its witness cosigned. */
export async function makeClients(
  log: OwnLog,
  options: ClientOptions,
): Promise<{ readonly clients: readonly WitnessClient[]; readonly witnessedSize: number }> {
  const kept: Checkpoint[] = [];
  const witnessed = await log.witnessed();
  if (witnessed !== undefined) kept.push(witnessed);
  const newest = await log.newestText();
  if (newest !== undefined) kept.push(parseCheckpoint(newest));
  const clients = options.witnesses.map((target) => {
    const client = new WitnessClient(log, target, options.timeoutMs);
    const key = parseVerifierKey(target.key);
    for (const { note, size } of kept) {
      if (note.signatures.some((line) => verifySignature(note.body, line, key))) client.noteCosigned(size);
    }
    return client;
  });
  return { clients, witnessedSize: witnessed?.size ?? 0 };
}
