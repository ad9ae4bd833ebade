/**
 * Durations and sizes as people write them in the configuration: `500ms`, `2s`, `15m`, `8h`, `7d`; `64KiB`, `256MiB`, `1GiB`.
 *
 * A number without a unit is not accepted: `timeout: 2` would be read as 2 ms by one person and as 2 s by another.
 */

const MILLISECONDS_PER_UNIT: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 1_024,
  MiB: 1_048_576,
  GiB: 1_073_741_824,
};

export const DURATION_PATTERN = /^(\d{1,9})(ms|s|m|h|d)$/;
export const SIZE_PATTERN = /^(\d{1,9})(B|KiB|MiB|GiB)$/;

/** Milliseconds, or `undefined` when the text is not a duration. */
export function parseDuration(text: string): number | undefined {
  return parseWithUnit(text, DURATION_PATTERN, MILLISECONDS_PER_UNIT);
}

/** Bytes, or `undefined` when the text is not a size. */
export function parseSize(text: string): number | undefined {
  return parseWithUnit(text, SIZE_PATTERN, BYTES_PER_UNIT);
}

function parseWithUnit(
  text: string,
  pattern: RegExp,
  factors: Readonly<Record<string, number>>,
): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const value = Number(match[1]) * (factors[match[2] ?? ''] ?? Number.NaN);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** A duration for people: the largest unit that divides it. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const factor = MILLISECONDS_PER_UNIT[unit] ?? 1;
    if (ms >= factor && ms % factor === 0) return `${ms / factor}${unit}`;
  }
  return `${ms}ms`;
}

/** A size for people, rounded to one decimal. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    const factor = BYTES_PER_UNIT[unit] ?? 1;
    if (bytes >= factor) return `${Number((bytes / factor).toFixed(1))} ${unit}`;
  }
  return `${bytes} B`;
}

/**
 * A moment as RFC 3339 (`2027-01-31T18:00:00Z`, with a zone) or a date (`2027-01-31`: its first moment in UTC), in µs since
 * the epoch. `undefined` when it is neither, or does not exist in the calendar.
 */
export function parseMoment(text: string): bigint | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2}))?$/.exec(text);
  if (match === null) return undefined;
  const day = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  // Date.UTC rolls 31 February over into March; a moment that moved does not exist.
  if (new Date(day).getUTCDate() !== Number(match[3])) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000n;
}
