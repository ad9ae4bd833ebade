/**
 * A record in the hands of somebody who holds its signing key and wants it to say something else. Leaves are taken apart
 * into entries that know whom they refer to; after any change `encode` writes them so that everything fits again: numbers of
 * journals and sessions, references, closing digests and totals, heartbeats, roots that leaves claim were witnessed.
 */

import {
  encodeCanonical,
  Frontier,
  hashLeaf,
  rollDigest,
  ROLLING_START,
  sha256,
  type EncodableValue,
} from 'countersign-verify';

export type Fields = Record<string, EncodableValue | undefined>;

interface Reference {
  readonly journal?: string;
  readonly jseq: number;
  readonly digest?: string;
}

export interface Entry {
  /** The leaf's fields. What other leaves determine is written anew by `encode`. */
  readonly fields: Fields;
  /** How many numbers of its journal and of its session are missing before it (leaves declared lost). */
  readonly missingJseq: number;
  readonly missingSeq: number;
  readonly context?: Entry | undefined;
  readonly after?: Entry | undefined;
  /** Of a `checkpoint.witnessed`: the last leaf that it covers. */
  readonly covers?: Entry | undefined;
}

export function typeOf(entry: Entry): string {
  return entry.fields['type'] as string;
}

export function sessionOf(entry: Entry): string | undefined {
  return entry.fields['seq'] === undefined ? undefined : (entry.fields['session'] as string);
}

function place(journal: string, jseq: number): string {
  return `${journal}/${jseq}`;
}

/** Takes leaves apart. They must be sound. */
export function decodeRecord(leaves: readonly Buffer[]): Entry[] {
  const entries: Entry[] = [];
  const places = new Map<string, Entry>();
  const nextJseq = new Map<string, number>();
  const nextSeq = new Map<string, number>();
  for (const leaf of leaves) {
    const fields = JSON.parse(leaf.toString('utf8')) as Fields;
    const journal = fields['journal'] as string;
    const jseq = fields['jseq'] as number;
    const find = (reference: Reference | undefined): Entry | undefined =>
      reference === undefined ? undefined : places.get(place(reference.journal ?? journal, reference.jseq));
    const session = fields['seq'] === undefined ? undefined : (fields['session'] as string);
    const seq = fields['seq'] as number;
    const entry: Entry = {
      fields,
      missingJseq: jseq - (nextJseq.get(journal) ?? 0),
      missingSeq: session === undefined ? 0 : seq - (nextSeq.get(session) ?? 0),
      context: find(fields['context'] as unknown as Reference | undefined),
      after: find(fields['after'] as unknown as Reference | undefined),
      covers: fields['type'] === 'checkpoint.witnessed' ? entries[(fields['size'] as number) - 1] : undefined,
    };
    nextJseq.set(journal, jseq + 1);
    if (session !== undefined) nextSeq.set(session, seq + 1);
    places.set(place(journal, jseq), entry);
    entries.push(entry);
  }
  return entries;
}

interface Written {
  readonly journal: string;
  readonly jseq: number;
  readonly digest: string;
  readonly index: number;
}

interface SessionSums {
  seq: number;
  calls: number;
  bytesUp: number;
  bytesDown: number;
  rolling: Buffer;
}

interface Beat {
  calls: number;
  denied: number;
  bytes_up: number;
  bytes_down: number;
}

const freshBeat = (): Beat => ({ calls: 0, denied: 0, bytes_up: 0, bytes_down: 0 });

/** Writes entries so that they fit together. */
class Encoder {
  readonly leaves: Buffer[] = [];
  readonly #written = new Map<Entry, Written>();
  readonly #nextJseq = new Map<string, number>();
  readonly #sessions = new Map<string, SessionSums>();
  readonly #beats = new Map<string, Beat>();
  readonly #tree = new Frontier();
  readonly #roots: string[] = [];

  add(entry: Entry): void {
    const fields: Fields = { ...entry.fields };
    const journal = fields['journal'] as string;
    const jseq = (this.#nextJseq.get(journal) ?? 0) + entry.missingJseq;
    this.#nextJseq.set(journal, jseq + 1);
    fields['jseq'] = jseq;
    fields['context'] = this.#reference(fields['context'], entry.context, journal);
    fields['after'] = this.#reference(fields['after'], entry.after, journal);
    this.#fit(entry, fields, journal, jseq);
    const session = sessionOf(entry);
    const sums = session === undefined ? undefined : this.#inSession(entry, fields, session);
    const leaf = Buffer.from(encodeCanonical(fields as EncodableValue));
    if (sums !== undefined) sums.rolling = rollDigest(sums.rolling, leaf);
    const digest = sha256(leaf).toString('base64url');
    this.#written.set(entry, { journal, jseq, digest, index: this.leaves.length });
    this.leaves.push(leaf);
    this.#tree.append(hashLeaf(leaf));
    this.#roots.push(this.#tree.root().toString('base64url'));
  }

  /** A reference to where its target is now; none when the target is gone. */
  #reference(
    old: EncodableValue | undefined,
    target: Entry | undefined,
    journal: string,
  ): EncodableValue | undefined {
    const now = target === undefined ? undefined : this.#written.get(target);
    if (old === undefined || now === undefined) return undefined;
    const { digest } = old as unknown as Reference;
    return {
      jseq: now.jseq,
      ...(digest !== undefined && { digest: now.digest }),
      ...(now.journal !== journal && { journal: now.journal }),
    };
  }

  /** What leaves of no session say of others. */
  #fit(entry: Entry, fields: Fields, journal: string, jseq: number): void {
    const beat = this.#beats.get(journal) ?? freshBeat();
    this.#beats.set(journal, beat);
    switch (typeOf(entry)) {
      case 'software.started':
        this.#beats.set(journal, freshBeat());
        break;
      case 'heartbeat':
        Object.assign(fields, beat, {
          journals: [...this.#nextJseq].map(([name, next]) => ({
            journal: name,
            jseq: next - (name === journal ? 2 : 1),
          })),
        });
        this.#beats.set(journal, freshBeat());
        break;
      case 'gap.declared': {
        const moved = jseq - (entry.fields['jseq'] as number);
        fields['from'] = (fields['from'] as number) + moved;
        fields['to'] = (fields['to'] as number) + moved;
        break;
      }
      case 'checkpoint.witnessed': {
        const size = entry.covers === undefined ? 1 : (this.#written.get(entry.covers)?.index ?? 0) + 1;
        Object.assign(fields, { size, root: this.#roots[size - 1] });
        break;
      }
      case 'call.intent':
        beat.calls++;
        break;
      case 'call.denied':
        beat.denied++;
        break;
      case 'call.result':
        beat.bytes_up += fields['bytes_up'] as number;
        beat.bytes_down += fields['bytes_down'] as number;
        break;
      default:
    }
  }

  #inSession(entry: Entry, fields: Fields, session: string): SessionSums {
    const sums = this.#sessions.get(session) ?? {
      seq: 0,
      calls: 0,
      bytesUp: 0,
      bytesDown: 0,
      rolling: ROLLING_START,
    };
    this.#sessions.set(session, sums);
    sums.seq += entry.missingSeq;
    fields['seq'] = sums.seq++;
    if (typeOf(entry) === 'call.intent') sums.calls++;
    if (typeOf(entry) === 'call.result') {
      sums.bytesUp += fields['bytes_up'] as number;
      sums.bytesDown += fields['bytes_down'] as number;
    }
    if (typeOf(entry) === 'session.closed') {
      fields['calls'] = sums.calls;
      fields['bytes_up'] = Math.max(sums.bytesUp, fields['bytes_up'] as number);
      fields['bytes_down'] = Math.max(sums.bytesDown, fields['bytes_down'] as number);
      fields['rolling'] = sums.rolling.toString('base64url');
    }
    return sums;
  }
}

/** The leaves of a record that contradicts itself nowhere. */
export function encodeRecord(entries: readonly Entry[]): Buffer[] {
  const encoder = new Encoder();
  for (const entry of entries) encoder.add(entry);
  return encoder.leaves;
}

/** The leaves as they are, changed or not, with nothing that follows from them adapted. */
export function encodeAsIs(entries: readonly Entry[]): Buffer[] {
  return entries.map(({ fields }) => Buffer.from(encodeCanonical(fields as EncodableValue)));
}
