import type { Command } from 'commander';

import { createSecrets } from '../../config/secrets.ts';
import { succeedLog } from '../../gateway/restore-log.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { readInput, withLogErrors } from '../log-errors.ts';
import { createOutput } from '../output.ts';

interface SucceedOptions extends CommonOptions {
  readonly known: readonly string[];
  readonly acceptLoss?: boolean;
}

export function addLogSucceedCommand(log: Command): void {
  const command = log
    .command('succeed')
    .summary('put the log away and begin a new one that names it')
    .description(
      'For a log that was rolled back or forked and cannot be recovered. Archives log, journal and vault read-only; the first leaf of the new log, whose origin is the one of the configuration, cites the newest known checkpoint of the old one. The gateway must not run.',
    )
    .option('--known <file>', 'a checkpoint of the old log that was kept elsewhere (repeatable)', collect, [])
    .option('--accept-loss', 'go on although leaves of the old log are lost')
    .addHelpText(
      'after',
      `
First give log.origin in the configuration a new name, and tell the witnesses of it.

Examples:
  countersign log succeed
  countersign log succeed --known yesterday.checkpoint --accept-loss`,
    )
    .action(async (options: SucceedOptions) => {
      const known = await Promise.all(options.known.map(readInput));
      const { archive, predecessor } = await withLogErrors(() =>
        succeedLog(configOf(options), createSecrets(), { known, acceptLoss: options.acceptLoss ?? false }),
      );
      const { kept, origin, size } = predecessor;
      createOutput(options.json ?? false).result(
        { predecessor, lost: size - kept, archive },
        () => `${origin} is in ${archive}: ${kept} of ${size} known leaves, ${size - kept} lost
The next start begins the new log, whose first leaf says so.`,
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
