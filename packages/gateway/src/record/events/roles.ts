/** Roles that the gateway has made in targets, one per scope (docs/second-wall.md). The statements are on the record as its own calls. */

interface InTarget {
  readonly target: string;
  readonly database: string;
  /** Name of the role in the target. */
  readonly role: string;
}

/** It is there, with the privileges of the scope. */
export interface RoleCreated extends InTarget {
  readonly type: 'role.created';
  /** Digest of the scope. */
  readonly scope: string;
  /** `refreshed`: it was there, and the catalog or the end of the grant had moved. */
  readonly cause: 'new' | 'refreshed';
  /** Relations and functions that it has privileges on. */
  readonly relations: number;
  readonly functions: number;
  /** What the scope says and the target does not offer. */
  readonly skipped: number;
}

export interface RoleEnded extends InTarget {
  readonly type: 'role.ended';
  readonly scope: string;
  readonly cause: 'idle' | 'grant' | 'configuration' | 'shutdown';
  /** False: nobody can log in as it, but it is still there. */
  readonly dropped: boolean;
  /** What keeps it there: sessions, objects that nobody takes over, dependencies. */
  readonly leftovers: number;
}

/** One that a run before left behind. */
export interface RoleSwept extends InTarget {
  readonly type: 'role.swept';
  readonly dropped: boolean;
  readonly leftovers: number;
}

export type RoleEvent = RoleCreated | RoleEnded | RoleSwept;
