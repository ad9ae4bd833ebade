import { isCalendarDay, startOfPeriod, type CalendarDay, type Period } from './calendar.ts';

/** Orders in which people write dates into text columns; what comes after (a time) must be told apart by a blank or `T` and disappears. */
const YEAR_FIRST = /^\s*(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[ T].*)?\s*$/s;
const YEAR_LAST = /^\s*(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?:[ T].*)?\s*$/s;
const COMPACT = /^\s*(\d{4})(\d{2})(\d{2})\s*$/;

const two = (number: number): string => String(number).padStart(2, '0');

/**
 * A date in a text, as the first of its period in the same order and with the same separators. Where day and month come in an order that is not known
 * (`05/03/1984`) only the year can be told, so shorter periods are undefined, as is what is no date.
 */
export function periodOfText(text: string, period: Period): string | undefined {
  const compact = COMPACT.exec(text);
  const first = compact ?? YEAR_FIRST.exec(text);
  if (first !== null) {
    const separator = compact === null ? first[2]! : '';
    const [month, day] = compact === null ? [first[3], first[4]] : [first[2], first[3]];
    const start = startOf({ year: Number(first[1]), month: Number(month), day: Number(day) }, period);
    return start && [String(start.year).padStart(4, '0'), two(start.month), two(start.day)].join(separator);
  }
  const last = YEAR_LAST.exec(text);
  if (last === null || period !== 'year') return undefined;
  const [, a, separator, b, year] = last;
  const orders = [
    { year: Number(year), month: Number(a), day: Number(b) },
    { year: Number(year), month: Number(b), day: Number(a) },
  ];
  return orders.some(isCalendarDay) ? ['01', '01', year!].join(separator) : undefined;
}

function startOf(day: CalendarDay, period: Period): CalendarDay | undefined {
  return isCalendarDay(day) ? startOfPeriod(day, period) : undefined;
}
