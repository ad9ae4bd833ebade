import type { ClassName, Transform } from '../../../masking/rules.ts';
import {
  redactionText,
  transformText,
  type TransformContext,
} from '../../../masking/transforms/transform-text.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { isContainer, mapParts } from './map-parts.ts';
import {
  decodeBytea,
  decodeJsonText,
  encodeBytea,
  encodeJsonText,
  redactionOfShape,
} from './redaction-of-shape.ts';
import type { Shape } from './shape.ts';
import { eachJsonToken } from './json-tokens.ts';

/** Something that detectors found: `[start, end)`, sorted and apart from each other. */
export interface FoundPiece {
  readonly class: ClassName;
  readonly start: number;
  readonly end: number;
}

/** Detectors and what becomes of what they find; see `masking/detectors/`. */
export interface Detection {
  /** Offsets in UTF-16 units. Both see through the escapes of JSON. */
  find(text: string): readonly FoundPiece[];
  /** Offsets in bytes of UTF-8. */
  findInBytes(utf8: Uint8Array): readonly FoundPiece[];
  transformOf(className: ClassName): Transform;
}

export interface DetectJob extends TransformContext {
  readonly detection: Detection;
  readonly catalog: Catalog | undefined;
  /** The column has a class: what is no text cannot be looked through, and does not pass. */
  readonly isClassified: boolean;
  /** What stands in place of a text that cannot be read. */
  readonly redaction: string;
}

/** The very `value` if nothing is found in it. */
export function detectInValue(value: Buffer, shape: Shape, format: number, job: DetectJob): Buffer | null {
  switch (shape.kind) {
    case 'text':
      return inText(value, shape.maxBytes, job);
    case 'untyped':
      return format === 0 ? inText(value, undefined, job) : inWords(value, job);
    case 'json':
    case 'jsonb':
      return inJson(value, shape.kind, format, job);
    case 'bytea':
      return inBytea(value, format, job);
    case 'opaque':
      return shape.holdsText ? inWords(value, job) : untouched(value, job);
    default:
      if (shape.kind === 'record' && format === 0) return inWords(value, job);
      if (!isContainer(shape)) return untouched(value, job);
      return mapParts(
        value,
        shape,
        format,
        (part, partShape) => detectInValue(part, partShape, format, job),
        job.catalog,
      );
  }
}

/** A number or date: it is no text that detectors were to read. */
function untouched(value: Buffer, job: DetectJob): Buffer | null {
  return job.isClassified ? null : value;
}

/** Of a type that we cannot write: if there is something in it, all of it goes. */
function inWords(value: Buffer, job: DetectJob): Buffer | null {
  return job.isClassified || job.detection.findInBytes(value).length > 0 ? null : value;
}

function inText(value: Buffer, maxBytes: number | undefined, job: DetectJob): Buffer | null {
  const found = job.detection.findInBytes(value);
  if (found.length === 0) return value;
  const parts: Buffer[] = [];
  let at = 0;
  for (const piece of found) {
    parts.push(
      value.subarray(at, piece.start),
      Buffer.from(replacement(value.toString('utf8', piece.start, piece.end), piece.class, job)),
    );
    at = piece.end;
  }
  const masked = Buffer.concat([...parts, value.subarray(at)]);
  return maxBytes !== undefined && masked.length > maxBytes ? null : masked;
}

function replacement(text: string, className: ClassName, job: DetectJob): string {
  return (
    transformText(text, job.detection.transformOf(className), className, job) ??
    redactionText(className, job.keys)
  );
}

function replaced(text: string, found: readonly FoundPiece[], job: DetectJob): string {
  let masked = '';
  let at = 0;
  for (const { start, end, class: className } of found) {
    masked += text.slice(at, start) + replacement(text.slice(start, end), className, job);
    at = end;
  }
  return masked + text.slice(at);
}

/** Bytes that are a text are read as one; others only have what is ASCII in them. */
function inBytea(value: Buffer, format: number, job: DetectJob): Buffer | null {
  const content = decodeBytea(value, format);
  if (content === undefined) return redactionOfShape({ kind: 'bytea' }, format, job.redaction);
  const masked = inText(content, undefined, job);
  return masked === content || masked === null ? value : encodeBytea(masked, format);
}

/**
 * Strings, numbers and names of members in which something is found, everything else byte for byte. The text is read as a whole, because the name of a member tells what
 * its value is (detectors see through escapes), and a string with escapes in which something is found once more, for where in it that is.
 */
function inJson(value: Buffer, kind: 'json' | 'jsonb', format: number, job: DetectJob): Buffer | null {
  if (job.detection.findInBytes(value).length === 0) return value;
  const text = decodeJsonText(value, kind, format);
  if (text === undefined) return redactionOfShape({ kind }, format, job.redaction);
  const found = job.detection.find(text);
  let masked = '';
  let at = 0;
  let next = 0;
  for (const token of eachJsonToken(text)) {
    while (next < found.length && found[next]!.end <= token.start) next += 1;
    const pieces: FoundPiece[] = [];
    for (let index = next; index < found.length && found[index]!.start < token.end; index += 1) {
      pieces.push(found[index]!);
    }
    const content = inJsonToken(text.slice(token.start, token.end), pieces, token.start, job);
    if (content === undefined) continue;
    masked += text.slice(at, token.start) + JSON.stringify(content);
    at = token.end;
  }
  return at === 0 ? value : encodeJsonText(masked + text.slice(at), kind, format);
}

/** The new content of a string or number, or undefined: nothing is found in it. */
function inJsonToken(
  token: string,
  pieces: readonly FoundPiece[],
  offset: number,
  job: DetectJob,
): string | undefined {
  if (pieces.length === 0) return undefined;
  if (token[0] !== '"') return replacement(token, pieces[0]!.class, job);
  if (token.includes('\\')) {
    const content = JSON.parse(token) as string;
    const inside = job.detection.find(content);
    if (inside.length > 0) return replaced(content, inside, job);
    // Only what stands around it tells that it is something: where in it is not known.
    return redactionText(pieces[0]!.class, job.keys);
  }
  const clipped = pieces
    .map(({ class: className, start, end }) => ({
      class: className,
      start: Math.max(start - offset - 1, 0),
      end: Math.min(end - offset - 1, token.length - 2),
    }))
    .filter(({ start, end }) => start < end);
  return clipped.length === 0 ? undefined : replaced(token.slice(1, -1), clipped, job);
}
