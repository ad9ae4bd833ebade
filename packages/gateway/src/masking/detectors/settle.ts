/** Of findings that lie over one another, one: the surer one, widened by what the others cover, so that nothing of any is left. */
import type { Finding } from './finding.ts';

export function settle(found: readonly Finding[], minConfidence: number): readonly Finding[] {
  const sure = found.filter(({ confidence }) => confidence >= minConfidence);
  if (sure.length < 2) return sure;
  sure.sort((one, other) => one.start - other.start || other.end - one.end);
  const settled: Finding[] = [];
  for (const next of sure) {
    const last = settled.at(-1);
    if (last === undefined || next.start >= last.end) settled.push(next);
    else settled[settled.length - 1] = unite(last, next);
  }
  return settled;
}

const length = ({ start, end }: Finding): number => end - start;

function unite(one: Finding, other: Finding): Finding {
  const isOtherBetter =
    other.confidence === one.confidence ? length(other) > length(one) : other.confidence > one.confidence;
  const better = isOtherBetter ? other : one;
  const start = Math.min(one.start, other.start);
  const end = Math.max(one.end, other.end);
  return start === better.start && end === better.end ? better : { ...better, start, end };
}
