/** All witnesses asked once for the checkpoint that is on disk: before a start, and after a stop. */

import type { WitnessClient, Evidence } from './witness-client.ts';
import type { OwnCheckpoint, OwnLog } from './own-log.ts';

/** A witness that says something else than our log. */
export interface Objection {
  readonly witness: string;
  /** Size of the tree that it claims. */
  readonly claimed: number;
  /** Absent: nothing but its word. */
  readonly evidence?: Evidence;
}

/** A witness that knows less than it has cosigned. */
export interface Forgetful {
  readonly witness: string;
  /** Size of the newest tree that it knew. */
  readonly size: number;
}

export interface AskedOnce {
  /** What they were asked for; undefined when the log has no checkpoint. */
  readonly checkpoint: OwnCheckpoint | undefined;
  /** Cosignatures, verified; empty when there is none. */
  readonly lines: string;
  /** Organisations besides the operator that cosigned. */
  readonly organisations: number;
  readonly objections: readonly Objection[];
  readonly forgetful: readonly Forgetful[];
  /** Names of witnesses that gave no answer. */
  readonly silent: readonly string[];
}

interface Answered {
  readonly client: WitnessClient;
  readonly lines?: string;
  readonly objection?: Objection;
  readonly forgot?: Forgetful;
}

/** Never rejects for what witnesses do. Whoever has not answered after `patienceMs` is silent. */
export async function askOnce(
  log: OwnLog,
  clients: readonly WitnessClient[],
  patienceMs: number,
): Promise<AskedOnce> {
  const checkpoint = await log.newestDurable();
  const enough = Promise.withResolvers<void>();
  const timer = setTimeout(enough.resolve, patienceMs);
  const late = async (client: WitnessClient): Promise<Answered> => {
    await enough.promise;
    return { client };
  };
  const answers = await Promise.all(
    clients.map((client) => Promise.race([ask(client, checkpoint), late(client)])),
  );
  clearTimeout(timer);
  const cosigned = answers.filter(({ lines }) => lines !== undefined);
  const objections = answers.flatMap(({ objection }) => (objection === undefined ? [] : [objection]));
  const silent = answers.filter(({ lines, objection }) => lines === undefined && objection === undefined);
  return {
    checkpoint,
    lines: cosigned.map(({ lines }) => lines).join(''),
    organisations: new Set(
      cosigned.filter(({ client }) => !client.isOwn).map(({ client }) => client.organisation),
    ).size,
    objections,
    forgetful: answers.flatMap(({ forgot }) => (forgot === undefined ? [] : [forgot])),
    silent: silent.map(({ client }) => client.name),
  };
}

async function ask(client: WitnessClient, checkpoint: OwnCheckpoint | undefined): Promise<Answered> {
  if (checkpoint === undefined || checkpoint.size === 0) {
    // A state directory that is gone altogether is a rollback as well.
    const evidence = await client.lookForEvidence(0);
    if (evidence === undefined || evidence.size === 0) return { client };
    return { client, objection: { witness: client.name, claimed: evidence.size, evidence } };
  }
  const outcome = await client.submit(checkpoint);
  if (outcome.kind === 'cosigned') {
    const { forgot, lines } = outcome;
    if (forgot === undefined) return { client, lines };
    return { client, lines, forgot: { witness: client.name, size: forgot } };
  }
  if (outcome.kind !== 'contradicted') return { client };
  const { claimed, evidence } = outcome;
  const objection = { witness: client.name, claimed };
  return { client, objection: evidence === undefined ? objection : { ...objection, evidence } };
}
