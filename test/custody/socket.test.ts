/** What comes over the control socket and from the command line without good intent; and the custodian's part in an erasure. */

import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { connect } from 'node:net';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ControlClient } from '../../packages/gateway/src/api/control-client.ts';
import type { CustodyStatus } from '../../packages/gateway/src/record/custody/custody-desk.ts';
import { mustSucceed, runCountersign, type Finished } from '../support/command-line.ts';
import { GatewayFolder, GatewayProcess } from '../support/gateway-process.ts';

let folder: GatewayFolder;
let gateway: GatewayProcess;
let client: ControlClient;

/** Relative paths are those of the folder. */
function run(...args: readonly string[]): Promise<Finished> {
  const env = { ...process.env, COUNTERSIGN_CONFIG: folder.configFile };
  return runCountersign(args, { cwd: folder.directory, env });
}

const ok = (...args: readonly string[]): Promise<string> => mustSucceed(args, run);

before(async () => {
  const target = { port: 1, user: 'nobody', password: 'unused', database: 'postgres' };
  folder = await GatewayFolder.create({ target, record: { checkpoint: '50ms' } });
  const people = ['records', 'privacy'];
  const keys = await Promise.all(people.map((name) => ok('custody', 'keygen', '-o', `${name}.pem`)));
  const officers = people.map((name, i) => `    - { name: ${name}, owner: ${name}, key: ${keys[i]} }\n`);
  const config = readFileSync(folder.configFile, 'utf8');
  writeFileSync(folder.configFile, `${config}custody:\n  officers:\n${officers.join('')}`);
  gateway = await GatewayProcess.start(folder);
  client = new ControlClient(folder.stateDirectory);
});

after(async () => {
  assert.equal(await gateway.stop(), 0);
  folder.remove();
});

/** Sends bytes and gives what comes back until the other side ends. */
function send(...parts: readonly (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(join(folder.stateDirectory, 'control.sock'));
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer));
    for (const part of parts) socket.write(part);
    socket.end();
  });
}

const post = (path: string, body: string, length = Buffer.byteLength(body)): string =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${length}\r\n\r\n${body}`;

function request(document: string, more: object = {}): string {
  return JSON.stringify({ document, approvals: [], ...more });
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

test('garbage is answered with 400 or not at all, and the gateway goes on', async () => {
  const sent = [
    [randomBytes(65_536)],
    ['GET /v1/custody HTTP/1.1\r\n', 'x: y\r\n'.repeat(5000)],
    [post('/v1/custody', 'x'.repeat(200_000))],
    [post('/v1/custody', '['.repeat(90_000))],
    [post('/v1/custody', '{"__proto__":{"document":"x"}}')],
    [post('/v1/custody', request('{}', { approvals: Array.from({ length: 51 }, () => ({})) }))],
    [post('/v1/custody', request('x'.repeat(32_769)))],
    [post('/v1/custody', request('{}', { keys: ['!'] }))],
    [post('/v1/keys', '{"act":"archive","directory":"relative"}')],
    [post('/v1/keys', '{"act":"revoke","purpose":"identity","cause":"x","key":""}')],
    [post('/v1/backups', '{"size":-1,"root":""}')],
    [post('/v1/custody/../tokens', '{}')],
    [post('/v1/log/read', '{"from":0,"to":1e300}')],
  ];
  for (const parts of sent) {
    const answer = await send(...parts);
    assert.doesNotMatch(answer, /^HTTP\/1\.1 (?:2|500)/, String(parts[0]).slice(0, 60));
  }
  // A body that is announced and does not come.
  await send(post('/v1/custody', '{', 50_000));
  assert.equal((await client.get<CustodyStatus>('/v1/custody')).officers.length, 2);
  // What has the shape of a request and is none is on record.
  await assert.rejects(client.post('/v1/custody', { document: '{"v":1}', approvals: [] }), {
    code: 'CS_CUSTODY_REFUSED',
  });
});

test('an officer signs with an Ed25519 key and nothing else', async () => {
  await ok('erase', 'request', '--leaf', '0', '--reason', 'x', '-o', 'wrong.json');
  const wrong = {
    x25519: pem(generateKeyPairSync('x25519').privateKey),
    p256: pem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
    ed448: pem(generateKeyPairSync('ed448').privateKey),
    public: generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    empty: '',
  };
  for (const [name, text] of Object.entries(wrong)) {
    writeFileSync(join(folder.directory, `${name}.pem`), text, { mode: 0o600 });
    const sign = ['erase', 'approve', 'wrong.json', '--officer', 'records', '--key', `${name}.pem`, '--yes'];
    const { code, stderr } = await run(...sign);
    assert.notEqual(code, 0, name);
    assert.match(stderr, /is not a private Ed25519 key/);
  }
  writeFileSync(join(folder.directory, 'huge.json'), `{"request":"${'x'.repeat(5_000_000)}","approvals":[]}`);
  assert.match((await run('custody', 'show', 'huge.json')).stderr, /is not a request/);
});

test('erase unlock: the custodian lends the keys for one erasure', async () => {
  const shown = JSON.parse(await ok('log', 'show', '--type', 'config.changed', '--json')) as readonly {
    readonly index: number;
  }[];
  const index = String(shown[0]!.index);
  // From here on the gateway cannot open what was sealed before.
  await ok('key', 'revoke', 'vault-gateway', '--cause', 'compromised');
  await ok('erase', 'request', '--leaf', index, '--reason', 'x', '-o', 'sealed.json');
  for (const officer of ['records', 'privacy'])
    await ok('erase', 'approve', 'sealed.json', '--officer', officer, '--key', `${officer}.pem`, '--yes');
  assert.match((await run('erase', 'submit', 'sealed.json')).stderr, /sealed/);
  writeFileSync(join(folder.directory, 'custodian.private'), folder.custodianKey, { mode: 0o600 });
  const { gatewayKey } = await client.get<CustodyStatus>('/v1/custody');
  const unlock = (...more: readonly string[]): Promise<Finished> =>
    run('erase', 'unlock', 'sealed.json', '--vault', join(folder.stateDirectory, 'vault'), ...more);
  const period = new Date().toISOString().slice(0, 7);
  const place = ['--class', 'standard', '--period', period, '--gateway-key', gatewayKey];
  assert.equal((await unlock(...place, '--custodian-key', 'records.pem')).code, 2);
  const lent = await unlock(...place, '--custodian-key', 'custodian.private');
  assert.equal(lent.code, 0, lent.stderr);
  assert.match(lent.stdout, /^[1-9]\d* data keys added/);
  const answer = JSON.parse(await ok('erase', 'submit', 'sealed.json', '--json')) as { contents: number };
  assert.equal(answer.contents, 1);
  const verified = await run('log', 'verify', '--custodian-key', 'custodian.private');
  assert.ok([0, 12].includes(verified.code), verified.stdout);
});

test('more readings than there is reason for are refused, and the rest of the socket answers', async () => {
  const outcomes = new Map<string, number>();
  const read = async (): Promise<void> => {
    const outcome = await client.post('/v1/log/read', { from: 0, to: 0 }).then(
      () => 'read',
      (error: { detail?: string }) => error.detail ?? '',
    );
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  };
  // Two minutes' worth and more: a minute may begin while they come.
  for (let batch = 0; batch < 13; batch++) await Promise.all(Array.from({ length: 100 }, read));
  const refused = outcomes.get('more than 600 readings in a minute') ?? 0;
  assert.ok((outcomes.get('read') ?? 0) >= 600 && refused >= 100, JSON.stringify([...outcomes]));
  assert.equal((await client.get<CustodyStatus>('/v1/custody')).unfinished.length, 0);
});
