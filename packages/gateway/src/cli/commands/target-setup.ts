import type { Command } from 'commander';

import type { CountersignConfig, PostgresTargetConfig } from '../../config/config.ts';
import { OWNER_ROLE, removalSql, setupSql } from '../../postgres/roles/setup-sql.ts';
import type { SetupRequest } from '../../postgres/roles/setup-sql.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { createOutput, inputError, usageError } from '../output.ts';

interface SetupOptions extends CommonOptions {
  readonly print?: boolean;
  readonly remove?: boolean;
  readonly database?: string;
}

export function addTargetSetupCommand(target: Command): void {
  const command = target
    .command('setup')
    .argument('<target>', 'name of the target')
    .summary('print the SQL that lets the gateway make roles')
    .description(
      'Prints the SQL that a DBA reviews and runs, once in each database of the target: the functions that make and end the roles of scopes. Connects to nothing.',
    )
    .option('--print', 'print it; nothing else is offered: the gateway never installs it itself')
    .option('--remove', 'print the SQL that takes it all away again')
    .option('--database <name>', 'for the header; default: the database of the target')
    .addHelpText(
      'after',
      `
Examples:
  countersign target setup bank --print > setup.sql
  psql -d bank -f setup.sql
  countersign target setup bank --print --remove`,
    )
    .action((name: string, options: SetupOptions) => {
      if (options.print !== true)
        throw usageError('say --print', 'A DBA runs what it prints; the gateway has no right to.');
      const request = setupRequestOf(targetOf(configOf(options), name), options.database);
      const sql = options.remove === true ? removalSql(request) : setupSql(request);
      createOutput(options.json ?? false).result({ ...request, sql }, () => sql);
    });
  addConfigOption(command);
  addJsonOption(command);
}

/** Throws a usage error with the names there are. */
export function targetOf(config: CountersignConfig, name: string): PostgresTargetConfig {
  const target = config.targets.find((each) => each.name === name);
  if (target !== undefined) return target;
  const names = config.targets.map((each) => each.name).join(', ');
  throw inputError(`there is no target ${name}`, `There are: ${names}.`);
}

/** Throws when the target has no section `roles`. */
export function setupRequestOf(target: PostgresTargetConfig, database = target.database): SetupRequest {
  const { name, logins, roles } = target;
  const login = roles === undefined ? undefined : logins[roles.login];
  if (roles === undefined || login === undefined) {
    throw inputError(
      `${name} has no section roles`,
      `Add targets.${name}.roles with the login that shall make them.`,
    );
  }
  return {
    target: name,
    database,
    login: login.user,
    owner: OWNER_ROLE,
    prefix: roles.prefix,
    ...(roles.owner === undefined ? {} : { objects: roles.owner }),
  };
}
