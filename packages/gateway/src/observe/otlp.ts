import { randomBytes } from 'node:crypto';

import type { CallSpan, Span } from './trace-span.ts';

/**
 * Spans as OTLP in its JSON form (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): ids in hex, 64-bit integers as
 * strings, enumerations as numbers. Written by hand: an SDK would bring dozens of packages for one document, and a place in
 * which attributes could be added that nobody meant to send.
 */

export interface TraceResource {
  readonly node: string;
  readonly version: string;
}

const KIND_SERVER = 2;
const KIND_CLIENT = 3;
const STATUS_UNSET = 0;
const STATUS_ERROR = 2;

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: string };
}

function attributesOf(fields: Readonly<Record<string, string | number | undefined>>): readonly Attribute[] {
  return Object.entries(fields).flatMap(([key, value]) => {
    if (value === undefined) return [];
    return [{ key, value: typeof value === 'string' ? { stringValue: value } : { intValue: String(value) } }];
  });
}

const hexOf = (uuid: string): string => uuid.replaceAll('-', '');

/** A UUIDv7 ends in random bits, so its last half identifies as well as a random span id. */
const spanIdOf = (uuid: string): string => hexOf(uuid).slice(16);

/** The body of one export request. */
export function encodeSpans(spans: readonly Span[], { node, version }: TraceResource): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: {
          attributes: attributesOf({
            'service.name': 'countersign',
            'service.version': version,
            'service.instance.id': node,
          }),
        },
        scopeSpans: [{ scope: { name: 'countersign', version }, spans: spans.map(encodeSpan) }],
      },
    ],
  });
}

function encodeSpan(span: Span): unknown {
  const common = {
    traceId: hexOf(span.session),
    startTimeUnixNano: `${span.startUs}000`,
    endTimeUnixNano: `${span.endUs}000`,
  };
  if (span.kind === 'session') {
    return {
      ...common,
      spanId: spanIdOf(span.session),
      name: 'session',
      kind: KIND_SERVER,
      attributes: attributesOf({
        'countersign.session': span.session,
        'countersign.principal': span.principal,
        'countersign.grant': span.grant,
        'countersign.target': span.target,
        'countersign.calls': span.calls,
      }),
      status: { code: STATUS_UNSET },
    };
  }
  const inSession = { ...common, parentSpanId: spanIdOf(span.session), kind: KIND_CLIENT };
  if (span.kind === 'call') return { ...inSession, ...callFields(span) };
  return {
    ...inSession,
    spanId: randomBytes(8).toString('hex'),
    name: 'denied',
    attributes: attributesOf({ 'countersign.code': span.code, 'countersign.target': span.target }),
    status: { code: STATUS_ERROR },
  };
}

function callFields(span: CallSpan): Readonly<Record<string, unknown>> {
  return {
    spanId: spanIdOf(span.call),
    name: 'call',
    attributes: attributesOf({
      'countersign.call': span.call,
      'countersign.jseq': span.jseq,
      'countersign.target': span.target,
      'countersign.kind': span.operation,
      'countersign.effect': span.effect,
      'countersign.status': span.status,
      'countersign.rows': span.rows,
      'countersign.intent_durable_us': span.intentDurableUs,
      'countersign.target_us': span.targetUs,
      'countersign.result_durable_us': span.resultDurableUs,
      'db.system.name': 'postgresql',
      'db.response.status_code': span.sqlstate,
    }),
    status: { code: span.status === 'ok' ? STATUS_UNSET : STATUS_ERROR },
  };
}
