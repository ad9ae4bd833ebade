import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { ATTEMPTS, SCOPE, VERIFIER } from './hostile-attempts.ts';
import { MAJORS, outcomeOf, WalledServer } from './harness.ts';

/**
 * Everything that no attempt may change: every role but those that the functions make, every membership but theirs, the setup
 * itself, what is held on what was not offered, and what PUBLIC holds.
 */
const FORBIDDEN = `
  SELECT format('role %s %s %s', a.rolname, to_jsonb(a) - 'oid', a.rolpassword) AS name
    FROM pg_authid a WHERE a.rolname !~ '^cs_(ab)+$'
  UNION ALL SELECT format('attributes %s', a.rolname) FROM pg_authid a
    WHERE a.rolname ~ '^cs_' AND (a.rolsuper OR a.rolcreaterole OR a.rolcreatedb OR a.rolreplication OR a.rolbypassrls)
  UNION ALL SELECT format('member %s of %s', m.member::regrole, m.roleid::regrole)
    FROM pg_auth_members m WHERE m.roleid::regrole::text !~ '^cs_(ab)+$'
  UNION ALL SELECT format('function %s %s %s %s %s', p.oid::regprocedure, md5(p.prosrc), p.proconfig, p.proowner, p.proacl)
    FROM pg_proc p WHERE p.pronamespace = 'countersign'::regnamespace
  UNION ALL SELECT format('offer %s', g) FROM countersign.grantable g
  UNION ALL SELECT format('known %s', r.scope) FROM countersign.role r WHERE r.scope !~ '^(ab)+$'
  UNION ALL SELECT format('relation %s %s', c.oid::regclass, e) FROM pg_class c, aclexplode(c.relacl) e
    WHERE NOT (e.grantee::regrole::text ~ '^cs_(ab)+$' AND c.relnamespace = 'bank'::regnamespace
               AND (e.privilege_type = 'SELECT' OR c.relname = 'orders' AND e.privilege_type IN ('INSERT', 'UPDATE', 'DELETE')
                    OR c.relkind = 'S' AND e.privilege_type = 'USAGE'))
      AND c.relnamespace <> pg_my_temp_schema() AND c.relpersistence <> 't'
  UNION ALL SELECT format('column %s %s %s', a.attrelid::regclass, a.attname, e) FROM pg_attribute a, aclexplode(a.attacl) e
    WHERE NOT (e.grantee::regrole::text ~ '^cs_(ab)+$' AND e.privilege_type = 'SELECT')
  UNION ALL SELECT format('routine %s %s', p.oid::regprocedure, e) FROM pg_proc p, aclexplode(p.proacl) e
    WHERE p.pronamespace = 'bank'::regnamespace AND (p.prosecdef AND p.proname <> 'named_as_owner' OR e.grantee::regrole::text !~ '^cs_(ab)+$')
  UNION ALL SELECT format('schema %s %s', n.nspname, e) FROM pg_namespace n, aclexplode(n.nspacl) e
    WHERE NOT (e.grantee::regrole::text ~ '^cs_(ab)+$' AND (e.privilege_type = 'USAGE' AND n.nspname = 'bank' OR n.nspname = 'scratch'))
  UNION ALL SELECT format('database %s %s', d.datname, e) FROM pg_database d, aclexplode(d.datacl) e
    WHERE NOT (e.grantee::regrole::text ~ '^cs_(ab)+$' AND e.privilege_type = 'CONNECT')
  ORDER BY 1`;

void test('every attempt has an id of its own, and there are enough', () => {
  assert.equal(new Set(ATTEMPTS.map(({ id }) => id)).size, ATTEMPTS.length);
  assert.ok(ATTEMPTS.length >= 40);
});

for (const major of MAJORS) {
  void describe(`hostile use of the setup's functions on PostgreSQL ${major}`, () => {
    let walled: WalledServer;

    before(async () => {
      walled = await WalledServer.start(major);
      const others = 'cd'.repeat(16);
      await walled.dba.query(`
        CREATE ROLE victim LOGIN PASSWORD 'theirs';
        CREATE ROLE cs_${'0'.repeat(32)} LOGIN PASSWORD 'by hand';
        CREATE ROLE other_gateway LOGIN;
        GRANT USAGE ON SCHEMA countersign TO other_gateway;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA countersign TO other_gateway;
        REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC;
        GRANT TEMPORARY ON DATABASE postgres TO countersign_gateway;
        -- More than is offered: then the functions themselves are what stands in the way.
        GRANT ALL ON ALL TABLES IN SCHEMA bank, vault TO countersign_owner WITH GRANT OPTION;
        GRANT ALL ON SCHEMA bank, vault TO countersign_owner WITH GRANT OPTION;
        GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA bank TO countersign_owner WITH GRANT OPTION;
        GRANT TEMPORARY ON DATABASE postgres TO countersign_owner WITH GRANT OPTION;
        SET SESSION AUTHORIZATION other_gateway;
        SELECT countersign.make_role('theirs', '${others}', '${VERIFIER}', '2090-01-01', '{}');
        RESET SESSION AUTHORIZATION;
        REVOKE ALL ON SCHEMA countersign FROM other_gateway`);
    });
    after(async () => walled.stop());

    for (const { id, mechanism, outcome, statements } of ATTEMPTS) {
      void test(`${id} (${mechanism})`, async () => {
        const forbidden = await walled.names(FORBIDDEN);
        const session = await walled.connect();
        try {
          for (const statement of statements.slice(0, -1)) {
            assert.equal(await outcomeOf(session, statement), 'ok', statement);
          }
          assert.equal(await outcomeOf(session, statements.at(-1) ?? ''), outcome);
        } finally {
          await session.end();
        }
        assert.deepEqual(await walled.names(FORBIDDEN), forbidden);
        const cleaner = await walled.connect();
        await cleaner.query(`SELECT countersign.close_role('${SCOPE}')`);
        await cleaner.query(`SELECT countersign.end_role('${SCOPE}')`);
        await cleaner.end();
      });
    }

    void test('a login sees the roles that it had made, and no others', async () => {
      const session = await walled.connect();
      const { rows } = await session.query<{ list: unknown[] }>(
        'SELECT countersign.list_roles(NULL) AS list',
      );
      assert.deepEqual(rows[0]?.list, []);
    });
  });
}
