import {
  checkLeaf,
  cosigningOrganisations,
  iterateLeaves,
  parseCheckpoint,
  parseVerifierKey,
  readWitnessedText,
  witnessOf,
  type Checkpoint,
  type LogSource,
  type NoteVerifier,
  type WitnessVerifier,
} from 'countersign-verify';

import type { CountersignConfig } from '../config/config.ts';

/** How far witnesses have seen a log, by its files alone. */
export interface WitnessedState {
  /** Organisations that cosigned the newest checkpoint. */
  readonly newest: number;
  /** Leaves that enough of them have seen; 0: none. */
  readonly size: number;
  /** Organisations that have. */
  readonly organisations: number;
  /** Leaves that not enough have seen, and the seconds between the first and the last of them, rounded up. */
  readonly unwitnessed: { readonly leaves: number; readonly seconds: number };
}

/** The witnesses of a configuration whose cosignatures count: the operator's own do not. */
export function witnessesOf(config: CountersignConfig): readonly WitnessVerifier[] {
  return (config.witness?.witnesses ?? [])
    .filter(({ isOwn }) => !isOwn)
    .map(({ key, organisation }) => witnessOf(parseVerifierKey(key), organisation));
}

/**
 * Counts valid cosignatures of the given witnesses. `quorum`: how many organisations are enough. `witnessedText`: read before
 * `checkpoint` was. Checks nothing of the tree; `log verify` does.
 */
export async function witnessedState(
  source: LogSource,
  checkpoint: Checkpoint,
  witnessedText: string | undefined,
  check: {
    readonly key: NoteVerifier | undefined;
    readonly witnesses: readonly WitnessVerifier[];
    readonly quorum: number;
  },
): Promise<WitnessedState> {
  const count = (one: Checkpoint): number => cosigningOrganisations(one, check.witnesses, check.key).size;
  const enough = Math.max(1, check.quorum);
  const newest = count(checkpoint);
  const older = witnessedText === undefined ? undefined : parseCheckpoint(witnessedText);
  const organisations = older === undefined ? 0 : count(older);
  const seen =
    newest >= enough
      ? { size: checkpoint.size, organisations: newest }
      : older !== undefined && organisations >= enough
        ? { size: Math.min(older.size, checkpoint.size), organisations }
        : { size: 0, organisations: 0 };
  const leaves = checkpoint.size - seen.size;
  const seconds = leaves === 0 ? 0 : await span(source, seen.size, checkpoint.size);
  return { newest, ...seen, unwitnessed: { leaves, seconds } };
}

/** Reads `checkpoint.witnessed`; call it before reading `checkpoint`. */
export function witnessedTextOf(source: LogSource): Promise<string | undefined> {
  return readWitnessedText(source);
}

/** Seconds between leaf `from` and the last of `size`, by their own clock. */
async function span(source: LogSource, from: number, size: number): Promise<number> {
  const at = async (index: number): Promise<number> => {
    for await (const { bytes } of iterateLeaves(source, { size, from: index, to: index + 1 }))
      return checkLeaf(bytes).leaf?.at ?? 0;
    return 0;
  };
  return Math.ceil(Math.max(0, (await at(size - 1)) - (await at(from))) / 1_000_000);
}
