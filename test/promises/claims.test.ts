import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLAIMS } from './claims.ts';

const ROOT = join(import.meta.dirname, '..', '..');
/** Whether a file has a test with these words in its title. */
function hasTest(text: string, title: string): boolean {
  const words = title.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`\\b(?:test|it|describe)\\(\\s*['"\`][^\n]*${words}`).test(text);
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

test('every claim has an id of its own and at least one test', () => {
  assert.equal(new Set(CLAIMS.map(({ id }) => id)).size, CLAIMS.length);
  for (const { id, evidence } of CLAIMS) assert.ok(evidence.length > 0, id);
});

for (const { id, evidence } of CLAIMS) {
  test(`the tests of ${id} exist`, () => {
    for (const { file, title } of evidence) {
      assert.match(file, /\.test\.ts$/);
      assert.ok(hasTest(read(file), title), `${file} has no test "${title}"`);
    }
  });
}

test('every promise has a claim, and a row in the readme', () => {
  const promised = [...read('docs/promises.md').matchAll(/^(\d)\. \*\*([^*]+)\.\*\*/gm)];
  assert.equal(promised.length, 7);
  const readme = read('README.md');
  for (const [, number = '', name = ''] of promised) {
    assert.ok(
      CLAIMS.some(({ promise }) => promise === Number(number)),
      name,
    );
    assert.ok(readme.includes(`| ${number} | ${name} |`), `the readme has no row for ${name}`);
  }
});
