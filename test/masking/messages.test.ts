/** What is not a row can carry a value too: errors, notices, notifications, settings, results of functions. */
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import {
  bind,
  errorFields,
  execute,
  frame,
  parse,
  query,
  RawSession,
  SessionLost,
  sync,
  type RawMessage,
} from '../support/raw-session.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';
import { directEndpoint, type Harness } from '../translator/harness.ts';
import { assertSame, both, bytesOf, run, SETUP, startMasked } from './masked-gateway.ts';

const TELLING = `
create table told (id int, ssn text);
create function tell() returns trigger language plpgsql as $$
begin
  if new.id = 1 then raise notice 'it is %', new.ssn; end if;
  if new.id = 2 then
    raise exception 'it is %', new.ssn using detail = new.ssn, hint = new.ssn, schema = 'public', table = 'told',
      column = new.ssn, constraint = new.ssn, datatype = new.ssn;
  end if;
  if new.id = 3 then raise exception '%', repeat(new.ssn, 20000); end if;
  if new.id = 4 then raise notice '%', repeat(new.ssn, 20000); end if;
  if new.id = 5 then perform set_config('TimeZone', '<' || new.ssn || '>5', false); end if;
  return new;
end $$;
create trigger telling before insert on told for each row execute function tell();
`;
const SSN = '987654321';

let server: PostgresServer;
let harness: Harness;

before(async () => {
  server = await startTestPostgres();
  await run(server, `${SETUP} ${TELLING}`);
  const budgets = new Map([['ssn', { values: 100, period: 'day' }]] as const);
  harness = await startMasked(server, { grant: { budgets } });
});

after(async () => {
  await server?.stop();
});

async function ask(steps: readonly Buffer[]): Promise<RawMessage[]> {
  const session = await harness.connect();
  const messages: RawMessage[] = [];
  for (const step of steps) {
    session.send(step);
    messages.push(...(await session.receiveUntil('Z')));
  }
  session.end();
  return messages;
}

const only = (messages: readonly RawMessage[], type: string): RawMessage => {
  const found = messages.filter((message) => message.type === type);
  assert.equal(found.length, 1, `one message of type ${type}`);
  return found[0]!;
};

const extended = (text: string): Buffer =>
  Buffer.concat([parse('', text), bind('', '', []), execute(), sync()]);

const withheld = (message: RawMessage): ReadonlyMap<string, string> => {
  const fields = errorFields(message);
  assert.match(fields.get('M')!, /^countersign: message withheld/);
  for (const field of 'DHWqpPFLR') assert.equal(fields.has(field), false, field);
  return fields;
};

for (const send of [query, extended]) {
  test(`${send.name}: an error of a statement on regulated columns keeps SQLSTATE and the names that exist`, async () => {
    const fields = withheld(
      only(await ask([send("insert into customers (id, ssn) values (1, '111111111')")]), 'E'),
    );
    assert.deepEqual(
      ['S', 'V', 'C', 's', 't', 'n'].map((field) => fields.get(field)),
      ['ERROR', 'ERROR', '23505', 'public', 'customers', 'customers_pkey'],
    );
  });

  test(`${send.name}: an error that touches nothing regulated is the server's, also behind one in its transaction`, async () => {
    const steps = [
      query('begin'),
      send('select id, ssn from customers limit 1'),
      send('select 1/0'),
      query('rollback'),
    ];
    const answers = await both(harness, directEndpoint(server), steps);
    assert.equal(bytesOf(only(answers.through, 'E')), bytesOf(only(answers.direct, 'E')));
    const alone = await both(harness, directEndpoint(server), [send('select 1/0')]);
    assertSame(alone.through, alone.direct);
  });

  test(`${send.name}: a deferred constraint at the end of a transaction`, async () => {
    const insert = `insert into payments (id, ssn) values (1, '${SSN}'), (2, '${SSN}')`;
    for (const steps of [[query('begin'), send(insert), send('commit')], [send(insert)]]) {
      const answer = await ask(steps);
      assert.equal(withheld(only(answer, 'E')).get('C'), '23505');
      assert.ok(!answer.map(bytesOf).join('').includes(SSN));
    }
  });

  test(`${send.name}: what code of the target says`, async () => {
    for (const [id, type] of [
      [1, 'N'],
      [2, 'E'],
      [3, 'E'],
      [4, 'N'],
    ] as const) {
      const answer = await ask([send(`insert into told (id, ssn) values (${id}, '${SSN}')`)]);
      const fields = withheld(only(answer, type));
      assert.equal(fields.get('C'), type === 'E' ? 'P0001' : '00000');
      assert.ok(!answer.map(bytesOf).join('').includes(SSN), `nothing of it leaves (${id})`);
    }
  });

  test(`${send.name}: a setting that code of the target changed is not reported`, async () => {
    const answer = await ask([send(`insert into told (id, ssn) values (5, '${SSN}')`)]);
    assert.ok(!answer.map(bytesOf).join('').includes(SSN));
    assert.ok(!answer.some(({ type }) => type === 'S' || type === 'E'));
    const free = await ask([send("set timezone to 'Europe/Vienna'")]);
    assert.equal(only(free, 'S').body.toString(), 'TimeZone\0Europe/Vienna\0');
  });
}

test('the payload of a notification stays behind', async () => {
  const session = await harness.connect();
  session.send(query('listen news'));
  await session.receiveUntil('Z');
  await run(server, `notify news, '${SSN}'`);
  const notification = (await session.receiveUntil('A')).at(-1)!;
  assert.equal(notification.body.subarray(4).toString(), 'news\0\0');
  session.end();
});

test('the result of a FunctionCall of which nothing is known is null', async () => {
  const upper = 871;
  const call = Buffer.alloc(4 + 2 + 2 + 4);
  call.writeUInt32BE(upper, 0);
  call.writeUInt16BE(1, 6);
  call.writeInt32BE(1, 8);
  const message = frame('F', call, Buffer.from('a'), Buffer.from([0, 0]));
  const answer = await ask([message]);
  const isRefused = answer.some(({ type }) => type === 'E');
  if (!isRefused) assert.deepEqual([...only(answer, 'V').body], [255, 255, 255, 255]);
});

test('a row beyond masking.maxRowBytes ends the session, and nothing of it leaves', async () => {
  const short = await startMasked(server, { rules: { maxRowBytes: 1 << 20 } });
  for (const text of ['select id, ssn, body from wide order by id', 'copy wide (id, ssn, body) to stdout']) {
    const session = await RawSession.connect(short.endpoint);
    session.send(query(text));
    const messages: RawMessage[] = [];
    await assert.rejects(async () => {
      for (;;) messages.push(await session.receive());
    }, SessionLost);
    const fields = errorFields(messages.at(-1)!);
    assert.deepEqual([fields.get('S'), fields.get('C')], ['FATAL', '54000']);
    assert.match(fields.get('H')!, /maxRowBytes/);
    const rows = messages.filter(({ type }) => type === 'D' || type === 'd');
    assert.equal(rows.length, 1, 'the first row, which is short');
  }
  const free = await both(short, directEndpoint(server), [query('select id, body from wide order by id')]);
  assertSame(free.through, free.direct);
  const { calls } = await short.finish();
  const cut = calls.filter(({ statement }) => statement?.includes('ssn') === true);
  // The target may have come to its end before it was stopped: that is its true outcome.
  assert.deepEqual(
    cut.map(({ result }) => result?.['cause']),
    ['CS_MASK_ROW_TOO_LONG', 'CS_MASK_ROW_TOO_LONG'],
  );
});
