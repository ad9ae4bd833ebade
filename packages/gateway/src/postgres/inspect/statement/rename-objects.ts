/** ALTER … RENAME, SET SCHEMA, OWNER TO and DEPENDS ON, of objects of every kind. */
import type { CatalogRelation } from '../../catalog/catalog.ts';
import type { Effect } from '../classify.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import { demandChildren } from './alter-relations.ts';
import { demandObject } from './drop-objects.ts';
import {
  demandExisting,
  demandRelationDdl,
  isTemporarySchema,
  partsOf,
  qualifiedName,
  rangeName,
} from './object-names.ts';
import type { StatementPort } from './port.ts';

/** Objects that a RangeVar names, or whose relation it names. */
const BY_RANGE: ReadonlySet<string> = new Set([
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_FOREIGN_TABLE',
  'OBJECT_SEQUENCE',
  'OBJECT_INDEX',
  'OBJECT_COLUMN',
  'OBJECT_ATTRIBUTE',
  'OBJECT_TABCONSTRAINT',
  'OBJECT_TRIGGER',
  'OBJECT_RULE',
  'OBJECT_POLICY',
]);

export function analyzeRename(rename: NodeOf<'RenameStmt'>, port: StatementPort): Effect {
  const { newname } = rename;
  const type = rename.renameType ?? '';
  if (type === 'OBJECT_SCHEMA') {
    if (rename.subname === undefined || newname === undefined) port.unreadable('unknown-statement');
    else for (const schema of [rename.subname, newname]) port.demandSchema(schema);
    return 'write';
  }
  // A constraint of a domain is renamed by naming the domain.
  const kind = type === 'OBJECT_DOMCONSTRAINT' ? 'OBJECT_DOMAIN' : type;
  const named = demandRenamed(kind, rename.relation, rename.object, rename.missing_ok === true, port);
  if (newname !== undefined && isNameOfObject(type)) {
    if (named !== undefined) port.demandSchema(named.schema, newname);
    else demandNewName(rename, newname, port);
    noteTemporary(rename.relation?.relname, newname, port);
  }
  return 'write';
}

const PARTS: ReadonlySet<string> = new Set([
  'OBJECT_COLUMN',
  'OBJECT_ATTRIBUTE',
  'OBJECT_TABCONSTRAINT',
  'OBJECT_DOMCONSTRAINT',
  'OBJECT_TRIGGER',
  'OBJECT_RULE',
  'OBJECT_POLICY',
]);

/** Whether the name is the object's own, not that of a part of it. */
const isNameOfObject = (type: string): boolean => !PARTS.has(type);

/** Of what is not there: refused as it would be if it were. */
function demandNewName(rename: NodeOf<'RenameStmt'>, newName: string, port: StatementPort): void {
  const name = rename.relation?.relname ?? qualifiedName(partsOf(rename.object))?.name;
  if (name !== undefined && mayBeTemporary(name, port)) return;
  if (rename.missing_ok === true) {
    demandExisting(port, { schema: rename.relation?.schemaname, name: newName }, 'relation', true);
  } else {
    port.unknownName('relation', newName, 'ddl');
  }
}

function mayBeTemporary(name: string, { names: { temporary } }: StatementPort): boolean {
  return temporary === '*' || temporary.has(name);
}

function noteTemporary(name: string | undefined, newName: string, port: StatementPort): void {
  if (name !== undefined && mayBeTemporary(name, port)) {
    port.change({ kind: 'temporary', names: [newName] });
  }
}

function demandRenamed(
  type: string,
  range: NodeOf<'RangeVar'> | undefined,
  object: Node | undefined,
  missingOk: boolean,
  port: StatementPort,
): { readonly schema: string; readonly name?: string } | undefined {
  if (range === undefined || !BY_RANGE.has(type)) return demandObject(type, object, port, missingOk);
  const relation: CatalogRelation | undefined = demandRelationDdl(port, rangeName(range), missingOk);
  if (relation === undefined) return undefined;
  demandChildren(relation, port);
  // Under its new name it is unknown until the snapshot shows it, and so is what it lets the caller reach on his own authority.
  const isOwnName = BY_RANGE.has(type) && !PARTS.has(type);
  if (isOwnName && relation.kind === 'view' && relation.securityInvoker) port.viewAsCaller(relation);
  return { schema: relation.schema, name: relation.name };
}

export function analyzeSetSchema(alter: NodeOf<'AlterObjectSchemaStmt'>, port: StatementPort): Effect {
  const type = alter.objectType ?? '';
  const named = demandRenamed(type, alter.relation, alter.object, alter.missing_ok === true, port);
  const schema = alter.newschema;
  if (schema === undefined) port.unreadable('unknown-statement');
  else if (isTemporarySchema(schema)) port.demandSpecial('create-temp');
  else {
    port.demandSchema(schema);
    if (named?.name !== undefined) port.demandSchema(schema, named.name);
  }
  return 'write';
}

/** Ownership is what the second wall and SECURITY DEFINER rest on. */
export function analyzeOwner(alter: NodeOf<'AlterOwnerStmt'>, port: StatementPort): Effect {
  port.demandSpecial('admin');
  const type = alter.objectType ?? '';
  if (alter.relation !== undefined) demandRelationDdl(port, rangeName(alter.relation));
  else if (alter.object !== undefined) demandObject(type, alter.object, port);
  return 'admin';
}

/** Ties an object to an extension. */
export function analyzeDepends(alter: NodeOf<'AlterObjectDependsStmt'>, port: StatementPort): Effect {
  port.demandSpecial('admin');
  const type = alter.objectType ?? '';
  if (alter.relation !== undefined) demandRelationDdl(port, rangeName(alter.relation));
  else demandObject(type, alter.object, port);
  return 'admin';
}
