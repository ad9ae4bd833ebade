import type { Leaf } from 'countersign-verify';

import type { KnownSession } from '../session-memory.ts';
import { OTHER } from './ocsf-event.ts';

/** Objects that several classes share: who, from where, on what. Names from configuration and opaque ids only. */

type Attributes = Readonly<Record<string, unknown>>;

const USER_TYPES: Readonly<Record<string, Attributes>> = {
  human: { type_id: 1, type: 'User' },
  service: { type_id: 4, type: 'Service' },
  agent: { type_id: OTHER, type: 'Agent' },
};

export function userOf(name: string | undefined, kind?: string): Attributes {
  if (name === undefined) return { name: 'unknown', type_id: 0, type: 'Unknown' };
  return { name, uid: name, ...(kind === undefined ? {} : USER_TYPES[kind]) };
}

/** The principal where the record knows one, else the gateway itself. */
export function actorObject(actor: KnownSession, session: string | undefined): Attributes {
  return {
    ...(actor.principal === undefined
      ? { app_name: 'countersign' }
      : { user: userOf(actor.principal, actor.kind) }),
    ...(session === undefined ? {} : { session: { uid: session } }),
  };
}

/** The client's address is sealed: its commitment stands for it, and is the same in all events of a session. */
export function clientEndpoint(peer: string | undefined): Attributes {
  return peer === undefined ? { svc_name: 'countersign' } : { uid: peer };
}

export function targetEndpoint(target: string): Attributes {
  return { svc_name: target };
}

export function databaseOf(target: string | undefined): Attributes {
  return { name: target ?? 'unknown', type_id: 1, type: 'Relational' };
}

export function stringIn(leaf: Leaf, field: string): string | undefined {
  const value = leaf[field];
  return typeof value === 'string' ? value : undefined;
}

export function numberIn(leaf: Leaf, field: string): number | undefined {
  const value = leaf[field];
  return typeof value === 'number' ? value : undefined;
}

/** The object without the keys that have no value. */
export function present(fields: Readonly<Record<string, unknown>>): Attributes {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
