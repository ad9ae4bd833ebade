import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import type { PostgresServer } from '../support/postgres-server.ts';
import { bind, execute, parse, query, sync } from '../support/raw-session.ts';
import { directEndpoint, Harness, play, startServer, type Step } from './harness.ts';

/** Refused by the settings policy. */
const REFUSED = 'set role postgres';
/** What has the same effect on a transaction when it goes to the server directly: it fails in the raw parser. */
const FAILS = 'countersign refused this statement';

let server: PostgresServer;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

const all = (messages: readonly Buffer[]): Buffer => Buffer.concat(messages);
const run = (text: string): Buffer => all([parse('', text), bind('', '', []), execute()]);
const long = (bytes: number): string => `select '${'x'.repeat(bytes)}'`;
const insert = (value: number): string => `insert into t values (${value})`;

/** Three inserts with the bad statement at `position`, as one series of steps. */
type Mode = (texts: readonly string[]) => readonly Step[];

const MODES: Readonly<Record<string, Mode>> = {
  'implicit transactions, simple': (texts) => texts.map((text) => query(text)),
  'explicit transaction, simple': (texts) => ['begin', ...texts, 'commit'].map((text) => query(text)),
  'one Query of several statements': (texts) => [query(texts.join(';'))],
  'implicit transactions, extended': (texts) => texts.map((text) => all([run(text), sync()])),
  'explicit transaction, extended': (texts) =>
    ['begin', ...texts, 'commit'].map((text) => all([run(text), sync()])),
  'one pipelined series': (texts) => [all([...texts.map((text) => run(text)), sync()])],
  'several pipelined series': (texts) => [
    { send: all(texts.map((text) => all([run(text), sync()]))), until: 'Z', times: texts.length },
  ],
  'explicit transaction, pipelined': (texts) => [
    all([...['begin', ...texts, 'commit'].map((text) => run(text)), sync()]),
    query('rollback'),
  ],
  'pipelined simple queries': (texts) => [
    { send: all(texts.map((text) => query(text))), until: 'Z', times: texts.length },
  ],
  'savepoint, rolled back to': (texts) =>
    ['begin', insert(100), 'savepoint s', ...texts, 'rollback to s', insert(200), 'commit'].map((text) =>
      query(text),
    ),
  'savepoint, extended': (texts) =>
    ['begin', insert(100), 'savepoint s', ...texts, 'rollback to s', insert(200), 'commit'].map((text) =>
      all([run(text), sync()]),
    ),
};

/** Errors differ in their words only. */
function withoutErrorTexts(answers: readonly string[]): string[] {
  return answers.map((answer) => (answer.startsWith('E ') && isOurs(answer) ? 'E' : answer));
}

function isOurs(answer: string): boolean {
  return answer.includes('C42501') || answer.includes('syntax error at or near "countersign"');
}

for (const [title, mode] of Object.entries(MODES)) {
  test(`a refusal at every position aborts what a failing statement would abort: ${title}`, async () => {
    const harness = await Harness.start(server);
    const before = [query('create temp table t(a int)')];
    const end = [query('rollback'), query('select a + 0 from t order by a')];
    let refusals = 0;
    for (let position = 0; position <= 3; position++) {
      const texts = (bad: string): string[] => [1, 2, 3].map(insert).toSpliced(position, 0, bad);
      const direct = await play(directEndpoint(server), [...before, ...mode(texts(FAILS)), ...end]);
      const through = await play(harness.endpoint, [...before, ...mode(texts(REFUSED)), ...end]);
      assert.deepEqual(withoutErrorTexts(through), withoutErrorTexts(direct), `position ${position}`);
      refusals += through.filter((answer) => answer.includes('C42501')).length;
    }
    const { verdict, calls } = await harness.finish();
    assert.equal(verdict, 'VERIFIED');
    const denied = calls.filter(({ type }) => type === 'call.denied');
    assert.equal(refusals, 4);
    assert.equal(denied.length, 4);
    for (const { reasons, sqlstate } of denied) {
      assert.deepEqual(reasons, ['CS_SETTING_DENIED']);
      assert.equal(sqlstate, '42501');
    }
    // Nothing refused is among what was forwarded.
    assert.ok(calls.every(({ type, statement }) => type === 'call.denied' || !statement?.includes(REFUSED)));
  });
}

test('a refusal names the setting and the next step', async () => {
  const harness = await Harness.start(server);
  const answers = await play(harness.endpoint, [query('set session_replication_role = replica')]);
  const { calls } = await harness.finish();
  assert.match(
    answers[0]!,
    /^E SERROR\0VERROR\0C42501\0Mcountersign: .*\0Dsession_replication_role: not-allowed\0HThe operator can allow it/,
  );
  assert.equal(calls.at(-1)?.statement, 'set session_replication_role = replica');
});

test('a statement longer than the limit is refused in both protocols, and the session lives', async () => {
  const harness = await Harness.start(server, {
    change: (config) => ({ ...config, limits: { ...config.limits, maxStatementBytes: 1_000 } }),
  });
  const answers = await play(harness.endpoint, [
    query(long(2_000)),
    query(long(200_000)),
    query(long(2_000_000)),
    all([run(long(2_000)), sync()]),
    all([run(long(2_000_000)), sync()]),
    query(long(900)),
  ]);
  const { verdict, calls } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
  assert.equal(answers.filter((answer) => answer.startsWith('E') && answer.includes('C54000')).length, 5);
  assert.equal(answers.filter((answer) => answer === 'C SELECT 1\0').length, 1);
  assert.equal(calls.filter(({ type }) => type === 'call.denied').length, 5);
});

test('a refused statement leaves the unnamed statement and portal of the session alone', async () => {
  const harness = await Harness.start(server);
  const answers = await play(harness.endpoint, [
    all([parse('', 'select 7'), sync()]),
    all([parse('other', REFUSED), sync()]),
    all([bind('', '', []), execute(), sync()]),
  ]);
  const { verdict } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
  assert.ok(answers.includes('C SELECT 1\0'));
});
