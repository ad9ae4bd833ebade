/** The real gateway, a process of its own, with a principal and a grant per scope: analysis, scope and policy decide. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayFolder, GatewayProcess } from '../../support/gateway-process.ts';
import { RawSession } from '../../support/raw-session.ts';
import type { Attack, ScopeName } from './attack.ts';
import { SCOPES } from './scopes.ts';
import type { ScopeRole } from './second-wall.ts';
import type { Door } from './try-attack.ts';
import type { Arena } from './world.ts';

/** The shortest that a configuration may say: nothing older decides. */
const POLL_MS = 100;

const NAMES = Object.keys(SCOPES) as readonly ScopeName[];

/** @param logins by scope; whom the target takes the attackers for */
function sections(arena: Arena, logins: Readonly<Record<ScopeName, ScopeRole>>): string {
  const { port } = arena.world.server;
  return `targets:
  bank:
    protocol: postgres
    hosts: ['127.0.0.1:${port}']
    database: ${arena.database}
    catalog: {login: catalog, poll: ${POLL_MS}ms}
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

/** A catalog snapshot that is older does not decide: after this, every decision knows of what happened before. */
const outlivePoll = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, POLL_MS + 20));

export class GatewayDoor implements Door {
  readonly arena: Arena;
  readonly #folder: GatewayFolder;
  readonly #gateway: GatewayProcess;

  private constructor(arena: Arena, folder: GatewayFolder, gateway: GatewayProcess) {
    this.arena = arena;
    this.#folder = folder;
    this.#gateway = gateway;
  }

  static async open(arena: Arena, logins: Readonly<Record<ScopeName, ScopeRole>>): Promise<GatewayDoor> {
    const folder = await makeFolder(arena, logins);
    const door = new GatewayDoor(arena, folder, await GatewayProcess.start(folder));
    await door.restored();
    return door;
  }

  get log(): string {
    return this.#gateway.log;
  }

  connect({ scope, options, database }: Attack): Promise<RawSession> {
    const target = this.#folder.endpoint(this.#gateway.port);
    const endpoint = {
      ...target,
      ...(database === undefined ? {} : { database: `${target.database}/${database}` }),
      user: scope,
      ...(options === undefined ? {} : { options }),
    };
    return RawSession.connect(endpoint);
  }

  settle(): Promise<void> {
    return outlivePoll();
  }

  /** Its connection for the catalog was lost with the database: waits until it decides again. */
  async restored(): Promise<void> {
    await outlivePoll();
  }

  async close(): Promise<void> {
    await this.#gateway.kill();
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
