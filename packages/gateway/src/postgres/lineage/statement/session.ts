/** Prepared statements, EXPLAIN, SHOW, and code that is run without being named: DO, CALL. */
import type { Source } from '../../../masking/lineage.ts';
import { asKind, stringOf, stringsOf } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import { reachOfReadSetting } from '../../inspect/routines/routine-call.ts';
import { UnknownLineage } from '../port.ts';
import { unionOf } from '../value.ts';
import { NO_ROWS, textOutput } from './port.ts';
import type { Found, StatementContext } from './port.ts';

export function ofPrepare({ name = '', query }: NodeOf<'PrepareStmt'>, context: StatementContext): Found {
  if (query === undefined) throw new UnknownLineage('PrepareStmt');
  return { outputs: 'none', prepares: { name, inner: context.alone(query) } };
}

/** What it gives as parameters is compared or written where nobody looks. */
export function ofExecute({ name = '', params }: NodeOf<'ExecuteStmt'>, context: StatementContext): Found {
  for (const parameter of params ?? []) {
    const { sources } = context.queries.lineageOfExpression(parameter, undefined, context);
    context.collector.oracle('opaque', sources);
  }
  return { outputs: { resultOf: name } };
}

/**
 * A plan shows constants and estimates (how many rows have a value, how wide they are on average), and what planning has computed: the result of an immutable function,
 * which may be any value. With ANALYZE also how large things were, down to the length of a value. What is left with COSTS OFF is names and constants.
 */
export function ofExplain({ query, options }: NodeOf<'ExplainStmt'>, context: StatementContext): Found {
  if (query === undefined) throw new UnknownLineage('ExplainStmt');
  const { outputs } = context.inner(query);
  const { collector } = context;
  const { touched } = collector;
  const prepared =
    asKind(query, 'ExecuteStmt') !== undefined || asKind(query, 'CreateTableAsStmt') !== undefined;
  const unknown: readonly Source[] =
    prepared && !Array.isArray(outputs) && outputs !== 'none'
      ? [collector.source({ kind: 'unknown', object: 'prepared statement' })]
      : [];
  const isRun = (options ?? []).some((option) =>
    NOT_PLAIN.has(asKind(option, 'DefElem')?.defname?.toLowerCase() ?? ''),
  );
  const runsOwn = context.accesses.some(({ kind }) => kind === 'routine');
  const isShown =
    isRun || runsOwn || !isWithoutCosts(options) || touched.some(({ kind }) => kind !== 'column');
  const sources = unionOf([unknown, isShown ? touched : []]);
  collector.touch(sources);
  return { outputs: textOutput('QUERY PLAN', sources) };
}

/** COSTS OFF: estimates are counts and widths of values. */
function isWithoutCosts(options: readonly Node[] | undefined): boolean {
  const [last] = (options ?? [])
    .map((option) => asKind(option, 'DefElem'))
    .filter((option) => option?.defname?.toLowerCase() === 'costs')
    .toReversed();
  const given = stringOf(last?.arg);
  return given !== undefined && /^(?:off|false)$/iu.test(given);
}

const NOT_PLAIN: ReadonlySet<string> = new Set([
  'analyze',
  'serialize',
  'memory',
  'buffers',
  'wal',
  'timing',
]);

export function ofShow({ name = 'all' }: NodeOf<'VariableShowStmt'>, { collector }: StatementContext): Found {
  const isAll = name.toLowerCase() === 'all';
  const isPlain = reachOfReadSetting(isAll ? undefined : name) === 'harmless';
  const sources = isPlain ? [] : [collector.source({ kind: 'unknown', object: 'settings' })];
  collector.touch(sources);
  if (!isAll) return { outputs: textOutput(name, sources) };
  return {
    outputs: [...textOutput('name', []), ...textOutput('setting', sources), ...textOutput('description', [])],
  };
}

/** The caller's own code: it could read anything, and tell it by anything. */
export function ofDo(_do: NodeOf<'DoStmt'>, { collector }: StatementContext): Found {
  collector.oracle('opaque', [collector.source({ kind: 'unknown', object: 'DO' })]);
  return NO_ROWS;
}

/** A procedure's arguments come back as a row. */
export function ofCall({ funccall }: NodeOf<'CallStmt'>, context: StatementContext): Found {
  const { collector, queries } = context;
  const parts = stringsOf(funccall?.funcname) ?? [];
  if (parts.length === 0) throw new UnknownLineage('CallStmt');
  const routine = collector.source({ kind: 'unknown', object: parts.join('.') });
  for (const argument of funccall?.args ?? []) {
    collector.oracle('opaque', queries.lineageOfExpression(argument, undefined, context).sources);
  }
  if (!context.rules.routines.has(parts.join('.'))) collector.oracle('opaque', [routine]);
  collector.flow({
    sources: [routine],
    how: 'derived',
    to: { kind: 'temporary', relation: '*', column: '*' },
  });
  return { outputs: 'unknown' };
}

/** CREATE SCHEMA with what it makes inside. */
export function ofSchema({ schemaElts }: NodeOf<'CreateSchemaStmt'>, context: StatementContext): Found {
  for (const element of schemaElts ?? []) context.inner(element satisfies Node);
  return NO_ROWS;
}
