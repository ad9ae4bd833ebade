import type { ClassName } from '../../masking/rules.ts';
import type { ClassifiedRelation } from './classification.ts';

/** Something that is doubtful in where classes come from. Never stops anything: what is doubtful is masked. */
export interface ClassificationWarning {
  /** As the record writes names: `schema.relation` or `schema.relation.column`. Of what is bound, not of values. */
  readonly object: readonly string[];
  readonly problem:
    | 'no-relation'
    | 'no-column'
    /** A comment or label that is written to us and not understood, or names a class that no rule has. */
    | 'unreadable'
    | 'unknown'
    /** Two places say different things: within comments and labels, or of a column of parent and child. */
    | 'conflict'
    /** A comment or label says something else than the configuration, which holds. */
    | 'overruled';
}

/** More of them tell nothing more. */
const MAX_WARNINGS = 1_000;

type Columns = Map<string, ClassName>;

/** Classes of columns while they are found. */
export class FoundClasses {
  readonly warnings: ClassificationWarning[] = [];
  readonly #relations = new Map<
    string,
    { readonly schema: string; readonly name: string; readonly columns: Columns }
  >();

  get relations(): IterableIterator<{
    readonly schema: string;
    readonly name: string;
    readonly columns: Columns;
  }> {
    return this.#relations.values();
  }

  get(schema: string, name: string, column: string): ClassName | undefined {
    return this.#relations.get(keyOf(schema, name))?.columns.get(column);
  }

  set(schema: string, name: string, column: string, classOfIt: ClassName): void {
    const key = keyOf(schema, name);
    let relation = this.#relations.get(key);
    if (relation === undefined) {
      relation = { schema, name, columns: new Map() };
      this.#relations.set(key, relation);
    }
    relation.columns.set(column, classOfIt);
  }

  warn(problem: ClassificationWarning['problem'], ...object: readonly string[]): void {
    if (this.warnings.length < MAX_WARNINGS) this.warnings.push({ object, problem });
  }

  sorted(): readonly ClassifiedRelation[] {
    return [...this.#relations]
      .toSorted(([one], [other]) => byText(one, other))
      .map(([, { schema, name, columns }]) => ({
        schema,
        name,
        columns: [...columns].toSorted(([one], [other]) => byText(one, other)),
      }));
  }
}

export function keyOf(schema: string, name: string): string {
  return `${schema}\0${name}`;
}

function byText(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
