/**
 * Every attack in every set-up, and the whole table: `node test/attacks/authorization/run.ts`.
 *
 *   --setup open|role|analysis|both   only this one; may be given again
 *   --only AUTHZ-001                  only this attack, told in full; may be given again
 *   --major 15                        the target's PostgreSQL; default 18
 */
import { parseArgs } from 'node:util';
import { POSTGRES_MAJORS } from '../../support/postgres-server.ts';
import { ATTACKS } from './corpus/index.ts';
import { THROUGH_ANALYSIS, THROUGH_ROLE } from './known.ts';
import { passedIn, runLane, stopWorlds, type LaneResult, type Setup } from './lanes.ts';
import { passesOf, tableOf } from './table.ts';

const SETUPS: readonly Setup[] = ['open', 'role', 'analysis', 'both'];

const { values } = parseArgs({
  options: {
    setup: { type: 'string', multiple: true },
    only: { type: 'string', multiple: true },
    major: { type: 'string' },
  },
});

const print = (text: string): void => void process.stdout.write(`${text}\n`);

function tellInFull({ setup, verdicts }: LaneResult): void {
  for (const [id, { succeeded, findings, errors, messages }] of verdicts) {
    const { how } = ATTACKS.find((attack) => attack.id === id)!;
    print(`${setup} ${id} ${succeeded ? 'EXECUTED' : 'stopped'}: ${how}`);
    for (const finding of findings) print(`  ${finding}`);
    messages.forEach((message, index) => print(`  ${errors[index]} ${message}`));
  }
}

async function main(): Promise<number> {
  const major = POSTGRES_MAJORS.find((each) => String(each) === values.major);
  const lanes: Partial<Record<Setup, LaneResult>> = {};
  let wrong = 0;
  for (const setup of SETUPS.filter((each) => values.setup?.includes(each) ?? true)) {
    const lane = await runLane(setup, {
      ...(major === undefined ? {} : { major }),
      ...(values.only === undefined ? {} : { only: values.only }),
    });
    lanes[setup] = lane;
    if (values.only !== undefined) tellInFull(lane);
    for (const control of lane.refusedControls) print(`${setup}: ${control}`);
    wrong += lane.refusedControls.length;
  }
  print(tableOf(lanes));
  const { analysis, role, both } = lanes;
  if (analysis !== undefined)
    print(['', 'Through the analysis alone:', ...passesOf(analysis, THROUGH_ANALYSIS)].join('\n'));
  if (role !== undefined) print(['', 'Through the role alone:', ...passesOf(role, THROUGH_ROLE)].join('\n'));
  wrong += both === undefined ? 0 : passedIn(both).length;
  print(
    `\n${Object.values(lanes)
      .map(({ setup, seconds }) => `${setup} ${seconds.toFixed(0)} s`)
      .join(', ')}`,
  );
  return wrong;
}

try {
  process.exitCode = (await main()) === 0 ? 0 : 1;
} finally {
  await stopWorlds();
}
