import type { MaskingKeys } from '../keys.ts';
import type { ClassName, Transform } from '../rules.ts';
import { periodOfText } from './date-text.ts';
import { decimalText, floorToMultiple, parseDecimal } from './decimal.ts';
import { emailDomain } from './email-domain.ts';
import { formatPreservingOf } from './format-preserving.ts';
import { keepLast } from './keep-last.ts';
import { marksOf } from './marks.ts';

export interface TransformContext {
  readonly keys: MaskingKeys;
  /** Under which tokens and format-preserving values are the same for equal values: the id of the grant. */
  readonly scope: string;
}

/** `[ssn:xr…]`: what stands in place of a value of the class. See `marks.ts`. */
export function redactionText(className: ClassName, keys: MaskingKeys): string {
  return marksOf(keys).redaction(className);
}

/**
 * What takes the place of a text, or of a piece of one. Null: nothing does (transform `null`). What the transform cannot do to it is redacted; so is `detect`, which is not about
 * a value as a whole.
 */
export function transformText(
  text: string,
  transform: Transform,
  className: ClassName,
  context: TransformContext,
): string | null {
  if (transform.kind === 'null') return null;
  return transformed(text, transform, className, context) ?? redactionText(className, context.keys);
}

/** Undefined: the transform is a redaction, or cannot be done to this text. */
function transformed(
  text: string,
  transform: Transform,
  className: ClassName,
  { keys, scope }: TransformContext,
): string | undefined {
  switch (transform.kind) {
    case 'keep-last':
      return keepLast(text, transform.count);
    case 'email-domain':
      return emailDomain(text);
    case 'year':
      return periodOfText(text, 'year');
    case 'bucket':
      return typeof transform.size === 'number'
        ? bucketOfText(text, transform.size)
        : periodOfText(text, transform.size);
    case 'token':
      return marksOf(keys).token(className, scope, text);
    case 'fpe':
      return formatPreservingOf(keys).text(text, className, scope);
    case 'redact':
    case 'null':
    case 'detect':
      break;
  }
  return undefined;
}

function bucketOfText(text: string, size: number): string | undefined {
  const number = parseDecimal(text);
  const floor = number && floorToMultiple(number, size);
  return floor && decimalText(floor);
}
