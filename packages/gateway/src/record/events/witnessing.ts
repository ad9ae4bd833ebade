/** Events of witnessing. */

/** A checkpoint of this log has its quorum of cosignatures: nobody can rewrite what it covers unseen. At most one per heartbeat. */
export interface CheckpointWitnessed {
  readonly type: 'checkpoint.witnessed';
  readonly size: number;
  /** Root of the tree of that size, base64url. */
  readonly root: string;
  /** Names of the witnesses' keys. */
  readonly witnesses: readonly string[];
  /** How many organisations they are. */
  readonly organisations: number;
  /** Time of the newest of the cosignatures, µs since the epoch; they count in seconds. */
  readonly timeUs: number;
}

/** The log that a new log takes the place of, as its newest known checkpoint has it. */
export interface Predecessor {
  readonly origin: string;
  readonly size: number;
  /** base64url. */
  readonly root: string;
  /** Leaves of it that were still at hand; the others, up to `size`, are lost. */
  readonly kept: number;
}
