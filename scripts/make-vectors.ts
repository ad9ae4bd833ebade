/**
 * Writes the public test vectors in `docs/vectors/`. Everything comes from fixed seeds, so a run changes nothing unless
 * a format changed: `test/vectors/vectors.test.ts` compares, and holds literal expectations beside.
 *
 *   node scripts/make-vectors.ts [directory]
 */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  consistencyProof,
  directorySource,
  encodeCanonical,
  formatProof,
  formatSignerKey,
  formatVerifierKey,
  hashLeaf,
  inclusionProof,
  proveLeaf,
  rootFromHashes,
  type EncodableValue,
} from 'countersign-verify';
import {
  bytesFor,
  closeSession,
  custodianKey,
  openSession,
  sampleLog,
  sampleSigner,
  SampleWriter,
  addIntent,
  START_US,
  startRun,
  writeLog,
  writeVault,
} from '../test/mutations/sample-log.ts';

const SIGNED_AT_US = START_US + 60_000_000;

function json(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
}

function writeCanonical(directory: string): void {
  const valid: readonly (readonly [string, EncodableValue])[] = [
    ['members sorted by UTF-16 code units', { '\ufb33': 1, '\ud83d\ude00': 2, '\r': 3, '1': 4, '\u20ac': 5 }],
    ['nested values', { b: [1, true, 'x'], a: { z: 0, y: -1 } }],
    ['largest and smallest integer', [9_007_199_254_740_991, -9_007_199_254_740_991]],
    ['escapes', '\b\t\n\f\r"\\/\u001f\u007f\u2028'],
  ];
  const invalid = [
    ['members out of order', '{"b":1,"a":2}'],
    ['a member twice', '{"a":1,"a":1}'],
    ['white space', '{"a": 1}'],
    ['a fraction', '1.5'],
    ['minus zero', '-0'],
    ['an exponent', '1e3'],
    ['null', '{"a":null}'],
    ['beyond 2^53', '9007199254740993'],
    ['a lone surrogate', '"\\ud800"'],
    ['a needless escape', '"\\u0041"'],
  ];
  json(join(directory, 'canonical-json.json'), {
    valid: valid.map(([name, value]) => ({ name, value, canonical: encodeCanonical(value) })),
    invalid: invalid.map(([name, text]) => ({ name, text })),
  });
}

function hex(hashes: readonly Buffer[]): string[] {
  return hashes.map((h) => h.toString('hex'));
}

async function writeMerkle(directory: string): Promise<void> {
  const log = join(directory, 'logs', 'good');
  const { leaves } = sampleLog(2, 3);
  const hashes = leaves.map((leaf) => hashLeaf(leaf));
  const source = directorySource(log);
  const size = leaves.length;
  const inclusion = [];
  for (const index of [0, 7, size - 1])
    inclusion.push({ index, size, hashes: hex(await inclusionProof(source, index, size)) });
  const consistency = [];
  for (const first of [1, 8, 13, size]) {
    consistency.push({ first, second: size, hashes: hex(await consistencyProof(source, first, size)) });
  }
  json(join(directory, 'merkle.json'), {
    leaves: leaves.map((leaf, i) => ({ text: leaf.toString('utf8'), hash: hashes[i]!.toString('hex') })),
    roots: Object.fromEntries(
      [0, 1, 2, 3, 8, size].map((n) => [n, rootFromHashes(hashes.slice(0, n)).toString('hex')]),
    ),
    inclusion,
    consistency,
  });
  writeFileSync(join(directory, 'leaf-7.tlog-proof'), formatProof(await proveLeaf(source, 7)));
}

function writeLogs(directory: string): void {
  const logs = join(directory, 'logs');
  const good = sampleLog(2, 3);
  const { leaves } = good;
  const swapped = leaves.with(6, leaves[7]!).with(7, leaves[6]!);
  const inDoubt = new SampleWriter();
  startRun(inDoubt, 'first');
  const { context, session } = openSession(inDoubt, 'a');
  const { id } = addIntent(inDoubt, session, context, 'SELECT 1');
  const cut = { call: id, status: 'cut', cause: 'in-doubt', bytes_up: 0, bytes_down: 0, duration_us: 0 };
  inDoubt.inSession(session, 'call.result', cut);
  closeSession(inDoubt, session, 1, 'crash');
  startRun(inDoubt, 'crashed');

  const signedAtUs = SIGNED_AT_US;
  const checkpoint = writeLog(join(logs, 'good'), leaves, { signedAtUs });
  writeFileSync(join(directory, 'good.checkpoint'), checkpoint);
  writeVault(join(directory, 'vault'), good);
  writeLog(join(logs, 'in-doubt'), inDoubt.leaves, { signedAtUs });
  writeLog(join(logs, 'swapped-and-signed-again'), swapped, { signedAtUs });
  writeLog(join(logs, 'one-dropped-and-signed-again'), leaves.toSpliced(1, 1), { signedAtUs });
  writeLog(join(logs, 'tail-dropped-and-signed-again'), leaves.slice(0, -5), { signedAtUs });
  writeLog(join(logs, 'forked'), sampleLog(2, 4).leaves, { signedAtUs });
  writeLog(join(logs, 'bit-flipped'), leaves, { signedAtUs });
  const bundle = join(logs, 'bit-flipped', `tile/entries/000.p/${leaves.length}`);
  flipBit(bundle, 4000);
  json(join(directory, 'logs.json'), [
    { log: 'good', verdict: 'VERIFIED', comparedWithGood: 'VERIFIED' },
    { log: 'in-doubt', verdict: 'VERIFIED-WITH-GAPS', comparedWithGood: 'ALTERED' },
    { log: 'swapped-and-signed-again', verdict: 'ALTERED', comparedWithGood: 'FORKED' },
    { log: 'one-dropped-and-signed-again', verdict: 'INCOMPLETE', comparedWithGood: 'ALTERED' },
    { log: 'tail-dropped-and-signed-again', verdict: 'VERIFIED', comparedWithGood: 'ALTERED' },
    { log: 'forked', verdict: 'VERIFIED', comparedWithGood: 'FORKED' },
    { log: 'bit-flipped', verdict: 'ALTERED', comparedWithGood: 'FORKED' },
  ]);
}

function flipBit(file: string, bit: number): void {
  const bytes = readFileSync(file);
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  writeFileSync(file, bytes);
}

function writeKeys(directory: string): void {
  const signer = sampleSigner();
  json(join(directory, 'keys.json'), {
    note: 'The private keys are published: they are for these vectors only.',
    logKey: formatVerifierKey(signer),
    logPrivateKey: formatSignerKey(signer),
    custodianPrivateKey: custodianKey.export({ format: 'pem', type: 'pkcs8' }),
    vaultDataKey: bytesFor('data key').toString('hex'),
  });
}

/** Writes all vectors below `directory`, which is emptied of what earlier runs wrote. */
export async function makeVectors(directory: string): Promise<void> {
  for (const part of ['logs', 'vault']) rmSync(join(directory, part), { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  writeCanonical(directory);
  writeKeys(directory);
  writeLogs(directory);
  await writeMerkle(directory);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await makeVectors(process.argv[2] ?? join(import.meta.dirname, '..', 'docs', 'vectors'));
}
