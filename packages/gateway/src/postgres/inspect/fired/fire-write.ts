/**
 * What a write fires besides itself: triggers, rules, defaults and generated columns, check constraints, index expressions, foreign keys that
 * cascade. Routines are demanded (they run as the caller, or are named by nobody else); relations that rules and cascades touch are reached, on
 * their owner's authority.
 */
import type { CatalogColumn, CatalogRelation, CatalogRule } from '../../catalog/catalog.ts';
import { asKind } from '../parse/tree.ts';
import type { Node } from '../parse/tree.ts';
import {
  UnreadableStatement,
  analyzeExpression,
  analyzeQueryNode,
  foundInExpression,
  foundInPolicy,
  foundWithin,
  parseCatalogText,
  relationScope,
  spendWork,
} from '../query/analyze-query.ts';
import type { QueryContext, Scope, Write } from '../query/analyze-query.ts';

type WriteVerb = Write['verb'];

/** For `QueryContext.onWrite`. */
export function fireWrite(write: Write, context: QueryContext): void {
  const { relation, verb } = write;
  fireOn(relation, write, context);
  // Rows of a partitioned table are written to its partitions, whose triggers and checks run.
  const descendants = descendantsOf(relation, context);
  for (const descendant of descendants) fireOn(descendant, { ...write, relation: descendant }, context);
  if (verb === 'insert') return;
  const mayMove = verb === 'update' && relation.kind === 'partitioned-table';
  const seen = new Set<string>();
  for (const each of [relation, ...descendants]) {
    // A row that an update moves to another partition is deleted there and inserted here; until 15, foreign keys took it for deleted.
    if (mayMove) demandTriggers(each, ['insert', 'delete'], context);
    if (mayMove && context.catalog.serverVersion < 150_000) reachCascades(each, 'delete', context, seen);
    reachCascades(each, verb, context, seen);
  }
}

function fireOn(relation: CatalogRelation, write: Write, context: QueryContext): void {
  const { demands } = context;
  spendWork(4 + (relation.columns.length + relation.triggers.length + relation.expressions.length) / 8);
  demandTriggers(relation, [write.verb], context);
  for (const rule of relation.rules) {
    if (rule.event === write.verb) demands.include(foundInRule(rule, relation, context));
  }
  for (const { on, text } of relation.expressions) {
    // Of what is there, only policies run when a row goes; which texts are policies is not known.
    if (on !== 'read' && (write.verb !== 'delete' || relation.rowSecurity)) {
      demands.include(foundInPolicy(text, relation, context));
    }
  }
  if (write.verb === 'delete') return;
  for (const column of relation.columns) {
    if (column.default === undefined) continue;
    if (runsDefault(column, write)) demands.include(foundInExpression(column.default, relation, context));
  }
}

/** An INSERT makes the defaults of columns that get no value, or DEFAULT for one; generated columns are made anew by every write. */
function runsDefault(column: CatalogColumn, { verb, columns, defaulted }: Write): boolean {
  if (column.generated) return true;
  const isGiven = columns === '*' || columns.includes(column.name);
  // Which columns get DEFAULT in place of a value may not be known.
  const mayBeDefault = defaulted?.includes(column.name) ?? isGiven;
  return mayBeDefault || (verb === 'insert' && !(isGiven && columns !== '*'));
}

/**
 * What runs when the rows of a relation and its parts are made anew, looked through or indexed again, whichever of it really is.
 *
 * @param defaults those of columns that nobody generates run too.
 */
export function demandExpressions(relation: CatalogRelation, context: QueryContext, defaults = false): void {
  for (const each of [relation, ...descendantsOf(relation, context)]) {
    for (const { text } of each.expressions) context.demands.include(foundInExpression(text, each, context));
    for (const { generated, default: text } of each.columns) {
      if (text !== undefined && (generated || defaults)) {
        context.demands.include(foundInExpression(text, each, context));
      }
    }
  }
}

function descendantsOf(relation: CatalogRelation, { catalog }: QueryContext): readonly CatalogRelation[] {
  const all = new Set<CatalogRelation>();
  const pending = [...relation.children];
  for (let oid = pending.pop(); oid !== undefined; oid = pending.pop()) {
    const child = catalog.relationByOid(oid);
    if (child === undefined || all.has(child)) continue;
    all.add(child);
    pending.push(...child.children);
  }
  return [...all];
}

/** The routines of enabled triggers. Those of foreign keys are the server's own and reach nothing; until 14, those of a partition were internal too. */
export function demandTriggers(
  relation: CatalogRelation,
  events: readonly (WriteVerb | 'truncate')[],
  context: QueryContext,
): void {
  const via = `${relation.schema}.${relation.name}`;
  for (const trigger of relation.triggers) {
    if (!fires(trigger.enabled)) continue;
    if (!events.some((event) => trigger.events.includes(event))) continue;
    const routine = context.catalog.routineByOid(trigger.routineOid);
    if (routine === undefined) throw new UnreadableStatement('view-unreadable');
    context.demands.routine(routine, via);
    if (trigger.definition !== undefined) {
      context.demands.include(foundInCondition(trigger.definition, relation, context));
    }
    // A trigger's work is not in the text: what it does to the session is not known.
    context.demands.runsOwnCode ||= routine.oid >= FIRST_OWN_OID;
  }
}

const FIRST_OWN_OID = 16_384;

/** R fires on a replica, which a session can become by a setting; that setting is guarded, but nothing is lost by counting it. */
const fires = (enabled: string): boolean => enabled !== 'D';

/** WHEN of a trigger. */
function foundInCondition(
  definition: string,
  relation: CatalogRelation,
  context: QueryContext,
): ReturnType<typeof foundWithin> {
  const via = `${relation.schema}.${relation.name}`;
  return foundWithin(`trigger\0${via}\0${definition}`, via, context, (within) => {
    const condition = asKind(parseCatalogText(definition), 'CreateTrigStmt')?.whenClause;
    if (condition === undefined) throw new UnreadableStatement('view-unreadable');
    analyzeExpression(condition, oldAndNew(relation, within), within);
  });
}

const oldAndNew = (relation: CatalogRelation, context: QueryContext): Scope =>
  relationScope(
    [
      ['old', relation],
      ['new', relation],
    ],
    context,
  );

function foundInRule(
  rule: CatalogRule,
  relation: CatalogRelation,
  context: QueryContext,
): ReturnType<typeof foundWithin> {
  const via = `${relation.schema}.${relation.name}`;
  return foundWithin(`rule\0${via}\0${rule.definition}`, via, context, (within) => {
    const statement = asKind(parseCatalogText(rule.definition), 'RuleStmt');
    if (statement === undefined) throw new UnreadableStatement('view-unreadable');
    const scope = oldAndNew(relation, within);
    if (statement.whereClause !== undefined) analyzeExpression(statement.whereClause, scope, within);
    for (const action of statement.actions ?? []) analyzeRuleAction(action, scope, within);
  });
}

/** A rule may do NOTHING, NOTIFY, or any query. */
function analyzeRuleAction(action: Node, scope: Scope, context: QueryContext): void {
  if (asKind(action, 'NotifyStmt') !== undefined) context.demands.special('notify');
  else analyzeQueryNode(action, scope, context);
}

/** Rows of other tables that ON DELETE or ON UPDATE CASCADE (or SET NULL, SET DEFAULT) changes: the server does it as their owner. */
function reachCascades(
  relation: CatalogRelation,
  verb: 'update' | 'delete',
  context: QueryContext,
  seen: Set<string>,
): void {
  for (const { relationOid, onDelete, onUpdate } of relation.referencedBy ?? []) {
    const action = verb === 'delete' ? onDelete : onUpdate;
    const referencing = context.catalog.relationByOid(relationOid);
    if (!'cnd'.includes(action) || referencing === undefined) continue;
    const key = `${relationOid} ${verb} ${action}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const changed = verb === 'delete' && action === 'c' ? 'delete' : 'update';
    const via = `${relation.schema}.${relation.name}`;
    context.demands.relation(changed, referencing, { authority: 'owner', via });
    // Which columns the key has is not known; but only SET DEFAULT makes defaults.
    const columns = changed === 'delete' ? [] : ('*' as const);
    const write: Write = {
      relation: referencing,
      verb: changed,
      columns,
      ...(action !== 'd' && { defaulted: [] }),
    };
    for (const each of [referencing, ...descendantsOf(referencing, context)]) {
      fireOn(each, { ...write, relation: each }, context);
      reachCascades(each, changed, context, seen);
    }
  }
}
