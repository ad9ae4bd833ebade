/** One word for several troubles: every two verdicts in one log, and the states in which an honest log may be found. docs/verdicts.md. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  directorySource,
  EXIT_CODES,
  verifierOf,
  verifyLog,
  type Verdict,
  type VerifyOptions,
  type VerifyReport,
} from 'countersign-verify';
import {
  addCall,
  addHeartbeat,
  addIntent,
  closeSession,
  openSession,
  SampleWriter,
  sampleSigner,
  startRun,
  writeLog,
} from './sample-log.ts';

const directory = mkdtempSync(join(tmpdir(), 'countersign-verdicts-'));
after(() => rmSync(directory, { recursive: true }));
let number = 0;

function newPlace(): string {
  return join(directory, String(number++));
}

async function check(writer: SampleWriter, options: VerifyOptions = {}): Promise<VerifyReport> {
  const path = newPlace();
  writeLog(path, writer.leaves);
  return verifyLog(directorySource(path), { key: verifierOf(sampleSigner()), ...options });
}

interface Trouble {
  /** Leaves that a log with this trouble has. */
  readonly write?: (writer: SampleWriter) => void;
  readonly options?: VerifyOptions;
}

function withEarlier(text: string): VerifyOptions {
  return { earlier: [text] };
}

/** Another history under the same key. */
function otherHistory(): string {
  const writer = new SampleWriter();
  startRun(writer, 'first');
  writer.add('alert', { code: 'never-happened' });
  return writeLog(newPlace(), writer.leaves);
}

/** In order of precedence. Each makes a log that is otherwise sound just this. */
const TROUBLES: Readonly<Record<Exclude<Verdict, 'VERIFIED'>, Trouble>> = {
  FORKED: { options: withEarlier(otherHistory()) },
  ALTERED: {
    write(writer) {
      const { session } = openSession(writer, 'altered');
      const result = { call: writer.uuid('none'), status: 'ok', bytes_up: 0, bytes_down: 0, duration_us: 1 };
      writer.inSession(session, 'call.result', result);
      closeSession(writer, session, 0);
    },
  },
  'CANNOT-VERIFY': { options: withEarlier('nonsense') },
  INCOMPLETE: { write: (writer) => void writer.add('something.of-a-later-version', {}) },
  UNWITNESSED: { options: { requireWitnesses: 1 } },
  DISPOSED: {
    options: {
      visitor: (findings) => ({
        visit: () => Promise.resolve(),
        finish: () => Promise.resolve(findings.report('erased', 'DISPOSED', 'contents were erased')),
      }),
    },
  },
  'VERIFIED-WITH-GAPS': {
    write(writer) {
      startRun(writer, 'crashed');
    },
  },
};

const ORDER = Object.keys(TROUBLES) as (keyof typeof TROUBLES)[];

async function checkTroubles(...verdicts: readonly (keyof typeof TROUBLES)[]): Promise<VerifyReport> {
  const writer = new SampleWriter();
  startRun(writer, 'first');
  writer.add('alert', { code: 'test' });
  const troubles = verdicts.map((verdict) => TROUBLES[verdict]);
  for (const { write } of troubles) write?.(writer);
  const options: VerifyOptions = Object.assign({}, ...troubles.map((trouble) => trouble.options));
  return check(writer, {
    ...options,
    earlier: troubles.flatMap((trouble) => trouble.options?.earlier ?? []),
  });
}

describe('precedence of verdicts', () => {
  for (const [i, first] of ORDER.entries()) {
    it(`${first} alone`, async () => {
      const report = await checkTroubles(first);
      assert.deepEqual([report.verdict, report.exitCode], [first, EXIT_CODES[first]]);
    });

    for (const second of ORDER.slice(i + 1)) {
      it(`${first} before ${second}, and both are listed`, async () => {
        for (const order of [
          [first, second],
          [second, first],
        ] as const) {
          const report = await checkTroubles(...order);
          assert.equal(report.verdict, first);
          for (const verdict of order)
            assert.ok(report.findings.some((finding) => finding.verdict === verdict));
        }
      });
    }
  }

  it('all at once is FORKED', async () => {
    const report = await checkTroubles(...ORDER.toReversed());
    assert.deepEqual([report.verdict, report.exitCode], ['FORKED', 21]);
    assert.deepEqual(new Set(report.findings.map((finding) => finding.verdict)), new Set(ORDER));
  });
});

/** A run with a session of two calls, of which the second may be left without a result. */
function runWith(isOpen: boolean): SampleWriter {
  const writer = new SampleWriter();
  startRun(writer, 'first');
  const { context, session } = openSession(writer, 'a');
  addCall(writer, session, context, 'SELECT 1');
  if (isOpen) addIntent(writer, session, context, 'SELECT pg_sleep(600)');
  return writer;
}

function gap(cause: string, from: number, to: number, lost: number): Record<string, string | number> {
  return { cause, segment: 1, from, to, lost };
}

it('every code that the verifier reports is explained in docs/record-format.md', () => {
  const root = join(import.meta.dirname, '..', '..');
  const sources = join(root, 'packages', 'verify', 'src');
  const explained = readFileSync(join(root, 'docs', 'record-format.md'), 'utf8');
  const text = readdirSync(sources)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(sources, name), 'utf8'))
    .join('\n');
  const codes = Array.from(text.matchAll(/report\(\s*'([a-z-]+)'/g), (match) => match[1]!);
  assert.ok(codes.length > 40);
  assert.deepEqual(
    codes.filter((code) => !explained.includes(`\`${code}\``)),
    [],
  );
});

describe('an honest log', () => {
  it('that grows, with an open session and an open call: VERIFIED, and both are counted', async () => {
    const { counts, findings, verdict } = await check(runWith(true));
    assert.deepEqual([verdict, findings], ['VERIFIED', []]);
    assert.deepEqual([counts.openSessions, counts.openCalls], [1, 1]);
  });

  it('of a gateway that was stopped with a call open: INCOMPLETE, since it should have written a result', async () => {
    const writer = runWith(true);
    writer.add('software.stopped', { reason: 'sigterm' });
    const { findings, verdict } = await check(writer);
    assert.equal(verdict, 'INCOMPLETE');
    assert.deepEqual(
      findings.map((finding) => finding.code),
      ['session-not-closed', 'call-without-result'],
    );
  });

  it('that ends where a crash came, before the next start: as that of a live one', async () => {
    assert.equal((await check(runWith(true))).verdict, 'VERIFIED');
  });

  it('after a crash and a restart: VERIFIED-WITH-GAPS, the cut call in doubt', async () => {
    const writer = new SampleWriter();
    startRun(writer, 'first');
    const { context, session } = openSession(writer, 'a');
    const { id } = addIntent(writer, session, context, 'SELECT 1');
    const cut = { call: id, status: 'cut', cause: 'in-doubt', bytes_up: 0, bytes_down: 0, duration_us: 0 };
    writer.inSession(session, 'call.result', cut);
    closeSession(writer, session, 1, 'crash');
    startRun(writer, 'crashed');
    const { counts, gaps, verdict } = await check(writer);
    assert.deepEqual([verdict, counts.inDoubt], ['VERIFIED-WITH-GAPS', 1]);
    assert.deepEqual(
      gaps.map(({ kind }) => kind),
      ['in-doubt', 'crash'],
    );
  });

  it('after an accepted loss between sessions: VERIFIED-WITH-GAPS, with the number of leaves lost', async () => {
    const writer = new SampleWriter();
    startRun(writer, 'first');
    const { context, session } = openSession(writer, 'a');
    addCall(writer, session, context, 'SELECT 1');
    closeSession(writer, session, 1);
    const from = writer.jseq;
    writer.skip(3);
    writer.add('gap.declared', gap('corruption', from, from + 2, 3));
    startRun(writer, 'crashed');
    const { gaps, verdict } = await check(writer);
    assert.equal(gaps.find(({ kind }) => kind === 'declared')?.lost, 3);
    assert.equal(verdict, 'VERIFIED-WITH-GAPS');
  });

  it('after an accepted loss inside a session that goes on behind it: VERIFIED-WITH-GAPS; INCOMPLETE if more is missing', async () => {
    for (const isMore of [false, true]) {
      const writer = new SampleWriter();
      startRun(writer, 'first');
      const { context, session } = openSession(writer, 'a');
      addCall(writer, session, context, 'SELECT 1');
      const first = writer.jseq;
      writer.skip(2);
      writer.skipSeq(session, isMore ? 3 : 2);
      addCall(writer, session, context, 'SELECT 3');
      closeSession(writer, session, 3, 'crash');
      writer.add('gap.declared', gap('corruption', first, first + 1, 2));
      startRun(writer, 'crashed');
      const { findings, verdict } = await check(writer);
      assert.equal(verdict, isMore ? 'INCOMPLETE' : 'VERIFIED-WITH-GAPS', JSON.stringify(findings));
      assert.equal(
        findings.some(({ code }) => code === 'seq-hole'),
        isMore,
      );
    }
  });

  it('of a process that stood still and said so: VERIFIED-WITH-GAPS; that did not say so: INCOMPLETE', async () => {
    for (const isSaid of [true, false]) {
      const writer = runWith(false);
      addHeartbeat(writer);
      writer.pass(600_000_000);
      if (isSaid) writer.add('alert', { code: 'suspended', for_us: 600_000_000 });
      addHeartbeat(writer);
      const { findings, verdict } = await check(writer);
      const codes = findings.map(({ code }) => code);
      assert.deepEqual(
        [verdict, codes],
        isSaid ? ['VERIFIED-WITH-GAPS', ['gap-declared']] : ['INCOMPLETE', ['heartbeat-missing']],
      );
    }
  });

  it('with a leaf of a later version inside a session: INCOMPLETE, and its session does not look altered', async () => {
    const writer = new SampleWriter();
    startRun(writer, 'first');
    const { context, session } = openSession(writer, 'a');
    addCall(writer, session, context, 'SELECT 1');
    writer.inSession(session, 'call.of-a-later-version', { context });
    closeSession(writer, session, 1);
    addHeartbeat(writer);
    const { findings, verdict } = await check(writer);
    assert.deepEqual([verdict, findings.map(({ code }) => code)], ['INCOMPLETE', ['leaf-schema']]);
  });
});
