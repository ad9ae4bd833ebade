import type { Catalog } from './catalog.ts';
import type { DefinitionUses } from './definition-uses.ts';

/**
 * What a session holds of the catalog of its database while it lives. All leases of one database share one snapshot, which the
 * gateway keeps no older than `targets.<t>.catalog.poll`.
 */
export interface CatalogLease {
  /**
   * The snapshot in force, for deciding at once. Undefined while there is none: nothing is loaded yet, `invalidate` was called, or
   * nobody has asked the target for too long. Then wait for `get()`.
   */
  readonly current: Catalog | undefined;

  /**
   * The snapshot in force; asks the target first if there is none. Rejects with `CS_CATALOG_UNAVAILABLE` while the target does not tell,
   * and with `CS_RECORD_*` when the question cannot be recorded.
   */
  get(): Promise<Catalog>;

  /**
   * Asks the target whether anything changed, whatever is known, and gives a snapshot that is not older than this call. Questions are
   * asked one at a time and with pauses; callers share them. Rejects as `get` does.
   */
  refresh(): Promise<Catalog>;

  /** Something in the catalog was changed, by this session or by what it ran: for nobody there is a snapshot in force until the target was asked again. */
  invalidate(): void;

  /** The commands that are under way in the database, of all its sessions. */
  readonly uses: DefinitionUses;

  /** Calls the listener whenever a snapshot with another epoch comes into force. The function it gives back ends that. */
  onChange(listener: (catalog: Catalog) => void): () => void;

  /** The session has ended. */
  release(): void;
}
