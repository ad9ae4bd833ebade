/** The witness as a process: HTTP, floods and garbage, TLS, reload, lock, signals. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import {
  cosignatureVerifierOf,
  createCosigner,
  isSignedBy,
  parseCheckpoint,
  parseSignatureLines,
  parseSignerKey,
  parseVerifierKey,
  verifySignature,
} from 'countersign-verify';

import { originHash } from '../../packages/gateway/src/witness/witness-store.ts';
import { TlsFiles } from '../connections/tls-files.ts';
import { MemoryLog } from '../support/memory-log.ts';
import { WitnessFolder, type WitnessProcess } from '../support/witness-process.ts';

const MAIN = join(import.meta.dirname, '../../packages/gateway/src/cli/main.ts');

async function submit(url: string, body: string | Buffer, path = '/add-checkpoint'): Promise<Response> {
  return fetch(`${url}${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : new Uint8Array(body),
  });
}

/** What comes back on a bare connection until the other side ends it. */
async function converse(port: number, ...pieces: readonly (string | Buffer)[]): Promise<string> {
  const socket = await open(port);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.on('error', () => {});
  // Not `once`, which takes a reset for a failure: who is turned away while he writes sees one.
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  for (const piece of pieces) socket.write(piece);
  await closed;
  return answer;
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

describe('a witness over HTTP', () => {
  const log = new MemoryLog('log.example/bank', 300);
  const entry = { origin: log.origin, keys: [log.vkey] };
  const atPath = new MemoryLog('log.example/other', 5);
  let folder: WitnessFolder;
  let witness: WitnessProcess;
  /** Of `log`, as far as this suite has got. */
  let size = 0;

  before(async () => {
    folder = new WitnessFolder({
      listen: '  connectionsPerAddress: 40',
      logs: [entry, { origin: atPath.origin, keys: [atPath.vkey], path: '/other' }],
      more: 'limits: {checkpointsPerMinute: 1000}',
    });
    witness = await folder.start();
  });
  after(async () => {
    await witness.stop();
    folder.remove();
  });

  async function isAlive(): Promise<void> {
    const next = size + 1;
    const response = await submit(witness.url, await log.request(size, next));
    assert.equal(response.status, 200, 'it still cosigns');
    size = next;
  }

  it('answers cosignature lines, and serves the checkpoint that it cosigned', async () => {
    const hash = originHash(log.origin);
    assert.equal((await fetch(`${witness.url}/${hash}/checkpoint`)).status, 404);
    const response = await submit(witness.url, await log.request(0, 10));
    assert.equal(response.status, 200);
    const [line, ...more] = parseSignatureLines(await response.text());
    assert.deepEqual(more, []);
    const { body } = parseCheckpoint(log.checkpoint(10)).note;
    assert.ok(verifySignature(body, line!, folder.verifier));
    size = 10;
    const served = await fetch(`${witness.url}/${hash}/checkpoint`);
    const { note, size: served10 } = parseCheckpoint(await served.text());
    assert.equal(served10, 10);
    assert.ok(isSignedBy(note, folder.verifier));
    assert.ok(isSignedBy(note, parseVerifierKey(log.vkey)));
    await isAlive();
  });

  it('tells its size with the content type of the specification', async () => {
    const response = await submit(witness.url, await log.request(0, 20));
    assert.equal(response.status, 409);
    assert.equal(response.headers.get('content-type'), 'text/x.tlog.size');
    assert.equal(await response.text(), `${size}\n`);
  });

  it('has other paths for other logs, and none besides', async () => {
    assert.equal((await submit(witness.url, await atPath.request(0))).status, 404);
    assert.equal((await submit(witness.url, await atPath.request(0), '/other/add-checkpoint')).status, 200);
    assert.equal((await submit(witness.url, await log.request(0), '/other/add-checkpoint')).status, 404);
    assert.equal((await submit(witness.url, '', '/add-checkpoints')).status, 404);
    assert.equal((await fetch(`${witness.url}/add-checkpoint`)).status, 405);
    assert.equal((await submit(witness.url, '', `/${originHash(log.origin)}/checkpoint`)).status, 405);
    assert.equal((await fetch(`${witness.url}/../state/origins`)).status, 404);
  });

  it('lets exactly one of many requests from the same size win, whatever the order', async () => {
    const from = size;
    const requests = await Promise.all(Array.from({ length: 30 }, (_, i) => log.request(from, from + 1 + i)));
    const answers = await Promise.all(requests.map((text) => submit(witness.url, text)));
    const statuses = answers.map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 200).length, 1);
    assert.equal(statuses.filter((status) => status === 409).length, 29);
    size = from + 1 + statuses.indexOf(200);
    await isAlive();
  });

  it('keeps connections open for the next request', async () => {
    const socket = await open(witness.port);
    for (let i = 0; i < 2; i++) {
      socket.write('GET /nothing HTTP/1.1\r\nHost: w\r\n\r\n');
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      assert.match(chunk.toString(), /^HTTP\/1\.1 404 [^]*keep-alive/i);
    }
    socket.destroy();
  });

  it('outlives garbage, half requests and bodies without end', async () => {
    assert.equal(await converse(witness.port, Buffer.from('16030100a5010000a1', 'hex')), '');
    assert.equal(await converse(witness.port, '\0\0\0\0\r\n\r\n'), '');
    assert.equal(await converse(witness.port, `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`), '');
    const announced = 'POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 999999999\r\n\r\n';
    assert.match(await converse(witness.port, announced), /^HTTP\/1\.1 413 [^]*Connection: close/i);
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    const chunked = 'POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nTransfer-Encoding: chunked\r\n\r\n';
    assert.match(await converse(witness.port, chunked, ...Array<string>(8).fill(chunk)), /^HTTP\/1\.1 413 /);
    assert.equal((await submit(witness.url, Buffer.from([0xff, 0xfe]))).status, 400);
    assert.equal((await submit(witness.url, '')).status, 400);
    assert.equal((await submit(witness.url, 'old 0\n\n'.repeat(1000))).status, 400);
    const cut = await open(witness.port);
    cut.write('POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 100\r\n\r\nold 0\n');
    cut.destroy();
    await isAlive();
  });

  it('is not held up by those who send slowly, nor taken up by one address', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => converse(witness.port, 'POST /add-checkpoint HTTP/1.1\r\n')),
    );
    const cutOff = answers.filter((answer) => answer.startsWith('HTTP/1.1 408 ')).length;
    const turnedAway = answers.filter((answer) => answer === '').length;
    assert.ok(cutOff > 0 && cutOff <= 40, `${cutOff} were heard until their time was over`);
    assert.equal(cutOff + turnedAway, 60);
    await isAlive();
  });

  it('logs a line per decision without what requests made up', async () => {
    const stranger = new MemoryLog('made-up.example/name', 3);
    assert.equal((await submit(witness.url, await stranger.request(0))).status, 404);
    await isAlive();
    await logged(new RegExp(`"size":${size},"status":200`));
    const lines = witness.log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.ok(
      lines.some(({ event, origin, size: s }) => event === 'cosigned' && origin === log.origin && s === size),
    );
    assert.ok(
      lines.some(
        ({ event, reason, status }) => event === 'refused' && reason === 'unknown-log' && status === 404,
      ),
    );
    assert.ok(!witness.log.includes('made-up.example'));
  });

  it('has health, figures and a status on the command line', async () => {
    assert.equal((await fetch(`${witness.healthUrl}/ready`)).status, 200);
    const forked = new MemoryLog('log.example/bank', size, 'another past');
    assert.equal((await submit(witness.url, await forked.request(size))).status, 422);
    const text = await witness.metrics();
    assert.match(text, new RegExp(`countersign_witness_tree_size\\{origin="log.example/bank"\\} ${size}\n`));
    assert.match(text, /countersign_witness_evidence\{origin="log.example\/bank",kind="fork"\} 1\n/);
    assert.match(text, /countersign_witness_requests_total\{status="200",reason="cosigned"\} \d+\n/);
    const status = JSON.parse(folder.command('status', '--json')) as {
      readonly keys: readonly string[];
      readonly logs: readonly {
        readonly origin: string;
        readonly size?: number;
        readonly evidence: object;
      }[];
    };
    assert.deepEqual(status.keys, [folder.vkey]);
    const shown = status.logs.find(({ origin }) => origin === log.origin);
    assert.equal(shown?.size, size);
    assert.deepEqual(shown?.evidence, { fork: 1, rollback: 0, smaller: 0, unproven: 0 });
    assert.match(folder.command('status'), /EVIDENCE fork: 1/);
  });

  it('takes new logs at SIGHUP, and keeps the old ones when the file is wrong', async () => {
    const fresh = new MemoryLog('log.example/fresh', 3);
    assert.equal((await submit(witness.url, await fresh.request(0))).status, 404);
    folder.setLogs([entry, { origin: fresh.origin, keys: ['nonsense'] }]);
    witness.child.kill('SIGHUP');
    await logged(/reload refused/);
    await isAlive();
    folder.setLogs([entry, { origin: fresh.origin, keys: [fresh.vkey] }]);
    witness.child.kill('SIGHUP');
    await logged(/configuration reloaded/);
    assert.equal((await submit(witness.url, await fresh.request(0))).status, 200);
    await isAlive();
  });

  /** Waits for a line of its log; it is written by another thread. */
  async function logged(pattern: RegExp): Promise<void> {
    while (!pattern.test(witness.log)) await once(witness.child.stderr!, 'data');
  }

  it('is alone with its memory', () => {
    const second = spawnSync(process.execPath, [MAIN, 'witness', 'run', folder.home], { encoding: 'utf8' });
    assert.equal(second.status, 3);
    assert.match(second.stderr, /another witness works in/);
  });
});

describe('the command line of a witness', () => {
  it('overwrites nothing, and names every mistake of the configuration without its value', () => {
    const folder = new WitnessFolder();
    try {
      const key = readFileSync(join(folder.home, 'keys/witness.key'), 'utf8');
      assert.throws(() => folder.command('init', '--name', folder.name));
      assert.equal(readFileSync(join(folder.home, 'keys/witness.key'), 'utf8'), key);
      const cosigner = createCosigner(parseSignerKey(key));
      assert.deepEqual(cosignatureVerifierOf(cosigner).keyId, folder.verifier.keyId);
      for (const [text, message] of [
        [
          'version: 1\nstate: s\nlisten: {address: 0.0.0.0:80}\nkeys: [{name: w, key: file:k}]\nlogs: []\n',
          /listen\.address: needs listen\.tls/,
        ],
        [
          'version: 1\nstate: s\nlisten: {address: 127.0.0.1:80, secretive: hunter2}\nkeys: [{name: w, key: hunter2}]\nlogs: []\n',
          /listen\.secretive: unknown key/,
        ],
        ['version: 2\nstate: s\n', /version: must be 1/],
        ['a: [', /not valid YAML/],
        [
          'version: 1\nstate: s\nlisten: {address: 127.0.0.1:80}\nkeys: [{name: w, key: file:k}]\nlogs: [{origin: a, keys: []}, {origin: a, keys: [x]}]\n',
          /logs\[1\]\.keys\[0\]: must be a verifier key/,
        ],
      ] as const) {
        writeFileSync(join(folder.home, 'witness.yaml'), text);
        const run = spawnSync(process.execPath, [MAIN, 'witness', 'run', folder.home], { encoding: 'utf8' });
        assert.equal(run.status, 3, run.stderr);
        assert.match(run.stderr, message);
        assert.ok(!run.stderr.includes('hunter2'));
      }
    } finally {
      folder.remove();
    }
  });

  it('does not run on a damaged or lost memory', () => {
    const folder = new WitnessFolder();
    try {
      writeFileSync(join(folder.state, 'witness.json'), '{}');
      const run = spawnSync(process.execPath, [MAIN, 'witness', 'run', folder.home], { encoding: 'utf8' });
      assert.equal(run.status, 6);
      assert.match(run.stderr, /is not the state of a witness/);
    } finally {
      folder.remove();
    }
  });
});

describe('a witness with TLS', () => {
  it('serves beyond plain HTTP, with the certificate of the configuration', async () => {
    const tls = new TlsFiles();
    const { cert, key } = tls.issue('localhost', { names: 'IP:127.0.0.1' });
    const log = new MemoryLog('log.example/bank', 4);
    const folder = new WitnessFolder({
      logs: [{ origin: log.origin, keys: [log.vkey] }],
      listen: `  tls: {cert: 'file:${cert}', key: 'file:${key}'}\n  prefix: /witness`,
    });
    try {
      const witness = await folder.start();
      const body = await log.request(0);
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const options = {
          host: '127.0.0.1',
          port: witness.port,
          path: '/witness/add-checkpoint',
          method: 'POST',
        };
        const sent = httpsRequest({ ...options, ca: tls.read(tls.ca) }, (response) => {
          response.resume();
          resolve(response.statusCode);
        });
        sent.on('error', reject);
        sent.end(body);
      });
      assert.equal(status, 200);
      await assert.rejects(submit(witness.url, body, '/witness/add-checkpoint'));
      assert.equal(await witness.stop(), 0);
    } finally {
      folder.remove();
      tls.remove();
    }
  });
});
