/** Something outside that finds what no checksum tells: names, addresses. Asked by `classify` and `mask try`, never on the way of an answer. */
import { ANY_CLASS } from '../rules.ts';
import type { Finding } from './finding.ts';

export interface Recogniser {
  /** What it finds in each text, in their order; places are UTF-16 units. Never rejects: of a text that it could not be asked about, `everythingIn`. */
  find(texts: readonly string[]): Promise<readonly (readonly Finding[])[]>;
}

/** The whole text, as a value that may be anything: what is taken as found where nobody could look. */
export function everythingIn(text: string, why: string): readonly Finding[] {
  if (text === '') return [];
  return [{ class: ANY_CLASS, kind: 'recognised', start: 0, end: text.length, why, confidence: 1 }];
}
