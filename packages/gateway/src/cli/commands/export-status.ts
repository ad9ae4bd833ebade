import type { Command } from 'commander';

import type { CountersignConfig } from '../../config/config.ts';
import { readCursor, listCursors } from '../../export/cursor.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { withLogErrors } from '../log-errors.ts';
import { createOutput, formatTable } from '../output.ts';
import { followLog, runningGateway } from './export-offline.ts';

interface Row {
  readonly name: string;
  readonly kind: string;
  readonly state: string;
  readonly delivered: number;
  readonly lagLeaves: number;
  readonly isStalled: boolean;
  readonly reason?: string;
}

export function addExportStatusCommand(parent: Command): void {
  const command = parent
    .command('status')
    .summary('how far every export has come')
    .description('Asks the running gateway; without one, reads the cursors.')
    .addHelpText(
      'after',
      `
Examples:
  countersign export status
  countersign export status --json | jq '.exports[] | select(.lagLeaves > 1000)'`,
    )
    .action(async (options: CommonOptions) => {
      const config = configOf(options);
      const running = await runningGateway(config);
      const rows = running?.exports ?? (await withLogErrors(() => offlineRows(config)));
      createOutput(options.json ?? false).result({ exports: rows }, () =>
        rows.length === 0 ? 'no export is configured' : formatTable([HEAD, ...rows.map(cellsOf)]),
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

const HEAD = ['export', 'kind', 'state', 'delivered', 'behind', ''];

function cellsOf({ name, kind, state, delivered, lagLeaves, isStalled, reason }: Row): readonly string[] {
  const remarks = [isStalled ? 'STALLED' : '', reason ?? ''].filter((text) => text !== '').join(': ');
  return [name, kind, state, String(delivered), String(lagLeaves), remarks];
}

/** Cursors of exports that are not configured any more are shown too: they hold what was delivered. */
async function offlineRows(config: CountersignConfig): Promise<readonly Row[]> {
  const { size } = await (await followLog(config)).refresh();
  const names = new Set([...config.exports.map(({ name }) => name), ...listCursors(config.stateDirectory)]);
  return [...names].map((name) => {
    const delivered = readCursor(config.stateDirectory, name)?.size ?? 0;
    const kind = config.exports.find((one) => one.name === name)?.kind;
    return {
      name,
      kind: kind ?? 'not configured',
      state: 'not running',
      delivered,
      lagLeaves: Math.max(0, size - delivered),
      isStalled: false,
    };
  });
}
