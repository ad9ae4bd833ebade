/** CREATE FUNCTION: what a body tells whenever it is called, and what it is called by already. */
import type { Source } from '../../../masking/lineage.ts';
import { asKind, stringOf, stringsOf } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import { parseStatement } from '../../inspect/parse/parse-statement.ts';
import { findRoutines, findType } from '../../inspect/query/analyze-query.ts';
import { EventList } from '../query/event-list.ts';
import type { LineageContext, Value } from '../port.ts';
import { FREE_VALUE, parameterOf, unionOf } from '../value.ts';
import { NO_ROWS } from './port.ts';
import type { Found, StatementContext } from './port.ts';
import { listOf, restOfQuery } from './sources.ts';
import { runsCode } from './temporary-tables.ts';

type Create = NodeOf<'CreateFunctionStmt'>;

/**
 * A body of one SELECT is looked into when it is called, and judged now as if it were: a view may call it whose conditions nobody asks about any more. Any other could
 * read regulated values and put them where nobody looks for them, without being seen: so it is not made by somebody who may not see them.
 */
export function ofFunction(create: Create, context: StatementContext): Found {
  const { collector } = context;
  const name = (stringsOf(create.funcname) ?? []).join('.');
  const body = bodyOf(create);
  const isOpaque = body === undefined || defaultsOf(create).some((node) => runsCode(node, context));
  if (isOpaque) collector.oracle('opaque', [collector.source({ kind: 'unknown', object: name })]);
  if (body === undefined) return NO_ROWS;
  const made = sourcesOfBody(body, create, context);
  if (create.replace === true) tellReplaced(create, made, context);
  return NO_ROWS;
}

/** What is made of it (views, defaults, rows of materialized views) was judged by what it gave. */
function tellReplaced(create: Create, made: readonly Source[], context: StatementContext): void {
  const before = findRoutines(stringsOf(create.funcname) ?? [], context.query).filter(
    ({ oid }) => oid >= FIRST_OWN_OID,
  );
  if (before.length === 0) return;
  const apart: LineageContext = { ...context, collector: new EventList() };
  const old = before.map(
    (routine) =>
      context.routines.routineOf(
        {
          parts: [routine.schema, routine.name],
          arguments: routine.argumentTypes.map(() => FREE_VALUE),
          constants: routine.argumentTypes.map(() => undefined),
          isStar: false,
          isDistinct: false,
          isVariadic: false,
          isWithinGroup: false,
          isWindow: false,
          showsGroup: false,
          isInFrom: false,
        },
        apart,
      ).sources,
  );
  context.collector.flow({
    sources: unionOf([made, ...old]),
    how: 'derived',
    to: { kind: 'sink', what: 'routine' },
  });
}

const FIRST_OWN_OID = 16_384;

/** What it gives; what it tells is told. Its arguments are the caller's choice. */
function sourcesOfBody(body: Node, create: Create, context: StatementContext): readonly Source[] {
  const parameters = inputsOf(create);
  const values = parameters.map(({ argType }, at): Value => {
    const type = findType(stringsOf(argType?.names) ?? [], context.query);
    return parameterOf(at + 1, type === 'temporary' ? undefined : type?.oid);
  });
  const within: LineageContext = {
    ...context,
    depth: context.depth + 1,
    inlined: {
      name: stringsOf(create.funcname)?.at(-1) ?? '',
      names: parameters.map(({ name = '' }) => name),
      values,
    },
  };
  const query = context.queries.lineageOfQuery(body, undefined, within);
  const sources = restOfQuery(query);
  context.collector.touch(sources);
  return sources;
}

const OUTPUTS: ReadonlySet<string | undefined> = new Set(['FUNC_PARAM_OUT', 'FUNC_PARAM_TABLE']);

const inputsOf = ({ parameters = [] }: Create): readonly NodeOf<'FunctionParameter'>[] =>
  parameters.flatMap((node) => {
    const parameter = asKind(node, 'FunctionParameter');
    return parameter === undefined || OUTPUTS.has(parameter.mode) ? [] : [parameter];
  });

const defaultsOf = (create: Create): readonly Node[] =>
  inputsOf(create).flatMap(({ defexpr }) => (defexpr === undefined ? [] : [defexpr]));

/** The SELECT that it is. Undefined: it is anything else. */
function bodyOf({ sql_body: body, options, is_procedure: isProcedure }: Create): Node | undefined {
  if (isProcedure === true) return undefined;
  const settings = new Map(
    (options ?? []).map((node) => {
      const option = asKind(node, 'DefElem');
      return [option?.defname ?? '', option?.arg] as const;
    }),
  );
  if (settings.has('set')) return undefined;
  if (body !== undefined) {
    const returned = asKind(body, 'ReturnStmt')?.returnval;
    if (returned !== undefined) return { SelectStmt: { targetList: [{ ResTarget: { val: returned } }] } };
    const [only, ...others] = listOf(listOf(body)[0]);
    return others.length === 0 ? plainSelect(only) : undefined;
  }
  if (stringOf(settings.get('language'))?.toLowerCase() !== 'sql') return undefined;
  const [text] = listOf(settings.get('as'));
  const outcome = parseStatement(new TextEncoder().encode(stringOf(text) ?? ''));
  if (!('parsed' in outcome)) return undefined;
  const [only, ...others] = outcome.parsed.statements;
  return others.length === 0 ? plainSelect(only?.node) : undefined;
}

function plainSelect(node: Node | undefined): Node | undefined {
  const select = asKind(node, 'SelectStmt');
  return select === undefined || select.intoClause !== undefined ? undefined : node;
}
