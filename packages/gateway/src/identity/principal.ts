import type { PrincipalKind } from '../config/config.ts';

/** Who stands behind a connection, as configured when it authenticated. Immutable: a reload makes new objects. */
export interface Principal {
  readonly name: string;
  /** The accountable person or team. Personal data: only a commitment to it may enter a leaf. */
  readonly owner: string;
  readonly kind: PrincipalKind;
  /** That policies may speak of. Absent: none. */
  readonly groups?: readonly string[];
}
