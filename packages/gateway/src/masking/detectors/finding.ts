/** What a detector says of a piece of text. Never the text itself: a finding may be logged, counted and shown. */
import type { ClassName } from '../rules.ts';

export const FINDING_KINDS = [
  'card',
  'ssn',
  'iban',
  'routing',
  'email',
  'phone',
  'ip',
  'birth-date',
  'secret',
  'recognised',
] as const;

/** What it was taken for. `recognised`: an external recogniser said so. */
export type FindingKind = (typeof FINDING_KINDS)[number];

export interface Finding {
  readonly class: ClassName;
  readonly kind: FindingKind;
  /** Where it begins: UTF-16 units of a text, bytes of a buffer. */
  readonly start: number;
  /** Behind its last unit or byte. */
  readonly end: number;
  /** Why, in fixed words. */
  readonly why: string;
  /** 0 to 1: how sure. A checksum and a word beside it are near 1, a shape alone is near 0.5. */
  readonly confidence: number;
}

/** The class that a finding of each kind is of. Of what a recogniser finds, it says the class itself. */
export const CLASS_OF_KIND: Readonly<Record<Exclude<FindingKind, 'recognised'>, ClassName>> = {
  card: 'pan',
  ssn: 'ssn',
  iban: 'account_number',
  routing: 'account_number',
  email: 'email',
  phone: 'phone',
  ip: 'ip',
  'birth-date': 'dob',
  secret: 'secret',
};
