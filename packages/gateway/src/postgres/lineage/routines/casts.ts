/** Casts: which cannot fail whatever the value is, and what is left of it. */
import type { Source } from '../../../masking/lineage.ts';
import type { Catalog, CatalogType } from '../../catalog/catalog.ts';
import { asKind, stringsOf } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import { findType } from '../../inspect/query/analyze-query.ts';
import { reachOfRoutine } from '../../inspect/routines/classify-routine.ts';
import type { Fixed, LineageContext, Value } from '../port.ts';
import { UNKNOWN_TYPE, derivedOf, freeOf, unionOf } from '../value.ts';

/** text, varchar, bpchar, name, "char". */
const TEXTS: ReadonlySet<number> = new Set([25, 1043, 1042, 19, 18, UNKNOWN_TYPE]);

export const isTextType = (oid: number | undefined, catalog: Catalog): boolean =>
  oid !== undefined && (TEXTS.has(oid) || isCitext(oid, catalog));

/** Of the extension: only a superuser makes a base type, so the name cannot be borrowed. */
function isCitext(oid: number, catalog: Catalog): boolean {
  const type = catalog.typeByOid(oid);
  return type?.name === 'citext' && type.kind === 'base' && hasKnownRoutines(type, catalog);
}

/**
 * Casts between types of the server that have a result for every value, or end at a bound that no value can be moved to: shifting a date or an integer is an
 * oracle itself. source → targets.
 */
export const TOTAL_CASTS: ReadonlyMap<number, readonly number[]> = new Map([
  [21, [23, 20, 1700, 701, 700]],
  [23, [20, 1700, 701, 700, 16]],
  [20, [1700, 701, 700]],
  [700, [701, 1700]],
  [701, [1700]],
  [16, [23]],
  [1082, [1114, 1184]],
  [1114, [1082, 1083, 1184]],
  [1184, [1082, 1083, 1114, 1266]],
  [1083, [1186, 1266]],
  [1266, [1083]],
  [114, [3802]],
  [3802, [114]],
  [650, [869]],
  [869, [650]],
  [829, [774]],
]);

/** A precision only rounds values of these. */
const ROUNDED: ReadonlySet<number> = new Set([1083, 1266, 1114, 1184]);

interface Target {
  readonly oid: number | undefined;
  readonly type: CatalogType | undefined;
  readonly isArray: boolean;
  readonly modifier: string | undefined;
  readonly name: string;
}

export function castOf(value: Value, written: NodeOf<'TypeName'> | number, context: LineageContext): Value {
  const target = targetOf(written, context);
  const typeOid = target.isArray ? undefined : target.oid;
  if (value.sources.length === 0) return castFree(value, target, typeOid);
  const behaviour = behaviourOf(value, target, context.catalog);
  if (behaviour === 'same')
    return { ...value, fields: undefined, how: isSame(value, typeOid) ? value.how : 'derived', typeOid };
  if (behaviour === 'fallible' || behaviour === 'opaque') {
    context.collector.oracle(behaviour, value.sources);
    return { ...derivedOf([value], typeOid), ...(behaviour === 'opaque' && opaqueOf(value, target)) };
  }
  const form =
    behaviour === 'whole' && value.form === 'column' ? 'whole' : behaviour === 'whole' ? value.form : 'part';
  return { ...value, how: 'derived', form, origin: undefined, fields: undefined, typeOid };
}

const isSame = (value: Value, oid: number | undefined): boolean =>
  value.typeOid !== undefined && value.typeOid === oid;

function opaqueOf(value: Value, { name }: Target): { readonly sources: readonly Source[] } {
  return { sources: unionOf([value.sources, [{ kind: 'unknown', object: name }]]) };
}

/** What the caller chose stays his choice; what a length cuts off makes it another value. */
function castFree(value: Value, { modifier, name }: Target, typeOid: number | undefined): Value {
  const { fixed } = value;
  if (fixed === undefined)
    return {
      ...value,
      origin: isSame(value, typeOid) ? value.origin : undefined,
      typeOid,
      fields: undefined,
    };
  if (modifier === undefined) return { ...value, origin: undefined, typeOid, fields: undefined };
  if (fixed.parameters.length > 0) return freeOf(typeOid);
  const constants = fixed.constants.map((text) => `${text}::${name}(${modifier})`);
  const changed: Fixed = { ...fixed, constants };
  return { ...value, fixed: changed, origin: undefined, typeOid, fields: undefined };
}

function targetOf(written: NodeOf<'TypeName'> | number, { catalog, query }: LineageContext): Target {
  if (typeof written === 'number') {
    const type = catalog.typeByOid(written);
    return { oid: written, type, isArray: false, modifier: undefined, name: nameOf(type, String(written)) };
  }
  const parts = stringsOf(written.names) ?? [];
  const found = parts.length === 0 ? undefined : findType(parts, query);
  const type = found === 'temporary' ? undefined : found;
  const modifiers = (written.typmods ?? []).map((node) => modifierText(node));
  const modifier = modifiers.length === 0 ? undefined : modifiers.join();
  return {
    oid: type?.oid,
    type,
    isArray: (written.arrayBounds ?? []).length > 0,
    modifier,
    name: nameOf(type, parts.join('.')),
  };
}

/** A length or a precision. */
function modifierText(node: Node): string {
  const constant = asKind(node, 'A_Const');
  return String(constant?.ival === undefined ? '?' : (constant.ival.ival ?? 0));
}

const nameOf = (type: CatalogType | undefined, written: string): string =>
  type === undefined ? written : `${type.schema}.${type.name}`;

type Behaviour = 'same' | 'whole' | 'part' | 'fallible' | 'opaque';

function behaviourOf(value: Value, target: Target, catalog: Catalog): Behaviour {
  const { type, isArray, modifier } = target;
  if (type === undefined || type.open === true) return 'opaque';
  const from = value.typeOid === undefined ? undefined : catalog.typeByOid(value.typeOid);
  if (isArray) return arrayBehaviour(from, type.oid, modifier, catalog);
  return scalarBehaviour(from, type, modifier, catalog);
}

function arrayBehaviour(
  from: CatalogType | undefined,
  element: number,
  modifier: string | undefined,
  catalog: Catalog,
): Behaviour {
  if (from?.arrayOf === undefined || modifier !== undefined) return 'fallible';
  if (from.arrayOf === element) return 'same';
  const isText = isTextType(from.arrayOf, catalog) && isTextType(element, catalog);
  return isText || TOTAL_CASTS.get(from.arrayOf)?.includes(element) === true ? 'whole' : 'fallible';
}

function scalarBehaviour(
  from: CatalogType | undefined,
  type: CatalogType,
  modifier: string | undefined,
  catalog: Catalog,
): Behaviour {
  if (hasOwnCast(from?.oid, type.oid, catalog)) return 'opaque';
  if (!hasKnownRoutines(type, catalog) || (from !== undefined && !hasKnownRoutines(from, catalog)))
    return 'opaque';
  if (type.kind === 'domain') {
    const base = type.baseTypeOid === undefined ? undefined : catalog.typeByOid(type.baseTypeOid);
    if (base === undefined || (type.expressions?.length ?? 0) > 0)
      return from?.oid === type.oid ? 'same' : 'fallible';
    return scalarBehaviour(from, base, modifier, catalog);
  }
  if (from?.kind === 'domain') {
    const base = from.baseTypeOid === undefined ? undefined : catalog.typeByOid(from.baseTypeOid);
    return base === undefined ? 'fallible' : scalarBehaviour(base, type, modifier, catalog);
  }
  if (isTextType(type.oid, catalog)) return textBehaviour(from?.oid, type.oid, modifier, catalog);
  if (from === undefined) return 'fallible';
  const isAlike = from.oid === type.oid;
  if (modifier !== undefined) {
    return ROUNDED.has(type.oid) && (isAlike || isTotal(from.oid, type.oid)) ? 'part' : 'fallible';
  }
  if (isAlike) return 'same';
  return isTotal(from.oid, type.oid) ? 'part' : 'fallible';
}

const isTotal = (from: number, to: number): boolean => TOTAL_CASTS.get(from)?.includes(to) === true;

/** Every type has a text. What has a length, `name` and "char" included, loses the rest. */
function textBehaviour(
  from: number | undefined,
  to: number,
  modifier: string | undefined,
  catalog: Catalog,
): Behaviour {
  const isCut = modifier !== undefined || to === 19 || to === 18 || (to === 1042 && from !== 1042);
  if (isCut) return 'part';
  return isTextType(from, catalog) ? 'same' : 'whole';
}

function hasOwnCast(from: number | undefined, to: number, catalog: Catalog): boolean {
  return catalog.ownCasts.some(({ sourceTypeOid, targetTypeOid, routineOid }) => {
    if (targetTypeOid !== to || (from !== undefined && sourceTypeOid !== from)) return false;
    const routine = catalog.routineByOid(routineOid);
    return routine === undefined || reachOfRoutine(routine) !== 'harmless';
  });
}

/** Its input and output are the server's own, or those of an extension that only computes. */
function hasKnownRoutines({ routineOids }: CatalogType, catalog: Catalog): boolean {
  return routineOids.every((oid) => {
    const routine = catalog.routineByOid(oid);
    return routine !== undefined && reachOfRoutine(routine) === 'harmless';
  });
}
