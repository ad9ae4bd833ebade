/** Readings of contents, and the whole way of a request, through a real gateway and the command line. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { directorySource, iterateLeaves, readCheckpoint } from 'countersign-verify';
import { mustSucceed, runCountersign, type Finished } from '../support/command-line.ts';
import { GatewayFolder, GatewayProcess } from '../support/gateway-process.ts';

let folder: GatewayFolder;
let gateway: GatewayProcess;

/** Relative paths are those of the folder. */
function run(...args: readonly string[]): Promise<Finished> {
  const env = { ...process.env, COUNTERSIGN_CONFIG: folder.configFile };
  return runCountersign(args, { cwd: folder.directory, env });
}

const ok = (...args: readonly string[]): Promise<string> => mustSucceed(args, run);

async function leaves(...types: readonly string[]): Promise<Record<string, unknown>[]> {
  const source = directorySource(join(folder.stateDirectory, 'log'));
  const found: Record<string, unknown>[] = [];
  // The first checkpoint comes when the gateway listens already.
  if ((await source.read('checkpoint')) === undefined) return found;
  const { size } = await readCheckpoint(source);
  for await (const { bytes, index } of iterateLeaves(source, { size })) {
    const leaf = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
    if (types.includes(leaf['type'] as string)) found.push({ ...leaf, index });
  }
  return found;
}

/** Until as many leaves of a type are in the log. */
async function waitFor(type: string, count: number): Promise<Record<string, unknown>[]> {
  for (;;) {
    const found = await leaves(type);
    if (found.length >= count) return found;
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}

before(async () => {
  const target = { port: 1, user: 'nobody', password: 'target-password-93c1', database: 'postgres' };
  folder = await GatewayFolder.create({ target, record: { checkpoint: '50ms' } });
  const people = ['records', 'privacy', 'legal', 'audit'];
  const keys = await Promise.all(people.map((name) => ok('custody', 'keygen', '-o', `${name}.pem`)));
  const person = (i: number): string =>
    `    - { name: ${people[i]}, owner: Owner of ${people[i]}, key: ${keys[i]} }\n`;
  writeFileSync(
    folder.configFile,
    `${readFileSync(folder.configFile, 'utf8')}custody:\n  officers:\n${person(0)}${person(1)}${person(2)}  readers:\n${person(3)}`,
  );
  gateway = await GatewayProcess.start(folder);
  await waitFor('officers.changed', 1);
});

after(async () => {
  assert.equal(await gateway.stop(), 0);
  folder.remove();
});

const READ = ['log', 'show', '--type', 'config.changed', '--contents'] as const;

test('where readers are named, nobody else opens anything, and each attempt is on record', async () => {
  const refused = await run(...READ);
  assert.equal(refused.code, 4);
  assert.match(refused.stderr, /CS_CUSTODY_REFUSED\]\n {2}unsigned/);
  const foreign = await run(...READ, '--reader', 'audit', '--reader-key', 'records.pem');
  assert.match(foreign.stderr, /bad-signature/);
  const nobody = await run(...READ, '--reader', 'nobody', '--reader-key', 'audit.pem');
  assert.match(nobody.stderr, /unknown-reader/);
  const reads = await waitFor('log.read', 3);
  assert.deepEqual(
    reads.map(({ cause, evidence, outcome }) => [evidence, outcome, cause]),
    [
      ['socket', 'refused', 'unsigned'],
      ['socket', 'refused', 'bad-signature'],
      ['socket', 'refused', 'unknown-reader'],
    ],
  );
  // A name that was only claimed is not shown as one that was proved.
  assert.ok(reads.every(({ reader }) => reader === `uid:${process.getuid!()}`));
  assert.deepEqual(await leaves('log.delivered'), []);
});

test('a reader who signs reads; who, what and how much is on record before it is shown', async () => {
  const text = await ok(...READ, '--reader', 'audit', '--reader-key', 'audit.pem');
  assert.match(text, /text: version: 1/);
  const read = (await waitFor('log.read', 4)).at(-1)!;
  assert.deepEqual([read['reader'], read['evidence'], read['outcome']], ['audit', 'signature', 'permitted']);
  const [delivered] = await waitFor('log.delivered', 1);
  assert.equal(delivered!['read'], read['id']);
  assert.equal(delivered!['contents'], 1);
  assert.ok((delivered!['bytes'] as number) > 500);
});

test('a request goes from officer to officer, then the content is gone and reading says so', async () => {
  const [changed] = await leaves('config.changed');
  const index = String(changed!['index']);
  const request = [
    'erase',
    'request',
    '--leaf',
    index,
    '--reason',
    'a secret was pasted',
    '-o',
    'erase.json',
  ];
  assert.match(await ok(...request), /reason: {4}a secret was pasted/);
  assert.equal((await run(...request)).code, 4, 'a request is not overwritten');
  assert.match((await run('erase', 'submit', 'erase.json')).stderr, /too-few-approvals/);
  await ok('erase', 'approve', 'erase.json', '--officer', 'records', '--key', 'records.pem', '--yes');
  assert.match((await run('erase', 'submit', 'erase.json')).stderr, /too-few-approvals/);
  const shown = await run('erase', 'approve', 'erase.json', '--officer', 'privacy', '--key', 'privacy.pem');
  assert.equal(shown.code, 2, 'without a terminal nothing is signed unseen');
  assert.match(shown.stderr, /scope:\n[^]*"leaves"/);
  await ok('erase', 'approve', 'erase.json', '--officer', 'privacy', '--key', 'privacy.pem', '--yes');
  const hold = await ok(
    'hold',
    'place',
    '--all',
    '--reason',
    'inquiry',
    '--officer',
    'legal',
    '--key',
    'legal.pem',
  );
  const held = await run('erase', 'submit', 'erase.json');
  assert.equal(held.code, 4);
  assert.match(held.stderr, new RegExp(`CS_CONTENTS_HELD\\]\\n {2}held by ${hold}`));
  assert.match(await ok('hold', 'list'), new RegExp(hold));
  await ok('hold', 'release', hold, '--reason', 'closed', '-o', 'release.json');
  for (const officer of ['legal', 'records'])
    await ok('custody', 'approve', 'release.json', '--officer', officer, '--key', `${officer}.pem`, '--yes');
  await ok('hold', 'submit', 'release.json');
  const { contents } = JSON.parse(await ok('erase', 'submit', 'erase.json', '--json')) as {
    contents: number;
  };
  assert.equal(contents, 1);
  assert.match((await run('erase', 'submit', 'erase.json')).stderr, /replayed/);
  await waitFor('erasure.executed', 1);
  const text = await ok(...READ, '--reader', 'audit', '--reader-key', 'audit.pem');
  assert.match(text, /text: \(erased; the record says so in [0-9a-f-]{36}\)/);
  writeFileSync(join(folder.directory, 'custodian.private'), folder.custodianKey, { mode: 0o600 });
  const verified = await run('log', 'verify', '--custodian-key', 'custodian.private');
  assert.equal(verified.code, 12, verified.stdout);
  assert.match(
    verified.stdout,
    /^DISPOSED\n[^]*erasures: 1;[^]*DISPOSED: erased at leaf \d+: 1 contents were erased/,
  );
  const alone = await run('log', 'verify');
  assert.equal(alone.code, 0, alone.stdout);
  assert.match(await ok('custody', 'status'), /holds +0/);
  assert.match(await ok('retention', 'due'), /nothing is due/);
});
