/** Looks at the first letter of a statement and no further: reads are told from writes, so that results wait as they do
 *  in the product. It demands nothing, so nothing is decided either. Only for the benchmark. */

import type { StatementReading } from '../packages/gateway/src/postgres/analysis/reading.ts';
import type { Meaning } from '../packages/gateway/src/postgres/inspect/meaning.ts';

function reading(
  kind: Meaning['kind'],
  effect: Meaning['effect'],
  changes: Meaning['changes'] = [],
): StatementReading {
  return {
    meaning: {
      kind,
      effect,
      statements: 1,
      demands: [],
      reaches: [],
      unknownNames: [],
      usesSearchPath: false,
      usesCatalog: false,
      changes,
    },
    settings: [],
  };
}

const SELECT = reading('select', 'read');
const BEGIN = reading('begin', 'read', [{ kind: 'transaction', verb: 'begin' }]);
const END = reading('end', 'write', [{ kind: 'transaction', verb: 'commit' }]);
const UPDATE = reading('update', 'write');

export function readStatement(text: Uint8Array): StatementReading {
  switch ((text[0] ?? 0) | 0x20) {
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

/** Of a text that was not read to its end. */
export function unreadReading(): StatementReading {
  return UPDATE;
}
