/** Queries as statements: SELECT INTO makes a table, and set_config changes the session from within a query. */
import type { Effect } from '../classify.ts';
import { asKind, stringsOf, walkNodes } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import { analyzeInto } from './create-relations.ts';
import type { StatementPort } from './port.ts';

export function analyzeSelect(select: NodeOf<'SelectStmt'>, port: StatementPort): Effect {
  const into = intoOf(select);
  port.query({ SelectStmt: select });
  noteSetConfig({ SelectStmt: select }, port);
  if (into === undefined) return 'read';
  port.eventTriggers();
  analyzeInto(into, port);
  return 'write';
}

/** INTO stands in the first, leftmost query of a set operation. */
function intoOf(select: NodeOf<'SelectStmt'>): NodeOf<'IntoClause'> | undefined {
  let leftmost = select;
  while (leftmost.larg !== undefined) leftmost = leftmost.larg;
  return leftmost.intoClause ?? select.intoClause;
}

export function analyzeWrite(node: Node, port: StatementPort): Effect {
  port.query(node);
  noteSetConfig(node, port);
  return 'write';
}

/** A change of search_path by set_config: to what, only when the call is all that the statement does. */
function noteSetConfig(root: Node, port: StatementPort): void {
  if (!port.takeSetConfig()) return;
  let isSeen = false;
  walkNodes(root, (kind, fields) => {
    if (kind !== 'FuncCall') return;
    const call = fields as NodeOf<'FuncCall'>;
    if (stringsOf(call.funcname)?.at(-1) !== 'set_config') return;
    isSeen = true;
    const [setting, value, local] = (call.args ?? []).map((argument) => constantOf(argument));
    if (typeof setting === 'string' && setting.toLowerCase() !== 'search_path') return;
    const isCertain =
      typeof setting === 'string' &&
      typeof value === 'string' &&
      typeof local === 'boolean' &&
      isOnlyCall(root, call);
    port.change({
      kind: 'search-path',
      value: isCertain ? splitPath(value) : undefined,
      local: isCertain && local,
    });
  });
  // A view of the catalog does it.
  if (!isSeen) port.change({ kind: 'search-path', value: undefined, local: false });
}

function constantOf(node: Node): string | boolean | undefined {
  const cast = asKind(node, 'TypeCast');
  const constant = asKind(cast?.arg ?? node, 'A_Const');
  if (constant?.sval !== undefined) return constant.sval.sval ?? '';
  return constant?.boolval === undefined ? undefined : constant.boolval.boolval === true;
}

/** `SELECT set_config(…)` and nothing else: it runs exactly once. */
function isOnlyCall(root: Node, call: NodeOf<'FuncCall'>): boolean {
  const select = asKind(root, 'SelectStmt');
  if (select?.targetList?.length !== 1) return false;
  const plain = new Set(['targetList', 'limitOption', 'op']);
  return (
    Object.keys(select).every((field) => plain.has(field)) &&
    asKind(asKind(select.targetList[0], 'ResTarget')?.val, 'FuncCall') === call
  );
}

/** SplitIdentifierString of varlena.c: names between commas, folded unless quoted. Undefined: the server takes it for an error. */
function splitPath(text: string): readonly string[] | undefined {
  if (text.trim() === '') return [];
  const names: string[] = [];
  const item = /\s*(?:"((?:[^"]|"")*)"|([^\s,"]+))\s*(,|$)/uy;
  for (;;) {
    const match = item.exec(text);
    if (match === null) return undefined;
    const [, quoted, plain, separator] = match;
    names.push(
      quoted === undefined
        ? plain!.replaceAll(/[A-Z]/gu, (letter) => letter.toLowerCase())
        : quoted.replaceAll('""', '"'),
    );
    if (separator === '') return names;
  }
}
