/** Proposes classes for a column from its name, its type and a sample of its values: for `countersign classify`, whose output somebody reviews. */
import type { ClassName } from '../rules.ts';
import { classByName, isTextType, wordsOf } from './column-names.ts';
import { createDetectors } from './detectors.ts';
import type { Detectors } from './detectors.ts';
import type { Finding } from './finding.ts';

export interface SampledColumn {
  readonly name: string;
  /** As `format_type` says it. */
  readonly typeName: string;
  /** Values as text; empty ones are left out. */
  readonly samples: readonly string[];
}

export interface ClassProposal {
  readonly class: ClassName;
  /** Of the samples that are not empty: how many say so, 0 to 1. 0: only the name does. */
  readonly share: number;
  /** In fixed words and numbers, never a value. */
  readonly why: string;
}

/** Of a value's length, what a finding must cover to be the value and not something inside of it. */
const WHOLE = 0.6;
/** Fewer samples than this share are taken for chance. */
const MIN_SHARE = 0.3;
/** A text in which one of a hundred holds something is free text. */
const MIN_EMBEDDED = 0.01;
/** Longer samples are cut: enough to tell. */
const MAX_SAMPLE = 4096;
const NEVER = /^(?:boolean|bool|oid|interval|point|box|money)\b/;

let shared: Detectors | undefined;

/**
 * Best first. `detectors`: those of the process, made once where none is given. `recognised`: what an external recogniser found in each sample, in their order.
 */
export function classifyColumn(
  column: SampledColumn,
  detectors: Detectors = (shared ??= createDetectors()),
  recognised: readonly (readonly Finding[])[] = [],
): readonly ClassProposal[] {
  if (NEVER.test(column.typeName.toLowerCase())) return [];
  const byName = classByName(column.name, column.typeName);
  const counted = count(column, detectors, recognised);
  const proposals = [...counted.whole].map(([name, hits]) =>
    propose(name, hits, counted.samples, name === byName),
  );
  const kept = proposals.filter(
    ({ class: name, share }) => share >= MIN_SHARE || (name === byName && share > 0),
  );
  if (byName !== undefined && !kept.some((each) => each.class === byName))
    kept.push(propose(byName, 0, counted.samples, true));
  const embedded = counted.samples === 0 ? 0 : counted.embedded / counted.samples;
  const isFree =
    embedded >= MIN_EMBEDDED && isTextType(column.typeName) && !kept.some(({ share }) => share >= MIN_SHARE);
  if (isFree) {
    const why = `${counted.embedded} of ${counted.samples} samples have something regulated inside`;
    const others = kept.filter(({ class: name }) => name !== 'free_text');
    return [...sorted(others, byName), { class: 'free_text', share: embedded, why }];
  }
  return sorted(kept, byName);
}

interface Counted {
  readonly samples: number;
  /** How many samples are a value of the class, and no more. */
  readonly whole: ReadonlyMap<ClassName, number>;
  /** How many hold something besides other text. */
  readonly embedded: number;
}

function count(
  { name, samples }: SampledColumn,
  detectors: Detectors,
  recognised: readonly (readonly Finding[])[],
): Counted {
  // The name is the word beside the value that nine digits need to be anything.
  const prefix = `${wordsOf(name).join(' ')}: `;
  const whole = new Map<ClassName, number>();
  let embedded = 0;
  let kept = 0;
  for (const [index, sample] of samples.entries()) {
    const value = sample.trim().slice(0, MAX_SAMPLE);
    if (value === '') continue;
    kept += 1;
    const own = detectors.find(prefix + value).filter(({ end }) => end > prefix.length);
    const findings = [...own, ...(recognised[index] ?? [])];
    const full = findings.find(({ start, end }) => end - start >= value.length * WHOLE);
    if (full !== undefined) whole.set(full.class, (whole.get(full.class) ?? 0) + 1);
    else if (findings.length > 0) embedded += 1;
  }
  return { samples: kept, whole, embedded };
}

function propose(name: ClassName, hits: number, samples: number, isNamed: boolean): ClassProposal {
  const said = isNamed ? 'the name says so' : undefined;
  const seen =
    hits > 0
      ? `${hits} of ${samples} samples are one`
      : samples === 0
        ? 'there is no sample'
        : `none of ${samples} samples can be told to be one`;
  return {
    class: name,
    share: samples === 0 ? 0 : hits / samples,
    why: said === undefined ? seen : `${said}, ${seen}`,
  };
}

/** Name and samples together, then samples, then the name alone. */
function sorted(
  proposals: readonly ClassProposal[],
  byName: ClassName | undefined,
): readonly ClassProposal[] {
  const weight = ({ class: name, share }: ClassProposal): number => share + (name === byName ? 0.5 : 0);
  return proposals.toSorted((one, other) => weight(other) - weight(one));
}
