/** Every statement of the grammar and what analyses it. What is not in here is refused as `unknown-statement`. */
import type { Effect } from '../classify.ts';
import type { NodeKind, NodeOf } from '../parse/tree.ts';
import {
  ADMINISTRATION,
  analyzeAdministration,
  analyzeCreateCast,
  analyzeCreateEventTrigger,
  analyzeCreateTransform,
  analyzeImportForeignSchema,
  analyzeOperatorClass,
} from './administration.ts';
import { analyzeAlterStatistics, analyzeAlterTable, analyzePolicy } from './alter-relations.ts';
import { analyzeCopy } from './copy-statement.ts';
import {
  analyzeAlterSequence,
  analyzeCreateForeignTable,
  analyzeCreateIndex,
  analyzeCreateSchema,
  analyzeCreateSequence,
  analyzeCreateStatistics,
  analyzeCreateTable,
  analyzeCreateTableAs,
  analyzeCreateView,
  analyzeRefresh,
} from './create-relations.ts';
import { analyzeClose, analyzeDeclare, analyzeFetch } from './cursors.ts';
import {
  analyzeAlterDomain,
  analyzeAlterEnum,
  analyzeAlterFunction,
  analyzeAlterOperator,
  analyzeAlterOther,
  analyzeAlterType,
  analyzeCompositeType,
  analyzeCreateConversion,
  analyzeCreateDomain,
  analyzeCreateEnum,
  analyzeCreateFunction,
  analyzeCreateRange,
  analyzeCreateRule,
  analyzeCreateTrigger,
  analyzeDefine,
} from './define-code.ts';
import { analyzeComment, analyzeDrop, analyzeSecurityLabel, analyzeTruncate } from './drop-objects.ts';
import { analyzeCluster, analyzeLock, analyzeReindex, analyzeVacuum } from './maintain-relations.ts';
import type { StatementPort } from './port.ts';
import { analyzeDeallocate, analyzeExecute, analyzeExplain, analyzePrepare } from './prepared-statements.ts';
import { analyzeSelect, analyzeWrite } from './queries.ts';
import { analyzeDepends, analyzeOwner, analyzeRename, analyzeSetSchema } from './rename-objects.ts';
import { analyzeCall, analyzeDo } from './run-code.ts';
import {
  analyzeDiscard,
  analyzeListen,
  analyzeLoad,
  analyzeNotify,
  analyzeSet,
  analyzeSetConstraints,
  analyzeShow,
  analyzeTransaction,
  analyzeUnlisten,
} from './session-statements.ts';

type Handlers = { readonly [K in NodeKind]?: (fields: NodeOf<K>, port: StatementPort) => Effect };

/** Data, the session, and code: no event trigger fires for them. */
const PLAIN: Handlers = {
  SelectStmt: analyzeSelect,
  InsertStmt: (fields, port) => analyzeWrite({ InsertStmt: fields }, port),
  UpdateStmt: (fields, port) => analyzeWrite({ UpdateStmt: fields }, port),
  DeleteStmt: (fields, port) => analyzeWrite({ DeleteStmt: fields }, port),
  MergeStmt: (fields, port) => analyzeWrite({ MergeStmt: fields }, port),
  CopyStmt: analyzeCopy,
  VariableSetStmt: analyzeSet,
  VariableShowStmt: analyzeShow,
  TransactionStmt: analyzeTransaction,
  ConstraintsSetStmt: analyzeSetConstraints,
  DiscardStmt: analyzeDiscard,
  ListenStmt: analyzeListen,
  UnlistenStmt: analyzeUnlisten,
  NotifyStmt: analyzeNotify,
  LoadStmt: analyzeLoad,
  PrepareStmt: analyzePrepare,
  ExecuteStmt: analyzeExecute,
  DeallocateStmt: analyzeDeallocate,
  ExplainStmt: analyzeExplain,
  DeclareCursorStmt: analyzeDeclare,
  FetchStmt: analyzeFetch,
  ClosePortalStmt: analyzeClose,
  DoStmt: analyzeDo,
  CallStmt: analyzeCall,
  TruncateStmt: analyzeTruncate,
  LockStmt: analyzeLock,
  VacuumStmt: analyzeVacuum,
};

/** Event triggers fire for them. */
const DEFINITIONS: Handlers = {
  CreateStmt: analyzeCreateTable,
  CreateForeignTableStmt: analyzeCreateForeignTable,
  CreateTableAsStmt: analyzeCreateTableAs,
  ViewStmt: analyzeCreateView,
  IndexStmt: analyzeCreateIndex,
  CreateSeqStmt: analyzeCreateSequence,
  AlterSeqStmt: analyzeAlterSequence,
  CreateStatsStmt: analyzeCreateStatistics,
  AlterStatsStmt: analyzeAlterStatistics,
  CreateSchemaStmt: analyzeCreateSchema,
  RefreshMatViewStmt: analyzeRefresh,
  AlterTableStmt: analyzeAlterTable,
  CreatePolicyStmt: analyzePolicy,
  AlterPolicyStmt: analyzePolicy,
  RenameStmt: analyzeRename,
  AlterObjectSchemaStmt: analyzeSetSchema,
  AlterOwnerStmt: analyzeOwner,
  AlterObjectDependsStmt: analyzeDepends,
  DropStmt: analyzeDrop,
  CommentStmt: analyzeComment,
  SecLabelStmt: analyzeSecurityLabel,
  ClusterStmt: analyzeCluster,
  ReindexStmt: analyzeReindex,
  CreateFunctionStmt: analyzeCreateFunction,
  AlterFunctionStmt: analyzeAlterFunction,
  CreateTrigStmt: analyzeCreateTrigger,
  RuleStmt: analyzeCreateRule,
  CreateDomainStmt: analyzeCreateDomain,
  AlterDomainStmt: analyzeAlterDomain,
  CompositeTypeStmt: analyzeCompositeType,
  CreateEnumStmt: analyzeCreateEnum,
  AlterEnumStmt: analyzeAlterEnum,
  CreateRangeStmt: analyzeCreateRange,
  AlterTypeStmt: analyzeAlterType,
  AlterOperatorStmt: analyzeAlterOperator,
  DefineStmt: analyzeDefine,
  CreateConversionStmt: analyzeCreateConversion,
  AlterCollationStmt: (fields, port) => analyzeAlterOther(fields.collname, port),
  AlterTSDictionaryStmt: (fields, port) => analyzeAlterOther(fields.dictname, port),
  AlterTSConfigurationStmt: (fields, port) => analyzeAlterOther(fields.cfgname, port),
  CreateEventTrigStmt: analyzeCreateEventTrigger,
  ImportForeignSchemaStmt: analyzeImportForeignSchema,
  CreateCastStmt: analyzeCreateCast,
  CreateTransformStmt: analyzeCreateTransform,
  CreateOpClassStmt: analyzeOperatorClass,
  CreateOpFamilyStmt: analyzeOperatorClass,
  AlterOpFamilyStmt: analyzeOperatorClass,
  ...Object.fromEntries(ADMINISTRATION.map((kind) => [kind, analyzeAdministration])),
};

type Handler = (fields: unknown, port: StatementPort) => Effect;

export interface HandledStatement {
  readonly analyze: Handler;
  /** Whether event triggers fire for it. */
  readonly isDefinition: boolean;
}

const HANDLED: ReadonlyMap<string, HandledStatement> = new Map([
  ...entries(PLAIN, false),
  ...entries(DEFINITIONS, true),
]);

function entries(
  handlers: Handlers,
  isDefinition: boolean,
): readonly (readonly [string, HandledStatement])[] {
  return Object.entries(handlers).map(([kind, analyze]) => [
    kind,
    { analyze: analyze as Handler, isDefinition },
  ]);
}

/** @param kind the name of the node. */
export function handlerOf(kind: string): HandledStatement | undefined {
  return HANDLED.get(kind);
}
