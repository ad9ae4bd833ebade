import { statSync } from 'node:fs';
import { basename } from 'node:path';

import type { Command } from 'commander';

import { ConfigError, formatProblem } from '../../config/problem.ts';
import { readPolicies } from '../../gateway/policies.ts';
import { readPolicyFile } from '../../policy/policy-folder.ts';
import { formatPolicyProblem, PolicyError } from '../../policy/policy-problem.ts';
import { loadPolicies, makePolicySet } from '../../policy/policy-set.ts';
import type { LoadedPolicies, PolicySet } from '../../policy/policy-set.ts';
import { ASKED_ACTIONS } from '../../policy/schema.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { createOutput, formatTable, inputError } from '../output.ts';

interface CheckOptions extends CommonOptions {
  readonly strict?: boolean;
}

export function addPolicyCheckCommand(policy: Command): void {
  const command = policy
    .command('check')
    .argument('[place]', 'folder or file; default: the folder of the configuration')
    .summary('validate policies')
    .description(
      'Parses policies and validates them against the schema. With the folder of the configuration it also warns of principals, groups and targets that the configuration does not have.',
    )
    .option('--strict', 'warnings are errors')
    .addHelpText(
      'after',
      `
Examples:
  countersign policy check
  countersign policy check ./policies --strict
  countersign policy check new.cedar`,
    )
    .action((place: string | undefined, options: CheckOptions) => {
      const { set, warnings } = place === undefined ? ofConfiguration(options) : ofPlace(place, options);
      const policies = set.policies.map(({ actions, effect, file, id, line }) => ({
        id,
        effect,
        file,
        line,
        actions: [...actions],
      }));
      createOutput(options.json ?? false).result({ ok: true, digest: set.digest, policies, warnings }, () =>
        [...warnings, formatSet(set)].join('\n'),
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

interface Checked {
  readonly set: PolicySet;
  readonly warnings: readonly string[];
}

function ofConfiguration(options: CheckOptions): Checked {
  const config = configOf(options);
  const { problems, set } = readPolicies(config);
  if (set === undefined || (options.strict === true && problems.length > 0))
    throw new ConfigError(
      config.file,
      problems.map((problem) => ({ ...problem, severity: 'error' as const })),
    );
  return { set, warnings: problems.map((problem) => formatProblem(config.file, problem)) };
}

function ofPlace(place: string, options: CheckOptions): Checked {
  const { set, warnings } = loadPlace(place);
  if (options.strict === true && warnings.length > 0)
    throw new PolicyError(warnings.map((problem) => ({ ...problem, severity: 'error' as const })));
  return { set, warnings: warnings.map(formatPolicyProblem) };
}

/** A folder, or one file. Throws `PolicyError`. */
export function loadPlace(place: string): LoadedPolicies {
  const stat = statSync(place, { throwIfNoEntry: false });
  if (stat === undefined) throw inputError(`there is no ${place}`);
  if (stat.isDirectory()) return loadPolicies(place);
  const text = readPolicyFile(place);
  if (typeof text !== 'string') throw inputError(`${place}: ${text.problem}`);
  return makePolicySet([{ name: basename(place), path: place, text }]);
}

function formatSet(set: PolicySet): string {
  const rows = set.policies.map(({ actions, effect, file, id, line }) => [
    effect,
    id,
    actions.size === ALL_ACTIONS ? 'every action' : [...actions].join(', '),
    `${file}:${line}`,
  ]);
  const files = new Set(set.policies.map(({ file }) => file)).size;
  return [
    ...(rows.length === 0 ? [] : [formatTable(rows), '']),
    `valid: ${set.count} ${set.count === 1 ? 'policy' : 'policies'} in ${files} ${files === 1 ? 'file' : 'files'}, digest ${set.digest}`,
  ].join('\n');
}

const ALL_ACTIONS = Object.keys(ASKED_ACTIONS).length;
