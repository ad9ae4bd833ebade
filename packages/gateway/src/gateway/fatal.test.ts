import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { parseConfig } from '../config/read-config.ts';
import { isCountersignError } from '../errors.ts';
import { createLogger } from '../observe/logger.ts';
import type { OpenedRecorder } from '../record/open-recorder.ts';
import { startGateway } from './gateway.ts';
import { openRecord } from './open-record.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-fatal-'));
after(() => rmSync(folder, { recursive: true }));

const logger = createLogger({ level: 'silent' });

function configOf(name: string) {
  const signing = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  const custodian = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' });
  writeFileSync(join(folder, 'log.pem'), signing, { mode: 0o600 });
  writeFileSync(join(folder, 'custodian.pem'), custodian, { mode: 0o600 });
  const text = `version: 1
state: ./${name}
log: { origin: example.com/fatal, signingKey: 'file:log.pem' }
vault: { custodianKey: 'file:custodian.pem' }
record: { segment: 1MiB, minFree: 1MiB }
listen: { postgres: { address: '127.0.0.1:0' }, health: { address: '127.0.0.1:0' } }
targets: {}
`;
  return parseConfig(text, join(folder, 'countersign.yaml')).config;
}

test('a record that failed for good stops the process, and is said once', async () => {
  let recorder: OpenedRecorder | undefined;
  const fatal: unknown[] = [];
  const gateway = await startGateway(configOf('fatal'), {
    logger,
    openRecord: async (options) => (recorder = (await openRecord(options)) as OpenedRecorder),
    onFatal: (error) => fatal.push(error),
  });
  assert.equal(gateway.notReady, undefined);
  recorder?.fail('the sync thread died');
  recorder?.fail('and the integrator too');
  assert.equal(fatal.length, 1);
  assert.ok(isCountersignError(fatal[0], 'CS_RECORD_FAILED') && fatal[0].fatal);
  assert.match(gateway.notReady ?? '', /sync thread died/);
  await gateway.closeNow();
});

test('a start that fails leaves nothing behind: the same state starts again', async () => {
  const config = configOf('again');
  const taken = await startGateway(configOf('other'), { logger });
  const { port } = taken.address;
  const occupied = {
    ...config,
    listen: { ...config.listen, postgres: { host: '127.0.0.1', port, allow: [] } },
  };
  await assert.rejects(
    startGateway(occupied, { logger }),
    (error) =>
      isCountersignError(error, 'CS_CONFIG_INVALID') && /listen\.postgres\.address/.test(error.detail ?? ''),
  );
  const second = await startGateway(config, { logger });
  assert.equal(second.notReady, undefined);
  await second.close();
  await taken.close();
});
