/** `countersign classify`: what it proposes of a real database, on the record, without a value in what it prints. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';

import type { ClassificationProposal } from '../../packages/gateway/src/api/classify.ts';
import { defaultRules, type MaskingConfig } from '../../packages/gateway/src/config/masking-section.ts';
import { parseConfig } from '../../packages/gateway/src/config/read-config.ts';
import { binariesOf, startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';
import { FakeRecogniser } from './fake-recogniser.ts';
import { Harness } from '../translator/harness.ts';

const MAIN = join(import.meta.dirname, '../../packages/gateway/src/cli/main.ts');

process.env['CLERK'] = 'clerk';
process.env['MASKING_KEY'] = 'a-secret-of-masking-with-more-than-32-bytes';

/** Made up: numbers that the detectors take for real ones. */
const VALUES = ['536-90-4399', '4539148803436467', 'ada.canary@example.com', 'Canary Lovelace'];

const SETUP = `
create schema bank;
create domain bank.mail_address as text;
create table bank.customer (id int primary key, tax_id text, card text, mail bank.mail_address, full_name text, opened date, flag boolean);
insert into bank.customer select i, '536-90-4399', '4539148803436467', 'ada.canary@example.com', 'Canary Lovelace', '2020-01-01', true
  from generate_series(1, 300) i;
create table bank.hidden (ssn text);
insert into bank.hidden values ('536-90-4399');
create table bank.parted (region text, ssn text) partition by list (region);
create table bank.north partition of bank.parted for values in ('north');
insert into bank.parted values ('north', '536-90-4399');
create view bank.people as select tax_id from bank.customer;
create table bank."odd: name" ("a: b" text, "no" text);
insert into bank."odd: name" values ('ada.canary@example.com', 'ada.canary@example.com');
create table bank.marked (c text, email text);
create table bank.branches (id int, officer text); insert into bank.branches select i, 'Canary Lovelace' from generate_series(1, 60) i;
create table bank.clients (name text); create table bank.products (name text);
comment on column bank.marked.c is 'countersign:class=secret';
create role clerk login password 'clerk';
grant usage on schema bank to clerk;
grant select on bank.customer to clerk;
`;

const maskingWith = (url: string): MaskingConfig => ({
  key: { kind: 'env', name: 'MASKING_KEY' },
  rules: defaultRules(),
  recogniser: { url, timeoutMs: 20_000 },
});

async function proposedWith(server: PostgresServer, url: string): Promise<ClassificationProposal> {
  const harness = await Harness.start(server, {
    change: (config) => ({ ...config, masking: maskingWith(url) }),
  });
  const target = harness.gateway.config.targets[0]?.name ?? '';
  const proposal = await harness.gateway.classifyService.propose({ target, sample: 100 });
  assert.equal((await harness.finish()).verdict, 'VERIFIED');
  return proposal;
}

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: readonly string[]): Promise<Finished> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

for (const major of [15, 18] as const) {
  const skip = major !== 18 && binariesOf(major) === undefined ? 'not installed' : false;
  describe(`PostgreSQL ${major}`, { skip }, () => {
    let server: PostgresServer;

    before(async () => {
      server = await startTestPostgres({ major });
      const admin = new Client({ connectionString: server.url() });
      await admin.connect();
      await admin.query(SETUP);
      await admin.end();
    });

    after(() => server.stop());

    test('proposes classes with their evidence, as YAML that the configuration takes', async () => {
      const harness = await Harness.start(server);
      const { configFile } = harness.folder;
      const target = harness.gateway.config.targets[0]?.name ?? '';
      const text = await run('classify', target, '-c', configFile);
      assert.equal(text.code, 0, text.stderr);
      const made = await run('classify', target, '-c', configFile, '--json');
      const proposal = JSON.parse(made.stdout) as ClassificationProposal;
      const found = new Map(
        proposal.columns.map(({ schema, relation, column, class: name }) => [
          `${schema}.${relation}.${column}`,
          name,
        ]),
      );
      assert.equal(found.get('bank.customer.tax_id'), 'ssn');
      assert.equal(found.get('bank.customer.card'), 'pan');
      assert.equal(found.get('bank.customer.mail'), 'email');
      assert.equal(found.get('bank.customer.full_name'), 'name');
      assert.equal(found.get('bank.clients.name'), 'name');
      assert.equal(found.get('bank.parted.ssn'), 'ssn');
      assert.equal(found.get('bank.odd: name.a: b'), 'email');
      for (const name of [
        'bank.customer.id',
        'bank.customer.flag',
        'bank.north.ssn',
        'bank.people.tax_id',
        'bank.products.name',
      ])
        assert.equal(found.has(name), false, name);
      const marked = proposal.columns.find(({ relation, column }) => relation === 'marked' && column === 'c');
      assert.equal(marked?.current, 'secret');
      assert.deepEqual(proposal.unread, []);
      for (const value of VALUES) assert.ok(!`${text.stdout}${made.stdout}`.includes(value), value);

      // What it prints is a part of a configuration.
      const before = readFileSync(configFile, 'utf8');
      const classes = text.stdout
        .split('\n')
        .filter((line) => !line.startsWith('#'))
        .slice(2)
        .join('\n');
      const changed = before.replace(/(\n  [a-z-]+:\n    protocol: postgres)/, `$1\n${classes}`);
      const { config } = parseConfig(`${changed}\nmasking: { key: 'env:K' }\n`, configFile);
      const bindings = config.targets[0]?.classes ?? [];
      const proposed = proposal.columns.filter(({ current }) => current === undefined);
      assert.deepEqual(
        bindings
          .map(({ schema, relation, column, class: name }) => [schema, relation, column, name].join(' '))
          .toSorted(),
        proposed
          .map(({ schema, relation, column, class: name }) => [schema, relation, column, name].join(' '))
          .toSorted(),
      );
      assert.ok(bindings.some(({ relation, column }) => relation === 'odd: name' && column === 'no'));

      const { verdict, leaves } = await harness.finish();
      assert.equal(verdict, 'VERIFIED');
      const issued = leaves.filter(
        ({ type, grant }) => type === 'grant.issued' && /\.classify-/.test(String(grant)),
      );
      const ended = leaves.filter(
        ({ type, grant }) => type === 'grant.revoked' && /\.classify-/.test(String(grant)),
      );
      assert.deepEqual([issued.length, ended.length], [2, 2]);
      assert.equal(issued[0]?.['standing'], false);
      assert.deepEqual(
        issued.map(({ grant }) => grant),
        ended.map(({ grant }) => grant),
      );
    });

    test('asks the recogniser of the configuration about texts, and not again when it does not answer', async () => {
      const recogniser = await FakeRecogniser.start();
      const found = await proposedWith(server, recogniser.url);
      const officer = found.columns.find(({ column }) => column === 'officer');
      assert.equal(officer?.class, 'name');
      assert.equal(found.recogniser, undefined);
      assert.ok(recogniser.asked.includes('Canary Lovelace'));
      await recogniser.stop();
      const alone = await proposedWith(server, recogniser.url);
      assert.equal(alone.recogniser, 'no answer');
      assert.equal(
        alone.columns.find(({ column }) => column === 'officer'),
        undefined,
      );
      assert.ok(alone.columns.some((column) => column.class === 'email'));
      assert.ok([...found.columns, ...alone.columns].every((column) => column.class !== '*'));
    });

    test('what the login may not read is told, and names have to do', async () => {
      const harness = await Harness.start(server, {
        change: (config) => ({
          ...config,
          targets: config.targets.map((target) => ({
            ...target,
            logins: { ...target.logins, clerk: { user: 'clerk', password: { kind: 'env', name: 'CLERK' } } },
          })),
        }),
      });
      const desk = harness.gateway.classifyService;
      const target = harness.gateway.config.targets[0]?.name ?? '';
      const proposal = await desk.propose({ target, login: 'clerk', sample: 10 });
      assert.deepEqual(
        proposal.unread.map(({ relation, reason }) => `${relation} ${reason}`).toSorted(),
        ['branches', 'clients', 'hidden', 'marked', 'odd: name', 'parted', 'products'].map(
          (name) => `${name} SQLSTATE 42501`,
        ),
      );
      const valuesOf = (relation: string, column: string) =>
        proposal.columns.find((each) => each.relation === relation && each.column === column)?.values;
      assert.equal(valuesOf('customer', 'tax_id'), 10);
      assert.equal(valuesOf('hidden', 'ssn'), 0);
      await assert.rejects(desk.propose({ target, login: 'nobody', sample: 10 }), {
        code: 'CS_REQUEST_INVALID',
      });
      await assert.rejects(desk.propose({ target: 'nowhere', sample: 10 }), { code: 'CS_REQUEST_INVALID' });
      const names = await desk.propose({ target, sample: 0 });
      assert.ok(names.columns.every(({ values }) => values === 0));
      const both = [desk.propose({ target, sample: 1 }), desk.propose({ target, sample: 1 })];
      const settled = await Promise.allSettled(both);
      assert.deepEqual(settled.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
      const { verdict, leaves } = await harness.finish();
      assert.equal(verdict, 'VERIFIED');
      const refused = leaves.filter(({ type }) => type === 'call.denied');
      assert.deepEqual(refused, []);
    });
  });
}
