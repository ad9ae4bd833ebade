import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addSignatures, parseCheckpoint, signCheckpoint } from './checkpoint.ts';
import {
  cosign,
  cosignatureVerifierOf,
  createCosigner,
  formatSignatureLines,
  parseSignatureLines,
} from './cosignature.ts';
import { FormatError } from './errors.ts';
import { EMPTY_ROOT } from './merkle.ts';
import {
  cosignatureTime,
  createSignerFromSeed,
  formatVerifierKey,
  isSignedBy,
  parseVerifierKey,
  verifierOf,
  verifySignature,
} from './note.ts';

const LOG = createSignerFromSeed('log.example/bank', Buffer.alloc(32, 1));
const WITNESS = createCosigner(createSignerFromSeed('witness.example/w1', Buffer.alloc(32, 2)));
const CHECKPOINT = signCheckpoint({ origin: 'log.example/bank', size: 0, root: EMPTY_ROOT }, LOG);
const { body } = parseCheckpoint(CHECKPOINT).note;

describe('cosignatures', () => {
  it('are a line that fits the witness key and no other, with their time', () => {
    const line = cosign(body, WITNESS, 1_679_315_147);
    const verifier = cosignatureVerifierOf(WITNESS);
    assert.ok(verifySignature(body, line, verifier));
    assert.equal(cosignatureTime(line), 1_679_315_147);
    const other = createCosigner(createSignerFromSeed('witness.example/w1', Buffer.alloc(32, 3)));
    assert.ok(!verifySignature(body, line, cosignatureVerifierOf(other)));
    assert.ok(!verifySignature(body.replace('\n0\n', '\n1\n'), line, verifier));
    for (let at = 0; at < line.signature.length; at++) {
      const changed = Buffer.from(line.signature);
      changed[at]! ^= 1;
      assert.ok(!verifySignature(body, { ...line, signature: changed }, verifier), `byte ${at}`);
    }
  });

  it('have a key id of their own and a verifier key of algorithm 0x04', () => {
    const text = formatVerifierKey(WITNESS, WITNESS.algorithm);
    assert.notEqual(WITNESS.keyId, createSignerFromSeed('witness.example/w1', Buffer.alloc(32, 2)).keyId);
    assert.deepEqual(parseVerifierKey(text).publicKey, WITNESS.publicKey);
    assert.equal(parseVerifierKey(text).algorithm, 0x04);
  });

  it('go through a witness answer into the checkpoint, which the log still signs', () => {
    const line = cosign(body, WITNESS, 1);
    const answer = formatSignatureLines([line]);
    assert.match(answer, /^\u2014 witness\.example\/w1 [A-Za-z0-9+/=]+\n$/);
    assert.deepEqual(parseSignatureLines(answer), [line]);
    const { note } = parseCheckpoint(addSignatures(CHECKPOINT, parseSignatureLines(answer)));
    assert.ok(isSignedBy(note, cosignatureVerifierOf(WITNESS)));
    assert.ok(isSignedBy(note, verifierOf(LOG)));
  });

  it('are refused without a time or a whole text, and answers without whole lines', () => {
    for (const seconds of [0, -1, 1.5, Number.NaN])
      assert.throws(() => cosign(body, WITNESS, seconds), FormatError);
    assert.throws(() => cosign(body.trimEnd(), WITNESS, 1), FormatError);
    const line = formatSignatureLines([cosign(body, WITNESS, 1)]);
    for (const bad of ['', '\n', line.trimEnd(), `${line}\n`, `x${line}`, line.repeat(101)])
      assert.throws(() => parseSignatureLines(bad), FormatError, bad);
  });
});
