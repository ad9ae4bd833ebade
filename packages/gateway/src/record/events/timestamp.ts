/** Events of time stamps. */

/** A checkpoint of this log was stamped by a time-stamping authority (RFC 3161). The token is beside the log. */
export interface CheckpointTimestamped {
  readonly type: 'checkpoint.timestamped';
  readonly size: number;
  /** Root of the tree of that size, base64url. */
  readonly root: string;
  /** Host of the authority, as configured. */
  readonly authority: string;
  /** By the authority's clock, µs since the epoch. */
  readonly timeUs: number;
  /** SHA-256 of `timestamps/<size>.tsr`, base64url. */
  readonly token: string;
}
