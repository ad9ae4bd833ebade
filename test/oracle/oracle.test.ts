/**
 * Generated statements, held against real servers (the long form: `npm run test:oracle`). For every statement that the server takes: we read it and know its
 * names; every relation of its plan is demanded or reached; every column that the server itself notes is demanded; and a role that holds
 * exactly what is demanded may run it.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresMajor } from '../support/postgres-server.ts';
import { formatDisagreement, runOracle } from './oracle.ts';

/** The same every time, so that a test does not fail by chance; the long form takes others. */
const SEED = Number(process.env['COUNTERSIGN_ORACLE_SEED'] ?? 20_261_123);
const RUNS: readonly { readonly major: PostgresMajor; readonly statements: number }[] = [
  { major: 18, statements: 1_500 },
  { major: 15, statements: 700 },
];

describe('what the server says of generated statements', () => {
  for (const { major, statements } of RUNS) {
    it(`PostgreSQL ${major} and the analysis agree on ${statements} of them`, async (t) => {
      t.diagnostic(`seed ${SEED} (COUNTERSIGN_ORACLE_SEED)`);
      const server = await startTestPostgres({ major });
      try {
        const report = await runOracle(server, { statements, seed: SEED });
        const { accepted, disagreements, excess, forms, withDependencies, withRole } = report;
        const first = disagreements.slice(0, 3).map(formatDisagreement).join('\n\n');
        assert.equal(disagreements.length, 0, `seed ${SEED}\n${first}`);
        assert.deepEqual(Object.fromEntries(report.refused), {});
        // It looked at something: most are taken, of every form, and all of these were held against all three opinions.
        assert.ok(accepted > statements * 0.6, `${accepted} of ${statements} were taken`);
        assert.ok(forms.size >= 8, [...forms.keys()].join(', '));
        assert.equal(withDependencies, accepted);
        assert.equal(withRole, accepted);
        // Every own function that a name may mean counts, whatever its types, also where it is a column: that is all there is too much.
        const more = [...excess.keys()].filter(
          (of) => of !== 'execute crm.lower' && of !== 'execute shop.score',
        );
        assert.deepEqual(more, []);
        t.diagnostic(`${accepted} taken by the server, none that we refuse or see less of`);
      } finally {
        await server.stop();
      }
    });
  }
});
