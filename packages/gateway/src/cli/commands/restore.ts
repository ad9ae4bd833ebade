import { resolve } from 'node:path';

import type { Command } from 'commander';

import { restoreBackup } from '../../record/backup/restore-backup.ts';
import { addJsonOption } from '../common-options.ts';
import { readVerifierKey, withLogErrors } from '../log-errors.ts';
import { createOutput } from '../output.ts';

interface RestoreOptions {
  readonly key?: string;
  readonly json?: boolean;
}

export function addRestoreCommand(program: Command): void {
  const command = program
    .command('restore')
    .argument('<backup>', 'a backup, or the directory of several: the newest is taken')
    .argument('<state>', 'the state directory; missing or empty')
    .option(
      '--key <key>',
      'verifier key of the log, or a file that holds it; without, log.vkey in the backup',
    )
    .summary('make a state directory of a backup')
    .description(
      'Compares every file with the manifest and verifies the log before anything is put in place. A gateway that ran while the backup was made does not go on with that log: docs/custody.md says how the record continues.',
    )
    .addHelpText(
      'after',
      `
Examples:
  countersign restore /mnt/backups /var/lib/countersign
  countersign restore /mnt/backups/backup-20261123T020000.000Z /var/lib/countersign --key log.vkey`,
    )
    .action(async (backup: string, state: string, options: RestoreOptions) => {
      const key = options.key === undefined ? undefined : await readVerifierKey(options.key);
      const { manifest, verdict } = await withLogErrors(() =>
        restoreBackup({ backup: resolve(backup), stateDirectory: resolve(state), key }),
      );
      const { at, isStopped, origin, root, size } = manifest;
      const output = createOutput(options.json ?? false);
      output.result(
        { state: resolve(state), origin, size, root, at, verdict, isStopped },
        () => `${resolve(state)}: ${verdict}, ${origin}, ${size} leaves, as of ${at}`,
      );
      if (!isStopped) {
        output.note(
          'The gateway ran while this backup was made. Before it starts: countersign log recover, or countersign log succeed (docs/witness.md).',
        );
      }
    });
  addJsonOption(command);
}
