/**
 * The long form of the oracle: `npm run test:oracle -- [--statements N] [--seed S] [--major 18|15|…] [--all]`. Prints every disagreement (the first 20, or
 * all of them) and ends with 1 if there is one.
 */
import { parseArgs } from 'node:util';
import { POSTGRES_MAJORS, startTestPostgres } from '../support/postgres-server.ts';
import { formatDisagreement, runOracle } from './oracle.ts';

function counts(map: ReadonlyMap<string, number>): string {
  return [...map]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, 40)
    .map(([what, count]) => `${what} ${count}`)
    .join(', ');
}

const { values } = parseArgs({
  options: {
    statements: { type: 'string', default: '20000' },
    seed: { type: 'string' },
    major: { type: 'string', default: '18' },
    all: { type: 'boolean', default: false },
  },
});
const statements = Number(values.statements);
const seed = values.seed === undefined ? Math.trunc(Math.random() * 2 ** 31) : Number(values.seed);
const major = POSTGRES_MAJORS.find((each) => String(each) === values.major);
if (!Number.isSafeInteger(statements) || !Number.isSafeInteger(seed) || major === undefined) {
  throw new Error('--statements and --seed are whole numbers, --major one of 15 to 18');
}
process.stdout.write(`seed ${seed}, ${statements} statements, PostgreSQL ${major}\n`);
const server = await startTestPostgres({ major });
try {
  const report = await runOracle(server, { statements, seed });
  const { disagreements } = report;
  for (const each of values.all ? disagreements : disagreements.slice(0, 20)) {
    process.stdout.write(`${formatDisagreement(each)}\n\n`);
  }
  process.stdout.write(
    [
      `accepted by the server: ${report.accepted} (${counts(report.forms)})`,
      `rejected by the server: ${counts(report.rejected)}`,
      `held against its dependencies: ${report.withDependencies}; run as a role with just the demands: ${report.withRole}`,
      `refused by us, accepted by the server: ${counts(report.refused) || 'none'}`,
      `demanded beyond the server's dependencies: ${counts(report.excess) || 'nothing'}`,
      `disagreements: ${disagreements.length}`,
      '',
    ].join('\n'),
  );
  process.exitCode = disagreements.length === 0 ? 0 : 1;
} finally {
  await server.stop();
}
