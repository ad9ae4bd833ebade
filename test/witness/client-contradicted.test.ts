/** A log that is contradicted while it runs, in front of a real database: what clients see, and what the record says. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse as Answer } from 'node:http';
import { after, before, describe, it } from 'node:test';

import { signCheckpoint } from 'countersign-verify';

import { originHash } from '../../packages/gateway/src/witness/witness-store.ts';
import { Target, TARGET_LOGIN, TARGET_PASSWORD } from '../kill/target.ts';
import { query, RawSession, sqlStateOf } from '../support/raw-session.ts';
import { readLeaves } from '../support/record-view.ts';
import { ORIGIN, WitnessedGateway } from '../support/witnessed-gateway.ts';

/** SQLSTATE of a refusal, or undefined. */
async function run(session: RawSession, text: string): Promise<string | undefined> {
  session.send(query(text));
  const refused = (await session.receiveUntil()).find(({ type }) => type === 'E');
  return refused === undefined ? undefined : sqlStateOf(refused);
}

/** In the place of a witness: says what `status` says, and shows `checkpoint` as the newest that it cosigned. */
async function standIn(
  port: number,
  checkpoint: string,
  answer: (response: Answer) => void,
): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === `/${originHash(ORIGIN)}/checkpoint`) response.end(checkpoint);
    else answer(response);
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return server;
}

describe('a log that its own key contradicts while it runs', () => {
  let target: Target;
  before(async () => {
    target = await Target.start();
  });
  after(() => target.stop());

  const rows = [
    ['forked', 'CS_LOG_FORKED', 0, (response: Answer) => response.writeHead(422).end()],
    [
      'rolled-back',
      'CS_LOG_ROLLED_BACK',
      1_000_000,
      (response: Answer) => response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end('1000000\n'),
    ],
  ] as const;
  for (const [kind, code, beyond, answer] of rows) {
    it(`refuses commands of an open session and new sessions when it is ${kind}, and says why`, async () => {
      const { database, server } = target;
      const gateway = await WitnessedGateway.create({
        organisations: ['bank-b'],
        section: '  timeout: 1s',
        target: { port: server.port, database, user: TARGET_LOGIN, password: TARGET_PASSWORD },
      });
      let liar: Server | undefined;
      try {
        const process = await gateway.start();
        const session = await RawSession.connect(gateway.folder.endpoint(process.port));
        assert.equal(await run(session, 'select 1'), undefined);
        const size = await gateway.caughtUp();
        const witness = gateway.witnesses[0]!;
        await witness.process.kill();
        const other = { origin: ORIGIN, size: beyond === 0 ? size : beyond, root: Buffer.alloc(32, 1) };
        liar = await standIn(witness.process.port, signCheckpoint(other, gateway.signer), answer);
        // Each statement makes a checkpoint that the witness is asked for.
        let refused: string | undefined;
        let answered = 0;
        for (; refused === undefined; answered++) refused = await run(session, `select ${answered}`);
        assert.equal(refused, '58030');
        // Also what would only begin, and whoever comes new: the gateway's own statement is a command as well.
        assert.equal(await run(session, 'begin'), '58030');
        const late = RawSession.connect(gateway.folder.endpoint(process.port));
        await assert.rejects(late, new RegExp(`\\[${code}\\]`));
        assert.equal((await process.get('ready')).status, 503);
        session.destroy();
        await gateway.stop();
        const leaves = readLeaves(gateway.state);
        const alert = leaves.findIndex((leaf) => leaf['code'] === `log-${kind}`);
        assert.ok(alert > 0);
        const sessions = (type: string): readonly unknown[] =>
          leaves.filter((leaf) => leaf.type === type).map((leaf) => leaf['session']);
        assert.deepEqual(new Set(sessions('session.closed')), new Set(sessions('session.opened')));
        const later = leaves.slice(alert + 1);
        const denied = later.filter(({ type }) => type === 'call.denied');
        for (const leaf of denied)
          assert.deepEqual((leaf['decision'] as { reasons: unknown }).reasons, [code], JSON.stringify(leaf));
        assert.ok(denied.length >= 2);
        assert.deepEqual(
          later.filter(({ type }) => type === 'call.intent'),
          [],
          'a command was taken after the alarm',
        );
      } finally {
        liar?.close();
        liar?.closeAllConnections();
        await gateway.remove();
      }
    });
  }
});
