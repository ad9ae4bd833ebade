/** What is found, what is not, and where: one line for each case. `«»` marks what must be found. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createDetectors } from './detectors.ts';
import type { FindingKind } from './finding.ts';

const detectors = createDetectors();

interface Marked {
  readonly text: string;
  readonly pieces: readonly string[];
}

function unmark(marked: string): Marked {
  const pieces = [...marked.matchAll(/«([^»]*)»/g)].map(([, piece = '']) => piece);
  return { text: marked.replaceAll(/[«»]/g, ''), pieces };
}

const inBytes = (text: string): readonly string[] => {
  const bytes = Buffer.from(text);
  return detectors.findInBytes(bytes).map(({ start, end }) => bytes.toString('utf8', start, end));
};

const FOUND: Readonly<Record<Exclude<FindingKind, 'recognised'>, readonly (readonly [string, string])[]>> = {
  card: [
    ['as it is printed', 'paid with «4111 1111 1111 1111» today'],
    ['with dashes', '«5555-5555-5555-4444»'],
    ['American Express, 4-6-5', '«3782 822463 10005»'],
    ['Diners Club, 4-6-4', '«3056 930902 5904»'],
    ['without anything between', 'x=«6011111111111117»,'],
    ['of 13 digits beside a word', 'visa «4222222222222»'],
    ['of 19 digits beside a word', 'card no. «6212345678901234569»'],
    ['with no two joints alike', '«4111-1111 1111.1111»'],
    ['with a space after every digit', '«4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1»'],
    ['grouped as nobody prints it, beside a word', 'card: «41111 11111 111111»'],
    ['as a number in JSON', '{"pan":«4111111111111111»}'],
    ['behind a word without a space', 'card«4111111111111111»'],
    ['in a path', '/cards/«4111111111111111»/limits'],
    ['in a line of COPY', '7\tJane\t«4111111111111111»\t\\N'],
    ['in full-width digits', '«４１１１　１１１１　１１１１　１１１１»'],
    ['in Arabic-Indic digits', '«٤١١١ ١١١١ ١١١١ ١١١١»'],
    ['in mathematical digits', '«𝟒𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏𝟏»'],
    ['with zero-width spaces', '«4111\u200B1111\u200B1111\u200B1111»'],
    ['with a soft hyphen and a joiner', '«4111\u00AD1111\u2060111\uFEFF11111»'],
    ['with no-break spaces', '«4111\u00A01111\u202F1111\u20091111»'],
    ['with dashes of typography', '«4111–1111—1111−1111»'],
    ['with keycaps', '«4\uFE0F\u20E31\uFE0F\u20E31\uFE0F\u20E31 1111 1111 1111»'],
    ['in HTML', '<td>«4111&nbsp;1111&nbsp;1111&nbsp;1111»</td>'],
    ['in JSON escapes', String.raw`"«4111\u00a01111\u00a01111\u00a01111»"`],
    ['in a URL', '?pan=«4111%201111%201111%201111»&a=b'],
    ['in JSON in JSON', String.raw`{"a":"{\"b\":\"«4111\\u00a01111\\u00a01111\\u00a01111»\"}"}`],
  ],
  ssn: [
    ['as it is written', 'his «219-09-9990» is'],
    ['with spaces', 'id «123 45 6780» x'],
    ['with dots', '«123.45.6780»'],
    ['nine digits beside a word', 'SSN «123456780»'],
    ['nine digits, the word behind', '«123456780» is my social security number'],
    ['nine digits behind a key', '{"customerSsn":"«123456780»"}'],
    ['spread, beside a word', 'ssn: «1 2 3 4 5 6 7 8 0»'],
    ['of a taxpayer', 'ITIN «912-70-1234»'],
    ['right behind a line break in JSON', String.raw`"a\n«123-45-6780»"`],
    ['two in a row', '«123-45-6780», «123-45-6781»'],
    ['in Devanagari digits', '«१२३-४५-६७८०»'],
  ],
  iban: [
    ['as it is printed', 'pay «DE89 3704 0044 0532 0130 00» now'],
    ['without spaces', '«GB82WEST12345698765432»'],
    ['in small letters', 'iban:«fr1420041010050500013m02606»'],
    ['with dashes', '«NL91-ABNA-0417-1643-00»'],
    ['of Malta, 31 long', '«MT84MALT011000012345MTLCAST001S»'],
  ],
  routing: [
    ['beside a word', 'routing number: «021000021»'],
    ['beside an abbreviation', 'ABA «011401533»'],
    ['nearer to its word than another number to its', 'SSN 123-45-678, wire to «121000358»'],
  ],
  email: [
    ['plain', 'to «jane.miller+x@mail.example.co.uk».'],
    ['in angles', 'Jane <«jane@example.com»>'],
    ['as a link', '<a href="mailto:«jane@example.com»">'],
    ['in JSON', String.raw`{"m":"«jane\u0040example.com»"}`],
    ['in a URL', '/u?mail=«jane%40example.com»&x=1'],
    ['in HTML', '«jane&#64;example&#46;com»'],
    ['with letters of another script', '«юля@пример.рф»'],
    ['with a quoted name', '«"jane miller"@example.com»'],
    ['at an address', '«root@[192.0.2.7]»'],
    ['in full width', '«ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ»'],
    ['two with a comma', '«a@example.com»,«b@example.com»'],
  ],
  phone: [
    ['North American in brackets', 'at «(212) 555-0123»'],
    ['North American with dashes', '«212-555-0123»'],
    ['with a one in front', '«1-212-555-0123»'],
    ['with dots', '«212.555.0123»'],
    ['bare beside a word', 'phone: «2125550123»'],
    ['international', '«+1 212 555 0123»'],
    ['German', '«+49 30 901820»'],
    ['British, with the zero for home', '«+44 (0)20 7946 0958»'],
    ['French without spaces', 'tel:«+33142685300»'],
    ['with 011 beside a word', 'call «011 49 30 901820»'],
    ['two', '«+49 30 901820» «+49 30 901821»'],
  ],
  ip: [
    ['version 4', 'from «203.0.113.7» at'],
    ['with a port', '«203.0.113.7»:443'],
    ['version 6', '«2001:db8:85a3::8a2e:370:7334»'],
    ['version 6 in full', '«2001:0db8:85a3:0000:0000:8a2e:0370:7334»'],
    ['in brackets', 'http://[«2001:db8::1»]:80/'],
    ['one in the other', '«::ffff:203.0.113.7»'],
  ],
  'birth-date': [
    ['ISO', 'date of birth: «1980-02-29»'],
    ['American', 'DOB «02/29/1980»'],
    ['German', 'geboren am «29.02.1980»'],
    ['in words', 'born on «February 29, 1980» in'],
    ['in words, the day first', 'born «29th of February 1980»'],
    ['the year first', 'birthday «1980 Feb 29»'],
    ['without anything between', '{"birthDate":"«19800229»"}'],
    ['with two digits for the year', 'd.o.b. «2/29/80»'],
    ['in front of its word', '«1980-02-29» (date of birth)'],
  ],
  secret: [
    ['a private key', 'k: «-----BEGIN EC PRIVATE KEY-----\nMHcCAQ==\n-----END EC PRIVATE KEY-----» end'],
    ['a private key that is cut off', '«-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq» …'],
    ['a private key in JSON', String.raw`"«-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----»\n"`],
    ['an AWS key', 'id «AKIAIOSFODNN7EXAMPLE» used'],
    ['a GitHub token', '«ghp_16C7e42F292c6912E7710c838347Ae178B4a»'],
    ['a Slack token', `«${['xoxb', '17653672481', '19874698323', 'pdFZKVeTuE8sk7oOHcBrzygy'].join('-')}»`],
    [
      'a JSON Web Token',
      '«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U»',
    ],
    ['a password in a URL', 'redis://:«hunter2»@cache/0'],
    ['a password in a setting', 'PGPASSWORD=«hunter2»'],
    ['a password in JSON', '{"password":"«correct horse battery»"}'],
    ['a password in prose', 'the password is «Tr0ub4dor&3»'],
    ['a password with the signs of a query', 'pwd=«a&b;c»&user=x'],
    ['a password in a connection string', 'Server=db;User Id=app;Password=«hunter2»;'],
    ['a key that looks random', 'api_key: «8f14e45fceea167a5a36dedd4bea2543»'],
    ['a header', 'Authorization: Bearer «mF_9.B5f-4.1JqM0123456»'],
    ['a header with a name and password', 'authorization: Basic «QWxhZGRpbjpvcGVuIHNlc2FtZQ==»'],
  ],
};

describe('what detectors find', () => {
  for (const [kind, cases] of Object.entries(FOUND)) {
    for (const [what, marked] of cases) {
      it(`${kind}: ${what}`, () => {
        const { text, pieces } = unmark(marked);
        const findings = detectors.find(text);
        assert.deepEqual(
          findings.map((finding) => [finding.kind, text.slice(finding.start, finding.end)]),
          pieces.map((piece) => [kind, piece]),
        );
        assert.deepEqual(inBytes(text), pieces, 'in bytes');
      });
    }
  }
});

const NOTHING_IN: readonly (readonly [string, string])[] = [
  ['a card with a wrong check digit', '4111 1111 1111 1112'],
  ['sixteen digits of no brand', '1234567890123452'],
  ['a time in nanoseconds', '1716199393123456789'],
  ['the fraction of a number', '0.4111111111111111'],
  ['a UUID', '550e8400-e29b-41d4-a716-446655440000'],
  ['a UUID without a letter', '11111111-1111-4111-8111-111111111111'],
  ['a commit', '4b825dc642cb6eb9a060e54bf8d69288fbee4904'],
  ['a digest with digits of a card inside', 'a4111111111111111f'],
  ['a number of a case', '2024-123-45-6789'],
  ['a number of a part', 'AB123-45-6789'],
  ['an area that is not given out', '666-45-6789'],
  ['a group of zeros', '123-00-6789'],
  ['nine digits alone', '123456780'],
  ['an employer number', '12-3456789'],
  ['a routing number alone', '021000021'],
  ['a routing number with a wrong checksum', 'routing 021000022'],
  ['an IBAN with a wrong checksum', 'DE88370400440532013000'],
  ['an IBAN of the wrong length', 'DE8937040044053201300'],
  ['ten digits alone', '2125550123'],
  ['an area code that there is not', '199-555-0123'],
  ['an exchange that there is not', '212-155-0123'],
  ['a timestamp', '2024-05-12 10:22:33.123456+00'],
  ['an address of a network card', '00:1a:2b:3c:4d:5e'],
  ['a version', 'version 10.4.12.1'],
  ['a version of five parts', '1.2.3.4.5'],
  ['a version with a v', 'v1.2.3.4'],
  ['a mask of a network', '255.255.255.0'],
  ['the own machine', '127.0.0.1 and ::1'],
  ['names in a program', 'std::vector<int> a::b; fe::ed'],
  ['a time', '12:34:56'],
  ['an at without a domain', 'user@host, @media, @types/node'],
  ['a package and its version', 'npm i left-pad@1.3.0'],
  ['a picture for a finer screen', 'logo@2x.png'],
  ['a date without a word', '1980-02-29'],
  ['a month that there is not', 'born 1980-13-29'],
  ['a public key', '-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----'],
  ['a password that is elsewhere', 'password=${DB_PASSWORD}'],
  ['a column', 'password text not null'],
  ['prose about passwords', 'your password: must be changed'],
  ['a password that is hidden', 'password=********'],
  ['a token that is a word', 'token: refresh'],
  ['a long word behind a key', 'key: internationalization_and_localization'],
  ['a URL with a port', 'http://localhost:8080/a@b'],
  ['nothing', ''],
];

describe('what detectors leave', () => {
  for (const [what, text] of NOTHING_IN) {
    it(what, () => {
      const told = detectors
        .find(text)
        .map(({ kind, why, start, end }) => ({ kind, why, at: text.slice(start, end) }));
      assert.deepEqual(told, []);
      assert.deepEqual(inBytes(text), []);
    });
  }
});

describe('findings', () => {
  it('never repeat what was found', () => {
    for (const cases of Object.values(FOUND)) {
      for (const [, marked] of cases) {
        const { text, pieces } = unmark(marked);
        for (const { why } of detectors.find(text)) {
          assert.ok(!pieces.some((piece) => why.includes(piece)), why);
        }
      }
    }
  });

  it('are of bytes that are no UTF-8 too', () => {
    const bytes = Buffer.concat([
      Buffer.from([0xff, 0xc3, 0x28, 0xf0, 0x9f]),
      Buffer.from(' 219-09-9990 '),
      Buffer.from([0xe2, 0x82]),
    ]);
    const [finding, ...others] = detectors.findInBytes(bytes);
    assert.equal(bytes.toString('latin1', finding?.start, finding?.end), '219-09-9990');
    assert.deepEqual(others, []);
  });

  it('are as sure as is asked for', () => {
    const text = `a 123 45 6780 b ${'-'.repeat(40)} ssn 123-45-6780`;
    assert.equal(createDetectors({ minConfidence: 0.95 }).find(text).length, 1);
    assert.equal(createDetectors({ minConfidence: 0.5 }).find(text).length, 2);
  });

  it('know the numbers of the regions that they are told', () => {
    const text = 'phone 030 901820';
    assert.equal(createDetectors({ phoneRegions: ['DE'] }).find(text).length, 1);
    assert.equal(createDetectors({ phoneRegions: ['US'] }).find(text).length, 0);
    assert.throws(() => createDetectors({ phoneRegions: ['XX'] }), RangeError);
  });

  it('are all there in a long text, wherever it is cut for memory', () => {
    const line = '12 ';
    for (const count of [2000, 2023, 2024, 2025, 2047, 2048, 2049, 4096]) {
      const text = `${line.repeat(count)}x 4111 1111 1111 1111 x ${line.repeat(3000)}`;
      const [finding, ...others] = detectors.find(text);
      assert.equal(text.slice(finding?.start, finding?.end), '4111 1111 1111 1111', `behind ${count} groups`);
      assert.deepEqual(others, []);
    }
  });
});
