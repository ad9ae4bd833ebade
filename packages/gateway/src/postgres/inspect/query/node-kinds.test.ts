/** Every kind of node that the parser's grammar knows has its place: nothing is passed over because nobody thought of it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { indexCatalog } from '../../catalog/catalog-index.ts';
import type { Node } from '../parse/tree.ts';
import { handlerOf } from '../statement/handlers.ts';
import {
  BY_CALLER,
  Demands,
  UnreadableStatement,
  analyzeExpression,
  analyzeQueryNode,
} from './analyze-query.ts';
import { EXPRESSION_KINDS } from './expression.ts';

/** Parts of queries: read by the file named, never as expressions. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  'column-reference.ts': ['A_Indices', 'A_Star', 'String'],
  'expression.ts': ['SortBy', 'WindowDef'],
  'json-expressions.ts': ['JsonAggConstructor', 'JsonBehavior', 'JsonFormat', 'JsonOutput', 'JsonReturning'],
  'from-clause.ts': ['Alias', 'JoinExpr', 'RangeSubselect', 'RangeTableSample', 'RangeVar'],
  'function-items.ts': [
    'ColumnDef',
    'JsonTable',
    'JsonTableColumn',
    'JsonTablePathSpec',
    'RangeFunction',
    'RangeTableFunc',
    'RangeTableFuncCol',
  ],
  'types.ts': ['TypeName'],
  'with-clause.ts': ['CTECycleClause', 'CTESearchClause', 'CommonTableExpr', 'WithClause'],
  'select.ts': ['LockingClause'],
  'modify.ts': ['IndexElem', 'InferClause', 'OnConflictClause', 'ReturningClause', 'ReturningOption'],
  'merge.ts': ['MergeWhenClause'],
};

/** Parts of other statements: `statement/` reads them. */
const PARTS_OF_STATEMENTS: readonly string[] = [
  'AccessPriv',
  'ReturnStmt',
  'Constraint',
  'CreateOpClassItem',
  'DefElem',
  'FunctionParameter',
  'IntoClause',
  'ObjectWithArgs',
  'PartitionBoundSpec',
  'PartitionCmd',
  'PartitionElem',
  'PartitionRangeDatum',
  'PartitionSpec',
  'PublicationObjSpec',
  'PublicationTable',
  'RoleSpec',
  'StatsElem',
  'TableLikeClause',
  'TriggerTransition',
  'VacuumRelation',
  'AlterTableCmd',
  'VariableShowStmt',
  'ReplicaIdentityStmt',
  'ATAlterConstraint',
];

/** Made by the server's own analysis, planning or executor; the raw parser never gives them. Met all the same, they refuse the statement. */
const NEVER_RAW: readonly string[] = [
  'Aggref',
  'AlternativeSubPlan',
  'ArrayCoerceExpr',
  'ArrayExpr',
  'CaseTestExpr',
  'CoerceToDomain',
  'CoerceToDomainValue',
  'CoerceViaIO',
  'CollateExpr',
  'ConvertRowtypeExpr',
  'DistinctExpr',
  'FieldSelect',
  'FieldStore',
  'FromExpr',
  'FuncExpr',
  'InferenceElem',
  'IntList',
  'JsonConstructorExpr',
  'JsonExpr',
  'JsonTablePath',
  'JsonTablePathScan',
  'JsonTableSiblingJoin',
  'MergeAction',
  'NextValueExpr',
  'NullIfExpr',
  'OidList',
  'OnConflictExpr',
  'OpExpr',
  'Param',
  'Query',
  'RTEPermissionInfo',
  'RangeTblEntry',
  'RangeTblFunction',
  'RangeTblRef',
  'RelabelType',
  'ReturningExpr',
  'RowCompareExpr',
  'RowMarkClause',
  'ScalarArrayOpExpr',
  'SetOperationStmt',
  'SortGroupClause',
  'SubPlan',
  'SubscriptingRef',
  'TableFunc',
  'TableSampleClause',
  'TargetEntry',
  'Var',
  'WindowClause',
  'WindowFunc',
  'WindowFuncRunCondition',
  'WithCheckOption',
  'CallContext',
  'FilterColumn',
  'Function',
  'PLAssignStmt',
  'SummaryResult',
  'Table',
  'InlineCodeBlock',
  'ParseResult',
  'RawStmt',
  'ScanResult',
  'ScanToken',
];

/** Values that stand in other nodes. */
const VALUES: readonly string[] = ['Integer', 'Float', 'Boolean', 'BitString'];

const QUERIES: readonly string[] = ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'];

/** The kinds that the parser's types list. */
function kindsOfGrammar(): readonly string[] {
  const types = createRequire(import.meta.url).resolve('@pgsql/types');
  const text = readFileSync(join(dirname(types), 'types.d.ts'), 'utf8');
  const union = /export type Node = ([\s\S]*?);\n(?:export|\/\*)/u.exec(text)?.[1] ?? '';
  return [...union.matchAll(/\{\s*(\w+): /gu)].map(([, kind]) => kind!);
}

const EMPTY_CATALOG = indexCatalog({
  format: 1,
  target: 'test',
  database: 'test',
  serverVersion: 180_000,
  epoch: 'none',
  schemas: [],
  relations: [],
  routines: [],
  types: [],
  operators: [],
  casts: [],
  eventTriggers: [],
  extensions: [],
});

function analyzeEmpty(kind: string): void {
  const context = {
    ...BY_CALLER,
    catalog: EMPTY_CATALOG,
    names: { searchPath: [], temporary: new Set<string>() },
    demands: new Demands(EMPTY_CATALOG),
    depth: 0,
    onWrite: () => {},
  };
  const node = { [kind]: {} } as unknown as Node;
  analyzeExpression(node, undefined, context);
  context.demands.finish();
}

const isUnknownExpression = (error: unknown): boolean =>
  error instanceof UnreadableStatement && error.reason === 'unknown-expression';

describe('the kinds of nodes', () => {
  const kinds = kindsOfGrammar();

  it('has read the list of the grammar', () => {
    assert.ok(kinds.length > 250, String(kinds.length));
  });

  it('has a place for every kind', () => {
    const placed = new Set([
      ...EXPRESSION_KINDS,
      ...Object.values(PARTS).flat(),
      ...PARTS_OF_STATEMENTS,
      ...NEVER_RAW,
      ...VALUES,
      ...QUERIES,
    ]);
    const unplaced = kinds.filter((kind) => !placed.has(kind) && handlerOf(kind) === undefined);
    assert.deepEqual(unplaced, []);
    const stale = [...placed].filter((kind) => !kinds.includes(kind));
    assert.deepEqual(stale, []);
  });

  for (const kind of kinds.filter((one) => !EXPRESSION_KINDS.includes(one))) {
    it(`refuses ${kind} as an expression`, () => {
      assert.throws(() => {
        analyzeEmpty(kind);
      }, isUnknownExpression);
    });
  }

  it('refuses a kind that only a newer parser knows', () => {
    assert.throws(() => {
      analyzeEmpty('QuantumExpr');
    }, isUnknownExpression);
  });

  it('takes nothing but queries for a query', () => {
    for (const kind of kinds.filter((one) => !QUERIES.includes(one))) {
      assert.throws(
        () => analyzeQueryNode({ [kind]: {} } as unknown as Node, undefined, undefined as never),
        isUnknownExpression,
        kind,
      );
    }
  });
});
