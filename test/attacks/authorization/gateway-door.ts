/** The real gateway, with a principal and a grant per scope: analysis, scope and policy decide. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../../packages/gateway/src/config/read-config.ts';
import { startGateway, type Gateway } from '../../../packages/gateway/src/gateway/gateway.ts';
import { createLogger } from '../../../packages/gateway/src/observe/logger.ts';
import { GatewayFolder } from '../../support/gateway-process.ts';
import { RawSession } from '../../support/raw-session.ts';
import type { Attack, ScopeName } from './attack.ts';
import { SCOPES } from './scopes.ts';
import type { ScopeRole } from './second-wall.ts';
import type { Door } from './try-attack.ts';
import type { Arena } from './world.ts';

/** The longest that a configuration may say: when something changed from outside, the gateway is told to look (`settle`). */
const POLL = '60s';

/** Attempts at a look after the database was made anew. */
const LOOKS = 200;

const NAMES = Object.keys(SCOPES) as readonly ScopeName[];

/** @param logins by scope; whom the target takes the attackers for */
function sections(arena: Arena, logins: Readonly<Record<ScopeName, ScopeRole>>): string {
  const { port } = arena.world.server;
  return `targets:
  bank:
    protocol: postgres
    hosts: ['127.0.0.1:${port}']
    database: ${arena.database}
    catalog: {login: catalog, poll: ${POLL}}
    logins:
      catalog: {user: cs_catalog, password: file:catalog.password}
${NAMES.map((name) => `      ${name}: {user: ${logins[name].user}, password: file:${name}.password}`).join('\n')}
principals:
${NAMES.map((name) => `  - {name: ${name}, owner: Test Team <tests@example.com>, kind: service, credential: file:tester.verifier}`).join('\n')}
grants:
${NAMES.map(
  (name) =>
    `  - {id: ${name}s, principal: ${name}, target: bank, login: ${name}, expires: 2090-01-01, scope: ${JSON.stringify(SCOPES[name].scope)}}`,
).join('\n')}
`;
}

/** Of the role that reads the catalog; a superuser, so that nothing hides from it. */
const CATALOG_PASSWORD = 'reads the catalog';

async function makeFolder(
  arena: Arena,
  logins: Readonly<Record<ScopeName, ScopeRole>>,
): Promise<GatewayFolder> {
  const { server, admin } = arena.world;
  await admin.query('drop role if exists cs_catalog');
  await admin.query(`create role cs_catalog superuser login password '${CATALOG_PASSWORD}'`);
  const folder = await GatewayFolder.create({
    target: { port: server.port, database: arena.database, user: server.user, password: server.password },
  });
  writeFileSync(join(folder.directory, 'catalog.password'), CATALOG_PASSWORD, { mode: 0o600 });
  for (const name of NAMES) {
    writeFileSync(join(folder.directory, `${name}.password`), logins[name].password, { mode: 0o600 });
  }
  const text = readFileSync(folder.configFile, 'utf8');
  writeFileSync(folder.configFile, text.slice(0, text.indexOf('targets:')) + sections(arena, logins));
  return folder;
}

export class GatewayDoor implements Door {
  readonly arena: Arena;
  readonly #folder: GatewayFolder;
  readonly #gateway: Gateway;
  readonly #look: () => Promise<unknown>;

  private constructor(arena: Arena, folder: GatewayFolder, gateway: Gateway, look: () => Promise<unknown>) {
    this.arena = arena;
    this.#folder = folder;
    this.#gateway = gateway;
    this.#look = look;
  }

  static async open(arena: Arena, logins: Readonly<Record<ScopeName, ScopeRole>>): Promise<GatewayDoor> {
    const folder = await makeFolder(arena, logins);
    const { config } = readConfig(folder.configFile);
    const target = config?.targets[0];
    if (config === undefined || target === undefined) throw new Error('the configuration is not valid');
    const gateway = await startGateway(config, { logger: createLogger({ level: 'silent' }) });
    const lease = gateway.catalogs.lease(target);
    const door = new GatewayDoor(arena, folder, gateway, () => lease.refresh());
    await door.restored();
    return door;
  }

  connect({ scope, options, database }: Attack): Promise<RawSession> {
    const target = this.#folder.endpoint(this.#gateway.address.port);
    const endpoint = {
      ...target,
      ...(database === undefined ? {} : { database: `${target.database}/${database}` }),
      user: scope,
      ...(options === undefined ? {} : { options }),
    };
    return RawSession.connect(endpoint);
  }

  /** What was changed from outside is known from here on, as it would be once the poll's interval is over. */
  async settle(): Promise<void> {
    await this.#look();
  }

  /** Its connection for the catalog was lost with the database: the first look may still find that out. */
  async restored(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#look();
        return;
      } catch (error) {
        if (attempt === LOOKS) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async close(): Promise<void> {
    await this.#gateway.close();
    this.#folder.remove();
    await this.arena.close();
  }
}

/** The analysis alone: whatever the scope, a superuser is behind. */
export function superuserLogins({ world }: Arena): Readonly<Record<ScopeName, ScopeRole>> {
  const { user, password } = world.server;
  return Object.fromEntries(NAMES.map((name) => [name, { user, password }])) as Readonly<
    Record<ScopeName, ScopeRole>
  >;
}
