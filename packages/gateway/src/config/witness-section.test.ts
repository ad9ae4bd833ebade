import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import {
  cosignatureVerifierOf,
  createCosigner,
  createSigner,
  formatVerifierKey,
  verifierOf,
} from 'countersign-verify';

import { isCountersignError } from '../errors.ts';
import { ConfigError } from './problem.ts';
import { parseConfig } from './read-config.ts';

const EXAMPLE = join(import.meta.dirname, '../../../../examples/countersign.yaml');
const example = readFileSync(EXAMPLE, 'utf8');
const section = /^witness:\n(?:[ #].*\n)+/m.exec(example)![0];

const signer = (name: string) => createSigner(name, generateKeyPairSync('ed25519').privateKey);
const keyOf = (name: string): string =>
  formatVerifierKey(cosignatureVerifierOf(createCosigner(signer(name))), 4);

const parse = (witness: string) => parseConfig(example.replace(section, witness), EXAMPLE);

function problemsOf(witness: string): readonly string[] {
  try {
    return parse(witness).warnings.map(({ path, severity }) => `${severity} ${path}`);
  } catch (error) {
    if (!isCountersignError(error) || !(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, severity }) => `${severity} ${path}`);
  }
}

const peer = (organisation: string, key: string, url = 'https://w.example'): string =>
  `    - { url: '${url}', key: ${key}, organisation: ${organisation} }\n`;

test('an absent section asks nobody; the quorum is all organisations unless it is named', () => {
  assert.equal(parse('').config.witness, undefined);
  const nodes = peer('bank-b', keyOf('w/1')) + peer('bank-b', keyOf('w/2')) + peer('auditor', keyOf('w/3'));
  const { witness } = parse(`witness:\n  witnesses:\n${nodes}`).config;
  assert.equal(witness?.quorum, 2);
  assert.equal(witness.maxUnwitnessedMs, 0);
  assert.equal(witness.witnesses[0]?.monitoring, 'https://w.example');
  assert.equal(parse(`witness:\n  quorum: 1\n  witnesses:\n${nodes}`).config.witness?.quorum, 1);
});

test('what cannot work is an error, what proves little a warning', () => {
  const key = keyOf('w/1');
  const table: readonly (readonly [string, readonly string[]])[] = [
    [`witness:\n  quorum: 2\n  witnesses:\n${peer('a', key)}`, ['error witness.quorum']],
    [`witness:\n  witnesses:\n${peer('a', key)}${peer('b', key)}`, ['error witness.witnesses[1].key']],
    [
      `witness:\n  witnesses:\n${peer('a', formatVerifierKey(verifierOf(signer('w/1'))))}`,
      ['error witness.witnesses[0].key'],
    ],
    [`witness:\n  witnesses:\n${peer('a', 'nonsense')}`, ['error witness.witnesses[0].key']],
    [`witness:\n  witnesses: []\n`, ['error witness.witnesses']],
    [`witness:\n  witnesses:\n${peer('a', key, 'ftp://w.example')}`, ['error witness.witnesses[0].url']],
    [
      `witness:\n  witnesses:\n${peer('a', key, 'https://user:secret@w.example')}`,
      ['error witness.witnesses[0].url'],
    ],
    [
      `witness:\n  operator: a\n  witnesses:\n${peer('a', key)}`,
      ['warning witness.witnesses[0].organisation'],
    ],
    [`witness:\n  witnesses:\n${peer('a', key, 'http://w.example')}`, ['warning witness.witnesses[0].url']],
    [`witness:\n  witnesses:\n${peer('a', key, 'http://127.0.0.1:7380')}`, []],
    [`witness:\n  maxUnwitnessed: 2s\n  witnesses:\n${peer('a', key)}`, ['warning witness.maxUnwitnessed']],
    [`witness:\n  maxUnwitnessed: 1m\n  witnesses:\n${peer('a', key)}`, []],
    [`witness:\n  witnesses:\n${peer('a', key, 'http://[::1]:7380')}`, []],
  ];
  for (const [text, expected] of table) {
    const own = problemsOf(text).filter((problem) => problem.includes('witness'));
    assert.deepEqual(own, expected, text);
  }
});
