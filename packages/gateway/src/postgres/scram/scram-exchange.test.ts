import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeVerifier, parseVerifier, type ScramVerifier } from '../../identity/scram-verifier.ts';
import { ScramClientExchange } from './scram-client-exchange.ts';
import { ScramServerExchange, type ScramServerOptions } from './scram-server-exchange.ts';

// The exchange of RFC 7677 section 3.
const CLIENT_NONCE = 'rOprNGfwEbeRWgbNEkqO';
const SERVER_NONCE = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const CLIENT_FIRST = `n,,n=user,r=${CLIENT_NONCE}`;
const SERVER_FIRST = `r=${CLIENT_NONCE}${SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const CLIENT_FINAL = `c=biws,r=${CLIENT_NONCE}${SERVER_NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`;
const SERVER_FINAL = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

const END_POINT = Buffer.alloc(32, 7);

async function verifierOf(password: string): Promise<ScramVerifier> {
  const text = await makeVerifier(password, { salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64') });
  const verifier = parseVerifier(text);
  assert.ok(verifier);
  return verifier;
}

const pencil = await verifierOf('pencil');

function server(changes: Partial<ScramServerOptions> = {}): ScramServerExchange {
  return new ScramServerExchange({ mechanism: 'SCRAM-SHA-256', verifier: pencil, isMock: false, ...changes });
}

test('RFC 7677: our side as the server', () => {
  const exchange = server({ nonce: SERVER_NONCE });
  assert.equal(exchange.first(CLIENT_FIRST), SERVER_FIRST);
  assert.equal(exchange.final(CLIENT_FINAL), SERVER_FINAL);
});

test('RFC 7677: our side as the client', async () => {
  const options = {
    password: 'pencil',
    mechanisms: ['SCRAM-SHA-256'],
    nonce: CLIENT_NONCE,
    userName: 'user',
  };
  const exchange = new ScramClientExchange(options);
  assert.equal(exchange.first(), CLIENT_FIRST);
  assert.equal(await exchange.final(SERVER_FIRST), CLIENT_FINAL);
  exchange.verify(SERVER_FINAL);
  assert.throws(() => exchange.verify('v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='), {
    code: 'CS_TARGET_AUTHN',
  });
  assert.throws(() => exchange.verify('e=other-error'), { code: 'CS_TARGET_AUTHN' });
});

const BOTH = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'];

/** Both of our sides against each other. */
async function run(
  password: string,
  serverChanges: Partial<ScramServerOptions>,
  endPoint?: Buffer,
  offered = BOTH,
): Promise<string | undefined> {
  const client = new ScramClientExchange({
    password,
    mechanisms: offered,
    ...(endPoint === undefined ? {} : { endPoint }),
  });
  const exchange = server({ mechanism: client.mechanism, ...serverChanges });
  const final = exchange.final(await client.final(exchange.first(client.first())));
  if (final !== undefined) client.verify(final);
  return final;
}

test('the right password, with and without channel binding', async () => {
  assert.ok(await run('pencil', {}));
  assert.ok(await run('pencil', { endPoint: END_POINT }, END_POINT));
});

test('a wrong password', async () => assert.equal(await run('pencils', {}), undefined));

test('a mock exchange refuses even the right password', async () =>
  assert.equal(await run('pencil', { isMock: true }), undefined));

test('a certificate in the middle', async () => {
  await assert.rejects(run('pencil', { endPoint: END_POINT }, Buffer.alloc(32, 8)), {
    code: 'CS_PROTOCOL_VIOLATION',
  });
});

test('-PLUS taken out of our offer on the way', async () => {
  await assert.rejects(run('pencil', { endPoint: END_POINT }, END_POINT, ['SCRAM-SHA-256']), {
    code: 'CS_PROTOCOL_VIOLATION',
    detail: 'channel binding was stripped',
  });
});

const MALFORMED_FIRST: Readonly<Record<string, string>> = {
  empty: '',
  'no header': `n=user,r=${CLIENT_NONCE}`,
  'binding without -PLUS': `p=tls-server-end-point,,n=,r=${CLIENT_NONCE}`,
  'authorisation identity': `n,a=root,n=,r=${CLIENT_NONCE}`,
  'mandatory extension': `n,,m=x,n=,r=${CLIENT_NONCE}`,
  'empty nonce': 'n,,n=,r=',
  'nonce with a control character': 'n,,n=,r=a\tb',
};
for (const [name, message] of Object.entries(MALFORMED_FIRST)) {
  test(`client-first-message: ${name}`, () => {
    assert.throws(() => server().first(message), { code: 'CS_PROTOCOL_VIOLATION' });
  });
}

test('-PLUS with another binding type', () => {
  const exchange = server({ mechanism: 'SCRAM-SHA-256-PLUS', endPoint: END_POINT });
  assert.throws(() => exchange.first('p=tls-unique,,n=,r=abc'), { code: 'CS_PROTOCOL_VIOLATION' });
});

const MALFORMED_FINAL: Readonly<Record<string, string>> = {
  empty: '',
  'another nonce': CLIENT_FINAL.replace(SERVER_NONCE, 'x'),
  'another header': CLIENT_FINAL.replace('biws', 'eSws'),
  'a short proof': CLIENT_FINAL.replace('dHzb', ''),
  'no proof': CLIENT_FINAL.replace(/,p=.*/, ''),
};
for (const [name, message] of Object.entries(MALFORMED_FINAL)) {
  test(`client-final-message: ${name}`, () => {
    const exchange = server({ nonce: SERVER_NONCE });
    exchange.first(CLIENT_FIRST);
    assert.throws(() => exchange.final(message), { code: 'CS_PROTOCOL_VIOLATION' });
  });
}

test('the final message alone', () => {
  assert.throws(() => server().final(CLIENT_FINAL), { code: 'CS_PROTOCOL_VIOLATION' });
});

const HOSTILE_SERVER_FIRST: Readonly<Record<string, string>> = {
  'a nonce that is not ours': 'r=zzz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  'nothing added to the nonce': `r=${CLIENT_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
  'no salt': `r=${CLIENT_NONCE}x,s=,i=4096`,
  'no iterations': `r=${CLIENT_NONCE}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0`,
  'iterations that would keep us busy': `r=${CLIENT_NONCE}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=999999999`,
  nonsense: 'hello',
};
for (const [name, message] of Object.entries(HOSTILE_SERVER_FIRST)) {
  test(`server-first-message: ${name}`, async () => {
    const exchange = new ScramClientExchange({ password: 'x', mechanisms: BOTH, nonce: CLIENT_NONCE });
    await assert.rejects(exchange.final(message), { code: 'CS_TARGET_AUTHN' });
  });
}

test('no mechanism in common', () => {
  assert.throws(() => new ScramClientExchange({ password: 'x', mechanisms: ['SCRAM-SHA-1'] }), {
    code: 'CS_TARGET_AUTHN',
  });
});
