import { checkpointTimeUs, isCheckpointOf, parseVerifierKey, readCheckpoint } from 'countersign-verify';
import type { Checkpoint, LogSource } from 'countersign-verify';
import type { Command } from 'commander';

import { addConfigOption, addJsonOption, logSourceOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { readVerifierKey, withLogErrors } from '../log-errors.ts';
import { createOutput, formatTable } from '../output.ts';

interface StatusOptions extends CommonOptions {
  readonly key?: string;
}

export function addLogStatusCommand(log: Command): void {
  const command = log
    .command('status')
    .argument('[log]', 'directory or URL; default: the log of the configuration')
    .summary('the newest checkpoint')
    .description(
      'Prints the newest checkpoint and its state. Checks its signature only; log verify checks everything.',
    )
    .option(
      '--key <key>',
      'verifier key of the log, or a file that holds it; without, log.vkey beside the log',
    )
    .addHelpText(
      'after',
      `
Examples:
  countersign log status
  countersign log status https://logs.example.com/gateway-1 --json`,
    )
    .action(async (place: string | undefined, options: StatusOptions) => {
      await withLogErrors(async () => {
        const source = logSourceOf(place, options);
        const checkpoint = await readCheckpoint(source);
        const state = await stateOf(checkpoint, source, options.key);
        const signedAtUs = checkpointTimeUs(checkpoint);
        const ageMs = signedAtUs === undefined ? undefined : Math.max(0, Date.now() - signedAtUs / 1_000);
        const { origin, size } = checkpoint;
        const root = checkpoint.root.toString('base64');
        createOutput(options.json ?? false).result(
          { source: source.name, origin, size, root, state, signedAtUs, ageMs },
          () =>
            formatTable([
              ['log', `${origin} (${source.name})`],
              ['state', state],
              ['leaves', String(size)],
              ['root', root],
              [
                'signed',
                signedAtUs === undefined
                  ? 'at an unknown time'
                  : `${new Date(signedAtUs / 1_000).toISOString()} (${Math.round((ageMs ?? 0) / 1_000)} s ago)`,
              ],
            ]),
        );
      });
    });
  addConfigOption(command);
  addJsonOption(command);
}

/** As record.md has it: UNSIGNED or SIGNED; this version has no witnesses. */
async function stateOf(
  checkpoint: Checkpoint,
  source: LogSource,
  given: string | undefined,
): Promise<string> {
  if (given !== undefined)
    return isCheckpointOf(checkpoint, await readVerifierKey(given)) ? 'SIGNED' : 'UNSIGNED';
  const bytes = await source.read('log.vkey');
  if (bytes === undefined) return 'UNSIGNED';
  return isCheckpointOf(checkpoint, parseVerifierKey(bytes.toString('utf8').trim())) ? 'SIGNED' : 'UNSIGNED';
}
