import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readStartupRequest, type StartupRequest } from './startup-request.ts';

const read = (parameters: Readonly<Record<string, string>>, protocolVersion = 0x30000): StartupRequest =>
  readStartupRequest({
    protocolVersion,
    parameters: new Map(Object.entries({ user: 'alice', ...parameters })),
  });

test('names and options (decision 31)', () => {
  const request = read({
    database: 'bank/ledger/2024',
    options: '-c countersign.grant=g-1 -ccountersign.auth=token --date-style=ISO\\ x -c DateStyle=SQL',
    application_name: 'psql Ω\u0007',
    TimeZone: 'UTC',
    datestyle: 'German',
    client_encoding: 'utf-8',
    replication: 'false',
    '_pq_.thing': '1',
  });
  assert.deepEqual(request, {
    user: 'alice',
    targetName: 'bank',
    database: 'ledger/2024',
    grantId: 'g-1',
    wantsToken: true,
    applicationName: 'psql ???',
    settings: new Map([
      ['date_style', 'ISO x'],
      ['datestyle', 'German'],
      ['timezone', 'UTC'],
    ]),
    protocolVersion: '3.0',
  });
});

test('without a database name the user name stands for it, as everywhere', () => {
  assert.equal(read({}).targetName, 'alice');
  assert.equal(read({ database: '' }).targetName, 'alice');
  assert.equal(read({ database: 'bank/' }).database, undefined);
});

test('protocol versions', () => {
  assert.equal(read({}, 0x30001).protocolVersion, '3.0');
  assert.equal(read({}, 0x30002).protocolVersion, '3.2');
  assert.equal(read({}, 0x3270f).protocolVersion, '3.2');
});

const REFUSED: readonly (readonly [
  why: string,
  parameters: Readonly<Record<string, string>>,
  code: string,
])[] = [
  ['no user', { user: '' }, 'CS_PROTOCOL_VIOLATION'],
  ['replication', { replication: 'database' }, 'CS_PROTOCOL_UNSUPPORTED'],
  ['replication=on', { replication: 'on' }, 'CS_PROTOCOL_UNSUPPORTED'],
  ['another encoding', { client_encoding: 'LATIN1' }, 'CS_SETTING_DENIED'],
  ['another encoding by options', { options: '-c client_encoding=SJIS' }, 'CS_SETTING_DENIED'],
  ['backslashes by options', { options: '--standard-conforming-strings=off' }, 'CS_SETTING_DENIED'],
  [
    'an encoding hidden behind a good one',
    { options: '-c client_encoding=UTF8', CLIENT_ENCODING: 'SJIS' },
    'CS_SETTING_DENIED',
  ],
  ['another switch', { options: '-d 5' }, 'CS_SETTING_DENIED'],
  ['a word', { options: 'x' }, 'CS_SETTING_DENIED'],
  ['-c without a value', { options: '-c' }, 'CS_SETTING_DENIED'],
  ['-c without a name', { options: '-c =x' }, 'CS_SETTING_DENIED'],
  ['an option of ours that does not exist', { options: '-c countersign.admin=1' }, 'CS_SETTING_DENIED'],
  ['an unknown way to authenticate', { options: '-c countersign.auth=none' }, 'CS_SETTING_DENIED'],
];

for (const [why, parameters, code] of REFUSED) {
  test(`refused: ${why}`, () => assert.throws(() => read(parameters), { code }));
}
