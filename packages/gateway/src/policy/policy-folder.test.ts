import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';

import { diffPolicies } from './policy-diff.ts';
import { MAX_FILE_BYTES, MAX_FILES, readPolicyFolder } from './policy-folder.ts';
import { PolicyError } from './policy-problem.ts';
import { loadPolicies, makePolicySet } from './policy-set.ts';
import { strangersIn } from './strangers.ts';

const POLICY = '@id("a") permit (principal, action, resource);\n';

const root = mkdtempSync(join(tmpdir(), 'countersign-policies-'));
after(() => rmSync(root, { recursive: true, force: true }));

let folder: string;
let count = 0;
beforeEach(() => {
  folder = join(root, String((count += 1)));
  mkdirSync(folder, { mode: 0o755 });
});

const write = (name: string, text: string | Buffer = ''): void => writeFileSync(join(folder, name), text);

test('files in the order of their names, and nothing but *.cedar', () => {
  for (const name of ['b.cedar', 'a.cedar', 'B.cedar', '10.cedar', '9.cedar', '.hidden.cedar', 'tests.yaml'])
    write(name);
  mkdirSync(join(folder, 'archive'));
  writeFileSync(join(folder, 'archive', 'old.cedar'), 'not a policy');
  const { files, problems } = readPolicyFolder(folder);
  assert.deepEqual(
    files.map(({ name }) => name),
    ['10.cedar', '9.cedar', 'B.cedar', 'a.cedar', 'b.cedar'],
  );
  assert.deepEqual(problems, []);
});

test('an empty folder is an empty set; one that is not there is an error', () => {
  assert.equal(loadPolicies(folder).set.count, 0);
  assert.equal(loadPolicies(undefined).set.count, 0);
  assert.throws(
    () => loadPolicies(join(folder, 'nowhere')),
    (error) => error instanceof PolicyError && /cannot be read: ENOENT/.test(error.detail ?? ''),
  );
});

test('links to files are read; what is no file is an error, and a pipe does not block', () => {
  writeFileSync(join(root, 'elsewhere.txt'), POLICY);
  symlinkSync(join(root, 'elsewhere.txt'), join(folder, 'link.cedar'));
  symlinkSync(join(root, 'missing'), join(folder, 'dangling.cedar'));
  symlinkSync('loop.cedar', join(folder, 'loop.cedar'));
  mkdirSync(join(folder, 'folder.cedar'));
  execFileSync('mkfifo', [join(folder, 'pipe.cedar')]);
  const { files, problems } = readPolicyFolder(folder);
  assert.deepEqual(
    files.map(({ name }) => name),
    ['link.cedar'],
  );
  assert.deepEqual(
    problems.map(({ file, message, severity }) => [file.slice(folder.length + 1), severity, message]),
    [
      ['dangling.cedar', 'error', 'the file cannot be read: ENOENT'],
      ['folder.cedar', 'error', 'this is not a file'],
      ['loop.cedar', 'error', 'the file cannot be read: ELOOP'],
      ['pipe.cedar', 'error', 'this is not a file'],
    ],
  );
});

test('too large, too many, not text', () => {
  write('large.cedar', Buffer.alloc(MAX_FILE_BYTES + 1, 0x20));
  write('latin.cedar', Buffer.from([0x2f, 0x2f, 0xe9]));
  write('nul.cedar', '// \0');
  const told = readPolicyFolder(folder).problems.map(({ message }) => message);
  assert.deepEqual(told, [
    'the file is larger than 1 MiB',
    'the file is not UTF-8, or holds a NUL',
    'the file is not UTF-8, or holds a NUL',
  ]);
  for (let index = 0; index <= MAX_FILES; index += 1) write(`${index}.cedar`);
  assert.match(readPolicyFolder(folder).problems.at(-1)?.message ?? '', /more than 256 files/);
});

test('a name that nearly says policy, and a folder that all can write to, are warnings', () => {
  write('rules.CEDAR', POLICY);
  write('rules.cedar.bak', POLICY);
  write('rules.cedarschema');
  chmodSync(folder, 0o777);
  const { files, problems } = readPolicyFolder(folder);
  assert.deepEqual(files, []);
  assert.deepEqual(
    problems.map(({ file, severity }) => [file.slice(folder.length + 1), severity]),
    [
      ['rules.CEDAR', 'warning'],
      ['rules.cedar.bak', 'warning'],
      ['', 'warning'],
    ],
  );
});

test('the difference of two sets is told policy by policy', () => {
  const before = [
    { id: 'a', text: 'permit (principal, action, resource);' },
    { id: 'b', text: 'one\ntwo' },
    { id: 'c', text: 'same' },
  ];
  const now = [
    { id: 'c', text: 'same' },
    { id: 'b', text: 'one\nthree' },
    { id: 'd', text: 'new' },
  ];
  assert.equal(
    diffPolicies(before, now),
    '@@ a @@\n-permit (principal, action, resource);\n@@ b @@\n-one\n-two\n+one\n+three\n@@ d @@\n+new\n',
  );
  assert.equal(diffPolicies(now, now), '');
});

test('what the configuration does not have is a warning', () => {
  const text = `@id("a") permit (principal in Group::"tellers", action, resource in Target::"bank");
@id("b") permit (principal == User::"jane", action, resource in Database::"bank/x");
@id("c") forbid (principal in Group::"teller", action, resource in Schema::"bnak/x/y");
@id("d") forbid (principal == Agent::"jane", action, resource);
@id("e") forbid (principal == Service::"gateway", action == Action::"special", resource);`;
  const { set } = makePolicySet([{ name: 'a.cedar', path: 'a.cedar', text }]);
  const known = {
    principals: [{ name: 'jane', owner: 'J', kind: 'human', addresses: [], groups: ['tellers'] }],
    targets: [{ name: 'bank' }],
  } as unknown as Parameters<typeof strangersIn>[1];
  assert.deepEqual(
    strangersIn(set.policies, known, '/p').map(({ line, message, policy }) => [line, policy, message]),
    [
      [3, 'c', 'no principal is in the group teller'],
      [3, 'c', 'there is no target bnak'],
      [4, 'd', 'there is no principal jane of kind agent'],
    ],
  );
});
