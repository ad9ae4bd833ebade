/** A string with its quotes, or a number, in a JSON text. */
export interface JsonToken {
  readonly start: number;
  readonly end: number;
}

const NUMBER = /-?\d[\d.eE+-]*/y;

/** The strings (names of members too) and numbers of a JSON text that the server has checked, in order. One pass. */
export function* eachJsonToken(text: string): Generator<JsonToken> {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      const end = endOfString(text, at);
      yield { start: at, end };
      at = end - 1;
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      NUMBER.lastIndex = at;
      const length = NUMBER.exec(text)?.[0].length ?? 1;
      yield { start: at, end: at + length };
      at += length - 1;
    }
  }
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code === 0x5c) at += 1;
  }
  return text.length;
}
