/** Events of catalog snapshots. */

/** The gateway read the catalog of a database, by which it understands statements from now on. */
export interface CatalogLoaded {
  readonly type: 'catalog.loaded';
  readonly target: string;
  /** As the server names it. */
  readonly database: string;
  /** Digest of the content, base64url: equal for equal catalogs. Context leaves name it. */
  readonly epoch: string;
  /** How many the snapshot has, those of the system included. */
  readonly relations: number;
  readonly routines: number;
}
