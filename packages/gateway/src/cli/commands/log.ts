import type { Command } from 'commander';

import type { SetExitCode } from '../program.ts';
import { addLogProveCommand } from './log-prove.ts';
import { addLogRecoverCommand } from './log-recover.ts';
import { addLogShowCommand } from './log-show.ts';
import { addLogStatusCommand } from './log-status.ts';
import { addLogSucceedCommand } from './log-succeed.ts';
import { addLogTailCommand } from './log-tail.ts';
import { addLogVerifyCommand } from './log-verify.ts';

export function addLogCommand(program: Command, setExitCode: SetExitCode): void {
  const log = program
    .command('log')
    .summary('verify, show, follow and prove the record')
    .description('Works on the log of the configuration, or on any log given as directory or URL.')
    .addHelpText(
      'after',
      `
Examples:
  countersign log verify
  countersign log verify https://logs.example.com/gateway-1 --key log.vkey
  countersign log show --last 20
  countersign log show --session 0199… --contents`,
    );
  addLogVerifyCommand(log, setExitCode);
  addLogShowCommand(log);
  addLogTailCommand(log);
  addLogProveCommand(log);
  addLogStatusCommand(log);
  addLogRecoverCommand(log);
  addLogSucceedCommand(log);
}
