/** CREATE and ALTER of functions, triggers, rules, types, domains, operators, aggregates, text search objects, conversions. */
import type { Effect } from '../classify.ts';
import { asKind, stringsOf } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import { analyzeConstraint, relationInDefinition } from './definitions.ts';
import { demandTable } from './create-relations.ts';
import { demandCreation, demandExisting, partsOf, qualifiedName, rangeName } from './object-names.ts';
import type { ObjectKind } from './object-names.ts';
import type { StatementPort } from './port.ts';

const listName = (nodes: readonly Node[] | undefined): readonly string[] | undefined => stringsOf(nodes);

function demandCreated(parts: readonly string[] | undefined, port: StatementPort): void {
  const name = qualifiedName(parts);
  if (name === undefined) port.unreadable('unknown-statement');
  else demandCreation(port, name);
}

/** The body is opaque, in whatever language: what it will do is judged when it is called, by its name. */
export function analyzeCreateFunction(create: NodeOf<'CreateFunctionStmt'>, port: StatementPort): Effect {
  port.demandSpecial('create-function');
  demandCreated(listName(create.funcname), port);
  for (const parameter of create.parameters ?? []) {
    const fields = asKind(parameter, 'FunctionParameter');
    if (fields === undefined) port.unreadable('unknown-statement');
    else if (fields.defexpr !== undefined) port.expression(fields.defexpr);
  }
  return 'write';
}

/** SECURITY DEFINER and SET are among its options. */
export function analyzeAlterFunction(alter: NodeOf<'AlterFunctionStmt'>, port: StatementPort): Effect {
  port.demandSpecial('create-function');
  const parts = alter.func === undefined ? undefined : partsOf({ ObjectWithArgs: alter.func });
  demandExisting(port, qualifiedName(parts), 'routine');
  return 'write';
}

export function analyzeCreateTrigger(create: NodeOf<'CreateTrigStmt'>, port: StatementPort): Effect {
  if (create.relation === undefined) {
    port.unreadable('unknown-statement');
    return 'write';
  }
  const { scope } = demandTable(rangeName(create.relation), port);
  const routine = listName(create.funcname);
  if (routine === undefined) port.unreadable('unknown-statement');
  else port.routineNamed(routine, 0);
  if (create.constrrel !== undefined) demandTable(rangeName(create.constrrel), port);
  if (create.whenClause !== undefined) {
    port.expression(create.whenClause, [...scope, relationInDefinition('new'), relationInDefinition('old')]);
  }
  return 'write';
}

/** A rule's actions run inside the statements of others, on the authority of the table's owner: as opaque as a function. */
export function analyzeCreateRule(create: NodeOf<'RuleStmt'>, port: StatementPort): Effect {
  port.demandSpecial('create-function');
  if (create.relation === undefined) port.unreadable('unknown-statement');
  else demandTable(rangeName(create.relation), port);
  return 'write';
}

export function analyzeCreateDomain(create: NodeOf<'CreateDomainStmt'>, port: StatementPort): Effect {
  demandCreated(listName(create.domainname), port);
  if (create.typeName === undefined) port.unreadable('unknown-statement');
  else port.type(create.typeName);
  for (const node of create.constraints ?? []) {
    const constraint = asKind(node, 'Constraint');
    if (constraint === undefined) port.unreadable('unknown-statement');
    else analyzeConstraint(constraint, VALUE_SCOPE, port);
  }
  return 'write';
}

/** `value` in the check of a domain. */
const VALUE_SCOPE = [relationInDefinition('value')];

export function analyzeAlterDomain(alter: NodeOf<'AlterDomainStmt'>, port: StatementPort): Effect {
  demandExisting(port, qualifiedName(listName(alter.typeName)), 'type', false);
  const constraint = asKind(alter.def, 'Constraint');
  if (constraint !== undefined) analyzeConstraint(constraint, VALUE_SCOPE, port);
  else if (alter.def !== undefined) port.expression(alter.def, VALUE_SCOPE);
  return 'write';
}

export function analyzeCompositeType(create: NodeOf<'CompositeTypeStmt'>, port: StatementPort): Effect {
  if (create.typevar === undefined) port.unreadable('unknown-statement');
  else demandCreation(port, rangeName(create.typevar), create.typevar.relpersistence);
  for (const node of create.coldeflist ?? []) {
    const type = asKind(node, 'ColumnDef')?.typeName;
    if (type === undefined) port.unreadable('unknown-statement');
    else port.type(type);
  }
  return 'write';
}

export function analyzeCreateEnum(create: NodeOf<'CreateEnumStmt'>, port: StatementPort): Effect {
  demandCreated(listName(create.typeName), port);
  return 'write';
}

export function analyzeAlterEnum(alter: NodeOf<'AlterEnumStmt'>, port: StatementPort): Effect {
  demandExisting(port, qualifiedName(listName(alter.typeName)), 'type');
  return 'write';
}

export function analyzeCreateRange(create: NodeOf<'CreateRangeStmt'>, port: StatementPort): Effect {
  demandCreated(listName(create.typeName), port);
  demandNamedRoutines(create.params, RANGE_ROUTINES, port);
  return 'write';
}

/** ALTER TYPE … SET (…) of a base type, by superusers: its functions. */
export function analyzeAlterType(alter: NodeOf<'AlterTypeStmt'>, port: StatementPort): Effect {
  port.demandSpecial('create-function');
  demandExisting(port, qualifiedName(listName(alter.typeName)), 'type');
  return 'write';
}

export function analyzeAlterOperator(alter: NodeOf<'AlterOperatorStmt'>, port: StatementPort): Effect {
  const parts = alter.opername === undefined ? undefined : partsOf({ ObjectWithArgs: alter.opername });
  demandExisting(port, qualifiedName(parts), 'operator');
  demandNamedRoutines(alter.options, OPERATOR_ROUTINES, port);
  return 'write';
}

const RANGE_ROUTINES: ReadonlySet<string> = new Set(['canonical', 'subtype_diff']);
const OPERATOR_ROUTINES: ReadonlySet<string> = new Set(['function', 'procedure', 'restrict', 'join']);
const AGGREGATE_ROUTINES: ReadonlySet<string> = new Set([
  'sfunc',
  'sfunc1',
  'finalfunc',
  'combinefunc',
  'serialfunc',
  'deserialfunc',
  'msfunc',
  'minvfunc',
  'mfinalfunc',
]);

/** Options of a definition whose values are names of functions. */
function demandNamedRoutines(
  options: readonly Node[] | undefined,
  routines: ReadonlySet<string>,
  port: StatementPort,
): void {
  for (const option of options ?? []) {
    const element = asKind(option, 'DefElem');
    if (element === undefined) port.unreadable('unknown-statement');
    else if (routines.has(element.defname?.toLowerCase() ?? '')) {
      const parts = partsOf(element.arg);
      // NONE has no argument.
      if (parts !== undefined) port.routineNamed(parts);
    }
  }
}

export function analyzeDefine(define: NodeOf<'DefineStmt'>, port: StatementPort): Effect {
  demandCreated(listName(define.defnames), port);
  switch (define.kind) {
    case 'OBJECT_AGGREGATE':
      demandNamedRoutines(define.definition, AGGREGATE_ROUTINES, port);
      break;
    case 'OBJECT_OPERATOR':
      demandNamedRoutines(define.definition, OPERATOR_ROUTINES, port);
      break;
    case 'OBJECT_COLLATION':
    case 'OBJECT_TSCONFIGURATION':
    case 'OBJECT_TSDICTIONARY':
      break;
    case 'OBJECT_TYPE':
    case 'OBJECT_TSPARSER':
    case 'OBJECT_TSTEMPLATE':
      // Made of functions that take pointers; superusers make them.
      port.demandSpecial('create-function');
      break;
    default:
      port.unreadable('unknown-statement');
  }
  return 'write';
}

export function analyzeCreateConversion(create: NodeOf<'CreateConversionStmt'>, port: StatementPort): Effect {
  port.demandSpecial('create-function');
  demandCreated(listName(create.conversion_name), port);
  return 'write';
}

/** Of a text search dictionary or configuration, or a collation. */
export function analyzeAlterOther(names: readonly Node[] | undefined, port: StatementPort): Effect {
  const kind: ObjectKind = 'other';
  demandExisting(port, qualifiedName(listName(names)), kind);
  return 'write';
}
