/** Days and periods of the proleptic Gregorian calendar that PostgreSQL uses, with astronomical years: 1 BC is 0. */
export interface CalendarDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

export type Period = 'month' | 'quarter' | 'year';

const DAYS_OF_ERA = 146_097;
const YEARS_OF_ERA = 400;
/** Days from 0000-03-01 to 2000-01-01. */
const DAYS_TO_2000 = 730_425;

/** Days since 2000-01-01. */
export function dayNumber({ year, month, day }: CalendarDay): number {
  const marchYear = month > 2 ? year : year - 1;
  const era = Math.floor(marchYear / YEARS_OF_ERA);
  const yearOfEra = marchYear - era * YEARS_OF_ERA;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_OF_ERA + dayOfEra - DAYS_TO_2000;
}

/** @param number days since 2000-01-01 */
export function calendarDay(number: number): CalendarDay {
  const days = number + DAYS_TO_2000;
  const era = Math.floor(days / DAYS_OF_ERA);
  const dayOfEra = days - era * DAYS_OF_ERA;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  return { year: yearOfEra + era * YEARS_OF_ERA + (month <= 2 ? 1 : 0), month, day };
}

/** The first day of the period. */
export function startOfPeriod({ year, month }: CalendarDay, period: Period): CalendarDay {
  if (period === 'year') return { year, month: 1, day: 1 };
  return { year, month: period === 'month' ? month : month - ((month - 1) % 3), day: 1 };
}

const DAYS_OF_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

export function isCalendarDay({ year, month, day }: CalendarDay): boolean {
  if (month < 1 || month > 12 || day < 1 || day > DAYS_OF_MONTH[month - 1]!) return false;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month !== 2 || day < 29 || isLeap;
}

const two = (number: number): string => String(number).padStart(2, '0');

/** ISO, as PostgreSQL writes dates: at least four digits of the year, ` BC` behind. `between` goes before ` BC`: a time of the day. */
export function isoDay({ year, month, day }: CalendarDay, between = ''): string {
  const written = String(year > 0 ? year : 1 - year).padStart(4, '0');
  return `${written}-${two(month)}-${two(day)}${between}${year > 0 ? '' : ' BC'}`;
}
