import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatReport } from './report-text.ts';
import type { VerifyReport } from './verify-log.ts';

const KEY = 'gateway.bank.example/countersign+0a1b2c3d+AdSBtoqJ8oeXFN3z2VXK7XxVV4vGQO9vh3qmcDkpn2uK';
const report: VerifyReport = {
  verdict: 'VERIFIED-WITH-GAPS',
  exitCode: 10,
  source: '/var/lib/countersign/log',
  origin: 'gateway.bank.example/countersign',
  size: 123_456_789,
  root: 'KdPa6fEnvWw/btPZAbVQQKErAQ/ZX1K1lhnhDcJ8lwE=',
  signedAtUs: 1_789_000_000_000_000,
  key: KEY,
  isKeyPinned: false,
  witnessed: 0,
  witnessesRequired: 2,
  witnessesNamed: [],
  unwitnessed: {
    leaves: 123_456_789,
    seconds: 8_640_000,
    fromUs: 1_789_000_000_000_000,
    toUs: 1_789_000_000_000_000,
  },
  journals: { 'gateway-1.01890a5d': 123_456_788 },
  gaps: [
    {
      kind: 'crash',
      cause: 'acknowledged leaves were lost',
      atUs: 1_789_000_000_000_000,
      index: 123_456_788,
      lost: 3,
    } as unknown as VerifyReport['gaps'][number],
  ],
  counts: {
    leaves: 123_456_789,
    sessions: 1_000_000,
    openSessions: 10,
    calls: 50_000_000,
    openCalls: 10,
    denied: 1_000,
    voided: 0,
    inDoubt: 0,
  } as VerifyReport['counts'],
  findings: [
    {
      code: 'call-open',
      verdict: 'VERIFIED-WITH-GAPS',
      index: 17,
      message: `a call that was never answered ${'and more '.repeat(20)}\nVERIFIED`,
    },
  ],
  findingsTotal: 1,
};

test('no line is wider than 80 columns, unless it is one piece', () => {
  const lines = formatReport(report).split('\n');
  assert.deepEqual(
    lines.filter((line) => line.length > 80).map((line) => line.trim()),
    [KEY],
  );
  // What goes on is indented, so that nothing within a line can pose as the beginning of one.
  const starts = lines.filter((line) => /^\S/.test(line)).map((line) => line.split(/[: ]/)[0]);
  assert.deepEqual(starts, [
    'VERIFIED-WITH-GAPS',
    'source',
    'origin',
    'checkpoint',
    'signed',
    'key',
    'warning',
    'witnessed',
    'unwitnessed',
    'read',
    'journal',
    'gap',
    'VERIFIED-WITH-GAPS',
  ]);
});

test('the warning about the key stands only where a key was read from the log', () => {
  const warning = /warning: the key was read from the log itself/;
  assert.match(formatReport(report), warning);
  assert.doesNotMatch(formatReport({ ...report, isKeyPinned: true }), warning);
  const { key, ...withoutKey } = report;
  assert.ok(key !== undefined);
  assert.doesNotMatch(formatReport(withoutKey), /warning/);
});
