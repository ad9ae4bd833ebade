import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';

import {
  cosignatureTime,
  cosignatureVerifierOf,
  createCosigner,
  createSignerFromSeed,
  formatAddCheckpoint,
  parseCheckpoint,
  parseSignatureLines,
  parseVerifierKey,
  signCheckpoint,
  verifySignature,
} from 'countersign-verify';

import { MemoryLog } from '../../../../test/support/memory-log.ts';
import { isCountersignError } from '../errors.ts';
import { createFileLayer, realFileLayer } from '../record/journal/file-layer.ts';
import type { FaultCall } from '../record/journal/faulty-file-layer.ts';
import type { WitnessedLog } from './witness-config.ts';
import { originHash, WitnessStore } from './witness-store.ts';
import { Witness } from './witness.ts';
import type { WitnessParts } from './witness.ts';

const COSIGNER = createCosigner(createSignerFromSeed('witness.example/w1', Buffer.alloc(32, 9)));
const LOG = new MemoryLog('log.example/bank', 40);
const OTHER_PAST = new MemoryLog('log.example/bank', 40, 'another leaf');
const KNOWN_LOG: WitnessedLog = { origin: LOG.origin, keys: [parseVerifierKey(LOG.vkey)], path: '' };

let directory: string;
let now = 1_700_000_000;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-witness-unit-'));
  WitnessStore.create(realFileLayer, directory);
  now = 1_700_000_000;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function open(more: Partial<WitnessParts> = {}): Witness {
  return new Witness({
    layer: realFileLayer,
    stateDirectory: directory,
    cosigners: [COSIGNER],
    logs: [KNOWN_LOG],
    checkpointsPerMinute: 1000,
    now: () => now,
    ...more,
  });
}

function evidenceNames(): string[] {
  try {
    return readdirSync(join(directory, 'evidence', originHash(LOG.origin))).toSorted();
  } catch {
    return [];
  }
}

function assertCosigned(answer: string, checkpoint: string): number {
  const [line] = parseSignatureLines(answer);
  const { body } = parseCheckpoint(checkpoint).note;
  assert.ok(verifySignature(body, line!, cosignatureVerifierOf(COSIGNER)));
  return cosignatureTime(line!)!;
}

function requestOf(oldSize: number, proof: readonly Buffer[], checkpoint: string): string {
  return formatAddCheckpoint({ oldSize, proof, checkpoint });
}

describe('a witness', () => {
  it('cosigns a log from its first checkpoint on, as long as it only grows', async () => {
    const witness = open();
    for (const [from, to] of [
      [0, 0],
      [0, 1],
      [1, 7],
      [7, 7],
      [7, 8],
      [8, 40],
    ] as const) {
      now += 60;
      const decision = witness.addCheckpoint(await LOG.request(from, to));
      assert.equal(decision.status, 200, `${from} to ${to}: ${decision.body}`);
      assert.equal(assertCosigned(decision.body, LOG.checkpoint(to)), now);
      assert.equal(witness.store.get(LOG.origin)?.checkpoint.size, to);
    }
    assert.deepEqual(evidenceNames(), []);
  });

  it('answers what the specification says for each flaw of a request', async () => {
    const witness = open();
    assert.equal(witness.addCheckpoint(await LOG.request(0, 20)).status, 200);
    const stranger = new MemoryLog('log.example/bank', 40, 'leaf', 8);
    const unknown = new MemoryLog('log.example/other', 40);
    const proof = await LOG.consistency(20, 40);
    const at40 = LOG.checkpoint(40);
    const rows: readonly (readonly [string, string, number])[] = [
      ['no request', 'hello', 400],
      ['no checkpoint', 'old 20\n\nhello\n', 400],
      ['an old size beyond the checkpoint', requestOf(30, [], LOG.checkpoint(20)), 400],
      ['a log that is not known', await unknown.request(0), 404],
      ['a key that is not known', await stranger.request(20), 403],
      [
        'no signature at all',
        requestOf(20, proof, `${at40.split('\n\n')[0]}\n\n\u2014 x ${Buffer.alloc(68).toString('base64')}\n`),
        403,
      ],
      [
        'a damaged signature',
        requestOf(
          20,
          proof,
          at40.replace(/(.{8})=*\n$/, (m) =>
            m.startsWith('AAAA') ? m.replace('AAAA', 'BBBB') : `AAAA${m.slice(4)}`,
          ),
        ),
        403,
      ],
      ['an old size that is too small', await LOG.request(10), 409],
      ['an old size that is too large', await LOG.request(30), 409],
      ['nothing known of before', await LOG.request(0, 40), 409],
      ['no proof', requestOf(20, [], at40), 422],
      ['half a proof', requestOf(20, proof.slice(1), at40), 422],
      ['a proof in the wrong order', requestOf(20, proof.toReversed(), at40), 422],
      ['a proof too long', requestOf(20, [...proof, proof[0]!], at40), 422],
      ['a proof between equal sizes', requestOf(20, proof, LOG.checkpoint(20)), 422],
      ['another root at the same size', requestOf(20, [], OTHER_PAST.checkpoint(20)), 422],
      ['another past', await OTHER_PAST.request(20), 422],
    ];
    for (const [what, text, status] of rows) {
      const decision = witness.addCheckpoint(text);
      assert.equal(decision.status, status, what);
      assert.ok(!decision.body.includes('\u2014'), `${what}: no signature leaves`);
      if (status === 409) {
        assert.equal(decision.body, '20\n', what);
        assert.equal(decision.contentType, 'text/x.tlog.size', what);
      }
    }
    assert.equal(witness.store.get(LOG.origin)?.checkpoint.size, 20);
    assert.equal(witness.addCheckpoint(await LOG.request(20)).status, 200, 'it still takes the truth');
  });

  it('refuses a proof from nothing that is not empty, and an empty tree with another root', async () => {
    const witness = open();
    const proof = [Buffer.alloc(32)];
    const checkpoint = LOG.checkpoint(40);
    assert.equal(witness.addCheckpoint(formatAddCheckpoint({ oldSize: 0, proof, checkpoint })).status, 422);
    const { origin, signer } = LOG;
    const wrong = signCheckpoint({ origin, size: 0, root: Buffer.alloc(32) }, signer);
    const request = formatAddCheckpoint({ oldSize: 0, proof: [], checkpoint: wrong });
    assert.equal(witness.addCheckpoint(request).status, 422);
    assert.equal(witness.store.get(origin), undefined);
  });

  it('takes a log only at its own path, and any of its keys while one replaces the other', async () => {
    const next = new MemoryLog('log.example/bank', 40, 'leaf', 8);
    const keys = [parseVerifierKey(LOG.vkey), parseVerifierKey(next.vkey)];
    const witness = open({ logs: [{ origin: LOG.origin, keys, path: '/bank' }] });
    assert.equal(witness.addCheckpoint(await LOG.request(0, 10)).status, 404);
    assert.equal(witness.addCheckpoint(await LOG.request(0, 10), '/bank').status, 200);
    assert.equal(witness.addCheckpoint(await next.request(10, 20), '/bank').status, 200);
    witness.setLogs([{ origin: LOG.origin, keys: [parseVerifierKey(next.vkey)], path: '/bank' }]);
    assert.equal(witness.addCheckpoint(await LOG.request(20, 30), '/bank').status, 403);
    assert.equal(witness.addCheckpoint(await next.request(20, 30), '/bank').status, 200);
  });

  it('signs with every key it has, and starts while one of them is in its memory', async () => {
    const second = createCosigner(createSignerFromSeed('witness.example/w2', Buffer.alloc(32, 10)));
    open().addCheckpoint(await LOG.request(0, 10));
    const both = open({ cosigners: [second, COSIGNER] });
    assert.equal(parseSignatureLines(both.addCheckpoint(await LOG.request(10, 20)).body).length, 2);
    open({ cosigners: [second] });
    const third = createCosigner(createSignerFromSeed('witness.example/w3', Buffer.alloc(32, 11)));
    assert.throws(
      () => open({ cosigners: [third] }),
      (error) => isCountersignError(error, 'CS_RECORD_CORRUPT'),
    );
  });

  it('repeats a fresh cosignature without a write, and never lets time run backwards', async () => {
    const witness = open();
    const first = witness.addCheckpoint(await LOG.request(0, 10));
    now += 5;
    assert.equal(witness.addCheckpoint(await LOG.request(10, 10)).body, first.body);
    now += 60;
    const later = witness.addCheckpoint(await LOG.request(10, 10));
    assert.equal(assertCosigned(later.body, LOG.checkpoint(10)), now);
    const newest = now;
    now -= 3600;
    const behind = witness.addCheckpoint(await LOG.request(10, 20));
    assert.equal(assertCosigned(behind.body, LOG.checkpoint(20)), newest);
    assert.equal(behind.reason, 'cosigned-clock-behind');
  });

  it('limits what one log can make it sign, and not by what strangers replay', async () => {
    const witness = open({ checkpointsPerMinute: 3 });
    for (let i = 0; i < 20; i++) witness.addCheckpoint(await LOG.request(0, 0));
    for (const [from, to] of [
      [0, 1],
      [1, 2],
    ] as const)
      assert.equal(witness.addCheckpoint(await LOG.request(from, to)).status, 200);
    assert.equal(witness.addCheckpoint(await LOG.request(2, 3)).status, 429);
    assert.equal(witness.store.get(LOG.origin)?.checkpoint.size, 2);
  });
});

describe('evidence', () => {
  it('keeps both checkpoints of a fork, whatever old size came with it, once', async () => {
    const witness = open();
    witness.addCheckpoint(await LOG.request(0, 20));
    const forked = OTHER_PAST.checkpoint(20);
    for (const oldSize of [20, 0, 5]) {
      const request = formatAddCheckpoint({ oldSize, proof: [], checkpoint: forked });
      const { evidence, status } = witness.addCheckpoint(request);
      assert.equal(status, oldSize === 20 ? 422 : 409);
      assert.equal(evidence !== undefined, oldSize === 20);
    }
    const [name, ...more] = evidenceNames();
    assert.deepEqual(more, []);
    assert.match(name!, /^fork-20-[0-9a-f]{16}$/);
    const kept = join(directory, 'evidence', originHash(LOG.origin), name!);
    const [known, offered] = ['known', 'offered'].map((file) => readFileSync(join(kept, file), 'utf8'));
    const key = parseVerifierKey(LOG.vkey);
    for (const text of [known!, offered!]) {
      const { note } = parseCheckpoint(text);
      assert.ok(note.signatures.some((line) => verifySignature(note.body, line, key)));
    }
    assert.notDeepEqual(parseCheckpoint(known!).root, parseCheckpoint(offered!).root);
    assert.equal(witness.evidence.counts(LOG.origin).fork, 1);
  });

  it('tells a restored backup from an old checkpoint that somebody replays', async () => {
    const witness = open();
    witness.addCheckpoint(await LOG.request(0, 20, 2_000_000));
    assert.equal(witness.addCheckpoint(await LOG.request(0, 10, 1_000_000)).evidence, undefined);
    assert.match(witness.addCheckpoint(await LOG.request(0, 10, 3_000_000)).evidence ?? '', /^rollback-10-/);
    assert.match(witness.addCheckpoint(await LOG.request(0, 9)).evidence ?? '', /^smaller-9-/);
  });

  it('keeps a larger tree that is not shown to continue, and not without bound', async () => {
    const witness = open();
    witness.addCheckpoint(await LOG.request(0, 20));
    assert.match(witness.addCheckpoint(await OTHER_PAST.request(20)).evidence ?? '', /^unproven-40-/);
    for (let i = 0; i < 100; i++) {
      const past = new MemoryLog('log.example/bank', 21, `past ${i}`);
      assert.equal(witness.addCheckpoint(await past.request(20)).status, 422);
    }
    assert.equal(witness.evidence.counts(LOG.origin).unproven, 64);
  });

  it('is kept whole, or tried again: a disk that fails in between leaves no empty proof', async () => {
    const controlFile = join(directory, 'faults.json');
    const layer = createFileLayer({ controlFile });
    const witness = open({ layer });
    witness.addCheckpoint(await LOG.request(0, 20));
    const request = formatAddCheckpoint({ oldSize: 20, proof: [], checkpoint: OTHER_PAST.checkpoint(20) });
    for (const path of ['known', 'offered', 'proof']) {
      writeFileSync(controlFile, JSON.stringify({ fail: 'ENOSPC', calls: ['write'], path }));
      const failed = witness.addCheckpoint(request);
      assert.equal(failed.status, 422, path);
      assert.ok(failed.cause !== undefined && failed.evidence === undefined, path);
      assert.equal(witness.evidence.counts(LOG.origin).fork, 0, `${path}: half of it is no evidence`);
    }
    writeFileSync(controlFile, '{}');
    const { evidence } = witness.addCheckpoint(request);
    assert.match(evidence ?? '', /^fork-20-/);
    assert.equal(witness.evidence.counts(LOG.origin).fork, 1);
    const kept = join(directory, 'evidence', originHash(LOG.origin), evidence!);
    assert.deepEqual(readdirSync(kept).toSorted(), ['known', 'offered', 'proof']);
  });

  it('is nothing that a stranger can make', async () => {
    const witness = open();
    witness.addCheckpoint(await LOG.request(0, 20));
    const stranger = new MemoryLog('log.example/bank', 20, 'theirs', 8);
    assert.equal(witness.addCheckpoint(await stranger.request(20)).status, 403);
    assert.deepEqual(evidenceNames(), []);
  });
});

describe('the memory of a witness', () => {
  it('outlives the process', async () => {
    open().addCheckpoint(await LOG.request(0, 20));
    const again = open();
    assert.equal(again.addCheckpoint(await LOG.request(0, 20)).body, '20\n');
    assert.equal(again.addCheckpoint(await LOG.request(20)).status, 200);
  });

  it('stops the start when any part of it is damaged, missing or of another', async () => {
    open().addCheckpoint(await LOG.request(0, 20));
    const file = join(directory, 'logs', originHash(LOG.origin), 'checkpoint');
    const text = readFileSync(file, 'utf8');
    const origins = join(directory, 'origins');
    const listed = readFileSync(origins, 'utf8');
    const foreign = join(directory, 'logs', originHash('log.example/other'));
    const damages: readonly (readonly [string, () => void])[] = [
      ['a lost checkpoint', () => rmSync(file)],
      ['an empty checkpoint', () => writeFileSync(file, '')],
      ['a torn checkpoint', () => writeFileSync(file, text.slice(0, 100))],
      ['another size', () => writeFileSync(file, text.replace('\n20\n', '\n10\n'))],
      ['no cosignature', () => writeFileSync(file, LOG.checkpoint(20))],
      ['a torn list', () => writeFileSync(origins, listed.slice(0, -3))],
      ['a changed list', () => writeFileSync(origins, listed.replace('bank', 'tank'))],
      ['no marker', () => rmSync(join(directory, 'witness.json'))],
      [
        'a checkpoint in the place of another',
        () => {
          mkdirSync(foreign);
          writeFileSync(join(foreign, 'checkpoint'), text);
        },
      ],
    ];
    for (const [what, damage] of damages) {
      damage();
      assert.throws(
        () => open(),
        (error) => isCountersignError(error, 'CS_RECORD_CORRUPT') && error.fatal,
        what,
      );
      writeFileSync(file, text);
      writeFileSync(origins, listed);
      rmSync(foreign, { recursive: true, force: true });
      writeFileSync(join(directory, 'witness.json'), '{"format":"countersign witness","version":1}\n');
      open();
    }
  });

  it('is complete after a crash between the first checkpoint of a log and its line in the list', async () => {
    open().addCheckpoint(await LOG.request(0, 20));
    rmSync(join(directory, 'origins'));
    open();
    assert.match(readFileSync(join(directory, 'origins'), 'utf8'), / log\.example\/bank\n$/);
  });

  it('lets no cosignature out that it could not keep, whichever step of the disk fails', async () => {
    const calls: readonly FaultCall[] = ['open', 'write', 'truncate', 'sync', 'rename', 'syncDirectory'];
    const controlFile = join(directory, 'faults.json');
    const witness = open({ layer: createFileLayer({ controlFile }) });
    // Where the step happens: the checkpoint's file, and, for a log that is new, the list of logs.
    for (const path of ['logs', 'origins']) {
      for (const call of calls) {
        if (path === 'origins' && call === 'syncDirectory') continue;
        const log = new MemoryLog(`log.example/${path}-${call}`, 8);
        witness.setLogs([{ origin: log.origin, keys: [parseVerifierKey(log.vkey)], path: '' }]);
        for (const from of path === 'logs' ? [0, 2] : [0]) {
          writeFileSync(controlFile, JSON.stringify({ fail: 'EIO', calls: [call], path }));
          const failed = witness.addCheckpoint(await log.request(from, from + 2));
          assert.equal(failed.status, 503, `${path} ${call} ${from}`);
          assert.ok(!failed.body.includes('\u2014'));
          assert.equal(witness.store.get(log.origin)?.checkpoint.size ?? 0, from);
          writeFileSync(controlFile, '{}');
          const after = witness.addCheckpoint(await log.request(from, from + 2));
          assert.equal(after.status, 200, `${path} ${call} ${from}: it goes on when the disk does`);
          assert.equal(open().store.get(log.origin)?.checkpoint.size, from + 2);
        }
      }
    }
  });

  it('loses nothing that was answered when the power fails', async () => {
    // What is not synced stays in memory: a witness that is opened beside it sees what a power cut would leave.
    const witness = open({ layer: createFileLayer({ loseUnsynced: true }) });
    for (let size = 1; size <= 8; size++) {
      assert.equal(witness.addCheckpoint(await LOG.request(size - 1, size)).status, 200);
      assert.equal(open().store.get(LOG.origin)?.checkpoint.size, size);
    }
  });
});
