/** pgbench through the gateway: every transaction of every protocol mode succeeds, and the books balance. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { missing, run } from './programs.ts';
import { Stage } from './stage.ts';

const CLIENTS = 4;
const TRANSACTIONS = 25;

describe('pgbench', { skip: missing('pgbench') }, () => {
  let stage: Stage;

  before(async () => {
    stage = await Stage.start();
    const { code, stderr } = await run('pgbench', ['-i', '-q', '-s', '1'], stage.gateway);
    assert.equal(code, 0, stderr);
  });

  for (const mode of ['simple', 'extended', 'prepared']) {
    for (const [name, script] of [
      ['select only', ['-S']],
      ['read and write', []],
    ] as const) {
      it(`${name}, ${mode}`, async () => {
        const load = ['-n', '-M', mode, '-c', String(CLIENTS), '-j', '2', '-t', String(TRANSACTIONS)];
        const { code, stdout, stderr } = await run('pgbench', [...load, ...script], stage.gateway);
        assert.equal(code, 0, stderr);
        const all = CLIENTS * TRANSACTIONS;
        assert.match(stdout, new RegExp(`transactions actually processed: ${all}/${all}$`, 'm'));
        assert.match(stdout, /number of failed transactions: 0 /);
      });
    }
  }

  it('balances: accounts, tellers, branches and history agree', async () => {
    const { host, port, user, password, database } = stage.direct;
    const client = new Client({ host, port, user, password, database });
    await client.connect();
    const { rows } = await client.query<Record<string, string>>(
      `SELECT (SELECT sum(abalance) FROM pgbench_accounts) AS accounts, (SELECT sum(tbalance) FROM pgbench_tellers) AS tellers,
              (SELECT sum(bbalance) FROM pgbench_branches) AS branches, sum(delta) AS history, count(*) AS booked FROM pgbench_history`,
    );
    await client.end();
    const { accounts, tellers, branches, history, booked } = rows[0] ?? {};
    assert.equal(booked, String(3 * CLIENTS * TRANSACTIONS));
    assert.deepEqual([accounts, tellers, branches], [history, history, history]);
  });

  it('is on the record, statement by statement', async () => {
    const texts = await stage.finish();
    const updates = texts.filter((text) => /^\s*UPDATE pgbench_accounts/.test(text)).length;
    // Every client of the prepared mode also prepares it once, which is a call of its own.
    assert.equal(updates, 3 * CLIENTS * TRANSACTIONS + CLIENTS);
  });

  after(() => stage.remove());
});
