/** Keys and tokens of known issuers: how they go on behind the text that they begin with. */
import { NOTHING, isDigit, isLetter } from './characters.ts';
import { TOKEN_PREFIXES } from './word-list.ts';

export interface TokenShape {
  readonly what: string;
  /** Codes behind the prefix: at least so many. */
  readonly min: number;
  readonly max: number;
  /** What it is made of. */
  readonly alphabet: Uint8Array;
}

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const DIGITS = '0123456789';
const ALPHANUMERIC = `${UPPER}${UPPER.toLowerCase()}${DIGITS}`;

function alphabet(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

const PLAIN = alphabet(ALPHANUMERIC);
const WITH_UNDERSCORE = alphabet(`${ALPHANUMERIC}_`);
const WITH_DASH = alphabet(`${ALPHANUMERIC}-`);
const URL_SAFE = alphabet(`${ALPHANUMERIC}_-`);
const WITH_DOT = alphabet(`${ALPHANUMERIC}_-.`);
const PATH = alphabet(`${ALPHANUMERIC}/`);
const UPPER_NUMBER = alphabet(UPPER + DIGITS);
/** Base64 in either form, with padding. */
export const BASE64 = alphabet(`${ALPHANUMERIC}_-+/=`);

const MAX = 4096;

const shape = (what: string, table: Uint8Array, min: number, max: number = MAX): TokenShape => ({
  what,
  min,
  max,
  alphabet: table,
});

const AWS = shape('AWS access key id', UPPER_NUMBER, 16, 16);
const GITHUB = shape('GitHub token', PLAIN, 36);
const SLACK = shape('Slack token', WITH_DASH, 10);
const STRIPE = shape('Stripe key', PLAIN, 16);
const SHOPIFY = shape('Shopify token', PLAIN, 32);

const SHAPES: Readonly<Record<(typeof TOKEN_PREFIXES)[number], TokenShape>> = {
  AKIA: AWS,
  ASIA: AWS,
  ABIA: AWS,
  ACCA: AWS,
  AGPA: AWS,
  AIDA: AWS,
  AROA: AWS,
  ghp_: GITHUB,
  gho_: GITHUB,
  ghu_: GITHUB,
  ghs_: GITHUB,
  ghr_: GITHUB,
  github_pat_: shape('GitHub token', WITH_UNDERSCORE, 22),
  'glpat-': shape('GitLab token', WITH_DOT, 20),
  'xoxb-': SLACK,
  'xoxp-': SLACK,
  'xoxa-': SLACK,
  'xoxr-': SLACK,
  'xoxs-': SLACK,
  'xoxe-': SLACK,
  'xapp-': SLACK,
  sk_live_: STRIPE,
  sk_test_: STRIPE,
  rk_live_: STRIPE,
  rk_test_: STRIPE,
  whsec_: shape('webhook secret', BASE64, 24),
  'sk-': shape('API key', URL_SAFE, 20),
  AIza: shape('Google API key', URL_SAFE, 35, 35),
  npm_: shape('npm token', PLAIN, 36),
  'pypi-': shape('PyPI token', URL_SAFE, 50),
  'SG.': shape('SendGrid key', WITH_DOT, 60),
  shpat_: SHOPIFY,
  shpss_: SHOPIFY,
  hf_: shape('Hugging Face token', PLAIN, 30),
  dop_v: shape('DigitalOcean token', WITH_UNDERSCORE, 60),
  'AGE-SECRET-KEY-': shape('age secret key', WITH_DASH, 50),
  eyJ: shape('JSON Web Token', WITH_DOT, 30),
  'GOCSPX-': shape('Google client secret', URL_SAFE, 28, 28),
  'hvs.': shape('Vault token', URL_SAFE, 24),
  'hooks.slack.com/services/': shape('Slack webhook', PATH, 20),
  lin_api_: shape('Linear key', PLAIN, 32),
  'sq0csp-': shape('Square secret', URL_SAFE, 40),
  EAAA: shape('Square token', URL_SAFE, 56),
  'key-': shape('Mailgun key', PLAIN, 32, 32),
  'ya29.': shape('Google token', WITH_DOT, 30),
};

const BY_PREFIX: readonly TokenShape[] = TOKEN_PREFIXES.map((prefix) => SHAPES[prefix]);

/** Of a run of one alphabet: where it ends, and the dots in it. */
interface Run {
  readonly from: number;
  readonly end: number;
  readonly dots: readonly number[];
}

const DOT = 0x2e;
/** Tokens have a digit in so many characters. */
const DIGIT_REACH = 64;

/** The tokens of one text, asked from left to right: a run in which many tokens could begin is walked through once. */
export class TokenReader {
  readonly #codes: Uint8Array;
  /** Where there is no digit: seen already. */
  readonly #plain = { from: 0, to: 0 };
  readonly #runs = new Map<Uint8Array, Run>();
  /** How many codes were looked at. */
  steps = 0;

  constructor(codes: Uint8Array) {
    this.#codes = codes;
  }

  /** The token whose prefix, of this number, stands at `start` to `end`; undefined if it is none. */
  read(
    prefix: number,
    start: number,
    end: number,
  ): { readonly end: number; readonly what: string } | undefined {
    const shape = BY_PREFIX[prefix];
    const text = TOKEN_PREFIXES[prefix] ?? '';
    this.steps += 1;
    if (shape === undefined || !isExactly(this.#codes, start, text)) return undefined;
    const close = this.#endOf(shape, text, start, end);
    return close === -1 ? undefined : { end: close, what: shape.what };
  }

  #endOf(shape: TokenShape, prefix: string, start: number, end: number): number {
    const run = this.#runOf(shape.alphabet, end);
    const length = run.end - end;
    if (length < shape.min) return -1;
    if (shape.max < MAX) {
      const behind = this.#codes[end + shape.max] ?? NOTHING;
      const goesOn = length > shape.max && (isLetter(behind) || isDigit(behind));
      if (goesOn) return -1;
    }
    const close = Math.min(run.end, end + shape.max);
    if (prefix === 'eyJ') return endOfJwt(run, start);
    return NEEDS_DIGIT.has(prefix) && !this.#hasDigit(end, close) ? -1 : close;
  }

  #runOf(alphabet: Uint8Array, from: number): Run {
    const known = this.#runs.get(alphabet);
    if (known !== undefined && known.from <= from && from <= known.end) return known;
    const dots: number[] = [];
    let at = from;
    while (at < this.#codes.length && alphabet[this.#codes[at] as number] === 1) {
      if (this.#codes[at] === DOT) dots.push(at);
      at += 1;
    }
    this.steps += at - from;
    const run = { from, end: at, dots };
    this.#runs.set(alphabet, run);
    return run;
  }

  #hasDigit(start: number, end: number): boolean {
    const to = Math.min(end, start + DIGIT_REACH);
    let at = start;
    if (this.#plain.from <= start && start <= this.#plain.to) at = this.#plain.to;
    else this.#plain.from = start;
    const from = at;
    while (at < to && !isDigit(this.#codes[at] as number)) at += 1;
    this.steps += Math.max(0, at - from);
    this.#plain.to = Math.max(at, from);
    return at < to;
  }
}

/** Words and names of files begin so too. */
const NEEDS_DIGIT: ReadonlySet<string> = new Set(['sk-', 'EAAA', 'key-', 'hf_']);

/** The words are found whatever their case; a prefix is not one of a token in another. */
function isExactly(codes: Uint8Array, start: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (codes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

const MIN_HEADER = 12;
const MIN_PAYLOAD = 4;

/** Three parts; the first two at least as long as the shortest object in base64. What is encrypted has five, and an empty or short second one. */
function endOfJwt({ end, dots }: Run, start: number): number {
  const index = firstAtLeast(dots, start);
  const [first, second, third] = [dots[index], dots[index + 1], dots[index + 2]];
  if (first === undefined || second === undefined || first - start < MIN_HEADER) return -1;
  const isEncrypted = dots[index + 3] !== undefined;
  if (isEncrypted) return dots[index + 4] ?? end;
  return second - first > MIN_PAYLOAD ? (third ?? end) : -1;
}

/** Index of the first that is not less, of ascending numbers. */
function firstAtLeast(numbers: readonly number[], least: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
