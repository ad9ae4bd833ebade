/**
 * Looks for the text that makes detectors work hardest. Texts are short motifs said again and again, of pieces that detectors begin to look at; the hardest are
 * changed a little, and the changes kept that make them harder.
 */
import type { Chance } from './chance.ts';

const PIECES: readonly string[] = [
  '4111',
  '1111',
  '4',
  '5555',
  '378',
  '822463',
  '123',
  '45',
  '6780',
  '021000021',
  '212',
  '555',
  '0123',
  '1',
  '00',

  '4111111111111111',
  '123456780',
  '2125550123',
  '19800229',
  '1980',
  '12',
  '29',
  '255',
  '10',
  '0000000000000000000000',

  ' ',
  '-',
  '.',
  '/',
  '(',
  ')',
  '+',
  ':',
  '::',
  ',',
  '\n',
  '\t',
  '"',
  "'",
  '=',
  '@',
  '<',
  '&',
  '%',
  '\\',
  '_',
  '*',

  'ssn',
  'card',
  'dob',
  'born',
  'routing',
  'aba',
  'phone',
  'call',
  'password',
  'pwd=',
  'token: ',
  'key=',
  'secret',

  'a',
  'x',
  'e',
  'f',
  'ab',
  'may',
  'Jan',
  'DE89',
  'GB82',
  'GB',
  'de',
  'WEST',
  'jane',
  'example.com',
  'a.b',
  'xn--',

  '://',
  'bearer ',
  'basic ',
  'eyJ',
  '.eyJ',
  'AKIA',
  'ghp_',
  'sk-',
  'xoxb-',
  '-----BEGIN ',
  'PRIVATE KEY-----',
  '-----END ',

  '\\u0031',
  '\\n',
  '\\\\',
  '%31',
  '%40',
  '%E2%80%8B',
  '&#49;',
  '&amp;',
  '&nbsp;',
  '\u200b',
  '１',
  '\u00a0',
  'é',
  '😀',
  '٣',

  '2001:',
  'db8',
  'ffff',
  'the ',
  'customer ',
  'account ',
  'is ',
  'ext. ',
  'v',
  '19',
  '99',
  '0x',
  '$',
  '{',
  '}',
  '~',
];

export interface Fuzzed {
  /** What was said again and again, for messages. */
  readonly motif: string;
  readonly cost: number;
}

export interface FuzzOutcome {
  readonly median: number;
  readonly worst: Fuzzed;
}

type Motif = readonly string[];

export const textOf = (motif: Motif, length: number): string => {
  const once = motif.join('');
  return once.repeat(Math.ceil(length / Math.max(1, once.length))).slice(0, length);
};

function randomMotif(chance: Chance): Motif {
  return Array.from({ length: chance.between(1, 10) }, () => chance.pick(PIECES));
}

function change(motif: Motif, chance: Chance): Motif {
  const at = chance.between(0, motif.length - 1);
  switch (chance.between(0, 3)) {
    case 0:
      return motif.toSpliced(at, 1, chance.pick(PIECES));
    case 1:
      return motif.toSpliced(at, 0, chance.pick(PIECES));
    case 2:
      return motif.length > 1 ? motif.toSpliced(at, 1) : motif;
    default:
      return motif.toSpliced(at, 1, String.fromCharCode(chance.between(32, 126)));
  }
}

export interface FuzzOptions {
  /** Texts by chance: their median is what the worst is held against. */
  readonly texts: number;
  /** Changes of the hardest. */
  readonly changes: number;
  /** Characters of each text. */
  readonly length: number;
}

/** `cost` of a text, per character. */
export function fuzz(chance: Chance, cost: (text: string) => number, options: FuzzOptions): FuzzOutcome {
  const { texts, changes, length } = options;
  const costOf = (motif: Motif): number => cost(textOf(motif, length));
  const tried = Array.from({ length: texts }, () => {
    const motif = randomMotif(chance);
    return { motif, cost: costOf(motif) };
  }).toSorted((one, other) => other.cost - one.cost);
  const median = tried[tried.length >> 1]?.cost ?? 0;
  let hardest = tried.slice(0, 16);
  for (let index = 0; index < changes; index++) {
    const parent = chance.pick(hardest);
    const motif = change(parent.motif, chance).slice(0, 24);
    const child = { motif, cost: costOf(motif) };
    if (child.cost > parent.cost)
      hardest = [...hardest.filter((each) => each !== parent), child, parent]
        .toSorted((one, other) => other.cost - one.cost)
        .slice(0, 16);
  }
  const [worst = { motif: [''], cost: 0 }] = hardest;
  return { median, worst: { motif: worst.motif.join(''), cost: worst.cost } };
}
