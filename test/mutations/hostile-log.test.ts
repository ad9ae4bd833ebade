/** Logs made to deceive or to hurt their reader: files that are no files, leaves that lie, names that repaint a terminal. */

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyPairSync } from 'node:crypto';
import { after, describe, it } from 'node:test';
import {
  directorySource,
  signCheckpoint,
  VaultChecks,
  VaultReader,
  verifierOf,
  verifyLog,
  type VerifyReport,
} from 'countersign-verify';
import {
  addCall,
  addHeartbeat,
  addIntent,
  closeSession,
  openSession,
  sampleLog,
  sampleSigner,
  SampleWriter,
  startRun,
  writeLog,
  writeVault,
} from './sample-log.ts';

const directory = mkdtempSync(join(tmpdir(), 'countersign-hostile-'));
after(() => rmSync(directory, { recursive: true }));
let number = 0;

function write(leaves: readonly Buffer[]): string {
  const path = join(directory, String(number++));
  writeLog(path, leaves);
  return path;
}

function check(path: string): Promise<VerifyReport> {
  return verifyLog(directorySource(path), { key: verifierOf(sampleSigner()) });
}

function begun(): SampleWriter {
  const writer = new SampleWriter();
  startRun(writer, 'first');
  return writer;
}

function codesOf(report: VerifyReport): string[] {
  return [...new Set(report.findings.map(({ code }) => code))];
}

describe('files of a log', () => {
  it('that are longer than they may be are found, whatever they begin with', async () => {
    for (const file of ['tile/0/000.p/3', 'tile/entries/000.p/3']) {
      const writer = begun();
      addHeartbeat(writer);
      const path = write(writer.leaves);
      assert.equal(writer.leaves.length, 3);
      const bytes = readFileSync(join(path, file));
      appendFileSync(join(path, file), file.includes('entries') ? bytes : bytes.subarray(0, 32));
      const report = await check(path);
      assert.deepEqual([report.verdict, codesOf(report)], ['ALTERED', ['file-malformed']], file);
    }
  });

  it('that are devices, pipes or directories neither hang the reader nor pass', async () => {
    for (const make of [
      (file: string) => symlinkSync('/dev/zero', file),
      (file: string) => execFileSync('mkfifo', [file]),
      (file: string) => execFileSync('mkdir', [file]),
      (file: string) => symlinkSync(file, file),
    ]) {
      for (const name of ['checkpoint', 'tile/0/000.p/2', 'tile/entries/000.p/2']) {
        const path = write(begun().leaves);
        renameSync(join(path, name), join(path, 'aside'));
        make(join(path, name));
        assert.equal((await check(path)).verdict, 'CANNOT-VERIFY', name);
      }
    }
  });

  it('of a size that nobody could hold are not waited for', async () => {
    const path = write(begun().leaves);
    const body = { origin: 'log.bank.example/node-1', size: Number.MAX_SAFE_INTEGER, root: Buffer.alloc(32) };
    writeFileSync(join(path, 'checkpoint'), signCheckpoint(body, sampleSigner()));
    assert.equal((await check(path)).verdict, 'CANNOT-VERIFY');
  });
});

describe('leaves that are no leaves', () => {
  const attacks: Record<string, string> = {
    'deep nesting': `${'['.repeat(32_000)}${']'.repeat(32_000)}`,
    'a number beyond 2^53': '{"at":9223372036854775807,"v":1}',
    'a number that is infinite': '{"at":1e999,"v":1}',
    NaN: '{"at":NaN,"v":1}',
    'a key twice': '{"at":1,"at":1,"v":1}',
    'a prototype': '{"__proto__":{"at":1},"v":1}',
    null: 'null',
    nothing: '',
  };
  for (const [name, text] of Object.entries(attacks)) {
    it(`${name}: is INCOMPLETE and never VERIFIED`, async () => {
      const report = await check(write([...begun().leaves, Buffer.from(text)]));
      assert.equal(report.verdict, 'INCOMPLETE');
      assert.ok(codesOf(report).includes('leaf-schema'));
    });
  }
});

describe('leaves that lie', () => {
  const lies: Record<
    string,
    { readonly codes: readonly string[]; readonly tell: (writer: SampleWriter) => void }
  > = {
    'a session that goes on after it was closed': {
      codes: ['session-reopened', 'session-not-opened', 'seq-hole'],
      tell(writer) {
        const { context, session } = openSession(writer, 'a');
        closeSession(writer, session, 0);
        addCall(writer, session, context, 'SELECT 1');
      },
    },
    'a session id that is used again': {
      codes: ['session-reopened', 'seq-hole', 'rolling-digest'],
      tell(writer) {
        for (let i = 0; i < 2; i++) closeSession(writer, openSession(writer, 'a').session, 0);
      },
    },
    'a session that outlives the crash of its run': {
      codes: ['gap-crash', 'session-not-closed'],
      tell(writer) {
        const { context, session } = openSession(writer, 'a');
        startRun(writer, 'crashed');
        addCall(writer, session, context, 'SELECT 1');
        closeSession(writer, session, 1);
      },
    },
    'a session after the software stopped': {
      codes: ['run-order'],
      tell(writer) {
        writer.add('software.stopped', { reason: 'test' });
        closeSession(writer, openSession(writer, 'a').session, 0);
      },
    },
    'a crashed run that fell silent long before': {
      codes: ['heartbeat-missing', 'gap-crash'],
      tell(writer) {
        writer.pass(600_000_000);
        writer.add('alert', { code: 'test' });
        startRun(writer, 'crashed');
      },
    },
    'a loss that states another number of leaves': {
      codes: ['gap-declared', 'gap-without-hole'],
      tell(writer) {
        const from = writer.jseq;
        writer.skip(3);
        writer.add('gap.declared', { cause: 'corruption', segment: 1, from, to: from + 2, lost: 1 });
      },
    },
    'a closing that states fewer calls than there were': {
      codes: ['session-totals'],
      tell(writer) {
        const { context, session } = openSession(writer, 'a');
        addCall(writer, session, context, 'SELECT 1');
        closeSession(writer, session, 0);
      },
    },
  };
  for (const [name, { codes, tell }] of Object.entries(lies)) {
    it(name, async () => {
      const writer = begun();
      tell(writer);
      assert.deepEqual(codesOf(await check(write(writer.leaves))), codes);
    });
  }

  it('a journal that nobody started', async () => {
    const other = new SampleWriter('w1');
    const { context, session } = openSession(other, 'b');
    addIntent(other, session, context, 'SELECT 1');
    const report = await check(write([...begun().leaves, ...other.leaves]));
    assert.deepEqual([report.verdict, codesOf(report)], ['INCOMPLETE', ['run-order']]);
  });
});

describe('the vault', () => {
  it('says nothing against itself when the reader holds another key', async () => {
    const writer = sampleLog(1, 1);
    const path = write(writer.leaves);
    const vault = join(directory, 'vault');
    writeVault(vault, writer);
    const { privateKey } = generateKeyPairSync('x25519');
    const report = await verifyLog(directorySource(path), {
      key: verifierOf(sampleSigner()),
      visitor: (findings) => new VaultChecks(new VaultReader(vault, privateKey), findings),
    });
    assert.equal(report.verdict, 'CANNOT-VERIFY');
    assert.match(report.findings[0]!.message, /wrapped to another key than the one given/);
  });
});

describe('the report', () => {
  it('shows no character that could repaint the verdict', () => {
    const origin = 'log.example/\u009b2J\u202eDEIFIREV\u2028x';
    const path = write(begun().leaves);
    const body = { origin, size: 0, root: Buffer.alloc(32) };
    writeFileSync(join(path, 'checkpoint'), signCheckpoint(body, sampleSigner()));
    const cli = new URL('../../packages/verify/src/cli.ts', import.meta.url).pathname;
    const { stdout } = spawnSync(process.execPath, [cli, path], { encoding: 'utf8' });
    assert.match(stdout, /origin: log\.example\/\\u009b2J\\u202eDEIFIREV\\u2028x/);
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u007f-\u009f\u2028-\u202e]/u);
  });
});
