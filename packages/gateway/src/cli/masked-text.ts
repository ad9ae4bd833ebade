/** What masking would do to a text, shown: `countersign mask try`. */
import { randomBytes } from 'node:crypto';

import { createDetectors } from '../masking/detectors/detectors.ts';
import type { Finding } from '../masking/detectors/finding.ts';
import type { Recogniser } from '../masking/detectors/recogniser.ts';
import { settle } from '../masking/detectors/settle.ts';
import { deriveMaskingKeys, MIN_SECRET_BYTES } from '../masking/derive-keys.ts';
import type { ClassName, MaskingRules, Transform } from '../masking/rules.ts';
import { transformText } from '../masking/transforms/transform-text.ts';

export interface MaskedPiece {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** UTF-16 units of the text. */
  readonly start: number;
  readonly end: number;
  readonly class: ClassName;
  readonly transform: string;
  readonly why: string;
  readonly confidence: number;
  /** What would stand there; null: NULL. */
  readonly result: string | null;
}

export interface MaskedText {
  readonly pieces: readonly MaskedPiece[];
  /** The text with all pieces replaced; a NULL is the empty text. */
  readonly text: string;
}

export interface MaskTextOptions {
  readonly rules: MaskingRules;
  /** Each line is a value of this class. Undefined: only what is found is masked. */
  readonly class?: ClassName | undefined;
  /** Instead of that of the class. */
  readonly transform?: Transform | undefined;
  readonly recogniser?: Recogniser | undefined;
}

/** The scope that tokens are made for: no grant has it. */
const SCOPE = 'mask-try';

/** Keys are made for this one text: what is shown here is no value of the gateway's. */
export async function maskText(text: string, options: MaskTextOptions): Promise<MaskedText> {
  const keys = deriveMaskingKeys(randomBytes(MIN_SECRET_BYTES));
  const context = { keys, scope: SCOPE };
  const found =
    options.class === undefined ? await find(text, options) : wholeLines(text, options.class, options);
  const places = new Places(text);
  const pieces: MaskedPiece[] = [];
  let masked = '';
  let from = 0;
  for (const { class: name, start, end, why, confidence } of found) {
    const transform = options.transform ?? transformOf(name, options.rules);
    const result = transformText(text.slice(start, end), transform, name, context);
    pieces.push({
      ...places.at(start),
      start,
      end,
      class: name,
      transform: describeTransform(transform),
      why,
      confidence,
      result,
    });
    masked += text.slice(from, start) + (result ?? '');
    from = end;
  }
  return { pieces, text: masked + text.slice(from) };
}

async function find(text: string, { recogniser }: MaskTextOptions): Promise<readonly Finding[]> {
  const own = createDetectors().find(text);
  if (recogniser === undefined) return own;
  const [others = []] = await recogniser.find([text]);
  return settle([...own, ...others], 0);
}

/** A value of class `free_text`, or of any whose transform is `detect`, is read; any other is masked as a whole. */
function wholeLines(text: string, name: ClassName, options: MaskTextOptions): readonly Finding[] {
  const transform = options.transform ?? transformOf(name, options.rules);
  if (transform.kind === 'detect') return createDetectors().find(text);
  const found: Finding[] = [];
  let start = 0;
  for (const line of text.split('\n')) {
    const end = start + (line.endsWith('\r') ? line.length - 1 : line.length);
    const why = `a value of class ${name}`;
    if (end > start) found.push({ class: name, kind: 'recognised', start, end, why, confidence: 1 });
    start += line.length + 1;
  }
  return found;
}

const transformOf = (name: ClassName, rules: MaskingRules): Transform =>
  rules.classes.get(name)?.transform ?? { kind: 'redact' };

/** As configuration says it: `keep-last 4`, `bucket month`. */
export function describeTransform(transform: Transform): string {
  if (transform.kind === 'keep-last') return `keep-last ${transform.count}`;
  return transform.kind === 'bucket' ? `bucket ${transform.size}` : transform.kind;
}

/** Lines and columns, asked in order. */
class Places {
  readonly #text: string;
  #line = 1;
  #lineStart = 0;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  at(place: number): { readonly line: number; readonly column: number } {
    for (;;) {
      const end = this.#text.indexOf('\n', this.#at);
      if (end === -1 || end >= place) break;
      this.#line += 1;
      this.#lineStart = end + 1;
      this.#at = end + 1;
    }
    // Characters, not units: one of four bytes is one column.
    let column = 1;
    for (let at = this.#lineStart; at < place; column++) {
      at += (this.#text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
    }
    return { line: this.#line, column };
  }
}
