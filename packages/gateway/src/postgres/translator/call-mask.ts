import { CountersignError } from '../../errors.ts';
import type { MaskPlan, ResultPlan, StatementPlan } from '../../masking/plan.ts';
import { agreesWithServer } from '../mask/origin-check.ts';
import { columnMasks } from '../mask/column-mask.ts';
import { CopyBinaryMask } from '../mask/copy-binary-mask.ts';
import { CopyGuard } from '../mask/copy-guard.ts';
import { WITHHOLD_ALL, type ColumnMasks, type CopyMask } from '../mask/copy-mask.ts';
import { copyFormatOf } from '../mask/copy-options.ts';
import { CopyTextMask } from '../mask/copy-text-mask.ts';
import { REDACT_UNKNOWN } from '../mask/redact-unknown.ts';
import { RowMask } from '../mask/row-mask.ts';
import { Tally } from '../mask/tally.ts';
import type { ValueType } from '../mask/value.ts';
import { asKind, type Node } from '../inspect/parse/tree.ts';
import { parseStatement } from '../inspect/parse/parse-statement.ts';
import { protocolViolation } from '../wire/violation.ts';
import type { CopyResponse } from '../wire/backend/copy-response.ts';
import { dataRowFieldCount } from '../wire/backend/data-row.ts';
import type { ColumnDescription } from '../wire/backend/row-description.ts';
import type { SessionMask } from './session-mask.ts';

/** CURSOR_OPT_HOLD: the cursor outlives its transaction. */
const HOLD = 0x20;
const BINARY = 1;

/** A statement that the plan does not have. */
const NOT_PLANNED: StatementPlan = {
  result: { columns: 'unknown', origins: [], otherwise: REDACT_UNKNOWN, isFree: false },
  isCopyOut: false,
  withholdMessages: true,
};

/** Carries the plan of one call out on its answer. There is one only where something may have to be masked. */
export class CallMask {
  readonly tally = new Tally();
  /** Its errors, notices and settings may carry something that is regulated. */
  readonly withholds: boolean;
  /** FETCH: the cursor whose rows it made. */
  readonly fetchesFrom: string | undefined;
  /** Of a COPY … FROM STDIN into classified columns. */
  readonly guard: CopyGuard | undefined;
  /** Code of the target runs beside other statements of its text: its cursors may be other ones than were declared. */
  isMixed = false;
  readonly #session: SessionMask;
  readonly #plan: MaskPlan;
  readonly #text: (() => string) | undefined;
  /** Digest of the classification that its plan was made for. */
  readonly #basis: string | undefined;
  /** Which statement of the text is answered. */
  #index = 0;
  #rows: RowMask | undefined;
  #copy: CopyMask | undefined;
  /** The server said that COPY data comes. */
  #isCopying = false;

  constructor(session: SessionMask, plan: MaskPlan, text: (() => string) | undefined) {
    this.#session = session;
    this.#plan = plan;
    this.#basis = session.digest;
    this.withholds = plan.statements.some(
      ({ withholdMessages, rowsOf, resultOf }) =>
        withholdMessages || rowsOf !== undefined || resultOf !== undefined,
    );
    this.fetchesFrom = plan.statements.length === 1 ? plan.statements[0]!.rowsOf : undefined;
    // What COPY and DECLARE say is read again when they are answered: the bytes of the message may be gone by then.
    const needsText = plan.statements.some(({ isCopyOut, declares }) => isCopyOut || declares !== undefined);
    const kept = needsText ? text?.() : undefined;
    this.#text = kept === undefined ? undefined : () => kept;
    const isGuarded = plan.statements.some(({ copyIn }) => copyIn?.some((column) => column !== undefined));
    this.guard = isGuarded ? new CopyGuard(session.context.keys) : undefined;
  }

  /** An Execute of it must be described first: its rows cannot be read without their types and formats. */
  get needsDescription(): boolean {
    const { result, isCopyOut, copyIn, rowsOf, resultOf } = this.#statement;
    if (isCopyOut || copyIn !== undefined) return false;
    return !result.isFree || rowsOf !== undefined || resultOf !== undefined;
  }

  /** Rows of the answer under way are looked at: they have to be whole. */
  get needsWholeRows(): boolean {
    return this.#rows === undefined || !this.#rows.isFree;
  }

  /** It is known what the rows of the answer under way are. */
  get isDescribed(): boolean {
    return this.#rows !== undefined;
  }

  /** COPY data of the answer under way is looked at. */
  get isCopyMasked(): boolean {
    return this.#copy !== undefined || !this.#isCopying;
  }

  /** The server says what the rows to come are. */
  describe(columns: readonly ColumnDescription[]): void {
    const plan = this.#result;
    // Rules can answer one statement by several results: only of the first is anything known.
    const isTrusted = this.#rows === undefined && agreesWithServer(plan, columns, this.#session.originBasis);
    this.#rows = new RowMask(this.#masks(plan, columns, isTrusted));
  }

  /**
   * A DataRow: written to the slab, which then ends with it. False: it leaves as it is.
   * @throws CountersignError CS_MASK_ROW_TOO_LONG
   */
  writeRow(buffer: Buffer, start: number, end: number): boolean {
    const rows = (this.#rows ??= this.#undescribed(dataRowFieldCount(buffer, start, end)));
    if (rows.isFree) {
      rows.assertFree(dataRowFieldCount(buffer, start, end));
      return false;
    }
    this.#assertFits(end - start);
    return rows.write(buffer, start, end, this.#session.slab);
  }

  #assertFits(bytes: number): void {
    const { maxRowBytes } = this.#session;
    if (bytes > maxRowBytes) {
      throw new CountersignError('CS_MASK_ROW_TOO_LONG', { detail: `The limit is ${maxRowBytes} bytes.` });
    }
  }

  /** The server is about to send COPY data. */
  startCopy({ format, columnFormats }: CopyResponse): void {
    const plan = this.#result;
    this.#isCopying = true;
    if (plan.isFree && this.#statement.isCopyOut) return;
    const { columns } = plan;
    const types = columnFormats.map((_, index): ValueType => {
      const action = columns === 'unknown' ? undefined : columns[index];
      return { typeOid: (action?.kind === 'mask' ? action.typeOid : undefined) ?? 0, format };
    });
    const masks = this.#masks(plan, types, columns !== 'unknown' && this.#statement.isCopyOut);
    this.#copy = this.#copyMask(format, masks);
  }

  #copyMask(format: number, masks: ColumnMasks): CopyMask {
    const { maxRowBytes } = this.#session;
    const copy = asKind(this.#node, 'CopyStmt');
    const options = copy === undefined ? undefined : copyFormatOf(copy);
    if (options === undefined || (options.kind === 'binary') !== (format === BINARY)) return WITHHOLD_ALL;
    if (options.kind === 'binary') return new CopyBinaryMask(masks, maxRowBytes);
    return new CopyTextMask(options, masks, maxRowBytes);
  }

  /** COPY data of the server: what leaves of it now. Undefined: it leaves as it is. @throws CountersignError CS_MASK_ROW_TOO_LONG */
  takeCopyData(data: Buffer): Buffer | undefined {
    if (!this.#isCopying) throw protocolViolation('CopyData outside of a COPY');
    return this.#copy?.take(data);
  }

  /** The result of a function, of whose type nothing is known. False: it leaves as it is; else null does. */
  hidesResult(): boolean {
    const [mask] = this.#masks(this.#result, [undefined], true);
    return mask?.apply(EMPTY, 0, 0) === null;
  }

  /** A statement of the text is answered. */
  onCompleted(): void {
    const { declares, cursor } = this.#statement;
    const { cursors } = this.#session;
    if (declares !== undefined) {
      if (cursor === undefined || this.isMixed) cursors.forget(declares);
      else cursors.open(declares, { plan: cursor, isHeld: this.#isHeld, basis: this.#basis });
    }
    this.#index += 1;
    this.#rows = undefined;
    this.#copy = undefined;
    this.#isCopying = false;
  }

  get #statement(): StatementPlan {
    return this.#plan.statements[this.#index] ?? NOT_PLANNED;
  }

  get #result(): ResultPlan {
    const { result, rowsOf, resultOf } = this.#statement;
    if (rowsOf !== undefined) {
      const opened = this.isMixed ? undefined : this.#session.cursors.find(rowsOf, this.#session.digest);
      return opened ?? { ...NOT_PLANNED.result, otherwise: result.otherwise };
    }
    return resultOf === undefined ? result : { ...NOT_PLANNED.result, otherwise: result.otherwise };
  }

  #masks(plan: ResultPlan, types: readonly (ValueType | undefined)[], isTrusted: boolean): ColumnMasks {
    return columnMasks(plan, types, isTrusted, this.tally, this.#session);
  }

  /** Nobody said what the rows are. They pass if nothing of them is regulated; else null stands for each value. */
  #undescribed(fields: number): RowMask {
    const plan = this.#result;
    const fits = plan.columns === 'unknown' || plan.columns.length === fields;
    if (plan.isFree && fits) return new RowMask([], false);
    const types = Array.from({ length: fields }, () => undefined);
    return new RowMask(this.#masks(plan, types, false));
  }

  /** The statement in the parser's words. */
  get #node(): Node | undefined {
    const text = this.#text?.();
    if (text === undefined) return undefined;
    const outcome = parseStatement(Buffer.from(text));
    return 'parsed' in outcome ? outcome.parsed.statements[this.#index]?.node : undefined;
  }

  get #isHeld(): boolean {
    const options = asKind(this.#node, 'DeclareCursorStmt')?.options ?? 0;
    return (options & HOLD) !== 0;
  }
}

const EMPTY = Buffer.alloc(0);
