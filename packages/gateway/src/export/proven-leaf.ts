import type { Leaf } from 'countersign-verify';

/** The tree that a leaf was proved against. */
export interface TreeHead {
  readonly origin: string;
  /** Leaves that the checkpoint covers. */
  readonly size: number;
  readonly root: Buffer;
  /** When the checkpoint was signed, µs since the epoch; absent when it does not say. */
  readonly signedAtUs?: number;
}

/** A leaf that a signed checkpoint covers, shown by an inclusion proof. */
export interface ProvenLeaf {
  readonly index: number;
  /** The exact bytes: what the leaf hash is over. */
  readonly bytes: Buffer;
  readonly leafHash: Buffer;
  readonly leaf: Leaf;
}

/** What every exported event says of where it comes from and how far outsiders have vouched for it. */
export interface Provenance {
  readonly origin: string;
  readonly treeSize: number;
  /** Whether a quorum of witnesses has signed a checkpoint that covers the leaf. */
  readonly isWitnessed: boolean;
  /**
   * Seconds between the leaf and its export for which no quorum of witnesses vouches: 0 when it is witnessed. At most
   * what an operator with the log's key could still rewrite unnoticed.
   */
  readonly unwitnessedSeconds: number;
}
