/** Statements about the server, its roles and its connections: each is the special `admin`, whatever it names. */
import type { Effect } from '../classify.ts';
import type { NodeOf } from '../parse/tree.ts';
import { qualifiedName } from './object-names.ts';
import { partsOf } from './object-names.ts';
import type { StatementPort } from './port.ts';

export const ADMINISTRATION = [
  'AlterDatabaseRefreshCollStmt',
  'AlterDatabaseSetStmt',
  'AlterDatabaseStmt',
  'AlterDefaultPrivilegesStmt',
  'AlterEventTrigStmt',
  'AlterExtensionContentsStmt',
  'AlterExtensionStmt',
  'AlterFdwStmt',
  'AlterForeignServerStmt',
  'AlterPublicationStmt',
  'AlterRoleSetStmt',
  'AlterRoleStmt',
  'AlterSubscriptionStmt',
  'AlterSystemStmt',
  'AlterTableMoveAllStmt',
  'AlterTableSpaceOptionsStmt',
  'AlterUserMappingStmt',
  'CheckPointStmt',
  'CreateAmStmt',
  'CreateExtensionStmt',
  'CreateFdwStmt',
  'CreateForeignServerStmt',
  'CreatePLangStmt',
  'CreatePublicationStmt',
  'CreateRoleStmt',
  'CreateSubscriptionStmt',
  'CreateTableSpaceStmt',
  'CreateUserMappingStmt',
  'CreatedbStmt',
  'DropOwnedStmt',
  'DropRoleStmt',
  'DropSubscriptionStmt',
  'DropTableSpaceStmt',
  'DropUserMappingStmt',
  'DropdbStmt',
  'GrantRoleStmt',
  'GrantStmt',
  'ReassignOwnedStmt',
] as const;

export function analyzeAdministration(_fields: unknown, port: StatementPort): Effect {
  port.demandSpecial('admin');
  return 'admin';
}

/** It runs a function in everybody's DDL. */
export function analyzeCreateEventTrigger(
  create: NodeOf<'CreateEventTrigStmt'>,
  port: StatementPort,
): Effect {
  port.demandSpecial('admin');
  const parts = partsOf({ List: { items: create.funcname ?? [] } });
  if (parts !== undefined) port.routineNamed(parts, 0);
  return 'admin';
}

export function analyzeImportForeignSchema(
  statement: NodeOf<'ImportForeignSchemaStmt'>,
  port: StatementPort,
): Effect {
  port.demandSpecial('admin');
  port.demandSpecial('network');
  if (statement.local_schema === undefined) port.unreadable('unknown-statement');
  else port.demandSchema(statement.local_schema);
  return 'admin';
}

/** A cast belongs to no schema, and may run without being named. */
export function analyzeCreateCast(create: NodeOf<'CreateCastStmt'>, port: StatementPort): Effect {
  port.demandSpecial('admin');
  const parts = partsOf(create.func === undefined ? undefined : { ObjectWithArgs: create.func });
  if (parts !== undefined) port.routineNamed(parts);
  return 'admin';
}

export function analyzeCreateTransform(create: NodeOf<'CreateTransformStmt'>, port: StatementPort): Effect {
  port.demandSpecial('admin');
  for (const routine of [create.fromsql, create.tosql]) {
    const parts = partsOf(routine === undefined ? undefined : { ObjectWithArgs: routine });
    if (parts !== undefined) port.routineNamed(parts);
  }
  return 'admin';
}

/** Operator classes and families: their functions run in every index that uses them. */
export function analyzeOperatorClass(
  fields: NodeOf<'CreateOpClassStmt'> | NodeOf<'CreateOpFamilyStmt'> | NodeOf<'AlterOpFamilyStmt'>,
  port: StatementPort,
): Effect {
  port.demandSpecial('admin');
  const items = 'opclassname' in fields ? fields.opclassname : fields.opfamilyname;
  const name = qualifiedName(partsOf({ List: { items: items ?? [] } }));
  const schema = name?.schema ?? port.names.searchPath?.[0];
  port.usedSearchPath();
  if (schema !== undefined && name !== undefined) port.demandSchema(schema, name.name);
  return 'admin';
}
