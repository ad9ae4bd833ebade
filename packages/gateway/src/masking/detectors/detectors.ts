/**
 * The second net: finds regulated values in text that no catalog can classify (free text, JSON, messages). Pure and synchronous. The time is linear in the length of
 * the text whatever it is: hand-written scanners that look at each character a bounded number of times; a fuzzer looks for the worst.
 */
import { findBirthDates } from './birth-dates.ts';
import { findCards } from './cards.ts';
import { eachGroup } from './digit-groups.ts';
import type { Finding } from './finding.ts';
import { findIban } from './iban.ts';
import { findEmails, findIpV4, findIpV6 } from './internet.ts';
import { findNationalNumbers } from './national-numbers.ts';
import { createPhonePlans } from './phone-plans.ts';
import type { PhonePlans } from './phone-plans.ts';
import { findPhones } from './phones.ts';
import type { Scan } from './scan.ts';
import { findSecrets } from './secrets.ts';
import { settle } from './settle.ts';
import { viewOfBytes, viewOfText } from './view.ts';
import type { View } from './view.ts';
import { findWords } from './words.ts';

export interface DetectorOptions {
  /** Regions (ISO 3166) whose phone numbers are known as they are dialled inside. Default `US`, which is all of North America. */
  readonly phoneRegions?: readonly string[];
  /** What is less sure is not told, 0 to 1. Default 0.5. */
  readonly minConfidence?: number;
}

export interface Detectors {
  /** Sorted, never one over another. Places are UTF-16 units. */
  find(text: string): readonly Finding[];
  /** The same in UTF-8; places are bytes. What is not UTF-8 is skipped as symbols. */
  findInBytes(utf8: Uint8Array): readonly Finding[];
  /** As `find`, and how many characters were looked at, each as often as it was. */
  findCounting(text: string): { readonly findings: readonly Finding[]; readonly steps: number };
}

const DEFAULT_REGIONS = ['US'];
const DEFAULT_CONFIDENCE = 0.5;
/** The shortest that holds anything: `1::2:3`. */
const MIN_LENGTH = 6;
/** Fewer digits are no number that is looked for but a date of birth, which has four. */
const MIN_DIGITS = 4;

/** Keep it: making it reads the numbering plans of the world. Throws a `RangeError` for a phone region that is none. */
export function createDetectors(options: DetectorOptions = {}): Detectors {
  const plans = createPhonePlans(options.phoneRegions ?? DEFAULT_REGIONS);
  const minConfidence = options.minConfidence ?? DEFAULT_CONFIDENCE;
  const look = (view: View): { findings: readonly Finding[]; steps: number } => {
    const scan = scanView(view, plans);
    const settled = settle(scan.found, minConfidence);
    return { findings: placed(settled, view), steps: scan.steps };
  };
  return {
    find: (text) => (text.length < MIN_LENGTH ? [] : look(viewOfText(text)).findings),
    findInBytes: (utf8) => (utf8.length < MIN_LENGTH ? [] : look(viewOfBytes(utf8)).findings),
    findCounting: (text) => look(viewOfText(text)),
  };
}

function scanView(view: View, plans: PhonePlans): Scan {
  const { codes } = view;
  const words = findWords(codes);
  const scan: Scan = { codes, words, found: [], steps: view.steps + codes.length };
  if (words.digits >= MIN_DIGITS) {
    eachGroup(scan, (groups, index) => {
      findIban(scan, groups.starts[index] ?? 0);
      const next = index + 1;
      // A number alone of fewer digits than any that is looked for.
      if (!groups.isJoined(next) && groups.length(index) < SHORTEST_RUN) return;
      findCards(scan, groups, index);
      findNationalNumbers(scan, groups, index);
      findPhones(scan, groups, index, plans);
      findIpV4(scan, groups, index);
    });
    findBirthDates(scan);
  }
  findEmails(scan);
  findIpV6(scan);
  findSecrets(scan);
  return scan;
}

/** A phone number as it is dialled at home. */
const SHORTEST_RUN = 7;

/** In the places of what was given. */
function placed(findings: readonly Finding[], { places }: View): readonly Finding[] {
  if (places === undefined) return findings;
  return findings.map((finding) => ({
    ...finding,
    start: places.starts[finding.start] ?? 0,
    end: places.ends[finding.end - 1] ?? 0,
  }));
}
