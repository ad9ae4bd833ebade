/** Keys of the record and of the gateway, from creation to archive. Private halves and data keys never stand here. */

/**
 * `log-signing`: `key` is the verifier key. `vault-custodian`, `vault-gateway`: base64url SHA-256 of the raw X25519 public key.
 * `vault-data`: the key id in hex, with class and period. `identity`: a fingerprint that the secret cannot be found from.
 */
export type KeyPurpose = 'log-signing' | 'vault-custodian' | 'vault-gateway' | 'vault-data' | 'identity';

/** A key is in force that the record did not know. Repeated at most when a crash came between this leaf and noting it. */
export interface KeyCreated {
  readonly type: 'key.created';
  readonly purpose: string;
  /** Public fingerprint. */
  readonly key: string;
  /** Retention class and period (`YYYY-MM`) of a key of the vault. */
  readonly class?: string;
  readonly period?: string;
}

/**
 * `key` took the place of `previous`. Of `vault-gateway`: the previous one is destroyed once this is durable. Of `vault-data`:
 * `count` data keys of a class and period that were wrapped to custodian `previous` are now wrapped to custodian `key`.
 */
export interface KeyRotated {
  readonly type: 'key.rotated';
  readonly purpose: string;
  readonly key: string;
  readonly previous: string;
  readonly class?: string;
  readonly period?: string;
  readonly count?: number;
}

/** A key is taken out of service because it may be in wrong hands, or is not needed any more. */
export interface KeyRevoked {
  readonly type: 'key.revoked';
  readonly purpose: string;
  readonly key: string;
  /** `compromised`, `lost` or `retired`. */
  readonly cause: string;
}

/** Wrapped data keys of a class and period were copied out; `archive` is the digest of their list. `key`: the custodian who opens them. */
export interface KeyArchived {
  readonly type: 'key.archived';
  readonly purpose: string;
  readonly key: string;
  readonly class: string;
  readonly period: string;
  readonly count: number;
  readonly archive: string;
}

/** A copy of log and vault was made. It holds what the checkpoint of this size and root covers. */
export interface BackupCreated {
  readonly type: 'backup.created';
  readonly size: number;
  /** base64, as in the checkpoint. */
  readonly root: string;
}

export type KeyEvent = KeyCreated | KeyRotated | KeyRevoked | KeyArchived | BackupCreated;
