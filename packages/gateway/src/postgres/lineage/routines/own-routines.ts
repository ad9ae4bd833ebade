/** Routines that PostgreSQL did not bring: one SELECT in SQL is looked into, what the configuration declares is believed, and everything else is opaque. */
import type { CatalogRoutine } from '../../catalog/catalog.ts';
import { asKind } from '../../inspect/parse/tree.ts';
import type { Node } from '../../inspect/parse/tree.ts';
import { parseStatement } from '../../inspect/parse/parse-statement.ts';
import { CATALOG_NAMES, spendWork } from '../../inspect/query/analyze-query.ts';
import type { LineageCollector, LineageContext, NamedValue, RoutineCall, Value } from '../port.ts';
import { FREE_VALUE, derivedOf, freeOf, unionOf, unknownOf } from '../value.ts';
import { castOf } from './casts.ts';

/** SQL functions in SQL functions; views between them do not count. */
const MAX_INLINED = 8;

/** Of a short text, in `spendWork`'s units. */
const PARSE_WORK = 100;

const encoder = new TextEncoder();

export function ownRoutineOf(routine: CatalogRoutine, call: RoutineCall, context: LineageContext): Value {
  const declared = context.rules.routines.get(`${routine.schema}.${routine.name}`);
  if (declared === 'nothing') return FREE_VALUE;
  if (declared === 'arguments') return derivedOf(call.arguments, scalarType(routine));
  const body = bodyOf(routine, call, context);
  return body === undefined ? opaqueOf(routine, call, context) : inlinedOf(routine, body, call, context);
}

/** It may read anything, tell it apart by anything, and leave it in a temporary relation. */
export function opaqueOf(
  routine: CatalogRoutine,
  { arguments: given }: RoutineCall,
  context: LineageContext,
): Value {
  const { collector } = context;
  const object = `${routine.schema}.${routine.name}`;
  const source = collector.source({ kind: 'unknown', object });
  for (const value of given) collector.oracle('opaque', value.sources);
  if (routine.volatility === 'volatile' || routine.open === true) {
    // It may write what it reads to where anybody reads it.
    collector.oracle('opaque', [source]);
    collector.flow({
      sources: [source],
      how: 'derived',
      to: { kind: 'temporary', relation: '*', column: '*' },
    });
  }
  return unknownOf(unionOf([[source], ...given.map(({ sources }) => sources)]));
}

interface Body {
  readonly query: Node;
  /** Kept by the server as a tree: its names are what they were when it was made. */
  readonly isBound: boolean;
}

function bodyOf(
  routine: CatalogRoutine,
  call: RoutineCall,
  { open, inlined }: LineageContext,
): Body | undefined {
  const { language, kind, source, settings, variadic } = routine;
  if (language !== 'sql' || kind !== 'function' || source === undefined || routine.open === true)
    return undefined;
  if (settings.length > 0 || variadic || call.isVariadic) return undefined;
  if (open.includes(routine.oid) || (inlined !== undefined && open.length >= MAX_INLINED)) return undefined;
  if (hasUnknownNames(routine, call)) return undefined;
  return parseBody(source);
}

function hasUnknownNames({ argumentNames }: CatalogRoutine, { argumentNames: given }: RoutineCall): boolean {
  return given?.some((name) => name !== undefined && !argumentNames.includes(name)) === true;
}

const ATOMIC = /^\s*BEGIN\s+ATOMIC\b(.*)\bEND\s*;?\s*$/isu;
const RETURN = /^\s*RETURN\b(.*)$/isu;

function parseBody(source: string): Body | undefined {
  const atomic = ATOMIC.exec(source)?.[1];
  const returned = RETURN.exec(source)?.[1];
  const text = atomic ?? (returned === undefined ? source : `SELECT ${returned}`);
  spendWork(PARSE_WORK + text.length / 4);
  const outcome = parseStatement(encoder.encode(text));
  if (!('parsed' in outcome)) return undefined;
  const [statement, ...others] = outcome.parsed.statements;
  const select = asKind(statement?.node, 'SelectStmt');
  if (statement === undefined || others.length > 0 || select === undefined) return undefined;
  let leftmost = select;
  while (leftmost.larg !== undefined) leftmost = leftmost.larg;
  if (leftmost.intoClause !== undefined || select.intoClause !== undefined) return undefined;
  return { query: statement.node, isBound: atomic !== undefined || returned !== undefined };
}

function inlinedOf(routine: CatalogRoutine, body: Body, call: RoutineCall, context: LineageContext): Value {
  const names = body.isBound ? CATALOG_NAMES : context.sessionNames;
  // What its names mean may have changed since a view that calls it was made: its own conditions are no decision of the view's owner.
  const isLoose = context.isCatalogText && !body.isBound;
  const within: LineageContext = {
    ...context,
    names,
    query: { ...context.query, names },
    isCatalogText: context.isCatalogText && body.isBound,
    collector: isLoose ? insisting(context.collector) : context.collector,
    depth: context.depth + 1,
    open: [...context.open, routine.oid],
    inlined: {
      name: routine.name,
      names: routine.argumentNames,
      values: argumentsOf(routine, call, context),
    },
  };
  const { columns, isOpen, rest = [] } = context.queries.lineageOfQuery(body.query, undefined, within);
  if (isOpen) return unknownOf(unionOf([rest, ...columns.map(({ value }) => value.sources)]));
  return resultOf(routine, columns, context);
}

/** In the text of a view only some oracles count (`EventList`): here all do. */
function insisting(collector: LineageCollector): LineageCollector {
  return {
    source: (source) => collector.source(source),
    probe: (probe) => collector.probe(probe),
    oracle: (_, sources) => collector.oracle('comparison', sources),
    flow: (flow) => collector.flow(flow),
    write: (write) => collector.write(write),
    touch: (sources) => collector.touch(sources),
    constant: (text) => collector.constant(text),
    mark: () => collector.mark(),
    reset: (mark) => collector.reset(mark),
  };
}

/** Each parameter's value: cast to its type, as the server does. What is not given is the owner's default. */
function argumentsOf(routine: CatalogRoutine, call: RoutineCall, context: LineageContext): readonly Value[] {
  const { argumentTypes, argumentNames } = routine;
  const values: (Value | undefined)[] = argumentTypes.map(() => undefined);
  for (const [position, value] of call.arguments.entries()) {
    const name = call.argumentNames?.[position];
    values[name === undefined ? position : argumentNames.indexOf(name)] = value;
  }
  return argumentTypes.map((type, position) => {
    const value = values[position];
    if (value === undefined) return freeOf(type);
    return value.typeOid === undefined || isPolymorphic(type, context) ? value : castOf(value, type, context);
  });
}

const isPolymorphic = (oid: number, { catalog }: LineageContext): boolean =>
  catalog.typeByOid(oid)?.kind === 'pseudo';

/** One column is the result itself; several are the fields of a row, whose names are those of its type. */
function resultOf(
  { returnTypeOid, outputNames = [] }: CatalogRoutine,
  columns: readonly NamedValue[],
  context: LineageContext,
): Value {
  const { catalog } = context;
  const type = catalog.typeByOid(returnTypeOid);
  const relation = type?.relationOid === undefined ? undefined : catalog.relationByOid(type.relationOid);
  if (relation !== undefined) {
    const values = columns.length === 1 ? columns[0]!.value.fields : columns;
    const isLike =
      values !== undefined && relation.open !== true && values.length === relation.columns.length;
    const all = derivedOf(
      columns.map(({ value }) => value),
      returnTypeOid,
    );
    if (!isLike) return all;
    const fields = values.map(({ value }, at) => {
      const { name, typeOid } = relation.columns[at]!;
      return { name, value: returned(value, typeOid, context) };
    });
    return { ...all, fields };
  }
  const [only] = columns;
  if (only === undefined) return FREE_VALUE;
  if (columns.length > 1 || type === undefined || type.kind === 'pseudo') {
    const value = derivedOf(columns.map((column) => column.value));
    // What the types of OUT and TABLE columns make of it is not known, but which is which is.
    if (columns.length > 1 && columns.length === outputNames.length) {
      const fields = columns.map((column, at) => ({
        name: outputNames[at]!,
        value: derivedOf([column.value]),
      }));
      return { ...value, fields };
    }
    return columns.length > 1 ? value : { ...only.value, origin: undefined };
  }
  return returned(only.value, returnTypeOid, context);
}

/** The server tells no origin of what a function returns. */
function returned(value: Value, typeOid: number, context: LineageContext): Value {
  const result =
    value.typeOid === typeOid || value.typeOid === undefined ? value : castOf(value, typeOid, context);
  return { ...result, origin: undefined, typeOid };
}

const scalarType = ({ returnTypeOid, returnsSet }: CatalogRoutine): number | undefined =>
  returnsSet ? undefined : returnTypeOid;
