/** Crockford's alphabet, lower case: no `i`, `l`, `o`, `u`, so that nothing is mistaken when it is read aloud or its case is changed. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** The alphabet in both cases, as the inside of a regular expression's class. */
export const BASE32_CLASS = '0-9a-hjkmnp-tv-zA-HJKMNP-TV-Z';

/** The first `5 × characters` bits of `bytes`, which must have them. */
export function encodeBase32(bytes: Uint8Array, characters: number): string {
  let text = '';
  let bits = 0;
  let held = 0;
  let next = 0;
  for (let made = 0; made < characters; made += 1) {
    if (held < 5) {
      bits = ((bits & 0x1f) << 8) | bytes[next]!;
      next += 1;
      held += 8;
    }
    held -= 5;
    text += ALPHABET[(bits >>> held) & 0x1f]!;
  }
  return text;
}
