/** What a name means is changed by one session while another uses it: nothing regulated comes under a name that was judged when it meant something else. */
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { bind, execute, parse, query, sqlStateOf, sync, type RawMessage } from '../support/raw-session.ts';
import type { RawSession } from '../support/raw-session.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';
import { shape, type Harness } from '../translator/harness.ts';
import { run, SETUP, startMasked } from './masked-gateway.ts';

let server: PostgresServer;
let harness: Harness;
let changer: RawSession;
let reader: RawSession;

before(async () => {
  server = await startTestPostgres();
  await run(server, SETUP);
  harness = await startMasked(server);
  [changer, reader] = [await harness.connect(), await harness.connect()];
});

after(async () => {
  changer?.end();
  reader?.end();
  await server?.stop();
});

const ask = async (session: RawSession, ...steps: readonly Buffer[]): Promise<RawMessage[]> => {
  session.send(...steps);
  return await session.receiveUntil('Z');
};

/** `free` is a table without anything regulated. */
async function begin(name: string): Promise<void> {
  const made = await ask(
    changer,
    query(`create table ${name} as select id, note from customers where id <= 3`),
  );
  assert.equal(shape(made), 'CZ');
  assert.match(String((await ask(reader, query(`select note from ${name}`)))[1]?.body), /note/);
}

const replace = (name: string): Buffer =>
  query(`drop table ${name}; create view ${name} as select id, ssn as note from customers where id <= 3`);

const assertMaskedRows = (answer: readonly RawMessage[]): void => {
  const rows = answer
    .filter(({ type }) => type === 'D' || type === 'd')
    .map(({ body }) => body.toString('latin1'));
  assert.equal(rows.length, 3, shape(answer));
  for (const row of rows) assert.match(row, /\[(ssn|\*):x/);
};

const READS: Readonly<Record<string, (name: string) => readonly Buffer[]>> = {
  simple: (name) => [query(`select note from ${name}`)],
  extended: (name) => [parse('', `select note from ${name}`), bind('', '', []), execute(), sync()],
  copied: (name) => [query(`copy (select note from ${name}) to stdout`)],
};

for (const [way, read] of Object.entries(READS)) {
  test(`a relation that an open transaction replaces, ${way}`, async () => {
    const name = `free_${way}`;
    await begin(name);
    await ask(changer, query('begin'));
    assert.equal(shape(await ask(changer, replace(name))), 'CCZ');
    const answer = ask(reader, ...read(name));
    await ask(changer, query('commit'));
    assertMaskedRows(await answer);
  });
}

test('it is not written elsewhere either', async () => {
  await begin('free_source');
  await begin('sink');
  await ask(changer, query('begin'));
  await ask(changer, replace('free_source'));
  const answer = ask(reader, query('insert into sink select id + 10, note from free_source'));
  await ask(changer, query('commit'));
  const failed = (await answer).find(({ type }) => type === 'E');
  assert.equal(failed && sqlStateOf(failed), '42501');
});

test('a relation is not replaced under a text that will come to it', async () => {
  await begin('late');
  reader.send(query('select pg_sleep(1); select note from late'));
  const replaced = ask(changer, replace('late'));
  const answer = await reader.receiveUntil('Z');
  assert.match(String(answer.findLast(({ type }) => type === 'D')?.body), /note/);
  assert.equal(shape(await replaced), 'CCZ');
  assertMaskedRows(await ask(reader, query('select note from late')));
});

test('a change that was not permitted, or was rolled back, is in nobody’s way', async () => {
  await begin('kept');
  await ask(changer, query('begin'));
  await ask(changer, query('drop table kept'));
  await ask(changer, query('rollback'));
  assert.match(shape(await ask(reader, query('select note from kept'))), /^TD+CZ$/);
  await ask(changer, query('begin'));
  const refused = await ask(
    changer,
    query('create table copied_out as select ssn, note from customers, kept'),
  );
  assert.equal(shape(refused), 'EZ');
  assert.match(shape(await ask(reader, query('select note from kept'))), /^TD+CZ$/);
  await ask(changer, query('rollback'));
  assert.equal((await harness.finish()).verdict, 'VERIFIED');
});
