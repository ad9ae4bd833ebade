/** What the statements need of the analysis of queries, and the collector that both write into. */
import type { RelationVerb, Special } from '../../../policy/access.ts';
import type { Catalog, CatalogRelation } from '../../catalog/catalog.ts';
import type { Effect } from '../classify.ts';
import type { Meaning, SessionChange, SessionNames, UnreadableReason } from '../meaning.ts';
import type { Node, NodeOf } from '../parse/tree.ts';

export type UnknownKind = Meaning['unknownNames'][number]['kind'];

/** One statement's collector with the query analysis behind it. `catalog` and `names` are as they are when this statement runs. */
export interface StatementPort {
  readonly catalog: Catalog;
  readonly names: SessionNames;
  demandRelation(verb: RelationVerb, relation: CatalogRelation, columns: readonly string[] | '*'): void;
  demandTemporary(verb: RelationVerb, name: string): void;
  demandSchema(schema: string, name?: string, via?: string): void;
  demandSpecial(special: Special): void;
  /** What TRUNCATE of the relation fires. */
  truncateTriggers(relation: CatalogRelation): void;
  reach(verb: RelationVerb, relation: CatalogRelation, via?: string): void;
  /** @param verb `ddl`: the statement would change or drop it. */
  unknownName(kind: UnknownKind, written: string, verb?: 'ddl'): void;
  /** Ends the analysis: the text as a whole cannot be judged. */
  unreadable(reason: UnreadableReason): never;
  /** A name was looked for along search_path. */
  usedSearchPath(): void;
  change(change: SessionChange): void;

  /** Whether set_config was called since this was last asked. What nobody asks about makes search_path unknown. */
  takeSetConfig(): boolean;
  /** SELECT, VALUES, INSERT, UPDATE, DELETE, MERGE. */
  query(node: Node): void;
  /** @param scope relations whose columns it may name, by the relation's own name. */
  expression(node: Node, scope?: readonly CatalogRelation[]): void;
  /** Every routine of that name that may be meant, whatever its kind. `count` undefined: with any number of arguments. */
  routineNamed(names: readonly string[], count?: number): void;
  type(type: NodeOf<'TypeName'>): void;
  /** What runs when the content of a view or materialized view is made. */
  viewContent(relation: CatalogRelation): void;
  /** Of a query that becomes a view: what could be written through it. */
  writesThrough(query: Node): void;
  /** What a view reads, and could write, as if the caller had just made it. */
  viewAsCaller(view: CatalogRelation): void;
  /** Checks, index and generated expressions of a relation and its parts; `defaults`: those of its columns too. */
  expressionsOf(relation: CatalogRelation, defaults?: boolean): void;

  /** What event triggers run when a definition is changed. Called for every statement of `DEFINITIONS`. */
  eventTriggers(): void;
  /** A statement inside of this one (EXPLAIN), judged as if it stood alone. */
  statement(node: Node): Effect;
  /** A statement that is planned and not run: the demands are the same. */
  plan(node: Node): Effect;
  /** Statements that run one after another on a path that begins with a schema (CREATE SCHEMA). */
  statementsIn(schema: string, nodes: readonly Node[]): void;
  /** PREPARE: the meaning of the inner statement is demanded, and kept under the name. */
  prepare(name: string, node: Node): void;
  /** EXECUTE. */
  execute(name: string): Effect;
}

/** What a statement does by itself; what it demands may make it more. */
export type StatementHandler<Fields> = (fields: Fields, port: StatementPort) => Effect;
