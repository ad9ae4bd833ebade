/** Who may change tables, and not see what is regulated, cannot take the class from a column and read it then. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, DatabaseError } from 'pg';

import { defaultRules } from '../../packages/gateway/src/config/masking-section.ts';
import type { CountersignConfig } from '../../packages/gateway/src/config/config.ts';
import type { ClassBinding } from '../../packages/gateway/src/config/masking-grants.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';
import { Harness } from '../translator/harness.ts';

process.env['MASKING_KEY'] = 'a-secret-of-masking-with-more-than-32-bytes';
const CANARY = '536-90-4399';

const SETUP = `
drop schema if exists bank cascade; drop schema if exists other cascade; drop schema if exists moved cascade;
create schema bank; create schema other;
create table bank.person (id int, ssn text, told text);
create table bank.base (kept text); create table bank.child (more int) inherits (bank.base);
create table bank.parted (region text, ssn text) partition by list (region);
create table bank.north partition of bank.parted for values in ('north');
comment on column bank.person.told is 'countersign:class=ssn';
insert into bank.person values (1, '${CANARY}', '${CANARY}');
insert into bank.child values ('${CANARY}', 1);
insert into bank.parted values ('north', '${CANARY}');
create view bank.people as select * from bank.person;
`;

/** Statements of one session, one after another; then each answer, refusal and notice is searched. */
const ATTEMPTS: readonly (readonly string[])[] = [
  ['alter table bank.person rename column ssn to id2', 'select * from bank.person'],
  ['alter table bank.person rename ssn to x', 'select x from bank.person'],
  ['alter table bank.person rename to persons', 'select * from bank.persons'],
  ['alter table bank.person set schema other', 'select * from other.person'],
  ['alter schema bank rename to moved', 'select * from moved.person'],
  ['alter view bank.people rename column ssn to x', 'select * from bank.people'],
  ["comment on column bank.person.told is 'nothing'", 'select told from bank.person'],
  ['comment on column bank.person.told is null', 'select told from bank.person'],
  ['alter table bank.child no inherit bank.base', 'select * from bank.child'],
  ['alter table bank.parted detach partition bank.north', 'select * from bank.north'],
  ['begin', 'alter table bank.person rename column ssn to x', 'select x from bank.person', 'commit'],
  ['begin', 'comment on column bank.person.told is null', 'select told from bank.person', 'commit'],
  ['begin; alter table bank.person rename column ssn to x; select x from bank.person; commit'],
  [
    'create table bank.copy (like bank.person including all)',
    'insert into bank.copy select * from bank.person',
    'table bank.copy',
  ],
  ['create table bank.copy2 as select ssn as x from bank.person', 'table bank.copy2'],
  [
    'create table bank.elder (kept text)',
    'alter table bank.child inherit bank.elder',
    'select * from bank.elder',
  ],
  ['alter table bank.person alter column ssn type varchar(40)', 'select ssn from bank.person'],
  [
    'alter table bank.person add column x text',
    'update bank.person set x = ssn',
    'select x from bank.person',
  ],
  ['alter table bank.person add column y text generated always as (ssn) stored', 'select y from bank.person'],
];

let server: PostgresServer;
let admin: Client;

before(async () => {
  server = await startTestPostgres();
  admin = new Client({ connectionString: server.url() });
  await admin.connect();
});

after(async () => {
  await admin.end();
  await server.stop();
});

const bind = (relation: string, column: string): ClassBinding => ({
  schema: 'bank',
  relation,
  column,
  class: 'ssn',
  written: `bank.${relation}`,
});

function classified(config: CountersignConfig): CountersignConfig {
  return {
    ...config,
    masking: { key: { kind: 'env', name: 'MASKING_KEY' }, rules: defaultRules() },
    targets: config.targets.map((target) => ({
      ...target,
      classes: [bind('person', 'ssn'), bind('base', 'kept'), bind('parted', 'ssn')],
    })),
  };
}

/** Every byte that matters of what a session is told: rows, notices, every field of errors. */
async function told(harness: Harness, texts: readonly string[]): Promise<string> {
  await admin.query(SETUP);
  harness.gateway.catalogs.lease(harness.gateway.config.targets[0]!).invalidate();
  const { host, port, user, password, database } = harness.endpoint;
  const client = new Client({ host, port, user, password, database });
  await client.connect();
  const seen: unknown[] = [];
  client.on('notice', (notice) => seen.push(notice.message, notice.detail));
  for (const text of texts) {
    try {
      const answers = await client.query(text);
      seen.push(Array.isArray(answers) ? answers.map(({ rows }) => rows as unknown) : answers.rows);
    } catch (error) {
      assert.ok(error instanceof DatabaseError, String(error));
      seen.push([error.code, error.message, error.detail, error.hint, error.where]);
    }
  }
  await client.end();
  return JSON.stringify(seen);
}

test('no change of a table brings out what is regulated', async () => {
  const harness = await Harness.start(server, { change: classified });
  const leaks: string[] = [];
  try {
    for (const attempt of ATTEMPTS)
      if ((await told(harness, attempt)).includes(CANARY)) leaks.push(attempt.join('; '));
    // What is not regulated passes, and changes of it are carried out.
    const free = ['alter table bank.person add column word text', "update bank.person set word = 'free'"];
    assert.equal(
      await told(harness, [...free, 'select id, word from bank.person']),
      JSON.stringify([[], [], [{ id: 1, word: 'free' }]]),
    );
  } finally {
    assert.equal((await harness.finish()).verdict, 'VERIFIED');
  }
  assert.deepEqual(leaks, []);
});

function letOut(config: CountersignConfig): CountersignConfig {
  return {
    ...classified(config),
    grants: config.grants.map((grant) => ({
      ...grant,
      masking: { unmask: 'all', writeClasses: 'all', budgets: new Map() },
    })),
  };
}

test('who may see it finds it in each of these ways', async () => {
  const harness = await Harness.start(server, { change: letOut });
  const unseen: string[] = [];
  try {
    for (const attempt of ATTEMPTS)
      if (!(await told(harness, attempt)).includes(CANARY)) unseen.push(attempt.join('; '));
  } finally {
    assert.equal((await harness.finish()).verdict, 'VERIFIED');
  }
  assert.deepEqual(unseen, []);
});
