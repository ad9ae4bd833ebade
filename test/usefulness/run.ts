/**
 * Every case and the whole table: `node test/usefulness/run.ts`.
 *
 *   --major 15          the target's PostgreSQL; default 18
 *   --family orm        only this family; may be given again
 *   --only orm-001      only this case, told in full; may be given again
 */
import { parseArgs } from 'node:util';
import { POSTGRES_MAJORS } from '../support/postgres-server.ts';
import { CASES } from './corpus/index.ts';
import { Bank } from './play.ts';
import { faultsOf, Tally } from './tally.ts';

const { values } = parseArgs({
  options: {
    major: { type: 'string' },
    family: { type: 'string', multiple: true },
    only: { type: 'string', multiple: true },
  },
});

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const bank = await Bank.start(POSTGRES_MAJORS.find((major) => String(major) === values.major));
const tally = new Tally();
try {
  for (const each of CASES) {
    if (values.family?.includes(each.family) === false || values.only?.includes(each.id) === false) continue;
    const verdict = await bank.play(each);
    tally.add(each, verdict);
    const faults = faultsOf(each, verdict);
    if (faults.length > 0 || values.only !== undefined) {
      print(`${each.id} ${JSON.stringify(each.steps).slice(0, 600)}`);
      for (const fault of faults) print(`  ${fault}`);
    }
    if (values.only !== undefined) print(`  ${JSON.stringify(verdict)}`);
  }
} finally {
  print(`\nrecords: ${(await bank.stop()).join(', ')}`);
}
print(tally.table());
process.exitCode = tally.faults === 0 ? 0 : 1;
