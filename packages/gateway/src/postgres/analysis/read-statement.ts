import type { Catalog } from '../catalog/catalog.ts';
import { analyzeText } from '../inspect/analyze-statement.ts';
import { inspectStatement } from '../inspect/inspect.ts';
import type { Meaning, SessionNames, UnreadableReason } from '../inspect/meaning.ts';
import { lineageOf, type Masking } from '../lineage/lineage-of.ts';
import type { StatementReading } from './reading.ts';

/** Everything that takes time in proportion to the text. Never throws. @param masking absent: nothing is classified in the target. */
export function readStatement(
  text: Uint8Array,
  catalog: Catalog,
  names: SessionNames,
  masking?: Masking,
): StatementReading {
  const { meaning, statements } = analyzeText(text, catalog, names);
  const { settings } = inspectStatement(text);
  // What cannot be read is refused.
  if (masking === undefined || meaning.unreadable !== undefined) return { meaning, settings };
  return { meaning, settings, lineage: lineageOf(statements, masking) };
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
