/**
 * Under what contents are sealed, and to whom. Frozen: whatever of it changes (a month, a custodian, a revoked key), another
 * object takes its place, and the journal goes on to a segment with another data key when it sees that.
 */
export interface Sealing {
  /** `YYYY-MM`, UTC. */
  readonly period: string;
  /** Of contents whose author names no other. Every segment has a data key for it, and one for each other class in use. */
  readonly retentionClass: string;
  /** Raw X25519 public keys. */
  readonly custodian: Uint8Array;
  readonly gateway: Uint8Array;
}

/** A data key of a segment, for `key.created`. */
export interface SegmentDataKey {
  /** Key id in hex. */
  readonly key: string;
  readonly retentionClass: string;
  readonly period: string;
}
