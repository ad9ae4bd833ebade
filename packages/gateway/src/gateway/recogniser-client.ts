/**
 * Asks a service that speaks the analyzer protocol of Presidio: `POST {text, language}` answers `[{entity_type, start, end, score}]`, with places in code points.
 * It fails closed: a text that it did not answer about, in time and in that form, is taken as found as a whole.
 */
import type { ClassName } from '../masking/rules.ts';
import { ANY_CLASS } from '../masking/rules.ts';
import type { Finding } from '../masking/detectors/finding.ts';
import { everythingIn } from '../masking/detectors/recogniser.ts';
import type { Recogniser } from '../masking/detectors/recogniser.ts';

export interface RecogniserOptions {
  /** Where it answers, path included. */
  readonly url: string;
  /** Longest wait for the answer about one text. */
  readonly timeoutMs: number;
  /** Language of the texts, ISO 639-1. Default `en`. */
  readonly language?: string;
  /** Less sure findings are left out, 0 to 1. Default 0.5. */
  readonly minScore?: number;
}

const DEFAULT_MIN_SCORE = 0.5;
/** Requests under way at a time. */
const CONCURRENCY = 4;
/** A longer answer is none. */
const MAX_ANSWER_BYTES = 8 * 1_048_576;

/** What each entity is here. What is not listed is regulated, of a class that nobody knows. */
const CLASS_OF_ENTITY: ReadonlyMap<string, ClassName> = new Map([
  ['US_SSN', 'ssn'],
  ['US_ITIN', 'ssn'],
  ['CREDIT_CARD', 'pan'],
  ['US_BANK_NUMBER', 'account_number'],
  ['IBAN_CODE', 'account_number'],
  ['ABA_ROUTING_NUMBER', 'account_number'],
  ['CRYPTO', 'account_number'],
  ['EMAIL_ADDRESS', 'email'],
  ['PHONE_NUMBER', 'phone'],
  ['PERSON', 'name'],
  ['LOCATION', 'address'],
  ['IP_ADDRESS', 'ip'],
]);

/** What says nothing of a person by itself. */
const HARMLESS: ReadonlySet<string> = new Set(['DATE_TIME', 'URL', 'ORGANIZATION']);

const ENTITY_NAME = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Opens nothing until it is asked. `find` never rejects. */
export function openRecogniser(options: RecogniserOptions): Recogniser {
  return {
    find: async (texts) => {
      const answers: (readonly Finding[])[] = [];
      let next = 0;
      const work = async (): Promise<void> => {
        for (let index = next++; index < texts.length; index = next++) {
          answers[index] = await ask(texts[index] ?? '', options);
        }
      };
      await Promise.all(Array.from({ length: Math.min(CONCURRENCY, texts.length) }, work));
      return answers;
    },
  };
}

async function ask(text: string, options: RecogniserOptions): Promise<readonly Finding[]> {
  if (text.trim() === '') return [];
  let answer: unknown;
  try {
    answer = await post(text, options);
  } catch (error) {
    const isLate = error instanceof DOMException && error.name === 'TimeoutError';
    return everythingIn(
      text,
      isLate ? 'the recogniser did not answer in time' : 'the recogniser cannot be asked',
    );
  }
  return (
    findingsOf(text, answer, options.minScore ?? DEFAULT_MIN_SCORE) ??
    everythingIn(text, 'the recogniser gave another answer than it should')
  );
}

/** Throws whatever goes wrong. */
async function post(text: string, { url, timeoutMs, language = 'en' }: RecogniserOptions): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    // A redirect would carry the text to somebody else.
    redirect: 'error',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ text, language }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error('no answer');
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new Error('too long');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

interface Entity {
  readonly entity_type: string;
  readonly start: number;
  readonly end: number;
  readonly score: number;
}

function isEntity(value: unknown): value is Entity {
  if (typeof value !== 'object' || value === null) return false;
  const { entity_type: type, start, end, score } = value as Record<string, unknown>;
  return (
    typeof type === 'string' &&
    ENTITY_NAME.test(type) &&
    typeof score === 'number' &&
    Number.isInteger(start) &&
    Number.isInteger(end)
  );
}

/** Undefined: it is not an answer about this text. */
function findingsOf(text: string, answer: unknown, minScore: number): readonly Finding[] | undefined {
  if (!Array.isArray(answer)) return undefined;
  const places = placesOf(text);
  const found: Finding[] = [];
  for (const entity of answer as readonly unknown[]) {
    if (!isEntity(entity)) return undefined;
    const start = places[entity.start];
    const end = places[entity.end];
    if (start === undefined || end === undefined || start >= end) return undefined;
    if (!(entity.score >= minScore) || HARMLESS.has(entity.entity_type)) continue;
    found.push({
      class: CLASS_OF_ENTITY.get(entity.entity_type) ?? ANY_CLASS,
      kind: 'recognised',
      start,
      end,
      why: `the recogniser says ${entity.entity_type}`,
      confidence: Math.min(1, entity.score),
    });
  }
  return found;
}

/** Where each code point begins, in UTF-16 units, and where the last one ends. */
function placesOf(text: string): readonly number[] {
  const places: number[] = [];
  for (let at = 0; at < text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) places.push(at);
  places.push(text.length);
  return places;
}
