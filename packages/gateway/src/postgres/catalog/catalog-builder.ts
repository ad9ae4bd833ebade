import { CountersignError } from '../../errors.ts';
import type { TextRow } from '../upstream/own-session.ts';
import type { CatalogQuery } from './catalog-queries.ts';
import type {
  CatalogCast,
  CatalogColumn,
  CatalogData,
  CatalogOperator,
  CatalogRelation,
  CatalogRoutine,
  CatalogRule,
  CatalogTrigger,
  CatalogType,
  RelationKind,
} from './catalog.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A relation whose parts still arrive. */
interface GrowingRelation extends Mutable<CatalogRelation> {
  columns: CatalogColumn[];
  expressions: { on: 'read' | 'write' | 'both'; text: string }[];
  children: number[];
  parents: number[];
  referencedBy: { relationOid: number; onDelete: string; onUpdate: string }[];
  foreignKeys: { relationOid: number; columns: string[]; referenced: string[] }[];
  uniqueColumns: string[];
  primaryKey?: string[];
  rules: CatalogRule[];
  triggers: CatalogTrigger[];
}

const RELATION_KINDS: Readonly<Record<string, RelationKind>> = {
  r: 'table',
  p: 'partitioned-table',
  v: 'view',
  m: 'materialized-view',
  f: 'foreign-table',
  S: 'sequence',
  i: 'index',
  I: 'index',
  c: 'composite-type',
  t: 'toast',
};
const RULE_EVENTS = { '1': 'select', '2': 'update', '3': 'insert', '4': 'delete' } as const;
const ROUTINE_KINDS = { f: 'function', p: 'procedure', a: 'aggregate', w: 'window' } as const;
const VOLATILITIES = { i: 'immutable', s: 'stable', v: 'volatile' } as const;
const TYPE_KINDS = {
  b: 'base',
  c: 'composite',
  d: 'domain',
  e: 'enum',
  r: 'range',
  m: 'multirange',
  p: 'pseudo',
} as const;
const CAST_CONTEXTS = { i: 'implicit', a: 'assignment', e: 'explicit' } as const;
const ENABLED = { O: 'O', D: 'D', R: 'R', A: 'A' } as const;
const MOMENTS = { read: 'read', write: 'write', both: 'both' } as const;

/** Bits of pg_trigger.tgtype (commands/trigger.h). */
const TRIGGER_BITS = [
  [4, 'insert'],
  [8, 'delete'],
  [16, 'update'],
  [32, 'truncate'],
] as const;

/** Puts the rows of `catalogText` together. Throws on a value that this version does not know: nothing is guessed. */
export class CatalogBuilder {
  readonly #relations = new Map<number, GrowingRelation>();
  readonly #types = new Map<number, Mutable<CatalogType>>();
  readonly #schemas: Mutable<CatalogData['schemas'][number]>[] = [];
  readonly #routines: CatalogRoutine[] = [];
  readonly #operators: CatalogOperator[] = [];
  readonly #casts: CatalogCast[] = [];
  readonly #eventTriggers: Mutable<CatalogData['eventTriggers'][number]>[] = [];
  readonly #extensions: string[] = [];
  /** Names repeat (`id`, `created_at`): one string each. */
  readonly #names = new Map<string, string>();
  #serverVersion = 0;
  #database = '';

  add(query: CatalogQuery, row: TextRow): void {
    switch (query) {
      case 'version':
        this.#serverVersion = number(row[0]);
        this.#database = text(row[1]);
        return;
      case 'schemas':
        this.#schemas.push({ name: this.#name(row[0]), owner: this.#name(row[1]) });
        return;
      case 'relations':
        this.#addRelation(row);
        return;
      case 'columns':
        this.#addColumn(row);
        return;
      case 'rules':
        this.#addRule(row);
        return;
      case 'triggers':
        this.#addTrigger(row);
        return;
      case 'expressions': {
        const relation = this.#relations.get(number(row[0]));
        relation?.expressions.push({ on: word(MOMENTS, row[1]), text: text(row[2]) });
        return;
      }
      case 'inheritance':
        this.#relations.get(number(row[0]))?.children.push(number(row[1]));
        this.#relations.get(number(row[1]))?.parents.push(number(row[0]));
        return;
      case 'foreignKeys':
        this.#addForeignKey(row);
        return;
      case 'uniqueColumns':
        this.#addUniqueColumn(row);
        return;
      case 'routines':
        this.#addRoutine(row);
        return;
      default:
        this.#addRest(query, row);
    }
  }

  #addRest(query: CatalogQuery, row: TextRow): void {
    switch (query) {
      case 'types':
        this.#addType(row);
        return;
      case 'typeExpressions': {
        const type = this.#types.get(number(row[0]));
        if (type !== undefined) type.expressions = [...(type.expressions ?? []), text(row[1])];
        return;
      }
      case 'operators':
        this.#operators.push({
          schema: this.#name(row[0]),
          name: this.#name(row[1]),
          leftTypeOid: number(row[2]),
          rightTypeOid: number(row[3]),
          routineOid: number(row[4]),
        });
        return;
      case 'casts':
        this.#casts.push({
          sourceTypeOid: number(row[0]),
          targetTypeOid: number(row[1]),
          routineOid: number(row[2]),
          context: word(CAST_CONTEXTS, row[3]),
        });
        return;
      case 'eventTriggers':
        this.#eventTriggers.push({
          name: text(row[0]),
          event: text(row[1]),
          routineOid: number(row[2]),
          enabled: word(ENABLED, row[3]),
        });
        return;
      case 'extensions':
        this.#extensions.push(text(row[0]));
        return;
      case 'classes':
        this.#addClasses(row);
        return;
      default:
        throw notUnderstood();
    }
  }

  finish(target: string, epoch: string): CatalogData {
    return {
      format: 1,
      target,
      database: this.#database,
      serverVersion: this.#serverVersion,
      epoch,
      schemas: this.#schemas,
      relations: [...this.#relations.values()],
      routines: this.#routines,
      types: [...this.#types.values()],
      operators: this.#operators,
      casts: this.#casts,
      eventTriggers: this.#eventTriggers,
      extensions: this.#extensions,
    };
  }

  #addRelation([oid, schema, name, kind, owner, rowSecurity, definition, invoker, indexOf]: TextRow): void {
    const relation: GrowingRelation = {
      oid: number(oid),
      schema: this.#name(schema),
      name: this.#name(name),
      kind: word(RELATION_KINDS, kind),
      owner: this.#name(owner),
      columns: [],
      securityInvoker: invoker === 't',
      rowSecurity: flag(rowSecurity),
      expressions: [],
      children: [],
      parents: [],
      referencedBy: [],
      foreignKeys: [],
      uniqueColumns: [],
      rules: [],
      triggers: [],
      ...(typeof definition === 'string' ? { definition } : {}),
      ...(typeof indexOf === 'string' ? { indexOf: number(indexOf) } : {}),
    };
    this.#relations.set(relation.oid, relation);
  }

  #addUniqueColumn([relationOid, , name, isOfKey]: TextRow): void {
    const relation = this.#relations.get(number(relationOid));
    if (relation === undefined) return;
    const column = this.#name(name);
    relation.uniqueColumns.push(column);
    if (flag(isOfKey)) relation.primaryKey = [...(relation.primaryKey ?? []), column];
  }

  #addForeignKey([parent, child, onDelete, onUpdate, columns, referenced]: TextRow): void {
    const to = number(parent);
    const from = number(child);
    this.#relations
      .get(to)
      ?.referencedBy.push({ relationOid: from, onDelete: text(onDelete), onUpdate: text(onUpdate) });
    const names = (each: typeof columns): string[] => list(each).map((name) => this.#name(name));
    this.#relations
      .get(from)
      ?.foreignKeys.push({ relationOid: to, columns: names(columns), referenced: names(referenced) });
  }

  #addColumn([relation, attnum, name, typeOid, notNull, generated, expression]: TextRow): void {
    this.#relations.get(number(relation))?.columns.push({
      name: this.#name(name),
      number: number(attnum),
      typeOid: number(typeOid),
      notNull: flag(notNull),
      generated: generated !== '',
      ...(typeof expression === 'string' ? { default: expression } : {}),
    });
  }

  /** After the columns. Those of temporary relations are not in the snapshot. */
  #addClasses([relation, attnum, from, words]: TextRow): void {
    const columns = this.#relations.get(number(relation))?.columns;
    const index = columns?.findIndex((column) => column.number === number(attnum)) ?? -1;
    const column = columns?.[index];
    if (columns === undefined || column === undefined) return;
    const key = word({ comment: 'classComments', label: 'classLabels' } as const, from);
    columns[index] = { ...column, [key]: [...(column[key] ?? []), ...list(words)] };
  }

  #addRule([relation, name, event, instead, definition]: TextRow): void {
    this.#relations.get(number(relation))?.rules.push({
      name: text(name),
      event: word(RULE_EVENTS, event),
      instead: flag(instead),
      definition: text(definition),
    });
  }

  #addTrigger([relation, name, type, routine, enabled, internal, definition]: TextRow): void {
    const bits = number(type);
    this.#relations.get(number(relation))?.triggers.push({
      name: text(name),
      events: TRIGGER_BITS.filter(([bit]) => (bits & bit) !== 0).map(([, event]) => event),
      routineOid: number(routine),
      enabled: word(ENABLED, enabled),
      internal: flag(internal),
      ...(typeof definition === 'string' ? { definition } : {}),
    });
  }

  #addRoutine(row: TextRow): void {
    const [oid, schema, name, kind, types, namesJson, modesJson, defaults, variadic] = row;
    const [returnsSet, returnType, language, volatility, definer, settingsJson, source, extension] =
      row.slice(9);
    const names = list(namesJson);
    const modes = list(modesJson);
    const isInput = (index: number): boolean => modes.length === 0 || /^[ibv]$/.test(modes[index] ?? '');
    const outputs = modes.filter((mode) => mode === 'o').length;
    const outputNames = names.filter((_, index) => /^[bot]$/.test(modes[index] ?? ''));
    this.#routines.push({
      oid: number(oid),
      schema: this.#name(schema),
      name: this.#name(name),
      kind: word(ROUTINE_KINDS, kind),
      argumentTypes: text(types)
        .split(' ')
        .filter((each) => each !== '')
        .map(number),
      argumentNames: names.filter((_, index) => isInput(index)).map((each) => this.#name(each)),
      ...(outputNames.length > 0 ? { outputNames: outputNames.map((each) => this.#name(each)) } : {}),
      defaults: number(defaults),
      variadic: flag(variadic),
      returnsSet: flag(returnsSet),
      returnTypeOid: number(returnType),
      language: this.#name(language),
      volatility: word(VOLATILITIES, volatility),
      securityDefiner: flag(definer),
      settings: list(settingsJson).map((setting) => setting.split('=', 1)[0] ?? ''),
      ...(kind === 'p' && outputs > 0 ? { outputArguments: outputs } : {}),
      ...(typeof source === 'string' ? { source } : {}),
      ...(typeof extension === 'string' ? { extension: this.#name(extension) } : {}),
    });
  }

  #addType([oid, schema, name, kind, element, length, base, relation, routines]: TextRow): void {
    const typeOid = number(oid);
    this.#types.set(typeOid, {
      oid: typeOid,
      schema: this.#name(schema),
      name: this.#name(name),
      kind: word(TYPE_KINDS, kind),
      routineOids: numbers(routines),
      // Types of a fixed length with elements (point, name) are not arrays.
      ...(element !== '0' && length === '-1' ? { arrayOf: number(element) } : {}),
      ...(base === '0' ? {} : { baseTypeOid: number(base) }),
      ...(relation === '0' ? {} : { relationOid: number(relation) }),
    });
  }

  #name(value: string | null | undefined): string {
    const found = text(value);
    const known = this.#names.get(found);
    if (known !== undefined) return known;
    this.#names.set(found, found);
    return found;
  }
}

function text(value: string | null | undefined): string {
  if (typeof value !== 'string') throw notUnderstood();
  return value;
}

function number(value: string | null | undefined): number {
  if (typeof value !== 'string' || !/^-?[0-9]{1,15}$/.test(value)) throw notUnderstood();
  return Number(value);
}

function flag(value: string | null | undefined): boolean {
  if (value !== 't' && value !== 'f') throw notUnderstood();
  return value === 't';
}

function word<T>(words: Readonly<Record<string, T>>, value: string | null | undefined): T {
  const found = Object.hasOwn(words, value ?? '') ? words[value ?? ''] : undefined;
  if (found === undefined) throw notUnderstood();
  return found;
}

/** A JSON array of strings; null is the empty one. */
function list(value: string | null | undefined): readonly string[] {
  if (value === null || value === undefined) return [];
  return (JSON.parse(value) as readonly (string | null)[]).map((each) => each ?? '');
}

const NO_NUMBERS: readonly number[] = Object.freeze([]);

function numbers(value: string | null | undefined): readonly number[] {
  return value === '[]' ? NO_NUMBERS : list(value).map((each) => Number(each));
}

function notUnderstood(): CountersignError {
  return new CountersignError('CS_CATALOG_UNAVAILABLE', { detail: 'a row of the catalog is not understood' });
}
