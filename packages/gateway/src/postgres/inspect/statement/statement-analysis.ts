/** One statement: its handler, the collector that it writes into, and the analysis of queries behind it. */
import type { Access, RelationVerb, Special } from '../../../policy/access.ts';
import type { Catalog, CatalogRelation } from '../../catalog/catalog.ts';
import { combineEffects } from '../classify.ts';
import type { Effect } from '../classify.ts';
import { demandExpressions, demandTriggers, fireWrite } from '../fired/fire-write.ts';
import type { SessionChange, SessionNames, UnreadableReason } from '../meaning.ts';
import { kindOf } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import { tellsValues } from '../routines/system-relations.ts';
import { handlerOf } from './handlers.ts';
import type { StatementPort, UnknownKind } from './port.ts';
import { demandWritesThrough } from './writable-views.ts';
import type { TextNames } from './text-names.ts';
import {
  BY_CALLER,
  CATALOG_NAMES,
  Demands,
  UnreadableStatement,
  analyzeExpression,
  analyzeQueryNode,
  foundWithin,
  parseCatalogText,
  relationScope,
  useRoutineNamed,
  useTypeName,
} from '../query/analyze-query.ts';
import type { Found, QueryContext } from '../query/analyze-query.ts';

/** What one statement turned out to do. */
export interface StatementFound extends Found {
  readonly effect: Effect;
  readonly changes: readonly SessionChange[];
  readonly executes: readonly string[];
}

/** @throws UnreadableStatement */
export function analyzeStatementNode(node: Node, names: TextNames): StatementFound {
  const analysis = new StatementAnalysis(names);
  const effect = analysis.statement(node);
  return analysis.finish(effect);
}

const ADMIN_SPECIALS: ReadonlySet<Special> = new Set(['admin', 'load']);

/** SQL that is put together at run time may change the session as any other. */
const isDynamic = (access: Access): boolean => access.kind === 'routine' && access.class === 'dynamic-sql';

/** Some columns of a system relation tell more than the others. */
function withColumnClass(access: Access): Access {
  const isStructure = access.kind === 'relation' && access.class === 'structure';
  return isStructure && tellsValues(access.name, access.columns) ? { ...access, class: 'values' } : access;
}

class StatementAnalysis implements StatementPort {
  readonly catalog: Catalog;
  readonly names: SessionNames;
  readonly #text: TextNames;
  readonly #demands: Demands;
  readonly #context: QueryContext;
  readonly #changes: SessionChange[] = [];
  readonly #executes: string[] = [];
  #isAdmin = false;
  #setsConfig = false;

  constructor(text: TextNames) {
    this.#text = text;
    this.catalog = text.catalog;
    this.names = text.names;
    this.#demands = new Demands(text.catalog);
    this.#context = {
      ...BY_CALLER,
      catalog: this.catalog,
      names: this.names,
      demands: this.#demands,
      depth: 0,
      onWrite: fireWrite,
      onSetConfig: () => {
        this.#setsConfig = true;
      },
    };
  }

  finish(ownEffect: Effect): StatementFound {
    const found = this.#demands.finish();
    if (this.#setsConfig) this.#changes.push({ kind: 'search-path', value: undefined, local: false });
    const isNoted = this.#changes.some(({ kind }) => kind === 'anything');
    const runsUnseen =
      found.runsOwnCode || found.demands.some((access) => isDynamic(access) || movesIdentity(access));
    if (runsUnseen && !isNoted) this.#changes.push({ kind: 'anything' });
    let effect = found.writes ? combineEffects(ownEffect, 'write') : ownEffect;
    if (this.#isAdmin) effect = 'admin';
    const demands = found.demands.map((access) => withColumnClass(access));
    return { ...found, demands, effect, changes: this.#changes, executes: this.#executes };
  }

  statement(node: Node): Effect {
    const handled = handlerOf(kindOf(node));
    if (handled === undefined) throw new UnreadableStatement('unknown-statement');
    if (handled.isDefinition) this.eventTriggers();
    const fields = (node as unknown as Readonly<Record<string, unknown>>)[kindOf(node)];
    return handled.analyze(fields, this);
  }

  plan(node: Node): Effect {
    const inner = analyzeStatementNode(node, this.#text);
    // Planning runs no volatile function, but what else an own one does, we do not see.
    this.#takeInner({ ...inner, effect: 'read', changes: [], writes: inner.runsOwnCode });
    return 'read';
  }

  statementsIn(schema: string, nodes: readonly Node[]): void {
    const inner = this.#text.startingIn(schema);
    for (const node of nodes) {
      const found = analyzeStatementNode(node, inner);
      inner.take(found, node);
      this.#takeInner(found);
    }
  }

  prepare(name: string, node: Node): void {
    const inner = analyzeStatementNode(node, this.#text);
    this.#takeInner({ ...inner, effect: 'read', changes: [], writes: false, runsOwnCode: false });
    this.#changes.push({ kind: 'prepare', name, inner: this.#text.meaningOf(node, inner) });
  }

  execute(name: string): Effect {
    const prepared = this.#text.prepared.get(name);
    if (prepared === undefined) {
      this.#executes.push(name);
      return 'write';
    }
    // Planned anew when names have moved since, so it is judged anew.
    const inner = analyzeStatementNode(prepared, this.#text);
    this.#takeInner(inner);
    return inner.effect;
  }

  #takeInner(found: StatementFound): void {
    this.#demands.include(found);
    this.#changes.push(...found.changes);
    this.#executes.push(...found.executes);
    if (found.effect === 'admin') this.#isAdmin = true;
  }

  eventTriggers(): void {
    for (const trigger of this.catalog.data.eventTriggers) {
      if (trigger.enabled === 'D' || trigger.event === 'login') continue;
      const routine = this.catalog.routineByOid(trigger.routineOid);
      if (routine === undefined) throw new UnreadableStatement('view-unreadable');
      this.#demands.routine(routine);
    }
  }

  demandRelation(verb: RelationVerb, relation: CatalogRelation, columns: readonly string[] | '*'): void {
    const use = this.#demands.relation(verb, relation);
    if (columns === '*') use.addAll();
    else for (const column of columns) use.add(column);
  }

  demandTemporary(verb: RelationVerb, name: string): void {
    this.#demands.usesSearchPath = true;
    this.#demands.relation(verb, name);
  }

  demandSchema(schema: string, name?: string, via?: string): void {
    this.#demands.usesCatalog = true;
    this.#demands.schema(schema, name, via);
  }

  demandSpecial(special: Special): void {
    if (ADMIN_SPECIALS.has(special)) this.#isAdmin = true;
    this.#demands.special(special);
  }

  truncateTriggers(relation: CatalogRelation): void {
    demandTriggers(relation, ['truncate'], this.#context);
  }

  reach(verb: RelationVerb, relation: CatalogRelation, via?: string): void {
    this.#demands.relation(verb, relation, { authority: 'owner', ...(via !== undefined && { via }) });
  }

  unknownName(kind: UnknownKind, written: string, verb?: 'ddl'): void {
    this.#demands.unknownName(kind, written, verb);
  }

  unreadable(reason: UnreadableReason): never {
    throw new UnreadableStatement(reason);
  }

  takeSetConfig(): boolean {
    const isSet = this.#setsConfig;
    this.#setsConfig = false;
    return isSet;
  }

  usedSearchPath(): void {
    this.#demands.usesSearchPath = true;
  }

  change(change: SessionChange): void {
    this.#changes.push(change);
  }

  query(node: Node): void {
    analyzeQueryNode(node, undefined, this.#context);
  }

  expression(node: Node, scope: readonly CatalogRelation[] = []): void {
    const named = scope.map((relation): readonly [string, CatalogRelation] => [relation.name, relation]);
    analyzeExpression(node, relationScope(named, this.#context), this.#context);
  }

  routineNamed(names: readonly string[], count?: number): void {
    useRoutineNamed(names, count, this.#context);
  }

  type(type: NodeOf<'TypeName'>): void {
    useTypeName(type, this.#context);
  }

  viewAsCaller({ definition }: CatalogRelation): void {
    if (definition === undefined) throw new UnreadableStatement('view-unreadable');
    const context = { ...this.#context, names: CATALOG_NAMES };
    const query = parseCatalogText(definition);
    analyzeQueryNode(query, undefined, context);
    demandWritesThrough(query, context);
  }

  writesThrough(query: Node): void {
    demandWritesThrough(query, this.#context);
  }

  expressionsOf(relation: CatalogRelation, defaults = false): void {
    demandExpressions(relation, this.#context, defaults);
  }

  viewContent(relation: CatalogRelation): void {
    const { definition } = relation;
    if (definition === undefined) return;
    const via = `${relation.schema}.${relation.name}`;
    const found = foundWithin(`content\0${via}`, via, this.#context, (within) => {
      analyzeQueryNode(parseCatalogText(definition), undefined, within);
    });
    this.#demands.include(found);
  }
}

/** set_config of the role: names are looked for as another user from then on. */
function movesIdentity(access: Access): boolean {
  if (access.kind !== 'routine') return false;
  return access.class === 'set-role' || access.class === 'set-session-authorization';
}
