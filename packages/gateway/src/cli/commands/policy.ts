import type { Command } from 'commander';

import type { SetExitCode } from '../program.ts';
import { addPolicyCheckCommand } from './policy-check.ts';
import { addPolicyExplainCommand } from './policy-explain.ts';
import { addPolicySchemaCommand } from './policy-schema.ts';
import { addPolicyTestCommand } from './policy-test.ts';

export function addPolicyCommand(program: Command, setExitCode: SetExitCode): void {
  const policy = program
    .command('policy')
    .summary('check, test and explain policies')
    .description('Works on a folder of Cedar policies: that of the configuration, or any other.')
    .addHelpText(
      'after',
      `
Examples:
  countersign policy check
  countersign policy test policies/*.tests.yaml
  countersign policy explain 5d01a2b3
  countersign policy explain --principal jane --action update --resource bank.accounts --columns status`,
    );
  addPolicyCheckCommand(policy);
  addPolicyTestCommand(policy, setExitCode);
  addPolicyExplainCommand(policy);
  addPolicySchemaCommand(policy);
}
