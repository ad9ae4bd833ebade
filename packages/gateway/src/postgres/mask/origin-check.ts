import type { ResultPlan } from '../../masking/plan.ts';
import type { Classification, ClassName } from '../../masking/rules.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { ColumnDescription } from '../wire/backend/row-description.ts';

/** What the description of an answer is held against. */
export interface OriginBasis {
  readonly catalog: Catalog | undefined;
  readonly classification: Classification | undefined;
  /** Whether values of the class leave as they are. */
  readonly letsOut: (name: ClassName) => boolean;
}

/**
 * Whether the server's own words about its columns (the table and number of those that are columns of a table) agree with the plan. They are found by the
 * server when it runs the statement, and the plan's by reading the text: two ways to one answer. Where the server says nothing (an expression), nothing is held
 * against the plan.
 */
export function agreesWithServer(
  plan: ResultPlan,
  described: readonly ColumnDescription[],
  basis: OriginBasis,
): boolean {
  const { columns, origins } = plan;
  if (columns === 'unknown')
    return plan.isFree && described.every((column) => isAsPlanned(column, undefined, false, basis));
  if (columns.length !== described.length) return false;
  return described.every((column, index) => {
    // What is masked whole is masked whatever it is; its transform is only given to what is known to be of the class.
    const action = columns[index]!;
    if (action.kind === 'mask' && isBlind(action.transform.kind)) return true;
    return isAsPlanned(column, origins[index], action.kind === 'mask', basis);
  });
}

/** Nothing of the value is left, whatever value it is. */
function isBlind(transform: string): boolean {
  return transform === 'redact' || transform === 'null';
}

function isAsPlanned(
  { tableOid, columnNumber }: ColumnDescription,
  origin: string | undefined,
  isMasked: boolean,
  { catalog, classification, letsOut }: OriginBasis,
): boolean {
  // System columns (negative) tell nothing of what was stored.
  if (tableOid === 0 || columnNumber < 0) return true;
  const relation = catalog?.relationByOid(tableOid);
  // A relation that the snapshot does not have: a temporary one, or one that is newer. Only the plan knows it.
  if (relation === undefined) return origin === undefined || isTemporary(origin);
  const column = relation.columns.find(({ number }) => number === columnNumber);
  if (column === undefined) return isMasked || relation.open === true;
  const told = `${relation.schema}.${relation.name}.${column.name}`;
  if (origin !== undefined) return origin === told || relation.open === true;
  if (isMasked) return true;
  const name = classification?.classOf(relation.schema, relation.name, column.name);
  return name === undefined || letsOut(name);
}

function isTemporary(origin: string): boolean {
  return origin.startsWith('pg_temp');
}
