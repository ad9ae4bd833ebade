import type { Access } from '../../policy/access.ts';
import { combineEffects } from '../inspect/classify.ts';
import type { Meaning } from '../inspect/meaning.ts';
import { combineLineages } from '../lineage/combine-lineages.ts';
import type { StatementReading } from './reading.ts';

const combined = new WeakMap<StatementReading, WeakMap<StatementReading, StatementReading>>();

/**
 * What two readings demand together, under the kind of the first: an EXECUTE and what it executes, or what a prepared statement means now and what it meant
 * when its plan may have been made. The same two give the same object, so that what is decided of it is remembered.
 */
export function combineReadings(one: StatementReading, other: StatementReading): StatementReading {
  if (one === other) return one;
  let known = combined.get(one);
  if (known === undefined) combined.set(one, (known = new WeakMap()));
  let both = known.get(other);
  if (both === undefined) {
    const lineage = combineLineages(one.lineage, other.lineage);
    both = {
      meaning: combine(one.meaning, other.meaning),
      settings: [...one.settings, ...other.settings],
      ...(lineage === undefined ? {} : { lineage }),
    };
    known.set(other, both);
  }
  return both;
}

function combine(one: Meaning, other: Meaning): Meaning {
  const unreadable = one.unreadable ?? other.unreadable;
  const { executes: _executed, unreadable: _unreadable, ...first } = one;
  return {
    ...first,
    effect: combineEffects(one.effect, other.effect),
    demands: union(one.demands, other.demands),
    reaches: union(one.reaches, other.reaches),
    unknownNames: [...one.unknownNames, ...other.unknownNames],
    usesSearchPath: one.usesSearchPath || other.usesSearchPath,
    usesCatalog: one.usesCatalog || other.usesCatalog,
    changes: [...one.changes, ...other.changes],
    ...(unreadable === undefined ? {} : { unreadable }),
  };
}

function union(one: readonly Access[], other: readonly Access[]): readonly Access[] {
  const known = new Set(one.map((access) => JSON.stringify(access)));
  return [...one, ...other.filter((access) => !known.has(JSON.stringify(access)))];
}

/** Whether two readings demand the same and tell the same of the statement. */
export function demandSame(one: StatementReading, other: StatementReading): boolean {
  return one === other || essence(one.meaning) === essence(other.meaning);
}

function essence({ demands, reaches, unknownNames, unreadable, executes }: Meaning): string {
  return JSON.stringify([demands, reaches, unknownNames, unreadable ?? null, executes ?? null]);
}
