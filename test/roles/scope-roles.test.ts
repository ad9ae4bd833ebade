import { strict as assert } from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { CountersignError, isCountersignError } from '../../packages/gateway/src/errors.ts';
import type { Scope } from '../../packages/gateway/src/grants/scope.ts';
import { ScopeRoles } from '../../packages/gateway/src/postgres/roles/scope-roles.ts';
import type {
  RoleLease,
  RoleNews,
  ScopeRolesOptions,
} from '../../packages/gateway/src/postgres/roles/scope-roles.ts';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import { MAJORS, outcomeOf, scopeOf, WalledServer } from './harness.ts';

const READER = scopeOf({
  relations: [{ on: [{ schema: 'bank' }], verbs: ['select'], columns: '*' }],
});
const WRITER = scopeOf({
  relations: [{ on: [{ schema: 'bank', name: 'orders' }], verbs: ['select', 'insert'], columns: '*' }],
});

const GRANT_ENDS_AT_MS = Date.now() + 3_600_000;

function isUnavailable(error: unknown): boolean {
  return isCountersignError(error, 'CS_ROLE_UNAVAILABLE');
}

class TestGrant {
  readonly #listeners = new Set<() => void>();
  readonly onEnd = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  end(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** A gateway's roles, with what it told. */
class TestRoles {
  readonly roles: ScopeRoles;
  readonly statements: string[] = [];
  readonly news: (RoleNews & { readonly role: string })[] = [];
  readonly failures: unknown[] = [];
  readonly #walled: WalledServer;
  readonly #catalog: Catalog;

  constructor(walled: WalledServer, catalog: Catalog, options: Partial<ScopeRolesOptions> = {}) {
    this.#walled = walled;
    this.#catalog = catalog;
    this.roles = new ScopeRoles({
      node: 'node',
      secrets: { read: async () => Promise.reject(new CountersignError('CS_SECRET_UNAVAILABLE')) },
      statements: () => walled.run(this.statements),
      onNews: ({ role }, news) => this.news.push({ role, ...news }),
      onFailure: (_target, error) => this.failures.push(error),
      graceMs: 0,
      ...options,
    });
  }

  async acquire(
    scope: Scope,
    grant = new TestGrant(),
    idleMs = 3_600_000,
    catalog = this.#catalog,
  ): Promise<RoleLease> {
    const { target } = this.#walled;
    return await this.roles.acquire({
      target: { ...target, roles: { login: 'roles', prefix: 'cs_', idleMs } },
      database: 'postgres',
      scope,
      catalog,
      grantEndsAtMs: GRANT_ENDS_AT_MS,
      onGrantEnd: grant.onEnd,
    });
  }

  async login({ role, login, secrets }: RoleLease): Promise<Client> {
    assert.ok(login.password);
    return await this.#walled.connect(role, (await secrets.read(login.password)).toString());
  }

  /** Calls of a function so far. */
  calls(name: string): number {
    return this.statements.filter((statement) => statement.includes(`countersign.${name}(`)).length;
  }

  async told(type: RoleNews['type']): Promise<RoleNews & { readonly role: string }> {
    for (;;) {
      const found = this.news.find((each) => each.type === type);
      if (found !== undefined) return found;
      assert.deepEqual(this.failures, []);
      await new Promise((resolve) => {
        setTimeout(resolve, 10);
      });
    }
  }
}

for (const major of MAJORS) {
  void describe(`the roles of a gateway on PostgreSQL ${major}`, () => {
    let walled: WalledServer;
    let catalog: Catalog;

    before(async () => {
      walled = await WalledServer.start(major);
      catalog = await loadTestCatalog(walled.server);
    });
    after(async () => walled.stop());

    void test('50 sessions of two scopes share two roles, which are made once each', async () => {
      const test = new TestRoles(walled, catalog);
      const leases = await Promise.all(
        Array.from({ length: 50 }, async (_, index) => test.acquire(index % 2 === 0 ? READER : WRITER)),
      );
      assert.equal(new Set(leases.map(({ role }) => role)).size, 2);
      assert.equal(test.calls('make_role'), 2);
      assert.deepEqual(test.roles.figures, {
        roles: 2,
        leases: 50,
        created: 2,
        ended: 0,
        swept: 0,
        failures: 0,
        leftovers: 0,
      });
      const clients = await Promise.all(leases.map(async (lease) => test.login(lease)));
      const outcomes = await Promise.all(
        clients.map(async (client) => outcomeOf(client, 'INSERT INTO bank.orders (amount) VALUES (1)')),
      );
      for (const [index, outcome] of outcomes.entries()) assert.notEqual(outcome === 'ok', index % 2 === 0);
      await Promise.all(clients.map(async (client) => client.end()));
      for (const lease of leases) lease.release();
      for (const lease of leases) lease.release();
      assert.equal(test.roles.figures.leases, 0);
      assert.equal((await walled.rolesThere()).length, 2);
      await test.roles.close(60_000);
      assert.deepEqual(await walled.rolesThere(), []);
      assert.equal(test.roles.figures.ended, 2);
    });

    void test('changes that collide with those of others are tried again', async () => {
      const nodes = Array.from(
        { length: 8 },
        (_, index) => new TestRoles(walled, catalog, { node: `node-${index}` }),
      );
      const grantAndRevoke = async (): Promise<void> => {
        for (let round = 0; round < 20; round += 1) {
          await outcomeOf(walled.dba, 'GRANT SELECT ON bank.orders TO PUBLIC');
          await outcomeOf(walled.dba, 'REVOKE SELECT ON bank.orders FROM PUBLIC');
        }
      };
      await Promise.all([...nodes.map(async (each) => each.acquire(READER)), grantAndRevoke()]);
      await walled.dba.query('REVOKE SELECT ON bank.orders FROM PUBLIC');
      assert.equal((await walled.rolesThere()).length, 8);
      await Promise.all(nodes.map(async (each) => each.roles.close(60_000)));
      assert.deepEqual(await walled.rolesThere(), []);
    });

    void test('a role is dropped some time after its last session, and made anew for the next', async () => {
      const test = new TestRoles(walled, catalog);
      const lease = await test.acquire(READER, new TestGrant(), 0);
      const role = lease.role;
      lease.release();
      assert.deepEqual(await test.told('role.ended'), {
        type: 'role.ended',
        role,
        cause: 'idle',
        ended: true,
        leftovers: 0,
      });
      assert.deepEqual(await walled.rolesThere(), []);
      const again = await test.acquire(READER);
      assert.equal(again.role, role);
      assert.deepEqual(await walled.rolesThere(), [role]);
      await test.roles.close(60_000);
    });

    void test('a session that comes while its role is being dropped gets one that stays', async () => {
      const test = new TestRoles(walled, catalog);
      for (let round = 0; round < 5; round += 1) {
        const lease = await test.acquire(READER, new TestGrant(), 0);
        lease.release();
        await new Promise((resolve) => {
          setTimeout(resolve, round);
        });
        const next = await test.acquire(READER);
        const client = await test.login(next);
        assert.equal(await outcomeOf(client, 'SELECT id FROM bank.accounts'), 'ok');
        await client.end();
        next.release();
      }
      await test.roles.close(60_000);
    });

    void test('the end of a grant ends the sessions of its role', async () => {
      const test = new TestRoles(walled, catalog);
      const grant = new TestGrant();
      const lease = await test.acquire(READER, grant);
      const client = await test.login(lease);
      const lost = new Promise((resolve) => {
        client.once('end', resolve);
      });
      grant.end();
      await lost;
      const told = await test.told('role.ended');
      assert.equal(told.type === 'role.ended' && told.cause, 'grant');
      assert.deepEqual(await walled.rolesThere(), []);
      lease.release();
    });

    void test('a role stays while another grant with the same scope lives', async () => {
      const test = new TestRoles(walled, catalog);
      const [ending, living] = [new TestGrant(), new TestGrant()];
      const one = await test.acquire(READER, ending);
      const other = await test.acquire(READER, living);
      assert.equal(one.role, other.role);
      const client = await test.login(other);
      ending.end();
      one.release();
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
      assert.equal(await outcomeOf(client, 'SELECT id FROM bank.accounts'), 'ok');
      await test.roles.close(60_000);
    });

    void test('what a crash leaves is swept by the next run, and nothing else is', async () => {
      const crashed = new TestRoles(walled, catalog);
      const lease = await crashed.acquire(READER);
      const left = await crashed.login(lease);
      const lost = new Promise((resolve) => {
        left.once('end', resolve);
      });
      const neighbour = new TestRoles(walled, catalog, { node: 'another' });
      const theirs = await neighbour.acquire(READER);

      const next = new TestRoles(walled, catalog);
      const own = await next.acquire(WRITER);
      await next.roles.sweep(walled.target, 'postgres');
      await lost;
      assert.deepEqual(await walled.rolesThere(), [own.role, theirs.role].toSorted());
      const swept = await next.told('role.swept');
      assert.deepEqual(swept, { type: 'role.swept', role: lease.role, ended: true, leftovers: 0 });
      assert.equal(next.roles.figures.swept, 1);
      await next.roles.sweep(walled.target, 'postgres');
      assert.equal(next.roles.figures.swept, 1);
      await Promise.all([next, neighbour].map(async ({ roles }) => roles.close(60_000)));
    });

    void test('a relation that is new is readable once the catalog has moved', async () => {
      const test = new TestRoles(walled, catalog);
      const client = await test.login(await test.acquire(READER));
      await walled.dba.query('CREATE TABLE bank.fresh (a int); SELECT countersign.apply_offers()');
      assert.equal(await outcomeOf(client, 'SELECT a FROM bank.fresh'), '42501');
      const moved = await loadTestCatalog(walled.server);
      await Promise.all([1, 2, 3].map(async () => test.roles.catalogMoved('bank', 'postgres', moved)));
      assert.equal(await outcomeOf(client, 'SELECT a FROM bank.fresh'), 'ok');
      assert.equal(test.calls('make_role'), 2);
      await walled.dba.query('DROP TABLE bank.fresh');
      await test.roles.close(60_000);
    });

    void test('what is offered later reaches the role with the next session', async () => {
      const test = new TestRoles(walled, catalog, { incompleteMs: 0 });
      const keys = scopeOf({ relations: [{ on: [{ schema: 'vault' }], verbs: ['select'], columns: '*' }] });
      const client = await test.login(await test.acquire(keys));
      assert.equal(await outcomeOf(client, 'SELECT id FROM vault.keys'), '42501');
      await walled.dba.query("INSERT INTO countersign.grantable VALUES ('vault', 'keys', '{select}')");
      await walled.dba.query('SELECT countersign.apply_offers()');
      await test.acquire(keys);
      assert.equal(await outcomeOf(client, 'SELECT id FROM vault.keys'), 'ok');
      await test.acquire(keys);
      assert.equal(test.calls('make_role'), 2);
      await walled.dba.query("DELETE FROM countersign.grantable WHERE schema = 'vault'");
      await walled.dba.query('SELECT countersign.apply_offers()');
      assert.equal(await outcomeOf(client, 'SELECT id FROM vault.keys'), '42501');
      await test.roles.close(60_000);
    });

    void test('a target that does not answer refuses the session in time, and later ones are served', async () => {
      let isHanging = true;
      const answers = walled.run();
      const hung = Promise.withResolvers<{ sqlState: undefined; value: undefined }>();
      const test = new TestRoles(walled, catalog, {
        patienceMs: 50,
        statements: () => async (statement) => (isHanging ? hung.promise : answers(statement)),
      });
      await assert.rejects(test.acquire(READER), isUnavailable);
      isHanging = false;
      hung.resolve({ sqlState: undefined, value: undefined });
      // Whether they come in time is not what this is about: sooner or later the role is there.
      for (;;) {
        try {
          const client = await test.login(await test.acquire(READER));
          assert.equal(await outcomeOf(client, 'SELECT id FROM bank.accounts'), 'ok');
          break;
        } catch (error) {
          assert.ok(isUnavailable(error), String(error));
        }
      }
      await test.roles.close(60_000);
    });

    void test('without the setup a session is refused with what to do', async () => {
      const test = new TestRoles(walled, catalog, {
        statements: () => async () => Promise.resolve({ sqlState: '42883', value: undefined }),
      });
      await assert.rejects(test.acquire(READER), (error) => {
        assert.ok(isCountersignError(error, 'CS_ROLE_UNAVAILABLE'));
        assert.equal(error.detail, 'the functions of the setup are not there');
        return true;
      });
    });

    void test('no password and no row of the target is in the statements that are recorded', async () => {
      const test = new TestRoles(walled, catalog);
      const lease = await test.acquire(WRITER);
      assert.ok(lease.login.password);
      const password = (await lease.secrets.read(lease.login.password)).toString();
      assert.ok(test.statements.every((statement) => !statement.includes(password)));
      await test.roles.close(60_000);
    });
  });
}
