import type { Command } from 'commander';

import { isCountersignError } from '../../errors.ts';
import { readCursor, writeCursor, type Cursor } from '../../export/cursor.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { parseCount, withLogErrors } from '../log-errors.ts';
import { createOutput, usageError } from '../output.ts';
import { assertNotRunning, followLog } from './export-offline.ts';

interface ResetOptions extends CommonOptions {
  readonly to?: string;
  readonly toEnd?: boolean;
}

export function addExportResetCommand(parent: Command): void {
  const command = parent
    .command('reset')
    .argument('<name>', 'of the export')
    .summary('set which leaf is delivered next')
    .description(
      'Moves the cursor of an export that the gateway is not running. The next start of the gateway puts it on the record before anything is delivered.',
    )
    .option('--to <index>', 'next leaf to deliver; 0: everything again')
    .option('--to-end', 'skip everything that is in the log now')
    .addHelpText(
      'after',
      `
Examples:
  countersign export reset siem --to 0
  countersign export reset siem --to 4711    # after leaf 4710 was refused and looked at`,
    )
    .action(async (name: string, options: ResetOptions) => {
      const { from, to } = await withLogErrors(() => reset(name, options));
      createOutput(options.json ?? false).result(
        { export: name, from, to },
        () => `${name}: next leaf was ${from}, is ${to}; the gateway will record this at its next start`,
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

async function reset(name: string, options: ResetOptions): Promise<{ from: number; to: number }> {
  if ((options.to === undefined) === (options.toEnd !== true))
    throw usageError('export reset needs either --to or --to-end');
  if (!/^[a-z0-9][a-z0-9._-]{0,62}$/.test(name)) throw usageError('this is not the name of an export');
  const config = configOf(options);
  await assertNotRunning(config, name);
  const follower = await followLog(config);
  const { origin, size } = await follower.refresh();
  const to = options.to === undefined ? size : parseCount(options.to, '--to');
  if (to > size) throw usageError(`the log has ${size} leaves`);
  const before = cursorIfSound(config.stateDirectory, name);
  // Several moves before the next start are one: what counts is what was delivered, and what comes next.
  const from = before?.moved?.from ?? before?.size ?? 0;
  const root = (await follower.frontierAt(to)).root();
  const cursor: Cursor = { name, origin, size: to, root, atUs: Date.now() * 1_000, moved: { from, to } };
  writeCursor(config.stateDirectory, cursor);
  return { from, to };
}

function cursorIfSound(stateDirectory: string, name: string): Cursor | undefined {
  try {
    return readCursor(stateDirectory, name);
  } catch (error) {
    // That is what this command is for.
    if (isCountersignError(error, 'CS_RECORD_CORRUPT')) return undefined;
    throw error;
  }
}
