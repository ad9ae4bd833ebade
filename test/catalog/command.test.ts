/** `countersign catalog`: the snapshot of the running gateway in a file, on the record. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { readCatalogFile } from '../../packages/gateway/src/postgres/catalog/catalog-file.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';
import { Harness } from '../translator/harness.ts';

const MAIN = join(import.meta.dirname, '../../packages/gateway/src/cli/main.ts');

let server: PostgresServer;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-catalog-'));
  server = await startTestPostgres();
});

after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: readonly string[]): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

test('the file is the snapshot, and reading it is on the record', async () => {
  const harness = await Harness.start(server);
  const out = join(folder, 'catalog.json');
  const { configFile } = harness.folder;
  const target = harness.gateway.config.targets[0]?.name ?? '';
  const made = await run('catalog', target, '--out', out, '-c', configFile, '--json');
  assert.equal(made.code, 0, made.stderr);
  const data = await readCatalogFile(out);
  assert.equal(data.epoch, (await loadTestCatalog(server)).epoch);
  const summary = JSON.parse(made.stdout) as Record<string, unknown>;
  assert.equal(summary['epoch'], data.epoch);
  assert.equal(summary['relations'], data.relations.length);
  const again = await run('catalog', target, '--out', out, '-c', configFile);
  assert.match(again.stderr, /CS_FILE_EXISTS/);
  const unknown = await run('catalog', 'nowhere', '--out', join(folder, 'none'), '-c', configFile);
  assert.match(unknown.stderr, /no such target is configured/);
  const missing = await run(
    'catalog',
    target,
    '--database',
    'missing',
    '--out',
    join(folder, 'none'),
    '-c',
    configFile,
  );
  assert.match(missing.stderr, /CS_CATALOG_UNAVAILABLE/);
  const { leaves } = await harness.finish();
  assert.equal(leaves.filter(({ type }) => type === 'catalog.loaded').length, 1);
});
