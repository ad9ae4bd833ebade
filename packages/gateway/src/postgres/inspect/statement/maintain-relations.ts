/** LOCK, VACUUM, ANALYZE, CLUSTER, REINDEX. */
import type { CatalogRelation } from '../../catalog/catalog.ts';
import type { Effect } from '../classify.ts';
import { asKind } from '../parse/tree.ts';
import type { NodeOf } from '../parse/tree.ts';
import { findObject, rangeName } from './object-names.ts';
import type { StatementPort } from './port.ts';

/** `maintain` of what a name means, and of its partitions and children, which the statement goes down to. Index expressions run. */
function demandMaintain(
  range: NodeOf<'RangeVar'> | undefined,
  port: StatementPort,
  runsExpressions = true,
): void {
  if (range === undefined) {
    port.unreadable('unknown-statement');
    return;
  }
  const name = rangeName(range);
  const found = findObject(port, name, 'relation');
  if (found.mayBeTemporary) port.demandTemporary('maintain', name.name);
  const relation = found.schema === undefined ? undefined : port.catalog.relation(found.schema, name.name);
  if (relation === undefined) {
    if (!found.mayBeTemporary) port.unknownName('relation', name.name);
    return;
  }
  port.demandRelation('maintain', relation, []);
  reachChildren(relation, port);
  const table = relation.indexOf === undefined ? relation : port.catalog.relationByOid(relation.indexOf);
  if (table !== undefined && runsExpressions) port.expressionsOf(table);
}

function reachChildren(relation: CatalogRelation, port: StatementPort): void {
  const seen = new Set<CatalogRelation>([relation]);
  for (const parent of seen) {
    for (const oid of parent.children) {
      const child = port.catalog.relationByOid(oid);
      if (child === undefined || seen.has(child)) continue;
      port.reach('maintain', child, `${parent.schema}.${parent.name}`);
      seen.add(child);
    }
  }
}

/** A lock of a view locks what it reads, as the view's owner. */
export function analyzeLock(lock: NodeOf<'LockStmt'>, port: StatementPort): Effect {
  for (const node of lock.relations ?? []) demandMaintain(asKind(node, 'RangeVar'), port, false);
  return 'write';
}

/** Without tables they are about the whole database. Index expressions run in all of them. */
export function analyzeVacuum(vacuum: NodeOf<'VacuumStmt'>, port: StatementPort): Effect {
  if (vacuum.rels === undefined || vacuum.rels.length === 0) {
    port.demandSpecial('admin');
    return 'admin';
  }
  for (const node of vacuum.rels) demandMaintain(asKind(node, 'VacuumRelation')?.relation, port);
  return 'write';
}

export function analyzeCluster(cluster: NodeOf<'ClusterStmt'>, port: StatementPort): Effect {
  if (cluster.relation === undefined) {
    port.demandSpecial('admin');
    return 'admin';
  }
  demandMaintain(cluster.relation, port);
  return 'write';
}

export function analyzeReindex(reindex: NodeOf<'ReindexStmt'>, port: StatementPort): Effect {
  switch (reindex.kind) {
    case 'REINDEX_OBJECT_INDEX':
    case 'REINDEX_OBJECT_TABLE':
      demandMaintain(reindex.relation, port);
      return 'write';
    default:
      // A schema, the system catalogs, a database.
      port.demandSpecial('admin');
      return 'admin';
  }
}
