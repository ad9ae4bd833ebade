/** DROP, TRUNCATE, COMMENT and SECURITY LABEL: statements that name objects of any kind. */
import type { CatalogRelation } from '../../catalog/catalog.ts';
import type { Effect } from '../classify.ts';
import { asKind, stringOf } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import { schemasOfDependants } from './dependants.ts';
import {
  demandExisting,
  findObject,
  isTemporarySchema,
  partsOf,
  qualifiedName,
  rangeName,
} from './object-names.ts';
import type { ObjectKind } from './object-names.ts';
import type { StatementPort } from './port.ts';

/** How an object of a kind is named, and where it is. */
type Place =
  | ObjectKind
  /** The last part is the object's own, the others name the relation that it is on. */
  | 'on-relation'
  /** The same of a domain. */
  | 'on-type'
  /** The first part is an access method. */
  | 'behind-method'
  | 'schema'
  /** In no schema: roles, databases, extensions, casts … */
  | 'none';

/** By ObjectType. A kind that is not listed is refused. */
const PLACES: Readonly<Record<string, Place>> = {
  OBJECT_TABLE: 'relation',
  OBJECT_VIEW: 'relation',
  OBJECT_MATVIEW: 'relation',
  OBJECT_FOREIGN_TABLE: 'relation',
  OBJECT_SEQUENCE: 'relation',
  OBJECT_INDEX: 'relation',
  OBJECT_AGGREGATE: 'routine',
  OBJECT_FUNCTION: 'routine',
  OBJECT_PROCEDURE: 'routine',
  OBJECT_ROUTINE: 'routine',
  OBJECT_TYPE: 'type',
  OBJECT_DOMAIN: 'type',
  OBJECT_OPERATOR: 'operator',
  OBJECT_COLLATION: 'other',
  OBJECT_CONVERSION: 'other',
  OBJECT_STATISTIC_EXT: 'other',
  OBJECT_TSCONFIGURATION: 'other',
  OBJECT_TSDICTIONARY: 'other',
  OBJECT_TSPARSER: 'other',
  OBJECT_TSTEMPLATE: 'other',
  OBJECT_OPCLASS: 'behind-method',
  OBJECT_OPFAMILY: 'behind-method',
  OBJECT_COLUMN: 'on-relation',
  OBJECT_TABCONSTRAINT: 'on-relation',
  OBJECT_TRIGGER: 'on-relation',
  OBJECT_RULE: 'on-relation',
  OBJECT_POLICY: 'on-relation',
  OBJECT_DOMCONSTRAINT: 'on-type',
  OBJECT_SCHEMA: 'schema',
  OBJECT_ACCESS_METHOD: 'none',
  OBJECT_CAST: 'none',
  OBJECT_DATABASE: 'none',
  OBJECT_EVENT_TRIGGER: 'none',
  OBJECT_EXTENSION: 'none',
  OBJECT_FDW: 'none',
  OBJECT_FOREIGN_SERVER: 'none',
  OBJECT_LANGUAGE: 'none',
  OBJECT_LARGEOBJECT: 'none',
  OBJECT_PUBLICATION: 'none',
  OBJECT_ROLE: 'none',
  OBJECT_SUBSCRIPTION: 'none',
  OBJECT_TABLESPACE: 'none',
  OBJECT_TRANSFORM: 'none',
};

/**
 * Demands what changing an object needs: `ddl` of its schema, or `admin` where it has none.
 *
 * @returns the schema, where the object is known to be in one.
 */
export function demandObject(
  objectType: string,
  object: Node | undefined,
  port: StatementPort,
  missingOk = false,
): { readonly schema: string; readonly name?: string } | undefined {
  const place = PLACES[objectType];
  const parts = place === 'none' ? undefined : partsOf(object);
  switch (place) {
    case undefined:
      port.unreadable('unknown-statement');
      return undefined;
    case 'none':
      port.demandSpecial(objectType === 'OBJECT_LARGEOBJECT' ? 'large-objects' : 'admin');
      return undefined;
    case 'schema': {
      const schema = stringOf(object) ?? parts?.[0];
      if (schema === undefined) port.unreadable('unknown-statement');
      else if (isTemporarySchema(schema)) port.demandSpecial('admin');
      else port.demandSchema(schema);
      return schema === undefined ? undefined : { schema };
    }
    case 'on-relation':
      return demandNamed(parts?.slice(0, -1), 'relation', port, missingOk);
    case 'on-type':
      return demandNamed(domainOfConstraint(object), 'type', port, missingOk);
    case 'behind-method':
      // Their functions run in every index that uses them; only superusers make them.
      port.demandSpecial('admin');
      return demandNamed(parts?.slice(1), 'other', port, missingOk);
    default:
      return demandNamed(parts, place, port, missingOk);
  }
}

/** COMMENT ON CONSTRAINT … ON DOMAIN: a list of the domain and the constraint. */
function domainOfConstraint(object: Node | undefined): readonly string[] | undefined {
  return partsOf(asKind(object, 'List')?.items?.[0]);
}

function demandNamed(
  parts: readonly string[] | undefined,
  kind: ObjectKind,
  port: StatementPort,
  missingOk: boolean,
): { readonly schema: string; readonly name: string } | undefined {
  const name = qualifiedName(parts);
  const { schema } = demandExisting(port, name, kind, missingOk);
  return schema === undefined || name === undefined ? undefined : { schema, name: name.name };
}

export function analyzeDrop(drop: NodeOf<'DropStmt'>, port: StatementPort): Effect {
  for (const object of drop.objects ?? []) {
    const dropped = demandObject(drop.removeType ?? '', object, port, drop.missing_ok === true);
    if (drop.behavior === 'DROP_CASCADE' && dropped !== undefined) {
      demandDependants(port, dropped.schema, dropped.name);
    }
  }
  return 'write';
}

/** CASCADE changes what depends on the object, wherever that is. */
export function demandDependants(port: StatementPort, schema: string, name?: string): void {
  const schemas = schemasOfDependants(port.catalog, schema, name);
  if (schemas === undefined) port.demandSpecial('admin');
  else {
    const via = name === undefined ? schema : `${schema}.${name}`;
    for (const other of schemas) port.demandSchema(other, undefined, via);
  }
}

export function analyzeComment(comment: NodeOf<'CommentStmt'>, port: StatementPort): Effect {
  demandObject(comment.objtype ?? '', comment.object, port);
  return 'write';
}

export function analyzeSecurityLabel(label: NodeOf<'SecLabelStmt'>, port: StatementPort): Effect {
  port.demandSpecial('security-label');
  demandObject(label.objtype ?? '', label.object, port);
  return 'write';
}

export function analyzeTruncate(truncate: NodeOf<'TruncateStmt'>, port: StatementPort): Effect {
  const isCascade = truncate.behavior === 'DROP_CASCADE';
  for (const node of truncate.relations ?? []) {
    const range = asKind(node, 'RangeVar');
    if (range === undefined) {
      port.unreadable('unknown-statement');
      continue;
    }
    const name = rangeName(range);
    const found = findObject(port, name, 'relation');
    if (found.mayBeTemporary) port.demandTemporary('truncate', name.name);
    const relation = found.schema === undefined ? undefined : port.catalog.relation(found.schema, name.name);
    if (relation !== undefined) demandTruncate(relation, isCascade, port);
    else if (!found.mayBeTemporary) port.unknownName('relation', name.name);
  }
  return 'write';
}

/** With its partitions and children, and with the tables that CASCADE empties too. */
function demandTruncate(start: CatalogRelation, isCascade: boolean, port: StatementPort): void {
  const demanded = new Set<CatalogRelation>([start]);
  const seen = new Set<CatalogRelation>(demanded);
  for (const relation of seen) {
    const via = `${relation.schema}.${relation.name}`;
    if (demanded.has(relation)) port.demandRelation('truncate', relation, []);
    port.truncateTriggers(relation);
    for (const oid of relation.children) {
      const child = port.catalog.relationByOid(oid);
      if (child === undefined) continue;
      port.reach('truncate', child, via);
      seen.add(child);
    }
    if (isCascade) addReferencing(relation, seen, demanded, port);
  }
}

function addReferencing(
  relation: CatalogRelation,
  seen: Set<CatalogRelation>,
  demanded: Set<CatalogRelation>,
  port: StatementPort,
): void {
  if (relation.referencedBy === undefined) {
    // Which tables refer to it is not known, so any may be emptied.
    port.demandSpecial('admin');
    return;
  }
  for (const { relationOid } of relation.referencedBy) {
    const referencing = port.catalog.relationByOid(relationOid);
    if (referencing === undefined) {
      port.demandSpecial('admin');
    } else if (!demanded.has(referencing)) {
      demanded.add(referencing);
      // Once more, if it was seen as a child of another one.
      seen.delete(referencing);
      seen.add(referencing);
    }
  }
}
