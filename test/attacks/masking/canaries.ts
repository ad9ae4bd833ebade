/**
 * The regulated values of the two databases: made up, found nowhere else, and different in everything that a value can differ in: content, length (where the transform hides it),
 * order among the rows, and which rows have the same. The same on every run.
 */

export type Side = 'a' | 'b';

/** Rows of each table with canaries. */
export const ROWS = 12;

/** As the server takes it in a literal, and how else it may be looked for. */
export interface Canary {
  readonly column: string;
  readonly literal: string;
  /** Texts any five consecutive characters of which betray it. */
  readonly texts: readonly string[];
  /** Texts that betray it only as a whole. */
  readonly wholes?: readonly string[];
  /** Four consecutive bytes of these betray it. */
  readonly bytes?: readonly Buffer[];
}

type Random = (below: number) => number;

/** mulberry32 */
function randomOf(seed: string): Random {
  let state = 0x811c9dc5;
  for (const character of seed) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const pick = (alphabet: string, count: number, random: Random): string =>
  Array.from({ length: count }, () => alphabet[random(alphabet.length)]).join('');

/** Few digits, so that object ids, process ids and costs are hardly ever taken for a canary. */
const digits = (count: number, random: Random): string => pick('6789', count, random);
/** Letters that no word of PostgreSQL or of ours has beside each other. */
const letters = (count: number, random: Random): string => pick('zqxjkwvy', count, random);

const DAY_MS = 86_400_000;
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const int32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value | 0);
  return buffer;
};
const int64 = (value: bigint): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(value);
  return buffer;
};
const float64 = (value: number): Buffer => {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleBE(value);
  return buffer;
};
/** The base 10000 digits of a numeric, without its header. */
function numericDigits(text: string): Buffer {
  const [whole = '', fraction = ''] = text.split('.');
  const groups =
    whole
      .padStart(Math.ceil(whole.length / 4) * 4, '0')
      .concat(fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0'))
      .match(/.{4}/gu) ?? [];
  return Buffer.concat(
    groups.map((group) => {
      const buffer = Buffer.alloc(2);
      buffer.writeInt16BE(Number(group));
      return buffer;
    }),
  );
}

const withReversed = (bytes: Buffer): readonly Buffer[] => [bytes, Buffer.from(bytes.toReversed())];

export function ofText(column: string, value: string, ...secrets: readonly string[]): Canary {
  return { column, literal: value, texts: secrets.length === 0 ? [value] : secrets };
}

export function ofNumber(column: string, value: string): Canary {
  const whole = value.split('.')[0]!;
  const bytes = [numericDigits(value), int64(BigInt(whole)), float64(Number(value)), float64(Number(whole))];
  // As cents, as money goes over the wire.
  bytes.push(int64(BigInt(Math.round(Number(value) * 100))));
  if (Number(whole) < 2 ** 31) bytes.push(int32(Number(whole)));
  return { column, literal: value, texts: [value], bytes: bytes.flatMap(withReversed) };
}

/** A date or, with `seconds` into the day, a moment (UTC). */
export function ofMoment(column: string, day: number, seconds?: number): Canary {
  const ms = day * DAY_MS + (seconds ?? 0) * 1000;
  const iso = new Date(ms).toISOString();
  const date = iso.slice(0, 10);
  const [year, month, dayOfMonth] = date.split('-') as [string, string, string];
  const wholes = [
    date,
    `${year}-${month}`,
    `${year}${month}${dayOfMonth}`,
    `${month}/${dayOfMonth}/${year}`,
    `${dayOfMonth}/${month}/${year}`,
    `${dayOfMonth}.${month}.${year}`,
    `${MONTHS[Number(month) - 1]} ${dayOfMonth}`,
    `${Number(dayOfMonth)} ${MONTHS[Number(month) - 1]}`,
    String(ms / 1000),
  ];
  const days = (day * DAY_MS - POSTGRES_EPOCH_MS) / DAY_MS;
  const micros = BigInt(ms - POSTGRES_EPOCH_MS) * 1000n;
  return {
    column,
    literal: seconds === undefined ? date : `${date} ${iso.slice(11, 19)}+00`,
    texts: [],
    wholes,
    bytes: [int32(days), int64(micros), float64(ms / 1000)].flatMap(withReversed),
  };
}

function ofBytes(column: string, value: Buffer): Canary {
  return { column, literal: `\\x${value.toString('hex')}`, texts: [], bytes: withReversed(value) };
}

function luhn(prefix: string): string {
  let sum = 0;
  for (let index = prefix.length - 1, double = true; index >= 0; index -= 1, double = !double) {
    const digit = Number(prefix[index]) * (double ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return `${prefix}${(10 - (sum % 10)) % 10}`;
}

/** A value of the column for one row. `long`: of the second database, where a hidden value is longer. */
type Maker = (column: string, random: Random, long: boolean) => Canary;

const dayOf = (from: number, to: number, random: Random): number => {
  const year = from + random(to - from);
  // Never the first of January, which is what `year` makes of a date.
  return Math.floor(Date.UTC(year, 1 + random(10), 2 + random(26)) / DAY_MS);
};

const MAKERS: Readonly<Record<string, Maker>> = {
  name: (column, random, long) =>
    ofText(
      column,
      `${letters(long ? 9 : 6, random)} "${letters(5, random)}é${letters(long ? 7 : 3, random)}"`,
    ),
  ssn: (column, random, long) =>
    ofText(
      column,
      `${digits(3, random)}-${digits(2, random)}-${digits(4, random)}${long ? `-${digits(3, random)}` : ''}`,
    ),
  email: (column, random, long) => {
    const local = `${letters(7, random)}.${letters(long ? 8 : 4, random)}`;
    return ofText(column, `${local}@example.com`, local);
  },
  phone: (column, random, long) => {
    const number = `${digits(3, random)} ${digits(2, random)} ${digits(2, random)}${long ? digits(4, random) : ''}`;
    return ofText(column, `+41 79 ${number}`, number);
  },
  dob: (column, random) => ofMoment(column, dayOf(1871, 1899, random)),
  pan: (column, random, long) => ofText(column, luhn(`4${digits(long ? 17 : 14, random)}`)),
  pin: (column, random, long) => ofText(column, letters(long ? 14 : 8, random).toUpperCase()),
  balance: (column, random, long) => ofNumber(column, `${digits(long ? 9 : 6, random)}.${digits(2, random)}`),
  score: (column, random, long) => ofNumber(column, digits(long ? 9 : 6, random)),
  big: (column, random, long) => ofNumber(column, digits(long ? 16 : 12, random)),
  ratio: (column, random, long) => ofNumber(column, `${digits(long ? 8 : 5, random)}.${digits(3, random)}`),
  cash: (column, random, long) => ofNumber(column, `${digits(long ? 10 : 7, random)}.${digits(2, random)}`),
  ref: (column, random) => {
    const bytes = Buffer.from(pick('abcdef', 32, random), 'hex');
    const text = bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/u, '$1-$2-$3-$4-');
    return { column, literal: text, texts: [text], bytes: withReversed(bytes) };
  },
  scan: (column, random, long) =>
    ofBytes(column, Buffer.from(Array.from({ length: long ? 23 : 12 }, () => 128 + random(128)))),
  profile: (column, random, long) => {
    const [one, two] = [letters(8, random), letters(long ? 11 : 6, random)];
    const number = digits(7, random);
    return ofText(
      column,
      JSON.stringify({ nick: one, deep: { list: [two, Number(number)] } }),
      one,
      two,
      number,
    );
  },
  tags: (column, random, long) => {
    const [one, two] = [letters(7, random), letters(long ? 12 : 6, random)];
    return ofText(column, `{${one},${two}}`, one, two);
  },
  marks: (column, random) => {
    const [one, two] = [digits(7, random), digits(8, random)];
    return { ...ofNumber(column, one), literal: `{${one},${two}}`, texts: [one, two] };
  },
  span: (column, random, long) => {
    const [one, two] = [`6${digits(6, random)}`, `9${digits(long ? 9 : 6, random)}`];
    return { ...ofNumber(column, one), literal: `[${one},${two})`, texts: [one, two] };
  },
  seen: (column, random) => ofMoment(column, dayOf(1902, 1909, random), 3600 + random(70_000)),
  addr: (column, random, long) => {
    const [street, town] = [letters(9, random), letters(long ? 12 : 6, random)];
    return ofText(column, `("${street}",${town})`, street, town);
  },
  doc: (column, random, long) => {
    const [one, two] = [letters(8, random), letters(long ? 12 : 6, random)];
    return ofText(column, `<p><n>${one}</n><v a="${two}"/></p>`, one, two);
  },
  words: (column, random, long) => {
    const [one, two] = [letters(8, random), letters(long ? 12 : 6, random)];
    return ofText(column, `'${one}':1 '${two}':2`, one, two);
  },
  notes: (column, random, long) => {
    const ssn = `6${digits(2, random).replaceAll('6', '7')}-${digits(2, random)}-${digits(4, random)}`;
    const pan = luhn(`4${digits(14, random)}`);
    const local = letters(long ? 14 : 9, random);
    return ofText(
      column,
      `Called about SSN ${ssn}, card ${pan}, write to ${local}@example.com.`,
      ssn,
      pan,
      local,
    );
  },
  number: (column, random) => ofText(column, digits(12, random)),
  card: (column, random) => ofText(column, luhn(`4${pick('123456789', 14, random)}`)),
  mail: (column, random) => {
    const local = letters(10, random);
    return ofText(column, `${local}@example.com`, local);
  },
  born: (column, random) => ofMoment(column, dayOf(1911, 1998, random)),
  iban: (column, random) => ofText(column, letters(16, random)),
  // What is shown of it ends in three zeros.
  salary: (column, random) => ofNumber(column, `${pick('123456789', 6, random)}.${digits(2, random)}`),
};

/** Which row has the same value as which other: row 5 that of row 2 in the first, row 7 that of row 4 in the second. */
const TWINS: Readonly<Record<Side, readonly [number, number]>> = { a: [5, 2], b: [7, 4] };

/** @param row from 1 */
export function canaryOf(side: Side, column: string, row: number): Canary {
  const [twin, of] = TWINS[side];
  const random = randomOf(`${side}/${column}/${row === twin ? of : row}/2`);
  const make = MAKERS[column];
  if (make === undefined) throw new Error(`no canaries for ${column}`);
  return make(column, random, side === 'b');
}

export const COLUMNS_WITH_CANARIES = Object.keys(MAKERS);

export function canariesOf(side: Side): readonly Canary[] {
  return COLUMNS_WITH_CANARIES.flatMap((column) =>
    Array.from({ length: ROWS }, (_, index) => canaryOf(side, column, index + 1)),
  );
}
