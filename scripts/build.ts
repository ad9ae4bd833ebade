/**
 * Builds the packages as they are published into `dist/<package>`, or into the folder given as argument: JavaScript and
 * type declarations, without tests. Running from a clone needs no build.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The oldest Node that the packages run on, as in `engines`. */
const OLDEST = { major: 24, minor: 12 };

const ROOT = join(import.meta.dirname, '..');
const DIST = resolve(process.argv[2] ?? join(ROOT, 'dist'));

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

/**
 * What a command starts with: JavaScript that any Node understands. An old one is told so, where the program itself would
 * die of the first import that it does not know.
 */
function launcher(name: string, firstLine: string, program: string): string {
  const { major, minor } = OLDEST;
  return `${firstLine}
var version = process.versions.node.split('.').map(Number);
if (version[0] > ${major} || (version[0] === ${major} && version[1] >= ${minor})) {
  import(${JSON.stringify(program)});
} else {
  process.stderr.write('${name} needs Node >= ${major}.${minor}; this is ' + process.versions.node + '\\n');
  process.exitCode = 2;
}
`;
}

/** Writes `bin/<name>.js` for every command and gives where they are. */
function writeLaunchers(
  folder: string,
  output: string,
  programs: Readonly<Record<string, string>>,
): Record<string, string> {
  mkdirSync(join(output, 'bin'));
  const places = Object.entries(programs).map(([name, program]) => {
    const [firstLine = ''] = readFileSync(join(folder, program), 'utf8').split('\n', 1);
    const place = `./bin/${name}.js`;
    const text = launcher(name, firstLine, `../${built(program).replace('./', '')}`);
    writeFileSync(join(output, place), text, { mode: 0o755 });
    return [name, place] as const;
  });
  return Object.fromEntries(places);
}

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

const manifestOf = (name: string): Manifest =>
  JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8')) as Manifest;

/** Packages of this repository as dependencies: in a clone they stand beside each other, installed they have to be named. */
const pinned = (names: readonly string[]): Record<string, string> =>
  Object.fromEntries(names.map(manifestOf).map(({ name, version }) => [name, version]));

function build(name: string, siblings: readonly string[]): string {
  const folder = join(ROOT, 'packages', name);
  const manifest = manifestOf(name);
  const output = join(DIST, manifest.name);
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  compile(folder, output);
  const published = {
    ...manifest,
    ...(manifest.bin === undefined ? {} : { bin: writeLaunchers(folder, output, manifest.bin) }),
    ...(manifest.exports === undefined ? {} : { exports: mapped(manifest.exports) }),
    ...(siblings.length === 0 ? {} : { dependencies: { ...manifest.dependencies, ...pinned(siblings) } }),
  };
  writeFileSync(join(output, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
  for (const file of readdirSync(ROOT).filter((entry) => /^(LICENSE|README\.md)$/.test(entry))) {
    copyFileSync(join(ROOT, file), join(output, file));
  }
  return output;
}

process.stdout.write(`${build('verify', [])}\n`);
process.stdout.write(`${build('gateway', ['verify'])}\n`);
