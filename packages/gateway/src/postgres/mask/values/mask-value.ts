import type { ClassName } from '../../../masking/rules.ts';
import { marksOf } from '../../../masking/transforms/marks.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { MaskValue, ValueContext, ValueType } from '../value.ts';
import { detectInValue } from './detect-value.ts';
import { redactionOfShape } from './redaction-of-shape.ts';
import { shapeOf } from './shape.ts';
import { transformValue } from './transform-value.ts';

/** The class under which a text is redacted that no detector can read. */
const UNREAD_CLASS = 'free_text';

/** See `MaskValue`. What it returns may be one buffer for many values: it must not be written into. */
export const maskValue: MaskValue = (value, type, action, context) => {
  const transform = action.kind === 'detect' ? undefined : action.transform;
  const className = action.kind === 'detect' ? UNREAD_CLASS : action.class;
  try {
    if (transform === undefined) return detected(value, type, className, context, false);
    switch (transform.kind) {
      case 'redact':
        return redaction(type, className, context);
      case 'null':
        return null;
      case 'detect':
        return detected(value, type, className, context, true);
      default:
        return transformValue(value, shapeOf(type.typeOid, context.catalog), type.format, {
          transform,
          class: className,
          keys: context.keys,
          scope: context.scope,
          catalog: context.catalog,
        });
    }
  } catch {
    // A value of another form than its type says: nothing of it leaves.
    return redaction(type, className, context);
  }
};

function detected(
  value: Buffer,
  type: ValueType,
  className: ClassName,
  { detection, keys, scope, catalog }: ValueContext,
  isClassified: boolean,
): Buffer | null {
  if (detection === undefined) return redaction(type, className, { keys, scope, catalog });
  return detectInValue(value, shapeOf(type.typeOid, catalog), type.format, {
    detection,
    keys,
    scope,
    catalog,
    isClassified,
    redaction: marksOf(keys).redaction(className),
  });
}

/** By keys, then catalog (or none), then class, type and format: many small maps, made once. */
const kept = new WeakMap<object, WeakMap<object, Map<string, Buffer | null>>>();
const NO_CATALOG = {};
/** As many as there are types of classified columns; beyond that they are made each time. */
const MAX_KEPT = 10_000;

/** The redaction of a type; by type and class alone. */
export function redaction(
  { typeOid, format }: ValueType,
  className: ClassName,
  { keys, catalog }: Pick<ValueContext, 'keys' | 'scope' | 'catalog'>,
): Buffer | null {
  const made = redactionsOf(keys, catalog);
  const key = `${typeOid}.${format}.${className}`;
  let bytes = made.get(key);
  if (bytes === undefined) {
    bytes = redactionOfShape(shapeOf(typeOid, catalog), format, marksOf(keys).redaction(className));
    if (made.size < MAX_KEPT) made.set(key, bytes);
  }
  return bytes;
}

function redactionsOf(keys: object, catalog: Catalog | undefined): Map<string, Buffer | null> {
  let byCatalog = kept.get(keys);
  if (byCatalog === undefined) kept.set(keys, (byCatalog = new WeakMap()));
  let made = byCatalog.get(catalog ?? NO_CATALOG);
  if (made === undefined) byCatalog.set(catalog ?? NO_CATALOG, (made = new Map()));
  return made;
}
