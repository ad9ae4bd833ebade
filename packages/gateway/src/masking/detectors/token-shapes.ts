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

/** Behind the token whose prefix, of this number, stands at `start` to `end`; -1 if it is none. `steps`: how many codes were looked at. */
export function endOfToken(
  codes: Uint8Array,
  prefix: number,
  start: number,
  end: number,
): { readonly end: number; readonly what: string; readonly steps: number } {
  const shape = BY_PREFIX[prefix];
  const text = TOKEN_PREFIXES[prefix] ?? '';
  if (shape === undefined || !isExactly(codes, start, text)) return { end: -1, what: '', steps: text.length };
  let at = end;
  const limit = Math.min(codes.length, end + shape.max);
  while (at < limit && shape.alphabet[codes[at] as number] === 1) at += 1;
  const steps = at - start;
  const behind = codes[at] ?? NOTHING;
  const goesOn = isLetter(behind) || isDigit(behind);
  const isOne = at - end >= shape.min && !(goesOn && shape.max < MAX) && isFormed(codes, text, start, at);
  return { end: isOne ? at : -1, what: shape.what, steps };
}

/** The words are found whatever their case; a prefix is not one of a token in another. */
function isExactly(codes: Uint8Array, start: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (codes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

/** What the alphabet alone does not say. */
function isFormed(codes: Uint8Array, prefix: string, start: number, end: number): boolean {
  switch (prefix) {
    case 'eyJ':
      return isJwt(codes, start, end);
    case 'sk-':
    case 'EAAA':
    case 'key-':
    case 'hf_':
      // Words and names of files begin so too.
      return hasDigit(codes, start + prefix.length, end);
    default:
      return true;
  }
}

function hasDigit(codes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (isDigit(codes[at] as number)) return true;
  return false;
}

/** Three parts (the last may be empty), or five if it is encrypted; the first two at least as long as the shortest object in base64. */
function isJwt(codes: Uint8Array, start: number, end: number): boolean {
  const parts: number[] = [];
  let from = start;
  for (let at = start; at <= end; at++) {
    if (at < end && codes[at] !== 0x2e) continue;
    parts.push(at - from);
    from = at + 1;
    if (parts.length > 5) return false;
  }
  const [header = 0, payload = 0] = parts;
  return parts.length >= 3 && header >= 12 && (payload >= 4 || parts.length === 5);
}
