import { resolve } from 'node:path';

import type { Command } from 'commander';

import { ControlClient } from '../../api/control-client.ts';
import { isCountersignError } from '../../errors.ts';
import { lockState, type StateLock } from '../../gateway/state-lock.ts';
import { createBackup } from '../../record/backup/create-backup.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { readVerifierKey, withLogErrors } from '../log-errors.ts';
import { createOutput } from '../output.ts';

interface BackupOptions extends CommonOptions {
  readonly key?: string;
}

export function addBackupCommand(program: Command): void {
  const command = program
    .command('backup')
    .argument('<destination>', 'directory that holds the backups; each gets one of its own')
    .option(
      '--key <key>',
      'verifier key of the log, or a file that holds it; without, log.vkey beside the log',
    )
    .summary('copy log and vault, consistently, from a running gateway')
    .description(
      'Copies what the newest checkpoint covers and verifies the copy. Contents stay sealed; no private key is copied. What did not change since the backup before is linked to it. A running gateway puts the backup on record first.',
    )
    .addHelpText(
      'after',
      `
Examples:
  countersign backup /mnt/backups
  countersign backup /mnt/backups --key log.vkey --json`,
    )
    .action(async (destination: string, options: BackupOptions) => {
      const { stateDirectory } = configOf(options);
      const key = options.key === undefined ? undefined : await readVerifierKey(options.key);
      const lock = lockIfStopped(stateDirectory);
      const client = new ControlClient(stateDirectory);
      try {
        const { directory, linked, manifest } = await withLogErrors(() =>
          createBackup({
            stateDirectory,
            destination: resolve(destination),
            key,
            isStopped: lock !== undefined,
            ...(lock === undefined && {
              record: async (size: number, root: string) => {
                await client.post('/v1/backups', { size, root });
              },
            }),
          }),
        );
        const { files, isStopped, leftOut, origin, root, size, verdict } = manifest;
        const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
        createOutput(options.json ?? false).result(
          { directory, origin, size, root, verdict, isStopped, files: files.length, linked, bytes, leftOut },
          () =>
            [
              `${directory}: ${verdict}, ${size} leaves, ${files.length} files (${linked} as before), ${bytes} bytes`,
              ...leftOut.map((line) => `left out: ${line}`),
            ].join('\n'),
        );
      } finally {
        lock?.release();
      }
    });
  addConfigOption(command);
  addJsonOption(command);
}

/** Keeps a gateway from starting meanwhile; undefined when one runs. */
function lockIfStopped(stateDirectory: string): StateLock | undefined {
  try {
    return lockState(stateDirectory);
  } catch (error) {
    if (isCountersignError(error, 'CS_CONFIG_INVALID')) return undefined;
    throw error;
  }
}
