/** E-mail addresses and IP addresses. */
import { LETTER, NOTHING, hexValue, isDigit, isLetter, isWordCode } from './characters.ts';
import type { DigitGroups } from './digit-groups.ts';
import { SURENESS, report } from './scan.ts';
import type { Scan } from './scan.ts';

const AT = 0x40;
const DOT = 0x2e;
const DASH = 0x2d;
const COLON = 0x3a;
const QUOTE = 0x22;
const MAX_LOCAL = 64;
const MAX_DOMAIN = 255;
const MAX_LABEL = 63;

/** What may stand in front of the `@` without quotes (RFC 5322 atext, RFC 6531 letters), dots besides. */
const local = new Uint8Array(256);
for (const character of "!#$%&'*+-/=?^_`{|}~.") local[character.charCodeAt(0)] = 1;
for (let code = 0; code < 256; code++) if (isWordCode(code)) local[code] = 1;
/** Of those, the ones that rather end what is in front: in `<a href='mailto:x@y.z'>`, `?mail=x@y.z`, `{x@y.z}`. */
const edges = new Set([0x27, 0x60, 0x7b, 0x7c, 0x2f, 0x3d, 0x3f, 0x26, 0x2e, 0x21, 0x23, 0x2a, 0x24]);
const SPLITTERS = new Set([0x3d, 0x3f, 0x26, 0x2f, 0x7b, 0x7c, 0x27, 0x60]);

const domain = new Uint8Array(256);
for (let code = 0; code < 256; code++)
  if (isWordCode(code) || code === DASH || code === DOT) domain[code] = 1;

/** Names of images for finer screens: `logo@2x.png`. */
const PICTURES = new Set(['png', 'jpg', 'jpeg', 'gif', 'webp', 'svg', 'avif', 'css', 'js', 'ico']);

export function findEmails(scan: Scan): void {
  const { codes } = scan;
  for (let at = codes.indexOf(AT); at !== -1; at = codes.indexOf(AT, at + 1)) {
    const end = endOfDomain(scan, at + 1);
    if (end === -1) continue;
    const start = startOfLocal(scan, at);
    if (start < at) report(scan, 'email', { start, end }, SURENESS.high, 'e-mail address');
  }
}

/** Where the part before the `@` begins; the `@` itself if there is none. */
function startOfLocal(scan: Scan, at: number): number {
  const { codes } = scan;
  const lowest = Math.max(0, at - MAX_LOCAL);
  let start = at;
  if (codes[at - 1] === QUOTE) {
    for (let back = at - 2; back >= lowest; back--) {
      const code = codes[back];
      scan.steps += 1;
      if (code === QUOTE) return back;
      if (code === 0x0a || code === AT) break;
    }
    return at;
  }
  while (start > lowest && local[codes[start - 1] as number] === 1) start -= 1;
  scan.steps += at - start;
  // What can also be punctuation of the text around ends the address where letters are on both sides of it.
  for (let index = at - 1; index >= start; index--) {
    if (SPLITTERS.has(codes[index] as number)) {
      start = index + 1;
      break;
    }
  }
  while (start < at && edges.has(codes[start] as number)) start += 1;
  return start;
}

/** Behind the last label of a domain with at least two, the last of letters; -1 if there is none. */
function endOfDomain(scan: Scan, from: number): number {
  const { codes } = scan;
  if (codes[from] === 0x5b) return endOfLiteral(scan, from);
  const limit = Math.min(codes.length, from + MAX_DOMAIN);
  let at = from;
  let label = from;
  let end = -1;
  for (; at <= limit; at++) {
    const code = codes[at] ?? NOTHING;
    const isEnd = at === limit || domain[code] !== 1;
    if (!isEnd && code !== DOT) continue;
    const length = at - label;
    if (length === 0 || length > MAX_LABEL) break;
    if (label > from && isTopLevel(codes, label, at)) end = trimDashes(codes, label, at);
    label = at + 1;
    if (isEnd) break;
  }
  scan.steps += at - from;
  if (end !== -1 && codes[end] === DASH) return end;
  return end !== -1 && isPicture(codes, from, end) ? -1 : end;
}

function trimDashes(codes: Uint8Array, from: number, to: number): number {
  let end = to;
  while (end > from && codes[end - 1] === DASH) end -= 1;
  return end;
}

function isTopLevel(codes: Uint8Array, from: number, to: number): boolean {
  const isPunycode = (codes[from] ?? 0) === 0x78 && codes[from + 1] === 0x6e && codes[from + 2] === DASH;
  let letters = 0;
  for (let at = from; at < to; at++) {
    const code = codes[at] as number;
    if (isLetter(code)) letters += 1;
    else if (!isPunycode && code !== DASH) return false;
  }
  return letters >= 2 || (letters === 1 && codes[from] === LETTER);
}

function isPicture(codes: Uint8Array, from: number, end: number): boolean {
  const isScale = isDigit(codes[from] ?? NOTHING) && ((codes[from + 1] ?? 0) | 0x20) === 0x78;
  return isScale && PICTURES.has(String.fromCharCode(...codes.subarray(from + 3, end)).toLowerCase());
}

/** user@[192.0.2.1] */
function endOfLiteral(scan: Scan, from: number): number {
  let at = from + 1;
  while (at - from < 48 && (hexValue(scan.codes[at] ?? NOTHING) >= 0 || isAddressSign(scan.codes[at])))
    at += 1;
  scan.steps += at - from;
  return scan.codes[at] === 0x5d && at > from + 2 ? at + 1 : -1;
}

const isAddressSign = (code: number | undefined): boolean => code === DOT || code === COLON;

const OCTETS = 4;
const VERSION_BEFORE = 24;

/** Four octets that begin with this group. */
export function findIpV4(scan: Scan, groups: DigitGroups, first: number): void {
  if (groups.joints[first + 1] !== DOT || !groups.isJoined(first + 3)) return;
  const last = first + OCTETS - 1;
  const octets: number[] = [];
  for (let index = first; index <= last; index++) {
    const octet = octetOf(scan.codes, groups, index);
    if (octet < 0 || (index > first && groups.joints[index] !== DOT)) return;
    octets.push(octet);
  }
  scan.steps += groups.ends[last]! - groups.starts[first]!;
  const goesOn = groups.isJoined(last + 1) && groups.joints[last + 1] === DOT;
  if (goesOn || groups.joints[first] === DOT || !isOfSomebody(octets)) return;
  const start = groups.starts[first] ?? 0;
  const end = groups.ends[last] ?? 0;
  if (isLetter(scan.codes[start - 1] ?? NOTHING) || isLetter(scan.codes[end] ?? NOTHING)) return;
  if (isProduct(scan.codes, start)) return;
  if (scan.words.contexts.version.distance(start, end, VERSION_BEFORE, 0) !== Infinity) return;
  report(scan, 'ip', { start, end }, SURENESS.high, 'IPv4 address');
}

const SLASH = 0x2f;
const MAX_PRODUCT = 24;

/** `Chrome/10.1.2.3`: a product and its version. In a path another slash stands before the word. */
function isProduct(codes: Uint8Array, start: number): boolean {
  if (codes[start - 1] !== SLASH || !isLetter(codes[start - 2] ?? NOTHING)) return false;
  let at = start - 2;
  while (start - at < MAX_PRODUCT && isLetter(codes[at] ?? NOTHING)) at -= 1;
  return codes[at] !== SLASH;
}

/** -1: none. */
function octetOf(codes: Uint8Array, groups: DigitGroups, index: number): number {
  const start = groups.starts[index] ?? 0;
  const length = groups.length(index);
  if (length > 3 || (length > 1 && codes[start] === 0x30)) return -1;
  let value = 0;
  for (let at = start; at < start + length; at++) value = value * 10 + (codes[at] as number) - 0x30;
  return value <= 255 ? value : -1;
}

/** Not a loopback, a mask, a broadcast or nothing. */
function isOfSomebody([first = 0]: readonly number[]): boolean {
  return first !== 0 && first !== 127 && first !== 255;
}

const V6_GROUPS = 8;

export function findIpV6(scan: Scan): void {
  const { codes } = scan;
  let from = 0;
  for (let at = codes.indexOf(COLON); at !== -1; at = codes.indexOf(COLON, from)) {
    let start = at;
    while (start > from && isV6Code(codes[start - 1] as number)) start -= 1;
    let end = at + 1;
    while (end < codes.length && isV6Code(codes[end] as number)) end += 1;
    scan.steps += end - start;
    if (end - start >= 6) reportV6(scan, start, end);
    from = end;
  }
}

const isV6Code = (code: number): boolean => code === COLON || code === DOT || hexValue(code) >= 0;

function reportV6(scan: Scan, from: number, to: number): void {
  const { codes } = scan;
  if (isWordCode(codes[from - 1] ?? NOTHING) || isWordCode(codes[to] ?? NOTHING)) return;
  let start = from;
  let end = to;
  // Punctuation of the text around: "address: 2001:db8::1."
  while (end > start && (codes[end - 1] === DOT || (codes[end - 1] === COLON && codes[end - 2] !== COLON)))
    end -= 1;
  while (start < end && (codes[start] === DOT || (codes[start] === COLON && codes[start + 1] !== COLON)))
    start += 1;
  if (end - start <= 45 && isV6(codes, start, end))
    report(scan, 'ip', { start, end }, SURENESS.high, 'IPv6 address');
}

function isV6(codes: Uint8Array, start: number, end: number): boolean {
  let groups = 0;
  let digits = 0;
  let numbers = 0;
  let gaps = 0;
  for (let at = start; at < end; at++) {
    const code = codes[at] as number;
    if (code === COLON) {
      if (codes[at + 1] === COLON) {
        gaps += 1;
        at += 1;
      }
      digits = 0;
      continue;
    }
    if (code === DOT) {
      // The last 32 bits as four octets: as many groups as it counts for were begun, less one.
      return gaps + groups > 0 && gaps <= 1 && numbers > 0 && isDottedEnd(codes, at, end);
    }
    if (digits === 0) groups += 1;
    digits += 1;
    if (digits > 4) return false;
    if (isDigit(code)) numbers += 1;
  }
  if (gaps === 0) return groups === V6_GROUPS;
  // "::1" is the own machine, "be::ef" is more likely a name in a program.
  return gaps === 1 && groups < V6_GROUPS && groups >= 2 && numbers > 0;
}

function isDottedEnd(codes: Uint8Array, from: number, end: number): boolean {
  let dots = 0;
  for (let at = from; at < end; at++) {
    if (codes[at] === DOT) dots += 1;
    else if (!isDigit(codes[at] as number)) return false;
  }
  return dots === 3;
}
