import type { CountersignConfig, Secrets } from '../config/config.ts';
import { openRecorder } from '../record/open-recorder.ts';
import type { OpenedRecorder, OpenRecorderOptions } from '../record/open-recorder.ts';
import type { Recorder } from '../record/recorder.ts';
import { readRecordKeys } from './record-keys.ts';
import type { Software } from './software.ts';
import { readSuccession } from './succession.ts';

export interface OpenRecordOptions {
  readonly config: CountersignConfig;
  readonly secrets: Secrets;
  readonly software: Software;
  readonly acceptLoss: boolean;
  /** Tests only; `serve` takes it from COUNTERSIGN_FAULTS with --unsafe-faults. */
  readonly faults?: OpenRecorderOptions['faults'];
}

/** What the gateway needs of the record beyond what its rooms see. */
export type GatewayRecorder = Recorder &
  Pick<OpenedRecorder, 'readPayloads' | 'setConfigDigest'> &
  Partial<Pick<OpenedRecorder, 'onCheckpoint' | 'onCosigned' | 'cosign' | 'refuseCommands'>> &
  /** Absent in what benchmarks put in its place. */
  Partial<
    Pick<
      OpenedRecorder,
      'keys' | 'vault' | 'clock' | 'verifierKeys' | 'covered' | 'oldestSegment' | 'heartbeat'
    >
  >;

/** Tests and benchmarks put another recorder in its place. */
export type OpenRecord = (options: OpenRecordOptions) => Promise<GatewayRecorder>;

/** Opens the record that a configuration describes. Rejects with what `openRecorder` and `readRecordKeys` throw. */
export const openRecord: OpenRecord = async ({ config, secrets, software, acceptLoss, faults }) => {
  const keys = await readRecordKeys(config, secrets);
  const succeeds = readSuccession(config.stateDirectory, config.log.origin);
  return await openRecorder({
    stateDirectory: config.stateDirectory,
    node: config.node,
    origin: config.log.origin,
    ...keys,
    retentionClass: config.vault.retentionClass,
    record: config.record,
    software,
    configDigest: config.digest,
    acceptLoss,
    ...(succeeds === undefined ? {} : { succeeds }),
    ...(faults === undefined ? {} : { faults }),
  });
};
