/** COPY in every format: what leaves is what the server said, each regulated value masked and written as the server would write it. */
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import {
  bind,
  copyData,
  copyDone,
  errorFields,
  execute,
  frame,
  parse,
  query,
  RawSession,
  sqlStateOf,
  sync,
  type RawMessage,
} from '../support/raw-session.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';
import { directEndpoint, shape, type Harness } from '../translator/harness.ts';
import { ACTIONS, both, masked, run, SETUP, startMasked, TYPE, type Column } from './masked-gateway.ts';

let server: PostgresServer;
let harness: Harness;

before(async () => {
  server = await startTestPostgres();
  await run(server, `${SETUP} create table copied (id int, ssn text, mail text, born date, note text);`);
  harness = await startMasked(server);
});

after(async () => {
  await server?.stop();
});

const COLUMNS: readonly Column[] = [
  { typeOid: TYPE.int4 },
  { typeOid: TYPE.text, action: ACTIONS.ssn },
  { typeOid: TYPE.text, action: ACTIONS.mail },
  { typeOid: TYPE.date, action: ACTIONS.born },
  { typeOid: TYPE.text },
];

const dataOf = (messages: readonly RawMessage[]): Buffer =>
  Buffer.concat(messages.filter(({ type }) => type === 'd').map(({ body }) => body));

const lines = (messages: readonly RawMessage[]): string[] =>
  messages.filter(({ type }) => type === 'd').map(({ body }) => body.toString('utf8'));

/** Reads the data back with the server's own COPY FROM, and gives what it holds then. */
async function loaded(data: Buffer, options: string): Promise<(string | null)[][]> {
  const session = await RawSession.connect(directEndpoint(server));
  session.send(query('truncate copied'));
  await session.receiveUntil('Z');
  session.send(query(`copy copied from stdin ${options}`), frame('d', data), copyDone());
  const answer = await session.receiveUntil('Z');
  const failed = answer.find(({ type }) => type === 'E');
  assert.equal(failed === undefined ? '' : errorFields(failed).get('M'), '');
  session.send(query('select * from copied order by id'));
  const rows = (await session.receiveUntil('Z')).filter(({ type }) => type === 'D');
  session.end();
  return rows.map(({ body }) => fieldsOf(body));
}

function fieldsOf(body: Buffer): (string | null)[] {
  const fields: (string | null)[] = [];
  for (let at = 2; at < body.length;) {
    const length = body.readInt32BE(at);
    fields.push(length < 0 ? null : body.toString('utf8', at + 4, at + 4 + length));
    at += 4 + Math.max(0, length);
  }
  return fields;
}

const OWN_NULL = "(format text, delimiter '|', null 'none')";

const FORMATS: readonly string[] = [
  '',
  OWN_NULL,
  '(format csv)',
  '(format csv, header)',
  "(format csv, delimiter ';', quote '''', escape E'\\\\', null 'NULL')",
  "(format csv, quote '!', escape '@', null 'x')",
  '(format binary)',
];

for (const format of FORMATS) {
  test(`COPY TO STDOUT ${format}: the server reads it back as the masked values`, async () => {
    const options = format === '' ? '' : `with ${format}`;
    const text = `copy customers (id, ssn, mail, born, note) to stdout ${options}`;
    for (const steps of [
      [query(text)],
      [Buffer.concat([parse('', text), bind('', '', []), execute(), sync()])],
    ]) {
      const { through, direct } = await both(harness, directEndpoint(server), steps);
      assert.equal(shape(through), shape(direct), 'as many messages as the server sends');
      const expected = (await loaded(dataOf(direct), options)).map((row) =>
        row.map((value, index) => {
          const column = COLUMNS[index]!;
          // A value could be written like this NULL: both are masked as if it were one.
          const told = format === OWN_NULL && column.action !== undefined ? (value ?? 'none') : value;
          if (told === null) return null;
          return masked(Buffer.from(told), column)?.toString('utf8') ?? null;
        }),
      );
      assert.equal(expected.length, 500);
      assert.deepEqual(await loaded(dataOf(through), options), expected);
    }
  });
}

test('forced quotes stay, and what is free is the same byte for byte', async () => {
  const text =
    'copy (select id, note, mail from customers order by id) to stdout with (format csv, force_quote *)';
  const { through, direct } = await both(harness, directEndpoint(server), [query(text)]);
  const first = lines(through)[0]!;
  assert.match(first, /^"1","note 1",".*"\n$/);
  assert.notEqual(first, lines(direct)[0]);
  const free = 'copy (select id, note from customers order by id) to stdout';
  const same = await both(harness, directEndpoint(server), [query(free)]);
  assert.deepEqual(dataOf(same.through), dataOf(same.direct));
});

/** Plays a COPY FROM with data in the given pieces; gives the messages up to ReadyForQuery. */
async function load(text: string, pieces: readonly Buffer[], isExtended: boolean): Promise<RawMessage[]> {
  const session = await harness.connect();
  const start = isExtended ? Buffer.concat([parse('', text), bind('', '', []), execute()]) : query(text);
  session.send(start);
  if (!isExtended) await session.receiveUntil('GE');
  for (const piece of pieces) session.send(piece);
  session.send(copyDone());
  if (isExtended) session.send(sync());
  const answer = await session.receiveUntil('Z');
  session.send(query('select count(*) from copied where id > 1000'));
  const count = await session.receiveUntil('Z');
  session.end();
  return [...answer, ...count];
}

const COPY_FROM = 'copy copied (id, ssn, note) from stdin';

test('a redaction that comes back in COPY data makes the COPY fail, and nothing of it stays', async () => {
  const redaction = masked(Buffer.from('123456789'), COLUMNS[1]!)!.toString('utf8');
  const rows = `1001\t987654321\tfine\n1002\t${redaction}\tnot fine\n1003\t111111111\tfine\n`;
  const half = rows.indexOf(redaction) + 5;
  const ways: readonly (readonly Buffer[])[] = [
    [copyData(rows)],
    [copyData(rows.slice(0, half)), copyData(rows.slice(half))],
    rows.split('').map((character) => copyData(character)),
    [copyData(`1000\t222222222\t${'x'.repeat(300_000)}\n`), copyData(rows)],
  ];
  for (const isExtended of [false, true]) {
    for (const pieces of ways) {
      const answer = await load(COPY_FROM, pieces, isExtended);
      const failed = answer.find(({ type }) => type === 'E');
      assert.ok(failed);
      assert.equal(sqlStateOf(failed), '42501');
      assert.match(errorFields(failed).get('M')!, /masked value/);
      assert.deepEqual(fieldsOf(answer.findLast(({ type }) => type === 'D')!.body), ['0']);
    }
  }
});

test('COPY data without masked values arrives as it was sent', async () => {
  const rows = `1001\t987654321\t${'x'.repeat(100_000)}\n1002\t987654322\t[ssn:looks like one]\n`;
  for (const isExtended of [false, true]) {
    const answer = await load(
      COPY_FROM,
      [copyData(rows.slice(0, 700)), copyData(rows.slice(700))],
      isExtended,
    );
    assert.deepEqual(fieldsOf(answer.findLast(({ type }) => type === 'D')!.body), ['2']);
    await run(server, 'delete from copied where id > 1000');
  }
});
