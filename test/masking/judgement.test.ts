/** What is refused, counted and recorded of regulated values, through the whole gateway and on a real server. */
import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import { readConfig } from '../../packages/gateway/src/config/read-config.ts';
import { startGateway } from '../../packages/gateway/src/gateway/gateway.ts';
import type { MaskingGrant } from '../../packages/gateway/src/masking/rules.ts';
import { redactionText } from '../../packages/gateway/src/masking/transforms/transform-text.ts';
import { createLogger } from '../../packages/gateway/src/observe/logger.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import {
  bind,
  errorFields,
  execute,
  parse,
  query,
  RawSession,
  sqlStateOf,
  sync,
  type RawMessage,
} from '../support/raw-session.ts';
import { shape, type Harness } from '../translator/harness.ts';
import { KEYS, run, SETUP, startMasked, withMasking } from './masked-gateway.ts';

let server: PostgresServer;

before(async () => {
  server = await startTestPostgres();
  await run(server, SETUP);
});

after(async () => {
  await server?.stop();
});

const ssnOf = (id: number): string => String(id * 7919).padStart(9, '0');
const budgets: MaskingGrant['budgets'] = new Map([['ssn', { values: 3, period: 'month' }]]);

/** Rows as text, and the SQLSTATE of what failed. */
function told(messages: readonly RawMessage[]): { readonly rows: string[]; readonly failed?: string } {
  const rows = messages.filter(({ type }) => type === 'D').map(({ body }) => rowText(body));
  const failed = messages.find(({ type }) => type === 'E');
  return failed === undefined ? { rows } : { rows, failed: sqlStateOf(failed) };
}

function rowText(body: Buffer): string {
  const values: string[] = [];
  let at = 2;
  for (let left = body.readInt16BE(0); left > 0; left--) {
    const length = body.readInt32BE(at);
    values.push(length < 0 ? 'NULL' : body.toString('utf8', at + 4, at + 4 + length));
    at += 4 + Math.max(0, length);
  }
  return values.join('|');
}

async function ask(session: RawSession, ...texts: readonly string[]): Promise<RawMessage[]> {
  let last: RawMessage[] = [];
  for (const text of texts) {
    session.send(query(text));
    last = await session.receiveUntil('Z');
  }
  return last;
}

/** The JSON that a refusal ends its detail with. */
function refusal(messages: readonly RawMessage[]): Readonly<Record<string, unknown>> {
  const failed = messages.find(({ type }) => type === 'E');
  assert.ok(failed !== undefined, shape(messages));
  const detail = errorFields(failed).get('D') ?? '';
  return JSON.parse(detail.split('\n').at(-1) ?? '') as Record<string, unknown>;
}

async function asking(harness: Harness, ...texts: readonly string[]): Promise<RawMessage[]> {
  const session = await harness.connect();
  const messages = await ask(session, ...texts);
  session.end();
  return messages;
}

test('an oracle is refused, nothing of it reaches the server, and the transaction is aborted for real', async () => {
  const harness = await startMasked(server);
  const session = await harness.connect();
  await ask(session, 'begin', "update customers set note = 'changed' where id = 1");
  const refused = await ask(session, 'select id from customers order by ssn limit 1');
  assert.deepEqual(refusal(refused), {
    refused: 'CS_MASK_ORACLE',
    grant: refusal(refused)['grant'],
    target: refusal(refused)['target'],
    command: 'select',
    reasons: [{ reason: 'order', classes: ['ssn'], columns: ['ssn'] }],
  });
  assert.equal(told(await ask(session, 'select 1')).failed, '25P02');
  await ask(session, 'commit');
  assert.deepEqual(told(await ask(session, 'select note from customers where id = 1')).rows, ['note 1']);
  session.end();
  const { verdict, calls } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
  const denied = calls.find(({ type }) => type === 'call.denied');
  assert.deepEqual(denied?.reasons, ['CS_MASK_ORACLE', 'order', 'class:ssn']);
});

test('equality within a budget, over the simple and the extended protocol, across sessions and restarts', async () => {
  const harness = await startMasked(server, { grant: { budgets } });
  const { folder } = harness;
  const session = await harness.connect();
  const simple = `select id from customers where ssn = '${ssnOf(1)}'`;
  assert.deepEqual(told(await ask(session, simple)).rows, ['1']);
  session.send(
    Buffer.concat([
      parse('', 'select id from customers where ssn = $1'),
      bind('', '', [ssnOf(2)]),
      execute(),
      sync(),
    ]),
  );
  assert.deepEqual(told(await session.receiveUntil('Z')).rows, ['2']);
  session.end();
  // What was asked for before costs nothing, in another session either.
  assert.deepEqual(told(await asking(harness, simple)).rows, ['1']);
  const list = `select id from customers where ssn in ('${ssnOf(1)}', '${ssnOf(3)}', '${ssnOf(4)}')`;
  const refused = await asking(harness, list);
  const [reason] = refusal(refused)['reasons'] as readonly unknown[];
  assert.deepEqual(reason, {
    reason: 'budget',
    classes: ['ssn'],
    columns: ['ssn'],
    budget: { values: 3, used: 2, asked: 2, period: 'month' },
  });
  assert.deepEqual(told(await asking(harness, list.replace(`, '${ssnOf(4)}'`, ''))).rows.toSorted(), [
    '1',
    '3',
  ]);
  await harness.gateway.close();
  const { config } = readConfig(folder.configFile);
  assert.ok(config);
  const again = await startGateway(withMasking(config, { grant: { budgets } }), {
    logger: createLogger({ level: 'silent' }),
  });
  try {
    const next = await RawSession.connect(folder.endpoint(again.address.port));
    assert.deepEqual(told(await ask(next, simple)).rows, ['1']);
    assert.equal(refusal(await ask(next, simple.replace(ssnOf(1), ssnOf(5))))['refused'], 'CS_MASK_BUDGET');
    next.end();
  } finally {
    await again.close();
  }
  const { verdict, leaves } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
  const probes = leaves.flatMap((leaf) => (leaf['probes'] === undefined ? [] : [leaf['probes']]));
  const counts = (probes as { new: number; used: number }[][]).map(([one]) => [one!.new, one!.used]);
  assert.deepEqual(counts, [
    [1, 1],
    [1, 2],
    [0, 2],
    [1, 3],
    [0, 3],
  ]);
});

test('without a budget equality is refused, and the same class on both sides is free', async () => {
  const harness = await startMasked(server);
  const refused = await asking(harness, `select id from customers where ssn = '${ssnOf(1)}'`);
  assert.equal(refusal(refused)['refused'], 'CS_MASK_BUDGET');
  const joined = 'select count(*) from customers a join customers b on a.ssn = b.ssn';
  assert.deepEqual(told(await asking(harness, joined)).rows, ['500']);
  await harness.finish();
});

test('what the grant lets out leaves as it is, and both are on record', async () => {
  const harness = await startMasked(server, { grant: { unmask: new Set(['ssn']) } });
  const text = 'select ssn, account from customers where id in (1, 2) order by id';
  const { rows } = told(await asking(harness, text));
  assert.deepEqual(
    rows.map((row) => row.split('|')[0]),
    [ssnOf(1), ssnOf(2)],
  );
  for (const row of rows) assert.match(row, /\|\*{8}\d{4}$/);
  const { leaves } = await harness.finish();
  const intent = leaves.find((leaf) => leaf['unmasked'] !== undefined);
  assert.deepEqual(intent?.['unmasked'], [{ class: 'ssn', object: 'public.customers.ssn' }]);
  const result = leaves.find((leaf) => leaf['call'] === intent['id']);
  assert.deepEqual(result?.['masked'], [
    { class: 'account_number', count: 2, object: 'public.customers.account', transform: 'keep-last' },
  ]);
});

test('a temporary table is followed, whatever happened to the transaction that filled it', async () => {
  const harness = await startMasked(server);
  const session = await harness.connect();
  await ask(session, 'create temp table t as select note, ssn from customers where id = 1');
  assert.match(told(await ask(session, 'select note, ssn from t')).rows[0]!, /^note 1\|\[ssn:/);
  await ask(session, 'create temp table u (a text, b text)', "insert into u values ('own', 'text')");
  assert.deepEqual(told(await ask(session, 'select * from u')).rows, ['own|text']);
  await ask(session, 'begin', 'insert into u select ssn, ssn from customers where id = 2', 'rollback');
  const { rows } = told(await ask(session, 'select a from u'));
  assert.match(rows[0]!, /^\[ssn:/, 'more is masked than need be, never less');
  session.end();
  await harness.finish();
});

test('a masked value that comes back is refused; what looks like one, or is asked for by nobody, passes', async () => {
  const harness = await startMasked(server, { grant: { budgets } });
  const session = await harness.connect();
  const { rows } = told(await ask(session, 'select ssn from customers where id = 1'));
  assert.equal(rows[0], redactionText('ssn', KEYS));
  const refused = await ask(session, `update customers set ssn = '${rows[0]}' where id = 1`);
  assert.equal(refusal(refused)['refused'], 'CS_MASK_WRITE_BACK');
  session.send(
    Buffer.concat([
      parse('', 'update customers set ssn = $1 where id = 1'),
      bind('', '', [rows[0]]),
      execute(),
      sync(),
    ]),
  );
  assert.equal(refusal(await session.receiveUntil('Z'))['refused'], 'CS_MASK_WRITE_BACK');
  const similar = await ask(session, "update customers set note = '[ssn:x000000]' where id = 400");
  assert.equal(told(similar).failed, undefined);
  session.end();
  await harness.finish();
});

test('columns of a class are not written without a grant for it', async () => {
  const harness = await startMasked(server, { grant: { writeClasses: new Set() } });
  const write = "update customers set account = '4444' where id = 401";
  const session = await harness.connect();
  assert.equal(refusal(await ask(session, write))['refused'], 'CS_MASK_WRITE_BACK');
  await ask(session, 'select account from customers where id = 2');
  assert.equal(refusal(await ask(session, write))['refused'], 'CS_MASK_WRITE_BACK');
  assert.equal(told(await ask(session, "update customers set note = 'x' where id = 401")).failed, undefined);
  session.end();
  await harness.finish();
});

test('a trigger that writes into a temporary table of the caller does not carry values out', async () => {
  await run(
    server,
    `create table watched (id int primary key, note text);
     insert into watched values (1, 'x');
     create function watch() returns trigger language plpgsql as
       $$ begin insert into audit_log select ssn from customers where id = 9; return new; end $$;
     create table audit_log (ssn text);
     create trigger watching before update on watched for each row execute function watch()`,
  );
  const harness = await startMasked(server);
  const session = await harness.connect();
  const before = ['create temp table audit_log (ssn text)', "update watched set note = 'y' where id = 1"];
  for (const text of before) assert.equal(told(await ask(session, text)).failed, undefined, text);
  const { rows } = told(await ask(session, 'select ssn from pg_temp.audit_log'));
  assert.equal(rows.length, 1);
  assert.notEqual(rows[0], ssnOf(9));
  session.end();
  await harness.finish();
});
