import { formatAccess } from '../grants/access-text.ts';
import type { Access } from '../policy/access.ts';
import type { Touched } from './touched.ts';

/** What a leaf holds of what a command touches. A statement costs at most so much on disk (decision 13). */
const MAX_OBJECTS = 24;
const MAX_OBJECTS_BYTES = 700;
/** A name in a leaf has at most 255 characters; what is not the list of columns needs up to 200. */
const MAX_OBJECT_BYTES = 255;
const MAX_COLUMNS_LENGTH = 120;

export interface RecordedObjects {
  readonly objects: readonly string[];
  /** Of those that `objects` leaves out, or says in short. 0: `objects` is all. */
  readonly more: number;
  /** All of them in full, a line each: to be sealed. Absent where `more` is 0. */
  readonly complete?: Buffer;
}

interface Remembered {
  readonly reaches: readonly Access[] | undefined;
  readonly recorded: RecordedObjects;
}

const remembered = new WeakMap<readonly Access[], Remembered>();

/** Made once for each array of demands: it is on the path of every command. */
export function recordedObjects({ demands, reaches }: Touched): RecordedObjects {
  const known = remembered.get(demands);
  if (known !== undefined && known.reaches === reaches) return known.recorded;
  const recorded = makeRecordedObjects([...demands, ...(reaches ?? [])]);
  remembered.set(demands, { reaches, recorded });
  return recorded;
}

function makeRecordedObjects(accesses: readonly Access[]): RecordedObjects {
  const full = new Map<string, Access>();
  for (const access of accesses) full.set(formatAccess(access), access);
  const objects: string[] = [];
  let bytes = 0;
  let shortened = 0;
  for (const [text, access] of full) {
    const fits = Buffer.byteLength(text) <= MAX_OBJECT_BYTES;
    const object = fits ? text : formatAccess(access, MAX_COLUMNS_LENGTH);
    const length = Buffer.byteLength(object);
    if (objects.length === MAX_OBJECTS || bytes + length > MAX_OBJECTS_BYTES) break;
    if (length > MAX_OBJECT_BYTES) continue;
    objects.push(object);
    bytes += length;
    if (!fits) shortened += 1;
  }
  const more = full.size - objects.length + shortened;
  return more === 0
    ? { objects, more }
    : { objects, more, complete: Buffer.from([...full.keys()].join('\n')) };
}
