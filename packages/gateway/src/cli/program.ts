import { Command, CommanderError } from 'commander';

import { ERROR_SURFACES } from '../errors.ts';
import { runningSoftware } from '../gateway/software.ts';
import { addBackupCommand } from './commands/backup.ts';
import { addCatalogCommand } from './commands/catalog.ts';
import { addCheckCommand } from './commands/check.ts';
import { addClassifyCommand } from './commands/classify.ts';
import { addConnectCommand } from './commands/connect.ts';
import { addCustodyCommand } from './commands/custody.ts';
import { addDemoCommand } from './commands/demo.ts';
import { addEraseCommand } from './commands/erase.ts';
import { addHoldCommand } from './commands/hold.ts';
import { addExplainCommand } from './commands/explain.ts';
import { addExportCommand } from './commands/export.ts';
import { addInitCommand } from './commands/init.ts';
import { addKeyCommand } from './commands/key.ts';
import { addLogCommand } from './commands/log.ts';
import { addMaskCommand } from './commands/mask.ts';
import { addPolicyCommand } from './commands/policy.ts';
import { addRetentionCommand } from './commands/retention.ts';
import { addRestoreCommand } from './commands/restore.ts';
import { addServeCommand } from './commands/serve.ts';
import { addStatusCommand } from './commands/status.ts';
import { addTargetCommand } from './commands/target.ts';
import { addTokenCommand } from './commands/token.ts';
import { addWitnessCommand } from './commands/witness.ts';
import { EXIT_CODE_HELP, reportError } from './output.ts';

/** Takes the exit code of a command that ended well in its own way (`log verify`, `connect`). */
export type SetExitCode = (code: number) => void;

/** Builds `countersign` with all its subcommands. */
export function createProgram(setExitCode: SetExitCode): Command {
  const program = new Command('countersign')
    .description('Identity-aware gateway in front of databases: named, granted, recorded before effect.')
    .version(runningSoftware().version)
    .showHelpAfterError('(add --help for what it understands)')
    .showSuggestionAfterError()
    .addHelpText('after', EXIT_CODE_HELP);
  addServeCommand(program);
  addDemoCommand(program, setExitCode);
  addCheckCommand(program);
  addInitCommand(program);
  addTokenCommand(program);
  addKeyCommand(program);
  addBackupCommand(program);
  addRestoreCommand(program);
  addLogCommand(program, setExitCode);
  addExportCommand(program);
  addStatusCommand(program);
  addConnectCommand(program, setExitCode);
  addWitnessCommand(program);
  addPolicyCommand(program, setExitCode);
  addTargetCommand(program, setExitCode);
  addCatalogCommand(program);
  addClassifyCommand(program);
  addExplainCommand(program, setExitCode);
  addMaskCommand(program);
  addCustodyCommand(program);
  addHoldCommand(program);
  addRetentionCommand(program);
  addEraseCommand(program);
  return program;
}

/** Runs one command line and resolves with the exit code. */
export async function runCli(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = createProgram((code) => {
    exitCode = code;
  });
  throwInsteadOfExit(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ERROR_SURFACES.CS_USAGE.exit;
    return reportError(error, isJsonWanted(args));
  }
}

/** Commander ends the process by itself unless every command is told not to. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) throwInsteadOfExit(child);
}

/** Options behind `--` belong to the program that is started. */
function isJsonWanted(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end === -1 ? args : args.slice(0, end)).includes('--json');
}
