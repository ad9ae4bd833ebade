import type { LogFollower } from '../log-follower.ts';
import type { ProvenLeaf } from '../proven-leaf.ts';
import type { SessionMemory } from '../session-memory.ts';
import { mapDenied, mapIntent, mapResult, mapSessionClosed, mapSessionOpened, mapVoided } from './calls.ts';
import {
  MANAGED,
  mapAuthentication,
  mapGrantEnded,
  mapGrantIssued,
  mapManaged,
  mapToken,
} from './identity.ts';
import { buildEvent, type EventInput, type Mapping, type OcsfEvent } from './ocsf-event.ts';
import { mapConfiguration, mapLifecycle, mapLogActivity, mapPolicies } from './record-events.ts';

const MAPPINGS: Readonly<Record<string, (input: EventInput) => Mapping>> = {
  'session.opened': mapSessionOpened,
  'session.closed': mapSessionClosed,
  'call.intent': mapIntent,
  'call.denied': mapDenied,
  'call.voided': mapVoided,
  'call.result': mapResult,
  'authn.result': mapAuthentication,
  'token.issued': mapToken,
  'grant.issued': mapGrantIssued,
  'grant.expired': mapGrantEnded,
  'grant.revoked': mapGrantEnded,
  'config.changed': mapConfiguration,
  'policy.activated': mapPolicies,
  'software.started': mapLifecycle,
  'software.stopped': mapLifecycle,
};

/** The OCSF event of a leaf. Every leaf has one: a type that is not known becomes Event Log Activity by its own name. */
export function mapLeaf(input: EventInput): OcsfEvent {
  const managed = MANAGED[input.leaf.type];
  const map = MAPPINGS[input.leaf.type] ?? mapLogActivity;
  return buildEvent(input, managed === undefined ? map(input) : mapManaged(input, managed));
}

/** Folds a leaf into the memory and gives its event. `nowUs`: wall clock, µs since the epoch. */
export function eventOf(
  proven: ProvenLeaf,
  memory: SessionMemory,
  follower: LogFollower,
  options: { readonly version: string; readonly nowUs: number },
): OcsfEvent {
  const { leaf, bytes, index } = proven;
  memory.learn(leaf, bytes);
  const call = memory.call(leaf['call']);
  const event = mapLeaf({
    ...proven,
    provenance: follower.provenanceOf(index, leaf.at, options.nowUs),
    actor: memory.actorOf(leaf),
    version: options.version,
    ...(call === undefined ? {} : { call }),
  });
  memory.forget(leaf);
  return event;
}
