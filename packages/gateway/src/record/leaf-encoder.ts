/**
 * Events to leaves: canonical JSON with the envelope. `call.intent` and `call.result`, two leaves of every statement,
 * are written by hand; everything else goes through the canonicalizer. A test proves that both give the same bytes.
 */

import { encodeCanonical, type EncodableValue } from 'countersign-verify';
import type { CallIntent, CallResult, Decision, OwnEvent, RecordEvent } from './events.ts';
import type { Unmasked } from './events/masking.ts';
import type { LeafRef } from './recorder.ts';

export interface Envelope {
  readonly journal: string;
  readonly jseq: number;
  readonly id: string;
  readonly atUs: number;
  readonly monoUs: number;
  /** The recorder's counter of the session, when the event belongs to one. */
  readonly seq: number;
}

/** Fields that the recorder adds to what the author gave. */
export type ExtraFields = Readonly<Record<string, EncodableValue>>;

const jsonOf = new Map<string, string>();
const JSON_CACHE = 1024;
const decisionJson = new WeakMap<Decision, string>();
const refJson = new WeakMap<LeafRef, string>();
const objectsJson = new WeakMap<readonly string[], string>();
const unmaskedJson = new WeakMap<readonly Unmasked[], string>();
const SNAKE = new Map<string, string>();

/** JSON of a short configured word. */
function word(text: string): string {
  let json = jsonOf.get(text);
  if (json === undefined) {
    json = encodeCanonical(text);
    if (jsonOf.size >= JSON_CACHE) jsonOf.clear();
    jsonOf.set(text, json);
  }
  return json;
}

function snakeCase(name: string): string {
  let snake = SNAKE.get(name);
  if (snake === undefined) {
    snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    SNAKE.set(name, snake);
  }
  return snake;
}

/** camelCase members to snake_case, at every depth; members that are undefined are left out. */
function toWire(value: unknown): EncodableValue {
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== 'object' || value === null) return value as EncodableValue;
  const members: Record<string, EncodableValue> = {};
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) members[snakeCase(name)] = toWire(member);
  }
  return members;
}

function citation(ref: LeafRef, journal: string): EncodableValue {
  return toWire({
    digest: ref.digest,
    jseq: ref.jseq,
    journal: ref.journal === journal ? undefined : ref.journal,
  });
}

function citationJson(ref: LeafRef, journal: string): string {
  let json = refJson.get(ref);
  if (json === undefined) {
    json = encodeCanonical(citation(ref, journal));
    refJson.set(ref, json);
  }
  return json;
}

function decisionText(decision: Decision): string {
  let json = decisionJson.get(decision);
  if (json === undefined) {
    json = encodeCanonical(toWire(decision));
    decisionJson.set(decision, json);
  }
  return json;
}

/** Many calls of one statement share a list. */
function objectsText(objects: readonly string[]): string {
  let json = objectsJson.get(objects);
  if (json === undefined) {
    json = encodeCanonical(objects);
    objectsJson.set(objects, json);
  }
  return json;
}

/** As above. */
function unmaskedText(unmasked: readonly Unmasked[]): string {
  let json = unmaskedJson.get(unmasked);
  if (json === undefined) {
    json = encodeCanonical(toWire(unmasked));
    unmaskedJson.set(unmasked, json);
  }
  return json;
}

/** JSON of digests and ids: base64url, hexadecimal, digits and dashes need no escaping. */
function plainList(items: readonly string[]): string {
  return items.length === 0 ? '[]' : `["${items.join('","')}"]`;
}

/** The leaf of an event as canonical JSON text. */
export function encodeEvent(event: RecordEvent | OwnEvent, envelope: Envelope, extra?: ExtraFields): string {
  if (event.type === 'call.intent') return encodeIntent(event, envelope);
  if (event.type === 'call.result') return encodeResult(event, envelope);
  return encodeGeneric(event, envelope, extra);
}

/** Every event, by the canonicalizer. */
export function encodeGeneric(
  event: RecordEvent | OwnEvent,
  envelope: Envelope,
  extra?: ExtraFields,
): string {
  const { context, after, ...fields } = event as unknown as Record<string, unknown> & {
    context?: LeafRef;
    after?: LeafRef;
  };
  const leaf: Record<string, EncodableValue> = {
    ...(toWire(fields) as Record<string, EncodableValue>),
    ...extra,
    v: 1,
    at: envelope.atUs,
    mono: envelope.monoUs,
    journal: envelope.journal,
    jseq: envelope.jseq,
  };
  if ('session' in event && 'seq' in event) leaf['seq'] = envelope.seq;
  if (after !== undefined) leaf['after'] = citation(after, envelope.journal);
  if (event.type !== 'call.result') {
    leaf['id'] = envelope.id;
    if (context !== undefined) leaf['context'] = citation(context, envelope.journal);
  }
  return encodeCanonical(leaf);
}

export function encodeIntent(event: CallIntent, e: Envelope): string {
  const { after, context, message, params, resumes, statement, statementName, statements, txn } = event;
  const { fingerprint, objects, objectsAll, objectsMore, probes, unmasked, unmaskedMore } = event;
  return (
    '{' +
    (after === undefined ? '' : `"after":${citationJson(after, e.journal)},`) +
    `"at":${e.atUs},` +
    (context === undefined ? '' : `"context":${citationJson(context, e.journal)},`) +
    `"decision":${decisionText(event.decision)},"effect":"${event.effect}",` +
    (fingerprint === undefined ? '' : `"fingerprint":"${fingerprint}",`) +
    `"id":"${e.id}","journal":${word(e.journal)},` +
    `"jseq":${e.jseq},"kind":${word(event.kind)},` +
    (message === undefined ? '' : `"message":"${message}",`) +
    `"mono":${e.monoUs},` +
    (objects === undefined ? '' : `"objects":${objectsText(objects)},`) +
    (objectsAll === undefined ? '' : `"objects_all":"${objectsAll}",`) +
    (objectsMore === undefined ? '' : `"objects_more":${objectsMore},`) +
    (params === undefined ? '' : `"params":${plainList(params)},`) +
    (probes === undefined ? '' : `"probes":${encodeCanonical(toWire(probes))},`) +
    (resumes === undefined ? '' : `"resumes":"${resumes}",`) +
    `"seq":${e.seq},"session":"${event.session}",` +
    (statement === undefined ? '' : `"statement":"${statement}",`) +
    (statementName === undefined ? '' : `"statement_name":"${statementName}",`) +
    (statements === undefined ? '' : `"statements":${statements},`) +
    (txn === undefined ? '' : `"txn":${word(txn)},`) +
    '"type":"call.intent",' +
    (unmasked === undefined ? '' : `"unmasked":${unmaskedText(unmasked)},`) +
    (unmaskedMore === undefined ? '' : `"unmasked_more":${unmaskedMore},`) +
    '"v":1}'
  );
}

export function encodeResult(event: CallResult, e: Envelope): string {
  const { cause, completed, copied, delivered, masked, maskedMore, rows, sqlstate, suspended } = event;
  return (
    `{"at":${e.atUs},"bytes_down":${event.bytesDown},"bytes_up":${event.bytesUp},"call":"${event.call}",` +
    (cause === undefined ? '' : `"cause":${word(cause)},`) +
    (completed === undefined ? '' : `"completed":${completed},`) +
    (copied === undefined ? '' : `"copied":"${copied}",`) +
    (delivered === undefined ? '' : `"delivered":"${delivered}",`) +
    `"duration_us":${event.durationUs},"journal":${word(e.journal)},"jseq":${e.jseq},` +
    (masked === undefined ? '' : `"masked":${encodeCanonical(toWire(masked))},`) +
    (maskedMore === undefined ? '' : `"masked_more":${maskedMore},`) +
    `"mono":${e.monoUs},` +
    (rows === undefined ? '' : `"rows":${rows},`) +
    `"seq":${e.seq},"session":"${event.session}",` +
    (sqlstate === undefined ? '' : `"sqlstate":${word(sqlstate)},`) +
    `"status":"${event.status}",` +
    (suspended === undefined ? '' : `"suspended":${suspended},`) +
    '"type":"call.result","v":1}'
  );
}
