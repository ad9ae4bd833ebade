import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import type { Client } from 'pg';
import { makeVerifier } from '../../packages/gateway/src/identity/scram-verifier.ts';
import { privilegesOf } from '../../packages/gateway/src/postgres/roles/privileges.ts';
import {
  closeRole,
  endRole,
  listRoles,
  makeRole,
  roleKey,
} from '../../packages/gateway/src/postgres/roles/role-functions.ts';
import type { MadeRole } from '../../packages/gateway/src/postgres/roles/role-functions.ts';
import { removalSql, setupSql } from '../../packages/gateway/src/postgres/roles/setup-sql.ts';
import type { Scope } from '../../packages/gateway/src/grants/scope.ts';
import { isCountersignError } from '../../packages/gateway/src/errors.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import { MAJORS, OBJECTS, outcomeOf, scopeOf, SETUP, WalledServer, withoutPsql } from './harness.ts';

const READER = scopeOf({
  relations: [
    { on: [{ schema: 'bank', name: 'accounts' }], verbs: ['select'], columns: ['id', 'status'] },
    { on: [{ schema: 'bank', name: 'open_accounts' }], verbs: ['select'], columns: '*' },
  ],
});
const WRITER = scopeOf({
  relations: [
    { on: [{ schema: 'bank', name: 'orders' }], verbs: ['select', 'insert', 'update'], columns: '*' },
  ],
  functions: [{ schema: 'bank', name: 'transfer' }],
});
const EVERYTHING = scopeOf({
  relations: [
    { on: [{}], verbs: ['select', 'insert', 'update', 'delete', 'truncate', 'maintain'], columns: '*' },
  ],
  functions: [{}],
  ddl: 'any',
  allow: 'all',
});

/** Of what sessions with `ddl` leave: a part of it, one column only of what is read. */
const LATE = scopeOf({
  relations: [
    { on: [{ schema: 'scratch' }], verbs: ['insert'], columns: '*' },
    { on: [{ schema: 'scratch' }], verbs: ['select'], columns: ['a'] },
  ],
  functions: [{ schema: 'scratch' }],
});

const GIVEN = scopeOf({
  relations: [{ on: [{ schema: 'bank', name: 'given' }], verbs: ['select'], columns: ['a'] }],
  functions: [{ schema: 'bank', name: 'given' }],
});

/** What each role may and may not do: the SQLSTATE of the server itself, no gateway in between. */
const BEYOND: readonly [scope: 'reader' | 'writer' | 'everything', statement: string, outcome: string][] = [
  ['reader', 'SELECT id, status FROM bank.accounts', 'ok'],
  ['reader', 'SELECT count(*) FROM bank.accounts', 'ok'],
  ['reader', 'SELECT * FROM bank.open_accounts', 'ok'],
  ['reader', 'SELECT secret FROM bank.accounts', '42501'],
  ['reader', 'SELECT * FROM bank.accounts', '42501'],
  ['reader', 'SELECT a FROM bank.accounts a', '42501'],
  ['reader', 'SELECT id FROM bank.orders', '42501'],
  ['reader', 'SELECT 1 FROM vault.keys', '42501'],
  ['reader', 'SET default_transaction_read_only = off', 'ok'],
  ['reader', "INSERT INTO bank.accounts (status) VALUES ('x')", '42501'],
  ['reader', "UPDATE bank.accounts SET status = 'x'", '42501'],
  ['reader', 'DELETE FROM bank.accounts', '42501'],
  ['reader', 'TRUNCATE bank.accounts', '42501'],
  ['reader', 'SELECT id FROM bank.accounts FOR UPDATE', '42501'],
  ['reader', 'DO $$BEGIN LOCK TABLE bank.accounts IN EXCLUSIVE MODE; END$$', '42501'],
  ['reader', 'COPY bank.accounts TO STDOUT', '42501'],
  ['reader', "COPY (SELECT 1) TO PROGRAM 'true'", '42501'],
  ['reader', "SELECT nextval('bank.accounts_id_seq')", '42501'],
  ['reader', 'SELECT bank.transfer(1)', '42501'],
  ['reader', 'SELECT bank.as_owner()', '42501'],
  ['reader', 'CREATE TABLE scratch.t (a int)', '42501'],
  ['reader', 'CREATE SCHEMA mine', '42501'],
  ['reader', 'CREATE ROLE friend', '42501'],
  ['reader', `SET ROLE ${OBJECTS}`, '42501'],
  ['reader', `SET ROLE ${SETUP.owner}`, '42501'],
  ['reader', 'SET SESSION AUTHORIZATION postgres', '42501'],
  ['reader', 'SELECT * FROM countersign.role', '42501'],
  ['reader', "SELECT countersign.list_roles('n')", '42501'],
  ['reader', 'SELECT rolpassword FROM pg_authid', '42501'],
  ['reader', "SELECT pg_read_file('PG_VERSION')", '42501'],
  ['writer', 'INSERT INTO bank.orders (amount) VALUES (1)', 'ok'],
  ['writer', 'UPDATE bank.orders SET amount = 2 WHERE id = 1', 'ok'],
  ['writer', 'SELECT bank.transfer(1)', 'ok'],
  ['writer', 'DELETE FROM bank.orders', '42501'],
  ['writer', 'TRUNCATE bank.orders', '42501'],
  ['writer', "SELECT setval('bank.orders_id_seq', 1)", '42501'],
  ['writer', 'SELECT bank.balance(1)', '42501'],
  ['writer', 'SELECT id FROM bank.accounts', '42501'],
  ['writer', 'ALTER TABLE bank.orders OWNER TO CURRENT_USER', '42501'],
  ['everything', 'SELECT secret FROM bank.accounts', 'ok'],
  ['everything', 'DELETE FROM bank.orders', 'ok'],
  ['everything', "INSERT INTO bank.accounts (status) VALUES ('x')", '42501'],
  ['everything', 'SELECT material FROM vault.keys', '42501'],
  ['everything', 'SELECT bank.named_as_owner()', 'ok'],
  ['everything', 'SELECT bank.as_owner()', '42501'],
  ['everything', 'CREATE TABLE scratch.made (a int)', 'ok'],
  ['everything', 'CREATE TABLE bank.made (a int)', '42501'],
  ['everything', 'ALTER TABLE bank.orders ADD COLUMN b int', '42501'],
  ['everything', 'DROP TABLE bank.orders', '42501'],
];

function keyOf(scope: Scope): string {
  return roleKey('node', 'bank', 'postgres', scope.digest);
}

async function privilegesHeld(walled: WalledServer, role: string): Promise<string[]> {
  return await walled.names(`SELECT format('%s.%s %s', n.nspname, c.relname, e.privilege_type) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) e
    WHERE e.grantee = '${role}'::regrole
    UNION ALL SELECT format('%s.%s %s', a.attrelid::regclass, a.attname, e.privilege_type)
    FROM pg_attribute a, aclexplode(a.attacl) e WHERE e.grantee = '${role}'::regrole ORDER BY 1`);
}

for (const major of MAJORS) {
  void describe(`roles of scopes on PostgreSQL ${major}`, () => {
    let walled: WalledServer;
    const made = new Map<string, MadeRole>();
    const sessions = new Map<string, Client>();
    const scopes: Readonly<Record<string, Scope>> = {
      reader: READER,
      writer: WRITER,
      everything: EVERYTHING,
    };

    before(async () => {
      walled = await WalledServer.start(major);
      const catalog = await loadTestCatalog(walled.server);
      for (const [name, scope] of Object.entries(scopes)) {
        const role = await makeRole(walled.run(), {
          node: 'node',
          key: keyOf(scope),
          verifier: await makeVerifier(name),
          validUntilMs: Date.now() + 3_600_000,
          privileges: privilegesOf(scope, catalog),
        });
        made.set(name, role);
        sessions.set(name, await walled.connect(role.role, name));
      }
    });
    after(async () => walled.stop());

    for (const [scope, statement, outcome] of BEYOND) {
      void test(`${scope}: ${statement}: ${outcome}`, async () => {
        const session = sessions.get(scope);
        assert.ok(session);
        assert.equal(await outcomeOf(session, statement), outcome);
      });
    }

    void test('what is held in the catalog is the scope and no more', async () => {
      assert.deepEqual(await privilegesHeld(walled, made.get('reader')?.role ?? ''), [
        'bank.accounts.id SELECT',
        'bank.accounts.status SELECT',
        'bank.open_accounts SELECT',
      ]);
      assert.deepEqual(await privilegesHeld(walled, made.get('writer')?.role ?? ''), [
        'bank.orders INSERT',
        'bank.orders SELECT',
        'bank.orders UPDATE',
        'bank.orders_id_seq USAGE',
      ]);
    });

    void test('what the scope says and the target does not offer is named', () => {
      assert.deepEqual(made.get('reader')?.skipped, []);
      const skipped = made.get('everything')?.skipped ?? [];
      assert.ok(skipped.includes('select vault.keys: not offered'), skipped.join('\n'));
      assert.ok(skipped.includes('execute bank.as_owner: not offered'));
      assert.ok(skipped.includes('ddl bank.: not offered'));
    });

    void test('the same again changes nothing, another scope takes back what it does not say', async () => {
      const catalog = await loadTestCatalog(walled.server);
      const ask = async (scope: Scope, privileges: Scope): Promise<MadeRole> =>
        await makeRole(walled.run(), {
          node: 'node',
          key: keyOf(scope),
          verifier: await makeVerifier('writer'),
          validUntilMs: Date.now() + 3_600_000,
          privileges: privilegesOf(privileges, catalog),
        });
      const again = await ask(WRITER, WRITER);
      assert.equal(again.isNew, false);
      const session = sessions.get('writer');
      assert.ok(session);
      assert.equal(await outcomeOf(session, 'INSERT INTO bank.orders (amount) VALUES (1)'), 'ok');
      await session.query('ALTER ROLE CURRENT_USER SET search_path = scratch');
      await session.query('ALTER ROLE CURRENT_USER IN DATABASE postgres SET search_path = scratch');
      await ask(WRITER, READER);
      const role = made.get('writer')?.role ?? '';
      const left = `SELECT unnest(setconfig) AS name FROM pg_db_role_setting WHERE setrole = '${role}'::regrole`;
      assert.deepEqual(await walled.names(left), ['default_transaction_read_only=on']);
      assert.equal(await outcomeOf(session, 'INSERT INTO bank.orders (amount) VALUES (1)'), '42501');
      assert.equal(await outcomeOf(session, 'SELECT bank.transfer(1)'), '42501');
      assert.equal(await outcomeOf(session, "SELECT nextval('bank.orders_id_seq')"), '42501');
      await ask(WRITER, WRITER);
      assert.equal(await outcomeOf(session, 'INSERT INTO bank.orders (amount) VALUES (1)'), 'ok');
    });

    void test('the setup can be run again, and keeps what was offered and made', async () => {
      const roles = await walled.rolesThere();
      await walled.dba.query(withoutPsql(setupSql(SETUP)));
      assert.deepEqual(await walled.rolesThere(), roles);
      const { rows } = await walled.dba.query<{ changes: string }>(
        'SELECT countersign.apply_offers() AS changes',
      );
      assert.equal(rows[0]?.changes, '0');
    });

    void test('a setup with another prefix goes on with the roles that there are', async () => {
      const roles = await walled.rolesThere();
      await walled.dba.query(withoutPsql(setupSql({ ...SETUP, prefix: 'other_' })));
      const again = await makeRole(walled.run(), {
        node: 'node',
        key: keyOf(WRITER),
        verifier: await makeVerifier('writer'),
        validUntilMs: Date.now() + 3_600_000,
        privileges: privilegesOf(WRITER, await loadTestCatalog(walled.server)),
      });
      assert.equal(again.role, made.get('writer')?.role);
      await walled.dba.query(withoutPsql(setupSql(SETUP)));
      assert.deepEqual(await walled.rolesThere(), roles);
    });

    void test('what is offered no more is taken back from everybody', async () => {
      await walled.dba.query("DELETE FROM countersign.grantable WHERE object = 'named_as_owner'");
      await walled.dba.query('SELECT countersign.apply_offers()');
      const session = sessions.get('everything');
      assert.ok(session);
      assert.equal(await outcomeOf(session, 'SELECT bank.named_as_owner()'), '42501');
    });

    void test('an end closes the login, ends the sessions, hands over what was made, and drops the role', async () => {
      const key = keyOf(EVERYTHING);
      const session = sessions.get('everything');
      assert.ok(session);
      for (const statement of [
        "CREATE FUNCTION scratch.one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TYPE scratch.mood AS ENUM ('calm')",
        'CREATE SEQUENCE scratch.numbers',
      ]) {
        assert.equal(await outcomeOf(session, statement), 'ok', statement);
      }
      await assert.rejects(endRole(walled.run(), key), (error) =>
        isCountersignError(error, 'CS_ROLE_UNAVAILABLE'),
      );
      assert.equal(await closeRole(walled.run(), key), true);
      const outcome = await endRole(walled.run(), key);
      assert.deepEqual(
        { ...outcome, terminated: 0 },
        { ended: true, terminated: 0, reassigned: 4, leftovers: 0 },
      );
      assert.equal(outcome.terminated, 1);
      assert.deepEqual(
        await walled.names("SELECT tableowner AS name FROM pg_tables WHERE tablename = 'made'"),
        [OBJECTS],
      );
      // Lent for the moment only: a role with another ddl scope has the rights of this owner.
      assert.deepEqual(
        await walled.names(
          `SELECT nspname AS name FROM pg_namespace WHERE has_schema_privilege('${OBJECTS}', oid, 'CREATE')`,
        ),
        [],
      );
      const left = await listRoles(walled.run(), 'node');
      assert.equal(left.length, 2);
    });

    void test('a later role of the same scope can go on with what was made', async () => {
      const catalog = await loadTestCatalog(walled.server);
      const { role } = await makeRole(walled.run(), {
        node: 'node',
        key: keyOf(EVERYTHING),
        verifier: await makeVerifier('again'),
        validUntilMs: Date.now() + 3_600_000,
        privileges: privilegesOf(EVERYTHING, catalog),
      });
      const session = await walled.connect(role, 'again');
      assert.equal(await outcomeOf(session, 'ALTER TABLE scratch.made ADD COLUMN b int'), 'ok');
      assert.equal(await outcomeOf(session, 'DROP TABLE scratch.made'), 'ok');
    });

    void test('what sessions left can be offered to others, taken back, and keeps no role', async () => {
      await walled.dba.query(
        `CREATE TABLE scratch.kept (a int, b int); ALTER TABLE scratch.kept OWNER TO ${OBJECTS};
         CREATE FUNCTION scratch.kept() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION scratch.kept() OWNER TO ${OBJECTS};
         REVOKE EXECUTE ON FUNCTION scratch.kept() FROM PUBLIC;
         UPDATE countersign.grantable SET verbs = '{ddl,select,insert,execute}' WHERE schema = 'scratch'`,
      );
      const offer = (): Promise<unknown> => walled.dba.query('SELECT countersign.apply_offers()');
      await offer();
      const key = keyOf(LATE);
      const { role } = await makeRole(walled.run(), {
        node: 'node',
        key,
        verifier: await makeVerifier('late'),
        validUntilMs: Date.now() + 3_600_000,
        privileges: privilegesOf(LATE, await loadTestCatalog(walled.server)),
      });
      const session = await walled.connect(role, 'late');
      assert.equal(await outcomeOf(session, 'INSERT INTO scratch.kept (a) VALUES (scratch.kept())'), 'ok');
      assert.equal(await outcomeOf(session, 'SELECT a FROM scratch.kept'), 'ok');
      await offer();
      await walled.dba.query(
        "UPDATE countersign.grantable SET verbs = '{ddl,insert}' WHERE schema = 'scratch'",
      );
      await offer();
      assert.equal(await outcomeOf(session, 'SELECT a FROM scratch.kept'), '42501');
      assert.equal(await outcomeOf(session, 'SELECT scratch.kept()'), '42501');
      assert.equal(await outcomeOf(session, 'INSERT INTO scratch.kept (a) VALUES (1)'), 'ok');
      await closeRole(walled.run(), key);
      assert.equal((await endRole(walled.run(), key)).ended, true);
      await walled.dba.query('DROP TABLE scratch.kept; DROP FUNCTION scratch.kept()');
    });

    for (const isOfferedAgain of [false, true]) {
      const how = isOfferedAgain ? 'and offered again' : 'and nothing else';
      void test(`a table of the DBA that is given to the owner of objects, ${how}, keeps no role`, async () => {
        await walled.dba.query(
          `CREATE TABLE bank.given (a int, b int);
           CREATE FUNCTION bank.given() RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT countersign.apply_offers()`,
        );
        const key = keyOf(GIVEN);
        const { role } = await makeRole(walled.run(), {
          node: 'node',
          key,
          verifier: await makeVerifier('given'),
          validUntilMs: Date.now() + 3_600_000,
          privileges: privilegesOf(GIVEN, await loadTestCatalog(walled.server)),
        });
        const session = await walled.connect(role, 'given');
        assert.equal(await outcomeOf(session, 'SELECT a, bank.given() FROM bank.given'), 'ok');
        assert.equal(await outcomeOf(session, 'SELECT b FROM bank.given'), '42501');
        await walled.dba.query(
          `ALTER TABLE bank.given OWNER TO ${OBJECTS}; ALTER FUNCTION bank.given() OWNER TO ${OBJECTS}`,
        );
        if (isOfferedAgain) await walled.dba.query('SELECT countersign.apply_offers()');
        await closeRole(walled.run(), key);
        assert.equal((await endRole(walled.run(), key)).ended, true);
        await walled.dba.query('DROP TABLE bank.given; DROP FUNCTION bank.given()');
        await walled.dba.query('SELECT countersign.apply_offers()');
      });
    }

    void test('a function in a schema that is offered no more stays with its role, which is told', async () => {
      const key = keyOf(EVERYTHING);
      await walled.dba.query("DELETE FROM countersign.grantable WHERE schema = 'scratch'");
      const [role] = await walled.names(
        "SELECT a.rolname AS name FROM countersign.role r JOIN pg_roles a ON a.oid = r.role_oid WHERE a.rolcanlogin AND r.scope = '" +
          `${key}'`,
      );
      assert.ok(role);
      const session = await walled.connect(role, 'again');
      const made = "CREATE FUNCTION scratch.two() RETURNS int LANGUAGE sql AS 'SELECT 2'";
      assert.equal(await outcomeOf(session, made), 'ok');
      await walled.dba.query('SELECT countersign.apply_offers()');
      await closeRole(walled.run(), key);
      const outcome = await endRole(walled.run(), key);
      assert.deepEqual(
        { ...outcome, terminated: 0 },
        { ended: false, terminated: 0, reassigned: 0, leftovers: 1, why: 'objects' },
      );
      await walled.dba.query('DROP FUNCTION scratch.two()');
      assert.equal((await endRole(walled.run(), key)).ended, true);
    });

    void test('what the role owns and nobody takes over is not dropped: the role stays, without a login', async () => {
      const key = keyOf(READER);
      const role = made.get('reader')?.role ?? '';
      // Another database: nobody can reassign what is in there from here.
      await walled.dba.query(`GRANT CREATE ON DATABASE postgres TO ${role}`);
      await walled.dba.query('CREATE DATABASE other');
      await walled.dba.query(`GRANT CREATE ON DATABASE other TO ${role}`);
      await closeRole(walled.run(), key);
      const outcome = await endRole(walled.run(), key);
      assert.equal(outcome.ended, false);
      assert.equal(outcome.why, 'dependencies');
      assert.ok(outcome.leftovers > 0);
      assert.deepEqual(
        await walled.names(`SELECT rolcanlogin::text AS name FROM pg_roles WHERE rolname = '${role}'`),
        ['false'],
      );
      await walled.dba.query(
        `REVOKE CREATE ON DATABASE other FROM ${role}; REVOKE CREATE ON DATABASE postgres FROM ${role}`,
      );
      assert.equal((await endRole(walled.run(), key)).ended, true);
    });

    void test('the removal leaves nothing of the setup', async () => {
      await walled.dba.query(withoutPsql(removalSql(SETUP)));
      assert.deepEqual(await walled.rolesThere(), []);
      assert.deepEqual(
        await walled.names("SELECT nspname AS name FROM pg_namespace WHERE nspname = 'countersign'"),
        [],
      );
      await walled.dba.query(`DROP ROLE ${SETUP.owner}`);
    });
  });
}
