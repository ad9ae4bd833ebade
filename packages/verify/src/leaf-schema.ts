/**
 * What each event type holds, field by field, as data. Names on disk are the snake_case of the names in the
 * gateway's `record/events.ts`. The envelope is separate: see `ENVELOPE`.
 *
 * - `uuid`       UUID version 7, 36 characters in lower case
 * - `digest`     base64url without padding of 32 bytes (43 characters)
 * - `commitment` the same, of SHA-256(salt ‖ bytes) whose salt and bytes are in the vault under this field's path
 * - `name`       1 to 255 characters without control characters: configured names, codes, versions
 * - `count`      integer from 0; `integer` may be negative
 */

export type Shape =
  | {
      readonly kind: 'uuid' | 'digest' | 'commitment' | 'name' | 'count' | 'integer' | 'boolean' | 'sqlstate';
    }
  | { readonly kind: 'choice'; readonly of: readonly string[] }
  | { readonly kind: 'list'; readonly of: Shape }
  | { readonly kind: 'object'; readonly fields: Fields };

export interface Field {
  readonly shape: Shape;
  readonly isOptional: boolean;
}

export type Fields = Readonly<Record<string, Field>>;

const need = (shape: Shape): Field => ({ shape, isOptional: false });
const may = (shape: Shape): Field => ({ shape, isOptional: true });
const uuid: Shape = { kind: 'uuid' };
const digest: Shape = { kind: 'digest' };
const commitment: Shape = { kind: 'commitment' };
const name: Shape = { kind: 'name' };
const count: Shape = { kind: 'count' };
const integer: Shape = { kind: 'integer' };
const boolean: Shape = { kind: 'boolean' };
const sqlstate: Shape = { kind: 'sqlstate' };
const choice = (...of: readonly string[]): Shape => ({ kind: 'choice', of });
const list = (of: Shape): Shape => ({ kind: 'list', of });
const object = (fields: Fields): Shape => ({ kind: 'object', fields });

/** A leaf of the same journal unless `journal` says otherwise. */
const reference = object({ journal: may(name), jseq: need(count), digest: may(digest) });
const contextReference = object({ journal: may(name), jseq: need(count), digest: need(digest) });

const decision = object({
  effect: need(choice('permit', 'forbid')),
  policies: need(list(name)),
  reasons: need(list(name)),
});

/**
 * `at` is the wall clock in µs since the epoch (UTC), `mono` the monotonic clock in µs since boot. Every leaf has these; a `call.result` has no `id`, its identity is the `call` it ends.
 */
export const ENVELOPE: Fields = {
  v: need(count),
  type: need(name),
  id: need(uuid),
  at: need(count),
  mono: need(count),
  journal: need(name),
  jseq: need(count),
};

const inSession = {
  session: need(uuid),
  seq: need(count),
  context: may(contextReference),
} as const satisfies Fields;

const holdScope = object({
  kind: need(choice('all', 'period', 'session', 'principal', 'time')),
  class: may(name),
  period: may(name),
  session: may(uuid),
  principal: may(name),
  from_us: may(count),
  to_us: may(count),
});

/** Leaves of one journal by jseq, both included. */
const leafRange = object({ journal: need(name), from: need(count), to: need(count) });

const erasureScope = object({
  kind: need(choice('period', 'sessions', 'leaves')),
  class: may(name),
  period: may(name),
  sessions: may(list(uuid)),
  leaves: may(
    list(object({ journal: need(name), from: need(count), to: need(count), fields: may(list(name)) })),
  ),
});

export const EVENTS = {
  'log.genesis': {
    origin: need(name),
    key: need(name),
    custodian: need(digest),
    /** The newest known checkpoint of the log that this one takes the place of, and how many of its leaves were kept. */
    succeeds: may(object({ origin: need(name), size: need(count), root: need(digest), kept: need(count) })),
  },
  'checkpoint.witnessed': {
    size: need(count),
    root: need(digest),
    witnesses: need(list(name)),
    organisations: need(count),
    time_us: need(count),
  },
  'checkpoint.timestamped': {
    size: need(count),
    root: need(digest),
    authority: need(name),
    time_us: need(count),
    token: need(digest),
  },
  'role.created': {
    target: need(name),
    database: need(name),
    role: need(name),
    scope: need(digest),
    cause: need(choice('new', 'refreshed')),
    relations: need(count),
    functions: need(count),
    skipped: need(count),
  },
  'role.ended': {
    target: need(name),
    database: need(name),
    role: need(name),
    scope: need(digest),
    cause: need(choice('idle', 'grant', 'configuration', 'shutdown')),
    dropped: need(boolean),
    leftovers: need(count),
  },
  'role.swept': {
    target: need(name),
    database: need(name),
    role: need(name),
    dropped: need(boolean),
    leftovers: need(count),
  },
  'software.started': {
    version: need(name),
    software: need(digest),
    node: need(name),
    boot: need(name),
    previous: need(choice('first', 'stopped', 'crashed')),
    /** Retention class of contents in this run, where the context of a leaf names no other. */
    class: may(name),
  },
  'software.stopped': { reason: need(name) },
  heartbeat: {
    calls: need(count),
    denied: need(count),
    bytes_up: need(count),
    bytes_down: need(count),
    sessions: need(count),
    /** The newest leaf of each journal when this was written, this one not counted. */
    journals: need(list(object({ journal: need(name), jseq: need(count) }))),
  },
  'gap.declared': {
    cause: need(choice('torn-tail', 'sync-failed', 'sync-late', 'corruption')),
    segment: need(count),
    from: need(count),
    to: need(integer),
    lost: need(count),
  },
  'recorder.degraded': { cause: need(name), since_us: may(count) },
  'recorder.restored': { cause: need(name), since_us: may(count) },
  context: {
    node: need(name),
    version: need(name),
    software: need(digest),
    config: need(name),
    boot: need(name),
    clock: need(name),
    principal: may(name),
    owner: may(commitment),
    principal_kind: may(name),
    chain: may(
      list(object({ from: need(name), to: need(name), evidence: need(name), verified: need(boolean) })),
    ),
    grant: may(object({ id: need(name), standing: need(boolean), expires_at_us: need(count) })),
    target: may(object({ name: need(name), protocol: need(name), login: need(name) })),
    analysis: may(name),
    policy: may(digest),
    scope: may(digest),
    catalog: may(name),
    masking: may(digest),
    classification: may(digest),
    role: may(choice('scope', 'configured')),
    /** Retention class of the contents of leaves that cite this one. */
    class: may(name),
  },
  'session.opened': {
    ...inSession,
    protocol: need(choice('postgres')),
    protocol_version: need(name),
    channel: need(object({ tls: may(name), binding: need(boolean), method: need(name) })),
    peer: need(commitment),
    client: may(commitment),
    backend: need(
      object({ pid: need(count), started_at_us: may(count), server_version: need(name), tls: may(name) }),
    ),
    digest_key: need(commitment),
  },
  'session.closed': {
    ...inSession,
    reason: need(name),
    calls: need(count),
    bytes_up: need(count),
    bytes_down: need(count),
    /** Rolling digest over the session's leaves before this one. */
    rolling: need(digest),
  },
  'call.intent': {
    ...inSession,
    decision: need(decision),
    kind: need(name),
    effect: need(choice('read', 'write', 'admin', 'unknown')),
    statement: may(commitment),
    params: may(list(commitment)),
    statement_name: may(commitment),
    message: may(commitment),
    txn: may(choice('I', 'T', 'E')),
    resumes: may(uuid),
    statements: may(count),
    fingerprint: may(name),
    objects: may(list(name)),
    objects_more: may(count),
    objects_all: may(commitment),
    /** What of the regulated the grant let out. */
    unmasked: may(list(object({ class: need(name), object: need(name) }))),
    unmasked_more: may(count),
    /** Distinct regulated values asked for by equality: of this call, and of the period with it. */
    probes: may(
      list(
        object({
          class: need(name),
          period: need(choice('hour', 'day', 'week', 'month')),
          new: need(count),
          used: need(count),
          budget: need(count),
        }),
      ),
    ),
    after: may(reference),
  },
  'call.denied': {
    ...inSession,
    decision: need(decision),
    kind: need(name),
    statement: may(commitment),
    sqlstate: need(sqlstate),
    after: may(reference),
    count: may(count),
    first_at_us: may(count),
    last_at_us: may(count),
  },
  'call.voided': { ...inSession, call: need(uuid), reason: need(name) },
  'call.result': {
    session: need(uuid),
    seq: need(count),
    call: need(uuid),
    status: need(choice('ok', 'error', 'cancelled', 'cut', 'skipped')),
    sqlstate: may(sqlstate),
    rows: may(count),
    completed: may(count),
    bytes_up: need(count),
    bytes_down: need(count),
    duration_us: need(count),
    delivered: may(digest),
    copied: may(digest),
    suspended: may(boolean),
    cause: may(name),
    /** Values masked, by column; and in columns that are left out. */
    masked: may(
      list(object({ object: need(name), class: need(name), transform: need(name), count: need(count) })),
    ),
    masked_more: may(count),
  },
  'authn.result': {
    outcome: need(choice('accepted', 'refused')),
    principal: may(name),
    attempted: may(commitment),
    peer: need(commitment),
    method: need(name),
    reason: may(name),
    token: may(name),
    session: may(uuid),
    count: may(count),
    first_at_us: may(count),
    last_at_us: may(count),
  },
  'config.changed': { config: need(name), text: need(commitment), cause: need(choice('start', 'reload')) },
  'policy.activated': {
    policies: need(digest),
    text: need(commitment),
    diff: may(commitment),
    count: need(count),
    cause: need(choice('start', 'reload')),
  },
  'identity.registered': { principal: need(name), owner: need(commitment), kind: need(name) },
  'grant.issued': {
    grant: need(name),
    standing: need(boolean),
    principal: need(name),
    target: need(name),
    login: may(name),
    scope: may(digest),
    expires_at_us: need(count),
  },
  'grant.expired': { grant: need(name), cause: need(name) },
  'grant.revoked': { grant: need(name), cause: need(name) },
  'key.created': { purpose: need(name), key: need(name), class: may(name), period: may(name) },
  'key.rotated': {
    purpose: need(name),
    key: need(name),
    previous: need(name),
    class: may(name),
    period: may(name),
    count: may(count),
  },
  'key.revoked': { purpose: need(name), key: need(name), cause: need(name) },
  'key.archived': {
    purpose: need(name),
    key: need(name),
    class: need(name),
    period: need(name),
    count: need(count),
    archive: need(digest),
  },
  'backup.created': { size: need(count), root: need(name) },
  'token.issued': {
    token: need(name),
    principal: need(name),
    target: need(name),
    expires_at_us: need(count),
    issuer: need(name),
  },
  'log.read': {
    reader: need(name),
    scope: need(name),
    count: need(count),
    from: may(count),
    to: may(count),
    evidence: may(choice('socket', 'signature')),
    key: may(digest),
    outcome: may(choice('permitted', 'refused')),
    cause: may(name),
  },
  'catalog.loaded': {
    target: need(name),
    database: need(name),
    epoch: need(digest),
    relations: need(count),
    routines: need(count),
  },
  'log.delivered': { read: need(uuid), contents: need(count), bytes: need(count) },
  'officers.changed': {
    officers: need(list(object({ officer: need(name), key: need(digest), owner: need(count) }))),
    owners: need(list(commitment)),
    approvals: need(count),
    unattended: need(boolean),
    request: may(digest),
  },
  'custody.approved': {
    request: need(digest),
    action: need(name),
    scope: need(digest),
    document: need(commitment),
    approvals: need(list(object({ officer: need(name), key: need(digest), signature: need(name) }))),
    expires_at_us: need(count),
  },
  'custody.refused': { request: may(digest), action: may(name), cause: need(name), holds: may(list(name)) },
  'hold.placed': { hold: need(name), request: need(digest), scope: need(holdScope) },
  'hold.released': { hold: need(name), request: need(digest) },
  'erasure.started': {
    erasure: need(uuid),
    authority: need(choice('request', 'schedule')),
    request: may(digest),
    scope: need(erasureScope),
    ranges: need(list(leafRange)),
    keys: may(list(name)),
    contents: need(count),
  },
  'erasure.executed': { erasure: need(uuid), contents: need(count), keys: need(count) },
  'retention.changed': { class: need(name), keep_days: need(count), request: may(digest) },
  alert: {
    code: need(name),
    session: may(uuid),
    step_us: may(integer),
    for_us: may(count),
    asleep_us: may(count),
    principal: may(name),
    quota: may(name),
    free_bytes: may(count),
    witness: may(name),
    size: may(count),
    export: may(name),
    lag: may(count),
    from: may(count),
    to: may(count),
  },
} as const satisfies Record<string, Fields>;

export type EventType = keyof typeof EVENTS;

export function isEventType(type: string): type is EventType {
  return Object.hasOwn(EVENTS, type);
}
