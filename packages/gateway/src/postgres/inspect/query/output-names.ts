/** What the server calls a column of a query that is given no name (FigureColname of parse_target.c). */
import { asKind, kindOf, stringOf } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';

const NO_NAME = '?column?';

/** How sure a name is: a weak one gives way to that of a cast or CASE around it. */
interface Name {
  readonly name: string;
  readonly isWeak: boolean;
}

const strong = (name: string): Name => ({ name, isWeak: false });
const weak = (name: string): Name => ({ name, isWeak: true });

const FIXED: Readonly<Record<string, string>> = {
  GroupingFunc: 'grouping',
  MergeSupportFunc: 'merge_action',
  A_ArrayExpr: 'array',
  RowExpr: 'row',
  CoalesceExpr: 'coalesce',
  XmlSerialize: 'xmlserialize',
  JsonParseExpr: 'json',
  JsonScalarExpr: 'json_scalar',
  JsonSerializeExpr: 'json_serialize',
  JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array',
  JsonArrayQueryConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonArrayAgg: 'json_arrayagg',
};

/** What the only column of a subquery in an expression is called; `expression.ts` notes it as it analyses the subquery. */
const sublinkNames = new WeakMap<object, string>();

export function noteSubLinkName(link: NodeOf<'SubLink'>, name: string): void {
  sublinkNames.set(link, name);
}

/** @param node an expression that has been analysed. */
export function columnNameOf(node: Node): string {
  return nameOf(node)?.name ?? NO_NAME;
}

function nameOf(node: Node | undefined): Name | undefined {
  if (node === undefined) return undefined;
  const kind = kindOf(node);
  const fixed = FIXED[kind];
  if (fixed !== undefined) return strong(fixed);
  switch (kind) {
    case 'ColumnRef':
      return lastString(asKind(node, 'ColumnRef')!.fields);
    case 'A_Indirection': {
      const { arg, indirection } = asKind(node, 'A_Indirection')!;
      return lastString(indirection) ?? nameOf(arg);
    }
    case 'FuncCall':
      return lastString(asKind(node, 'FuncCall')!.funcname);
    case 'A_Expr':
      return asKind(node, 'A_Expr')!.kind === 'AEXPR_NULLIF' ? strong('nullif') : undefined;
    case 'TypeCast':
      return nameOfCast(asKind(node, 'TypeCast')!);
    case 'CollateClause':
      return nameOf(asKind(node, 'CollateClause')!.arg);
    case 'CaseExpr': {
      const name = nameOf(asKind(node, 'CaseExpr')!.defresult);
      return name === undefined || name.isWeak ? weak('case') : name;
    }
    case 'SubLink':
      return nameOfSubLink(asKind(node, 'SubLink')!);
    default:
      return nameByOperation(node);
  }
}

function nameByOperation(node: Node): Name | undefined {
  const extreme = asKind(node, 'MinMaxExpr');
  if (extreme !== undefined) return strong(extreme.op === 'IS_LEAST' ? 'least' : 'greatest');
  const value = asKind(node, 'SQLValueFunction');
  if (value !== undefined) {
    const name = (value.op ?? '').replace(/^SVFOP_/u, '').replace(/_N$/u, '');
    return strong(name.toLowerCase());
  }
  const xml = asKind(node, 'XmlExpr');
  if (xml !== undefined) {
    return xml.op === 'IS_DOCUMENT' ? undefined : strong((xml.op ?? '').replace(/^IS_/u, '').toLowerCase());
  }
  const json = asKind(node, 'JsonFuncExpr');
  return json === undefined ? undefined : strong((json.op ?? '').replace(/_OP$/u, '').toLowerCase());
}

function nameOfCast({ arg, typeName }: NodeOf<'TypeCast'>): Name | undefined {
  const name = nameOf(arg);
  if (name !== undefined && !name.isWeak) return name;
  const type = stringOf(typeName?.names?.at(-1));
  return type === undefined ? name : weak(type);
}

function nameOfSubLink(link: NodeOf<'SubLink'>): Name | undefined {
  switch (link.subLinkType) {
    case 'EXISTS_SUBLINK':
      return strong('exists');
    case 'ARRAY_SUBLINK':
      return strong('array');
    case 'EXPR_SUBLINK':
      return strong(sublinkNames.get(link) ?? NO_NAME);
    default:
      return undefined;
  }
}

function lastString(nodes: readonly Node[] | undefined): Name | undefined {
  const strings = (nodes ?? []).map(stringOf).filter((string) => string !== undefined);
  const last = strings.at(-1);
  return last === undefined ? undefined : strong(last);
}
