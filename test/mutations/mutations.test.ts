/**
 * A log that somebody changed. Without the log's key every change is ALTERED. With the key the changed log can be
 * signed again: an earlier checkpoint still catches it, and without one the report says how much is unwitnessed.
 */

import assert from 'node:assert/strict';
import { sign } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  addSignatures,
  ALGORITHM_COSIGNATURE,
  createSignerFromSeed,
  createVerifier,
  directorySource,
  encodeCanonical,
  encodeEntryBundle,
  entriesPath,
  formatVerifierKey,
  parseCheckpoint,
  verifierOf,
  verifyLog,
  type EncodableValue,
  type Verdict,
  type VerifyOptions,
  type VerifyReport,
} from 'countersign-verify';
import { needGo, verifyWithGo } from '../foreign/tools.ts';
import { bytesFor, ORIGIN, sampleLog, sampleSigner, START_US, writeLog } from './sample-log.ts';

const SESSIONS = 4;
const CALLS = 40;
const signer = sampleSigner();
const key = verifierOf(signer);
const vkey = formatVerifierKey(signer);
const original = sampleLog(SESSIONS, CALLS).leaves;
const go = needGo();

function field(leaf: Buffer, name: string): unknown {
  return (JSON.parse(leaf.toString('utf8')) as Record<string, unknown>)[name];
}

function editLeaf(
  leaves: readonly Buffer[],
  index: number,
  edit: (leaf: Record<string, EncodableValue>) => void,
): Buffer[] {
  const leaf = JSON.parse(leaves[index]!.toString('utf8')) as Record<string, EncodableValue>;
  edit(leaf);
  return leaves.with(index, Buffer.from(encodeCanonical(leaf)));
}

function swap(leaves: readonly Buffer[], a: number, b: number): Buffer[] {
  return leaves.with(a, leaves[b]!).with(b, leaves[a]!);
}

const MIDDLE = original.findIndex((leaf, i) => i > 150 && field(leaf, 'type') === 'call.result');
const SESSION = field(original[MIDDLE]!, 'session');
/** Everything again, with one statement that was never made: what a careful holder of the key would write. */
const forged = sampleLog(SESSIONS, CALLS + 1).leaves;

interface Mutation {
  readonly name: string;
  readonly leaves: readonly Buffer[];
  /** The verdict when the holder of the key signed it again and there is nothing to compare with. */
  readonly resigned: Verdict;
  /** The same, compared with a checkpoint of the whole original. */
  readonly compared: Verdict;
}

const MUTATIONS: readonly Mutation[] = [
  {
    name: 'flip a bit',
    leaves: editLeaf(original, MIDDLE, (leaf) => (leaf['rows'] = (leaf['rows'] as number) ^ 2)),
    resigned: 'ALTERED',
    compared: 'FORKED',
  },
  {
    name: 'swap two leaves',
    leaves: swap(original, MIDDLE, MIDDLE + 2),
    resigned: 'ALTERED',
    compared: 'FORKED',
  },
  {
    name: 'drop one in the middle',
    leaves: original.toSpliced(MIDDLE, 1),
    resigned: 'ALTERED',
    compared: 'ALTERED',
  },
  {
    name: 'drop a whole session',
    leaves: original.filter((leaf) => field(leaf, 'session') !== SESSION),
    resigned: 'INCOMPLETE',
    compared: 'ALTERED',
  },
  { name: 'drop the tail', leaves: original.slice(0, -30), resigned: 'VERIFIED', compared: 'ALTERED' },
  { name: 'fork', leaves: forged, resigned: 'VERIFIED', compared: 'FORKED' },
];

let directory: string;
let originalDirectory: string;
let originalCheckpoint: string;
let halfCheckpoint: string;

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-mutations-'));
  originalDirectory = join(directory, 'original');
  originalCheckpoint = writeLog(originalDirectory, original);
  halfCheckpoint = writeLog(join(directory, 'half'), original, { size: 100 });
  writeFileSync(join(directory, 'earlier'), originalCheckpoint);
});

after(() => rmSync(directory, { recursive: true }));

/** What closing leaves and heartbeats sum up: stated by the gateway, not derivable from the leaves alone. */
const FREE_COUNTERS = new Set(['calls', 'denied', 'bytes_up', 'bytes_down', 'sessions']);

function pathOf(name: string, kind: string): string {
  return join(directory, `${name.replaceAll(' ', '-')}-${kind}`);
}

async function check(path: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  return verifyLog(directorySource(path), { key, ...options });
}

/** The two verdicts of what cannot be what the key's holder signed. */
function isRefused({ verdict }: VerifyReport): boolean {
  return verdict === 'ALTERED' || verdict === 'CANNOT-VERIFY';
}

function overwriteBundles(path: string, leaves: readonly Buffer[]): void {
  for (let from = 0; from < original.length; from += 256) {
    const width = Math.min(256, original.length - from);
    writeFileSync(
      join(path, entriesPath(from / 256, width)),
      encodeEntryBundle(leaves.slice(from, from + width)),
    );
  }
}

function filesOf(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('the log as it was written', () => {
  it('is VERIFIED, with all of it unwitnessed', async () => {
    const report = await check(originalDirectory);
    assert.deepEqual([report.verdict, report.exitCode, report.findings], ['VERIFIED', 0, []]);
    assert.equal(report.counts.calls, SESSIONS * CALLS);
    assert.deepEqual(
      [report.unwitnessed?.leaves, report.unwitnessed?.fromUs, report.unwitnessed?.seconds],
      [original.length, START_US + 1000, 1],
    );
  });

  it('is VERIFIED against earlier checkpoints, which shrink the window', async () => {
    const report = await check(originalDirectory, { earlier: [halfCheckpoint] });
    assert.deepEqual([report.verdict, report.unwitnessed?.leaves], ['VERIFIED', original.length - 100]);
    const whole = await check(originalDirectory, { earlier: [halfCheckpoint, originalCheckpoint] });
    assert.deepEqual([whole.verdict, whole.unwitnessed], ['VERIFIED', { leaves: 0, seconds: 0 }]);
  });

  it('is UNWITNESSED where a witness is required', async () => {
    assert.equal((await check(originalDirectory, { requireWitnesses: 1 })).verdict, 'UNWITNESSED');
  });

  it('is witnessed where the cosignatures of known witnesses verify, each key counted once', async () => {
    const witnesses = ['one', 'two'].map((name) => createSignerFromSeed(`${name}.example`, bytesFor(name)));
    const keys = witnesses.map((w) => createVerifier(w.name, w.publicKey, ALGORITHM_COSIGNATURE));
    const { note } = parseCheckpoint(originalCheckpoint);
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(1_790_000_001n);
    const lines = witnesses.map((witness, i) => {
      const signed = `cosignature/v1\ntime 1790000001\n${note.body}`;
      const signature = Buffer.concat([time, sign(null, Buffer.from(signed), witness.privateKey)]);
      return { name: witness.name, keyId: keys[i]!.keyId, signature };
    });
    const copy = join(directory, 'witnessed');
    cpSync(originalDirectory, copy, { recursive: true });
    writeFileSync(join(copy, 'checkpoint'), addSignatures(originalCheckpoint, lines));
    const both = await check(copy, { witnesses: keys, requireWitnesses: 2 });
    assert.deepEqual([both.verdict, both.witnessed, both.unwitnessed?.leaves], ['VERIFIED', 2, 0]);
    const one = [keys[0]!, keys[0]!];
    const twice = await check(copy, { witnesses: one, requireWitnesses: 2 });
    assert.deepEqual([twice.verdict, twice.witnessed], ['UNWITNESSED', 1]);
    lines[1]!.signature[20]! ^= 1;
    writeFileSync(join(copy, 'checkpoint'), addSignatures(originalCheckpoint, lines));
    assert.equal((await check(copy, { witnesses: keys })).witnessed, 1);
  });

  it('passes the Go verifier', go, () => {
    assert.deepEqual(
      verifyWithGo(originalDirectory, vkey, join(directory, 'earlier')).output,
      `ok ${original.length}\n`,
    );
  });

  it('cannot be verified with another key', async () => {
    const other = verifierOf(createSignerFromSeed(ORIGIN, bytesFor('another key')));
    assert.equal((await check(originalDirectory, { key: other })).verdict, 'CANNOT-VERIFY');
  });
});

for (const { compared, leaves, name, resigned } of MUTATIONS) {
  describe(`mutation: ${name}`, () => {
    it('without the key, edited in the bundles, is caught by both', async () => {
      cpSync(originalDirectory, pathOf(name, 'edited'), { recursive: true });
      overwriteBundles(pathOf(name, 'edited'), leaves);
      assert.equal((await check(pathOf(name, 'edited'))).verdict, 'ALTERED');
      if (go.skip === false) assert.ok(!verifyWithGo(pathOf(name, 'edited'), vkey).isAccepted);
    });

    it('without the key, with every tile rebuilt, is caught by both', async () => {
      const stranger = createSignerFromSeed(ORIGIN, bytesFor('another key'));
      writeLog(pathOf(name, 'rebuilt'), leaves, { signer: stranger });
      assert.ok(isRefused(await check(pathOf(name, 'rebuilt'))));
      writeFileSync(join(pathOf(name, 'rebuilt'), 'checkpoint'), originalCheckpoint);
      assert.ok(isRefused(await check(pathOf(name, 'rebuilt'))));
      if (go.skip === false) assert.ok(!verifyWithGo(pathOf(name, 'rebuilt'), vkey).isAccepted);
    });

    it(`signed again with the key, is ${compared} against an earlier checkpoint, and caught by Go`, async () => {
      writeLog(pathOf(name, 'resigned'), leaves);
      const report = await check(pathOf(name, 'resigned'), { earlier: [originalCheckpoint] });
      assert.equal(report.verdict, compared);
      if (go.skip === false)
        assert.ok(!verifyWithGo(pathOf(name, 'resigned'), vkey, join(directory, 'earlier')).isAccepted);
    });

    it(`signed again with the key, is ${resigned} with nothing to compare, and the window is stated`, async () => {
      writeLog(pathOf(name, 'resigned'), leaves);
      const report = await check(pathOf(name, 'resigned'));
      assert.equal(report.verdict, resigned);
      assert.equal(report.unwitnessed?.leaves, leaves.length);
      assert.ok(report.unwitnessed.seconds >= 1);
      const required = await check(pathOf(name, 'resigned'), { requireWitnesses: 1 });
      assert.equal(required.verdict, resigned === 'VERIFIED' ? 'UNWITNESSED' : resigned);
    });
  });
}

describe('damaged files', () => {
  it('never pass and never crash the check, whichever bit is flipped', async () => {
    const small = join(directory, 'small');
    writeLog(small, sampleLog(1, 3).leaves);
    const files = filesOf(small).filter((file) => !file.endsWith('log.vkey'));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...files), fc.nat(1_000_000), async (file, position) => {
        const intact = readFileSync(file);
        const bit = position % (intact.length * 8);
        const damaged = Buffer.from(intact);
        damaged[bit >> 3]! ^= 1 << (bit & 7);
        writeFileSync(file, damaged);
        try {
          assert.ok(isRefused(await check(small)));
        } finally {
          writeFileSync(file, intact);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('never pass when truncated or missing', async () => {
    for (const [i, file] of filesOf(originalDirectory).entries()) {
      if (file.endsWith('log.vkey')) continue;
      const copy = join(directory, `damaged-${i}`);
      cpSync(originalDirectory, copy, { recursive: true });
      const damaged = file.replace(originalDirectory, copy);
      writeFileSync(damaged, readFileSync(file).subarray(0, -1));
      assert.ok(isRefused(await check(copy)), file);
      rmSync(damaged);
      assert.equal((await check(copy)).verdict, 'CANNOT-VERIFY', file);
    }
  });

  it('leaves with any value in any field, signed, never crash the check and never pass unnoticed', async () => {
    const { leaves } = sampleLog(1, 2);
    const path = join(directory, 'any-field');
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>(0, -1, 2 ** 53, '', '__proto__', [], {}, [{}]),
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(leaves.length - 1), fc.nat(30), value, async (index, position, any) => {
        const leaf = JSON.parse(leaves[index]!.toString('utf8')) as Record<string, unknown>;
        const names = Object.keys(leaf);
        const name = names[position % names.length]!;
        const before = JSON.stringify(leaf[name]);
        leaf[name] = any;
        writeLog(path, leaves.with(index, Buffer.from(JSON.stringify(leaf))));
        const report = await check(path, { earlier: [] });
        // Clocks, names and counters are free as long as their type is right; all else is held to an order or a digest.
        if (name === 'at' || name === 'mono' || JSON.stringify(any) === before) return;
        if (typeof any === 'string' && any !== '') return;
        if (typeof any === 'number' && FREE_COUNTERS.has(name)) return;
        assert.notEqual(report.verdict, 'VERIFIED', `${name} of leaf ${index}`);
      }),
      { numRuns: 400 },
    );
  });

  it('an earlier checkpoint that nobody signed proves nothing', async () => {
    const bad = originalCheckpoint.replace(`\n${original.length}\n`, `\n${original.length + 1}\n`);
    assert.equal((await check(originalDirectory, { earlier: [bad] })).verdict, 'ALTERED');
    assert.equal((await check(originalDirectory, { earlier: ['nonsense'] })).verdict, 'CANNOT-VERIFY');
  });
});
