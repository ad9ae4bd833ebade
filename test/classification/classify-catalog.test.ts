/** Which columns of a real database are regulated: by configuration, by comments, by labels, through partitions and children. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';

import { defaultRules } from '../../packages/gateway/src/config/masking-section.ts';
import type { MaskingRules } from '../../packages/gateway/src/masking/rules.ts';
import { parseCatalog } from '../../packages/gateway/src/postgres/catalog/catalog-file.ts';
import type { CatalogData } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { indexClassification } from '../../packages/gateway/src/postgres/classify/classification.ts';
import {
  classifyCatalog,
  type Binding,
  type ClassifyOptions,
} from '../../packages/gateway/src/postgres/classify/classify-catalog.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import { binariesOf, startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';

const SETUP = `
create schema bank; create schema "Odd.One";
create table bank.customer (id int, ssn text, mail text, note text, free text, half text, two text, word text);
comment on column bank.customer.ssn is 'as on the card (countersign:class=ssn), nine digits';
comment on column bank.customer.mail is 'COUNTERSIGN:CLASS=email';
comment on column bank.customer.note is 'countersign:class=secrt';
comment on column bank.customer.free is 'countersign: class=free_text';
comment on column bank.customer.half is 'countersign:class=ssn-like';
comment on column bank.customer.two is 'countersign:class=ssn countersign:class=email';
comment on column bank.customer.word is 'what Countersign shows';
comment on table bank.customer is 'countersign:class=ssn';
create view bank.people as select id, word from bank.customer;
comment on column bank.people.word is 'countersign:class=name';
create table "Odd.One"."T t" ("c c" text);
comment on column "Odd.One"."T t"."c c" is 'countersign:class=name';
create table bank.parted (id int, ssn text, region text) partition by list (region);
create table bank.north partition of bank.parted for values in ('north') partition by list (id);
create table bank.north_one partition of bank.north for values in (1);
create table bank.south partition of bank.parted for values in ('south');
create table bank.base (a text); create table bank.other_base (b text);
create table bank.child (c text, ssn text) inherits (bank.base, bank.other_base);
create table bank.sibling (c text) inherits (bank.base);
create type bank.pair as (a text, b text);
comment on column bank.pair.a is 'countersign:class=pan';
create type bank.nested as (inner_pair bank.pair, n int);
create domain bank.pairs as bank.pair[];
create table bank.holds (one bank.pair, many bank.pairs, deep bank.nested, rows bank.customer[], own bank.pair, free bank.parted);
create table bank.holds_more () inherits (bank.holds);
comment on column bank.holds.own is 'countersign:class=name';
create materialized view bank.totals as select 1 as n;
comment on column bank.totals.n is 'countersign:class=account_number';
set allow_system_table_mods = on;
insert into pg_seclabel values ('bank.customer'::regclass, 'pg_class'::regclass, 1, 'one', 'countersign:class=account_number'),
  ('bank.customer'::regclass, 'pg_class'::regclass, 2, 'other', 'countersign:class=ssn');
`;

const RULES = defaultRules();
const ALL = ['configuration', 'comments', 'labels'];
const bind = (relation: string, column: string, name: string, schema = 'bank'): Binding => ({
  schema,
  relation,
  column,
  class: name,
});

for (const major of [15, 18] as const) {
  const skip = major !== 18 && binariesOf(major) === undefined ? 'not installed' : false;
  describe(`PostgreSQL ${major}`, { skip }, () => {
    let server: PostgresServer;
    let data: CatalogData;

    before(async () => {
      server = await startTestPostgres({ major });
      const admin = new Client({ connectionString: server.url() });
      await admin.connect();
      await admin.query(SETUP);
      await admin.end();
      ({ data } = await loadTestCatalog(server));
    });

    after(() => server.stop());

    const classify = (bindings: readonly Binding[] = [], more: Partial<ClassifyOptions> = {}) => {
      const found = classifyCatalog(data, { bindings, origins: ALL, rules: RULES, ...more });
      const classification = indexClassification(structuredClone(found.data));
      return {
        ...found,
        classification,
        of: (name: string) => {
          const [schema = '', relation = '', column = ''] = name.split('.');
          return classification.classOf(schema, relation, column);
        },
        told: found.warnings.map(({ object, problem }) => `${problem} ${object.join('.')}`),
      };
    };

    test('comments: anywhere in the text, whatever the case; what is not understood is regulated', () => {
      const { of, told, classification } = classify([], { origins: ['comments'] });
      assert.deepEqual(
        ['ssn', 'mail', 'note', 'free', 'half', 'two', 'word', 'id'].map((name) =>
          of(`bank.customer.${name}`),
        ),
        ['ssn', 'email', '*', '*', '*', '*', undefined, undefined],
      );
      assert.deepEqual(told, [
        'unknown bank.customer.note',
        'unreadable bank.customer.free',
        'unreadable bank.customer.half',
        'conflict bank.customer.two',
      ]);
      assert.equal(classification.classOf('Odd.One', 'T t', 'c c'), 'name');
      assert.equal(of('bank.people.word'), 'name');
      assert.equal(of('bank.pair.a'), 'pan');
      assert.equal(of('bank.totals.n'), 'account_number');
      assert.ok(classification.hasClasses('bank', 'customer'));
      assert.ok(!classification.hasClasses('bank', 'parted'));
      assert.deepEqual(
        [...classification.bound].toSorted(),
        ['*', 'account_number', 'email', 'name', 'pan', 'ssn'].toSorted(),
      );
    });

    test('labels count beside comments, of any provider, and only where they are asked for', () => {
      assert.equal(classify().of('bank.customer.id'), 'account_number');
      assert.equal(classify([], { origins: ['labels'] }).of('bank.customer.ssn'), 'ssn');
      assert.equal(classify([], { origins: ['labels'] }).of('bank.customer.mail'), undefined);
      assert.equal(classify([], { origins: ['comments'] }).of('bank.customer.id'), undefined);
    });

    test('the configuration holds over comments; what it names and nobody has is told and kept', () => {
      const { of, told } = classify([
        bind('customer', 'ssn', 'secret'),
        bind('customer', 'mail', 'email'),
        bind('customer', 'note', 'free_text'),
        bind('customer', 'gone', 'ssn'),
        bind('nobody', 'a', 'ssn'),
        bind('nobody', 'b', 'ssn'),
      ]);
      assert.deepEqual(
        ['ssn', 'mail', 'note', 'gone'].map((name) => of(`bank.customer.${name}`)),
        ['secret', 'email', 'free_text', 'ssn'],
      );
      assert.equal(of('bank.nobody.b'), 'ssn');
      assert.deepEqual(told.slice(0, 4), [
        'no-column bank.customer.gone',
        'no-relation bank.nobody',
        'overruled bank.customer.ssn',
        'overruled bank.customer.note',
      ]);
      assert.equal(
        classify([bind('customer', 'id', 'ssn')], { origins: ['comments'] }).of('bank.customer.id'),
        undefined,
      );
    });

    test('partitions and children: a column of the same name is the same, upwards and downwards', () => {
      const family = ['parted', 'north', 'north_one', 'south'];
      for (const bound of family) {
        const { of, told } = classify([bind(bound, 'ssn', 'ssn')], { origins: ['configuration'] });
        assert.deepEqual(
          family.map((name) => of(`bank.${name}.ssn`)),
          ['ssn', 'ssn', 'ssn', 'ssn'],
          bound,
        );
        assert.equal(of('bank.child.ssn'), undefined);
        assert.equal(of('bank.parted.region'), undefined);
        assert.deepEqual(told, []);
      }
      const several = classify([bind('base', 'a', 'name'), bind('child', 'c', 'pan')], {
        origins: ['configuration'],
      });
      assert.deepEqual(
        ['base.a', 'child.a', 'sibling.a', 'child.b', 'child.c', 'sibling.c'].map((name) =>
          several.of(`bank.${name}`),
        ),
        ['name', 'name', 'name', undefined, 'pan', undefined],
      );
    });

    test('where a family differs, only who may see everything sees it', () => {
      const { of, told } = classify([bind('parted', 'ssn', 'ssn'), bind('south', 'ssn', 'email')], {
        origins: ['configuration'],
      });
      assert.deepEqual(
        ['parted', 'north', 'north_one', 'south'].map((name) => of(`bank.${name}.ssn`)),
        ['*', '*', '*', '*'],
      );
      assert.deepEqual(told, ['conflict bank.parted.ssn']);
    });

    test('a column that holds rows of something classified carries what they carry', () => {
      const { of } = classify([], { origins: ['comments'] });
      for (const relation of ['holds', 'holds_more']) {
        assert.deepEqual(
          ['one', 'many', 'deep', 'rows', 'own', 'free'].map((column) => of(`bank.${relation}.${column}`)),
          ['pan', 'pan', 'pan', '*', 'name', undefined],
        );
      }
      assert.equal(of('bank.nested.inner_pair'), 'pan');
    });

    test('the digest is of every binding and of the rules; nothing classified is nothing to do', () => {
      const bindings = [bind('customer', 'id', 'ssn'), bind('customer', 'word', 'pan')];
      const digest = classify(bindings).data.digest;
      assert.equal(classify(bindings.toReversed()).data.digest, digest);
      assert.notEqual(classify(bindings.slice(1)).data.digest, digest);
      const stricter: MaskingRules = { ...RULES, version: 'other' };
      assert.notEqual(classify(bindings, { rules: stricter }).data.digest, digest);
      const nothing = classify([], { origins: ['configuration'] });
      assert.ok(nothing.classification.isEmpty);
      const reading: MaskingRules = { ...RULES, detect: 'all' };
      assert.ok(!classify([], { origins: ['configuration'], rules: reading }).classification.isEmpty);
    });

    test('a snapshot in a file says the same', () => {
      const read = parseCatalog(JSON.stringify(data), 'file');
      const options = { bindings: [], origins: ALL, rules: RULES };
      assert.deepEqual(classifyCatalog(read, options), classifyCatalog(data, options));
    });
  });
}
