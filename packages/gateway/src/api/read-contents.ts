import { z } from 'zod';

import { CountersignError } from '../errors.ts';
import type { ControlServices } from './control-services.ts';
import type { ErasedRange } from './custody.ts';
import { readerSchema, Readers, type Reader } from './reader.ts';

/** One request reads so many leaves at most; a caller who wants more asks again, and each time is recorded. */
export const MAX_LEAVES_PER_READ = 1_000;
/** Most that one answer holds, of contents. */
const MAX_BYTES_PER_READ = 32 * 1_048_576;
/** Readings of a gateway in a minute, refused ones counted: more is no reading any more, and would crowd the record. */
const MAX_READS_PER_MINUTE = 600;
const MINUTE_MS = 60_000;

/** A range of one journal, both ends included. */
export const logReadRequestSchema = z
  .strictObject({
    journal: z.string().max(63).optional(),
    from: z.int().min(0),
    to: z.int().min(0),
    reader: readerSchema.optional(),
  })
  .refine(({ from, to }) => to >= from && to - from < MAX_LEAVES_PER_READ);

export type LogReadRequest = z.infer<typeof logReadRequestSchema>;

export interface ReadContent {
  readonly jseq: number;
  readonly field: string;
  /** The salt and bytes of the commitment, base64: what a reader needs to check it. */
  readonly salt: string;
  readonly bytes?: string;
  /** Id in the vault, for a value too large to be answered here. */
  readonly spool?: string;
}

export interface ReadAnswer {
  readonly contents: readonly ReadContent[];
  /** Erasures that the range is part of: what is not among the contents may have gone with them. */
  readonly erasures: readonly ErasedRange[];
}

/** What a gateway remembers of its readings. */
class Readings {
  readonly readers = new Readers();
  #minute = 0;
  #count = 0;

  /** Throws when there were too many. */
  count(): void {
    const minute = Math.floor(Date.now() / MINUTE_MS);
    if (minute !== this.#minute) this.#count = 0;
    this.#minute = minute;
    if (++this.#count > MAX_READS_PER_MINUTE) {
      throw new CountersignError('CS_REQUEST_INVALID', {
        detail: `more than ${MAX_READS_PER_MINUTE} readings in a minute`,
        hint: 'Try again in a minute, or open an archived copy with the custodian key.',
      });
    }
  }
}

const readings = new WeakMap<ControlServices['recorder'], Readings>();

function readingsOf(recorder: ControlServices['recorder']): Readings {
  const known = readings.get(recorder) ?? new Readings();
  readings.set(recorder, known);
  return known;
}

/**
 * Opens sealed contents with the gateway's own key. `log.read` is durable before anything is opened (decision 17), so a
 * reader who is refused, or whose connection breaks, is on the record as well; `log.delivered`, which counts what was opened, is
 * durable before anything is answered.
 */
export async function readContents(request: LogReadRequest, services: ControlServices): Promise<ReadAnswer> {
  const { recorder } = services;
  const { from, to } = request;
  const journal = request.journal ?? recorder.journal;
  const own = readingsOf(recorder);
  own.count();
  if (journal !== recorder.journal) {
    throw new CountersignError('CS_REQUEST_INVALID', { detail: 'this gateway has no such journal' });
  }
  const range = { origin: services.config.log.origin, journal, from, to };
  const reader = own.readers.identify(range, request.reader, services.config.custody);
  const read = await recordRead(range, reader, services);
  if (reader.refusal !== undefined)
    throw new CountersignError('CS_CUSTODY_REFUSED', { detail: reader.refusal });
  const contents = await services.readContents(from, to, MAX_BYTES_PER_READ);
  const bytes = contents.reduce((sum, content) => sum + base64Bytes(content.bytes), 0);
  await recorder
    .append({ type: 'log.delivered', read, contents: contents.length, bytes }, [], { control: true })
    .durable();
  const erasures =
    services.config.custody === undefined ? [] : await services.custody.desk.erasuresIn(journal, from, to);
  return { contents, erasures };
}

async function recordRead(
  { from, journal, to }: { readonly journal: string; readonly from: number; readonly to: number },
  { evidence, key, reader, refusal }: Reader,
  { recorder }: ControlServices,
): Promise<string> {
  const leaf = recorder.append(
    {
      type: 'log.read',
      reader,
      scope: `${journal}:${from}-${to}`,
      count: to - from + 1,
      from,
      to,
      evidence,
      ...(key !== undefined && { key }),
      outcome: refusal === undefined ? 'permitted' : 'refused',
      ...(refusal !== undefined && { cause: refusal }),
    },
    [],
    { control: true },
  );
  await leaf.durable();
  return leaf.id;
}

function base64Bytes(text: string | undefined): number {
  if (text === undefined) return 0;
  return Buffer.byteLength(text, 'base64');
}
