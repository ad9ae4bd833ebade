/** Holds an answer through the gateway against the one that the server gives directly: the same, but for regulated cells, which are exactly what their transform makes of them. */
import { deriveMaskingKeys } from '../../packages/gateway/src/masking/derive-keys.ts';
import { defaultRules } from '../../packages/gateway/src/config/masking-section.ts';
import type { ColumnAction } from '../../packages/gateway/src/masking/plan.ts';
import type { ValueContext } from '../../packages/gateway/src/postgres/mask/value.ts';
import { maskValue } from '../../packages/gateway/src/postgres/mask/values/mask-value.ts';
import { createDetectors } from '../../packages/gateway/src/masking/detectors/detectors.ts';
import { copiedFields } from './copied-fields.ts';
import type { Case } from './case.ts';
import type { Answer, Column, Result } from './speaker.ts';

export const SECRET = 'a secret of thirty-two bytes or more, for these tests';
/** The grant's id: tokens and format-preserving values depend on it. */
export const GRANT = 'tests';

const RULES = defaultRules();
const DETECTORS = createDetectors();
const CONTEXT: ValueContext = {
  keys: deriveMaskingKeys(Buffer.from(SECRET)),
  scope: GRANT,
  catalog: undefined,
  detection: {
    find: (text) => DETECTORS.find(text),
    findInBytes: (bytes) => DETECTORS.findInBytes(bytes),
    transformOf: (name) => RULES.classes.get(name)?.transform ?? { kind: 'redact' },
  },
};

const TEXT = 25;
const DATE = 1082;

/** Class of a column of a table or view as it is, by `oid.number`. */
export type ClassifiedColumns = ReadonlyMap<string, string>;

/** `class` or `class!`. */
function actionOf(written: string): Exclude<ColumnAction, { kind: 'pass' }> {
  const name = written.replace('!', '');
  const transform = RULES.classes.get(name)?.transform;
  if (transform === undefined) throw new Error(`there is no class ${name}`);
  return {
    kind: 'mask',
    class: name,
    object: '',
    transform: written.endsWith('!') ? { kind: 'redact' } : transform,
  };
}

export interface Comparison {
  /** What is different and must not be. */
  readonly differences: readonly string[];
  readonly maskedCells: number;
  readonly cells: number;
}

export class Comparer {
  readonly #classified: ClassifiedColumns;

  readonly #lastOid: number;

  /** `lastOid`: of the relations that both copies have had from the beginning. */
  constructor(classified: ClassifiedColumns, lastOid: number) {
    this.#classified = classified;
    this.#lastOid = lastOid;
  }

  /** What the client is told of columns; a relation that was made on the way has another OID in each copy. */
  #shapeOf(columns: readonly Column[]): string {
    return JSON.stringify(
      columns.map((column) => (column.tableOid > this.#lastOid ? { ...column, tableOid: 'new' } : column)),
    );
  }

  compare(each: Pick<Case, 'masked' | 'copied'>, direct: Answer, through: Answer): Comparison {
    const differences: string[] = [];
    const counts = { cells: 0, maskedCells: 0 };
    if (direct.error?.code !== through.error?.code) {
      differences.push(`error ${told(direct)} became ${told(through)}`);
    } else if (direct.results.length !== through.results.length) {
      differences.push(`${direct.results.length} results became ${through.results.length}`);
    } else {
      for (const [index, result] of direct.results.entries())
        differences.push(...this.#compareResult(each, result, through.results[index]!, counts));
    }
    return { differences, ...counts };
  }

  #compareResult(
    each: Pick<Case, 'masked' | 'copied'>,
    direct: Result,
    through: Result,
    counts: { cells: number; maskedCells: number },
  ): string[] {
    if (direct.tag !== through.tag) return [`tag ${direct.tag} became ${through.tag}`];
    const [shape, other] = [this.#shapeOf(direct.columns), this.#shapeOf(through.columns)];
    if (shape !== other) return [`columns ${shape} became ${other}`];
    if (direct.rows.length !== through.rows.length)
      return [`${direct.rows.length} rows became ${through.rows.length}`];
    const differences: string[] = [];
    const names = each.copied ?? [];
    const [copied, ours] = [copiedFields(direct.copied), copiedFields(through.copied)];
    if (copied.length !== ours.length) return [`${copied.length} lines became ${ours.length}`];
    const check = (name: string, actual: Buffer | null, value: Buffer | null, how: ColumnHow): void => {
      counts.cells += 1;
      const action = how.written === undefined ? undefined : actionOf(how.written);
      const wanted = value === null || action === undefined ? value : maskValue(value, how, action, CONTEXT);
      if (action !== undefined && value !== null) counts.maskedCells += 1;
      if (!isSame(actual, wanted) && differences.length < 3)
        differences.push(`${name}: ${show(value)} became ${show(actual)}, not ${show(wanted)}`);
    };
    for (const [at, row] of direct.rows.entries()) {
      for (const [index, value] of row.entries()) {
        const column = direct.columns[index]!;
        check(column.name, through.rows[at]![index] ?? null, value, this.#howOf(each, column));
      }
    }
    for (const [at, line] of copied.entries()) {
      for (const [index, value] of line.entries()) {
        const name = names[index] ?? '';
        const written = each.masked[name];
        const typeOid = written === 'dob' || written === 'dob!' ? DATE : TEXT;
        check(name, ours[at]![index] ?? null, value, { written, typeOid, format: 0 });
      }
    }
    return differences;
  }

  #howOf(each: Pick<Case, 'masked'>, { name, tableOid, columnNumber, typeOid, format }: Column): ColumnHow {
    const written = each.masked[name] ?? this.#classified.get(`${tableOid}.${columnNumber}`);
    return { written, typeOid, format };
  }
}

interface ColumnHow {
  readonly written: string | undefined;
  readonly typeOid: number;
  readonly format: number;
}

const isSame = (a: Buffer | null, b: Buffer | null): boolean =>
  a === null || b === null ? a === b : a.equals(b);

const show = (value: Buffer | null): string =>
  value === null ? 'null' : JSON.stringify(value.toString('latin1').slice(0, 80));

export const told = ({ error }: Answer): string =>
  error === undefined ? 'none' : `${error.code} ${error.message} ${error.detail.replaceAll('\n', ' ')}`;
