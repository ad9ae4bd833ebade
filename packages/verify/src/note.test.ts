import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  addSignatures,
  checkpointTimeUs,
  formatCheckpointBody,
  isCheckpointOf,
  parseCheckpoint,
  parseCheckpointBody,
  signCheckpoint,
  timeExtension,
} from './checkpoint.ts';
import { FormatError } from './errors.ts';
import {
  ALGORITHM_COSIGNATURE,
  cosignatureTime,
  createSignerFromSeed,
  createVerifier,
  formatSignerKey,
  formatVerifierKey,
  isSignedBy,
  parseNote,
  parseSignerKey,
  parseVerifierKey,
  signNote,
  verifierOf,
  verifySignature,
} from './note.ts';

// The example of Go's golang.org/x/mod/sumdb/note documentation: keys, text and signed note.
const GO_SKEY = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const GO_VKEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const GO_TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const GO_NOTE = `${GO_TEXT}\n\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n`;

describe('signed notes', () => {
  it('reads, verifies and writes the note of the Go documentation byte for byte', () => {
    const verifier = parseVerifierKey(GO_VKEY);
    assert.ok(isSignedBy(parseNote(GO_NOTE), verifier));
    const signer = parseSignerKey(GO_SKEY);
    assert.equal(signNote(GO_TEXT, signer), GO_NOTE);
    assert.equal(formatVerifierKey(signer), GO_VKEY);
    assert.equal(formatSignerKey(signer), GO_SKEY);
  });

  it('refuses keys whose id does not fit', () => {
    for (const bad of [
      '',
      'a+b',
      GO_VKEY.replace('c74f20a3', 'c74f20a4'),
      GO_VKEY.replace('Peter', 'Pater'),
      `${GO_VKEY}=`,
    ]) {
      assert.throws(() => parseVerifierKey(bad), FormatError, bad);
    }
  });

  it('refuses every single changed bit of text or signature', () => {
    const verifier = parseVerifierKey(GO_VKEY);
    const bytes = Buffer.from(GO_NOTE);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      let isAccepted = false;
      try {
        isAccepted = isSignedBy(
          parseNote(new TextDecoder('utf-8', { fatal: true }).decode(changed)),
          verifier,
        );
      } catch (error) {
        assert.ok(error instanceof FormatError || error instanceof TypeError);
      }
      assert.ok(!isAccepted, `bit ${bit}`);
    }
  });

  it('answers any text with a note or a FormatError', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc
        .array(fc.constantFrom('\n', '\n\n', '\u2014 ', 'a ', 'AAAAAAAA', '=', 'x\n', '\u0001'))
        .map((p) => p.join('')),
    );
    fc.assert(
      fc.property(text, (t) => {
        try {
          parseNote(t);
        } catch (error) {
          assert.ok(error instanceof FormatError);
        }
      }),
    );
  });

  it('verifies cosignatures over their time', () => {
    const witness = createSignerFromSeed('witness.example', Buffer.alloc(32, 9));
    const verifier = createVerifier('witness.example', witness.publicKey, ALGORITHM_COSIGNATURE);
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(1_700_000_000n);
    const signature = sign(
      null,
      Buffer.from(`cosignature/v1\ntime 1700000000\n${GO_TEXT}`),
      witness.privateKey,
    );
    const line = { name: verifier.name, keyId: verifier.keyId, signature: Buffer.concat([time, signature]) };
    assert.ok(verifySignature(GO_TEXT, line, verifier));
    assert.equal(cosignatureTime(line), 1_700_000_000);
    line.signature[7]! ^= 1;
    assert.ok(!verifySignature(GO_TEXT, line, verifier));
    assert.equal(
      parseVerifierKey(formatVerifierKey(verifier, ALGORITHM_COSIGNATURE)).algorithm,
      ALGORITHM_COSIGNATURE,
    );
  });
});

describe('checkpoints', () => {
  const signer = createSignerFromSeed('example.com/log', Buffer.alloc(32, 1));
  const root = Buffer.alloc(32, 5);

  it('round-trips, and keeps lines of keys it does not know', () => {
    const text = signCheckpoint(
      { origin: 'example.com/log', size: 7, root, extensions: [timeExtension(12)] },
      signer,
    );
    const unknown = { name: 'witness.example', keyId: '01020304', signature: Buffer.alloc(72, 3) };
    const checkpoint = parseCheckpoint(addSignatures(addSignatures(text, [unknown]), [unknown]));
    assert.ok(isCheckpointOf(checkpoint, verifierOf(signer)));
    assert.deepEqual(checkpoint.note.signatures.length, 2);
    assert.deepEqual([checkpoint.size, checkpoint.root, checkpointTimeUs(checkpoint)], [7, root, 12]);
  });

  it('is not of a log with another origin, even with a signature of its key', () => {
    const other = signCheckpoint({ origin: 'example.com/other', size: 7, root }, signer);
    assert.ok(!isCheckpointOf(parseCheckpoint(other), verifierOf(signer)));
  });

  it('refuses malformed bodies', () => {
    const b64 = root.toString('base64');
    const bad = [
      '',
      'o\n',
      `o\n1\n${b64}`,
      `\n1\n${b64}\n`,
      `o\n01\n${b64}\n`,
      `o\n-1\n${b64}\n`,
      `o\n1\n${b64.slice(0, 40)}\n`,
    ];
    bad.push(`o\n9007199254740993\n${b64}\n`, `o\n1\n${b64}\n\n`, `o\n1\n${b64} \n`);
    for (const body of bad) assert.throws(() => parseCheckpointBody(body), FormatError, body);
    assert.throws(() => formatCheckpointBody({ origin: 'a\nb', size: 1, root }), FormatError);
  });
});
