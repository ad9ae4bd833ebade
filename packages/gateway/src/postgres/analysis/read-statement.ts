import type { Catalog } from '../catalog/catalog.ts';
import { analyzeStatement } from '../inspect/analyze-statement.ts';
import { inspectStatement } from '../inspect/inspect.ts';
import type { Meaning, SessionNames, UnreadableReason } from '../inspect/meaning.ts';
import type { StatementReading } from './reading.ts';

/** Everything that takes time in proportion to the text. Never throws. */
export function readStatement(text: Uint8Array, catalog: Catalog, names: SessionNames): StatementReading {
  return {
    meaning: analyzeStatement(text, catalog, names),
    settings: inspectStatement(text).settings,
  };
}

/** Of a text that was not read to its end: it may not run. */
export function unreadReading(reason: UnreadableReason): StatementReading {
  const meaning: Meaning = {
    kind: 'unknown',
    effect: 'unknown',
    statements: 1,
    demands: [],
    reaches: [],
    unknownNames: [],
    usesSearchPath: false,
    usesCatalog: false,
    changes: [],
    unreadable: { reason },
  };
  return { meaning, settings: [] };
}
