/** What the generator knows of the database: its relations with the kinds of their columns, from the catalog itself. */
import type { Catalog, CatalogRelation } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { ORACLE_SCHEMAS } from './schema.ts';

export type ValueKind = 'int' | 'num' | 'text' | 'bool' | 'time' | 'json' | 'other';

export const VALUE_KINDS: readonly ValueKind[] = ['int', 'num', 'text', 'bool', 'time', 'json'];

export interface Column {
  readonly name: string;
  readonly kind: ValueKind;
}

/** Something in FROM. */
export interface RangeItem {
  /** How its columns are qualified, as SQL. */
  readonly alias: string;
  readonly columns: readonly Column[];
  /** Whether the alias alone may stand for the whole row. */
  readonly hasRow: boolean;
}

export interface Relation {
  readonly relation: CatalogRelation;
  /** As written on the search path at hand. */
  readonly written: string;
  readonly columns: readonly Column[];
}

const KINDS: Readonly<Record<number, ValueKind>> = {
  16: 'bool',
  20: 'int',
  21: 'int',
  23: 'int',
  25: 'text',
  1043: 'text',
  1184: 'time',
  1700: 'num',
  3802: 'json',
};

export function quote(name: string): string {
  return /^[a-z_][a-z0-9_]*$/u.test(name) && name !== 'select' ? name : `"${name.replaceAll('"', '""')}"`;
}

export class World {
  readonly serverMajor: number;
  readonly readable: readonly CatalogRelation[];
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
    this.serverMajor = Math.floor(catalog.serverVersion / 10_000);
    this.readable = catalog.data.relations.filter(
      ({ kind, schema }) =>
        (ORACLE_SCHEMAS as readonly string[]).includes(schema) &&
        ['table', 'partitioned-table', 'view', 'materialized-view'].includes(kind),
    );
  }

  /** A relation of PostgreSQL's own, read as any other. */
  system(schema: string, name: string): CatalogRelation {
    const found = this.#catalog.relation(schema, name);
    if (found === undefined) throw new Error(`there is no ${schema}.${name}`);
    return found;
  }

  columnsOf(relation: CatalogRelation): readonly Column[] {
    return relation.columns.map(({ name, typeOid }) => ({ name, kind: this.#kindOf(typeOid) }));
  }

  /** Whether its bare name means it on this path. */
  isBare({ name, schema }: CatalogRelation, path: readonly string[]): boolean {
    return path.find((each) => this.#catalog.relation(each, name) !== undefined) === schema;
  }

  #kindOf(typeOid: number): ValueKind {
    const known = KINDS[typeOid];
    if (known !== undefined) return known;
    const type = this.#catalog.typeByOid(typeOid);
    return type?.kind === 'domain' && type.baseTypeOid !== undefined
      ? this.#kindOf(type.baseTypeOid)
      : 'other';
  }
}
