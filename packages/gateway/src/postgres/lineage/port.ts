/**
 * What the two halves of the lineage know of each other: `query/` follows values through queries and expressions, `routines/` knows what functions, operators,
 * casts and assignments do to them, `statement/` puts both to work. All of it is given in the context, so that neither half imports the other.
 */
import type { ClassifiedWrite, Flow, OracleReason, Probe, Source } from '../../masking/lineage.ts';
import type { Classification, MaskingRules } from '../../masking/rules.ts';
import type { Catalog, CatalogRelation } from '../catalog/catalog.ts';
import type { SessionNames } from '../inspect/meaning.ts';
import type { Node, NodeOf } from '../inspect/parse/tree.ts';
import type { QueryContext } from '../inspect/query/analyze-query.ts';

/** Thrown by every part, caught where the statement begins: its outputs are then unknown, and it is an oracle of everything that it names. */
export class UnknownLineage extends Error {}

/**
 * Values that the caller chose itself: constants, parameters, and what casts and the like make of one. Each counts against a budget when a regulated
 * value is compared with it.
 */
export interface Fixed {
  /** As written in the text. What is computed from several is one, by a text that is like no other expression's. */
  readonly constants: readonly string[];
  readonly parameters: readonly number[];
  /** Of the parameters, the ones that are arrays: set where the value is compared by ANY or ALL. */
  readonly arrays: readonly number[];
}

/**
 * A value at a place of a query: everything that it may be. `value.ts` makes and combines them. The result of a comparison has no sources: what it tells was told to
 * the collector when it was made (a probe, an oracle), and is free where that is permitted.
 */
export interface Value {
  /** Everything regulated that it carries, each once. Empty: nothing. */
  readonly sources: readonly Source[];
  /** `direct`: exactly one column as it is, or what is not regulated. */
  readonly how: 'direct' | 'derived';
  /**
   * `column`: one column's value, perhaps in another case or binary compatible type. `whole`: all of it, with constants around: as hard to guess. `part`: what can be
   * guessed bit by bit (its first letter, its length). Of a value without sources: `column`.
   */
  readonly form: 'column' | 'whole' | 'part';
  /** How many times as large it may be as what it is made of, or as many digits: what doubles itself over and over fails by what it began with. Default 1. */
  readonly size?: number | undefined;
  /** What the caller chose that it may be: alone (a constant), or else (`coalesce(c, 'x')`, a column of VALUES or of UNION). */
  readonly fixed?: Fixed | undefined;
  /** It may also be something that is neither regulated nor chosen: a column without class, a number of rows, the time, whatever a function makes of something. */
  readonly isOther: boolean;
  /** pg_type.oid, where it is known for sure. A constant without a type is 705 (unknown). */
  readonly typeOid?: number | undefined;
  /** Of a direct column: `schema.relation.column` as read, regulated or not. */
  readonly origin?: string | undefined;
  /** Of a row: its fields, where they are known. `sources` then has all of theirs. */
  readonly fields?: readonly NamedValue[] | undefined;
}

export interface NamedValue {
  readonly name: string;
  readonly value: Value;
}

/** What a query gives. */
export interface QueryColumns {
  readonly columns: readonly NamedValue[];
  /** There may be more or other columns than these: then nothing is known of their number, and each may carry what `rest` has. */
  readonly isOpen: boolean;
  readonly rest?: readonly Source[] | undefined;
}

/** Where everything that is found is put. Sources of everything put here are touched as well. */
export interface LineageCollector {
  /** The same source as the same object. */
  source(source: Source): Source;
  probe(probe: Probe): void;
  /** Nothing happens without sources. */
  oracle(reason: OracleReason, sources: readonly Source[]): void;
  /** Nothing happens without sources. */
  flow(flow: Flow): void;
  write(write: ClassifiedWrite): void;
  /** It is read somewhere, whatever becomes of it. */
  touch(sources: readonly Source[]): void;
  /** A text constant of the statement. */
  constant(text: string): void;
  /** For what is walked more than once (recursive queries): everything put since `mark` is forgotten by `reset`, touched sources aside. */
  mark(): number;
  reset(mark: number): void;
}

/** The body of an SQL function that is being looked into: what `$n`, a parameter's name or `function.name` mean in it. A column of that name comes first. */
export interface InlinedRoutine {
  readonly name: string;
  readonly names: readonly string[];
  readonly values: readonly Value[];
}

/** The scope of `query/`; nobody else looks into it. */
export interface LineageScope {
  readonly parent: LineageScope | undefined;
}

export interface LineageContext {
  readonly catalog: Catalog;
  readonly names: SessionNames;
  /** Those of the statement, also where `names` are the catalog's: the text of an SQL function is read with them. */
  readonly sessionNames: SessionNames;
  readonly classification: Classification;
  readonly rules: MaskingRules;
  readonly collector: LineageCollector;
  /** For the look-ups of `inspect/query` (findRelation, findRoutines, findType …): same catalog and names, with a collector that nobody reads. */
  readonly query: QueryContext;
  /** Inside of the catalog's own text (a view): its constants are not the caller's choice. */
  readonly isCatalogText: boolean;
  /** How many views and functions lie between the text and here. */
  readonly depth: number;
  /** Set inside of an SQL function. */
  readonly inlined?: InlinedRoutine | undefined;
  /** OIDs of the routines that are being looked into. */
  readonly open: readonly number[];
  readonly routines: RoutineLineage;
  readonly queries: QueryLineage;
}

/** A call as `query/` has read it: its arguments are values already, and whatever FILTER, ORDER BY and OVER tell was told to the collector by it. */
export interface RoutineCall {
  readonly parts: readonly string[];
  /** `f(*)` has none. WITHIN GROUP: those sorted by come last. */
  readonly arguments: readonly Value[];
  /** Names of named notation, by position. */
  readonly argumentNames?: readonly (string | undefined)[];
  /** Text of each argument that is a constant, by position; undefined: it is none. */
  readonly constants: readonly (string | undefined)[];
  readonly isStar: boolean;
  readonly isDistinct: boolean;
  readonly isVariadic: boolean;
  readonly isWithinGroup: boolean;
  readonly isWindow: boolean;
  /** The query level shows the minimum group size (HAVING count(*) >= n); of a call with OVER: false. */
  readonly showsGroup: boolean;
  /** It stands in FROM. */
  readonly isInFrom: boolean;
}

/** A column gets a value: INSERT, UPDATE, MERGE, COPY FROM. */
export interface Assignment {
  /** Undefined: of the session's own (`temporary`), or not known. */
  readonly relation: CatalogRelation | undefined;
  /** Name of a temporary relation that may be meant. */
  readonly temporary?: string | undefined;
  /** `*`: not known which; any of its columns. */
  readonly column: string;
  /** With `*` of a temporary relation: which one it is, from 0. */
  readonly position?: number | undefined;
  /** Undefined: DEFAULT, which is the owner's. */
  readonly value: Value | undefined;
  readonly verb: 'insert' | 'update';
}

export type Behaviour =
  /** The result carries what the operands carry, and nothing of it shows otherwise. @param form of the result, at best; `same` as the worst operand's. */
  | {
      readonly kind: 'total';
      readonly typeOid?: number | undefined;
      readonly form: 'same' | 'whole' | 'part';
    }
  /** `=`, `<>` and their kin. */
  | { readonly kind: 'equality' }
  /** With a regulated operand it is an oracle; the result is judged with it, and free then. */
  | { readonly kind: 'oracle'; readonly reason: OracleReason }
  /** Code that is not seen: with a regulated operand an oracle `opaque`; the result may be anything. `object`: for the unknown source. */
  | { readonly kind: 'unknown'; readonly object: string };

/** `routines/`. Each puts what it tells (probes, oracles, flows) into the collector and returns what the result carries. */
export interface RoutineLineage {
  /** Functions, aggregates and window functions. Of one that returns rows: `fields`. */
  routineOf(call: RoutineCall, context: LineageContext): Value;
  /**
   * What an operator does; whoever asks makes a value of it and tells the collector. @param left undefined: a prefix operator. ANY and IN give the value of the
   * array or of the elements.
   */
  operatorOf(
    parts: readonly string[],
    left: Value | undefined,
    right: Value,
    context: LineageContext,
  ): Behaviour;
  /** @param type as written, or its OID. */
  castOf(value: Value, type: NodeOf<'TypeName'> | number, context: LineageContext): Value;
  assign(assignment: Assignment, context: LineageContext): void;
  /**
   * ON CONFLICT, with the columns that it looks for (`*`: a constraint of unknown ones) and the values that were given to them; also of a plain INSERT or UPDATE, whose failure
   * tells as much: call it with every column written and its value, it finds out which are unique.
   */
  unique(
    relation: CatalogRelation | undefined,
    given: ReadonlyMap<string, Value>,
    columns: readonly string[] | '*',
    context: LineageContext,
  ): void;
}

/** `query/`. */
export interface QueryLineage {
  /** SELECT, VALUES, INSERT, UPDATE, DELETE, MERGE (the last four with their writes, by `assign` and `unique`, and their RETURNING). */
  lineageOfQuery(node: Node, scope: LineageScope | undefined, context: LineageContext): QueryColumns;
  lineageOfExpression(node: Node, scope: LineageScope | undefined, context: LineageContext): Value;
  /** A scope in which relations are known by names: of the expressions of an index, a check, a policy. */
  scopeOf(
    relations: readonly (readonly [name: string, relation: CatalogRelation])[],
    context: LineageContext,
  ): LineageScope;
  /** Everything regulated that a relation has, each column as it is read: of a view what it carries. For whole relations (COPY, LOCK). */
  columnsOf(relation: CatalogRelation, context: LineageContext): QueryColumns;
}
