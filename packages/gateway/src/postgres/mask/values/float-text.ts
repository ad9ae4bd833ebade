/** float4out and float8out with `extra_float_digits` 1, the default since 12: the shortest digits that read back the same; an exponent where the number has more digits than the type keeps. */
export function floatText(value: number, bytes: 4 | 8): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa, exponentText] = shortest(Math.abs(value), bytes).split('e');
  const digits = mantissa!.replace('.', '');
  const exponent = Number(exponentText);
  const sign = value < 0 ? '-' : '';
  if (exponent < -4 || exponent >= (bytes === 4 ? 6 : 15)) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const written = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${written}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const fraction = digits.slice(exponent + 1);
  return sign + whole + (fraction === '' ? '' : `.${fraction}`);
}

const FLOAT4_DIGITS = 9;

function shortest(value: number, bytes: 4 | 8): string {
  if (bytes === 8) return value.toExponential();
  for (let digits = 0; digits < FLOAT4_DIGITS; digits += 1) {
    const text = value.toExponential(digits);
    if (Math.fround(Number(text)) === value) return text;
  }
  return value.toExponential(FLOAT4_DIGITS - 1);
}
