/** The set-ups in which every attack is tried, each on a server of its own. */
import type { PostgresMajor } from '../../support/postgres-server.ts';
import type { ScopeName } from './attack.ts';
import { CONTROLS } from './controls.ts';
import { ATTACKS } from './corpus/index.ts';
import { GatewayDoor, superuserLogins } from './gateway-door.ts';
import { makeScopeRoles, roleDoor, type ScopeRole } from './second-wall.ts';
import { openDoor, tryAttack, tryControl, type Door, type Verdict } from './try-attack.ts';
import { Arena, World } from './world.ts';

/**
 * `open`: straight to the server as its superuser. `role`: straight, as the role of the scope. `analysis`: through the gateway, with the
 * superuser behind. `both`: through the gateway, with the role behind.
 */
export type Setup = 'open' | 'role' | 'analysis' | 'both';

export interface LaneResult {
  readonly setup: Setup;
  /** By id. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  /** Of statements that must pass: id and what was wrong. */
  readonly refusedControls: readonly string[];
  readonly seconds: number;
}

const NEWEST: PostgresMajor = 18;

export interface LaneOptions {
  readonly major?: PostgresMajor;
  /** Default: all. */
  readonly only?: readonly string[];
}

async function doorOf(
  setup: Setup,
  arena: Arena,
  roles: Readonly<Record<ScopeName, ScopeRole>>,
): Promise<Door> {
  switch (setup) {
    case 'open':
      return openDoor(arena);
    case 'role':
      return roleDoor(arena, roles);
    case 'analysis':
      return await GatewayDoor.open(arena, superuserLogins(arena));
    case 'both':
      return await GatewayDoor.open(arena, roles);
    default:
      throw new Error('no such set-up');
  }
}

/** Servers that still run; a test file stops them when it ends. */
const running = new Set<World>();

export async function stopWorlds(): Promise<void> {
  for (const world of running) await world.stop();
  running.clear();
}

export async function runLane(setup: Setup, options: LaneOptions = {}): Promise<LaneResult> {
  const started = performance.now();
  let roles: Readonly<Record<ScopeName, ScopeRole>> | undefined;
  const world = await World.start({
    ...(options.major === undefined ? {} : { major: options.major }),
    prepare: async (server, template) => {
      roles = await makeScopeRoles(server, template);
    },
  });
  running.add(world);
  const arena = await Arena.open(world, `authz_${setup}`, [roles!.builder.user]);
  const door = await doorOf(setup, arena, roles!);
  const verdicts = new Map<string, Verdict>();
  const refusedControls: string[] = [];
  try {
    for (const control of CONTROLS) {
      const wrong = await tryControl(door, control);
      if (wrong.length > 0) refusedControls.push(`${control.id} ${wrong.join(', ')}`);
    }
    for (const attack of ATTACKS) {
      if (options.only !== undefined && !options.only.includes(attack.id)) continue;
      if ((attack.since ?? 0) > (options.major ?? NEWEST)) continue;
      verdicts.set(attack.id, await tryAttack(door, attack));
    }
  } finally {
    await door.close();
    running.delete(world);
    await world.stop();
  }
  return { setup, verdicts, refusedControls, seconds: (performance.now() - started) / 1000 };
}

/** Attacks that succeeded, those aside that have no effect anywhere. */
export function passedIn({ verdicts }: LaneResult): readonly string[] {
  return ATTACKS.filter(({ id, inert }) => inert === undefined && verdicts.get(id)?.succeeded === true).map(
    ({ id }) => id,
  );
}

/** What a refusal by the gateway looks like; the rest are errors of the server in statements that may run, or trouble. */
const REFUSALS: ReadonlySet<string> = new Set([
  '42501',
  '0A000',
  '42601',
  '08P01',
  '3D000',
  '28000',
  '54000',
  '22021',
]);

/** Attacks through the gateway that had no effect although nobody said no: they hang, met some trouble, or show nothing. */
export function unexplainedIn({ setup, verdicts }: LaneResult): readonly string[] {
  return ATTACKS.filter(({ id, inert }) => {
    const verdict = verdicts.get(id);
    if (inert !== undefined || verdict === undefined || verdict.succeeded) return false;
    if (verdict.errors.includes('hung')) return true;
    // A name that the role may not look up is another one to the server: such a statement does something harmless instead.
    return setup === 'analysis' && !verdict.errors.some((code) => REFUSALS.has(code));
  }).map(({ id }) => `${id} ${verdicts.get(id)!.errors.join(' ')}`);
}
