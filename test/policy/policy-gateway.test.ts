/** Policies through a real gateway: loaded at the start, replaced by a reload, recorded, and explained from the record. */

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { readConfig } from '../../packages/gateway/src/config/read-config.ts';
import { createSecrets } from '../../packages/gateway/src/config/secrets.ts';
import { openRecord } from '../../packages/gateway/src/gateway/open-record.ts';
import { runningSoftware } from '../../packages/gateway/src/gateway/software.ts';
import { LiveGrant } from '../../packages/gateway/src/grants/live-grant.ts';
import { SystemClock } from '../../packages/gateway/src/grants/system-clock.ts';
import { digestOf, unbundleFiles } from '../../packages/gateway/src/policy/bundle.ts';
import { loadPolicies } from '../../packages/gateway/src/policy/policy-set.ts';
import { Authorizer } from '../../packages/gateway/src/session/authorizer.ts';
import { Denied } from '../../packages/gateway/src/session/denied.ts';
import { Session } from '../../packages/gateway/src/session/session.ts';
import type { RelationVerb } from '../../packages/gateway/src/policy/access.ts';
import type { UnknownName } from '../../packages/gateway/src/session/touched.ts';
import { mustSucceed, runCountersign, type Finished } from '../support/command-line.ts';
import { GatewayFolder, GatewayProcess, PRINCIPAL, TARGET } from '../support/gateway-process.ts';
import { readLeaves, Vault, verifyRecord } from '../support/record-view.ts';

const ALL = '@id("all")\npermit (principal, action, resource);\n';
const GUARD = '@id("no-deletes")\nforbid (principal, action == Action::"delete", resource);\n';

let folder: GatewayFolder;
let policies: string;

beforeEach(async () => {
  const target = { port: 1, user: 'nobody', password: 'target-password-93c1', database: 'postgres' };
  folder = await GatewayFolder.create({ target, record: { checkpoint: '50ms' } });
  policies = join(folder.directory, 'policies');
  rmSync(policies, { recursive: true, force: true });
  mkdirSync(policies);
  write('all.cedar', ALL);
});

afterEach(() => folder.remove());

const write = (name: string, text: string): void => writeFileSync(join(policies, name), text);

const run = (...args: readonly string[]): Promise<Finished> =>
  runCountersign(args, {
    cwd: folder.directory,
    env: { ...process.env, COUNTERSIGN_CONFIG: folder.configFile },
  });
const ok = (...args: readonly string[]): Promise<string> => mustSucceed(args, run);

async function withGateway(body: (gateway: GatewayProcess) => Promise<void>): Promise<void> {
  const gateway = await GatewayProcess.start(folder);
  try {
    await body(gateway);
  } finally {
    assert.equal(await gateway.stop(), 0);
  }
}

async function reload(gateway: GatewayProcess, expected: string): Promise<void> {
  const count = (): number => gateway.log.split(expected).length;
  const earlier = count();
  gateway.child.kill('SIGHUP');
  while (count() === earlier) await sleep(10);
}

const activations = () => readLeaves(folder.stateDirectory).filter(({ type }) => type === 'policy.activated');

test('a start and a reload record the set, sealed, with what changed; a broken one changes nothing', async () => {
  const first = loadPolicies(policies).set;
  let second = '';
  await withGateway(async (gateway) => {
    write('guard.cedar', '@id("no-deletes") forbid (principal, action == Action::"delet", resource);');
    await reload(gateway, 'reload refused');
    assert.match(gateway.log, /CS_POLICY_INVALID/);
    assert.match(gateway.log, /guard\.cedar:1:\d+: no-deletes: unrecognized action/);
    assert.equal((await gateway.get('ready')).status, 200);
    write('guard.cedar', GUARD);
    await reload(gateway, 'configuration reloaded');
    second = loadPolicies(policies).set.digest;
    rmSync(policies, { recursive: true });
    await reload(gateway, 'reload refused');
  });
  const recorded = activations();
  assert.deepEqual(
    recorded.map(({ cause, count, policies: digest }) => [cause, count, digest]),
    [
      ['start', 1, first.digest],
      ['reload', 2, second],
    ],
  );
  const vault = new Vault(folder.stateDirectory, folder.custodianKey);
  const [start, changed] = recorded;
  assert.ok(start !== undefined && changed !== undefined);
  assert.equal(start['diff'], undefined);
  assert.equal(vault.open(start, 'text', String(start['text'])).toString(), first.text);
  assert.equal(
    vault.open(changed, 'diff', String(changed['diff'])).toString(),
    '@@ no-deletes @@\n+@id("no-deletes")\n+forbid (principal, action == Action::"delete", resource);\n',
  );
  const sealed = vault.open(changed, 'text', String(changed['text']));
  assert.equal(digestOf(sealed), second);
  assert.deepEqual(
    unbundleFiles(sealed)?.map(({ name, text }) => [name, text]),
    [
      ['all.cedar', ALL],
      ['guard.cedar', GUARD],
    ],
  );
  assert.match((await verifyRecord(folder.stateDirectory)).verdict, /^VERIFIED/);
});

test('policies that are not valid keep the gateway from starting; none at all is told loudly', async () => {
  write('bad.cedar', 'permit (principal');
  const [checked, served] = [await run('check'), await run('serve')];
  assert.equal(checked.code, 3);
  assert.match(
    checked.stderr,
    /\[CS_POLICY_INVALID\]\n.*policies: .*bad\.cedar:1:18: unexpected end of input/,
  );
  assert.deepEqual([served.code, served.stderr], [checked.code, checked.stderr]);
  rmSync(join(policies, 'bad.cedar'));
  rmSync(join(policies, 'all.cedar'));
  const empty = await run('check');
  assert.equal(empty.code, 0);
  assert.match(empty.stdout, /warning: policies: no policy permits anything: every command .* refused/);
  await withGateway(async (gateway) => {
    assert.match(gateway.log, /no policy permits anything/);
  });
  assert.deepEqual(
    activations().map(({ count }) => count),
    [0],
  );
});

/** Calls of one session under the policies of the folder: one that runs, one that a policy refuses, one about what is not there; gives their ids. */
async function recordCalls(): Promise<readonly string[]> {
  const { config } = readConfig(folder.configFile);
  const recorder = await openRecord({
    config,
    secrets: createSecrets(),
    software: runningSoftware(),
    acceptLoss: false,
  });
  const { set } = loadPolicies(policies);
  const grantConfig = config.grants[0];
  assert.ok(grantConfig !== undefined);
  const grant = new LiveGrant(grantConfig, new SystemClock());
  const principal = { name: PRINCIPAL, owner: 'Test Team', kind: 'service' } as const;
  const session = Session.open({
    recorder,
    principal,
    grant,
    protocol: 'postgres',
    protocolVersion: '3.0',
    channel: { binding: false, method: 'internal' },
    peer: '127.0.0.1 1',
    backend: { pid: 1, serverVersion: '18.1' },
    authorization: new Authorizer(() => set).authorize({ principal, grant, database: TARGET }),
    role: 'configured',
  });
  for (const verb of ['select', 'delete'] as const) begin(session, verb);
  begin(session, 'select', [{ kind: 'relation', written: 'app.gone' }]);
  await session.close('client', 2, 2).durable();
  await recorder.close('test');
  return readLeaves(folder.stateDirectory)
    .filter(({ type }) => type === 'call.intent' || type === 'call.denied')
    .map(({ id = '' }) => id);
}

function begin(session: Session, verb: RelationVerb, unknownNames: readonly UnknownName[] = []): void {
  const statement = session.commit(Buffer.from(verb));
  const demand = {
    kind: 'relation',
    verb,
    schema: 'app',
    name: 't',
    columns: ['id'],
    class: 'data',
  } as const;
  try {
    session
      .begin(
        { kind: verb, effect: 'write', statement: statement.digest, txn: 'I' },
        [{ field: 'statement', commitment: statement }],
        { demands: [demand], unknownNames },
      )
      .end({ status: 'ok', bytesUp: 1, bytesDown: 1, durationUs: 1 }, 'ride');
  } catch (error) {
    if (!(error instanceof Denied)) throw error;
  }
}

test('a recorded call is explained by the texts that were in force, from the folder or from the record', async () => {
  write('guard.cedar', GUARD);
  await withGateway(async () => {});
  const [permitted = '', denied = '', unknown = ''] = await recordCalls();

  const fromFolder = await ok('policy', 'explain', permitted);
  assert.match(fromFolder, new RegExp(`^permit: call ${permitted}, leaf \\d+, .*\\n`));
  assert.match(fromFolder, /texts from the folder, which is the same/);
  assert.match(
    fromFolder,
    /all \(all\.cedar:1\):\n {2}@id\("all"\)\n {2}permit \(principal, action, resource\);/,
  );

  const unasked = await ok('policy', 'explain', unknown);
  assert.match(unasked, /because: {2}CS_STATEMENT_DENIED, .*\n(?:.*\n)*\nNo policy refused it: /);
  assert.doesNotMatch(unasked, /No policy permits it/);

  // What is in force now says nothing of what was in force then.
  write('all.cedar', '@id("all") permit (principal is User, action, resource);');
  const offline = JSON.parse(
    await ok('policy', 'explain', denied.slice(-12), '--json', '--custodian-key', custodianFile()),
  ) as {
    readonly source: string;
    readonly decision: { readonly effect: string };
    readonly policies: readonly { readonly id: string; readonly text: string }[];
  };
  assert.equal(offline.decision.effect, 'forbid');
  assert.equal(offline.source, 'texts from the record');
  assert.deepEqual(
    offline.policies.map(({ id, text }) => [id, text]),
    [['no-deletes', GUARD.trim()]],
  );

  await withGateway(async () => {
    const online = await ok('policy', 'explain', permitted);
    assert.match(online, /texts from the record/);
    assert.match(online, /permit \(principal, action, resource\);/);
  });
  const reads = readLeaves(folder.stateDirectory).filter(({ type }) => type === 'log.read');
  assert.equal(reads.length, 1);
  const nobody = await run('policy', 'explain', 'ffffffffffffffff');
  assert.equal(nobody.code, 2);
  assert.match(nobody.stderr, /no recorded call has the id/);
});

function custodianFile(): string {
  const file = join(folder.directory, 'custodian.private.pem');
  writeFileSync(file, folder.custodianKey, { mode: 0o600 });
  return file;
}

const testsOf = (expect: string, by: string): string => `policies: policies
defaults: { target: bank, principal: { name: bot, kind: agent } }
tests:
  - { name: nobody deletes, action: delete, resource: app.t, expect: ${expect}, by: [${by}] }
`;

test('policy test fails on the answer that is not expected, and says which', async () => {
  write('guard.cedar', GUARD);
  const file = join(folder.directory, 'guard.tests.yaml');
  writeFileSync(file, testsOf('deny', 'no-deletes'));
  assert.equal(await ok('policy', 'test', file), '1 as expected');
  for (const [expect, by] of [
    ['permit', 'all'],
    ['deny', 'other'],
    ['deny', ''],
  ] as const) {
    writeFileSync(file, testsOf(expect, by));
    const { code, stdout } = await run('policy', 'test', file);
    assert.equal(code, 40);
    assert.match(stdout, /guard\.tests\.yaml:4: nobody deletes\n/);
    assert.match(stdout, /answer: {3}deny by no-deletes\n/);
    assert.match(stdout, /1 of 1 not as expected/);
  }
  writeFileSync(file, testsOf('maybe', ''));
  const wrong = await run('policy', 'test', file);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /line 4: tests\.0\.expect/);
  // Tests of policies that do not load are not passed.
  write('guard.cedar', 'forbid (');
  assert.equal((await run('policy', 'test', file.replace('guard', 'none'))).code, 2);
  writeFileSync(file, testsOf('deny', ''));
  assert.equal((await run('policy', 'test', file)).code, 3);
});

test('the tests of the examples hold', async () => {
  const examples = join(import.meta.dirname, '../../examples');
  assert.match(
    await ok('policy', 'test', join(examples, 'bank/policies/bank.tests.yaml')),
    /^\d+ as expected$/,
  );
  for (const name of ['policies', 'bank/policies'])
    await ok('policy', 'check', join(examples, name), '--strict');
  const { STARTER_POLICIES } = await import('../../packages/gateway/src/cli/init-policies.ts');
  assert.equal(STARTER_POLICIES, readFileSync(join(examples, 'policies/starter.cedar'), 'utf8'));
});
