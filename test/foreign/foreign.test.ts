/**
 * A log written by our recorder, verified by software that no one here wrote: Go's sumdb packages, the verifier of
 * Sigstore, and openssl. Each must accept it, and refuse it after one change.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  directorySource,
  formatProof,
  httpSource,
  inclusionProof,
  iterateLeaves,
  parseCheckpoint,
  parseProof,
  parseVerifierKey,
  proveLeaf,
  readBundle,
  VaultChecks,
  VaultReader,
  verifyLeafProof,
  verifyLog,
  type NoteVerifier,
} from 'countersign-verify';
import { recordLog, RECORDED_ORIGIN, type RecordedLog } from './recorded-log.ts';
import { needGo, needOpenssl, verifyWithGo } from './tools.ts';

let directory: string;
let log: string;
let recorded: RecordedLog;
let checkpointText: string;
let key: NoteVerifier;
let vkey: string;

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-foreign-'));
  recorded = await recordLog(join(directory, 'state'));
  log = join(recorded.stateDirectory, 'log');
  checkpointText = readFileSync(join(log, 'checkpoint'), 'utf8');
  vkey = readFileSync(join(log, 'log.vkey'), 'utf8').trim();
  key = parseVerifierKey(vkey);
});

after(() => rmSync(directory, { recursive: true }));

function tamperedCopy(name: string, edit: (copy: string) => void): string {
  const copy = join(directory, name);
  cpSync(log, copy, { recursive: true });
  edit(copy);
  return copy;
}

describe('our own verifier', () => {
  it('finds the log of the recorder VERIFIED, every commitment opened by the custodian', async () => {
    let vault: VaultChecks | undefined;
    const reader = new VaultReader(
      join(recorded.stateDirectory, 'vault'),
      createPrivateKey(recorded.custodianKey),
    );
    const report = await verifyLog(directorySource(log), {
      key,
      visitor: (findings) => (vault = new VaultChecks(reader, findings)),
    });
    assert.deepEqual(report.findings, []);
    assert.equal(report.verdict, 'VERIFIED');
    assert.deepEqual([report.counts.calls, report.counts.openCalls], [recorded.calls, 0]);
    // Per call a statement and a parameter, one spooled parameter, and two per session.
    assert.equal(vault?.commitments, 2 * recorded.calls + 1 + 4 * 2);
  });

  it('reads it from a web server as from its directory', async () => {
    const server: Server = createServer((request, response) => {
      try {
        response.end(readFileSync(join(log, new URL(request.url!, 'http://x').pathname)));
      } catch {
        response.writeHead(404).end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      assert.equal((await verifyLog(httpSource(url), { key })).verdict, 'VERIFIED');
      assert.equal((await verifyLog(httpSource(`${url}nowhere/`), { key })).verdict, 'CANNOT-VERIFY');
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('proves single leaves by texts that are checked offline', async () => {
    const { size } = parseCheckpoint(checkpointText);
    for (const index of [0, 1, 255, 256, size - 1]) {
      const text = formatProof(await proveLeaf(directorySource(log), index));
      assert.ok(verifyLeafProof(parseProof(text), key));
      const other = text.replace(`\nindex ${index}\n`, `\nindex ${index === 0 ? 1 : index - 1}\n`);
      assert.ok(!verifyLeafProof(parseProof(other), key));
    }
  });
});

describe("Go's sumdb/note and sumdb/tlog", needGo(), () => {
  it('accept the checkpoint, every leaf, inclusion and consistency', () => {
    const { size } = parseCheckpoint(checkpointText);
    const earlier = join(directory, 'earlier');
    writeFileSync(earlier, checkpointText);
    assert.deepEqual(verifyWithGo(log, vkey, earlier), { isAccepted: true, output: `ok ${size}\n` });
  });

  it('refuse a changed leaf', () => {
    const copy = tamperedCopy('go-tampered', (path) => {
      const file = join(path, 'tile/entries/000');
      const bytes = readFileSync(file);
      bytes[100]! ^= 1;
      writeFileSync(file, bytes);
    });
    assert.ok(!verifyWithGo(copy, vkey).isAccepted);
  });
});

interface SigstoreEntry {
  readonly logId: { readonly keyId: Buffer };
  readonly inclusionPromise?: undefined;
  readonly inclusionProof: {
    readonly logIndex: string;
    readonly hashes: readonly Buffer[];
    readonly checkpoint: { readonly envelope: string };
  };
  readonly canonicalizedBody: Buffer;
}

interface SigstoreAuthority {
  readonly logID: Buffer;
  readonly baseURL: string;
  readonly publicKey: KeyObject;
  readonly validFor: { readonly start: Date; readonly end: Date };
}

async function entryFor(index: number, leaf: Buffer): Promise<SigstoreEntry> {
  const { size } = parseCheckpoint(checkpointText);
  return {
    logId: { keyId: Buffer.from(key.keyId, 'hex') },
    inclusionProof: {
      logIndex: String(index),
      hashes: await inclusionProof(directorySource(log), index, size),
      checkpoint: { envelope: checkpointText },
    },
    canonicalizedBody: leaf,
  };
}

function authority(): SigstoreAuthority {
  return {
    logID: Buffer.from(key.keyId, 'hex'),
    baseURL: `https://${RECORDED_ORIGIN}`,
    publicKey: key.keyObject,
    validFor: { start: new Date(0), end: new Date(8.64e15) },
  };
}

describe('@sigstore/verify', () => {
  // The package's own module for transparency-log entries: its public class accepts only entries about signed artifacts.
  const { verifyTLogInclusion } = createRequire(import.meta.url)('@sigstore/verify/dist/tlog/index.js') as {
    verifyTLogInclusion: (entry: SigstoreEntry, authorities: readonly SigstoreAuthority[]) => void;
  };

  it('accepts the inclusion of leaves under our checkpoint', async () => {
    const { size } = parseCheckpoint(checkpointText);
    for await (const { bytes, index } of iterateLeaves(directorySource(log), { size })) {
      if (index % 37 !== 0 && index !== size - 1) continue;
      verifyTLogInclusion(await entryFor(index, bytes), [authority()]);
    }
  });

  it('refuses another leaf, another index and another checkpoint', async () => {
    const [, , , leaf] = await readBundle(directorySource(log), 0, 4);
    const entry = await entryFor(3, leaf!);
    const refused = { code: 'TLOG_INCLUSION_PROOF_ERROR' };
    const changed = Buffer.from(leaf!);
    changed[10]! ^= 1;
    assert.throws(
      () => verifyTLogInclusion({ ...entry, canonicalizedBody: changed }, [authority()]),
      refused,
    );
    const proof = entry.inclusionProof;
    const moved = { ...entry, inclusionProof: { ...proof, logIndex: '2' } };
    assert.throws(() => verifyTLogInclusion(moved, [authority()]), refused);
    const envelope = checkpointText.replace(/^(.*\n)\d+/, '$17');
    const resized = { ...entry, inclusionProof: { ...proof, checkpoint: { envelope } } };
    assert.throws(() => verifyTLogInclusion(resized, [authority()]), refused);
  });
});

function verifyWithOpenssl(body: string, signature: Buffer): boolean {
  const [keyFile, bodyFile, signatureFile] = ['key.pem', 'body', 'signature'].map((name) =>
    join(directory, name),
  );
  writeFileSync(keyFile!, key.keyObject.export({ format: 'pem', type: 'spki' }));
  writeFileSync(bodyFile!, body);
  writeFileSync(signatureFile!, signature);
  const args = [
    'pkeyutl',
    '-verify',
    '-pubin',
    '-inkey',
    keyFile!,
    '-rawin',
    '-in',
    bodyFile!,
    '-sigfile',
    signatureFile!,
  ];
  return spawnSync('openssl', args).status === 0;
}

describe('openssl', needOpenssl(), () => {
  it("accepts the checkpoint's signature, and not that of another body", () => {
    const { note } = parseCheckpoint(checkpointText);
    const { signature } = note.signatures[0]!;
    assert.ok(verifyWithOpenssl(note.body, signature));
    assert.ok(!verifyWithOpenssl(`${note.body}x\n`, signature));
  });
});
