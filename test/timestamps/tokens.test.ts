/** Time-stamp tokens made by OpenSSL, read by ours: whole, changed, foreign, expired. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';

import {
  authorityFlaw,
  authorityName,
  FormatError,
  formatTimestampRequest,
  isTimestampOf,
  parseCertificates,
  parseTimestampResponse,
  parseTimestampToken,
} from 'countersign-verify';
import type { TimestampToken } from 'countersign-verify';

import { needOpenssl } from '../foreign/tools.ts';
import { TimeAuthority } from '../support/time-authority.ts';
import type { AuthorityOptions } from '../support/time-authority.ts';

const DATA = Buffer.from('log.example/bank\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n');
const NONCE = Buffer.from('7fa1b2c3d4e5f60718293a4b', 'hex');

const authorities: TimeAuthority[] = [];
function authority(options: AuthorityOptions = {}): TimeAuthority {
  const made = new TimeAuthority(options);
  authorities.push(made);
  return made;
}

function tokenOf(response: Buffer): TimestampToken {
  return parseTimestampToken(parseTimestampResponse(response).token!);
}

function trusted(of: TimeAuthority) {
  return parseCertificates(readFileSync(of.ca, 'utf8'));
}

describe('a time-stamp token', needOpenssl(), () => {
  after(async () => {
    for (const one of authorities) await one.remove();
  });

  for (const options of [{ kind: 'ec' }, { kind: 'rsa' }, { kind: 'ec', intermediate: true }] as const) {
    it(`of OpenSSL is read and trusted: ${JSON.stringify(options)}`, async () => {
      const before = Math.floor(Date.now() / 1000) * 1_000_000;
      const tsa = authority(options);
      const token = tokenOf(await tsa.reply(formatTimestampRequest(DATA, NONCE)));
      assert.ok(isTimestampOf(token, DATA));
      assert.ok(!isTimestampOf(token, Buffer.concat([DATA, DATA])));
      assert.deepEqual(token.nonce, NONCE);
      assert.equal(token.policy, '1.3.6.1.4.1.99999.1');
      assert.ok(token.timeUs >= before && token.timeUs <= Date.now() * 1000);
      assert.equal(authorityFlaw(token, trusted(tsa)), undefined);
      assert.equal(authorityName(token.signer), 'test tsa');
      assert.match(authorityFlaw(token, trusted(authority())) ?? '', /no trusted certificate/);
    });
  }

  it('with any bit changed is refused, or says nothing else', async () => {
    const tsa = authority();
    const response = await tsa.reply(formatTimestampRequest(DATA, NONCE));
    const truth = tokenOf(response);
    const anchors = trusted(tsa);
    let unchanged = 0;
    for (let at = 0; at < response.length; at++) {
      const changed = Buffer.from(response);
      changed[at]! ^= 1 << (at % 8);
      try {
        const token = tokenOf(changed);
        if (authorityFlaw(token, anchors) !== undefined) continue;
        // What no signature covers (a version, the set of digests) may change; what it says may not.
        assert.ok(isTimestampOf(token, DATA), `byte ${at}`);
        assert.equal(token.timeUs, truth.timeUs, `byte ${at}`);
        assert.deepEqual(token.nonce, truth.nonce, `byte ${at}`);
        assert.equal(token.serial, truth.serial, `byte ${at}`);
        assert.deepEqual(token.signer.raw, truth.signer.raw, `byte ${at}`);
        unchanged++;
      } catch (error) {
        assert.ok(error instanceof FormatError, `byte ${at}: ${String(error)}`);
      }
    }
    assert.ok(unchanged < 40, `${unchanged} changes were without effect`);
  });

  it('cut off anywhere, or followed by anything, is refused', async () => {
    const response = await authority().reply(formatTimestampRequest(DATA, NONCE));
    for (let length = 0; length < response.length; length++)
      assert.throws(() => tokenOf(response.subarray(0, length)), FormatError, `${length} bytes`);
    assert.throws(() => tokenOf(Buffer.concat([response, Buffer.from([0])])), FormatError);
    for (let i = 0; i < 300; i++)
      assert.throws(() => parseTimestampResponse(randomBytes(1 + (i % 90))), FormatError);
  });

  it('of a certificate that is not one for time stamping alone is not trusted', async () => {
    const plain = 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n';
    // OpenSSL signs with no such certificate; one that it would sign with is forged into the check instead.
    const tsa = authority();
    const token = tokenOf(await tsa.reply(formatTimestampRequest(DATA, NONCE)));
    for (const usage of [
      '',
      'extendedKeyUsage=timeStamping\n',
      'extendedKeyUsage=critical,timeStamping,codeSigning\n',
      'extendedKeyUsage=critical,serverAuth\n',
    ]) {
      const other = authority({ extensions: plain + usage });
      const [signer] = parseCertificates(readFileSync(`${other.directory}/tsa.pem`, 'utf8'));
      const flaw = authorityFlaw({ ...token, signer: signer! }, trusted(other));
      assert.match(flaw ?? '', /not one for time stamping alone/, usage);
    }
  });

  it('is trusted only while the certificates were valid at its own time', async () => {
    const tsa = authority({ intermediate: true });
    const token = tokenOf(await tsa.reply(formatTimestampRequest(DATA, NONCE)));
    const day = 86_400_000_000;
    for (const shift of [-day, 10 * day]) {
      const flaw = authorityFlaw({ ...token, timeUs: token.timeUs + shift }, trusted(tsa));
      assert.match(flaw ?? '', /was not valid at the time/, String(shift));
    }
  });

  it('without the certificates between is not trusted, nor one issued by who may not issue', async () => {
    const tsa = authority({ intermediate: true });
    const token = tokenOf(await tsa.reply(formatTimestampRequest(DATA, NONCE)));
    assert.match(authorityFlaw({ ...token, others: [] }, trusted(tsa)) ?? '', /no trusted certificate/);
    const [between] = token.others;
    assert.equal(authorityFlaw({ ...token, others: [] }, [between!]), undefined);
    const [leaf] = parseCertificates(readFileSync(`${tsa.directory}/tsa.pem`, 'utf8'));
    assert.match(authorityFlaw({ ...token, others: [leaf!] }, trusted(tsa)) ?? '', /no trusted certificate/);
  });

  it('is not trusted through a certificate that may not issue, though it did', async () => {
    const tsa = authority({ intermediate: 'basicConstraints=critical,CA:FALSE\n' });
    const token = tokenOf(await tsa.reply(formatTimestampRequest(DATA, NONCE)));
    assert.match(authorityFlaw(token, trusted(tsa)) ?? '', /no trusted certificate/);
  });

  it('is not trusted through an issuer that only has the name of the true one', async () => {
    const extensions =
      'extendedKeyUsage=critical,timeStamping\nsubjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n';
    const tsa = authority({ extensions });
    const token = tokenOf(await tsa.reply(formatTimestampRequest(DATA, NONCE)));
    assert.equal(authorityFlaw(token, trusted(tsa)), undefined);
    const [namesake] = trusted(authority({ extensions }));
    assert.ok(token.signer.checkIssued(namesake!), 'its name is the right one');
    assert.match(authorityFlaw(token, [namesake!]) ?? '', /no trusted certificate/);
  });

  it('is not there when the status says so', () => {
    const rejected = Buffer.from('30053003020102', 'hex');
    assert.deepEqual(parseTimestampResponse(rejected), { status: 2 });
    assert.throws(() => parseTimestampResponse(Buffer.from('30053003020100', 'hex')), FormatError);
  });
});
