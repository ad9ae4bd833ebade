import { directorySource, httpSource } from 'countersign-verify';
import type { Command } from 'commander';

import { createSecrets } from '../../config/secrets.ts';
import { recoverLog } from '../../gateway/restore-log.ts';
import { addConfigOption, addJsonOption, configOf, logDirectoryOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { withLogErrors } from '../log-errors.ts';
import { createOutput } from '../output.ts';

interface RecoverOptions extends CommonOptions {
  readonly from: string;
  readonly complete?: boolean;
}

export function addLogRecoverCommand(log: Command): void {
  const command = log
    .command('recover')
    .summary('take missing leaves from a mirror of this log')
    .description(
      'After a restore from a backup: verifies a mirror of this log and takes the leaves from it that are missing here. Signs nothing. The gateway must not run.',
    )
    .requiredOption('--from <log>', 'directory or URL of the mirror')
    .option(
      '--complete',
      'where no witness is configured: the mirror has everything that was ever signed, and the log may go on',
    )
    .addHelpText(
      'after',
      `
Contents are not in a mirror: restore the newest vault that you have first.

Examples:
  countersign log recover --from https://logs.example.com/gateway-1
  countersign log recover --from /mnt/mirror/log`,
    )
    .action(async (options: RecoverOptions) => {
      const { from } = options;
      const mirror = /^https?:\/\//.test(from)
        ? httpSource(from)
        : directorySource(logDirectoryOf(from, options));
      const { before, erased, size } = await withLogErrors(() =>
        recoverLog(configOf(options), createSecrets(), mirror, options.complete ?? false),
      );
      createOutput(options.json ?? false).result({ before, size, recovered: size - before, erased }, () =>
        [
          `${size - before} leaves recovered: the log has ${size} now, and had ${before}`,
          ...(erased.periods > 0
            ? [`${erased.periods} months erased again: the vault was older than that`]
            : []),
          ...erased.cameBack.map((id) => `contents of erasure ${id} are in the vault again: erase them anew`),
        ].join('\n'),
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}
