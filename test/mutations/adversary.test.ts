/**
 * The adversary with the key: everything that the operator may want to change, done carelessly and done perfectly, against
 * what the examiner may have in hand. The table in docs/verdicts.md is this one.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  addSignatures,
  ALGORITHM_COSIGNATURE,
  cosign,
  createCosigner,
  createSignerFromSeed,
  createVerifier,
  directorySource,
  formatSignerKey,
  formatVerifierKey,
  parseCheckpoint,
  parseVerifierKey,
  VaultChecks,
  VaultReader,
  verifierOf,
  verifyLog,
  witnessOf,
  type Verdict,
  type VerifyOptions,
  type VerifyReport,
} from 'countersign-verify';
import { needGo, verifyWithGo } from '../foreign/tools.ts';
import { forge, readLogLeaves, SKILLS, writeForged, type Skill } from './adversary.ts';
import { decodeRecord, encodeAsIs, encodeRecord, typeOf } from './forged-record.ts';
import {
  drop,
  dropCall,
  dropSession,
  dropTail,
  dropType,
  edit,
  insertCall,
  insertSession,
  swap,
  type Forgery,
} from './forgeries.ts';
import {
  addCall,
  addHeartbeat,
  addIntent,
  bytesFor,
  closeSession,
  openSession,
  SampleWriter,
  sampleSigner,
  startRun,
  writeLog,
} from './sample-log.ts';

const signer = sampleSigner();
const key = verifierOf(signer);
const vkey = formatVerifierKey(signer);
const go = needGo();
const ROOT = join(import.meta.dirname, '..', '..');

/** A log with everything in it that a forgery might want to touch: two sessions at a time, a refusal, a crash, two runs. */
function writeBase(): SampleWriter {
  const writer = new SampleWriter();
  startRun(writer, 'first');
  const a = openSession(writer, 'a');
  const b = openSession(writer, 'b');
  for (let i = 0; i < 20; i++) {
    addCall(writer, a.session, a.context, `SELECT ${i}`);
    addCall(writer, b.session, b.context, `UPDATE account SET balance = ${i}`);
  }
  writer.inSession(b.session, 'call.denied', {
    context: b.context,
    decision: { effect: 'forbid', policies: ['g-1'], reasons: ['scope'] },
    kind: 'delete',
    sqlstate: '42501',
  });
  addHeartbeat(writer);
  closeSession(writer, a.session, 20);
  closeSession(writer, b.session, 20);
  const c = openSession(writer, 'c');
  const { id } = addIntent(writer, c.session, c.context, 'DELETE FROM audit');
  // A crash, and what the next run owes to it.
  const cut = { call: id, status: 'cut', cause: 'in-doubt', bytes_up: 0, bytes_down: 0, duration_us: 0 };
  writer.inSession(c.session, 'call.result', cut);
  closeSession(writer, c.session, 1, 'crash');
  startRun(writer, 'crashed');
  const d = openSession(writer, 'd');
  for (let i = 0; i < 20; i++) addCall(writer, d.session, d.context, `SELECT ${100 + i}`);
  addHeartbeat(writer);
  closeSession(writer, d.session, 20);
  writer.pass(5_000_000);
  writer.add('software.stopped', { reason: 'sigterm' });
  return writer;
}

const base = writeBase().leaves;
const entries = decodeRecord(base);
const SESSION_B = sessionIdOf('b');

function sessionIdOf(label: string): string {
  return new SampleWriter().uuid(`session ${label}`);
}

function indexOf(type: string, from = 0): number {
  return entries.findIndex((entry, i) => i >= from && typeOf(entry) === type);
}

const INTENT = indexOf('call.intent', 30);
const RESULT = indexOf('call.result', 30);
const WITNESS = createSignerFromSeed('witness.example', bytesFor('witness'));
const witness = witnessOf(createVerifier(WITNESS.name, WITNESS.publicKey, ALGORITHM_COSIGNATURE), 'auditor');

interface Row {
  readonly name: string;
  readonly forgery: Forgery;
  /** Verdict on the careless forgery with nothing in hand. */
  readonly naive: Verdict;
  /** On the perfect one; the true log's own, unless the forgery hides a gap. */
  readonly perfect?: Verdict;
  /** Against a checkpoint of the whole true log: FORKED, or ALTERED where the forged log is shorter. */
  readonly isShorter?: true;
}

const TRUE_VERDICT: Verdict = 'VERIFIED-WITH-GAPS';

const ROWS: readonly Row[] = [
  { name: 'change the rows of a result', forgery: edit(RESULT, 'rows', 0), naive: 'ALTERED' },
  { name: 'change a statement', forgery: edit(INTENT, 'statement', 'A'.repeat(43)), naive: 'ALTERED' },
  {
    name: 'make a permit of a refusal',
    forgery: edit(indexOf('call.denied'), 'decision.effect', 'permit'),
    naive: 'ALTERED',
  },
  {
    name: 'change who a session was',
    forgery: edit(indexOf('context'), 'principal', 'somebody-else'),
    naive: 'ALTERED',
  },
  { name: 'change the time of a leaf', forgery: edit(INTENT, 'at', 1_790_000_000_000_001), naive: 'ALTERED' },
  {
    name: 'change the reason of a stop',
    forgery: edit(base.length - 1, 'reason', 'sigint'),
    naive: TRUE_VERDICT,
  },
  { name: 'drop one leaf', forgery: drop(RESULT), naive: 'ALTERED', perfect: 'INCOMPLETE', isShorter: true },
  { name: 'drop a call', forgery: dropCall(INTENT), naive: 'ALTERED', isShorter: true },
  { name: 'drop a refusal', forgery: drop(indexOf('call.denied')), naive: 'ALTERED', isShorter: true },
  { name: 'drop a whole session', forgery: dropSession(SESSION_B), naive: 'INCOMPLETE', isShorter: true },
  {
    name: 'drop the session that the crash cut',
    forgery: dropSession(sessionIdOf('c')),
    naive: 'INCOMPLETE',
    isShorter: true,
  },
  { name: 'drop the heartbeats', forgery: dropType('heartbeat'), naive: 'INCOMPLETE', isShorter: true },
  { name: 'drop the tail', forgery: dropTail(1), naive: TRUE_VERDICT, isShorter: true },
  { name: 'drop the tail with half a session', forgery: dropTail(12), naive: TRUE_VERDICT, isShorter: true },
  {
    name: 'hide that a run crashed',
    forgery: edit(indexOf('software.started', 10), 'previous', 'stopped'),
    naive: 'INCOMPLETE',
    perfect: 'INCOMPLETE',
  },
  {
    name: 'swap two leaves of one session',
    forgery: swap(INTENT, INTENT + 4),
    naive: 'ALTERED',
    perfect: 'ALTERED',
  },
  { name: 'swap leaves of two sessions', forgery: swap(RESULT, RESULT + 1), naive: 'ALTERED' },
  { name: 'insert a call', forgery: insertCall(INTENT), naive: 'ALTERED' },
  { name: 'insert a session', forgery: insertSession(SESSION_B), naive: 'ALTERED' },
];

let directory: string;
let trueLog: string;
let trueCheckpoint: string;
let cosigned: string;
let number = 0;

before(() => {
  directory = mkdtempSync(join(tmpdir(), 'countersign-adversary-'));
  trueLog = join(directory, 'true');
  trueCheckpoint = writeLog(trueLog, base, { signedAtUs: 1_790_000_010_000_000 });
  const { note } = parseCheckpoint(trueCheckpoint);
  cosigned = addSignatures(trueCheckpoint, [cosign(note.body, createCosigner(WITNESS), 1_790_000_011)]);
  writeFileSync(join(directory, 'earlier'), trueCheckpoint);
  writeFileSync(join(directory, 'key'), formatSignerKey(signer));
});

after(() => rmSync(directory, { recursive: true }));

async function check(path: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  return verifyLog(directorySource(path), { key, ...options });
}

function codesOf(report: VerifyReport): string[] {
  return [...new Set(report.findings.map((finding) => finding.code))].toSorted();
}

function writeForgery(forgery: Forgery, skill: Skill): string {
  const path = join(directory, String(number++));
  writeForged(path, trueLog, forge(base, [forgery], skill), signer);
  return path;
}

describe('the tool itself', () => {
  it('writes a record that it took apart byte for byte as it was', () => {
    assert.deepEqual(encodeRecord(decodeRecord(base)), base);
    assert.deepEqual(encodeAsIs(decodeRecord(base)), base);
  });

  it('starts from a log that is what it should be', async () => {
    const report = await check(trueLog);
    assert.equal(report.verdict, TRUE_VERDICT);
    assert.deepEqual(codesOf(report), ['gap-crash', 'gap-in-doubt']);
    const witnessed = await check(trueLog, { earlier: [cosigned], witnesses: [witness] });
    assert.deepEqual(
      [witnessed.verdict, witnessed.witnessed, witnessed.unwitnessed?.leaves],
      [TRUE_VERDICT, 1, 0],
    );
    assert.equal(witnessed.witnessedAt, 1_790_000_011);
  });
});

for (const row of ROWS) {
  describe(`the adversary: ${row.name}`, () => {
    for (const skill of SKILLS) {
      const alone = skill === 'naive' ? row.naive : (row.perfect ?? TRUE_VERDICT);
      const isSound = alone === TRUE_VERDICT;
      const compared: Verdict = row.isShorter === true ? 'ALTERED' : 'FORKED';

      it(`${skill}, nothing in hand: ${alone}, and all of it in the window`, async () => {
        const report = await check(writeForgery(row.forgery, skill));
        assert.equal(report.verdict, alone, JSON.stringify(report.findings));
        const { leaves, seconds } = report.unwitnessed!;
        assert.deepEqual([leaves, seconds >= (row.isShorter === true ? 1 : 5)], [report.size, true]);
      });

      it(`${skill}, with the key of a witness that never saw it: ${isSound ? 'UNWITNESSED' : alone}`, async () => {
        const report = await check(writeForgery(row.forgery, skill), { witnesses: [witness] });
        assert.equal(report.verdict, isSound ? 'UNWITNESSED' : alone);
        assert.ok(codesOf(report).includes('witnesses'));
      });

      it(`${skill}, with an earlier checkpoint, cosigned or not: ${compared}`, async () => {
        const path = writeForgery(row.forgery, skill);
        for (const earlier of [trueCheckpoint, cosigned]) {
          const report = await check(path, { earlier: [earlier], witnesses: [witness] });
          assert.equal(report.verdict, compared);
          assert.ok(codesOf(report).includes(row.isShorter === true ? 'cut-off' : 'forked'));
        }
      });

      it(`${skill}, with checkpoint.witnessed left in the log: ${compared} for everybody`, async () => {
        const path = writeForgery(row.forgery, skill);
        writeFileSync(join(path, 'checkpoint.witnessed'), cosigned);
        assert.equal((await check(path)).verdict, compared);
      });

      it(`${skill}: Go's verifier takes it alone, and refuses it against the earlier checkpoint`, go, () => {
        const path = writeForgery(row.forgery, skill);
        assert.ok(verifyWithGo(path, vkey).isAccepted);
        assert.ok(!verifyWithGo(path, vkey, join(directory, 'earlier')).isAccepted);
      });
    }
  });
}

function addWitnessed(writer: SampleWriter, root: string): void {
  writer.add('checkpoint.witnessed', {
    size: 40,
    root,
    witnesses: ['witness.example'],
    organisations: 1,
    time_us: 1_790_000_000_500_000,
  });
}

/** The base with such a leaf before its end. */
function witnessedBase(): Buffer[] {
  const { root } = parseCheckpoint(writeLog(join(directory, 'first-forty'), base, { size: 40 }));
  const writer = writeBase();
  addWitnessed(writer, root.toString('base64url'));
  return writer.leaves;
}

describe('leaves that say what witnesses saw', () => {
  it('are held against the tree: a careless change before them is ALTERED with nothing in hand', async () => {
    const leaves = witnessedBase();
    const path = join(directory, 'witnessed-true');
    writeLog(path, leaves);
    assert.deepEqual(codesOf(await check(path, { requireWitnesses: 0 })), ['gap-crash', 'gap-in-doubt']);
    const forged = join(directory, 'witnessed-naive');
    writeLog(forged, forge(leaves, [edit(indexOf('software.started'), 'version', '0.0.9')], 'naive'));
    const report = await check(forged, { requireWitnesses: 0 });
    assert.deepEqual(
      [report.verdict, codesOf(report)],
      ['ALTERED', ['gap-crash', 'gap-in-doubt', 'witnessed-root']],
    );
  });

  it('make a log UNWITNESSED for whoever does not check what they say, true or forged', async () => {
    const leaves = witnessedBase();
    for (const [name, text] of [
      ['unchecked-true', leaves],
      ['unchecked-forged', forge(leaves, [dropSession(SESSION_B)], 'perfect')],
    ] as const) {
      const path = join(directory, name);
      writeLog(path, text);
      const report = await check(path);
      assert.deepEqual([report.verdict, report.witnessesNamed], ['UNWITNESSED', ['witness.example']]);
      assert.ok(codesOf(report).includes('witnesses-unchecked'));
      assert.equal((await check(path, { requireWitnesses: 0 })).verdict, TRUE_VERDICT);
    }
  });

  it('that claim more leaves than there were are ALTERED', async () => {
    const leaves = forge(witnessedBase(), [edit(base.length, 'size', 4000)], 'naive');
    const path = join(directory, 'witnessed-future');
    writeLog(path, leaves);
    assert.equal((await check(path)).verdict, 'ALTERED');
  });
});

describe('how far the log is ahead of its witnesses', () => {
  it('is UNWITNESSED beyond the limit, with the window in leaves and seconds', async () => {
    const half = writeLog(join(directory, 'half'), base, { size: 60 });
    const witnessed = addSignatures(half, [
      cosign(parseCheckpoint(half).note.body, createCosigner(WITNESS), 1_790_000_001),
    ]);
    const path = join(directory, 'ahead');
    writeLog(path, base);
    writeFileSync(join(path, 'checkpoint.witnessed'), witnessed);
    const near = await check(path, { witnesses: [witness] });
    assert.deepEqual([near.verdict, near.unwitnessed?.leaves], [TRUE_VERDICT, base.length - 60]);
    const far = await check(path, { witnesses: [witness], maxUnwitnessedSeconds: 3 });
    assert.equal(far.verdict, 'UNWITNESSED');
    assert.ok(codesOf(far).includes('unwitnessed-window'));
    assert.ok(far.unwitnessed!.seconds > 3);
    const none = await check(path, { witnesses: [witness], requireWitnesses: 0, maxUnwitnessedSeconds: 3 });
    assert.equal(none.verdict, TRUE_VERDICT);
  });

  it('a stranger who cosigns is no witness, and neither is the log itself', async () => {
    const { note } = parseCheckpoint(trueCheckpoint);
    const stranger = createSignerFromSeed('stranger.example', bytesFor('stranger'));
    const path = join(directory, 'stranger');
    writeLog(path, base, { signedAtUs: 1_790_000_010_000_000 });
    for (const by of [stranger, signer]) {
      const line = cosign(note.body, createCosigner(by), 1_790_000_011);
      writeFileSync(join(path, 'checkpoint'), addSignatures(trueCheckpoint, [line]));
      assert.equal((await check(path, { witnesses: [witness] })).verdict, 'UNWITNESSED');
    }
    const own = witnessOf(createVerifier(signer.name, signer.publicKey, ALGORITHM_COSIGNATURE), 'auditor');
    assert.equal((await check(path, { witnesses: [own] })).verdict, 'UNWITNESSED');
  });
});

it('whatever is changed, and whatever earlier checkpoint there is: it is found, or it lies in the window', async () => {
  const intents = entries.flatMap((entry, i) => (typeOf(entry) === 'call.intent' ? [i] : []));
  const sessions = ['a', 'b', 'c', 'd'].map(sessionIdOf);
  const forgery = fc.oneof(
    fc.constantFrom(...intents).map((i) => dropCall(i)),
    fc.constantFrom(...intents).map((i) => insertCall(i)),
    fc.constantFrom(...sessions).map((id) => dropSession(id)),
    fc.constantFrom(...sessions).map((id) => insertSession(id)),
    fc.integer({ min: 1, max: 60 }).map((n) => dropTail(n)),
    fc.integer({ min: 2, max: base.length - 2 }).map((i) => edit(i, 'at', 1_790_000_000_123_456)),
  );
  const path = join(directory, 'any');
  await fc.assert(
    fc.asyncProperty(forgery, fc.integer({ min: 1, max: base.length }), async (change, size) => {
      rmSync(path, { recursive: true, force: true });
      const earlier = writeLog(path, base, { size });
      const forged = forge(base, [change], 'perfect');
      rmSync(path, { recursive: true });
      writeLog(path, forged);
      const { unwitnessed, verdict } = await check(path, { earlier: [earlier] });
      const first = base.findIndex((leaf, i) => forged[i] === undefined || !leaf.equals(forged[i]));
      if (first >= 0 && first < size) {
        assert.equal(verdict, forged.length < size ? 'ALTERED' : 'FORKED');
      } else {
        assert.ok(['VERIFIED', 'VERIFIED-WITH-GAPS', 'INCOMPLETE'].includes(verdict), verdict);
        assert.equal(unwitnessed?.leaves, forged.length - size);
      }
    }),
    { numRuns: 150 },
  );
});

const otherStatement = (index: number): string => `${index}:statement="${'A'.repeat(43)}"`;

describe('the adversary on the log of a real gateway', () => {
  const OLD = join(ROOT, 'test', 'upgrade', 'v0.1.0');
  let state: string;
  let intent: number;

  before(() => {
    execFileSync('tar', ['-C', directory, '-xzf', join(OLD, 'old-log.tar.gz')]);
    state = join(directory, 'state');
    intent = decodeRecord(readLogLeaves(join(state, 'log'))).findIndex(
      (e, i) => i > 60 && typeOf(e) === 'call.intent',
    );
  });

  const run = (output: string, ...what: readonly string[]): void => {
    const tool = join(import.meta.dirname, 'adversary.ts');
    const keyFile = join(directory, 'keys', 'signing.pem');
    execFileSync(process.execPath, [tool, state, '--key', keyFile, '--output', output, ...what]);
  };

  const verify = async (place: string, withVault: boolean): Promise<VerifyReport> => {
    const custodian = createPrivateKey(readFileSync(join(directory, 'keys', 'custodian-private.pem')));
    return verifyLog(directorySource(join(place, 'log')), {
      key: parseVerifierKey(readFileSync(join(state, 'log', 'log.vkey'), 'utf8')),
      ...(withVault && {
        visitor: (findings) => new VaultChecks(new VaultReader(join(place, 'vault'), custodian), findings),
      }),
    });
  };

  it('rewrites it without a trace, but for the sealed contents, which the custodian compares', async () => {
    const forged = join(directory, 'forged-call');
    run(forged, '--drop-call', String(intent), '--insert-call', String(intent));
    const truth = await verify(state, false);
    const report = await verify(forged, false);
    assert.deepEqual([report.verdict, codesOf(report)], [truth.verdict, codesOf(truth)]);
    assert.equal((await verify(state, true)).verdict, truth.verdict);
    assert.equal((await verify(forged, true)).verdict, 'ALTERED');
  });

  it('is betrayed by the vault when a statement becomes another', async () => {
    const forged = join(directory, 'forged-statement');
    run(forged, '--edit', otherStatement(intent));
    assert.equal((await verify(forged, false)).verdict, 'VERIFIED-WITH-GAPS');
    const report = await verify(forged, true);
    assert.deepEqual([report.verdict, codesOf(report).includes('payload-mismatch')], ['ALTERED', true]);
  });

  it('is betrayed by the first check when it is careless', async () => {
    const forged = join(directory, 'forged-naive');
    run(forged, '--naive', '--edit', otherStatement(intent));
    assert.equal((await verify(forged, false)).verdict, 'ALTERED');
  });

  it('is told how to be used, and never writes over anything', () => {
    assert.throws(() => run(state, '--drop-tail', '1'), /exists already/);
    assert.throws(() => run(join(directory, 'nothing')), /usage/);
  });
});
