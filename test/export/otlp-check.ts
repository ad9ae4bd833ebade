/**
 * What a receiver of OTLP/HTTP in JSON accepts of a trace request: the messages of opentelemetry-proto `trace/v1` and
 * `common/v1` (v1) that we use, with their JSON encoding. Anything else is an error.
 */

import assert from 'node:assert/strict';

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly {
    readonly key: string;
    readonly value: { readonly stringValue?: string; readonly intValue?: string };
  }[];
}

type Check = (value: unknown, path: string) => void;

const matches =
  (pattern: RegExp): Check =>
  (value, path) => {
    assert.ok(typeof value === 'string' && pattern.test(value), `${path} is not written as it must be`);
  };

const text = matches(/[\s\S]/);
const uint64 = matches(/^(0|[1-9]\d{0,19})$/);
const int64 = matches(/^-?(0|[1-9]\d{0,18})$/);

const oneOf =
  (...values: readonly number[]): Check =>
  (value, path) => {
    assert.ok(values.includes(value as number), `${path} is none of its numbers`);
  };

const listOf =
  (check: Check): Check =>
  (value, path) => {
    assert.ok(Array.isArray(value), `${path} is not a list`);
    for (const item of value as readonly unknown[]) check(item, `${path}[]`);
  };

const message =
  (fields: Readonly<Record<string, Check>>, optional: readonly string[] = []): Check =>
  (value, path) => {
    assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), `${path} is no message`);
    const given = value as Readonly<Record<string, unknown>>;
    for (const [key, field] of Object.entries(given)) {
      const check = fields[key];
      assert.ok(check !== undefined, `${path}.${key} is not in the protocol`);
      check(field, `${path}.${key}`);
    }
    for (const key of Object.keys(fields))
      if (!optional.includes(key)) assert.ok(given[key] !== undefined, `${path}.${key} is missing`);
  };

const anyValue: Check = (value, path) => {
  message({ stringValue: text, intValue: int64 }, ['stringValue', 'intValue'])(value, path);
  assert.equal(Object.keys(value as object).length, 1, `${path} has not just one value`);
};

const attributes = listOf(message({ key: text, value: anyValue }));

const spanMessage = message(
  {
    traceId: matches(/^(?!0{32})[0-9a-f]{32}$/),
    spanId: matches(/^(?!0{16})[0-9a-f]{16}$/),
    parentSpanId: matches(/^(?!0{16})[0-9a-f]{16}$/),
    name: text,
    kind: oneOf(1, 2, 3, 4, 5),
    startTimeUnixNano: uint64,
    endTimeUnixNano: uint64,
    attributes,
    status: message({ code: oneOf(0, 1, 2) }),
  },
  ['parentSpanId'],
);

const requestMessage = message({
  resourceSpans: listOf(
    message({
      resource: message({ attributes }),
      scopeSpans: listOf(
        message({ scope: message({ name: text, version: text }), spans: listOf(spanMessage) }),
      ),
    }),
  ),
});

/** Throws an AssertionError that names the field. */
export function checkTraces(body: unknown): readonly ReceivedSpan[] {
  requestMessage(body, 'request');
  const { resourceSpans } = body as {
    readonly resourceSpans: readonly {
      readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[];
    }[];
  };
  const spans = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  for (const { startTimeUnixNano: start, endTimeUnixNano: end } of spans)
    assert.ok(BigInt(start) <= BigInt(end), 'a span ends before it starts');
  return spans;
}
