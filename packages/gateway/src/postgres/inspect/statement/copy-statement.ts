/** COPY: what it does to a table is what SELECT or INSERT of the same columns would do; files and programs are specials. */
import type { Effect } from '../classify.ts';
import { asKind, stringsOf } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import { relationInDefinition } from './definitions.ts';
import { findObject, findRelation, rangeName } from './object-names.ts';
import type { StatementPort } from './port.ts';

export function analyzeCopy(copy: NodeOf<'CopyStmt'>, port: StatementPort): Effect {
  if (copy.is_program === true) port.demandSpecial('copy-program');
  else if (copy.filename !== undefined) port.demandSpecial('copy-file');
  const isFrom = copy.is_from === true;
  if (copy.query !== undefined) {
    port.query(copy.query);
  } else if (copy.relation === undefined) {
    port.unreadable('unknown-statement');
  } else {
    const columns = columnsOf(copy, copy.relation, isFrom, port);
    port.query(
      isFrom ? insertInto(copy.relation, columns, valueOf(copy)) : selectFrom(copy.relation, columns),
    );
    if (copy.whereClause !== undefined) analyzeCondition(copy.relation, copy.whereClause, port);
  }
  return isFrom ? 'write' : 'read';
}

/** As listed; else all of the table's, generated ones aside. Undefined: not known. */
function columnsOf(
  copy: NodeOf<'CopyStmt'>,
  range: NodeOf<'RangeVar'>,
  isFrom: boolean,
  port: StatementPort,
): readonly string[] | undefined {
  if (copy.attlist !== undefined) return stringsOf(copy.attlist);
  const found = findObject(port, rangeName(range), 'relation');
  if (found.mayBeTemporary || found.schema === undefined) return undefined;
  const relation = port.catalog.relation(found.schema, range.relname ?? '');
  if (relation === undefined || relation.open === true) return undefined;
  const columns = relation.columns.filter((column) => !column.generated);
  return isFrom && columns.length === 0 ? undefined : columns.map(({ name }) => name);
}

const columnRef = (name: string): Node => ({ ColumnRef: { fields: [{ String: { sval: name } }] } });

const STAR: Node = { ColumnRef: { fields: [{ A_Star: {} }] } };

const selectFrom = (range: NodeOf<'RangeVar'>, columns: readonly string[] | undefined): Node => ({
  SelectStmt: {
    targetList: (columns === undefined ? [STAR] : columns.map((name) => columnRef(name))).map((val) => ({
      ResTarget: { val },
    })),
    fromClause: [{ RangeVar: range }],
    limitOption: 'LIMIT_OPTION_DEFAULT',
    op: 'SETOP_NONE',
  },
});

/** The condition sees the rows that come in, which are the caller's own; it may hold functions and subqueries. */
function analyzeCondition(range: NodeOf<'RangeVar'>, where: Node, port: StatementPort): void {
  const name = rangeName(range);
  port.expression(where, [findRelation(port, name) ?? relationInDefinition(name.name)]);
}

/** The option DEFAULT names a text that stands for the column's default. */
function valueOf(copy: NodeOf<'CopyStmt'>): (index: number) => Node {
  const mayBeDefault = (copy.options ?? []).some(
    (option) => asKind(option, 'DefElem')?.defname?.toLowerCase() === 'default',
  );
  return mayBeDefault ? () => ({ SetToDefault: {} }) : (index) => ({ ParamRef: { number: index + 1 } });
}

/** As many values as columns, so that defaults are those of the columns left out. */
function insertInto(
  range: NodeOf<'RangeVar'>,
  columns: readonly string[] | undefined,
  value: (index: number) => Node,
): Node {
  const named = columns?.map((name) => ({ ResTarget: { name } }));
  const values = (columns ?? ['']).map((_, index) => value(index));
  return {
    InsertStmt: {
      relation: range,
      ...(named === undefined ? {} : { cols: named }),
      selectStmt: {
        SelectStmt: {
          valuesLists: [{ List: { items: values } }],
          limitOption: 'LIMIT_OPTION_DEFAULT',
          op: 'SETOP_NONE',
        },
      },
      override: 'OVERRIDING_NOT_SET',
    },
  };
}
