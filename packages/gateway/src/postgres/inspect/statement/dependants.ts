/**
 * What CASCADE may reach: the schemas of objects that may depend on the one that is dropped. The catalog has no list of dependencies, so this is
 * a superset: every object whose definition mentions the name, whose type it is, or that refers to it by a foreign key.
 */
import type { Catalog, CatalogRelation, CatalogRoutine } from '../../catalog/catalog.ts';
import { spendWork } from '../query/analyze-query.ts';

/** What PostgreSQL itself brings depends on nothing of ours. */
const FIRST_OWN_OID = 16_384;

/** Schemas with objects that may depend on `schema.name`, or on anything in the schema when there is no name. Undefined: not known. */
export function schemasOfDependants(
  catalog: Catalog,
  schema: string,
  name?: string,
): ReadonlySet<string> | undefined {
  const { relations, routines: all, types: allTypes } = catalog.data;
  spendWork((relations.length + all.length + allTypes.length) / 2);
  const schemas = new Set<string>();
  const mentioned = mentionOf(name ?? schema);
  const types = typesOf(catalog, schema, name);
  const routines = routinesOf(catalog, schema, name);
  // Casts and event triggers are in no schema.
  const isUsedBySchemaless =
    catalog.data.casts.some(({ routineOid }) => routines.has(routineOid)) ||
    catalog.data.eventTriggers.some(({ routineOid }) => routines.has(routineOid));
  if (isUsedBySchemaless) return undefined;
  for (const relation of catalog.data.relations) {
    if (relation.oid < FIRST_OWN_OID) continue;
    if (mentions(relation, mentioned) || usesAny(relation, types, routines)) schemas.add(relation.schema);
    const isDropped = relation.schema === schema && (name === undefined || relation.name === name);
    if (!isDropped) continue;
    if (relation.referencedBy === undefined) return undefined;
    for (const { relationOid } of relation.referencedBy) addSchema(catalog, relationOid, schemas);
    for (const child of relation.children) addSchema(catalog, child, schemas);
  }
  for (const routine of catalog.data.routines) {
    if (routine.oid < FIRST_OWN_OID) continue;
    if (dependsOn(routine, types, mentioned)) schemas.add(routine.schema);
  }
  for (const type of catalog.data.types) {
    if (type.oid < FIRST_OWN_OID) continue;
    const isOver = type.baseTypeOid !== undefined && types.has(type.baseTypeOid);
    if (isOver || type.expressions?.some((text) => mentioned.test(text)) === true) schemas.add(type.schema);
  }
  for (const operator of catalog.data.operators) {
    if (routines.has(operator.routineOid)) schemas.add(operator.schema);
  }
  schemas.delete(schema);
  return schemas;
}

/** The name as a whole word. Definitions quote names where that is needed, and double the quotes inside. */
function mentionOf(name: string): RegExp {
  const text = name.replaceAll('"', '""').replaceAll(/[\\^$.*+?()[\]{}|]/gu, String.raw`\$&`);
  return new RegExp(`(?<![\\p{L}\\p{N}_$])${text}(?![\\p{L}\\p{N}_$])`, 'u');
}

function addSchema(catalog: Catalog, oid: number, schemas: Set<string>): void {
  const relation = catalog.relationByOid(oid);
  if (relation !== undefined) schemas.add(relation.schema);
}

/** OIDs of the types of that name and their arrays; a relation's row type has its name. */
function typesOf(catalog: Catalog, schema: string, name?: string): ReadonlySet<number> {
  const oids = new Set<number>();
  for (const type of catalog.data.types) {
    if (type.schema === schema && (name === undefined || type.name === name)) oids.add(type.oid);
  }
  for (const type of catalog.data.types) {
    if (type.arrayOf !== undefined && oids.has(type.arrayOf)) oids.add(type.oid);
  }
  return oids;
}

function routinesOf(catalog: Catalog, schema: string, name?: string): ReadonlySet<number> {
  const all = catalog.data.routines.filter(
    (routine) => routine.schema === schema && (name === undefined || routine.name === name),
  );
  return new Set(all.map(({ oid }) => oid));
}

function mentions(relation: CatalogRelation, name: RegExp): boolean {
  return (
    (relation.definition !== undefined && name.test(relation.definition)) ||
    relation.columns.some((column) => column.default !== undefined && name.test(column.default)) ||
    relation.expressions.some((expression) => name.test(expression.text)) ||
    relation.rules.some((rule) => name.test(rule.definition))
  );
}

function usesAny(
  relation: CatalogRelation,
  types: ReadonlySet<number>,
  routines: ReadonlySet<number>,
): boolean {
  return (
    relation.columns.some((column) => types.has(column.typeOid)) ||
    relation.triggers.some((trigger) => routines.has(trigger.routineOid))
  );
}

function dependsOn(routine: CatalogRoutine, types: ReadonlySet<number>, name: RegExp): boolean {
  return (
    types.has(routine.returnTypeOid) ||
    routine.argumentTypes.some((type) => types.has(type)) ||
    (routine.language === 'sql' && routine.source !== undefined && name.test(routine.source))
  );
}
