import type { Command } from 'commander';

import { POLICY_SCHEMA } from '../../policy/schema.ts';
import { addJsonOption } from '../common-options.ts';
import { createOutput } from '../output.ts';

export function addPolicySchemaCommand(policy: Command): void {
  const command = policy
    .command('schema')
    .summary('print the Cedar schema')
    .description('Prints the schema that policies are checked against, for editors and other tools of Cedar.')
    .addHelpText(
      'after',
      `
Examples:
  countersign policy schema > countersign.cedarschema`,
    )
    .action((options: { readonly json?: boolean }) => {
      createOutput(options.json ?? false).result({ schema: POLICY_SCHEMA }, () => POLICY_SCHEMA);
    });
  addJsonOption(command);
}
