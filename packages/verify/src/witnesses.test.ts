import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';

import {
  ALGORITHM_COSIGNATURE,
  addSignatures,
  cosigningOrganisations,
  cosign,
  createCosigner,
  createSigner,
  createVerifier,
  parseCheckpoint,
  signCheckpoint,
  splitWitness,
  verifierOf,
  witnessOf,
} from './index.ts';
import type { NoteSignature, NoteSigner } from './index.ts';

const log = createSigner('log.test/a', generateKeyPairSync('ed25519').privateKey);
const text = signCheckpoint({ origin: 'log.test/a', size: 7, root: Buffer.alloc(32, 7) }, log);

function witness(name: string): NoteSigner {
  return createSigner(name, generateKeyPairSync('ed25519').privateKey);
}

const cosignatureOf = (note: string, signer: NoteSigner): NoteSignature =>
  cosign(parseCheckpoint(note).note.body, createCosigner(signer), 1_700_000_000);
const verifier = (of: NoteSigner) => createVerifier(of.name, of.publicKey, ALGORITHM_COSIGNATURE);

test('two witnesses of one organisation count once, one without an organisation counts by its key', () => {
  const [a, b, c] = [witness('w/a'), witness('w/b'), witness('w/c')];
  const signed = parseCheckpoint(
    addSignatures(
      text,
      [a, b, c].map((one) => cosignatureOf(text, one)),
    ),
  );
  const count = (...keys: Parameters<typeof cosigningOrganisations>[1]): number =>
    cosigningOrganisations(signed, keys).size;
  assert.equal(count(witnessOf(verifier(a), 'bank-b'), witnessOf(verifier(b), 'bank-b')), 1);
  assert.equal(count(witnessOf(verifier(a), 'bank-b'), witnessOf(verifier(b), 'auditor')), 2);
  assert.equal(count(verifier(a), verifier(b), verifier(c)), 3);
  assert.equal(count(witnessOf(verifier(a), 'one'), witnessOf(verifier(a), 'two')), 1);
  assert.equal(count(verifier(witness('w/a'))), 0);
});

test("the log's own key is no witness, whatever name it signs under", () => {
  const signed = parseCheckpoint(addSignatures(text, [cosignatureOf(text, log)]));
  const own = createVerifier(log.name, log.publicKey, ALGORITHM_COSIGNATURE);
  assert.equal(cosigningOrganisations(signed, [own]).size, 1);
  assert.equal(cosigningOrganisations(signed, [own], verifierOf(log)).size, 0);
  assert.throws(() => witnessOf(verifierOf(log)), /algorithm 0x04/);
});

test('an organisation stands before the first equals sign, unless that is in the key', () => {
  const key = 'w/a+0a0b0c0d+BAAA=';
  assert.deepEqual(splitWitness(`bank-b=${key}`), { organisation: 'bank-b', key });
  assert.deepEqual(splitWitness(key), { key });
  assert.deepEqual(splitWitness('auditor=keys/auditor.vkey'), {
    organisation: 'auditor',
    key: 'keys/auditor.vkey',
  });
  assert.deepEqual(splitWitness('=x'), { key: '=x' });
});
