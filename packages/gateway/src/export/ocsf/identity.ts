import { aggregation } from './calls.ts';
import {
  CLASSES,
  FAILURE,
  other,
  SUCCESS,
  toMs,
  type Activity,
  type EventInput,
  type Mapping,
} from './ocsf-event.ts';
import { clientEndpoint, numberIn, present, stringIn, targetEndpoint, userOf } from './subjects.ts';

/** Who came, with what right: Authentication (3002), Authorize Session (3003), Entity Management (3004). */

export function mapAuthentication(input: EventInput): Mapping {
  const { leaf } = input;
  const accepted = stringIn(leaf, 'outcome') === 'accepted';
  const session = stringIn(leaf, 'session');
  const method = stringIn(leaf, 'method');
  return {
    ocsfClass: CLASSES.authentication,
    activity: { id: 1, name: 'Logon' },
    severity: accepted ? 'Informational' : 'Medium',
    attributes: {
      user: userOf(stringIn(leaf, 'principal')),
      service: { name: 'countersign' },
      src_endpoint: clientEndpoint(stringIn(leaf, 'peer')),
      ...(session === undefined ? {} : { session: { uid: session } }),
      ...(method === undefined ? {} : { auth_protocol_id: 99, auth_protocol: method }),
      ...(accepted ? SUCCESS : FAILURE),
      ...present({ status_detail: stringIn(leaf, 'reason'), ...aggregation(leaf) }),
      message: accepted ? 'A principal was authenticated.' : 'An authentication was refused.',
    },
  };
}

export function mapToken(input: EventInput): Mapping {
  const { leaf } = input;
  const expires = numberIn(leaf, 'expires_at_us');
  return {
    ocsfClass: CLASSES.authentication,
    activity: { id: 3, name: 'Authentication Ticket' },
    attributes: {
      user: userOf(stringIn(leaf, 'principal')),
      service: { name: stringIn(leaf, 'target') ?? 'countersign' },
      session: present({
        uid: stringIn(leaf, 'token'),
        issuer: stringIn(leaf, 'issuer'),
        expiration_time: expires === undefined ? undefined : toMs(expires),
      }),
      ...SUCCESS,
      message: 'A short-lived token was given out.',
    },
  };
}

export function mapGrantIssued(input: EventInput): Mapping {
  const { leaf } = input;
  const grant = stringIn(leaf, 'grant') ?? 'unknown';
  const target = stringIn(leaf, 'target');
  const expires = numberIn(leaf, 'expires_at_us');
  return {
    ocsfClass: CLASSES.authorizeSession,
    activity: { id: 1, name: 'Assign Privileges' },
    attributes: {
      user: userOf(stringIn(leaf, 'principal')),
      privileges: [grant],
      ...(target === undefined ? {} : { dst_endpoint: targetEndpoint(target) }),
      ...(expires === undefined ? {} : { session: { expiration_time: toMs(expires) } }),
      ...SUCCESS,
      message: 'A grant came into force.',
    },
  };
}

export function mapGrantEnded(input: EventInput): Mapping {
  const { leaf } = input;
  const revoked = leaf.type === 'grant.revoked';
  return {
    ocsfClass: CLASSES.authorizeSession,
    activity: other(revoked ? 'Revoke' : 'Expire'),
    severity: revoked ? 'Low' : 'Informational',
    attributes: {
      // The leaf names the grant only; whose it was is in the event of its issue.
      user: userOf(undefined),
      privileges: [stringIn(leaf, 'grant') ?? 'unknown'],
      ...present({ status_detail: stringIn(leaf, 'cause') }),
      ...SUCCESS,
      message: revoked ? 'A grant was revoked.' : 'A grant has expired.',
    },
  };
}

/** Leaves about one thing that is managed: the field that names it, and what happened to it. */
export interface Managed {
  readonly entity: string;
  readonly field: string;
  readonly activity: Activity;
}

export const MANAGED: Readonly<Record<string, Managed>> = {
  'identity.registered': { entity: 'principal', field: 'principal', activity: { id: 1, name: 'Create' } },
  'key.created': { entity: 'key', field: 'key', activity: { id: 1, name: 'Create' } },
  'key.rotated': { entity: 'key', field: 'key', activity: { id: 3, name: 'Update' } },
  'key.revoked': { entity: 'key', field: 'key', activity: { id: 9, name: 'Disable' } },
  'key.archived': { entity: 'key', field: 'key', activity: { id: 5, name: 'Move' } },
  'hold.placed': { entity: 'legal hold', field: 'hold', activity: { id: 1, name: 'Create' } },
  'hold.released': { entity: 'legal hold', field: 'hold', activity: { id: 4, name: 'Delete' } },
  'retention.changed': { entity: 'retention class', field: 'class', activity: { id: 3, name: 'Update' } },
};

export function mapManaged(input: EventInput, { entity, field, activity }: Managed): Mapping {
  const name = stringIn(input.leaf, field) ?? input.leaf.type;
  return {
    ocsfClass: CLASSES.entityManagement,
    activity,
    attributes: {
      entity: { name, type: entity },
      ...SUCCESS,
      message: `${entity}: ${activity.name.toLowerCase()}.`,
    },
  };
}
