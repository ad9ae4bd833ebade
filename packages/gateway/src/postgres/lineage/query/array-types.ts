/** Which type is the array of which. */
import type { Catalog } from '../../catalog/catalog.ts';

export const TEXT_TYPE = 25;

const arrays = new WeakMap<Catalog, ReadonlyMap<number, number>>();

/** @returns undefined: there is none. */
export function arrayTypeOf(element: number, catalog: Catalog): number | undefined {
  let byElement = arrays.get(catalog);
  if (byElement === undefined) {
    const pairs: [number, number][] = [];
    for (const { oid, arrayOf } of catalog.data.types) if (arrayOf !== undefined) pairs.push([arrayOf, oid]);
    byElement = new Map(pairs);
    arrays.set(catalog, byElement);
  }
  return byElement.get(element);
}
