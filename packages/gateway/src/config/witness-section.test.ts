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
  const { witness } = parse(`witness:\n  operator: bank-a\n  witnesses:\n${nodes}`).config;
  assert.equal(witness?.quorum, 2);
  assert.equal(witness.maxUnwitnessedMs, 0);
  assert.equal(witness.witnesses[0]?.monitoring, 'https://w.example');
  assert.equal(
    parse(`witness:\n  operator: bank-a\n  quorum: 1\n  witnesses:\n${nodes}`).config.witness?.quorum,
    1,
  );
});

test('what cannot work is an error, what proves little a warning', () => {
  const key = keyOf('w/1');
  const head = 'witness:\n  operator: bank-a\n';
  const table: readonly (readonly [string, readonly string[]])[] = [
    [`${head}  quorum: 2\n  witnesses:\n${peer('a', key)}`, ['error witness.quorum']],
    [`${head}  witnesses:\n${peer('a', key)}${peer('b', key)}`, ['error witness.witnesses[1].key']],
    [
      `${head}  witnesses:\n${peer('a', formatVerifierKey(verifierOf(signer('w/1'))))}`,
      ['error witness.witnesses[0].key'],
    ],
    [`${head}  witnesses:\n${peer('a', 'nonsense')}`, ['error witness.witnesses[0].key']],
    [`${head}  witnesses: []\n`, ['error witness.witnesses']],
    [`${head}  witnesses:\n${peer('a', key, 'ftp://w.example')}`, ['error witness.witnesses[0].url']],
    [
      `${head}  witnesses:\n${peer('a', key, 'https://user:secret@w.example')}`,
      ['error witness.witnesses[0].url'],
    ],
    [
      `${head}  witnesses:\n${peer('bank-a', key)}`,
      ['error witness.witnesses', 'warning witness.witnesses[0].organisation'],
    ],
    [
      `${head}  witnesses:\n${peer('bank-a', key)}${peer('a', keyOf('w/2'))}`,
      ['warning witness.witnesses[0].organisation'],
    ],
    [
      `${head}  quorum: 2\n  witnesses:\n${peer('bank-a', key)}${peer('a', keyOf('w/2'))}`,
      ['error witness.quorum', 'warning witness.witnesses[0].organisation'],
    ],
    [`witness:\n  witnesses:\n${peer('a', key)}`, ['error witness.operator']],
    [`${head}  witnesses:\n${peer('a', key, 'http://w.example')}`, ['warning witness.witnesses[0].url']],
    [`${head}  witnesses:\n${peer('a', key, 'http://127.0.0.1:7380')}`, []],
    [`${head}  maxUnwitnessed: 2s\n  witnesses:\n${peer('a', key)}`, ['warning witness.maxUnwitnessed']],
    [`${head}  maxUnwitnessed: 1m\n  witnesses:\n${peer('a', key)}`, []],
    [`${head}  witnesses:\n${peer('a', key, 'http://[::1]:7380')}`, []],
  ];
  for (const [text, expected] of table) {
    const own = problemsOf(text).filter((problem) => problem.includes('witness'));
    assert.deepEqual(own, expected, text);
  }
});
