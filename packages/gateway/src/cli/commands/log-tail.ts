import { setTimeout as sleep } from 'node:timers/promises';

import { checkLeaf, iterateLeaves, readCheckpoint } from 'countersign-verify';
import type { Command } from 'commander';

import { addConfigOption, addJsonOption, logSourceOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { formatLeafLine } from '../leaf-text.ts';
import { parseCount, withLogErrors } from '../log-errors.ts';

interface TailOptions extends CommonOptions {
  readonly lines: string;
  readonly follow: boolean;
}

/** A checkpoint appears at most every second (`record.checkpoint`). */
const POLL_MS = 300;

export function addLogTailCommand(log: Command): void {
  const command = log
    .command('tail')
    .argument('[log]', 'directory or URL; default: the log of the configuration')
    .summary('follow the log')
    .description('Prints the last leaves and then each new one as checkpoints cover it. Ends with Ctrl-C.')
    .option('-n, --lines <n>', 'how many to begin with', '10')
    .option('--no-follow', 'end after those')
    .addHelpText(
      'after',
      `
With --json, one leaf per line.

Examples:
  countersign log tail
  countersign log tail -n 100 --no-follow --json`,
    )
    .action(async (place: string | undefined, options: TailOptions) => {
      await withLogErrors(() => tail(place, options));
    });
  addConfigOption(command);
  addJsonOption(command);
}

async function tail(place: string | undefined, options: TailOptions): Promise<void> {
  const source = logSourceOf(place, options);
  let next: number | undefined;
  for (;;) {
    const { size } = await readCheckpoint(source);
    next ??= Math.max(0, size - parseCount(options.lines, '--lines'));
    for await (const { index, bytes } of iterateLeaves(source, { size, from: next })) {
      const { leaf } = checkLeaf(bytes);
      if (leaf === undefined) continue;
      process.stdout.write(
        options.json === true ? `${JSON.stringify({ index, leaf })}\n` : `${formatLeafLine(index, leaf)}\n`,
      );
    }
    next = Math.max(next, size);
    if (!options.follow || process.stdout.errored !== null) return;
    await sleep(POLL_MS);
  }
}
