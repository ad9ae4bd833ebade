/** Who may know whom: every import of the gateway is held against the table of rooms. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { IMPURE_MODULES, PURE_FOLDERS, ROOMS, SHARED_TYPES } from './rooms.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const GATEWAY = join(ROOT, 'packages/gateway/src');
const VERIFY = join(ROOT, 'packages/verify/src');

/** Soft limit of lines per file. Twice of it is no longer a matter of taste. */
const SOFT_LINES = 400;
const HARD_LINES = 2 * SOFT_LINES;

interface Import {
  /** Relative to the root. */
  readonly file: string;
  readonly specifier: string;
  /** Absolute; undefined for a package or a module of Node. */
  readonly path: string | undefined;
  /** `import type`: nothing of it is left at run time. */
  readonly isType: boolean;
}

function sources(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(
      (entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.parentPath.includes('node_modules'),
    )
    .map((entry) => join(entry.parentPath, entry.name));
}

const isTest = (file: string): boolean => file.endsWith('.test.ts');

interface Specifier {
  readonly specifier: string;
  readonly isType: boolean;
}

/** Static and dynamic imports, and re-exports, with a literal specifier. Comments do not count. */
function specifiersOf(text: string): readonly Specifier[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  const statements = /(?:^|[;\n])\s*(?:import|export)\b(\s+type\b)?[^;'"`]*?\bfrom\s*['"]([^'"]+)['"]/g;
  const bare = /(?:^|[;\n])\s*import(\b)\s*['"]([^'"]+)['"]/g;
  const dynamic = /\bimport(\()\s*['"]([^'"]+)['"]\s*\)/g;
  return [statements, bare, dynamic].flatMap((pattern) =>
    [...code.matchAll(pattern)].map(([, type, specifier = '']) => ({
      specifier,
      isType: type?.trim() === 'type',
    })),
  );
}

function importsIn(file: string): readonly Import[] {
  return specifiersOf(readFileSync(file, 'utf8')).map(({ specifier, isType }) => ({
    file: relative(ROOT, file),
    specifier,
    path: specifier.startsWith('.') ? resolve(file, '..', specifier) : undefined,
    isType,
  }));
}

const importsOf = (folder: string): readonly Import[] =>
  sources(folder)
    .filter((file) => !isTest(file))
    .flatMap(importsIn);

const roomOf = (path: string): string => relative(GATEWAY, path).split('/')[0] ?? '';

function isAllowed({ file, path, isType }: Import): boolean {
  if (path === undefined) {
    return true;
  }
  const from = roomOf(join(ROOT, file));
  const to = roomOf(path);
  const { uses = [], knows = [] } = ROOMS[from] ?? {};
  const known: readonly string[] = isType ? [...SHARED_TYPES, ...knows] : [];
  return to === 'errors.ts' || from === to || uses.includes(to) || known.includes(to);
}

const told = ({ file, specifier }: Import): string => `${file} imports ${specifier}`;

describe('the architecture', () => {
  const gateway = importsOf(GATEWAY);
  const verify = importsOf(VERIFY);

  it('reads imports of every form', () => {
    const text = `import a from './a.ts';
import type {
  B,
} from "./b.ts";
import './c.ts';
export * from './d.ts';
const e = await import('./e.ts');
// import f from './f.ts';
/* import g from './g.ts'; */
const text = 'from nowhere';`;
    assert.deepEqual(
      specifiersOf(text)
        .map(({ specifier, isType }) => (isType ? `type ${specifier}` : specifier))
        .sort(),
      ['./a.ts', './c.ts', './d.ts', './e.ts', 'type ./b.ts'],
    );
    assert.ok(gateway.length > 100 && verify.length > 20, 'the sources were not found');
  });

  it('refuses an import against an arrow', () => {
    const file = 'packages/gateway/src/record/journal/writer.ts';
    const path = join(GATEWAY, 'postgres/listener.ts');
    const specifier = '../../postgres/listener.ts';
    assert.equal(isAllowed({ file, specifier, path, isType: false }), false);
    assert.equal(isAllowed({ file, specifier, path, isType: true }), false);
    const config = join(GATEWAY, 'config/config.ts');
    assert.equal(isAllowed({ file, specifier: '../../config/config.ts', path: config, isType: true }), true);
    assert.equal(
      isAllowed({ file, specifier: '../../config/config.ts', path: config, isType: false }),
      false,
    );
  });

  it('has a row in the table for every room', () => {
    const folders = readdirSync(GATEWAY, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    assert.deepEqual(
      folders.map(({ name }) => name).filter((name) => ROOMS[name] === undefined),
      [],
    );
  });

  it('imports only along the arrows', () => {
    assert.deepEqual(gateway.filter((each) => !isAllowed(each)).map(told), []);
  });

  it('keeps pure folders free of the outside world', () => {
    const found = gateway.filter(
      ({ file, specifier }) =>
        PURE_FOLDERS.some((folder) => file.startsWith(`${folder}/`)) && IMPURE_MODULES.test(specifier),
    );
    assert.deepEqual(found.map(told), []);
  });

  it('lets the offline checker depend on nothing but Node', () => {
    const foreign = verify.filter(({ specifier, path }) =>
      path === undefined ? !specifier.startsWith('node:') : relative(VERIFY, path).startsWith('..'),
    );
    assert.deepEqual(foreign.map(told), []);
  });

  it('never imports tests, benchmarks or examples from what is shipped', () => {
    const outside = gateway.filter(
      ({ path }) => path !== undefined && relative(GATEWAY, path).startsWith('..'),
    );
    assert.deepEqual(outside.map(told), []);
  });

  it('keeps files small', (test) => {
    const long = [GATEWAY, VERIFY].flatMap(sources).flatMap((file) => {
      const lines = readFileSync(file, 'utf8').split('\n').length;
      return lines > SOFT_LINES ? [{ file: relative(ROOT, file), lines }] : [];
    });
    for (const { file, lines } of long) {
      test.diagnostic(`${file} has ${lines} lines; the soft limit is ${SOFT_LINES}`);
    }
    assert.deepEqual(
      long.filter(({ file, lines }) => lines > HARD_LINES && !file.endsWith('-tables.ts')),
      [],
    );
  });
});
