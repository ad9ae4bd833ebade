/**
 * The numbering plans of the world, from the data of `libphonenumber-js`. Its own parser takes 10 to 30 µs for a number, which a text full of numbers would make
 * its reader pay; so its patterns are asked directly, about digits that we cut out ourselves: at most 15, hence in bounded time.
 */
import { Metadata } from 'libphonenumber-js/core';
import type { CountryCode } from 'libphonenumber-js/core';
import metadata from 'libphonenumber-js/max/metadata';

/** What is used of a plan; the declarations of the package leave it out. A test holds the outcome against the package's own `isValid`. */
interface Plan {
  possibleLengths(): readonly number[];
  nationalPrefix(): string | undefined;
  leadingDigits(): string | undefined;
  type(name: string): { pattern(): string | undefined } | undefined;
}

const TYPES = [
  'FIXED_LINE',
  'MOBILE',
  'TOLL_FREE',
  'PREMIUM_RATE',
  'PERSONAL_NUMBER',
  'VOICEMAIL',
  'UAN',
  'PAGER',
  'VOIP',
  'SHARED_COST',
] as const;

/** E.164: country code and number together. */
export const MAX_PHONE_DIGITS = 15;
export const MIN_PHONE_DIGITS = 7;
const NORTH_AMERICA = '1';
const NORTH_AMERICAN_DIGITS = 10;
const MAX_CALLING_CODE = 3;

export interface PhonePlans {
  /** Whether these are a country's code and a number that can have been given out there. */
  isInternational(digits: string): boolean;
  /** Whether these are a country's code and as many digits as its numbers have. */
  isPossible(digits: string): boolean;
  /** Whether it is one as it is dialled inside of one of the regions. */
  isNational(digits: string): boolean;
  /** Ten digits of the plan that the United States, Canada and the Caribbean share. */
  isNorthAmerican(digits: string): boolean;
  /** Ten digits whose area and exchange could be given out. */
  hasNorthAmericanShape(digits: string): boolean;
  readonly hasNorthAmerica: boolean;
}

/** Throws for a region that is none. `regions`: ISO 3166 codes. */
export function createPhonePlans(regions: readonly string[]): PhonePlans {
  const numbers = new Map<string, RegExp>();
  const national = regions.map((region) => nationalPlan(region));
  const lengths = new Map<string, ReadonlySet<number>>();
  const areas = new Map<string, boolean>();

  const isNorthAmerican = (digits: string): boolean => {
    if (!hasNorthAmericanShape(digits)) return false;
    const area = digits.slice(0, 3);
    let isArea = areas.get(area);
    if (isArea === undefined) {
      isArea = isAreaCode(area, (number) => numbersOf(NORTH_AMERICA, numbers)?.test(number) === true);
      areas.set(area, isArea);
    }
    return isArea;
  };

  return {
    isNorthAmerican,
    hasNorthAmericanShape,
    hasNorthAmerica: national.some(({ callingCode }) => callingCode === NORTH_AMERICA),
    isInternational: (digits) => {
      if (digits.startsWith(NORTH_AMERICA))
        return isNorthAmerican(digits.slice(digits.length === 12 ? 2 : 1));
      for (let length = 1; length <= MAX_CALLING_CODE; length++) {
        // No calling code is the beginning of another.
        const pattern = numbersOf(digits.slice(0, length), numbers);
        if (pattern === undefined) continue;
        const number = digits.slice(length);
        if (pattern.test(number)) return true;
        // "+49 030 …": the zero is dialled at home only.
        const prefix = prefixOf(digits.slice(0, length));
        return prefix !== '' && number.startsWith(prefix) && pattern.test(number.slice(prefix.length));
      }
      return false;
    },
    isPossible: (digits) => {
      for (let length = 1; length <= MAX_CALLING_CODE; length++) {
        const code = digits.slice(0, length);
        const places = placesOf(code);
        if (places.length === 0) continue;
        let known = lengths.get(code);
        if (known === undefined) {
          known = new Set(places.flatMap((place) => planOf(place)?.possibleLengths() ?? []));
          lengths.set(code, known);
        }
        return known.has(digits.length - length);
      }
      return false;
    },
    isNational: (digits) =>
      national.some(({ callingCode, prefix }) => {
        if (callingCode === NORTH_AMERICA)
          return isNorthAmerican(digits.length === 11 && digits.startsWith('1') ? digits.slice(1) : digits);
        if (prefix !== '' && !digits.startsWith(prefix)) return false;
        return numbersOf(callingCode, numbers)?.test(digits.slice(prefix.length)) === true;
      }),
  };
}

const isFrom = (digit: string | undefined, lowest: string): boolean => digit !== undefined && digit >= lowest;

/** Area and exchange begin with 2 to 9. */
const hasNorthAmericanShape = (digits: string): boolean =>
  digits.length === NORTH_AMERICAN_DIGITS && isFrom(digits[0], '2') && isFrom(digits[3], '2');

function isAreaCode(area: string, isNumber: (digits: string) => boolean): boolean {
  const islands = countriesOf(NORTH_AMERICA).some((country) => planOf(country)?.leadingDigits() === area);
  return islands || [2, 3, 4, 5, 6, 7, 8, 9].some((next) => isNumber(`${area}${next}345678`));
}

function countriesOf(callingCode: string): readonly CountryCode[] {
  const codes: Readonly<Record<string, readonly CountryCode[] | undefined>> = metadata.country_calling_codes;
  return codes[callingCode] ?? [];
}

/** What is dialled in front of a number inside of the country; empty: nothing. */
function prefixOf(callingCode: string): string {
  const [country] = countriesOf(callingCode);
  return country === undefined ? '' : (planOf(country)?.nationalPrefix() ?? '');
}

/** Countries, or the calling code itself where it is of none. */
const placesOf = (callingCode: string): readonly string[] =>
  callingCode in metadata.nonGeographic ? [callingCode] : countriesOf(callingCode);

function planOf(country: string): Plan | undefined {
  const plans = new Metadata(metadata);
  plans.selectNumberingPlan(country as CountryCode);
  return plans.numberingPlan as unknown as Plan | undefined;
}

/** The numbers that there are behind a calling code, of all its countries; undefined if it is none. Kept in `known`. */
function numbersOf(callingCode: string, known: Map<string, RegExp>): RegExp | undefined {
  const pattern = known.get(callingCode);
  if (pattern !== undefined) return pattern;
  const places = placesOf(callingCode);
  if (places.length === 0) return undefined;
  const patterns = places.flatMap((place) => {
    const plan = planOf(place);
    return TYPES.map((type) => plan?.type(type)?.pattern()).filter(
      (each) => each !== undefined && each !== '',
    );
  });
  const made = new RegExp(`^(?:${patterns.join('|')})$`);
  known.set(callingCode, made);
  return made;
}

function nationalPlan(region: string): { callingCode: string; prefix: string } {
  const codes: Readonly<Record<string, readonly string[] | undefined>> = metadata.country_calling_codes;
  const callingCode = Object.keys(codes).find((code) => codes[code]?.includes(region) === true);
  if (callingCode === undefined)
    throw new RangeError('a phone region is a code of two capital letters, like US');
  return { callingCode, prefix: planOf(region)?.nationalPrefix() ?? '' };
}
