/** Looks at the first letter of a statement and no further: reads are told from writes, so that results wait as they do
 *  in the product, and nothing else is decided. Only for the benchmark. */

import type { Inspection } from '../packages/gateway/src/postgres/inspect/inspect.ts';

const inspection = (kind: Inspection['kind'], effect: Inspection['effect']): Inspection => ({
  kind,
  effect,
  statements: 1,
  transaction: undefined,
  settings: [],
});

const SELECT = inspection('select', 'read');
const BEGIN = { ...inspection('begin', 'read'), transaction: 'begin' } satisfies Inspection;
const END = { ...inspection('end', 'write'), transaction: 'commit' } satisfies Inspection;
const UPDATE = inspection('update', 'write');

export function inspectStatement(text: Uint8Array | string, start = 0): Inspection {
  const first = typeof text === 'string' ? text.charCodeAt(start) : (text[start] ?? 0);
  switch (first | 0x20) {
    case 0x73:
      return SELECT;
    case 0x62:
      return BEGIN;
    case 0x65:
      return END;
    default:
      return UPDATE;
  }
}
