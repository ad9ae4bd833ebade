/** A finite decimal number: `digits / 10^scale`, exactly. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

/** Longer numbers (of either part) are not computed with: the time of big integers grows faster than their length. */
export const MAX_DECIMAL_DIGITS = 1_000;

const DECIMAL = /^\s*([+-]?)(\d+)(?:\.(\d*))?\s*$/;

/** Digits with or without a fraction; no exponent. Undefined: it is something else, or longer than `MAX_DECIMAL_DIGITS`. */
export function parseDecimal(text: string): Decimal | undefined {
  if (text.length > 2 * MAX_DECIMAL_DIGITS) return undefined;
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign, whole, fraction = ''] = match;
  if (whole!.length > MAX_DECIMAL_DIGITS || fraction.length > MAX_DECIMAL_DIGITS) return undefined;
  const magnitude = BigInt(whole! + fraction);
  return { digits: sign === '-' ? -magnitude : magnitude, scale: fraction.length };
}

/** As PostgreSQL writes numeric: `scale` digits behind the point. */
export function decimalText({ digits, scale }: Decimal): string {
  const magnitude = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, '0');
  const sign = digits < 0n ? '-' : '';
  if (scale === 0) return sign + magnitude;
  return `${sign}${magnitude.slice(0, -scale)}.${magnitude.slice(-scale)}`;
}

/** Down to a multiple of `size`, with the scale of the value where that can say it. Undefined: `size` is no positive finite number. */
export function floorToMultiple(value: Decimal, size: number): Decimal | undefined {
  const step = Number.isFinite(size) && size > 0 ? decimalOf(size) : undefined;
  if (step === undefined) return undefined;
  const scale = Math.max(value.scale, step.scale);
  const digits = value.digits * 10n ** BigInt(scale - value.scale);
  const unit = step.digits * 10n ** BigInt(scale - step.scale);
  const rest = digits % unit;
  return { digits: digits - rest - (rest < 0n ? unit : 0n), scale };
}

/** The decimal that a number is written as (0.1 is one tenth). */
function decimalOf(number: number): Decimal | undefined {
  const [mantissa, exponent = '0'] = String(number).split('e');
  const written = parseDecimal(mantissa!);
  if (written === undefined) return undefined;
  const scale = written.scale - Number(exponent);
  return scale >= 0
    ? { digits: written.digits, scale }
    : { digits: written.digits * 10n ** BigInt(-scale), scale: 0 };
}
