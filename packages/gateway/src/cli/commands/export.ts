import type { Command } from 'commander';

import { addExportOcsfCommand } from './export-ocsf.ts';
import { addExportResetCommand } from './export-reset.ts';
import { addExportRunCommand } from './export-run.ts';
import { addExportStatusCommand } from './export-status.ts';

export function addExportCommand(program: Command): void {
  const command = program
    .command('export')
    .summary('streams of the record to other systems')
    .description('Shows, runs and moves exports, and prints a log as OCSF events.')
    .addHelpText(
      'after',
      `
Examples:
  countersign export status
  countersign export ocsf --from 4711 | jq .class_name
  countersign export reset siem --to 4711`,
    );
  addExportStatusCommand(command);
  addExportOcsfCommand(command);
  addExportRunCommand(command);
  addExportResetCommand(command);
}
