/** The rules of the record, each broken once in a log whose hashes and signatures are in order. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { directorySource, verifierOf, verifyLog, type Verdict, type VerifyReport } from 'countersign-verify';
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

const directory = mkdtempSync(join(tmpdir(), 'countersign-rules-'));
after(() => rmSync(directory, { recursive: true }));
let number = 0;

async function check(writer: SampleWriter): Promise<VerifyReport> {
  const path = join(directory, String(number++));
  writeLog(path, writer.leaves);
  return verifyLog(directorySource(path), { key: verifierOf(sampleSigner()) });
}

function start(): SampleWriter {
  const writer = new SampleWriter();
  startRun(writer, 'first');
  return writer;
}

function resultOf(call: string): Readonly<Record<string, string | number>> {
  return { call, status: 'ok', bytes_up: 1, bytes_down: 1, duration_us: 1 };
}

const OTHER_ID = '0190aaaa-0000-7000-8000-000000000001';

function gap(
  cause: string,
  from: number,
  to: number,
  lost: number,
): Readonly<Record<string, string | number>> {
  return { cause, segment: 1, from, to, lost };
}

interface Rule {
  readonly name: string;
  readonly verdict: Verdict;
  /** Codes of the findings, in order. */
  readonly codes: readonly string[];
  readonly write: (writer: SampleWriter) => void;
}

const RULES: readonly Rule[] = [
  { name: 'a log that has just begun', verdict: 'VERIFIED', codes: [], write: () => undefined },
  {
    name: 'a call that is open while the gateway runs',
    verdict: 'VERIFIED',
    codes: [],
    write(writer) {
      const { context, session } = openSession(writer, 'a');
      addIntent(writer, session, context, 'SELECT 1');
    },
  },
  {
    name: 'a session closed with a call that has no result',
    verdict: 'INCOMPLETE',
    codes: ['call-without-result'],
    write(writer) {
      const { context, session } = openSession(writer, 'a');
      addIntent(writer, session, context, 'SELECT 1');
      closeSession(writer, session, 1);
    },
  },
  {
    name: 'a voided call',
    verdict: 'VERIFIED',
    codes: [],
    write(writer) {
      const { context, session } = openSession(writer, 'a');
      const { id } = addIntent(writer, session, context, 'SELECT 1');
      writer.inSession(session, 'call.voided', { call: id, reason: 'CS_RECORD_TIMEOUT' });
      closeSession(writer, session, 1);
    },
  },
  {
    name: 'a result without an intent',
    verdict: 'ALTERED',
    codes: ['call-without-intent'],
    write(writer) {
      const { session } = openSession(writer, 'a');
      writer.inSession(session, 'call.result', resultOf(OTHER_ID));
    },
  },
  {
    name: 'two results of one call',
    verdict: 'ALTERED',
    codes: ['call-without-intent'],
    write(writer) {
      const { context, session } = openSession(writer, 'a');
      const { id } = addIntent(writer, session, context, 'SELECT 1');
      for (let i = 0; i < 2; i++) writer.inSession(session, 'call.result', resultOf(id));
    },
  },
  {
    name: 'a session that was never closed though its run ended',
    verdict: 'INCOMPLETE',
    codes: ['session-not-closed'],
    write(writer) {
      openSession(writer, 'a');
      writer.add('software.stopped', { reason: 'sigterm' });
      startRun(writer, 'stopped');
    },
  },
  {
    name: 'a crash with a call in doubt',
    verdict: 'VERIFIED-WITH-GAPS',
    codes: ['gap-in-doubt', 'gap-crash'],
    write(writer) {
      const { context, session } = openSession(writer, 'a');
      const { id } = addIntent(writer, session, context, 'SELECT 1');
      writer.inSession(session, 'call.result', { ...resultOf(id), status: 'cut', cause: 'in-doubt' });
      closeSession(writer, session, 1, 'crash');
      startRun(writer, 'crashed');
    },
  },
  {
    name: 'a start that claims a stop that is not there',
    verdict: 'INCOMPLETE',
    codes: ['run-order'],
    write: (writer) => startRun(writer, 'stopped'),
  },
  {
    name: 'a hole in jseq',
    verdict: 'INCOMPLETE',
    codes: ['jseq-hole'],
    write(writer) {
      writer.skip(3);
      addHeartbeat(writer);
    },
  },
  {
    name: 'a hole in jseq that is declared',
    verdict: 'VERIFIED-WITH-GAPS',
    codes: ['gap-declared'],
    write(writer) {
      const from = writer.jseq;
      writer.skip(3);
      writer.add('gap.declared', gap('corruption', from, from + 2, 3));
    },
  },
  {
    name: 'a hole in jseq that is larger than declared',
    verdict: 'INCOMPLETE',
    codes: ['gap-declared', 'gap-without-hole', 'jseq-hole'],
    write(writer) {
      const from = writer.jseq;
      writer.skip(3);
      writer.add('gap.declared', gap('corruption', from, from + 1, 2));
    },
  },
  {
    name: 'a torn tail that is declared',
    verdict: 'VERIFIED-WITH-GAPS',
    codes: ['gap-declared'],
    write: (writer) => writer.add('gap.declared', gap('torn-tail', writer.jseq, writer.jseq - 1, 0)),
  },
  {
    name: 'a hole in seq',
    verdict: 'INCOMPLETE',
    codes: ['seq-hole'],
    write(writer) {
      const { context, session } = openSession(writer, 'a');
      writer.inSession(session, 'call.denied', {
        context,
        seq: 5,
        decision: { effect: 'forbid', policies: [], reasons: ['CS_NO_GRANT'] },
        kind: 'select',
        sqlstate: '42501',
      });
    },
  },
  {
    name: 'a closing digest that does not fit',
    verdict: 'ALTERED',
    codes: ['rolling-digest'],
    write(writer) {
      const { session } = openSession(writer, 'a');
      const rolling = bytesFor('another').toString('base64url');
      writer.inSession(session, 'session.closed', {
        rolling,
        reason: 'client',
        calls: 0,
        bytes_up: 0,
        bytes_down: 0,
      });
    },
  },
  {
    name: 'a context that is nowhere',
    verdict: 'ALTERED',
    codes: ['context'],
    write(writer) {
      const { context, session } = openSession(writer, 'a');
      addCall(writer, session, { ...context, jseq: context.jseq - 1 }, 'SELECT 1');
    },
  },
  {
    name: 'a leaf after one that comes later',
    verdict: 'ALTERED',
    codes: ['after'],
    write(writer) {
      const { context, session } = openSession(writer, 'a');
      writer.inSession(session, 'call.denied', {
        context,
        after: { jseq: writer.jseq + 1 },
        decision: { effect: 'forbid', policies: [], reasons: ['CS_NO_GRANT'] },
        kind: 'select',
        sqlstate: '42501',
      });
    },
  },
  {
    name: 'an id that was used before',
    verdict: 'ALTERED',
    codes: ['id-repeated'],
    write(writer) {
      writer.add('alert', { id: OTHER_ID, code: 'one' });
      writer.add('alert', { id: OTHER_ID, code: 'two' });
    },
  },
  {
    name: 'heartbeats a minute apart',
    verdict: 'VERIFIED',
    codes: [],
    write(writer) {
      for (let i = 0; i < 3; i++) {
        writer.pass(60_000_000);
        addHeartbeat(writer);
      }
    },
  },
  {
    name: 'heartbeats two minutes apart',
    verdict: 'INCOMPLETE',
    codes: ['heartbeat-missing'],
    write(writer) {
      writer.pass(120_000_000);
      addHeartbeat(writer);
    },
  },
  {
    name: 'a long silence that the recorder explains',
    verdict: 'VERIFIED',
    codes: [],
    write(writer) {
      writer.pass(120_000_000);
      writer.add('recorder.degraded', { cause: 'EIO' });
      writer.add('recorder.restored', { cause: 'EIO' });
      addHeartbeat(writer);
    },
  },
  {
    name: 'a heartbeat that names a leaf of another journal that is not there',
    verdict: 'INCOMPLETE',
    codes: ['high-water-mark'],
    write(writer) {
      const journals = [
        { journal: writer.journal, jseq: writer.jseq - 1 },
        { journal: 'w1', jseq: 4 },
      ];
      writer.add('heartbeat', { calls: 0, denied: 0, bytes_up: 0, bytes_down: 0, sessions: 0, journals });
    },
  },
  {
    name: 'an event type that is not known',
    verdict: 'INCOMPLETE',
    codes: ['leaf-schema'],
    write: (writer) => writer.add('call.imagined', {}),
  },
  {
    name: 'a field that is not in the schema',
    verdict: 'INCOMPLETE',
    codes: ['leaf-schema'],
    write: (writer) => writer.add('alert', { code: 'one', statement: 'SELECT 1' }),
  },
  {
    name: 'a field that is missing',
    verdict: 'INCOMPLETE',
    codes: ['leaf-schema'],
    write: (writer) => writer.add('alert', {}),
  },
  {
    name: 'a wall clock that goes back',
    verdict: 'VERIFIED',
    codes: [],
    write: (writer) => writer.add('alert', { code: 'one', at: 1 }),
  },
  {
    name: 'a second genesis',
    verdict: 'ALTERED',
    codes: ['genesis'],
    write(writer) {
      writer.leaves.push(
        ...start()
          .leaves.slice(0, 1)
          .map((leaf) =>
            Buffer.from(
              leaf
                .toString()
                .replace('"jseq":0', `"jseq":${writer.jseq}`)
                .replace(/"id":"[^"]*"/, `"id":"${OTHER_ID}"`),
            ),
          ),
      );
    },
  },
];

describe('rules of the record', () => {
  for (const { codes, name, verdict, write } of RULES) {
    it(`${name}: ${verdict}`, async () => {
      const writer = start();
      write(writer);
      const report = await check(writer);
      assert.deepEqual([report.verdict, report.findings.map((f) => f.code)], [verdict, codes]);
    });
  }

  it('counts what is open', async () => {
    const writer = start();
    const { context, session } = openSession(writer, 'a');
    addIntent(writer, session, context, 'SELECT 1');
    const { counts, journals } = await check(writer);
    assert.deepEqual([counts.openSessions, counts.openCalls, counts.calls], [1, 1, 1]);
    assert.deepEqual(journals, { w0: writer.jseq - 1 });
  });

  it('needs a genesis of this log and this key: INCOMPLETE or ALTERED', async () => {
    const bare = new SampleWriter();
    bare.add('alert', { code: 'one' });
    assert.equal((await check(bare)).verdict, 'INCOMPLETE');
    assert.equal((await check(new SampleWriter())).verdict, 'INCOMPLETE');
    for (const signer of [sampleSigner('another.example/log'), sampleSigner(undefined, 'another key')]) {
      const other = new SampleWriter();
      startRun(other, 'first', signer);
      assert.equal((await check(other)).verdict, 'ALTERED');
    }
  });

  it('keeps a flood of findings within bounds', async () => {
    const writer = start();
    for (let i = 0; i < 3000; i++) writer.add('call.imagined', {});
    const report = await check(writer);
    assert.deepEqual([report.findings.length, report.findingsTotal], [20, 3000]);
  });
});
