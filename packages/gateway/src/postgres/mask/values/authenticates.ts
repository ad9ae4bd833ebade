import type { ColumnAction } from '../../../masking/plan.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { redactionOfShape } from './redaction-of-shape.ts';
import { shapeOf, type Shape } from './shape.ts';

/**
 * Whether everything that an action puts in place of values of a type will be known again by `findMasked` when it comes back. If not (NULL, `***-**-6789`, the first of
 * January, another number), a write of it looks like any other: decision 29 then asks for `unmask` or `writeClasses`.
 */
export function authenticates(
  action: ColumnAction,
  typeOid: number,
  format: number,
  catalog: Catalog | undefined,
): boolean {
  if (action.kind !== 'mask') return false;
  const shape = shapeOf(typeOid, catalog);
  switch (action.transform.kind) {
    case 'redact':
      return redactionOfShape(shape, format, 'x') !== null;
    case 'token':
      return hasTokens(shape, format);
    default:
      return false;
  }
}

function hasTokens(shape: Shape, format: number): boolean {
  switch (shape.kind) {
    // A token that is too long for the type becomes a redaction, a redaction that is too long null.
    case 'text':
      return shape.maxBytes === undefined;
    case 'json':
    case 'jsonb':
    case 'bytea':
    case 'uuid':
      return true;
    case 'untyped':
      return format === 0;
    case 'array':
      return hasTokens(shape.element, format);
    default:
      return false;
  }
}
