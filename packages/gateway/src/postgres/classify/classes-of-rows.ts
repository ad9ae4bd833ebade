import { ANY_CLASS, type ClassName } from '../../masking/rules.ts';
import type { CatalogData } from '../catalog/catalog.ts';
import { type FoundClasses, keyOf } from './found-classes.ts';

/**
 * Columns whose type is the row of a relation with classes (a composite type, a table), or an array of it, or a domain over it: they carry what its
 * attributes carry. Of several classes that is any. A class of the column's own stays. Gives whether one was found.
 */
export function classColumnsOfRows(catalog: CatalogData, found: FoundClasses): boolean {
  const carrying = carryingTypes(catalog, found);
  if (carrying.size === 0) return false;
  let isChanged = false;
  for (const { schema, name, columns } of catalog.relations) {
    for (const { name: column, typeOid } of columns) {
      const carried = carrying.get(typeOid);
      if (carried === undefined || found.get(schema, name, column) !== undefined) continue;
      found.set(schema, name, column, carried);
      isChanged = true;
    }
  }
  return isChanged;
}

function carryingTypes(
  { relations, types }: CatalogData,
  found: FoundClasses,
): ReadonlyMap<number, ClassName> {
  const carrying = new Map<number, ClassName>();
  const classes = new Map([...found.relations].map((each) => [keyOf(each.schema, each.name), each.columns]));
  const byOid = new Map<number, ClassName>();
  for (const { oid, schema, name } of relations) {
    const names = new Set(classes.get(keyOf(schema, name))?.values());
    const [only = ANY_CLASS] = names;
    if (names.size > 0) byOid.set(oid, names.size > 1 ? ANY_CLASS : only);
  }
  // A type is made of older ones, but OIDs wrap around: as often as something is found.
  for (let size = -1; size < carrying.size;) {
    size = carrying.size;
    for (const { oid, relationOid, arrayOf, baseTypeOid } of types) {
      const carried =
        byOid.get(relationOid ?? 0) ?? carrying.get(arrayOf ?? 0) ?? carrying.get(baseTypeOid ?? 0);
      if (carried !== undefined) carrying.set(oid, carried);
    }
  }
  return carrying;
}
