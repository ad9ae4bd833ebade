/** DataRows on every path that has them: what leaves is what the server said, with each regulated value masked. */
import { strict as assert } from 'node:assert';
import { hash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { bind, execute, frame, parse, query, sync } from '../support/raw-session.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import { directEndpoint, shape, type Harness } from '../translator/harness.ts';
import { ACTIONS, assertMasked, both, run, SETUP, startMasked, TYPE, type Column } from './masked-gateway.ts';

const { ssn, mail, born, account } = ACTIONS;

let server: PostgresServer;
let harness: Harness;

before(async () => {
  server = await startTestPostgres();
  const rule =
    'create table ruled (id int); create rule r as on insert to ruled do also select ssn, lower(mail) from customers';
  await run(server, `${SETUP} ${rule};`);
  harness = await startMasked(server);
});

after(async () => {
  await server?.stop();
});

const SELECT = 'select id, ssn, mail, born, account, note from customers order by id';
const COLUMNS: readonly Column[] = [
  { typeOid: TYPE.int4 },
  { typeOid: TYPE.text, action: ssn },
  { typeOid: TYPE.text, action: mail },
  { typeOid: TYPE.date, action: born },
  { typeOid: TYPE.varchar, action: account },
  { typeOid: TYPE.text },
];

const describe = (name: string): Buffer => frame('D', Buffer.from(`P${name}\0`));
const binary = (portal: string, statement: string): Buffer =>
  frame('B', Buffer.from(`${portal}\0${statement}\0`), Buffer.from([0, 0, 0, 0, 0, 1, 0, 1]));

const compare = async (steps: readonly Buffer[], columns: readonly Column[] = COLUMNS): Promise<void> => {
  assertMasked(await both(harness, directEndpoint(server), steps), columns);
};

test('a Query', async () => {
  await compare([query(SELECT)]);
});

test('a Query of several statements: each has a plan of its own', async () => {
  const steps = [query(`${SELECT}; select 1, 'x', null, date '2020-02-02', 'y', 'z'; ${SELECT} limit 3`)];
  const { through, direct } = await both(harness, directEndpoint(server), steps);
  assert.equal(shape(through), shape(direct));
  const free = direct.findIndex(
    ({ type }, index) => type === 'D' && direct[index - 1]?.type === 'T' && index > 5,
  );
  assert.deepEqual(through[free], direct[free], 'what is not regulated is as it was');
  assert.notDeepEqual(through.at(-3), direct.at(-3));
});

test('Parse, Bind, Describe, Execute', async () => {
  await compare([Buffer.concat([parse('', SELECT), bind('', '', []), describe(''), execute(), sync()])]);
});

test('prepared once, executed again and again, never described: nothing of our own question is seen', async () => {
  const again = Buffer.concat([bind('', 's', []), execute(), sync()]);
  await compare([Buffer.concat([parse('s', SELECT), sync()]), again, again, again]);
});

test('binary results, described or not', async () => {
  const columns = COLUMNS.map(({ typeOid, action }) => ({ typeOid, action, format: 1 }));
  await compare(
    [Buffer.concat([parse('', SELECT), binary('', ''), describe(''), execute(), sync()])],
    columns,
  );
  await compare([Buffer.concat([parse('', SELECT), binary('', ''), execute(), sync()])], columns);
});

test('portals with row limits, suspended and resumed, over several series', async () => {
  await compare([
    query('begin'),
    Buffer.concat([parse('', SELECT), bind('p', '', []), execute('p', 7), sync()]),
    Buffer.concat([execute('p', 5), execute('p', 5), sync()]),
    Buffer.concat([execute('p'), sync()]),
    query('commit'),
  ]);
});

test('many in one write, in one series and in several', async () => {
  const one = Buffer.concat([bind('', 's', []), execute('', 3)]);
  await compare([Buffer.concat([parse('s', SELECT), one, one, describe(''), one, sync()])]);
});

test('an error in the middle of a series: the rest is skipped as the server skips it', async () => {
  const steps = [
    Buffer.concat([
      parse('s', SELECT),
      bind('', 's', []),
      execute('', 2),
      bind('', 'not there', []),
      execute(),
      bind('', 's', []),
      execute(),
      sync(),
    ]),
    Buffer.concat([bind('', 's', []), execute('', 1), sync()]),
  ];
  const { through, direct } = await both(harness, directEndpoint(server), steps);
  assert.equal(shape(through), shape(direct));
});

test('a statement that touches nothing regulated leaves byte for byte', async () => {
  const text = 'select id, note, tags from customers order by id';
  const columns = [{ typeOid: TYPE.int4 }, { typeOid: TYPE.text }, { typeOid: TYPE.texts }];
  await compare([query(text)], columns);
  await compare([Buffer.concat([parse('', text), bind('', '', []), execute(), sync()])], columns);
});

test('cursors: FETCH is masked as the DECLARE was judged', async () => {
  await compare([
    query('begin'),
    query(`declare c cursor for ${SELECT}`),
    query('fetch 3 from c'),
    Buffer.concat([parse('', 'fetch 2 from c'), bind('', '', []), execute(), sync()]),
    Buffer.concat([execute('c', 2), sync()]),
    query('fetch forward 4 from c; fetch all from c'),
    query('commit'),
  ]);
});

test('EXECUTE of what SQL prepared', async () => {
  await compare([query(`prepare q as ${SELECT}`), query('execute q'), query('deallocate q')]);
});

test('rows that a rule makes of a statement that has none are redacted', async () => {
  const session = await harness.connect();
  session.send(query("insert into ruled values (1); select 'free'"));
  const answer = await session.receiveUntil('Z');
  session.end();
  assert.equal(shape(answer).replaceAll('D', ''), 'TCTCZ');
  const rows = answer.filter(({ type }) => type === 'D').map(({ body }) => body.toString('latin1'));
  assert.ok(rows.length > 1);
  assert.ok(rows.at(-1)!.endsWith('free'));
  for (const row of rows.slice(0, -1)) assert.doesNotMatch(row, /\d{9}|example/);
});

test('rows beyond 64 KiB are put together', async () => {
  const text = 'select id, ssn, body from wide order by id';
  const columns = [{ typeOid: TYPE.int4 }, { typeOid: TYPE.text, action: ssn }, { typeOid: TYPE.text }];
  await compare([query(text)], columns);
  await compare([Buffer.concat([parse('', text), bind('', '', []), execute(), sync()])], columns);
});

test('the record: what was masked of each call, and a digest of what really left', async () => {
  const session = await harness.connect();
  session.send(query('select id, ssn, mail from customers where id <= 7 order by id'));
  const answer = await session.receiveUntil('Z');
  session.end();
  const { verdict, calls, digestKeys } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
  const call = calls.findLast(({ statement }) => statement?.includes('where id <= 7') === true)!;
  assert.deepEqual(call.result?.['masked'], [
    { object: 'public.customers.ssn', class: 'ssn', transform: 'redact', count: 7 },
    // The seventh is null.
    { object: 'public.customers.mail', class: 'email', transform: 'email-domain', count: 6 },
  ]);
  const rows = answer.filter(({ type }) => type === 'D').map(({ type, body }) => frame(type, body));
  const digest = hash('sha256', Buffer.concat([digestKeys.get(call.session)!, ...rows]), 'base64url');
  assert.equal(call.result?.['delivered'], digest);
});
