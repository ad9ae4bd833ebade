/** One statement: what follows it, by kind. What is not in here is not followed, and refused where anything regulated is in sight. */
import type { Source, StatementLineage } from '../../../masking/lineage.ts';
import type { Access } from '../../../policy/access.ts';
import type { CatalogRelation } from '../../catalog/catalog.ts';
import { CATALOG_NAMES, parseExpressionText } from '../../inspect/query/analyze-query.ts';
import { kindOf, walkNodes } from '../../inspect/parse/tree.ts';
import type { Node, NodeKind, NodeOf } from '../../inspect/parse/tree.ts';
import { ADMINISTRATION } from '../../inspect/statement/administration.ts';
import type { LineageContext } from '../port.ts';
import { unionOf } from '../value.ts';
import { SHOWING, showsCounters } from '../routines/built-ins.ts';
import { Collector } from './collector.ts';
import { storesComputed } from './computed-columns.ts';
import {
  ofAlterTable,
  ofCluster,
  ofCreateDomain,
  ofComment,
  ofCreateTable,
  ofDomain,
  ofIndex,
  ofMove,
  ofPolicy,
  ofRefresh,
  ofRename,
  ofRule,
  ofStatistics,
  ofTrigger,
} from './definitions.ts';
import { ofFunction } from './functions.ts';
import { NO_ROWS } from './port.ts';
import type { Found, StatementContext } from './port.ts';
import { ofCopy, ofCreateTableAs, ofDeclare, ofFetch, ofSelect, ofView, ofWrite } from './queries.ts';
import { ofCall, ofDo, ofExecute, ofExplain, ofPrepare, ofSchema, ofShow } from './session.ts';
import { boundSources, sourcesNamed, sourcesOfAccesses } from './sources.ts';

type Handlers = { readonly [K in NodeKind]?: (fields: NodeOf<K>, context: StatementContext) => Found };

const FOLLOWED: Handlers = {
  SelectStmt: ofSelect,
  InsertStmt: (fields, context) => ofWrite({ InsertStmt: fields }, context),
  UpdateStmt: (fields, context) => ofWrite({ UpdateStmt: fields }, context),
  DeleteStmt: (fields, context) => ofWrite({ DeleteStmt: fields }, context),
  MergeStmt: (fields, context) => ofWrite({ MergeStmt: fields }, context),
  CopyStmt: ofCopy,
  CreateTableAsStmt: ofCreateTableAs,
  ViewStmt: ofView,
  DeclareCursorStmt: ofDeclare,
  FetchStmt: ofFetch,
  PrepareStmt: ofPrepare,
  ExecuteStmt: ofExecute,
  ExplainStmt: ofExplain,
  VariableShowStmt: ofShow,
  DoStmt: ofDo,
  CallStmt: ofCall,
  CreateSchemaStmt: ofSchema,
  CreateStmt: ofCreateTable,
  CreateForeignTableStmt: ({ base }, context) =>
    base === undefined ? NO_ROWS : ofCreateTable(base, context),
  AlterTableStmt: ofAlterTable,
  IndexStmt: ofIndex,
  CreateStatsStmt: ofStatistics,
  CreatePolicyStmt: ofPolicy,
  AlterPolicyStmt: ofPolicy,
  RenameStmt: ofRename,
  AlterObjectSchemaStmt: ofMove,
  CommentStmt: ofComment,
  SecLabelStmt: ofComment,
  AlterDomainStmt: ofDomain,
  CreateFunctionStmt: ofFunction,
  CreateTrigStmt: ofTrigger,
  RuleStmt: ofRule,
  RefreshMatViewStmt: ofRefresh,
  ClusterStmt: ofCluster,
  CreateDomainStmt: ofCreateDomain,
};

/** Neither read values nor have rows of their own, or change what nobody reads values from. */
const SILENT: ReadonlySet<string> = new Set<string>([
  ...ADMINISTRATION,
  'TransactionStmt',
  'VariableSetStmt',
  'ConstraintsSetStmt',
  'DiscardStmt',
  'ListenStmt',
  'UnlistenStmt',
  'NotifyStmt',
  'LoadStmt',
  'DeallocateStmt',
  'ClosePortalStmt',
  'TruncateStmt',
  'LockStmt',
  'VacuumStmt',
  'ReindexStmt',
  'DropStmt',
  'AlterOwnerStmt',
  'AlterObjectDependsStmt',
  'CreateSeqStmt',
  'AlterSeqStmt',
  'AlterStatsStmt',
  'AlterFunctionStmt',
  'AlterEnumStmt',
  'AlterTypeStmt',
  'AlterOperatorStmt',
  'AlterCollationStmt',
  'AlterTSDictionaryStmt',
  'AlterTSConfigurationStmt',
  'CompositeTypeStmt',
  'CreateEnumStmt',
  'CreateRangeStmt',
  'CreateConversionStmt',
  'CreateEventTrigStmt',
  'CreateCastStmt',
  'CreateTransformStmt',
  'CreateOpClassStmt',
  'CreateOpFamilyStmt',
  'AlterOpFamilyStmt',
  'DefineStmt',
  'ImportForeignSchemaStmt',
]);

/** For the test that holds them against what the analysis reads. */
export const STATEMENT_KINDS: readonly string[] = [...SILENT, ...Object.keys(FOLLOWED)];

type Handler = (fields: unknown, context: StatementContext) => Found;

/** @param context without what belongs to one statement. Never throws. */
export function lineageOfStatement(
  node: Node,
  accesses: readonly Access[],
  context: Omit<LineageContext, 'collector'>,
): StatementLineage {
  const collector = new Collector();
  const within: StatementContext = {
    ...context,
    collector,
    accesses,
    inner: (inner) => foundOf(inner, within),
    alone: (inner) => lineageOfStatement(inner, accesses, context),
  };
  try {
    const found = foundOf(node, within);
    const telling = codeOf(accesses, context, TELLING);
    collector.touch(telling);
    if (telling.length > 0 && storesComputed(node))
      collector.flow({ sources: telling, how: 'derived', to: { kind: 'sink', what: 'relation' } });
    for (const access of accesses) touchWritten(access, within);
    // Temporary relations come first in every search_path: code that names a table without its schema writes into the caller's own of that name.
    // What the text itself names is followed where it is called.
    const fired = accesses.filter((access) => 'via' in access && access.via !== undefined);
    const written = codeOf(fired, context, WRITING);
    if (written.length > 0)
      collector.flow({
        sources: written,
        how: 'derived',
        to: { kind: 'temporary', relation: '*', column: '*' },
      });
    for (const write of found.copyIn ?? [])
      if (write !== undefined)
        collector.touch([{ kind: 'column', object: write.object, class: write.class }]);
    return finish(found, collector, node);
  } catch {
    return unknownStatement(node, accesses, within);
  }
}

const WRITES: ReadonlySet<string> = new Set(['insert', 'update', 'delete']);

/** A row that fails a constraint is shown whole, and a key that is in the way with its values, of whichever side. */
function touchWritten(access: Access, context: StatementContext): void {
  if (access.kind !== 'relation' || !WRITES.has(access.verb)) return;
  const { catalog, collector } = context;
  const relation = catalog.relation(access.schema, access.name);
  if (relation === undefined) return;
  collector.touch(boundSources(relation, context));
  if (access.verb === 'insert') tellDefaults(relation, context);
  for (const { relationOid } of relation.referencedBy ?? []) {
    const other = catalog.relationByOid(relationOid);
    if (other !== undefined) collector.touch(boundSources(other, context));
  }
}

/** A default that reads a regulated column puts its value into another. What code does that is not seen, is its owner's doing. */
function tellDefaults(relation: CatalogRelation, context: StatementContext): void {
  if (!context.accesses.some(({ kind }) => kind === 'routine')) return;
  const names = CATALOG_NAMES;
  const apart: LineageContext = {
    ...context,
    names,
    query: { ...context.query, names },
    isCatalogText: true,
    collector: new Collector(),
  };
  for (const { default: text, generated, name } of relation.columns) {
    if (text === undefined || generated) continue;
    const sources = parseExpressionText(text)
      .flatMap((node) => context.queries.lineageOfExpression(node, undefined, apart).sources)
      .filter(({ kind }) => kind === 'column');
    const object = `${relation.schema}.${relation.name}.${name}`;
    const bound = context.classification.classOf(relation.schema, relation.name, name);
    context.collector.flow({ sources, how: 'derived', to: { kind: 'column', object, class: bound } });
  }
}

/** Code that is not PostgreSQL's own runs, named or fired by a write: what it says in notices and errors may be any value. */
function codeOf(
  accesses: readonly Access[],
  { rules }: Pick<LineageContext, 'rules'>,
  classes: ReadonlySet<string>,
): readonly Source[] {
  for (const access of accesses) {
    if (access.kind !== 'routine' || !classes.has(access.class) || showsCounters(access.name)) continue;
    const object = `${access.schema}.${access.name}`;
    if (!rules.routines.has(object)) return [{ kind: 'unknown', object }];
  }
  return [];
}

const WRITING: ReadonlySet<string> = new Set(['own', 'security-definer']);
const TELLING: ReadonlySet<string> = new Set([...WRITING, ...SHOWING]);

function foundOf(node: Node, context: StatementContext): Found {
  const kind = kindOf(node);
  const handler = (FOLLOWED as Readonly<Record<string, Handler | undefined>>)[kind];
  const fields = (node as unknown as Readonly<Record<string, unknown>>)[kind];
  if (handler !== undefined && Object.hasOwn(FOLLOWED, kind)) return handler(fields, context);
  if (SILENT.has(kind)) return NO_ROWS;
  return notFollowed(node, context);
}

/** Rules, and statements that are newer than this. */
function notFollowed(node: Node, context: StatementContext): Found {
  const { collector, accesses } = context;
  const sources = unionOf([sourcesOfAccesses(accesses, context), sourcesNamed(node, context)]);
  collector.oracle('opaque', sources);
  return { outputs: 'unknown' };
}

function finish(found: Found, collector: Collector, node: Node): StatementLineage {
  const { touched, probes, oracles, flows, writes } = collector;
  const isFree =
    touched.length === 0 &&
    writes.length === 0 &&
    flows.length === 0 &&
    found.copyIn === undefined &&
    found.prepares === undefined &&
    // What an EXECUTE gives as parameters is written or compared by what it executes.
    !(typeof found.outputs === 'object' && 'resultOf' in found.outputs);
  return { ...found, touched, probes, oracles, flows, writes, constants: isFree ? [] : constantsOf(node) };
}

/** It could not be followed: nothing of it is known but what it may read. */
function unknownStatement(
  node: Node,
  accesses: readonly Access[],
  context: StatementContext,
): StatementLineage {
  const sources = unionOf([
    sourcesOfAccesses(accesses, context),
    [{ kind: 'unknown', object: 'a statement that cannot be followed' }],
  ]);
  return {
    outputs: 'unknown',
    touched: sources,
    probes: [],
    oracles: [{ reason: 'opaque', sources }],
    flows: [],
    writes: [],
    constants: constantsOf(node),
  };
}

/** Shorter ones hold no redaction and no token. */
const SHORTEST_CONSTANT = 9;
const MAX_CONSTANTS = 10_000;

function constantsOf(root: Node): readonly string[] | '*' {
  const found = new Set<string>();
  walkNodes(root, (kind, fields) => {
    if (kind !== 'A_Const') return;
    const text = (fields as NodeOf<'A_Const'>).sval?.sval;
    if (text !== undefined && isLong(text)) found.add(text);
  });
  return found.size > MAX_CONSTANTS ? '*' : [...found];
}

const isLong = (text: string): boolean =>
  text.length >= SHORTEST_CONSTANT || Buffer.byteLength(text, 'utf8') >= SHORTEST_CONSTANT;
