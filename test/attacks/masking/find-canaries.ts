/**
 * Looks for regulated values in bytes: any five consecutive characters of one, upper or lower, reversed, with anything put between them, escaped for URLs or JSON, as hexadecimal
 * or base64 digits at any alignment, one such coat over another, and numbers, dates and bytes as the binary formats have them.
 */
import type { Canary } from './canaries.ts';

const WINDOW = 5;
const BYTES_WINDOW = 4;
/** Coats that are taken off one after the other. */
const MOST_COATS = 2;

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
const reversed = (text: string): string => Array.from(text).toReversed().join('');
const bare = (text: string): string => text.replaceAll(/[^0-9a-z\u0080-\u00ff]/gu, '');

const isHex = /(?:[0-9a-f]{2}){4,}/giu;
const isBase64 = /[A-Za-z0-9+/_-]{8,}/gu;

/** What a text may be a coat of: each as latin1. */
function undressed(text: string): readonly string[] {
  const found: string[] = [];
  for (const [run] of text.matchAll(isHex)) {
    found.push(
      Buffer.from(run, 'hex').toString('latin1'),
      Buffer.from(run.slice(1), 'hex').toString('latin1'),
    );
  }
  // base64 as PostgreSQL writes it has line ends.
  for (const [run] of text.replaceAll(/[\r\n]/gu, '').matchAll(isBase64)) {
    for (const start of [0, 1, 2, 3]) found.push(Buffer.from(run.slice(start), 'base64').toString('latin1'));
  }
  if (text.includes('%')) {
    found.push(
      text.replaceAll(/%([0-9a-f]{2})/giu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    );
  }
  if (text.includes('\\')) {
    found.push(
      text
        .replaceAll(/\\u([0-9a-f]{4})/giu, (_, hex: string) =>
          latin1(String.fromCharCode(Number.parseInt(hex, 16))),
        )
        .replaceAll(/\\([0-7]{3})/gu, (_, octal: string) =>
          String.fromCharCode(Number.parseInt(octal, 8) & 255),
        )
        .replaceAll(/\\(.)/gu, '$1'),
    );
  }
  if (/&(?:quot|amp|lt|gt|#)/u.test(text)) {
    found.push(
      text
        .replaceAll('&quot;', '"')
        .replaceAll(/&#x([0-9a-f]+);/giu, (_, hex: string) =>
          latin1(String.fromCodePoint(Number.parseInt(hex, 16))),
        ),
    );
  }
  return found;
}

export interface Sighting {
  readonly column: string;
  /** What of it was seen. */
  readonly what: string;
}

/** Texts of one length and what they belong to. */
class Windows {
  readonly #length: number;
  readonly #columns = new Map<string, string>();
  /** By the first two characters: most places of a text need no second look. */
  readonly #starts = new Uint8Array(65_536);

  constructor(length: number) {
    this.#length = length;
  }

  add(window: string, column: string): void {
    this.#columns.set(window, column);
    this.#starts[(window.charCodeAt(0) << 8) | window.charCodeAt(1)] = 1;
  }

  find(text: string, found: (column: string, window: string) => void): void {
    for (let start = 0; start + this.#length <= text.length; start += 1) {
      if (this.#starts[((text.charCodeAt(start) & 255) << 8) | (text.charCodeAt(start + 1) & 255)] === 0)
        continue;
      const window = text.slice(start, start + this.#length);
      const column = this.#columns.get(window);
      if (column !== undefined) found(column, window);
    }
  }
}

/** What is worth taking another coat off. */
function looksDressed(text: string): boolean {
  let plain = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if ((code >= 32 && code < 127) || code === 10 || code === 13) plain += 1;
  }
  return text.length >= 8 && plain > text.length * 0.9;
}

export interface Received {
  /** Contents of messages, in every way in which they can be read. */
  readonly pieces: readonly Buffer[];
  /** Bytes as they came, looked at as they are. */
  readonly raw?: Buffer | undefined;
}

export class CanaryFinder {
  readonly #texts = new Windows(WINDOW);
  readonly #bytes = new Windows(BYTES_WINDOW);
  readonly #wholes = new Map<string, string>();

  constructor(canaries: readonly Canary[]) {
    for (const { column, texts, wholes = [], bytes = [] } of canaries) {
      for (const text of texts) this.#addText(column, text);
      for (const whole of wholes) this.#wholes.set(latin1(whole).toLowerCase(), column);
      for (const part of bytes) this.#addBytes(column, part);
    }
  }

  #addText(column: string, text: string): void {
    const plain = latin1(text).toLowerCase();
    for (const form of [plain, latin1(reversed(text)).toLowerCase(), bare(plain), reversed(bare(plain))]) {
      for (let start = 0; start + WINDOW <= form.length; start += 1)
        this.#texts.add(form.slice(start, start + WINDOW), column);
    }
  }

  #addBytes(column: string, bytes: Buffer): void {
    for (let start = 0; start + BYTES_WINDOW <= bytes.length; start += 1) {
      const part = bytes.subarray(start, start + BYTES_WINDOW);
      // Mostly zeros or ones, as small numbers and padding have them, tells nothing.
      const zeros = part.filter((byte) => byte === 0).length;
      if (zeros > 1 || zeros + part.filter((byte) => byte === 255).length > 2) continue;
      this.#bytes.add(part.toString('latin1'), column);
    }
  }

  #findPlain(text: string, add: (column: string, what: string) => void, isRaw = false): void {
    const lower = text.toLowerCase();
    // Between values that are put together by leaving out what separates them there are no frames of the protocol.
    for (const form of isRaw ? [lower] : [lower, bare(lower)]) this.#texts.find(form, add);
    this.#bytes.find(text, (column, what) =>
      add(column, `bytes ${Buffer.from(what, 'latin1').toString('hex')}`),
    );
    for (const [whole, column] of this.#wholes) if (lower.includes(whole)) add(column, whole);
  }

  /** Everything that could be a part of a value, by what of it was seen. Stops at the first coat under which there is something that `isNews` says is. */
  find(
    { pieces, raw }: Received,
    isNews: (what: string) => boolean = () => true,
  ): ReadonlyMap<string, Sighting> {
    const found = new Map<string, Sighting>();
    const add = (column: string, what: string): void => {
      if (!found.has(what) && isNews(what)) found.set(what, { column, what });
    };
    if (raw !== undefined) this.#findPlain(raw.toString('latin1'), add, true);
    let layer = [...new Set(pieces.map((piece) => piece.toString('latin1')))];
    for (let coats = 0; coats <= MOST_COATS && layer.length > 0 && found.size === 0; coats += 1) {
      for (const text of layer) this.#findPlain(text, add);
      const dressed = coats === 0 ? layer : layer.filter(looksDressed);
      layer = [...new Set(dressed.flatMap(undressed))].filter((text) => text.length >= BYTES_WINDOW);
    }
    return found;
  }

  /**
   * What of the values is in one answer and not in the same answer of the other database, whose values are others: what is in both is there by chance.
   * One sighting for each column at most.
   */
  findNews(received: Received, other: Received): readonly Sighting[] {
    const byChance = new Set<string>();
    for (;;) {
      const found = this.find(received, (what) => !byChance.has(what));
      if (found.size === 0) return [];
      const news = new Map(found);
      const before = byChance.size;
      for (const what of this.find(other, (each) => found.has(each)).keys()) {
        byChance.add(what);
        news.delete(what);
      }
      if (news.size > 0)
        return Array.from(new Map(Array.from(news.values(), (each) => [each.column, each])).values());
      // Deeper, where there may be more.
      if (byChance.size === before) return [];
    }
  }
}
