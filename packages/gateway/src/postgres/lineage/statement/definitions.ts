/**
 * Definitions: what looks through the rows of a table and fails by what it finds there, what would take a class from a column, and code that nobody could look into
 * later.
 */
import type { OracleReason, Source } from '../../../masking/lineage.ts';
import type { CatalogRelation } from '../../catalog/catalog.ts';
import { asKind, stringsOf, walkNodes } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import { findType } from '../../inspect/query/analyze-query.ts';
import { UnknownLineage } from '../port.ts';
import { unionOf } from '../value.ts';
import { NO_ROWS } from './port.ts';
import type { Found, StatementContext } from './port.ts';
import { isTemporary } from './queries.ts';
import {
  boundSources,
  foundOf,
  listOf,
  rangeOfParts,
  sourcesNamed,
  sourcesOf,
  sourcesOfAccesses,
  sourcesOfRange,
} from './sources.ts';
import {
  asStrict,
  hasChecks,
  likeTemporary,
  ofTemporaryColumn,
  runsCode,
  toTemporary,
  UNKNOWN_DEFAULT,
} from './temporary-tables.ts';

/** A new table holds nothing. One of the session's own is followed from here on. */
export function ofCreateTable(create: NodeOf<'CreateStmt'>, context: StatementContext): Found {
  const { relation } = create;
  if (relation === undefined) throw new UnknownLineage('CreateStmt');
  tellReferences({ CreateStmt: create }, context);
  tellDefaults({ CreateStmt: create }, context);
  tellFamily(create, context);
  if (!isTemporary(relation)) return NO_ROWS;
  // A parent shows its rows, whose columns may be of no class.
  if (create.inhRelations !== undefined || create.partspec !== undefined)
    context.collector.oracle('opaque', [INHERITED]);
  const name = relation.relname ?? '';
  if (hasChecks({ CreateStmt: create }) || create.ofTypename !== undefined) asStrict(name, context);
  const elements = create.tableElts ?? [];
  for (const element of elements) {
    const column = asKind(element, 'ColumnDef');
    const like = asKind(element, 'TableLikeClause');
    if (like !== undefined) likeTemporary(like, name, context);
    if (column?.colname !== undefined) ofTemporaryColumn(column, name, context);
  }
  if (create.inhRelations !== undefined || create.ofTypename !== undefined || elements.length === 0)
    toTemporary([], name, '*', context);
  return NO_ROWS;
}

/** A class comes with the family, and with comments: values that move there would meet checks of the caller's own. */
function tellFamily(create: NodeOf<'CreateStmt'>, context: StatementContext): void {
  let looks = create.partspec !== undefined;
  const ranges: (NodeOf<'RangeVar'> | undefined)[] = (create.inhRelations ?? []).map((node) =>
    asKind(node, 'RangeVar'),
  );
  walkNodes({ CreateStmt: create }, (kind, fields) => {
    if (kind === 'TableLikeClause') ranges.push((fields as NodeOf<'TableLikeClause'>).relation);
    if (kind === 'Constraint' && LOOKING.has((fields as NodeOf<'Constraint'>).contype)) looks = true;
  });
  if (!looks) return;
  for (const range of ranges) context.collector.oracle('fallible', sourcesOfRange(range, context));
}

const LOOKING: ReadonlySet<string | undefined> = new Set([
  'CONSTR_CHECK',
  'CONSTR_EXCLUSION',
  'CONSTR_GENERATED',
]);

/** A default is computed once for the rows that there are, and then for each that comes: what it reads would be of no class. */
function tellDefaults(node: Node, context: StatementContext): void {
  const tell = (expression: Node | undefined): void => {
    if (expression === undefined) return;
    const { sources } = context.queries.lineageOfExpression(expression, undefined, context);
    context.collector.flow({ sources, how: 'derived', to: { kind: 'sink', what: 'relation' } });
  };
  walkNodes(node, (kind, fields) => {
    if (kind === 'Constraint') {
      const { contype, raw_expr: expression } = fields as NodeOf<'Constraint'>;
      if (contype === 'CONSTR_DEFAULT') tell(expression);
    } else if (kind === 'AlterTableCmd') {
      const { subtype, def } = fields as NodeOf<'AlterTableCmd'>;
      if (subtype === 'AT_ColumnDefault') tell(def);
    }
  });
}

export function ofCreateDomain(create: NodeOf<'CreateDomainStmt'>, context: StatementContext): Found {
  tellDefaults({ CreateDomainStmt: create }, context);
  return NO_ROWS;
}

/** A foreign key to regulated columns asks, for every row that it is given, whether that value is there. */
function tellReferences(node: Node, context: StatementContext): void {
  walkNodes(node, (kind, fields) => {
    if (kind !== 'Constraint') return;
    const { contype, pktable } = fields as NodeOf<'Constraint'>;
    if (contype !== 'CONSTR_FOREIGN') return;
    context.collector.oracle('comparison', sourcesOfRange(pktable, context));
  });
}

/** Change the relation alone and tell nothing of its values: that one is null is free. */
const PLAIN: ReadonlySet<string> = new Set(
  'DropNotNull SetNotNull SetStatistics SetOptions ResetOptions SetStorage SetCompression DropColumn DropConstraint ClusterOn DropCluster SetLogged SetUnLogged DropOids SetAccessMethod SetTableSpace SetRelOptions ResetRelOptions ReplaceRelOptions EnableTrig EnableAlwaysTrig EnableReplicaTrig EnableTrigAll EnableTrigUser DisableTrig DisableTrigAll DisableTrigUser EnableRule EnableAlwaysRule EnableReplicaRule DisableRule AddOf DropOf ReplicaIdentity EnableRowSecurity DisableRowSecurity ForceRowSecurity NoForceRowSecurity AddIdentity SetIdentity DropIdentity ChangeOwner ColumnDefault CookedColumnDefault AddColumnToView GenericOptions AlterColumnGenericOptions'
    .split(' ')
    .map((name) => `AT_${name}`),
);

/** Where a class comes from the family, it ends with it. */
const LEAVING: ReadonlySet<string> = new Set([
  'AT_DropInherit',
  'AT_DetachPartition',
  'AT_DetachPartitionFinalize',
]);

export function ofAlterTable(alter: NodeOf<'AlterTableStmt'>, context: StatementContext): Found {
  if (alter.relation === undefined) throw new UnknownLineage('AlterTableStmt');
  tellReferences({ AlterTableStmt: alter }, context);
  tellDefaults({ AlterTableStmt: alter }, context);
  const { relation, temporary } = foundOf(alter.relation, context);
  // Its columns are not known: any may be computed from any other.
  if (temporary !== undefined) {
    toTemporary([{ kind: 'temporary', relation: temporary, column: '*' }], temporary, '*', context);
  }
  for (const node of alter.cmds ?? []) {
    const command = asKind(node, 'AlterTableCmd');
    if (command === undefined) throw new UnknownLineage('AlterTableCmd');
    if (temporary !== undefined) ofTemporaryCommand(command, temporary, context);
    if (relation !== undefined) ofCommand(command, relation, context);
    else context.collector.oracle('fallible', sourcesNamed(node, context));
  }
  return NO_ROWS;
}

/** Rows of one are rows of the other then, and each is followed by its own name. */
const FAMILY: ReadonlySet<string> = new Set(['AT_AddInherit', 'AT_AttachPartition']);

function ofTemporaryCommand(
  { def, subtype = 'AT_AddColumn' }: NodeOf<'AlterTableCmd'>,
  temporary: string,
  context: StatementContext,
): void {
  const { collector } = context;
  if (FAMILY.has(subtype)) collector.oracle('opaque', [INHERITED]);
  const column = asKind(def, 'ColumnDef');
  const isAdded = subtype === 'AT_AddColumn' && column !== undefined && !hasChecks({ ColumnDef: column });
  if (isAdded) ofTemporaryColumn(column, temporary, context);
  else if (subtype === 'AT_ColumnDefault' && def !== undefined && runsCode(def, context))
    toTemporary([UNKNOWN_DEFAULT], temporary, '*', context);
  if (isAdded || PLAIN.has(subtype)) return;
  collector.oracle('fallible', [{ kind: 'temporary', relation: temporary, column: '*' }]);
  asStrict(temporary, context);
}

const INHERITED: Source = { kind: 'unknown', object: 'rows of a temporary relation under another name' };

function ofCommand(
  command: NodeOf<'AlterTableCmd'>,
  relation: CatalogRelation,
  context: StatementContext,
): void {
  const subtype = command.subtype ?? 'AT_AddColumn';
  if (PLAIN.has(subtype)) return;
  const { collector } = context;
  const partition = asKind(command.def, 'PartitionCmd')?.name;
  const named = unionOf([
    sourcesNamed({ AlterTableCmd: command }, context),
    sourcesOfRange(partition, context),
  ]);
  const all = unionOf([sourcesOf(relation, context), named]);
  if (LEAVING.has(subtype)) return movedAway(all, context);
  switch (subtype) {
    case 'AT_AddColumn': {
      // A column computed from regulated ones would be of no class; whatever its constraints look for is told by `tellReferences`.
      const isComputed = constraintsOf(command.def).some(
        (type) =>
          type !== 'CONSTR_NOTNULL' &&
          type !== 'CONSTR_NULL' &&
          type !== 'CONSTR_DEFAULT' &&
          type !== 'CONSTR_FOREIGN',
      );
      if (isComputed)
        collector.flow({ sources: all, how: 'derived', to: { kind: 'sink', what: 'relation' } });
      return undefined;
    }
    case 'AT_SetExpression':
    case 'AT_DropExpression':
      // What a generated column is made of is known only as long as it is one.
      return movedAway(all, context);
    case 'AT_AlterColumnType':
      collector.oracle('fallible', all);
      return undefined;
    case 'AT_AddConstraint':
      if (asKind(command.def, 'Constraint')?.contype === 'CONSTR_NOTNULL') return undefined;
      collector.oracle('fallible', all);
      return undefined;
    default:
      // Constraints that are looked after, partitions that are attached, and what is newer than this.
      collector.oracle('fallible', all);
  }
  return undefined;
}

const constraintsOf = (column: Node | undefined): readonly (string | undefined)[] =>
  (asKind(column, 'ColumnDef')?.constraints ?? []).map((node) => asKind(node, 'Constraint')?.contype);

/** Classes are bound to names, comments and families: who changes those would take them away. */
function movedAway(sources: readonly Source[], { collector }: StatementContext): void {
  collector.flow({ sources, how: 'direct', to: { kind: 'sink', what: 'relation' } });
}

/** Columns as they are can be put into an index; what is computed of them, and what must be unique, can fail. */
export function ofIndex(index: NodeOf<'IndexStmt'>, context: StatementContext): Found {
  if (index.relation === undefined) throw new UnknownLineage('IndexStmt');
  const elements = index.indexParams ?? [];
  const isComputed =
    index.whereClause !== undefined || elements.some((node) => asKind(node, 'IndexElem')?.expr !== undefined);
  const { relation, temporary } = foundOf(index.relation, context);
  if (
    temporary !== undefined &&
    (isComputed || index.unique === true || index.excludeOpNames !== undefined)
  ) {
    context.collector.oracle('group', [{ kind: 'temporary', relation: temporary, column: '*' }]);
    asStrict(temporary, context);
  }
  if (relation === undefined) return NO_ROWS;
  const names = new Set(elements.flatMap((node) => asKind(node, 'IndexElem')?.name ?? []));
  const named = context.queries
    .columnsOf(relation, context)
    .columns.filter(({ name }) => names.has(name))
    .map(({ value }) => value.sources);
  if (index.unique === true || index.excludeOpNames !== undefined)
    context.collector.oracle('group', unionOf(named));
  if (!isComputed) return NO_ROWS;
  const nodes = [index.whereClause, ...elements.map((node) => asKind(node, 'IndexElem')?.expr)];
  tellExpressions(nodes, relation, 'fallible', context);
  return NO_ROWS;
}

export function ofStatistics(create: NodeOf<'CreateStatsStmt'>, context: StatementContext): Found {
  for (const node of create.relations ?? []) {
    const range = asKind(node, 'RangeVar');
    const relation = range === undefined ? undefined : foundOf(range, context).relation;
    if (relation === undefined) continue;
    const nodes = (create.exprs ?? []).map((element) => asKind(element, 'StatsElem')?.expr);
    tellExpressions(nodes, relation, 'fallible', context);
  }
  return NO_ROWS;
}

/** What an expression of a relation reads of regulated columns, whatever it does with them. */
function tellExpressions(
  nodes: readonly (Node | undefined)[],
  relation: CatalogRelation,
  reason: OracleReason,
  context: StatementContext,
): void {
  const scope = context.queries.scopeOf([[relation.name, relation]], context);
  const before = new Set(context.collector.touched);
  for (const node of nodes) {
    if (node === undefined) continue;
    const { sources } = context.queries.lineageOfExpression(node, scope, context);
    context.collector.oracle(reason, sources);
  }
  context.collector.oracle(
    reason,
    context.collector.touched.filter((source) => !before.has(source)),
  );
}

/** Which rows are seen is decided by it, for everybody who reads the table. */
export function ofPolicy(
  policy: NodeOf<'CreatePolicyStmt'> | NodeOf<'AlterPolicyStmt'>,
  context: StatementContext,
): Found {
  const relation = policy.table === undefined ? undefined : foundOf(policy.table, context).relation;
  if (relation !== undefined) tellExpressions([policy.qual, policy.with_check], relation, 'control', context);
  return NO_ROWS;
}

/** A new name takes the classes away that are bound to the old one. */
export function ofRename(rename: NodeOf<'RenameStmt'>, context: StatementContext): Found {
  const { renameType = '', relation: range, subname = '', newname = '' } = rename;
  if (renameType === 'OBJECT_SCHEMA') return ofSchemaMove(subname, context);
  if (range === undefined || !CARRIES_COLUMNS.has(renameType)) return NO_ROWS;
  const { relation, temporary } = foundOf(range, context);
  if (relation !== undefined) {
    const bound = boundSources(relation, context);
    const suffix = `.${subname}`;
    const isColumn = renameType === 'OBJECT_COLUMN';
    movedAway(
      bound.filter((source) => !isColumn || (source.kind === 'column' && source.object.endsWith(suffix))),
      context,
    );
  }
  if (temporary !== undefined) {
    const source: Source = { kind: 'temporary', relation: temporary, column: '*' };
    toTemporary([source], renameType === 'OBJECT_COLUMN' ? temporary : newname, '*', context);
    asStrict(renameType === 'OBJECT_COLUMN' ? temporary : newname, context);
  }
  return NO_ROWS;
}

const CARRIES_COLUMNS: ReadonlySet<string> = new Set([
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_FOREIGN_TABLE',
  'OBJECT_COLUMN',
]);

export function ofMove(
  { relation: range }: NodeOf<'AlterObjectSchemaStmt'>,
  context: StatementContext,
): Found {
  const relation = range === undefined ? undefined : foundOf(range, context).relation;
  if (relation !== undefined) movedAway(boundSources(relation, context), context);
  return NO_ROWS;
}

function ofSchemaMove(schema: string, context: StatementContext): Found {
  const { catalog } = context;
  const inside = catalog.data.relations.filter((relation) => relation.schema === schema);
  movedAway(unionOf(inside.map((relation) => boundSources(relation, context))), context);
  return NO_ROWS;
}

/** Comments and labels carry classes: a column that has one keeps what says so. */
export function ofComment(
  fields: NodeOf<'CommentStmt'> | NodeOf<'SecLabelStmt'>,
  context: StatementContext,
): Found {
  const { objtype, object } = fields;
  const says = 'comment' in fields ? fields.comment : 'label' in fields ? fields.label : undefined;
  if (objtype !== 'OBJECT_COLUMN') return NO_ROWS;
  const parts = stringsOf(listOf(object)) ?? [];
  const column = parts.at(-1);
  if (column === undefined || parts.length < 2) throw new UnknownLineage('CommentStmt');
  const { relation } = foundOf(rangeOfParts(parts.slice(0, -1)), context);
  // Values of a class may move to where the class is: a table of the caller's own, with checks of his own, gets none.
  if (/countersign/iu.test(says ?? ''))
    context.collector.oracle('opaque', [{ kind: 'unknown', object: 'a class that a comment gives' }]);
  if (relation === undefined) return NO_ROWS;
  movedAway(
    boundSources(relation, context).filter(
      (source) => source.kind === 'column' && source.object.endsWith(`.${column}`),
    ),
    context,
  );
  return NO_ROWS;
}

/** A check is held against every column of the domain. */
export function ofDomain(alter: NodeOf<'AlterDomainStmt'>, context: StatementContext): Found {
  if (alter.subtype === 'T' && alter.def !== undefined) {
    const { sources } = context.queries.lineageOfExpression(alter.def, undefined, context);
    context.collector.flow({ sources, how: 'derived', to: { kind: 'sink', what: 'relation' } });
  }
  if (alter.subtype !== 'C' && alter.subtype !== 'V') return NO_ROWS;
  const { catalog, collector } = context;
  const domain = findType(stringsOf(alter.typeName) ?? [], context.query);
  for (const relation of catalog.data.relations) {
    const { columns } = relation;
    const isOf =
      domain === undefined || domain === 'temporary' || columns.some(({ typeOid }) => typeOid === domain.oid);
    if (isOf) collector.oracle('fallible', boundSources(relation, context));
  }
  return NO_ROWS;
}

/** What it runs sees each row that is written. */
export function ofTrigger(create: NodeOf<'CreateTrigStmt'>, context: StatementContext): Found {
  if (create.relation === undefined) return NO_ROWS;
  const { relation, temporary } = foundOf(create.relation, context);
  if (relation !== undefined) context.collector.oracle('opaque', sourcesOf(relation, context));
  if (temporary !== undefined) {
    context.collector.oracle('opaque', [{ kind: 'temporary', relation: temporary, column: '*' }]);
    asStrict(temporary, context);
  }
  return NO_ROWS;
}

/** It moves rows that are written to where it likes; of the session's own relations it is not seen when it does. */
export function ofRule(rule: NodeOf<'RuleStmt'>, context: StatementContext): Found {
  const { collector, accesses } = context;
  const sources = unionOf([
    sourcesOfAccesses(accesses, context),
    sourcesNamed({ RuleStmt: rule }, context),
    sourcesOfRange(rule.relation, context),
  ]);
  const isOwn = sources.some(({ kind }) => kind === 'temporary');
  collector.oracle('opaque', isOwn ? [...sources, INHERITED] : sources);
  return { outputs: 'unknown' };
}

/** Rows are put into the order of an index, and are read in it from then on. Which columns an index has is not in the snapshot. */
export function ofCluster({ relation: range }: NodeOf<'ClusterStmt'>, context: StatementContext): Found {
  context.collector.oracle('order', sourcesOfRange(range, context));
  return NO_ROWS;
}

/** What is behind a materialized view is what its errors could tell. */
export function ofRefresh(
  { relation: range }: NodeOf<'RefreshMatViewStmt'>,
  context: StatementContext,
): Found {
  context.collector.touch(sourcesOfRange(range, context));
  return NO_ROWS;
}
