/**
 * Marks: the texts that we put in the place of values and know again wherever they come back. They are printable ASCII without quotes, backslashes, commas,
 * braces and white space, so they survive JSON, CSV, COPY, XML and array literals as they are.
 *
 *     [ssn:xr bbbbbb tttttttttttttt]               a redaction: the same for every value of the class
 *     [ssn:xt bbbbbbbbbbbbbbb tttttttttttttt]      a token: the same for equal values of a class under one scope
 *     xxxxxxxx-xxxx-8xxx-[89ab]xxx-xxxxxxxxxxxx    a token of a uuid: RFC 9562, version 8: 58 bits, then 64
 *
 * (without the spaces). The first part is pseudorandom: a MAC of the class, or of class, scope and value. The tag is a block of AES over it. Whatever carries
 * a tag that fits was made here; by accident one candidate in 2^70 does (of uuids of version 8 one in 2^64). A token cannot be turned back into its value, not
 * even with the keys; only guesses can be tried with them. 2^37 different values of a class (uuids: 2^29) are likely to have two with the same token.
 */
import { createCipheriv } from 'node:crypto';
import type { MaskingKeys } from '../keys.ts';
import type { ClassName } from '../rules.ts';
import { encodeBase32 } from './base32.ts';
import { framed, KeyedHash } from './keyed-hash.ts';

export const REDACTION_MARK = 'xr';
export const TOKEN_MARK = 'xt';
export const REDACTION_BODY = 6;
export const TOKEN_BODY = 15;
export const TAG_CHARACTERS = 14;
/** `[`, a class of 32 characters, `:`, the mark, body, tag and `]`. */
export const LONGEST_MARK = 1 + 32 + 1 + 2 + TOKEN_BODY + TAG_CHARACTERS + 1;

/** What a tag is for: one key makes those of all, so each says its kind. */
type TagKind = 'r' | 't' | 'u';

const AES_BLOCK = 16;
/** There are as many redactions as classes; what is beyond is made each time. */
const MAX_KEPT = 4_096;

/** Makes marks under one set of keys: `marksOf` has it. */
export class Marks {
  readonly #token: KeyedHash;
  readonly #redaction: KeyedHash;
  readonly #tags;
  readonly #redactions = new Map<ClassName, string>();

  constructor(keys: MaskingKeys) {
    this.#token = new KeyedHash(keys.token.subarray(0, 32));
    this.#redaction = new KeyedHash(keys.redaction);
    this.#tags = createCipheriv('aes-256-ecb', keys.token.subarray(32, 64), null).setAutoPadding(false);
  }

  redaction(className: ClassName): string {
    let text = this.#redactions.get(className);
    if (text === undefined) {
      const body = encodeBase32(this.#redaction.digest(framed('redaction', className)), REDACTION_BODY);
      text = `[${className}:${REDACTION_MARK}${body}${this.tag('r', body)}]`;
      if (this.#redactions.size < MAX_KEPT) this.#redactions.set(className, text);
    }
    return text;
  }

  token(className: ClassName, scope: string, value: string): string {
    const body = encodeBase32(this.#token.digest(framed('text', className, scope, value)), TOKEN_BODY);
    return `[${className}:${TOKEN_MARK}${body}${this.tag('t', body)}]`;
  }

  /** @param uuid in one form for equal values */
  uuidToken(className: ClassName, scope: string, uuid: string): Buffer {
    const body = this.#token.digest(framed('uuid', className, scope, uuid)).readBigUInt64BE() >> 6n;
    return uuidOfParts(body, this.#uuidTag(body));
  }

  /** @param body base 32, lower case, at most 15 characters */
  tag(kind: TagKind, body: string): string {
    const block = Buffer.alloc(AES_BLOCK);
    block.write(kind + body, 'latin1');
    return encodeBase32(this.#tags.update(block), TAG_CHARACTERS);
  }

  /** @param uuid 16 bytes */
  isUuidToken(uuid: Buffer): boolean {
    const { body, tag } = partsOfUuid(uuid);
    return this.#uuidTag(body) === tag;
  }

  #uuidTag(body: bigint): bigint {
    const block = Buffer.alloc(AES_BLOCK);
    block.write('u', 'latin1');
    block.writeBigUInt64BE(body, 1);
    return this.#tags.update(block).readBigUInt64BE();
  }
}

const kept = new WeakMap<MaskingKeys, Marks>();

/** One for each set of keys, which is made once at the start. */
export function marksOf(keys: MaskingKeys): Marks {
  let marks = kept.get(keys);
  if (marks === undefined) kept.set(keys, (marks = new Marks(keys)));
  return marks;
}

/** 122 bits around version (48…51) and variant (64, 65): 48 and 10 of the body, 2 and 62 of the tag. */
function uuidOfParts(body: bigint, tag: bigint): Buffer {
  const uuid = Buffer.alloc(AES_BLOCK);
  const high = ((body >> 10n) << 16n) | 0x8000n | ((body & 0x3ffn) << 2n) | (tag >> 62n);
  uuid.writeBigUInt64BE(high);
  uuid.writeBigUInt64BE((0b10n << 62n) | (tag & ((1n << 62n) - 1n)), 8);
  return uuid;
}

function partsOfUuid(uuid: Buffer): { body: bigint; tag: bigint } {
  const high = uuid.readBigUInt64BE();
  const low = uuid.readBigUInt64BE(8);
  const body = ((high >> 16n) << 10n) | ((high >> 2n) & 0x3ffn);
  return { body, tag: ((high & 3n) << 62n) | (low & ((1n << 62n) - 1n)) };
}
