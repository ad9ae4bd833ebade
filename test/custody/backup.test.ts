/** Backup of a record that is being written, and what becomes of it. */

import assert from 'node:assert/strict';
import { createPrivateKey, hash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { directorySource, VaultChecks, VaultReader, verifyLog } from 'countersign-verify';
import {
  createBackup,
  type CreateBackupOptions,
  type CreatedBackup,
} from '../../packages/gateway/src/record/backup/create-backup.ts';
import { restoreBackup } from '../../packages/gateway/src/record/backup/restore-backup.ts';
import { generateVaultKeyPair } from '../../packages/gateway/src/record/keys.ts';
import { ORIGIN, RecordFixture, TestSession } from '../../packages/gateway/src/record/record-fixture.ts';

const custodian = generateVaultKeyPair();

interface Stage {
  readonly fixture: RecordFixture;
  readonly destination: string;
  readonly restored: string;
  backup(more?: Partial<CreateBackupOptions>): Promise<CreatedBackup>;
}

function newStage(t: TestContext): Stage {
  const fixture = new RecordFixture();
  const folder = mkdtempSync(join(tmpdir(), 'countersign-backup-'));
  t.after(() => {
    fixture.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  const destination = join(folder, 'backups');
  return {
    fixture,
    destination,
    restored: join(folder, 'restored'),
    backup: (more) =>
      createBackup({ stateDirectory: fixture.directory, destination, isStopped: false, ...more }),
  };
}

const open = (stage: Stage): ReturnType<RecordFixture['open']> =>
  stage.fixture.open({ custodianKey: custodian.publicKey });

/** Log and contents, with the custodian's key. */
async function verdictOf(directory: string): Promise<string> {
  const reader = new VaultReader(join(directory, 'vault'), createPrivateKey(custodian.privateKey));
  const report = await verifyLog(directorySource(join(directory, 'log')), {
    visitor: (findings) => new VaultChecks(reader, findings),
  });
  return [report.verdict, ...report.findings.map(({ code }) => code)].join(' ');
}

/** Some record that is at rest. */
async function runOnce(stage: Stage, statements = 20): Promise<void> {
  const recorder = await open(stage);
  const session = new TestSession(recorder);
  for (let i = 0; i < statements; i++) await session.run(`select ${i}`);
  const spool = await recorder.openSpool();
  await spool.write(Buffer.alloc(300_000, 7));
  const text = await spool.finish();
  recorder.append({ type: 'config.changed', config: 'test', text: text.digest, cause: 'reload' }, [
    { field: 'text', commitment: text },
  ]);
  session.close();
  await recorder.close('test');
}

test('under traffic: the copy verifies, its contents open for the custodian, and what came later is not in it', async (t) => {
  const stage = newStage(t);
  const recorder = await open(stage);
  const recorded: (readonly [number, string])[] = [];
  const stop = new AbortController();
  const traffic = (async () => {
    for (let n = 0; !stop.signal.aborted; n++) {
      const session = new TestSession(recorder, n % 2 === 0 ? undefined : 'ledger');
      for (let i = 0; i < 25; i++) await session.run(`select ${n}, ${i}, '${'x'.repeat(200)}'`);
      await session.close().durable();
    }
  })();
  const backups: CreatedBackup[] = [];
  while (recorder.health().treeSize < 1500) {
    const { treeSize } = recorder.health();
    if (treeSize === 0) {
      await new Promise((resolve) => setImmediate(resolve));
      continue;
    }
    backups.push(
      await stage.backup({
        record: async (size, root) => {
          recorded.push([size, root]);
          await recorder.keys.record({ type: 'backup.created', size, root });
        },
      }),
    );
  }
  stop.abort();
  await traffic;
  await recorder.close('test');
  assert.ok(backups.length > 1);
  for (const { directory, manifest } of backups) {
    assert.equal(await verdictOf(directory), 'VERIFIED');
    assert.ok(recorded.some(([size, root]) => size === manifest.size && root === manifest.root));
    assert.equal(existsSync(join(directory, 'journal')), false);
  }
  // The log has the backups, and is what it was.
  assert.equal(await verdictOf(stage.fixture.directory), 'VERIFIED');
});

test('nothing that opens a content is in it', async (t) => {
  const stage = newStage(t);
  await runOnce(stage);
  writeFileSync(join(stage.fixture.directory, 'keys/identity.key'), 'secret');
  for (const isStopped of [false, true]) {
    const { directory, manifest } = await stage.backup({ isStopped });
    const names = readdirSync(directory, { recursive: true }).map(String);
    assert.deepEqual(
      names.filter((name) => /\.gateway$|gateway-.*\.key|identity/.test(name)),
      [],
    );
    assert.ok(manifest.leftOut.some((line) => line.includes('identity.key')));
  }
});

test('the next backup links what did not change, and is complete by itself', async (t) => {
  const stage = newStage(t);
  await runOnce(stage, 300);
  const first = await stage.backup();
  await runOnce(stage, 5);
  const second = await stage.backup();
  assert.equal(first.linked, 0);
  assert.ok(second.linked > 2);
  const tile = 'log/tile/entries/000';
  const inode = (backup: CreatedBackup): number => statSync(join(backup.directory, tile)).ino;
  assert.equal(inode(second), inode(first));
  rmSync(first.directory, { recursive: true });
  assert.equal(await verdictOf(second.directory), 'VERIFIED');
  await restoreBackup({ backup: second.directory, stateDirectory: stage.restored });
  assert.equal(await verdictOf(stage.restored), 'VERIFIED');
});

test('what is erased is gone from the next backup', async (t) => {
  const stage = newStage(t);
  await runOnce(stage);
  const first = await stage.backup();
  const key = first.manifest.files.find(({ path }) => path.startsWith('vault/keys/'))!;
  rmSync(join(stage.fixture.directory, key.path));
  const second = await stage.backup();
  assert.ok(!second.manifest.files.some(({ path }) => path === key.path));
  assert.ok(!existsSync(join(second.directory, key.path)));
});

test('a gateway does not go on with the log of a backup that was made while it ran, not even with --accept-loss', async (t) => {
  const stage = newStage(t);
  await runOnce(stage);
  await stage.backup();
  const { manifest } = await restoreBackup({ backup: stage.destination, stateDirectory: stage.restored });
  assert.equal(manifest.isStopped, false);
  assert.equal(await verdictOf(stage.restored), 'VERIFIED');
  for (const acceptLoss of [false, true]) {
    const opened = stage.fixture.open({ stateDirectory: stage.restored, acceptLoss });
    await assert.rejects(opened, { code: 'CS_LOG_ROLLED_BACK' });
  }
  assert.equal(manifest.origin, ORIGIN);
});

test('the backup of a stopped gateway is restored and goes on where it was', async (t) => {
  const stage = newStage(t);
  await runOnce(stage);
  await stage.backup({ isStopped: true });
  rmSync(stage.fixture.directory, { recursive: true });
  await restoreBackup({ backup: stage.destination, stateDirectory: stage.restored });
  renameSync(stage.restored, stage.fixture.directory);
  await runOnce(stage);
  assert.equal(await verdictOf(stage.fixture.directory), 'VERIFIED');
});

test('a backup that was damaged in any file is refused, and nothing is put in place', async (t) => {
  const stage = newStage(t);
  await runOnce(stage);
  const { directory, manifest } = await stage.backup();
  for (const { path } of manifest.files) {
    const file = join(directory, path);
    const bytes = readFileSync(file);
    const damaged = Buffer.from(bytes);
    damaged.writeUInt8(damaged.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
    for (const damage of [damaged, bytes.subarray(0, -1), undefined]) {
      if (damage === undefined) rmSync(file);
      else writeFileSync(file, damage);
      const restoring = restoreBackup({ backup: directory, stateDirectory: stage.restored });
      await assert.rejects(restoring, { code: 'CS_INPUT_UNUSABLE' }, path);
      assert.equal(existsSync(stage.restored), false);
    }
    writeFileSync(file, bytes);
  }
  await restoreBackup({ backup: directory, stateDirectory: stage.restored });
});

test('a backup whose manifest was made to fit another log is found by the log itself', async (t) => {
  const stage = newStage(t);
  await runOnce(stage);
  const { directory, manifest } = await stage.backup();
  const victim = manifest.files.find(({ path }) => path.startsWith('log/tile/entries/'))!;
  const bytes = readFileSync(join(directory, victim.path));
  bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
  writeFileSync(join(directory, victim.path), bytes);
  const files = manifest.files.map((file) =>
    file.path === victim.path ? Object.assign({}, file, { sha256: hash('sha256', bytes, 'hex') }) : file,
  );
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify({ ...manifest, files }));
  const restoring = restoreBackup({ backup: directory, stateDirectory: stage.restored });
  await assert.rejects(restoring, { code: 'CS_RECORD_CORRUPT' });
  assert.equal(existsSync(stage.restored), false);
  // A manifest does not lead out of the state directory, either.
  const outside = [{ path: 'log/../../outside', bytes: 0, sha256: '' }];
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify({ ...manifest, files: outside }));
  await assert.rejects(restoreBackup({ backup: directory, stateDirectory: stage.restored }), {
    code: 'CS_INPUT_UNUSABLE',
  });
});

test('a backup that was cut off is no backup, and the next one clears it away', async (t) => {
  const stage = newStage(t);
  await runOnce(stage);
  const { directory } = await stage.backup();
  // What a cut leaves: the files, under the unfinished name.
  const unfinished = `${directory}.partial`;
  renameSync(directory, unfinished);
  rmSync(join(unfinished, 'manifest.json'));
  await assert.rejects(restoreBackup({ backup: stage.destination, stateDirectory: stage.restored }), {
    code: 'CS_INPUT_UNUSABLE',
  });
  await assert.rejects(restoreBackup({ backup: unfinished, stateDirectory: stage.restored }), {
    code: 'CS_INPUT_UNUSABLE',
  });
  const again = await stage.backup();
  assert.equal(existsSync(unfinished), false);
  // What a cut restore left does not stop the next.
  mkdirSync(`${stage.restored}.restoring/log`, { recursive: true });
  appendFileSync(`${stage.restored}.restoring/log/checkpoint`, 'half');
  await restoreBackup({ backup: again.directory, stateDirectory: stage.restored });
  assert.equal(await verdictOf(stage.restored), 'VERIFIED');
});

test('a log that does not verify is not backed up, and no directory with something in it is restored over', async (t) => {
  const stage = newStage(t);
  await runOnce(stage);
  const { directory } = await stage.backup();
  await assert.rejects(restoreBackup({ backup: directory, stateDirectory: stage.fixture.directory }), {
    code: 'CS_FILE_EXISTS',
  });
  const checkpoint = join(stage.fixture.directory, 'log/checkpoint');
  writeFileSync(checkpoint, readFileSync(checkpoint, 'utf8').replace(/^time \d+$/m, 'time 1'));
  await assert.rejects(stage.backup(), { code: 'CS_RECORD_CORRUPT' });
  assert.deepEqual(readdirSync(stage.destination).length, 1);
});

test('what rotted in an earlier backup, or was put in its place, is copied anew and not linked', async (t) => {
  const stage = newStage(t);
  await runOnce(stage, 300);
  const { directory, manifest } = await stage.backup();
  const outside = join(stage.destination, 'outside');
  for (const { path } of manifest.files) {
    const file = join(directory, path);
    const bytes = readFileSync(file);
    // A file of another name with the right bytes would follow its owner, not the backup.
    if (path.endsWith('.custodian')) {
      writeFileSync(outside, bytes);
      rmSync(file);
      symlinkSync(outside, file);
    } else {
      bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
      writeFileSync(file, bytes);
    }
  }
  const again = await stage.backup();
  await restoreBackup({ backup: again.directory, stateDirectory: stage.restored });
  assert.equal(await verdictOf(stage.restored), 'VERIFIED');
  assert.ok(again.manifest.files.every(({ path }) => lstatSync(join(again.directory, path)).isFile()));
});
