import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Findings } from './findings.ts';
import { JournalChecks } from './journal-checks.ts';
import type { Leaf } from './leaf.ts';
import { SessionChecks } from './session-checks.ts';

const SESSION = '0190a000-0000-7000-8000-000000000001';
const OTHER = '0190a000-0000-7000-8000-000000000002';

/** Leaves by number in the journal: `[session, seq]`, or a declaration of what is lost. */
type Line =
  | readonly [jseq: number, session: string, seq: number]
  | readonly [jseq: number, lost: { from: number; to: number }];

function codesOf(lines: readonly Line[]): string[] {
  const findings = new Findings();
  const journals = new JournalChecks(findings);
  const sessions = new SessionChecks(findings, journals);
  for (const [index, line] of lines.entries()) {
    const [jseq, what, seq] = line;
    const isGap = typeof what !== 'string';
    const fields = isGap
      ? { type: 'gap.declared', cause: 'corruption', ...what, lost: what.to - what.from + 1, segment: 1 }
      : { type: seq === 0 ? 'session.opened' : 'call.denied', session: what, seq };
    const leaf = { journal: 'w0', jseq, at: 0, mono: 0, ...fields } as unknown as Leaf;
    const state = journals.consumeEnvelope(index, leaf);
    if (isGap) journals.consume(index, leaf, state);
    else sessions.consume(index, leaf, Buffer.alloc(0), state);
  }
  journals.finish();
  return findings.listed.map(({ code }) => code).filter((code) => !code.startsWith('gap-'));
}

describe('a declared loss', () => {
  it('explains the holes of sessions that it covers, although it comes behind them', () => {
    const lines: Line[] = [
      [0, SESSION, 0],
      [3, SESSION, 3],
      [4, { from: 1, to: 2 }],
    ];
    assert.deepEqual(codesOf(lines), []);
  });

  it('explains a session whose beginning is among it', () => {
    const lines: Line[] = [
      [0, OTHER, 0],
      [2, SESSION, 1],
      [3, { from: 1, to: 1 }],
    ];
    assert.deepEqual(codesOf(lines), []);
  });

  it('explains no more leaves than it has', () => {
    const lines: Line[] = [
      [0, SESSION, 0],
      [3, SESSION, 4],
      [4, { from: 1, to: 2 }],
    ];
    assert.deepEqual(codesOf(lines), ['seq-hole']);
  });

  it('explains no hole of another place', () => {
    const lines: Line[] = [
      [0, SESSION, 0],
      [1, SESSION, 2],
      [2, OTHER, 0],
      [5, OTHER, 1],
      [6, { from: 3, to: 4 }],
    ];
    assert.deepEqual(codesOf(lines), ['seq-hole']);
  });

  it('that is missing leaves every hole unexplained', () => {
    const lines: Line[] = [
      [0, SESSION, 0],
      [3, SESSION, 3],
    ];
    assert.deepEqual(codesOf(lines).toSorted(), ['jseq-hole', 'seq-hole']);
  });
});
