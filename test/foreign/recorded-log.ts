/** A log and its vault as the real recorder writes them: sessions, calls, a denial, a spooled value, and a restart. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { RecordConfig } from '../../packages/gateway/src/config/config.ts';
import { generateSigningKey, generateVaultKeyPair } from '../../packages/gateway/src/record/keys.ts';
import { openRecorder, type OpenedRecorder } from '../../packages/gateway/src/record/open-recorder.ts';
import type { Payload } from '../../packages/gateway/src/record/recorder.ts';

export const RECORDED_ORIGIN = 'log.bank.example/recorded';

const RECORD: RecordConfig = {
  timeoutMs: 10_000,
  segmentBytes: 4 << 20,
  resultDelayMs: 20,
  heartbeatMs: 60_000,
  checkpointMs: 100,
  minFreeBytes: 1 << 20,
};

const PERMIT = { effect: 'permit', policies: ['g-1'], reasons: [] } as const;

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

export interface RecordedLog {
  readonly stateDirectory: string;
  /** PKCS#8 PEM. */
  readonly custodianKey: string;
  readonly calls: number;
}

let sessionNumber = 0;

function sessionId(): string {
  return `0190aaaa-0000-7000-8000-${String(++sessionNumber).padStart(12, '0')}`;
}

async function recordSession(recorder: OpenedRecorder, calls: number, spooled: boolean): Promise<void> {
  const session = sessionId();
  const payload = (field: string, text: string): Payload => ({
    field,
    commitment: recorder.commit(Buffer.from(text)),
  });
  const context = recorder.openContext({
    principal: 'teller-agent',
    principalKind: 'agent',
    target: { name: 'bank', protocol: 'postgres', login: 'reader' },
    analysis: 'lexical',
  });
  let seq = 0;
  const peer = payload('peer', '127.0.0.1:50000');
  const digestKey = payload('digest_key', 'a key');
  recorder.append(
    {
      type: 'session.opened',
      session,
      seq: seq++,
      context,
      protocol: 'postgres',
      protocolVersion: '3.0',
      channel: { binding: false, method: 'scram-sha-256' },
      peer: peer.commitment.digest,
      backend: { pid: 4711, serverVersion: '15.12 (Debian 15.12-0+deb12u2)' },
      digestKey: digestKey.commitment.digest,
    },
    [peer, digestKey],
  );
  for (let i = 0; i < calls; i++) {
    const statement = payload('statement', `SELECT 'é${i}' FROM account WHERE id = $1`);
    const parameters: Payload[] = [payload('params.0', String(i))];
    if (spooled && i === 0) {
      const spool = await recorder.openSpool();
      for (let chunk = 0; chunk < 5; chunk++) await spool.write(Buffer.alloc(700_000, chunk));
      parameters.push({ field: 'params.1', commitment: await spool.finish() });
      // As the gateway forwards it; reading to the end closes the file.
      for await (const chunk of spool.read()) assert.ok(chunk.length > 0);
    }
    const intent = recorder.append(
      {
        type: 'call.intent',
        session,
        seq: seq++,
        context,
        decision: PERMIT,
        kind: 'select',
        effect: 'read',
        txn: 'I',
        statement: statement.commitment.digest,
        params: parameters.map((p) => p.commitment.digest),
      },
      [statement, ...parameters],
    );
    await intent.durable();
    recorder.append(
      {
        type: 'call.result',
        session,
        seq: seq++,
        call: intent.id,
        status: 'ok',
        rows: 1,
        bytesUp: 40,
        bytesDown: 80,
        durationUs: 300,
        delivered: digestOf(String(i)),
      },
      [],
      { urgency: 'ride' },
    );
  }
  const closed = {
    type: 'session.closed',
    session,
    seq,
    reason: 'client',
    calls,
    bytesUp: 40 * calls,
    bytesDown: 80 * calls,
  } as const;
  await recorder.append(closed).durable();
}

/** Records two runs of the gateway into `stateDirectory`. */
export async function recordLog(stateDirectory: string): Promise<RecordedLog> {
  const custodian = generateVaultKeyPair();
  const options = {
    stateDirectory,
    node: 'node-1',
    origin: RECORDED_ORIGIN,
    signingKey: generateSigningKey(),
    custodianKey: custodian.publicKey,
    record: RECORD,
    software: { version: '0.1.0', digest: digestOf('software') },
    configDigest: digestOf('config'),
  };
  const calls = 150;
  for (let run = 0; run < 2; run++) {
    const recorder = await openRecorder(options);
    await recordSession(recorder, calls, run === 0);
    await recordSession(recorder, calls, false);
    await recorder.close('sigterm');
  }
  return { stateDirectory, custodianKey: custodian.privateKey, calls: 4 * calls };
}
