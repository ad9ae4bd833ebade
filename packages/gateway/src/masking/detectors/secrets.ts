/** Keys, tokens and passwords: by the form of their issuer, by the frame around them, or by the word in front. */
import { NOTHING, isDigit, isLetter, isLower, isUpper, isWordCode } from './characters.ts';
import { AssignedReader, looksRandom } from './assigned-secrets.ts';
import { SURENESS, report } from './scan.ts';
import type { Scan } from './scan.ts';
import { BASE64, TokenReader } from './token-shapes.ts';
import type { MarkHit } from './words.ts';

const AT = 0x40;
const COLON = 0x3a;
const MAX_USER_INFO = 512;
/** Between `-----BEGIN ` and `PRIVATE KEY-----`. */
const MAX_LABEL = 48;
const MIN_BEARER = 16;
const MAX_BEARER = 8192;

export function findSecrets(scan: Scan): void {
  const { marks } = scan.words;
  if (marks.length === 0) return;
  const readers = { tokens: new TokenReader(scan.codes), assigned: new AssignedReader(scan) };
  /** Behind the last secret: marks inside of it are part of it. */
  let from = 0;
  for (let index = 0; index < marks.length; index++) {
    const hit = marks[index];
    if (hit === undefined || hit.start < from) continue;
    from = Math.max(from, readers.assigned.finish(hit.start));
    if (hit.start >= from) from = Math.max(from, findAt(scan, hit, index, readers));
  }
  readers.assigned.finish(Infinity);
  scan.steps += readers.tokens.steps;
}

interface Readers {
  readonly tokens: TokenReader;
  readonly assigned: AssignedReader;
}

/** Gives the place behind what was found; 0 if nothing was. */
function findAt(scan: Scan, hit: MarkHit, index: number, { tokens, assigned }: Readers): number {
  const next = scan.words.marks[index + 1]?.start ?? scan.codes.length;
  switch (hit.mark) {
    case 'shape': {
      const token = tokens.read(hit.prefix, hit.start, hit.end);
      if (token === undefined) return 0;
      report(scan, 'secret', { start: hit.start, end: token.end }, SURENESS.certain, token.what);
      return token.end;
    }
    case 'begin':
      return findPrivateKey(scan, hit, index);
    case 'url':
      return findUserInfo(scan, hit.end);
    case 'scheme':
      return findBearer(scan, hit.end);
    case 'plain':
    case 'random':
      return assigned.read(hit, next);
    default:
      return 0;
  }
}

function isTextAt(codes: Uint8Array, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index++)
    if (codes[at + index] !== text.charCodeAt(index)) return false;
  return true;
}

/** From BEGIN to END; without an END, as far as there is base64. */
function findPrivateKey(scan: Scan, hit: MarkHit, index: number): number {
  const { codes } = scan;
  const { marks } = scan.words;
  if (!isTextAt(codes, hit.start, '-----BEGIN ')) return 0;
  let at = hit.end;
  const limit = Math.min(codes.length, hit.end + MAX_LABEL);
  let isPrivate = false;
  while (at < limit && isLabelCode(codes[at] as number)) {
    if (isTextAt(codes, at, 'PRIVATE KEY')) isPrivate = true;
    at += 1;
  }
  scan.steps += at - hit.start;
  if (!isPrivate || !isTextAt(codes, at, '-----')) return 0;
  const body = at + '-----'.length;
  const end = endOfFrame(scan, body, marks, index);
  report(scan, 'secret', { start: hit.start, end }, SURENESS.certain, 'private key');
  return end;
}

const isLabelCode = (code: number): boolean => isUpper(code) || isDigit(code) || code === 0x20;

function endOfFrame(scan: Scan, body: number, marks: readonly MarkHit[], index: number): number {
  const { codes } = scan;
  for (let next = index + 1; next < marks.length; next++) {
    const mark = marks[next];
    scan.steps += 1;
    if (mark === undefined || mark.mark === 'begin') break;
    if (mark.mark !== 'end') continue;
    let at = mark.end;
    while (at < codes.length && at - mark.end < MAX_LABEL && !isTextAt(codes, at, '-----')) at += 1;
    return Math.min(codes.length, at + '-----'.length);
  }
  let at = body;
  while (at < codes.length && (BASE64[codes[at] as number] === 1 || isSpace(codes[at] as number))) at += 1;
  scan.steps += at - body;
  while (at > body && isSpace(codes[at - 1] as number)) at -= 1;
  return at;
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

const userInfoEnds = new Set([0x2f, 0x20, 0x0a, 0x0d, 0x09, 0x22, 0x27, 0x3c, 0x3e, 0x3f, 0x23, 0x60]);

/** `scheme://user:password@host`: the password. */
function findUserInfo(scan: Scan, from: number): number {
  const { codes } = scan;
  const limit = Math.min(codes.length, from + MAX_USER_INFO);
  let colon = -1;
  let last = -1;
  let at = from;
  for (; at < limit && !userInfoEnds.has(codes[at] as number); at++) {
    if (codes[at] === COLON && colon === -1) colon = at;
    if (codes[at] === AT) last = at;
  }
  scan.steps += at - from;
  if (colon === -1 || last <= colon + 1) return 0;
  // "${DB_PASSWORD}" and "<password>" stand for one.
  if (codes[colon + 1] === 0x24 || codes[colon + 1] === 0x7b || isStars(codes, colon + 1, last)) return 0;
  report(
    scan,
    'secret',
    { start: colon + 1, end: last },
    SURENESS.certain,
    'password in a connection string',
  );
  return last;
}

function isStars(codes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (codes[at] !== 0x2a && (codes[at] ?? 0) !== 0x78) return false;
  return true;
}

/** `Authorization: Bearer …`, and `Basic …`. */
function findBearer(scan: Scan, from: number): number {
  const { codes } = scan;
  let start = from;
  while (start < codes.length && start - from < 3 && codes[start] === 0x20) start += 1;
  if (start === from) return 0;
  let end = start;
  const limit = Math.min(codes.length, start + MAX_BEARER);
  while (end < limit && (BASE64[codes[end] as number] === 1 || codes[end] === 0x2e || codes[end] === 0x7e))
    end += 1;
  scan.steps += end - from;
  while (end > start && codes[end - 1] === 0x2e) end -= 1;
  if (end - start < MIN_BEARER || !(looksRandom(codes, start, end) || isMixed(codes, start, end))) return 0;
  report(scan, 'secret', { start, end }, SURENESS.high, 'credential of an Authorization header');
  return end;
}

/** Base64 of `user:password` is mixed, an ordinary word is not. */
function isMixed(codes: Uint8Array, start: number, end: number): boolean {
  let upper = 0;
  let lower = 0;
  let number = 0;
  for (let at = start; at < end; at++) {
    const code = codes[at] ?? NOTHING;
    if (isUpper(code)) upper += 1;
    else if (isLower(code)) lower += 1;
    else if (isDigit(code) || !isWordCode(code) || !isLetter(code)) number += 1;
  }
  return (upper > 1 && lower > 1) || number > 3;
}
