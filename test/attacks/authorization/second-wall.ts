/** The second wall by hand of the product's own functions: one role per scope, made in the template as the gateway would make it. */
import { Client } from 'pg';
import { assembleScope, scopeSection } from '../../../packages/gateway/src/config/scope-section.ts';
import { Scope } from '../../../packages/gateway/src/grants/scope.ts';
import { makeVerifier } from '../../../packages/gateway/src/identity/scram-verifier.ts';
import { privilegesOf } from '../../../packages/gateway/src/postgres/roles/privileges.ts';
import { makeRole, roleKey } from '../../../packages/gateway/src/postgres/roles/role-functions.ts';
import { OWNER_ROLE, setupSql } from '../../../packages/gateway/src/postgres/roles/setup-sql.ts';
import { loadTestCatalog } from '../../support/catalog.ts';
import type { PostgresServer } from '../../support/postgres-server.ts';
import { RawSession } from '../../support/raw-session.ts';
import type { ScopeName } from './attack.ts';
import { SCOPES } from './scopes.ts';
import type { Door } from './try-attack.ts';
import { TEMPLATE, type Arena } from './world.ts';

const NODE = 'authz';
const LOGIN = 'countersign_gateway';
const PASSWORD = 'a password of the attack corpus';

/** What the DBA offers: all that any of the scopes may need, and nothing of `secret`. */
const OFFERS = `
insert into countersign.grantable values
  ('bank', '*', '{select,insert,update,delete,execute}'), ('reporting', '*', '{select,insert}'), ('hr', '*', '{select}'),
  ('app', '*', '{select,insert,update,delete,execute}'), ('scratch', '*', '{select,insert,update,delete,truncate,ddl}');
select countersign.apply_offers();
`;

/** As \`target check\` advises, but for two functions and those of extensions, which PUBLIC keeps. */
const REVOKES = `
revoke execute on all functions in schema app, bank, shadow from public;
revoke execute on all procedures in schema app from public;
grant execute on function app.peek(text), bank.transfer(int, int, numeric) to public;
`;

export interface ScopeRole {
  readonly user: string;
  readonly password: string;
}

/** Installs the setup and makes the roles, in the template. Gives them by scope. */
export async function makeScopeRoles(
  server: PostgresServer,
  template: Client,
): Promise<Readonly<Record<ScopeName, ScopeRole>>> {
  const setup = setupSql({
    target: 'bank',
    database: TEMPLATE,
    login: LOGIN,
    owner: OWNER_ROLE,
    objects: 'countersign_objects',
    prefix: 'cs_',
  });
  await template.query(setup.replaceAll(/^\\.*$/gmu, ''));
  await template.query(`alter role ${LOGIN} password '${await makeVerifier(PASSWORD)}'`);
  await template.query(REVOKES);
  await template.query(OFFERS);
  const catalog = await loadTestCatalog(server, TEMPLATE);
  const login = new Client({
    host: server.host,
    port: server.port,
    database: TEMPLATE,
    user: LOGIN,
    password: PASSWORD,
  });
  await login.connect();
  const roles: Partial<Record<ScopeName, ScopeRole>> = {};
  try {
    for (const name of Object.keys(SCOPES) as ScopeName[]) {
      const scope = new Scope(assembleScope(scopeSection.parse(SCOPES[name].scope)));
      const { role } = await makeRole(
        async (statement) => {
          const { rows } = await login.query<{ value: string }>(`select (${statement})::text as value`);
          return { sqlState: undefined, value: rows[0]?.value };
        },
        {
          node: NODE,
          key: roleKey(NODE, 'bank', TEMPLATE, scope.digest),
          verifier: await makeVerifier(PASSWORD),
          validUntilMs: Date.now() + 86_400_000,
          privileges: privilegesOf(scope, catalog),
        },
      );
      roles[name] = { user: role, password: PASSWORD };
    }
  } finally {
    await login.end();
  }
  return roles as Readonly<Record<ScopeName, ScopeRole>>;
}

/** Straight to the server as the role of the attack's scope: no analysis at all. */
export function roleDoor(arena: Arena, roles: Readonly<Record<ScopeName, ScopeRole>>): Door {
  const { host, port } = arena.world.server;
  return {
    arena,
    connect: (attack) => {
      const endpoint = {
        host,
        port,
        database: attack.database ?? arena.database,
        ...roles[attack.scope],
        ...(attack.options === undefined ? {} : { options: attack.options }),
      };
      return RawSession.connect(endpoint);
    },
    settle: () => Promise.resolve(),
    restored: () => Promise.resolve(),
    close: () => arena.close(),
  };
}
