/**
 * Builds the packages as they are published into `dist/<package>`: JavaScript and type declarations, without tests.
 * Running from a clone needs no build.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const built = (path: string): string => path.replace(/\.ts$/, '.js');

const mapped = (paths: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(paths).map(([name, path]) => [built(name), built(path)]));

function compile(folder: string, output: string): void {
  const config = join(output, 'tsconfig.json');
  const settings = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      allowImportingTsExtensions: false,
      rootDir: join(folder, 'src'),
      // As in the sources: code finds its package.json by its own place.
      outDir: join(output, 'src'),
      typeRoots: [join(ROOT, 'node_modules', '@types')],
    },
    include: [join(folder, 'src', '**', '*.ts')],
    exclude: [join(folder, 'src', '**', '*.test.ts')],
  };
  writeFileSync(config, JSON.stringify(settings));
  execFileSync(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', config], { stdio: 'inherit' });
  rmSync(config);
}

function build(name: string): string {
  const folder = join(ROOT, 'packages', name);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  const output = join(DIST, manifest.name);
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  compile(folder, output);
  const published = {
    ...manifest,
    ...(manifest.bin === undefined ? {} : { bin: mapped(manifest.bin) }),
    ...(manifest.exports === undefined ? {} : { exports: mapped(manifest.exports) }),
  };
  writeFileSync(join(output, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
  for (const file of readdirSync(ROOT).filter((entry) => /^(LICENSE|README\.md)$/.test(entry))) {
    copyFileSync(join(ROOT, file), join(output, file));
  }
  return output;
}

for (const name of ['verify', 'gateway']) {
  process.stdout.write(`${build(name)}\n`);
}
