import { join } from 'node:path';

import { directorySource, parseVerifierKey } from 'countersign-verify';
import type { NoteVerifier } from 'countersign-verify';

import { ControlClient } from '../../api/control-client.ts';
import type { CountersignConfig } from '../../config/config.ts';
import type { ExportConfig } from '../../config/export-section.ts';
import { isCountersignError } from '../../errors.ts';
import { LogFollower } from '../../export/log-follower.ts';
import type { GatewayStatus } from '../../gateway/gateway.ts';
import { inputError } from '../output.ts';

/** What `export` commands share that work beside the gateway. */

export function exportNamed(config: CountersignConfig, name: string): ExportConfig {
  const found = config.exports.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = config.exports.map((one) => one.name).join(', ');
  throw inputError(`the configuration has no export ${name}`, `There are: ${names === '' ? 'none' : names}.`);
}

/** The gateway's own status, or undefined when none runs with this state directory. */
export async function runningGateway(config: CountersignConfig): Promise<GatewayStatus | undefined> {
  try {
    return await new ControlClient(config.stateDirectory).get<GatewayStatus>('/v1/status', 5_000);
  } catch (error) {
    if (isCountersignError(error, 'CS_GATEWAY_UNAVAILABLE')) return undefined;
    throw error;
  }
}

/** Two writers of one cursor would lose leaves. Throws `CS_INPUT_UNUSABLE` when the gateway runs the export. */
export async function assertNotRunning(config: CountersignConfig, name: string): Promise<void> {
  const status = await runningGateway(config);
  if (status?.exports.some((one) => one.name === name) !== true) return;
  throw inputError(
    `the running gateway has the export ${name}`,
    'Stop the gateway first, or take the export out of the configuration and reload.',
  );
}

/** The configured log, its key as it lies beside it: this is the gateway's own machine. */
export async function followLog(config: CountersignConfig): Promise<LogFollower> {
  const source = directorySource(join(config.stateDirectory, 'log'));
  const key = await source.read('log.vkey');
  const keys: NoteVerifier[] = key === undefined ? [] : [parseVerifierKey(key.toString('utf8').trim())];
  return new LogFollower(source, keys);
}
