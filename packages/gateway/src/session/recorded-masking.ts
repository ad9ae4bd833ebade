/** What a leaf holds of masking. A statement costs at most so much on disk (decision 13). */
import { formatName } from '../grants/access-text.ts';
import type { MaskPlan } from '../masking/plan.ts';
import type { ProbeClaim } from '../masking/probe-budget.ts';
import type {
  MaskedColumn,
  MaskedOfCall,
  MaskingOfCall,
  ProbesOfClass,
  Unmasked,
} from '../record/events/masking.ts';

const MAX_ENTRIES = 24;
const MAX_BYTES = 700;
/** A name in a leaf has at most 255 characters. */
const MAX_NAME_LENGTH = 255;

const unmaskedOf = new WeakMap<MaskPlan, Pick<MaskingOfCall, 'unmasked' | 'unmaskedMore'>>();

/** For `call.intent`. Nothing is written where nothing is let out and nothing is asked for. */
export function recordedMasking(plan: MaskPlan, claim: ProbeClaim | undefined): MaskingOfCall {
  const unmasked = plan.unmasked.length === 0 ? undefined : recordedUnmasked(plan);
  const probes = claim === undefined || claim.counts.length === 0 ? undefined : claim.counts.map(probesOf);
  return probes === undefined ? (unmasked ?? NOTHING) : { ...unmasked, probes };
}

const NOTHING: MaskingOfCall = {};

/** For `call.result`: the same outcome where there is nothing to shorten. */
export function recordedMasked<T extends MaskedOfCall>(outcome: T): T {
  const { masked } = outcome;
  if (masked === undefined) return outcome;
  const { masked: _all, ...rest } = outcome;
  const delivered = masked.filter(({ count }) => count > 0);
  if (delivered.length === 0) return rest as T;
  const named = delivered.map(({ object, class: name, transform, count }): MaskedColumn => ({
    object: nameOf(object),
    class: name,
    transform,
    count,
  }));
  const kept = withinBounds(named);
  const more = named.slice(kept.length).reduce((sum, { count }) => sum + count, 0);
  return { ...rest, masked: kept, ...(more === 0 ? {} : { maskedMore: more }) } as unknown as T;
}

/** Made once for each plan: it is on the path of every command. */
function recordedUnmasked(plan: MaskPlan): Pick<MaskingOfCall, 'unmasked' | 'unmaskedMore'> {
  let recorded = unmaskedOf.get(plan);
  if (recorded === undefined) {
    const all = plan.unmasked.map(({ class: name, object }): Unmasked => ({
      class: name,
      object: nameOf(object),
    }));
    const unmasked = withinBounds(all);
    const more = all.length - unmasked.length;
    recorded = more === 0 ? { unmasked } : { unmasked, unmaskedMore: more };
    unmaskedOf.set(plan, recorded);
  }
  return recorded;
}

function probesOf({ class: name, period, fresh, used, limit }: ProbeClaim['counts'][number]): ProbesOfClass {
  return { class: name, period, new: fresh, used: used + fresh, budget: limit };
}

function withinBounds<T extends { readonly object: string; readonly class: string }>(
  all: readonly T[],
): readonly T[] {
  const kept: T[] = [];
  let bytes = 0;
  for (const each of all) {
    bytes += Buffer.byteLength(each.object) + each.class.length;
    if (kept.length === MAX_ENTRIES || bytes > MAX_BYTES) break;
    kept.push(each);
  }
  return kept;
}

/** Names of the catalog joined by dots and commas, `*`, or in quotes what has anything else in it. */
function nameOf(object: string): string {
  const name = /^[a-z0-9_$.,+*]+$/.test(object) ? object : formatName(object);
  // One that has no room is told apart by nothing but its beginning.
  return name.length <= MAX_NAME_LENGTH ? name : `${name.slice(0, MAX_NAME_LENGTH - 1)}…`;
}
