/** ALTER TABLE and its kin (views, indexes, sequences, foreign tables, composite types). */
import type { CatalogRelation } from '../../catalog/catalog.ts';
import type { Effect } from '../classify.ts';
import { asKind } from '../parse/tree.ts';
import type { NodeOf } from '../parse/tree.ts';
import { demandTable } from './create-relations.ts';
import { analyzeColumn, analyzeConstraint, isSerial, sequenceOfColumn } from './definitions.ts';
import type { DefinitionScope } from './definitions.ts';
import { demandDependants } from './drop-objects.ts';
import { demandExisting, demandRelationDdl, qualifiedName, rangeName } from './object-names.ts';
import { partsOf } from './object-names.ts';
import type { StatementPort } from './port.ts';

type Command = NodeOf<'AlterTableCmd'>;

/** Subcommands that change the relation alone and hold no expression and no name of another object. */
const PLAIN: ReadonlySet<string> = new Set([
  'AT_DropNotNull',
  'AT_SetNotNull',
  'AT_DropExpression',
  'AT_SetStatistics',
  'AT_SetOptions',
  'AT_ResetOptions',
  'AT_SetStorage',
  'AT_SetCompression',
  'AT_DropColumn',
  'AT_AlterConstraint',
  'AT_ValidateConstraint',
  'AT_AddIndexConstraint',
  'AT_DropConstraint',
  'AT_ClusterOn',
  'AT_DropCluster',
  'AT_SetLogged',
  'AT_SetUnLogged',
  'AT_DropOids',
  'AT_SetAccessMethod',
  'AT_SetTableSpace',
  'AT_SetRelOptions',
  'AT_ResetRelOptions',
  'AT_EnableTrig',
  'AT_EnableAlwaysTrig',
  'AT_EnableReplicaTrig',
  'AT_DisableTrig',
  'AT_EnableTrigUser',
  'AT_DisableTrigUser',
  'AT_EnableRule',
  'AT_EnableAlwaysRule',
  'AT_EnableReplicaRule',
  'AT_DisableRule',
  'AT_DropOf',
  'AT_ReplicaIdentity',
  'AT_EnableRowSecurity',
  'AT_DisableRowSecurity',
  'AT_ForceRowSecurity',
  'AT_NoForceRowSecurity',
  'AT_AddIdentity',
  'AT_SetIdentity',
  'AT_DropIdentity',
]);

/** Of a view: `security_invoker` says whose rights it reads with, `check_option` what may be written through it. */
const OPTIONS: ReadonlySet<string> = new Set([
  'AT_SetRelOptions',
  'AT_ResetRelOptions',
  'AT_ReplaceRelOptions',
]);

/** Subcommands that may read or write every row, with the checks, indexes and generated columns that the table has. */
const LOOKING_THROUGH: ReadonlySet<string> = new Set([
  'AT_AddColumn',
  'AT_AlterColumnType',
  'AT_SetExpression',
  'AT_AddConstraint',
  'AT_ValidateConstraint',
  'AT_AddIdentity',
  'AT_SetLogged',
  'AT_SetUnLogged',
  'AT_SetAccessMethod',
  'AT_AddInherit',
  'AT_AttachPartition',
]);

/** A rule that is switched off is not in the catalog: switched on, it is as opaque as one that is made. */
const ENABLING_RULES: ReadonlySet<string> = new Set([
  'AT_EnableRule',
  'AT_EnableAlwaysRule',
  'AT_EnableReplicaRule',
]);

export function analyzeAlterTable(alter: NodeOf<'AlterTableStmt'>, port: StatementPort): Effect {
  if (alter.relation === undefined) {
    port.unreadable('unknown-statement');
    return 'write';
  }
  const name = rangeName(alter.relation);
  const isType = alter.objtype === 'OBJECT_TYPE';
  const missingOk = alter.missing_ok === true;
  const { relation, scope } = isType
    ? alteredType(name, port)
    : missingOk
      ? { relation: demandRelationDdl(port, name, true), scope: [] }
      : demandTable(name, port);
  // Changes go down to partitions and children unless ONLY is said; some do anyway.
  if (relation !== undefined) demandChildren(relation, port);
  for (const node of alter.cmds ?? []) {
    const command = asKind(node, 'AlterTableCmd');
    if (command === undefined) port.unreadable('unknown-statement');
    else analyzeCommand(command, { name: name.name, relation, scope }, port);
  }
  return 'write';
}

function alteredType(
  name: ReturnType<typeof rangeName>,
  port: StatementPort,
): { readonly relation: CatalogRelation | undefined; readonly scope: DefinitionScope } {
  const { schema } = demandExisting(port, name, 'type');
  return {
    relation: schema === undefined ? undefined : port.catalog.relation(schema, name.name),
    scope: [],
  };
}

export function demandChildren(relation: CatalogRelation, port: StatementPort): void {
  const seen = new Set<number>(relation.children);
  for (const oid of seen) {
    const child = port.catalog.relationByOid(oid);
    if (child === undefined) continue;
    port.demandSchema(child.schema, child.name);
    for (const grandchild of child.children) seen.add(grandchild);
  }
}

interface Altered {
  readonly name: string;
  readonly relation: CatalogRelation | undefined;
  readonly scope: DefinitionScope;
}

function analyzeCommand(command: Command, altered: Altered, port: StatementPort): void {
  const { relation, scope } = altered;
  if (command.behavior === 'DROP_CASCADE' && relation !== undefined) {
    demandDependants(port, relation.schema, relation.name);
  }
  const subtype = command.subtype ?? 'AT_AddColumn';
  if (relation?.kind === 'view' && OPTIONS.has(subtype)) port.viewAsCaller(relation);
  if (relation !== undefined && relation.kind !== 'view' && LOOKING_THROUGH.has(subtype))
    port.expressionsOf(relation);
  if (ENABLING_RULES.has(subtype)) port.demandSpecial('create-function');
  if (PLAIN.has(subtype)) return;
  switch (subtype) {
    case 'AT_AddColumn':
    case 'AT_AddColumnToView':
    case 'AT_AlterColumnType':
      analyzeColumnCommand(asKind(command.def, 'ColumnDef'), altered, port);
      break;
    case 'AT_ColumnDefault':
    case 'AT_SetExpression':
      // DROP DEFAULT has none.
      if (command.def !== undefined) port.expression(command.def, scope);
      break;
    case 'AT_AddConstraint': {
      const constraint = asKind(command.def, 'Constraint');
      if (constraint === undefined) port.unreadable('unknown-statement');
      else analyzeConstraint(constraint, scope, port);
      break;
    }
    case 'AT_AddInherit':
    case 'AT_DropInherit':
      demandOther(asKind(command.def, 'RangeVar'), port);
      break;
    case 'AT_AttachPartition':
    case 'AT_DetachPartition':
    case 'AT_DetachPartitionFinalize':
      demandOther(asKind(command.def, 'PartitionCmd')?.name, port);
      break;
    case 'AT_AddOf': {
      const type = asKind(command.def, 'TypeName');
      if (type === undefined) port.unreadable('unknown-statement');
      else port.type(type);
      break;
    }
    case 'AT_ChangeOwner':
    // Disabling all triggers includes those of foreign keys.
    case 'AT_EnableTrigAll':
    case 'AT_DisableTrigAll':
      port.demandSpecial('admin');
      break;
    case 'AT_GenericOptions':
    case 'AT_AlterColumnGenericOptions':
      // Where a foreign table is found.
      port.demandSpecial('network');
      break;
    default:
      port.unreadable('unknown-statement');
  }
}

function analyzeColumnCommand(
  column: NodeOf<'ColumnDef'> | undefined,
  altered: Altered,
  port: StatementPort,
): void {
  if (column === undefined) {
    port.unreadable('unknown-statement');
    return;
  }
  analyzeColumn(column, altered.scope, port);
  const sequence = sequenceOfColumn(altered.name, column);
  if (sequence !== undefined && altered.relation !== undefined) {
    port.demandSchema(altered.relation.schema, sequence);
  } else if (column.typeName !== undefined && isSerial(column.typeName)) {
    port.change({ kind: 'temporary', names: [sequence ?? altered.name] });
  }
}

function demandOther(range: NodeOf<'RangeVar'> | undefined, port: StatementPort): void {
  if (range === undefined) {
    port.unreadable('unknown-statement');
    return;
  }
  const relation = demandRelationDdl(port, rangeName(range));
  if (relation === undefined) return;
  demandChildren(relation, port);
  port.expressionsOf(relation);
}

/** CREATE POLICY, ALTER POLICY: what they say is run by whoever reads the table. */
export function analyzePolicy(
  policy: NodeOf<'CreatePolicyStmt'> | NodeOf<'AlterPolicyStmt'>,
  port: StatementPort,
): Effect {
  if (policy.table === undefined) {
    port.unreadable('unknown-statement');
    return 'write';
  }
  const { scope } = demandTable(rangeName(policy.table), port);
  for (const expression of [policy.qual, policy.with_check]) {
    if (expression !== undefined) port.expression(expression, scope);
  }
  return 'write';
}

/** ALTER STATISTICS … SET STATISTICS. */
export function analyzeAlterStatistics(alter: NodeOf<'AlterStatsStmt'>, port: StatementPort): Effect {
  const name = qualifiedName(partsOf({ List: { items: alter.defnames ?? [] } }));
  demandExisting(port, name, 'other', alter.missing_ok === true);
  return 'write';
}
