import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FormatError } from './errors.ts';
import { proveConsistency, verifyConsistency, hashLeaf, rootFromHashes } from './merkle.ts';
import { formatAddCheckpoint, formatTreeSize, parseAddCheckpoint, parseTreeSize } from './witness-request.ts';

// The example of https://c2sp.org/tlog-witness.
const EXAMPLE = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\u2014 example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
`;

describe('add-checkpoint', () => {
  it("reads the specification's example and writes it byte for byte", () => {
    const request = parseAddCheckpoint(EXAMPLE);
    assert.equal(request.oldSize, 20_852_014);
    assert.equal(request.proof.length, 4);
    assert.match(request.checkpoint, /^example\.com\/behind-the-sofa\n20852163\n/);
    assert.equal(formatAddCheckpoint(request), EXAMPLE);
  });

  it('refuses what is not a request', () => {
    const hash = 'PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=';
    for (const bad of [
      '',
      '\n\n',
      'old 1',
      'old 1\n',
      EXAMPLE.replace('old ', 'old  '),
      EXAMPLE.replace('old ', 'Old '),
      EXAMPLE.replace('20852014', '020852014'),
      EXAMPLE.replace('20852014', '-1'),
      EXAMPLE.replace('20852014', '99999999999999999'),
      EXAMPLE.replace('20852014', '9999999999999999'),
      EXAMPLE.replace(hash, hash.slice(0, -1)),
      EXAMPLE.replace(hash, `${hash}\r`),
      EXAMPLE.replace(hash, `${hash} `),
      EXAMPLE.replace(hash, Array(61).fill(hash).join('\n')),
    ]) {
      assert.throws(() => parseAddCheckpoint(bad), FormatError, bad.slice(0, 60));
    }
    assert.equal(parseAddCheckpoint(EXAMPLE.replace(hash, Array(60).fill(hash).join('\n'))).proof.length, 63);
    assert.equal(parseAddCheckpoint('old 0\n\nx').proof.length, 0);
  });

  it('writes no request that a witness would refuse', () => {
    const request = parseAddCheckpoint(EXAMPLE);
    for (const bad of [
      { ...request, oldSize: -1 },
      { ...request, oldSize: 1.5 },
      { ...request, proof: [Buffer.alloc(31)] },
      { ...request, proof: Array<Buffer>(64).fill(Buffer.alloc(32)) },
    ]) {
      assert.throws(() => formatAddCheckpoint(bad), FormatError);
    }
  });

  it('carries a proof that holds for just its two trees', async () => {
    const leaves = Array.from({ length: 21 }, (_, i) => hashLeaf(Buffer.from([i])));
    const proof = await proveConsistency(6, 21, ({ level, index }) =>
      rootFromHashes(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)),
    );
    const checkpoint = 'x\n';
    const sent = parseAddCheckpoint(formatAddCheckpoint({ oldSize: 6, proof, checkpoint }));
    const oldRoot = rootFromHashes(leaves.slice(0, 6));
    assert.ok(verifyConsistency(sent.oldSize, 21, sent.proof, oldRoot, rootFromHashes(leaves)));
    assert.ok(!verifyConsistency(5, 21, sent.proof, oldRoot, rootFromHashes(leaves)));
    assert.ok(!verifyConsistency(6, 21, sent.proof.toReversed(), oldRoot, rootFromHashes(leaves)));
  });
});

describe('the size line of an answer', () => {
  it('is a decimal and a newline', () => {
    assert.equal(parseTreeSize(formatTreeSize(20_852_163)), 20_852_163);
    assert.equal(parseTreeSize('0\n'), 0);
    for (const bad of ['', '1', '01\n', '1\n\n', ' 1\n', '1e3\n', '-1\n'])
      assert.throws(() => parseTreeSize(bad), FormatError);
  });
});
