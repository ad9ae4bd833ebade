const MICROSECONDS = 1_000_000n;

const two = (value: bigint | number): string => value.toString().padStart(2, '0');

/** `04:05:06.789`, of microseconds since midnight. */
export function timeOfDayText(microseconds: bigint): string {
  const seconds = microseconds / MICROSECONDS;
  const clock = `${two(seconds / 3_600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`;
  return clock + fractionText(microseconds % MICROSECONDS);
}

function fractionText(microseconds: bigint): string {
  return microseconds === 0n ? '' : `.${microseconds.toString().padStart(6, '0').replace(/0+$/, '')}`;
}

/** `+05:30`. @param secondsWest as timetz_send tells it */
export function timeZoneText(secondsWest: number): string {
  const seconds = Math.abs(secondsWest);
  const parts = [two(Math.floor(seconds / 3_600)), two(Math.floor(seconds / 60) % 60), two(seconds % 60)];
  while (parts.length > 1 && parts.at(-1) === '00') parts.pop();
  return (secondsWest > 0 ? '-' : '+') + parts.join(':');
}

/** IntervalStyle `postgres`, the default: `1 year 2 mons -3 days +04:05:06`. A sign is told again where it changes (EncodeInterval). */
export function intervalText(microseconds: bigint, days: number, months: number): string {
  const units: [number, string][] = [
    [Math.trunc(months / 12), 'year'],
    [months % 12, 'mon'],
    [days, 'day'],
  ];
  const parts: string[] = [];
  let wasNegative = false;
  for (const [value, unit] of units) {
    if (value === 0) continue;
    const sign = wasNegative && value > 0 ? '+' : '';
    parts.push(`${sign}${value} ${unit}${value === 1 ? '' : 's'}`);
    wasNegative = value < 0;
  }
  if (microseconds !== 0n || parts.length === 0) {
    const sign = microseconds < 0n ? '-' : wasNegative ? '+' : '';
    parts.push(sign + timeOfDayText(microseconds < 0n ? -microseconds : microseconds));
  }
  return parts.join(' ');
}
