/**
 * Names that come to mean something else between the text that was judged and the moment it runs (decision 3). The scope covers everything in schema
 * `open` and nothing in `secret`, both have a table `accounts`, and the login behind the gateway is a superuser: only the analysis is in the way.
 */
import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { binariesOf, startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';
import { bind, execute, parse, query, sync, type RawMessage } from '../support/raw-session.ts';
import { Harness } from '../translator/harness.ts';

const all = (...messages: readonly Buffer[]): Buffer => Buffer.concat(messages);
const series = (text: string): Buffer => all(parse('', text), bind('', '', []), execute());

const SCOPE =
  "{ relations: [{ on: ['open.*', 'early.*'], verbs: [all] }], functions: ['open.*'], ddl: ['open'], allow: [create-temp, discard] }";

const SETUP = `
  create schema open; create schema secret; create schema early;
  create table open.accounts (value text); insert into open.accounts values ('OPEN');
  create table secret.accounts (value text); insert into secret.accounts values ('SECRET');
  create function open.go_secret() returns text language plpgsql as
    $$ begin return set_config('search_path', 'secret', false); end $$;
  create function open.go_secret_locally() returns text language plpgsql as
    $$ begin return set_config('search_path', 'secret', true); end $$;
  create function open.stay() returns int language plpgsql set search_path = secret as $$ begin return 1; end $$;
  create function open.shadow() returns void language plpgsql as
    $$ begin create temp view accounts as select value from secret.accounts; end $$;
  create table open.log (n int);
  create function open.on_log() returns trigger language plpgsql as
    $$ begin perform set_config('search_path', 'secret', false); return new; end $$;
  create trigger t before insert on open.log for each row execute function open.on_log();
  alter role postgres set search_path = secret;
`;

const SELECT = 'select value from accounts';
const RUN = all(bind('', 's', []), execute());
const OPEN = query('set search_path = open');
const SECRET = query('set search_path = secret');

interface Case {
  readonly title: string;
  /** Written at once, each followed by what it makes the server send: so many ReadyForQuery. */
  readonly steps: readonly (Buffer | readonly [count: number, bytes: Buffer] | 'outside')[];
  /** What another connection does at `outside`. */
  readonly outside?: string;
  /** What the last step may give. */
  readonly last: 'OPEN' | 'refused' | 'none' | 'gone';
}

const CASES: readonly Case[] = [
  { title: 'the default of the login is what counts at the start', steps: [query(SELECT)], last: 'refused' },
  { title: 'SET', steps: [OPEN, query(SELECT)], last: 'OPEN' },
  {
    title: 'SET, and RESET to the default of the login',
    steps: [OPEN, query('reset search_path'), query(SELECT)],
    last: 'refused',
  },
  {
    title: 'SET to DEFAULT',
    steps: [OPEN, query('set search_path to default'), query(SELECT)],
    last: 'refused',
  },
  { title: 'SET SCHEMA', steps: [OPEN, query("set schema 'secret'"), query(SELECT)], last: 'refused' },
  {
    title: 'set_config in a statement',
    steps: [OPEN, query("select set_config('search_path', 'secret', false)"), query(SELECT)],
    last: 'refused',
  },
  {
    title: 'a prepared statement is judged again after SET',
    steps: [OPEN, all(parse('s', SELECT), sync()), SECRET, all(RUN, sync())],
    last: 'refused',
  },
  {
    title: 'and runs again when the path is what it was',
    steps: [OPEN, all(parse('s', SELECT), sync()), SECRET, all(RUN, sync()), OPEN, all(RUN, sync())],
    last: 'OPEN',
  },
  {
    title: 'SET and Bind in one series',
    steps: [OPEN, all(parse('s', SELECT), sync()), all(series('set search_path = secret'), RUN, sync())],
    last: 'refused',
  },
  {
    title: 'SET and Parse in one series',
    steps: [OPEN, all(series('set search_path = secret'), series(SELECT), sync())],
    last: 'refused',
  },
  { title: 'SET and SELECT pipelined', steps: [OPEN, [2, all(SECRET, query(SELECT))]], last: 'refused' },
  {
    title: 'SET and SELECT in one text',
    steps: [OPEN, query(`set search_path = secret; ${SELECT}`)],
    last: 'refused',
  },
  {
    title: 'SET to what may be read and SELECT in one series',
    steps: [all(series('set search_path = open'), series(SELECT), sync())],
    last: 'OPEN',
  },
  {
    title: 'SET to what may be read and SELECT in one text',
    steps: [query(`set search_path = open; ${SELECT}`)],
    last: 'OPEN',
  },
  {
    title: 'SET LOCAL',
    steps: [OPEN, query('begin'), query('set local search_path = secret'), query(SELECT)],
    last: 'refused',
  },
  {
    title: 'SET LOCAL ends with COMMIT',
    steps: [OPEN, query('begin'), query('set local search_path = secret'), query('commit'), query(SELECT)],
    last: 'OPEN',
  },
  {
    title: 'SET LOCAL to what may be read ends with COMMIT',
    steps: [SECRET, query('begin'), query('set local search_path = open'), query('commit'), query(SELECT)],
    last: 'refused',
  },
  {
    title: 'SET LOCAL to what may be read ends with ROLLBACK',
    steps: [
      SECRET,
      query('begin'),
      query('set local search_path = open'),
      all(parse('s', SELECT), RUN, sync()),
      query('rollback'),
      all(RUN, sync()),
    ],
    last: 'refused',
  },
  {
    title: 'SET in a transaction is undone by ROLLBACK',
    steps: [SECRET, query('begin'), OPEN, query('rollback'), query(SELECT)],
    last: 'refused',
  },
  {
    title: 'SET in a transaction is undone by an error',
    steps: [SECRET, query('begin'), OPEN, query('select 1/0'), query('commit'), query(SELECT)],
    last: 'refused',
  },
  {
    title: 'SET in a series is undone by an error in it',
    steps: [SECRET, all(series('set search_path = open'), series('select 1/0'), sync()), query(SELECT)],
    last: 'refused',
  },
  {
    title: 'SET in a text is undone by an error in it',
    steps: [SECRET, query('set search_path = open; select 1/0'), query(SELECT)],
    last: 'refused',
  },
  {
    title: 'SET in a transaction holds after COMMIT',
    steps: [SECRET, query('begin'), OPEN, query('commit'), query(SELECT)],
    last: 'OPEN',
  },
  {
    title: 'ROLLBACK TO',
    steps: [SECRET, query('begin'), query('savepoint a'), OPEN, query('rollback to a'), query(SELECT)],
    last: 'refused',
  },
  {
    title: 'ROLLBACK TO with a prepared statement',
    steps: [
      SECRET,
      query('begin'),
      query('savepoint a'),
      OPEN,
      all(parse('s', SELECT), sync()),
      query('rollback to a'),
      all(RUN, sync()),
    ],
    last: 'refused',
  },
  {
    title: 'ROLLBACK TO pipelined with the Execute',
    steps: [
      SECRET,
      query('begin'),
      query('savepoint a'),
      OPEN,
      all(parse('s', SELECT), sync()),
      [2, all(query('rollback to a'), RUN, sync())],
    ],
    last: 'refused',
  },
  {
    title: 'RELEASE keeps what was set',
    steps: [SECRET, query('begin'), query('savepoint a'), OPEN, query('release a'), query(SELECT)],
    last: 'OPEN',
  },
  {
    title: 'the end of the transaction and the SELECT in one text',
    steps: [SECRET, query('begin'), OPEN, query(`rollback; ${SELECT}`)],
    last: 'refused',
  },
  { title: 'DISCARD ALL', steps: [OPEN, query('discard all'), query(SELECT)], last: 'refused' },
  {
    title: 'set_config inside a function',
    steps: [OPEN, query('select open.go_secret()'), query(SELECT)],
    last: 'refused',
  },
  {
    title: 'set_config inside a function, for a prepared statement',
    steps: [OPEN, all(parse('s', SELECT), sync()), query('select open.go_secret()'), all(RUN, sync())],
    last: 'refused',
  },
  {
    title: 'set_config inside a function, pipelined',
    steps: [OPEN, all(parse('s', SELECT), sync()), [2, all(query('select open.go_secret()'), RUN, sync())]],
    last: 'refused',
  },
  {
    title: 'set_config inside a function, in one series',
    steps: [OPEN, all(series('select open.go_secret()'), series(SELECT), sync())],
    last: 'refused',
  },
  {
    title: 'set_config inside a function, in one text',
    steps: [OPEN, query(`select open.go_secret(); ${SELECT}`)],
    last: 'refused',
  },
  {
    title: 'set_config inside a function for the transaction alone',
    steps: [OPEN, query('begin'), query('select open.go_secret_locally()'), query(SELECT)],
    last: 'refused',
  },
  {
    title: 'set_config inside a function ends with its transaction',
    steps: [OPEN, query('begin'), query('select open.go_secret_locally()'), query('commit'), query(SELECT)],
    last: 'OPEN',
  },
  {
    title: 'set_config inside a trigger',
    steps: [OPEN, query('insert into open.log values (1)'), query(SELECT)],
    last: 'refused',
  },
  {
    title: 'SET of a function ends with the function',
    steps: [OPEN, query('select open.stay()'), query(SELECT)],
    last: 'OPEN',
  },
  {
    title: 'a temporary table shadows what may be read',
    steps: [OPEN, query("create temp table accounts as select 'OPEN' as value"), query(SELECT)],
    last: 'OPEN',
  },
  {
    title: 'a temporary table that was rolled back shadows nothing',
    steps: [
      SECRET,
      query('begin'),
      query("create temp table accounts as select 'x' as value"),
      query('rollback'),
      query(SELECT),
    ],
    last: 'refused',
  },
  {
    title: 'a temporary table that was dropped shadows nothing',
    steps: [
      SECRET,
      query("create temp table accounts as select 'x' as value"),
      query('drop table pg_temp.accounts'),
      query(SELECT),
    ],
    last: 'refused',
  },
  {
    title: 'a temporary table that goes with its transaction',
    steps: [SECRET, query('create temp table accounts (value text) on commit drop'), query(SELECT)],
    last: 'refused',
  },
  {
    title: 'a prepared statement and a temporary table that comes behind it',
    steps: [
      SECRET,
      query("create temp table accounts as select 'x' as value"),
      all(parse('s', SELECT), sync()),
      query('drop table pg_temp.accounts'),
      all(RUN, sync()),
    ],
    last: 'none',
  },
  {
    title: 'PREPARE and EXECUTE',
    steps: [OPEN, query(`prepare s as ${SELECT}`), query('execute s')],
    last: 'OPEN',
  },
  {
    title: 'EXECUTE after SET',
    steps: [OPEN, query(`prepare s as ${SELECT}`), SECRET, query('execute s')],
    last: 'refused',
  },
  {
    title: 'EXECUTE by the protocol after SET',
    steps: [OPEN, query(`prepare s as ${SELECT}`), SECRET, all(RUN, sync())],
    last: 'refused',
  },
  {
    title: 'EXECUTE by SQL of what the protocol prepared, after SET',
    steps: [OPEN, all(parse('s', SELECT), sync()), SECRET, query('execute s')],
    last: 'refused',
  },
  {
    title: 'EXECUTE inside EXPLAIN',
    steps: [OPEN, query(`prepare s as ${SELECT}`), SECRET, query('explain analyze execute s')],
    last: 'refused',
  },
  {
    title: 'PREPARE and EXECUTE in one series',
    steps: [OPEN, all(series(`prepare s as ${SELECT}`), series('execute s'), sync())],
    last: 'OPEN',
  },
  {
    title: 'PREPARE anew under another path',
    steps: [
      OPEN,
      query(`prepare s as ${SELECT}`),
      query('deallocate s'),
      SECRET,
      query(`prepare s as ${SELECT}`),
    ],
    last: 'refused',
  },
  { title: 'an EXECUTE of nothing that was prepared', steps: [OPEN, query('execute s')], last: 'none' },
  {
    title: 'a table that is not there, where the grant covers whatever it could be: the server says so',
    steps: [OPEN, query('select value from nowhere')],
    last: 'gone',
  },
  { title: 'the same with its schema', steps: [query('select value from open.nowhere')], last: 'gone' },
  { title: 'a column that is not there', steps: [query('select nothing from open.accounts')], last: 'gone' },
  { title: 'a function that is not there', steps: [query('select open.nothing(1)')], last: 'gone' },
  {
    title: 'a table that is not there, where the grant covers nothing',
    steps: [query('select value from secret.nowhere')],
    last: 'refused',
  },
  {
    title: 'a table that is not there, and could be where the grant covers nothing',
    steps: [query('set search_path = open, secret'), query('select value from nowhere')],
    last: 'refused',
  },
  {
    title: 'a function that is not there, where the grant covers nothing',
    steps: [query('select secret.nothing(1)')],
    last: 'refused',
  },
  {
    title: 'a table that is not there beside one that is not granted',
    steps: [query('select value from open.nowhere, secret.accounts')],
    last: 'refused',
  },
  {
    title: 'SET and EXECUTE in one text',
    steps: [OPEN, query(`prepare s as ${SELECT}`), query('set search_path = secret; execute s')],
    last: 'refused',
  },
  {
    title: 'a cursor whose rows run set_config as they are fetched',
    steps: [
      OPEN,
      query('begin'),
      query('declare c cursor for select open.go_secret() from generate_series(1, 3)'),
      query('set search_path = open'),
      query('fetch c'),
      query(SELECT),
    ],
    last: 'refused',
  },
  {
    title: 'a portal whose rows run set_config as they are fetched',
    steps: [
      OPEN,
      query('begin'),
      all(
        parse('', 'select open.go_secret() from generate_series(1, 3)'),
        bind('p', '', []),
        execute('p', 1),
        sync(),
      ),
      query('set search_path = open'),
      all(execute('p', 1), sync()),
      query(SELECT),
    ],
    last: 'refused',
  },
  {
    title: 'a table that this transaction drops, so that the name means the next one on the path',
    steps: [
      query("create table open.made as select 'OPEN' as value"),
      query('set search_path = open, secret'),
      query('create table if not exists open.made (value text)'),
      query('begin'),
      query('drop table open.made'),
      query('select value from made'),
    ],
    last: 'gone',
  },
  {
    title: 'a cursor goes on reading what it was opened on',
    steps: [OPEN, query('begin'), query(`declare c cursor for ${SELECT}`), SECRET, query('fetch c')],
    last: 'OPEN',
  },
  {
    title: 'a portal goes on reading what it was bound to',
    steps: [
      OPEN,
      query('begin'),
      all(parse('s', SELECT), bind('p', 's', []), sync()),
      SECRET,
      all(execute('p'), sync()),
    ],
    last: 'OPEN',
  },
  { title: 'COPY', steps: [OPEN, SECRET, query('copy accounts to stdout')], last: 'refused' },
  {
    title: 'a table in an earlier schema that somebody makes',
    steps: [query('set search_path = early, secret'), 'outside', query(SELECT)],
    outside: "create table early.accounts as select 'OPEN' as value",
    last: 'OPEN',
  },
  {
    title: 'a table in an earlier schema that somebody drops',
    steps: [query('set search_path = early, secret'), 'outside', query(SELECT)],
    outside: 'drop table early.accounts',
    last: 'refused',
  },
  {
    title: 'a table in an earlier schema that somebody renames',
    steps: [query('set search_path = secret, open'), 'outside', query(SELECT)],
    outside: 'alter table secret.accounts rename to gone',
    last: 'OPEN',
  },
  {
    title: 'a prepared statement, and somebody gives an earlier schema the table again',
    steps: [
      query('set search_path = secret, open'),
      all(parse('s', SELECT), sync()),
      'outside',
      all(RUN, sync()),
    ],
    outside: 'alter table secret.gone rename to accounts',
    last: 'refused',
  },
  {
    title: 'a table that this transaction makes',
    steps: [
      OPEN,
      query('begin'),
      query("create table open.made as select 'OPEN' as value"),
      query('select value from made'),
    ],
    last: 'OPEN',
  },
  {
    title: 'a table that was made just now',
    steps: [OPEN, query("create table open.made as select 'OPEN' as value"), query('select value from made')],
    last: 'OPEN',
  },
  {
    title: 'a view that this session replaces',
    steps: [
      OPEN,
      query('create or replace view open.v as select value from accounts'),
      all(parse('s', 'select value from v'), sync()),
      query('create or replace view open.v as select value from secret.accounts'),
      all(RUN, sync()),
    ],
    last: 'OPEN',
  },
];

for (const major of [18, 15] as const) {
  const skip =
    major !== 18 && binariesOf(major) === undefined ? `PostgreSQL ${major} is not installed` : false;
  describe(`PostgreSQL ${major}`, { skip }, () => {
    let server: PostgresServer;
    let harness: Harness;
    let outside: Client;
    before(async () => {
      server = await startTestPostgres({ major });
      outside = new Client({ connectionString: server.url() });
      await outside.connect();
      await outside.query(SETUP);
      harness = await Harness.start(server, { scope: SCOPE });
    });
    after(async () => {
      await outside.end();
      const { verdict } = await harness.finish();
      await server.stop();
      assert.equal(verdict, 'VERIFIED');
    });

    for (const each of CASES) {
      test(each.title, { timeout: 30_000 }, async () => {
        const shown = await playCase(each, harness, outside);
        assert.ok(!shown.includes('SECRET'), 'nothing beyond the scope was read');
        if (each.last === 'OPEN') assert.ok(shown.includes('OPEN'), shown);
        if (each.last === 'refused') assert.match(shown, /C(?:42501|0A000|40001)\0Mcountersign/, shown);
        if (each.last === 'gone') assert.match(shown, /C(?:42P01|42883|42703|3F000)\0/, shown);
        if (each.last === 'none') assert.match(shown, /C26000/, shown);
      });
    }
  });
}

/** The last answer, all of it. */
async function playCase({ steps, outside }: Case, harness: Harness, other: Client): Promise<string> {
  const session = await harness.connect();
  let answer: RawMessage[] = [];
  for (const step of steps) {
    if (step === 'outside') {
      await other.query(outside!);
      // As if the poll had come round.
      await refreshed(harness);
      continue;
    }
    const [count, bytes] = Buffer.isBuffer(step) ? [1, step] : step;
    session.send(bytes);
    answer = [];
    for (let left = count; left > 0; left--) answer.push(...(await session.receiveUntil()));
  }
  session.end();
  await other.query('drop table if exists open.made');
  return Buffer.concat(answer.map(({ body }) => body)).toString('latin1');
}

async function refreshed({ gateway }: Harness): Promise<void> {
  const lease = gateway.catalogs.lease(gateway.config.targets[0]!);
  await lease.refresh();
  lease.release();
}
