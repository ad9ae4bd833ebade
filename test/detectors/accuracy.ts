/** Precision and recall of detectors over labelled texts. */
import type { Detectors } from '../../packages/gateway/src/masking/detectors/detectors.ts';
import type { ClassName } from '../../packages/gateway/src/masking/rules.ts';
import type { Document } from './documents.ts';

export interface Accuracy {
  /** Values that there are, and those of them of which every character is in a finding of the class. */
  values: number;
  found: number;
  /** Findings of the class, and those of them that touch no value of the class. */
  findings: number;
  wrong: number;
}

export interface Measured {
  readonly classes: ReadonlyMap<ClassName, Accuracy>;
  /** Of each kind of number that is none: texts, and those with a finding. */
  readonly negatives: ReadonlyMap<string, { texts: number; wrong: number }>;
  readonly missed: readonly string[];
  readonly wrong: readonly string[];
}

export function measure(detectors: Detectors, texts: readonly Document[]): Measured {
  const classes = new Map<ClassName, Accuracy>();
  const negatives = new Map<string, { texts: number; wrong: number }>();
  const missed: string[] = [];
  const wrong: string[] = [];
  const of = (name: ClassName): Accuracy => {
    const known = classes.get(name) ?? { values: 0, found: 0, findings: 0, wrong: 0 };
    classes.set(name, known);
    return known;
  };
  for (const { text, labels, negative } of texts) {
    const findings = detectors.find(text);
    for (const label of labels) {
      const accuracy = of(label.class);
      accuracy.values += 1;
      const isFound = findings.some(
        (each) => each.class === label.class && each.start <= label.start && each.end >= label.end,
      );
      if (isFound) accuracy.found += 1;
      else missed.push(text);
    }
    for (const finding of findings) {
      const accuracy = of(finding.class);
      accuracy.findings += 1;
      const isRight = labels.some(
        (each) => each.class === finding.class && each.start < finding.end && each.end > finding.start,
      );
      if (isRight) continue;
      accuracy.wrong += 1;
      wrong.push(`${finding.class}: ${text.slice(finding.start, finding.end)} in ${text}`);
    }
    if (negative === undefined) continue;
    const count = negatives.get(negative) ?? { texts: 0, wrong: 0 };
    count.texts += 1;
    if (findings.length > 0) count.wrong += 1;
    negatives.set(negative, count);
  }
  return { classes, negatives, missed, wrong };
}
