/** How names move while the statements of one text run, as far as the text shows it. What it does not show is unknown, not assumed. */
import type { Catalog } from '../../catalog/catalog.ts';
import { CatalogOverlay } from '../../catalog/catalog-overlay.ts';
import type { MovedObject } from '../../catalog/catalog-overlay.ts';
import type { Meaning, SessionChange, SessionNames } from '../meaning.ts';
import { asKind } from '../parse/tree.ts';
import type { Node } from '../parse/tree.ts';
import type { StatementFound } from './statement-analysis.ts';
import { isTemporarySchema } from './object-names.ts';
import { kindOfStatement } from './statement-kind.ts';
import { spendWork } from '../query/analyze-query.ts';

const isOwnSchema = (schema: string): boolean => schema !== 'pg_catalog' && !isTemporarySchema(schema);

let overlays = 0;

export class TextNames {
  catalog: Catalog;
  names: SessionNames;
  /** What this text has prepared. */
  readonly prepared = new Map<string, Node>();
  readonly #base: Catalog;
  readonly #moved: MovedObject[] = [];
  readonly #movedKeys = new Set<string>();

  constructor(catalog: Catalog, names: SessionNames) {
    this.#base = catalog;
    this.catalog = catalog;
    this.names = names;
  }

  /** For the elements of CREATE SCHEMA. */
  startingIn(schema: string): TextNames {
    const path = this.names.searchPath;
    const inner = new TextNames(this.#base, {
      ...this.names,
      searchPath: path === undefined ? [schema] : [schema, ...path.filter((other) => other !== schema)],
    });
    inner.#move([...this.#moved, { schema }]);
    return inner;
  }

  /** `node` has run: what the next statement finds. */
  take(found: StatementFound, node: Node): void {
    const moved: MovedObject[] = [];
    for (const access of found.demands) {
      if (access.kind !== 'schema') continue;
      moved.push({ schema: access.schema, ...(access.name !== undefined && { name: access.name }) });
    }
    this.#move(moved);
    for (const change of found.changes) this.#apply(change);
    const prepare = asKind(node, 'PrepareStmt');
    if (prepare?.query !== undefined) this.prepared.set(prepare.name ?? '', prepare.query);
  }

  #move(moved: readonly MovedObject[]): void {
    const isNew = ({ schema, name }: MovedObject): boolean => {
      const key = `${schema}\0${name ?? ''}\0${String(name === undefined)}`;
      return !this.#movedKeys.has(key) && this.#movedKeys.add(key) !== undefined;
    };
    const added = moved.filter((object) => isNew(object));
    if (added.length === 0) return;
    this.#moved.push(...added);
    spendWork(this.#moved.length / 2);
    overlays++;
    this.catalog = new CatalogOverlay(this.#base, this.#moved, `${this.#base.epoch}+text${overlays}`);
  }

  #apply(change: SessionChange): void {
    switch (change.kind) {
      case 'search-path':
        this.names = { ...this.names, searchPath: this.#effectivePath(change.value) };
        break;
      case 'temporary':
        this.names = { ...this.names, temporary: this.#temporaryWith(change.names) };
        break;
      case 'transaction':
        // Its end takes back what SET, or SET LOCAL, did before this text.
        if (change.verb !== 'begin' && change.verb !== 'savepoint' && change.verb !== 'release') {
          this.names = { ...this.names, searchPath: undefined };
        }
        break;
      case 'deallocate':
        if (change.name === undefined) this.prepared.clear();
        else this.prepared.delete(change.name);
        break;
      case 'anything':
        this.names = { searchPath: undefined, temporary: '*' };
        break;
      default:
      // Names of dropped temporary relations stay: it is a superset.
    }
  }

  #temporaryWith(names: readonly string[] | '*'): ReadonlySet<string> | '*' {
    const { temporary } = this.names;
    return names === '*' || temporary === '*' ? '*' : new Set([...temporary, ...names]);
  }

  /**
   * The path that a setting gives. The server leaves out schemas that do not exist or may not be used; of several we do not know which ones
   * may, so only a path of one schema is certain.
   */
  #effectivePath(value: readonly string[] | 'default' | undefined): readonly string[] | undefined {
    if (value === undefined || value === 'default' || value.includes('$user')) return undefined;
    const existing = value.filter((schema) => !isOwnSchema(schema) || this.catalog.hasSchema(schema));
    return existing.filter((schema) => isOwnSchema(schema)).length > 1 ? undefined : existing;
  }

  /** Of a statement by itself, for PREPARE. */
  meaningOf(node: Node, found: StatementFound): Meaning {
    return meaningOfStatement(kindOfStatement(node), found);
  }
}

export function meaningOfStatement(kind: Meaning['kind'], found: StatementFound): Meaning {
  const { effect, demands, reaches, unknownNames, executes, usesSearchPath, usesCatalog, changes } = found;
  return {
    kind,
    effect,
    statements: 1,
    demands,
    reaches,
    unknownNames,
    ...(executes.length > 0 && { executes }),
    usesSearchPath,
    usesCatalog,
    changes,
  };
}
