/** `witness.maxUnwitnessed`: commands are refused while nobody has seen the record for too long, and taken again after. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Target, TARGET_LOGIN, TARGET_PASSWORD } from '../kill/target.ts';
import { query, RawSession, sqlStateOf } from '../support/raw-session.ts';
import { ownSessions, readLeaves } from '../support/record-view.ts';
import { WitnessedGateway } from '../support/witnessed-gateway.ts';

/** SQLSTATE of a refusal, or undefined. */
async function run(session: RawSession): Promise<string | undefined> {
  session.send(query('select 1'));
  const refused = (await session.receiveUntil()).find(({ type }) => type === 'E');
  return refused === undefined ? undefined : sqlStateOf(refused);
}

describe('the unwitnessed window', () => {
  let target: Target;
  before(async () => {
    target = await Target.start();
  });
  after(() => target.stop());

  it('refuses commands when it is too long, with a reason, on the record; and lets them in again', async () => {
    const gateway = await WitnessedGateway.create({
      organisations: ['bank-b'],
      section: '  timeout: 1s\n  maxUnwitnessed: 3s',
      target: {
        port: target.server.port,
        database: target.database,
        user: TARGET_LOGIN,
        password: TARGET_PASSWORD,
      },
    });
    try {
      const process = await gateway.start();
      await gateway.caughtUp();
      const session = await RawSession.connect(gateway.folder.endpoint(process.port));
      assert.equal(await run(session), undefined);
      const [witness] = gateway.witnesses;
      await witness!.process.kill();
      // Each statement is a leaf that nobody sees: sooner or later one is refused.
      let refused = await run(session);
      while (refused === undefined) {
        await sleep(50);
        refused = await run(session);
      }
      assert.equal(refused, '58030');
      const { body, status } = await process.get('ready');
      assert.equal(status, 503);
      assert.match(body, /no quorum of witnesses has seen the record for too long/);
      assert.ok((await process.metric('countersign_unwitnessed_seconds')) > 3);
      await witness!.restart();
      while ((await run(session)) !== undefined) await sleep(50);
      session.destroy();
      while ((await process.get('ready')).status !== 200) await sleep(50);
      await gateway.stop();
      const leaves = readLeaves(gateway.state);
      assert.ok(leaves.some(({ type, code }) => type === 'alert' && code === 'unwitnessed'));
      // The gateway's own question of the catalog may have been refused before.
      const own = ownSessions(leaves);
      const denied = leaves.find(({ type, session }) => type === 'call.denied' && !own.has(session!));
      assert.deepEqual(denied?.['decision'], {
        effect: 'forbid',
        policies: ['tests'],
        reasons: ['CS_UNWITNESSED'],
      });
    } finally {
      await gateway.remove();
    }
  });
});
