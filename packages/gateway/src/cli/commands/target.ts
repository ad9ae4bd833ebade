import type { Command } from 'commander';

import type { SetExitCode } from '../program.ts';
import { addTargetCheckCommand } from './target-check.ts';
import { addTargetSetupCommand } from './target-setup.ts';

export function addTargetCommand(program: Command, setExitCode: SetExitCode): void {
  const target = program
    .command('target')
    .summary('what a target needs for the second wall')
    .description('Prints what a DBA installs in a target, and says what weakens it (docs/second-wall.md).');
  addTargetSetupCommand(target);
  addTargetCheckCommand(target, setExitCode);
}
