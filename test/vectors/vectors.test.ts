/** The public vectors: that they are what the generator writes today, and that the code agrees with them. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  assertCanonical,
  directorySource,
  encodeCanonical,
  FormatError,
  hashLeaf,
  parseCheckpoint,
  parseProof,
  parseVerifierKey,
  VaultChecks,
  VaultReader,
  verifyConsistency,
  verifyInclusion,
  verifyLeafProof,
  verifyLog,
  type EncodableValue,
} from 'countersign-verify';
import { makeVectors } from '../../scripts/make-vectors.ts';
import { needGo, verifyWithGo } from '../foreign/tools.ts';

const VECTORS = join(import.meta.dirname, '..', '..', 'docs', 'vectors');
const CLI = join(import.meta.dirname, '..', '..', 'packages', 'verify', 'src', 'cli.ts');
/** Literals: a change of any of them is a change of the public format. */
const GOOD_SIZE = 23;
const GOOD_ROOT = 'XMISMdfsX4BTOsYgB9qZe49dYiyu833ymPgRlrXptMo=';
const GOOD_KEY = 'log.bank.example/node-1+fc2d9d87+AUjgW0k/ifzcgyVjX9IWULGe+1D6pl4bRPrYer6KCTfe';

const temporary = mkdtempSync(join(tmpdir(), 'countersign-vectors-'));
after(() => rmSync(temporary, { recursive: true }));

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(join(VECTORS, file), 'utf8'));
}

const keys = readJson('keys.json') as { logKey: string; custodianPrivateKey: string };
const key = parseVerifierKey(keys.logKey);
const goodCheckpoint = readFileSync(join(VECTORS, 'good.checkpoint'), 'utf8');
const logs = readJson('logs.json') as readonly { log: string; verdict: string; comparedWithGood: string }[];

function filesBelow(directory: string): Map<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [relative(directory, file), readFileSync(file).toString('hex')] as const)
      .filter(([name]) => name !== 'README.md')
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

function fromHex(hashes: readonly string[]): Buffer[] {
  return hashes.map((h) => Buffer.from(h, 'hex'));
}

describe('vectors', () => {
  it('are what the generator writes', async () => {
    await makeVectors(temporary);
    assert.deepEqual([...filesBelow(temporary).keys()], [...filesBelow(VECTORS).keys()]);
    assert.deepEqual(filesBelow(temporary), filesBelow(VECTORS));
  });

  it('have the values that were once checked by other software', () => {
    const { origin, root, size } = parseCheckpoint(goodCheckpoint);
    assert.deepEqual(
      [origin, size, root.toString('base64')],
      ['log.bank.example/node-1', GOOD_SIZE, GOOD_ROOT],
    );
    assert.equal(keys.logKey, GOOD_KEY);
  });

  it('of canonical JSON', () => {
    const { invalid, valid } = readJson('canonical-json.json') as {
      valid: readonly { name: string; value: EncodableValue; canonical: string }[];
      invalid: readonly { name: string; text: string }[];
    };
    for (const { canonical, name, value } of valid) {
      assert.equal(encodeCanonical(value), canonical, name);
      assert.deepEqual(assertCanonical(Buffer.from(canonical)), value, name);
    }
    for (const { name, text } of invalid)
      assert.throws(() => assertCanonical(Buffer.from(text)), FormatError, name);
  });

  it('of the tree', () => {
    const merkle = readJson('merkle.json') as {
      leaves: readonly { text: string; hash: string }[];
      roots: Readonly<Record<string, string>>;
      inclusion: readonly { index: number; size: number; hashes: readonly string[] }[];
      consistency: readonly { first: number; second: number; hashes: readonly string[] }[];
    };
    const { root, size } = parseCheckpoint(goodCheckpoint);
    for (const leaf of merkle.leaves)
      assert.equal(hashLeaf(Buffer.from(leaf.text)).toString('hex'), leaf.hash);
    assert.equal(merkle.roots[size], root.toString('hex'));
    for (const { hashes, index } of merkle.inclusion) {
      assert.ok(
        verifyInclusion(Buffer.from(merkle.leaves[index]!.hash, 'hex'), index, size, fromHex(hashes), root),
      );
    }
    for (const { first, hashes } of merkle.consistency) {
      const old = merkle.roots[first];
      if (old !== undefined)
        assert.ok(verifyConsistency(first, size, fromHex(hashes), Buffer.from(old, 'hex'), root));
    }
  });

  it('of a proof', () => {
    const text = readFileSync(join(VECTORS, 'leaf-7.tlog-proof'), 'utf8');
    assert.ok(verifyLeafProof(parseProof(text), key));
    assert.ok(!verifyLeafProof(parseProof(text.replace('index 7', 'index 6')), key));
  });
});

for (const { comparedWithGood, log, verdict } of logs) {
  describe(`vector log ${log}`, () => {
    const source = directorySource(join(VECTORS, 'logs', log));

    it(`is ${verdict}`, async () => {
      assert.equal((await verifyLog(source, { key })).verdict, verdict);
    });

    it(`is ${comparedWithGood} compared with the good checkpoint`, async () => {
      assert.equal((await verifyLog(source, { key, earlier: [goodCheckpoint] })).verdict, comparedWithGood);
    });
  });
}

describe('the vector vault', () => {
  const custodian = createPrivateKey(keys.custodianPrivateKey);

  async function checkVault(directory: string): Promise<{ verdict: string; commitments: number }> {
    let checks: VaultChecks | undefined;
    const report = await verifyLog(directorySource(join(VECTORS, 'logs', 'good')), {
      key,
      visitor: (findings) => (checks = new VaultChecks(new VaultReader(directory, custodian), findings)),
    });
    return { verdict: report.verdict, commitments: checks?.commitments ?? 0 };
  }

  it('opens to what the leaves commit to', async () => {
    // Per session an owner, a peer and a digest key; per call a statement.
    assert.deepEqual(await checkVault(join(VECTORS, 'vault')), {
      verdict: 'VERIFIED',
      commitments: 2 * (3 + 3),
    });
  });

  it('is ALTERED with one bit changed, INCOMPLETE without its blocks, and closed without its key', async () => {
    const copy = join(temporary, 'vault-copy');
    cpSync(join(VECTORS, 'vault'), copy, { recursive: true });
    const blocks = join(copy, 'blocks/standard/2026-09/00000000.blk');
    const bytes = readFileSync(blocks);
    bytes[200]! ^= 1;
    writeFileSync(blocks, bytes);
    assert.equal((await checkVault(copy)).verdict, 'ALTERED');
    rmSync(join(copy, 'keys'), { recursive: true });
    assert.equal((await checkVault(copy)).verdict, 'CANNOT-VERIFY');
    rmSync(join(copy, 'blocks'), { recursive: true });
    assert.equal((await checkVault(copy)).verdict, 'INCOMPLETE');
  });
});

describe("Go's verifier on the vectors", needGo(), () => {
  it('accepts the good log and refuses what contradicts it', () => {
    const earlier = join(VECTORS, 'good.checkpoint');
    for (const { comparedWithGood, log } of logs) {
      const { isAccepted, output } = verifyWithGo(join(VECTORS, 'logs', log), keys.logKey, earlier);
      assert.equal(isAccepted, comparedWithGood === 'VERIFIED', `${log}: ${output}`);
    }
  });
});

interface Answer {
  readonly status: number | null;
  readonly first: string;
  readonly all: string;
}

function run(...args: readonly string[]): Answer {
  const { status, stdout } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8' });
  return { status, first: stdout.split('\n')[0]!, all: stdout };
}

describe('countersign-verify, the command', () => {
  const good = join(VECTORS, 'logs', 'good');
  const proof = join(VECTORS, 'leaf-7.tlog-proof');

  it('answers with one word and its exit code', () => {
    const earlier = ['--earlier', join(VECTORS, 'good.checkpoint')];
    const cases: readonly (readonly [readonly string[], string, number])[] = [
      [[good, '--key', keys.logKey], 'VERIFIED', 0],
      [[join(VECTORS, 'logs', 'in-doubt')], 'VERIFIED-WITH-GAPS', 10],
      [[join(VECTORS, 'logs', 'one-dropped-and-signed-again')], 'INCOMPLETE', 11],
      [[good, '--require-witness', '1'], 'UNWITNESSED', 13],
      [[join(VECTORS, 'logs', 'tail-dropped-and-signed-again'), ...earlier], 'ALTERED', 20],
      [[join(VECTORS, 'logs', 'forked'), ...earlier], 'FORKED', 21],
      [[join(VECTORS, 'nowhere')], 'CANNOT-VERIFY', 30],
      [[good, '--key', 'nonsense'], 'CANNOT-VERIFY', 30],
      [['--proof', proof, '--key', keys.logKey], 'VERIFIED', 0],
      [['--proof', join(VECTORS, 'good.checkpoint'), '--key', keys.logKey], 'CANNOT-VERIFY', 30],
      [[], '', 2],
      [[good, '--imagined'], '', 2],
    ];
    for (const [args, word, status] of cases) {
      const answer = run(...args);
      assert.deepEqual([answer.first, answer.status], [word, status], args.join(' '));
    }
  });

  it('opens the vault for the custodian', () => {
    const keyFile = join(temporary, 'custodian.pem');
    writeFileSync(keyFile, keys.custodianPrivateKey);
    const vault = ['--vault', join(VECTORS, 'vault'), '--custodian-key', keyFile];
    assert.equal(run(good, ...vault).first, 'VERIFIED');
    assert.equal(run(join(VECTORS, 'logs', 'forked'), ...vault).status, 20);
  });

  it('warns when the key was not given, and states the unwitnessed window', () => {
    assert.match(run(good).all, /^warning: the key was read from the log itself/m);
    assert.doesNotMatch(run(good, '--key', keys.logKey).all, /warning/);
    assert.match(run(good).all, /^unwitnessed window: \d+ leaves, 1 seconds/m);
  });

  it('gives the whole report as JSON', () => {
    const report = JSON.parse(run(good, '--json').all) as { verdict: string; size: number };
    assert.deepEqual([report.verdict, report.size], ['VERIFIED', GOOD_SIZE]);
  });
});
