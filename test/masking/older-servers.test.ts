/** The same on servers of other majors, which describe, report and copy in their own ways. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { bind, execute, frame, parse, query, sync } from '../support/raw-session.ts';
import { binariesOf, startTestPostgres } from '../support/postgres-server.ts';
import { directEndpoint, shape } from '../translator/harness.ts';
import { ACTIONS, assertMasked, both, run, SETUP, startMasked, TYPE, type Column } from './masked-gateway.ts';

const { ssn, mail, born, account } = ACTIONS;

const SELECT = 'select id, ssn, mail, born, account, note from customers order by id';
const COLUMNS: readonly Column[] = [
  { typeOid: TYPE.int4 },
  { typeOid: TYPE.text, action: ssn },
  { typeOid: TYPE.text, action: mail },
  { typeOid: TYPE.date, action: born },
  { typeOid: TYPE.varchar, action: account },
  { typeOid: TYPE.text },
];
const BINARY = COLUMNS.map(({ typeOid, action }) => ({ typeOid, action, format: 1 }));
const bindBinary = frame('B', Buffer.from('\0\0'), Buffer.from([0, 0, 0, 0, 0, 1, 0, 1]));
const again = Buffer.concat([bind('', 's', []), execute('', 20), sync()]);

for (const major of [13, 15] as const) {
  const skip = binariesOf(major) === undefined ? 'not installed' : false;
  test(`PostgreSQL ${major}`, { skip }, async (t) => {
    const server = await startTestPostgres({ major });
    t.after(() => server.stop());
    await run(server, SETUP);
    const harness = await startMasked(server);
    const direct = directEndpoint(server);
    for (const steps of [
      [query(SELECT)],
      [Buffer.concat([parse('s', SELECT), sync()]), again, again],
      [query('begin'), query(`declare c cursor for ${SELECT}`), query('fetch 5 from c'), query('commit')],
      [query(`prepare q as ${SELECT}`), query('execute q')],
    ]) {
      assertMasked(await both(harness, direct, steps), COLUMNS);
    }
    const undescribed = Buffer.concat([parse('', SELECT), bindBinary, execute(), sync()]);
    assertMasked(await both(harness, direct, [undescribed]), BINARY);
    for (const options of ['', 'with (format csv, header)', 'with (format binary)']) {
      const answers = await both(harness, direct, [
        query(`copy customers (id, ssn, note) to stdout ${options}`),
      ]);
      assert.equal(shape(answers.through), shape(answers.direct));
      const data = answers.through.map(({ body }) => body.toString('latin1')).join('');
      assert.equal(data.match(/\[ssn:/g)?.length, 500);
    }
    const { verdict } = await harness.finish();
    assert.equal(verdict, 'VERIFIED');
  });
}
