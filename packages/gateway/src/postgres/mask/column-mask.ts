import type { MaskedCount, ResultPlan } from '../../masking/plan.ts';
import type { ClassName } from '../../masking/rules.ts';
import { REDACT_UNKNOWN } from './redact-unknown.ts';
import type { MaskingAction, Tally } from './tally.ts';
import { redaction } from './values/mask-value.ts';
import { authenticates } from './values/authenticates.ts';
import type { MaskValue, ValueContext, ValueType } from './value.ts';

/** What masks values, and who is told that a class has left masked. */
export interface Masking {
  readonly maskValue: MaskValue;
  readonly context: ValueContext;
  /** Rows with a masked column may be so long, bytes. */
  readonly maxRowBytes: number;
  /** Grant and policies let out whatever it is. */
  readonly letsOutEverything: boolean;
  /** `isAuthentic`: what took the place of the values says itself that it is none. */
  noteDelivered(name: ClassName, isAuthentic: boolean): void;
}

const TEXT_TYPES: ReadonlySet<number> = new Set([25, 1042, 1043, 19, 142, 114, 3802, 705]);
/** Arrays of these, and records. */
const TEXTS_INSIDE: ReadonlySet<number> = new Set([1009, 1014, 1015, 1003, 143, 199, 3807, 2249, 2287]);
/** Types from here on are not built in: their values may hold text. */
const FIRST_OWN_OID = 16_384;

/** One column of an answer that does not pass as it is. */
export class ColumnMask {
  readonly #action: MaskingAction;
  readonly #type: ValueType | undefined;
  readonly #count: MaskedCount;
  readonly #masking: Masking;
  /** As it was when the answer began: a catalog that becomes too old in the middle of it changes nothing, and nobody asks for its age at every value. */
  readonly #context: ValueContext;
  readonly #isAuthentic: boolean;
  /** What takes the place of every value; undefined: it depends on the value. */
  readonly #fixed: Buffer | null | undefined;
  /** 0: nothing was told; 1: that something authentic left; 2: that something else did. */
  #told = 0;

  /** @param type undefined: nothing is known of its values, not even how they are written: null takes their place. */
  constructor(action: MaskingAction, type: ValueType | undefined, count: MaskedCount, masking: Masking) {
    this.#action = action;
    this.#type = type;
    this.#count = count;
    this.#masking = masking;
    const { keys, scope, catalog, detection } = masking.context;
    this.#context = { keys, scope, catalog, ...(detection === undefined ? {} : { detection }) };
    this.#fixed = fixedOf(action, type, this.#context);
    this.#isAuthentic = type !== undefined && authenticates(action, type.typeOid, type.format, catalog);
  }

  /** What leaves in place of `buffer[start, end)`, a value that is not null: null, or bytes; undefined: it stays, nothing was found in it. */
  apply(buffer: Buffer, start: number, end: number): Buffer | null | undefined {
    let masked = this.#fixed;
    if (masked === undefined) {
      const value = buffer.subarray(start, end);
      masked = this.#masking.maskValue(value, this.#type!, this.#action, this.#context);
      if (masked === value) return undefined;
    }
    this.#count.count += 1;
    if (this.#told < 2) this.#tell(masked !== null && this.#isAuthentic);
    return masked;
  }

  #tell(isAuthentic: boolean): void {
    const level = isAuthentic ? 1 : 2;
    if (level <= this.#told) return;
    this.#told = level;
    this.#masking.noteDelivered(this.#count.class, isAuthentic);
  }
}

/** Looked up once for a column: for most answers it is all that masking does. */
function fixedOf(
  action: MaskingAction,
  type: ValueType | undefined,
  context: ValueContext,
): Buffer | null | undefined {
  if (type === undefined) return null;
  if (action.kind === 'detect') return undefined;
  if (action.transform.kind === 'null') return null;
  return action.transform.kind === 'redact' ? redaction(type, action.class, context) : undefined;
}

/** Whether detectors may find anything in values of the type. 0: not known. */
function mayHoldText(typeOid: number): boolean {
  const isText = TEXT_TYPES.has(typeOid) || TEXTS_INSIDE.has(typeOid);
  return typeOid === 0 || typeOid >= FIRST_OWN_OID || isText;
}

/**
 * A mask for each column that has one. @param types of the columns of the answer as the server told them; undefined: it told nothing but how many there are.
 * @param isTrusted false: what the plan says of columns does not fit this answer.
 */
export function columnMasks(
  plan: ResultPlan,
  types: readonly (ValueType | undefined)[],
  isTrusted: boolean,
  tally: Tally,
  masking: Masking,
): readonly (ColumnMask | undefined)[] {
  const { columns } = plan;
  const isKnown = columns !== 'unknown';
  const fits = isTrusted && (isKnown ? columns.length === types.length : plan.isFree);
  // Only where nothing regulated was read may what is not known pass.
  const mayPass = fits || masking.letsOutEverything;
  const otherwise = plan.otherwise.kind === 'pass' && !mayPass ? REDACT_UNKNOWN : plan.otherwise;
  return types.map((type, index) => {
    const action = fits && isKnown ? columns[index]! : otherwise;
    if (action.kind === 'pass') return undefined;
    if (action.kind === 'detect' && type !== undefined && !mayHoldText(type.typeOid)) return undefined;
    return new ColumnMask(action, type, tally.countOf(action, plan.origins[index]), masking);
  });
}
