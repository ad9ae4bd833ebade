import type { ClassName, Classification } from '../../masking/rules.ts';

/**
 * A classification as plain data: it passes between threads. Columns that a class was bound to without the catalog having them are in it too, so that one
 * that comes to be is regulated from its first row on.
 */
export interface ClassificationData {
  readonly digest: string;
  readonly isEmpty: boolean;
  readonly relations: readonly ClassifiedRelation[];
}

export interface ClassifiedRelation {
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly (readonly [column: string, classOfIt: ClassName])[];
}

/** Nothing is classified. */
export const EMPTY_CLASSIFICATION: ClassificationData = { digest: 'empty', isEmpty: true, relations: [] };

/** Each look-up is two or three map accesses. */
export function indexClassification(data: ClassificationData): Classification {
  const schemas = new Map<string, Map<string, ReadonlyMap<string, ClassName>>>();
  const bound = new Set<ClassName>();
  for (const { schema, name, columns } of data.relations) {
    let relations = schemas.get(schema);
    if (relations === undefined) {
      relations = new Map();
      schemas.set(schema, relations);
    }
    relations.set(name, new Map(columns));
    for (const [, classOfIt] of columns) bound.add(classOfIt);
  }
  return {
    digest: data.digest,
    isEmpty: data.isEmpty,
    bound,
    classOf: (schema, relation, column) => schemas.get(schema)?.get(relation)?.get(column),
    hasClasses: (schema, relation) => schemas.get(schema)?.has(relation) === true,
  };
}
