const STAR = 0x2a;
/** Everything but ASCII punctuation and white space counts as a letter or digit: what is not known to separate is hidden. */
const isSeparator = (code: number): boolean =>
  code < 0x80 &&
  !(
    (code >= 0x30 && code <= 0x39) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x61 && code <= 0x7a) ||
    code < 0x09 ||
    code === 0x7f
  );

/**
 * All but the last `count` letters and digits as `*`; punctuation and spaces stay. Undefined where that would show half of it or more: a value needs twice as
 * many letters and digits as are shown.
 */
export function keepLast(text: string, count: number): string | undefined {
  const characters = Array.from(text);
  let hidden = characters.filter((character) => !isSeparator(character.codePointAt(0)!)).length - count;
  if (hidden < Math.max(count, 1)) return undefined;
  let masked = '';
  for (const character of characters) {
    const hides = hidden > 0 && !isSeparator(character.codePointAt(0)!);
    masked += hides ? '*' : character;
    if (hides) hidden -= 1;
  }
  return masked;
}

/** 1 for what counts as a letter or digit, by byte. */
const COUNTS = Uint8Array.from({ length: 0x80 }, (_, code) => (isSeparator(code) ? 0 : 1));

/** The same over UTF-8 bytes. Undefined also where they are not all ASCII: then the text has to be looked at. */
export function keepLastOfAscii(bytes: Uint8Array, count: number): Buffer | undefined {
  let hidden = -count;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (byte >= 0x80) return undefined;
    hidden += COUNTS[byte]!;
  }
  if (hidden < Math.max(count, 1)) return undefined;
  const masked = Buffer.allocUnsafe(bytes.length);
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    const hides = hidden > 0 && COUNTS[byte] === 1;
    masked[at] = hides ? STAR : byte;
    if (hides) hidden -= 1;
  }
  return masked;
}
