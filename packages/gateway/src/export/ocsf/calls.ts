import type { Leaf } from 'countersign-verify';

import {
  CLASSES,
  FAILURE,
  other,
  otherStatus,
  SUCCESS,
  toMs,
  UNKNOWN_STATUS,
  type Activity,
  type EventInput,
  type Mapping,
  type Status,
} from './ocsf-event.ts';
import {
  actorObject,
  clientEndpoint,
  databaseOf,
  numberIn,
  present,
  stringIn,
  targetEndpoint,
  userOf,
} from './subjects.ts';

/** Sessions and calls: Datastore Activity (6005), one event per leaf. `metadata.correlation_uid` joins intent and result. */

const ALLOWED = { action_id: 1, action: 'Allowed', disposition_id: 1, disposition: 'Allowed' } as const;
const DENIED = { action_id: 2, action: 'Denied', disposition_id: 2, disposition: 'Blocked' } as const;
const SECURITY_CONTROL = ['security_control'] as const;

const ACTIVITIES: Readonly<Record<string, Activity>> = {
  select: { id: 4, name: 'Query' },
  fetch: { id: 1, name: 'Read' },
  insert: { id: 5, name: 'Write' },
  copy: { id: 5, name: 'Write' },
  update: { id: 2, name: 'Update' },
  merge: { id: 2, name: 'Update' },
  delete: { id: 7, name: 'Delete' },
  truncate: { id: 7, name: 'Delete' },
  drop: { id: 7, name: 'Delete' },
  create: { id: 6, name: 'Create' },
};

/** By the statement's first word where it tells, else by its effect; a `select` that may write is not called a query. */
function activityOf(kind: string | undefined, effect: string | undefined): Activity {
  if (kind === undefined) return { id: 0, name: 'Unknown' };
  const known = ACTIVITIES[kind];
  if (kind === 'copy' && effect === 'read') return { id: 1, name: 'Read' };
  if (known !== undefined && !(kind === 'select' && effect === 'write')) return known;
  if (effect === 'read') return { id: 1, name: 'Read' };
  if (effect === 'write') return { id: 5, name: 'Write' };
  return other(kind);
}

function common(input: EventInput): Readonly<Record<string, unknown>> {
  const { actor, leaf } = input;
  return {
    actor: actorObject(actor, stringIn(leaf, 'session')),
    src_endpoint: clientEndpoint(actor.peer),
    database: databaseOf(actor.target),
    type_id: 1,
    type: 'Database',
    ...(actor.target === undefined ? {} : { dst_endpoint: targetEndpoint(actor.target) }),
  };
}

function authorizations(leaf: Leaf): readonly unknown[] {
  const decision = leaf['decision'] as
    | { readonly effect: string; readonly policies: readonly string[] }
    | undefined;
  if (decision === undefined) return [];
  if (decision.policies.length === 0) return [{ decision: decision.effect }];
  return decision.policies.map((uid) => ({ decision: decision.effect, policy: { uid } }));
}

const NAME = String.raw`(?:"(?:[^"\\]|\\.)*"|[a-z0-9_$]+)`;
const RELATION = new RegExp(`^(?:select|insert|update|delete|truncate|maintain) (${NAME}\\.${NAME})\\(`);

/** The one relation that a call names; an event has room for no more. All objects are in `unmapped.leaf`. */
function tableOf(leaf: Leaf): Readonly<Record<string, unknown>> {
  const objects = leaf['objects'];
  if (!Array.isArray(objects)) return {};
  const named = objects.filter((object) => typeof object === 'string' && !object.includes(' via '));
  const relations = new Set(named.flatMap((object) => RELATION.exec(object as string)?.[1] ?? []));
  const [name] = relations;
  return relations.size === 1 ? { table: { name } } : {};
}

export function mapSessionOpened(input: EventInput): Mapping {
  return {
    ocsfClass: CLASSES.datastore,
    activity: { id: 3, name: 'Connect' },
    attributes: { ...common(input), ...SUCCESS, message: 'A session was opened.' },
  };
}

export function mapIntent(input: EventInput): Mapping {
  const { leaf } = input;
  const id = stringIn(leaf, 'id');
  return {
    ocsfClass: CLASSES.datastore,
    activity: activityOf(stringIn(leaf, 'kind'), stringIn(leaf, 'effect')),
    attributes: {
      ...common(input),
      ...ALLOWED,
      ...otherStatus('Admitted'),
      ...tableOf(leaf),
      authorizations: authorizations(leaf),
      message: 'A call was admitted and recorded; its outcome follows.',
    },
    profiles: SECURITY_CONTROL,
    ...(id === undefined ? {} : { correlationUid: id }),
  };
}

export function mapDenied(input: EventInput): Mapping {
  const { leaf } = input;
  return {
    ocsfClass: CLASSES.datastore,
    activity: activityOf(stringIn(leaf, 'kind'), undefined),
    severity: 'Medium',
    attributes: {
      ...common(input),
      ...DENIED,
      ...FAILURE,
      ...present({
        status_code: stringIn(leaf, 'sqlstate'),
        status_detail: reasonsOf(leaf),
        ...aggregation(leaf),
      }),
      authorizations: authorizations(leaf),
      message: 'A call was refused; nothing of it was forwarded.',
    },
    profiles: SECURITY_CONTROL,
  };
}

function reasonsOf(leaf: Leaf): string | undefined {
  const { reasons = [] } = (leaf['decision'] ?? {}) as { readonly reasons?: readonly string[] };
  return reasons.length === 0 ? undefined : reasons.join(', ');
}

/** Repeated refusals are one leaf (decision 20). */
export function aggregation(leaf: Leaf): Readonly<Record<string, number | undefined>> {
  const first = numberIn(leaf, 'first_at_us');
  const last = numberIn(leaf, 'last_at_us');
  return {
    count: numberIn(leaf, 'count'),
    start_time: first === undefined ? undefined : toMs(first),
    end_time: last === undefined ? undefined : toMs(last),
  };
}

const RESULTS: Readonly<Record<string, Status>> = {
  ok: SUCCESS,
  error: FAILURE,
  cancelled: otherStatus('Cancelled'),
  // A call that was cut may have had its effect.
  cut: UNKNOWN_STATUS,
  skipped: otherStatus('Skipped'),
};

export function mapResult(input: EventInput): Mapping {
  const { leaf, call } = input;
  const status = stringIn(leaf, 'status') ?? '';
  const durationUs = numberIn(leaf, 'duration_us');
  const correlationUid = stringIn(leaf, 'call');
  return {
    ocsfClass: CLASSES.datastore,
    activity: activityOf(call?.kind, call?.effect),
    severity: status === 'cut' ? 'Low' : 'Informational',
    attributes: {
      ...common(input),
      ...(RESULTS[status] ?? UNKNOWN_STATUS),
      ...present({
        status_code: stringIn(leaf, 'sqlstate'),
        status_detail: stringIn(leaf, 'cause'),
        duration: durationUs === undefined ? undefined : toMs(durationUs),
      }),
      end_time: toMs(leaf.at),
      message: 'The outcome of a call.',
    },
    ...(correlationUid === undefined ? {} : { correlationUid }),
  };
}

export function mapVoided(input: EventInput): Mapping {
  const { leaf, call } = input;
  const correlationUid = stringIn(leaf, 'call');
  return {
    ocsfClass: CLASSES.datastore,
    activity: activityOf(call?.kind, call?.effect),
    severity: 'Low',
    attributes: {
      ...common(input),
      ...otherStatus('Voided'),
      ...present({ status_detail: stringIn(leaf, 'reason') }),
      message: 'An admitted call was never acted on.',
    },
    ...(correlationUid === undefined ? {} : { correlationUid }),
  };
}

export function mapSessionClosed(input: EventInput): Mapping {
  const { leaf, actor } = input;
  const session = stringIn(leaf, 'session');
  return {
    ocsfClass: CLASSES.authentication,
    activity: { id: 2, name: 'Logoff' },
    attributes: {
      user: userOf(actor.principal, actor.kind),
      ...(session === undefined ? {} : { session: { uid: session } }),
      service: { name: actor.target ?? 'countersign' },
      ...present({ status_detail: stringIn(leaf, 'reason') }),
      ...SUCCESS,
      message: 'A session was closed.',
    },
  };
}
