import { createHash } from 'node:crypto';

import { CountersignError } from '../../errors.ts';
import type { RolePrivileges } from './privileges.ts';

/** Runs one statement in a database of a target as the login that may make roles; gives the first value of the first row. */
export type RunRoleStatement = (statement: string) => Promise<RoleAnswer>;

export interface RoleAnswer {
  /** Of an error of the server. */
  readonly sqlState: string | undefined;
  readonly value: string | undefined;
}

export interface MadeRole {
  readonly role: string;
  readonly isNew: boolean;
  readonly relations: number;
  readonly functions: number;
  /** What the scope asks for and the DBA does not offer, as text for the log: verb and why, with the names of objects. */
  readonly skipped: readonly string[];
}

export interface EndedRole {
  readonly ended: boolean;
  readonly terminated: number;
  readonly reassigned: number;
  readonly leftovers: number;
  /** `sessions`, `objects`, `dependencies`: why it is still there. */
  readonly why?: string;
}

export interface ListedRole {
  readonly scope: string;
  /** Null: somebody dropped it. */
  readonly role: string | null;
}

/** Attempts at a change that met another one of the same object. */
const ATTEMPTS = 4;
/** `tuple concurrently updated` has no state of its own; deadlock; lock not available; serialization failure. */
const COLLISIONS: ReadonlySet<string> = new Set(['XX000', '40P01', '55P03', '40001']);

/** The key of a role: 32 hexadecimal digits of the digest of all that makes it another one. */
export function roleKey(node: string, target: string, database: string, scope: string): string {
  return createHash('sha256')
    .update(JSON.stringify([node, target, database, scope]))
    .digest('hex')
    .slice(0, 32);
}

export interface MakeRole {
  readonly node: string;
  readonly key: string;
  readonly verifier: string;
  readonly validUntilMs: number;
  readonly privileges: RolePrivileges;
}

/** Makes the role, or gives the one there is just these privileges. Throws `CS_ROLE_UNAVAILABLE`. */
export async function makeRole(
  run: RunRoleStatement,
  { node, key, verifier, validUntilMs, privileges }: MakeRole,
): Promise<MadeRole> {
  const values = [node, key, verifier, new Date(validUntilMs).toISOString(), JSON.stringify(privileges)];
  const answer = await ask(
    run,
    `SELECT countersign.make_role(${values.map((value) => literal(value)).join(', ')})`,
  );
  const {
    role,
    new: isNew,
    relations,
    functions,
    skipped,
  } = answer as {
    role: string;
    new: boolean;
    relations: number;
    functions: number;
    skipped: { schema?: string; name?: string; verb?: string; why: string }[];
  };
  const names = skipped.map(
    ({ schema = '', name = '', verb = '', why }) => `${verb} ${schema}.${name}: ${why}`,
  );
  return { role, isNew, relations, functions, skipped: names };
}

/** From here on nobody logs in as it. False: there is none. */
export async function closeRole(run: RunRoleStatement, key: string): Promise<boolean> {
  return (await ask(run, `SELECT pg_catalog.to_jsonb(countersign.close_role(${literal(key)}))`)) === true;
}

/** Ends its sessions and drops it. */
export async function endRole(run: RunRoleStatement, key: string): Promise<EndedRole> {
  return (await ask(run, `SELECT countersign.end_role(${literal(key)})`)) as EndedRole;
}

export async function listRoles(run: RunRoleStatement, node: string): Promise<readonly ListedRole[]> {
  return (await ask(run, `SELECT countersign.list_roles(${literal(node)})`)) as readonly ListedRole[];
}

async function ask(run: RunRoleStatement, statement: string): Promise<unknown> {
  for (let attempt = 1; ; attempt += 1) {
    const { sqlState, value } = await run(statement);
    if (sqlState === undefined && value !== undefined) return JSON.parse(value);
    if (attempt < ATTEMPTS && sqlState !== undefined && COLLISIONS.has(sqlState)) continue;
    throw new CountersignError('CS_ROLE_UNAVAILABLE', {
      detail: describe(sqlState),
      hint: 'countersign target check says what is missing in the target.',
    });
  }
}

function describe(sqlState: string | undefined): string {
  switch (sqlState) {
    case undefined:
      return 'the target gave no answer';
    case '3F000':
    case '42883':
      return 'the functions of the setup are not there';
    case '42501':
      return 'the login may not execute the functions of the setup, or they refused';
    case '25006':
      return 'the target is read-only: roles are made on the primary';
    default:
      return `SQLSTATE ${sqlState} from the target`;
  }
}

/** The session is pinned to standard_conforming_strings=on and UTF8: only the quote is special. */
function literal(text: string): string {
  if (text.includes('\0')) throw new TypeError('no name in a catalog contains NUL');
  return `'${text.replaceAll("'", "''")}'`;
}
