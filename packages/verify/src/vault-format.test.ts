import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { FormatError } from './errors.ts';
import { unwrapDataKey, wrapDataKey } from './key-wrap.ts';
import { decodeSpoolHeader, encodeSpoolHeader, openSpoolChunk, sealSpoolChunk } from './spool-format.ts';
import {
  blockBytes,
  blockFilePath,
  decodeBlockHeader,
  openBlock,
  periodOf,
  sealBlock,
  spoolPath,
  vaultEntryBytes,
  writeVaultEntry,
} from './vault-format.ts';

const SCOPE = { retentionClass: 'standard', period: '2026-11' };
const keyId = Buffer.alloc(16, 3);
const dataKey = Buffer.alloc(32, 4);

interface PlainEntry {
  readonly relativeJseq: number;
  readonly field: string;
  readonly salt: Uint8Array;
  readonly bytes: Uint8Array;
  readonly isSpool: boolean;
}

function seal(entries: readonly PlainEntry[]): Buffer {
  const plaintext = Buffer.alloc(
    entries.reduce((sum, e) => sum + vaultEntryBytes(e.field, e.bytes.length), 0),
  );
  let at = 0;
  for (const entry of entries) at = writeVaultEntry(plaintext, at, entry);
  assert.equal(at, plaintext.length);
  return sealBlock(
    { ...SCOPE, journal: 'w0', keyId, firstJseq: 100, count: entries.length },
    dataKey,
    plaintext,
  );
}

/** Flips every bit of `bytes` in turn and expects `open` to refuse each time. */
function assertEveryBitMatters(bytes: Buffer, open: (changed: Buffer) => unknown): void {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => open(changed), FormatError, `bit ${bit}`);
  }
}

describe('sealed blocks', () => {
  it('open to the entries that were sealed', () => {
    const entry = fc.record({
      relativeJseq: fc.nat(1000),
      field: fc.constantFrom('statement', 'params.0', 'peer'),
      salt: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      bytes: fc.uint8Array({ maxLength: 100 }),
      isSpool: fc.constant(false),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
        const block = seal(entries);
        assert.equal(blockBytes(block), block.length);
        const opened = openBlock(block, dataKey);
        assert.deepEqual(
          { ...opened.header, ...SCOPE, firstJseq: 100, journal: 'w0', count: entries.length },
          opened.header,
        );
        const expected = entries.map(({ bytes, field, relativeJseq, salt }) => {
          return { jseq: 100 + relativeJseq, field, salt: Buffer.from(salt), bytes: Buffer.from(bytes) };
        });
        assert.deepEqual(opened.entries, expected);
      }),
      { numRuns: 50 },
    );
  });

  it('do not open when one bit of header, content or tag changed, with another key, or cut', () => {
    const block = seal([
      {
        relativeJseq: 0,
        field: 'statement',
        salt: Buffer.alloc(32),
        bytes: Buffer.from('x'),
        isSpool: false,
      },
    ]);
    assertEveryBitMatters(block, (changed) => openBlock(changed, dataKey));
    assert.throws(() => openBlock(block, randomBytes(32)), FormatError);
    for (let length = 0; length < block.length; length++) {
      assert.throws(() => openBlock(block.subarray(0, length), dataKey), FormatError);
    }
  });

  it('answer any bytes with a header or a FormatError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
        const bytes = Buffer.concat([Buffer.from('CSVB\x01', 'latin1'), tail]);
        assert.throws(() => openBlock(bytes, dataKey), FormatError);
        try {
          decodeBlockHeader(bytes);
        } catch (error) {
          assert.ok(error instanceof FormatError);
        }
      }),
    );
  });

  it('lie under paths that cannot leave the vault', () => {
    assert.equal(blockFilePath(SCOPE, 7), 'blocks/standard/2026-11/00000007.blk');
    assert.equal(periodOf(Date.UTC(2026, 11, 31, 23, 59, 59, 999) * 1000 + 999), '2026-12');
    for (const retentionClass of ['..', 'a/b', '', 'A']) {
      assert.throws(() => blockFilePath({ ...SCOPE, retentionClass }, 0), FormatError);
    }
    for (const id of ['..', '../x', 'a/b', '']) assert.throws(() => spoolPath(SCOPE, id), FormatError);
  });
});

describe('wrapped keys', () => {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  const wrapped = wrapDataKey({ ...SCOPE, keyId }, dataKey, publicKey);

  it('open for their recipient only', () => {
    assert.deepEqual(unwrapDataKey(wrapped, privateKey).dataKey, dataKey);
    assert.throws(() => unwrapDataKey(wrapped, generateKeyPairSync('x25519').privateKey), FormatError);
    assert.notDeepEqual(wrapDataKey({ ...SCOPE, keyId }, dataKey, publicKey), wrapped);
  });

  it('do not open when any bit changed', () => {
    // X25519 itself ignores one bit of the ephemeral key (RFC 7748 section 5); the salt of HKDF covers it.
    assertEveryBitMatters(wrapped, (changed) => unwrapDataKey(changed, privateKey));
  });
});

describe('spooled objects', () => {
  const header = { ...SCOPE, keyId, noncePrefix: Buffer.alloc(7, 9), chunkBytes: 1024 };
  const aad = encodeSpoolHeader(header);

  it('have the header that was written', () => {
    assert.deepEqual(decodeSpoolHeader(aad), { header, headerBytes: aad.length });
    assert.throws(() => decodeSpoolHeader(aad.subarray(0, aad.length - 1)), FormatError);
  });

  it('open chunk by chunk, each at its own place only', () => {
    const place = { aad, noncePrefix: header.noncePrefix, index: 1, isLast: false };
    const sealed = sealSpoolChunk(place, dataKey, Buffer.from('chunk'));
    assert.equal(openSpoolChunk(place, dataKey, sealed).toString(), 'chunk');
    for (const other of [{ index: 2 }, { isLast: true }, { aad: Buffer.alloc(aad.length) }]) {
      assert.throws(() => openSpoolChunk({ ...place, ...other }, dataKey, sealed), FormatError);
    }
    assert.throws(() => openSpoolChunk(place, dataKey, sealed.subarray(0, 10)), FormatError);
  });
});
