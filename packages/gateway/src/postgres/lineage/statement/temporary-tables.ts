/** Tables of the session's own: what their columns take without fail, and what is evaluated when rows are written to them. */
import type { Source } from '../../../masking/lineage.ts';
import type { CatalogType } from '../../catalog/catalog.ts';
import { stringsOf, walkNodes } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import { findRoutines, findType } from '../../inspect/query/analyze-query.ts';
import type { StatementContext } from './port.ts';
import { WITHOUT_LENGTH } from './queries.ts';
import { foundOf } from './sources.ts';

export const UNKNOWN_DEFAULT: Source = { kind: 'unknown', object: 'a default of a temporary relation' };

export function toTemporary(
  sources: readonly Source[],
  relation: string,
  column: string,
  { collector }: StatementContext,
): void {
  collector.flow({ sources, how: 'derived', to: { kind: 'temporary', relation, column } });
}

/** What looks at the values of a row that is written: checks, keys, generated columns. */
export function hasChecks(node: Node): boolean {
  let found = false;
  walkNodes(node, (kind, fields) => {
    if (kind !== 'Constraint') return;
    const { contype = '' } = fields as NodeOf<'Constraint'>;
    if (!HARMLESS.has(contype)) found = true;
  });
  return found;
}

const HARMLESS: ReadonlySet<string> = new Set(
  'NULL NOTNULL DEFAULT IDENTITY ATTR_DEFERRABLE ATTR_NOT_DEFERRABLE ATTR_DEFERRED ATTR_IMMEDIATE'
    .split(' ')
    .map((name) => `CONSTR_${name}`),
);

/** From here on nobody who may not see a regulated value writes one to it. */
export const asStrict = (relation: string, { collector }: StatementContext): void =>
  collector.flow({
    sources: [],
    how: 'derived',
    to: { kind: 'temporary', relation, column: '*', defines: 'strict' },
  });

export function ofTemporaryColumn(
  column: NodeOf<'ColumnDef'>,
  relation: string,
  context: StatementContext,
): void {
  const { colname = '', typeName } = column;
  const parts = stringsOf(typeName?.names) ?? [];
  const found = SERIAL.test(parts.at(-1) ?? '') ? undefined : findType(parts, context.query);
  const type = found === 'temporary' ? undefined : found;
  const isScalar = (typeName?.arrayBounds ?? []).length === 0;
  const isOneOf = type !== undefined && type.oid < FIRST_OWN_OID && type.oid !== BPCHAR && isScalar;
  const takesAll = isOneOf && (typeName?.typmods ?? []).length === 0;
  // A default that runs own code may be of anything later.
  const isUnknown = runsCode({ ColumnDef: column }, context) || hasDefault(type);
  const sources: readonly Source[] = isUnknown ? [UNKNOWN_DEFAULT] : [];
  context.collector.flow({
    sources,
    how: 'derived',
    to: {
      kind: 'temporary',
      relation,
      column: colname,
      defines: 'column',
      typeOid: takesAll ? type.oid : undefined,
    },
  });
}

const FIRST_OWN_OID = 16_384;
/** Without a length, `char` has one. */
const BPCHAR = 1042;

const SERIAL = /^(?:small|big)?serial[248]?$/u;

/** A domain can have one, which calls something. */
const hasDefault = (type: CatalogType | undefined): boolean =>
  type?.open === true ||
  (type?.kind === 'domain' && type.expressions?.some((text) => text.includes('(')) === true);

/** A call of what is not PostgreSQL's own. */
export function runsCode(node: Node, { query }: StatementContext): boolean {
  let found = false;
  walkNodes(node, (kind, fields) => {
    if (kind !== 'FuncCall') return;
    const routines = findRoutines(stringsOf((fields as NodeOf<'FuncCall'>).funcname) ?? [], query);
    if (routines.length === 0 || routines.some(({ oid }) => oid >= FIRST_OWN_OID)) found = true;
  });
  return found;
}

const LIKE_NOTHING = 0;
/** CREATE_TABLE_LIKE_COMMENTS, _COMPRESSION, _IDENTITY, _STATISTICS and _STORAGE. */
const LIKE_HARMLESS = 1 | 2 | 16 | 64 | 128;

/** LIKE takes the types of another relation, and, if that is asked for, its checks, keys, defaults and generated columns. */
export function likeTemporary(
  { relation: range, options = LIKE_NOTHING }: NodeOf<'TableLikeClause'>,
  name: string,
  context: StatementContext,
): void {
  if ((options & ~LIKE_HARMLESS) !== 0) asStrict(name, context);
  const relation = range === undefined ? undefined : foundOf(range, context).relation;
  if (relation === undefined || relation.open === true) {
    toTemporary([], name, '*', context);
    return;
  }
  for (const { name: column, typeOid } of relation.columns) {
    const to = { kind: 'temporary', relation: name, column, defines: 'column' } as const;
    const like = `${relation.schema}.${relation.name}.${column}`;
    const plain = WITHOUT_LENGTH.has(typeOid) ? typeOid : undefined;
    context.collector.flow({ sources: [], how: 'direct', to: { ...to, typeOid: plain, like } });
  }
}
