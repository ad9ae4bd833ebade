import type { MaskingKeys } from '../keys.ts';
import { ANY_CLASS, type ClassName } from '../rules.ts';
import { BASE32_CLASS } from './base32.ts';
import {
  marksOf,
  REDACTION_BODY,
  REDACTION_MARK,
  TAG_CHARACTERS,
  TOKEN_BODY,
  TOKEN_MARK,
  type Marks,
} from './marks.ts';

export interface Masked {
  readonly kind: 'redaction' | 'token';
  /** As the text says, which anyone could have changed; `*` where it says nothing. Only that it was made here is proved. */
  readonly class: ClassName;
}

/** The longest form of a mark (a token of a class with 32 letters, as hexadecimal of its bytes), rounded up: so much of one piece of data must be kept for the next. */
export const MAX_MASKED_BYTES = 144;

/**
 * Up to the end of the run of letters and digits, as `]`, `%5D` or the end of the text makes it: so no run has more than two candidates, and a text of nothing but
 * marks costs no more than one block of AES for each 22 characters.
 */
const candidateOf = (mark: string, length: number): string =>
  `${mark}(?=([${BASE32_CLASS}]{${length}})(?![0-9a-z]))`;
const CANDIDATE = new RegExp(
  [
    candidateOf(REDACTION_MARK, REDACTION_BODY + TAG_CHARACTERS),
    candidateOf(TOKEN_MARK, TOKEN_BODY + TAG_CHARACTERS),
  ].join('|'),
  'gi',
);
/** As the server reads uuids: hyphens or none, either case. Not inside a longer run of digits, or it would be no uuid. */
const UUID =
  /(?<![0-9a-f])[0-9a-f]{8}-?[0-9a-f]{4}-?8[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}(?![0-9a-f])/gi;
const CLASS_BEFORE = /(?:^|%5b|u005b|[^a-z0-9_])([a-z][a-z0-9_]{0,31}|\*)(?::|%3a|\\u003a)$/;
const LONGEST_BEFORE = 44;
/** The hexadecimal form of bytea, and the one that `encode(…, 'hex')` has: from a mark's `x` on. */
const HEX_FORM = /[57]8[57][24][0-9a-f]{40}/i;

/**
 * The first redaction or token of ours in a text or bytes, or undefined: by the tag, so what merely looks like one passes. It is found inside longer texts, in
 * either case, as JSON, CSV, COPY and URLs carry it, and in the hexadecimal form of bytea; not in base64, and not when parts of it are missing.
 * One pass; each candidate costs one block of AES.
 */
export function findMasked(input: string | Uint8Array, keys: MaskingKeys): Masked | undefined {
  // A mark is ASCII in every encoding that PostgreSQL has for clients.
  const text =
    typeof input === 'string'
      ? input
      : Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('latin1');
  const marks = marksOf(keys);
  return findText(text, marks) ?? findUuid(text, marks) ?? findHex(text, marks);
}

function findText(text: string, marks: Marks): Masked | undefined {
  for (const match of text.matchAll(CANDIDATE)) {
    const kind = match[1] === undefined ? 't' : 'r';
    const content = (match[1] ?? match[2]!).toLowerCase();
    const bodyLength = kind === 'r' ? REDACTION_BODY : TOKEN_BODY;
    if (marks.tag(kind, content.slice(0, bodyLength)) !== content.slice(bodyLength)) continue;
    const before = text.slice(Math.max(0, match.index - LONGEST_BEFORE), match.index).toLowerCase();
    return {
      kind: kind === 'r' ? 'redaction' : 'token',
      class: CLASS_BEFORE.exec(before)?.[1] ?? ANY_CLASS,
    };
  }
  return undefined;
}

function findUuid(text: string, marks: Marks): Masked | undefined {
  for (const [uuid] of text.matchAll(UUID)) {
    if (marks.isUuidToken(Buffer.from(uuid.replaceAll('-', ''), 'hex')))
      return { kind: 'token', class: ANY_CLASS };
  }
  return undefined;
}

function findHex(text: string, marks: Marks): Masked | undefined {
  if (!HEX_FORM.test(text)) return undefined;
  for (const [digits] of text.matchAll(/[0-9a-f]{44,}/gi)) {
    // Which of two digits begins a byte is not known in a longer text.
    for (const start of [0, 1]) {
      const masked = findText(Buffer.from(digits.slice(start), 'hex').toString('latin1'), marks);
      if (masked !== undefined) return masked;
    }
  }
  return undefined;
}
