import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import {
  checkDatabase,
  checkLogin,
  checkSetup,
} from '../../packages/gateway/src/postgres/roles/check-target.ts';
import type { Finding } from '../../packages/gateway/src/postgres/roles/check-target.ts';
import type { OwnSession } from '../../packages/gateway/src/postgres/upstream/own-session.ts';
import { openOwnSession } from '../support/catalog.ts';
import { LOGIN, LOGIN_PASSWORD, MAJORS, SETUP, WalledServer } from './harness.ts';

/** Each weakness by itself: what the DBA does, and the finding that must tell. Its own cure must end it. */
const WEAKNESSES: readonly [id: string, statement: string, undo?: string][] = [
  ['public-relations', 'GRANT SELECT ON vault.keys TO PUBLIC'],
  ['public-relations', 'GRANT USAGE ON SEQUENCE bank.orders_id_seq TO PUBLIC'],
  ['public-columns', 'GRANT SELECT (material) ON vault.keys TO PUBLIC'],
  ['public-schema-create', 'GRANT CREATE ON SCHEMA bank TO PUBLIC'],
  [
    'public-security-definer',
    'GRANT USAGE ON SCHEMA bank TO PUBLIC; GRANT EXECUTE ON FUNCTION bank.as_owner() TO PUBLIC',
  ],
  // A role of a scope may use the schema, although PUBLIC may not.
  ['public-security-definer', 'GRANT EXECUTE ON FUNCTION bank.as_owner() TO PUBLIC'],
  ['public-functions', 'GRANT EXECUTE ON FUNCTION bank.transfer(int) TO PUBLIC'],
  ['public-temporary', 'GRANT TEMPORARY ON DATABASE postgres TO PUBLIC'],
  ['public-connect', 'GRANT CONNECT ON DATABASE postgres TO PUBLIC'],
  ['public-large-objects', 'GRANT EXECUTE ON FUNCTION lo_create(oid) TO PUBLIC'],
  ['public-language', 'GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC'],
  ['default-privileges', 'ALTER DEFAULT PRIVILEGES IN SCHEMA bank GRANT SELECT ON TABLES TO PUBLIC'],
  [
    'public-server',
    'CREATE FOREIGN DATA WRAPPER w; CREATE SERVER elsewhere FOREIGN DATA WRAPPER w; GRANT USAGE ON FOREIGN SERVER elsewhere TO PUBLIC',
  ],
  ['login-attributes', `ALTER ROLE ${LOGIN} CREATEROLE`],
  ['login-attributes', `ALTER ROLE ${LOGIN} BYPASSRLS`],
  ['login-memberships', `GRANT pg_execute_server_program TO ${LOGIN}`],
  ['login-memberships', `GRANT pg_read_all_stats TO ${LOGIN}`],
  ['login-other-memberships', `GRANT ${SETUP.owner} TO ${LOGIN}`],
  [
    'login-owns',
    `CREATE TABLE bank.theirs (a int); ALTER TABLE bank.theirs OWNER TO ${LOGIN}`,
    'DROP TABLE bank.theirs',
  ],
  [
    'login-security-definer',
    `GRANT USAGE ON SCHEMA bank TO ${LOGIN}; GRANT EXECUTE ON FUNCTION bank.as_owner() TO ${LOGIN}`,
  ],
  ['roles-login-privileges', `GRANT SELECT ON bank.accounts TO ${LOGIN}`],
  ['setup-owner', `ALTER ROLE ${SETUP.owner} LOGIN`],
  ['setup-owner', `GRANT ${SETUP.owner} TO ${LOGIN}`],
  ['setup-unknown', 'CREATE FUNCTION countersign.mine() RETURNS int LANGUAGE sql AS $$SELECT 1$$'],
];

/** Those that have no cure of one statement: the setup is run again, or it is a note. */
const NOTES: readonly [id: string, statement: string, undo: string][] = [
  [
    'setup-changed',
    `ALTER FUNCTION countersign.close_role(text) RESET search_path`,
    'ALTER FUNCTION countersign.close_role(text) SET search_path = pg_catalog, pg_temp',
  ],
  [
    'setup-changed',
    `GRANT EXECUTE ON FUNCTION countersign.make_role(text, text, text, timestamptz, jsonb) TO PUBLIC`,
    `REVOKE EXECUTE ON FUNCTION countersign.make_role(text, text, text, timestamptz, jsonb) FROM PUBLIC`,
  ],
  [
    'setup-changed',
    `ALTER FUNCTION countersign.end_role(text) SECURITY INVOKER`,
    `ALTER FUNCTION countersign.end_role(text) SECURITY DEFINER`,
  ],
  [
    'setup-changed',
    `ALTER FUNCTION countersign.end_role(text) OWNER TO postgres`,
    `ALTER FUNCTION countersign.end_role(text) OWNER TO ${SETUP.owner}`,
  ],
  [
    'setup-missing',
    `ALTER FUNCTION countersign.list_roles(text) RENAME TO list`,
    `ALTER FUNCTION countersign.list(text) RENAME TO list_roles`,
  ],
  [
    'row-security',
    `ALTER TABLE bank.accounts ENABLE ROW LEVEL SECURITY`,
    `ALTER TABLE bank.accounts DISABLE ROW LEVEL SECURITY`,
  ],
  [
    'login-settings',
    `ALTER ROLE ${LOGIN} SET default_transaction_read_only = on`,
    `ALTER ROLE ${LOGIN} RESET default_transaction_read_only`,
  ],
];

for (const major of MAJORS) {
  void describe(`target check on PostgreSQL ${major}`, () => {
    let walled: WalledServer;
    let session: OwnSession;

    const findings = async (): Promise<readonly Finding[]> => [
      ...(await checkLogin(session, LOGIN, true)),
      ...(await checkSetup(session, SETUP)),
      ...(await checkDatabase(session)),
    ];

    before(async () => {
      walled = await WalledServer.start(major);
      session = await openOwnSession({ port: walled.server.port, user: LOGIN, password: LOGIN_PASSWORD });
    });
    after(async () => {
      session.end();
      await walled.stop();
    });

    void test('a fresh server has what PUBLIC holds by default, and nothing of the setup is found', async () => {
      const found = await findings();
      // Before 15 everybody may create in `public`.
      const expected = ['public-connect', 'public-language', 'public-large-objects']
        .concat(major < 15 ? ['public-schema-create'] : [])
        .concat('public-temporary');
      assert.deepEqual(found.map(({ id }) => id).toSorted(), expected);
      for (const { cure } of found) await walled.dba.query(cure ?? '');
      assert.deepEqual(
        await walled.dba.query(`GRANT CONNECT ON DATABASE postgres TO ${LOGIN}`).then(() => findings()),
        [],
      );
    });

    for (const [id, statement, undo] of WEAKNESSES) {
      void test(`${id}: ${statement}`, async () => {
        await walled.dba.query(statement);
        const found = await findings();
        assert.ok(
          found.some((finding) => finding.id === id),
          JSON.stringify(found),
        );
        for (const { cure = '' } of found) await walled.dba.query(cure.replaceAll('<owner>', 'postgres'));
        assert.deepEqual(await findings(), []);
        if (undo !== undefined) await walled.dba.query(undo);
      });
    }

    void test('the cure for functions leaves those of an extension that only computes', async () => {
      await walled.dba.query('CREATE SCHEMA tools; CREATE EXTENSION citext SCHEMA tools');
      await walled.dba.query('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tools TO PUBLIC');
      const found = await findings();
      assert.deepEqual(
        found.map(({ id }) => id),
        ['public-functions'],
      );
      for (const { cure = '' } of found) await walled.dba.query(cure);
      assert.deepEqual(await findings(), []);
      const { rows } = await walled.dba.query(
        "SELECT has_function_privilege('public', 'tools.citext_eq(tools.citext, tools.citext)', 'EXECUTE') AS may",
      );
      assert.deepEqual(rows, [{ may: true }]);
      await walled.dba.query('DROP EXTENSION citext; DROP SCHEMA tools');
    });

    for (const [id, statement, undo] of NOTES) {
      void test(`${id}: ${statement}`, async () => {
        await walled.dba.query(statement);
        assert.ok((await findings()).some((finding) => finding.id === id));
        await walled.dba.query(undo);
        assert.deepEqual(await findings(), []);
      });
    }

    void test('a login that is a superuser is found, whatever else it is', async () => {
      const superuser = await openOwnSession(walled.server);
      const found = await checkLogin(superuser, 'postgres', false);
      superuser.end();
      assert.ok(
        found.some(({ severity, what }) => severity === 'high' && what === 'postgres is a superuser'),
      );
    });

    void test('a database without the setup is found', async () => {
      await walled.dba.query('CREATE DATABASE bare');
      const bare = await openOwnSession(walled.server, 'bare');
      const found = await checkSetup(bare, { ...SETUP, database: 'bare' });
      bare.end();
      assert.deepEqual(
        found.map(({ id }) => id),
        ['setup-missing'],
      );
    });
  });
}
