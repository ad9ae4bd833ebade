/** The packages as they are published: they run without type stripping, and tell an old Node that it is old. */

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

const ROOT = join(import.meta.dirname, '../..');
const dist = mkdtempSync(join(tmpdir(), 'countersign-dist-'));

before(() => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build.ts'), dist], { stdio: 'ignore' });
});
after(() => rmSync(dist, { recursive: true }));

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of a built package. `version`: what Node says that it is. */
function run(name: string, args: readonly string[], version = process.versions.node): Promise<Finished> {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  const manifest = JSON.parse(readFileSync(join(dist, name, 'package.json'), 'utf8')) as {
    bin: Record<string, string>;
  };
  const program = join(dist, name, manifest.bin[name] ?? '');
  const all = [
    '--no-strip-types',
    '--import',
    `data:text/javascript,${encodeURIComponent(pretend)}`,
    program,
    ...args,
  ];
  return new Promise((resolve) => {
    execFile(process.execPath, all, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

for (const name of ['countersign', 'countersign-verify']) {
  test(`${name} says on an old Node what it needs`, async () => {
    for (const version of ['18.20.8', '20.20.2', '24.11.9']) {
      assert.deepEqual(await run(name, ['--help'], version), {
        code: 2,
        stdout: '',
        stderr: `${name} needs Node >= 24.12; this is ${version}\n`,
      });
    }
  });
}

test('the built checker runs', async () => {
  for (const version of ['24.12.0', '26.0.0']) {
    const help = await run('countersign-verify', ['--help'], version);
    assert.equal(help.code, 0, help.stderr);
    assert.match(help.stdout, /^usage: countersign-verify /);
  }
  const nowhere = await run('countersign-verify', [join(dist, 'nowhere')]);
  assert.equal(nowhere.code, 30);
});

test('what is installed names its own packages', () => {
  const manifest = JSON.parse(readFileSync(join(dist, 'countersign/package.json'), 'utf8')) as {
    version: string;
    dependencies: Record<string, string>;
  };
  assert.equal(manifest.dependencies['countersign-verify'], manifest.version);
});
