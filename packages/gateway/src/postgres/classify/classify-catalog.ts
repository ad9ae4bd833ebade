import { createHash } from 'node:crypto';

import { ANY_CLASS, type ClassName, type MaskingRules } from '../../masking/rules.ts';
import type { CatalogData, CatalogRelation } from '../catalog/catalog.ts';
import { markedClass } from './class-marks.ts';
import { type ClassificationData, EMPTY_CLASSIFICATION } from './classification.ts';
import { classColumnsOfRows } from './classes-of-rows.ts';
import { type ClassificationWarning, FoundClasses, keyOf } from './found-classes.ts';

export type { ClassificationWarning };

/** One column of the configuration. */
export interface Binding {
  readonly schema: string;
  readonly relation: string;
  readonly column: string;
  readonly class: ClassName;
}

export interface ClassifyOptions {
  readonly bindings: readonly Binding[];
  /** Which of `configuration`, `comments` and `labels` count. */
  readonly origins: readonly string[];
  readonly rules: MaskingRules;
}

export interface ClassifiedCatalog {
  readonly data: ClassificationData;
  readonly warnings: readonly ClassificationWarning[];
}

/**
 * Classes of the columns of one database. The configuration holds over comments and labels. A column of a partition, child or parent of
 * the same name is the same column: reading the parent reads the children, so a class of one is that of all; where they differ it is `*`, the class
 * that only `unmask: [all]` lets out.
 */
export function classifyCatalog(catalog: CatalogData, options: ClassifyOptions): ClassifiedCatalog {
  const found = new FoundClasses();
  const byName = new Map(catalog.relations.map((each) => [keyOf(each.schema, each.name), each]));
  if (options.origins.includes('configuration')) bindConfigured(byName, options.bindings, found);
  bindMarked(catalog, options, found);
  inherit(catalog, byName, found);
  // A column that holds rows of a classified relation may be inherited in its turn.
  while (classColumnsOfRows(catalog, found)) inherit(catalog, byName, found);
  const relations = found.sorted();
  const isEmpty = relations.length === 0 && options.rules.detect === 'none';
  if (isEmpty) return { data: EMPTY_CLASSIFICATION, warnings: found.warnings };
  const digest = createHash('sha256')
    .update(
      JSON.stringify([
        options.rules.version,
        relations.map(({ schema, name, columns }) => [schema, name, columns]),
      ]),
    )
    .digest('base64url');
  return { data: { digest, isEmpty, relations }, warnings: found.warnings };
}

function bindConfigured(
  relations: ReadonlyMap<string, CatalogRelation>,
  bindings: readonly Binding[],
  found: FoundClasses,
): void {
  const missing = new Set<string>();
  for (const { schema, relation: name, column, class: classOfIt } of bindings) {
    found.set(schema, name, column, classOfIt);
    const key = keyOf(schema, name);
    const relation = relations.get(key);
    if (relation === undefined) {
      if (!missing.has(key)) found.warn('no-relation', schema, name);
      missing.add(key);
    } else if (!hasColumn(relation, column)) found.warn('no-column', schema, name, column);
  }
}

function bindMarked(catalog: CatalogData, { origins, rules }: ClassifyOptions, found: FoundClasses): void {
  for (const { schema, name, columns } of catalog.relations) {
    for (const column of columns) {
      if (column.classComments === undefined && column.classLabels === undefined) continue;
      const marked = markedClass(column, origins, (each) => rules.classes.has(each));
      if (marked === undefined) continue;
      const configured = found.get(schema, name, column.name);
      if (configured === undefined) found.set(schema, name, column.name, marked.class);
      else if (configured !== marked.class) {
        found.warn('overruled', schema, name, column.name);
        continue;
      }
      if (marked.problem !== undefined) found.warn(marked.problem, schema, name, column.name);
    }
  }
}

/** From each classified column to those of the same name in all relations that are reached over parents and children which have it. */
function inherit(
  catalog: CatalogData,
  byName: ReadonlyMap<string, CatalogRelation>,
  found: FoundClasses,
): void {
  const byOid = new Map(catalog.relations.map((relation) => [relation.oid, relation]));
  const starts = [...found.relations].flatMap(({ schema, name, columns }) => {
    const relation = byName.get(keyOf(schema, name));
    if (relation === undefined || relation.parents.length + relation.children.length === 0) return [];
    return [...columns.keys()].map((column) => ({ relation, column }));
  });
  const seen = new Map<string, Set<number>>();
  for (const { relation, column } of starts) {
    const reached = seen.get(column) ?? new Set();
    seen.set(column, reached);
    if (reached.has(relation.oid)) continue;
    const family = familyOf(relation, column, byOid);
    for (const each of family) reached.add(each.oid);
    const classes = new Set(family.map(({ schema, name }) => found.get(schema, name, column)));
    classes.delete(undefined);
    const [only = ANY_CLASS] = classes;
    if (classes.size > 1) found.warn('conflict', relation.schema, relation.name, column);
    for (const { schema, name } of family)
      found.set(schema, name, column, classes.size > 1 ? ANY_CLASS : only);
  }
}

function familyOf(
  relation: CatalogRelation,
  column: string,
  byOid: ReadonlyMap<number, CatalogRelation>,
): readonly CatalogRelation[] {
  const family = new Set([relation]);
  // A set takes in what is added to it while it is walked through.
  for (const member of family) {
    for (const oid of [...member.parents, ...member.children]) {
      const other = byOid.get(oid);
      if (other !== undefined && hasColumn(other, column)) family.add(other);
    }
  }
  return [...family];
}

function hasColumn({ columns }: CatalogRelation, name: string): boolean {
  return columns.some((column) => column.name === name);
}
