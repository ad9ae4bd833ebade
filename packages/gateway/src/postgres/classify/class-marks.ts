import { ANY_CLASS, type ClassName } from '../../masking/rules.ts';
import type { CatalogColumn } from '../catalog/catalog.ts';

/** What comments and labels of one column say. `classes` is empty where they say nothing. */
export interface MarkedClass {
  readonly class: ClassName;
  /** `unreadable`: it is written to us, and is no class. `unknown`: no rule has that class. `conflict`: two of them differ. */
  readonly problem?: 'unreadable' | 'unknown' | 'conflict';
}

const MARK = /^countersign:class=([a-z][a-z0-9_]{0,31})(?![A-Za-z0-9_-])/i;

/** What is written to us in another way than `countersign:class=name` means something that we do not understand: the column is then regulated. */
export function markedClass(
  { classComments, classLabels }: CatalogColumn,
  origins: readonly string[],
  knows: (name: ClassName) => boolean,
): MarkedClass | undefined {
  const marks = [
    ...(origins.includes('comments') ? (classComments ?? []) : []),
    ...(origins.includes('labels') ? (classLabels ?? []) : []),
  ];
  if (marks.length === 0) return undefined;
  const names = new Set(marks.map((mark) => MARK.exec(mark)?.[1]));
  if (names.has(undefined)) return { class: ANY_CLASS, problem: 'unreadable' };
  const [name = ANY_CLASS] = names;
  if (names.size > 1) return { class: ANY_CLASS, problem: 'conflict' };
  return knows(name) ? { class: name } : { class: ANY_CLASS, problem: 'unknown' };
}
