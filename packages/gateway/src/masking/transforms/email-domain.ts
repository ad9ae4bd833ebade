const DOMAIN = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/i;

/** `***@example.com`: the part before the `@` disappears with its length. Undefined: it is not one address and nothing else. */
export function emailDomain(text: string): string | undefined {
  const address = text.trim();
  const at = address.indexOf('@');
  const domain = address.slice(at + 1);
  if (at < 1 || !domain.includes('.') || !DOMAIN.test(domain)) return undefined;
  return `***@${domain}`;
}

const AT = 0x40;
const DOT = 0x2e;
const HYPHEN = 0x2d;
const BLANK = 0x20;
const MAX_DOMAIN_BYTES = 253;
const HIDDEN = '***@';

const isAlphanumeric = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);

/** The last that was made: addresses of one column often have few domains. */
let last = Buffer.alloc(0);

/**
 * The same over UTF-8 bytes. Undefined also where it takes a closer look: white space around it, a character that is not ASCII. What it returns may be one buffer for
 * many values.
 */
export function emailDomainOfAscii(bytes: Uint8Array): Buffer | undefined {
  const at = positionOfDomain(bytes);
  if (at === undefined) return undefined;
  const length = bytes.length - at;
  if (last.length !== HIDDEN.length + length || !endsAlike(last, bytes, length)) {
    last = Buffer.allocUnsafeSlow(HIDDEN.length + length);
    last.write(HIDDEN, 'latin1');
    last.set(bytes.subarray(at), HIDDEN.length);
  }
  return last;
}

function positionOfDomain(bytes: Uint8Array): number | undefined {
  let from = 0;
  while (from < bytes.length && bytes[from] !== AT) {
    if (bytes[from]! >= 0x80) return undefined;
    from += 1;
  }
  from += 1;
  const length = bytes.length - from;
  if (from < 2 || length < 1 || length > MAX_DOMAIN_BYTES || bytes[0]! <= BLANK) return undefined;
  if (!isAlphanumeric(bytes[from]!) || !isAlphanumeric(bytes[bytes.length - 1]!)) return undefined;
  let hasDot = false;
  for (let at = from; at < bytes.length; at += 1) {
    const code = bytes[at]!;
    if (code === DOT) hasDot = true;
    else if (code !== HYPHEN && !isAlphanumeric(code)) return undefined;
  }
  return hasDot ? from : undefined;
}

function endsAlike(one: Uint8Array, other: Uint8Array, length: number): boolean {
  for (let back = 1; back <= length; back += 1) {
    if (one[one.length - back] !== other[other.length - back]) return false;
  }
  return true;
}
