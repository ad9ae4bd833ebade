import type { Command } from 'commander';

import { ControlClient } from '../../api/control-client.ts';
import type { CountersignConfig } from '../../config/config.ts';
import { checkCustody } from '../../config/custody.ts';
import { refuseDemo } from '../../config/demo-rule.ts';
import { ConfigError, formatProblem } from '../../config/problem.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import { readConfig } from '../../config/read-config.ts';
import { createSecrets } from '../../config/secrets.ts';
import { isCountersignError } from '../../errors.ts';
import { readPolicies } from '../../gateway/policies.ts';
import { fixedSettings, unreloadableKeys } from '../../gateway/reload.ts';
import type { FixedSettings } from '../../gateway/reload.ts';
import { trySecrets } from '../../gateway/try-secrets.ts';
import { addConfigOption, addJsonOption } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { createOutput } from '../output.ts';

interface CheckOptions extends CommonOptions {
  readonly secrets: boolean;
  readonly strict?: boolean;
}

export function addCheckCommand(program: Command): void {
  const command = program
    .command('check')
    .summary('validate the configuration, offline')
    .description(
      'Validates the configuration and everything it refers to. Connects to nothing but the control socket: where a gateway runs with this state directory, a warning names what it could not reload.',
    )
    .option('--no-secrets', 'do not read secrets: for a review on another machine')
    .option('--strict', 'warnings are errors')
    .addHelpText(
      'after',
      `
Examples:
  countersign check
  countersign check -c new.yaml && systemctl reload countersign
  countersign check --no-secrets --strict --json`,
    )
    .action(async (options: CheckOptions) => {
      const { config, warnings } = readConfig(options.config);
      const { problems: ofPolicies, set: policies } = readPolicies(config);
      const problems = [...warnings, ...ofPolicies, ...(options.secrets ? await checkSecrets(config) : [])];
      const isError = problems.some((problem) => problem.severity === 'error');
      if (isError || (options.strict === true && problems.length > 0)) {
        const severity = 'error' as const;
        throw new ConfigError(
          config.file,
          options.strict === true
            ? problems.map((problem) => Object.assign({}, problem, { severity }))
            : problems,
        );
      }
      const running = await askRunningGateway(config);
      createOutput(options.json ?? false).result(
        {
          ok: true,
          ...summary(config),
          policies: policies?.policies.map(({ id }) => id) ?? [],
          warnings: problems,
          masking: config.masking === undefined ? null : { rules: config.masking.rules.version },
          ...(running === undefined ? {} : { running }),
        },
        () =>
          [
            ...problems.map((problem) => formatProblem(config.file, problem)),
            ...(config.masking === undefined ? [`${config.file}: ${NOT_MASKED}`] : []),
            ...(running === undefined ? [] : reloadLines(config, running)),
            `${config.file}: valid (${describe(config)}, ${plural(policies?.count ?? 0, 'policy')})`,
          ].join('\n'),
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

/** Said, and no warning: who wants nothing masked has nothing to correct. */
const NOT_MASKED = 'note: nothing is masked, there is no section masking';

/** Reads every secret once, and tries what `serve` would try with it. */
async function checkSecrets(config: CountersignConfig): Promise<ConfigProblem[]> {
  const problems = [...(await trySecrets(config, createSecrets())), ...checkCustody(config)];
  try {
    refuseDemo(config);
  } catch (error) {
    if (!isCountersignError(error)) throw error;
    problems.push(asProblem(error.detail, error.hint));
  }
  return problems;
}

/** What a reload of the gateway that runs with this state directory would say. */
interface RunningGateway {
  /** Keys for which it would refuse this configuration; it would have to be restarted. */
  readonly unreloadable: readonly string[];
}

/** A gateway that hangs must not keep a configuration from being checked. */
const PATIENCE_MS = 2_000;

/** Undefined where none runs, or none that we may ask: the file is as valid as without it. */
async function askRunningGateway(config: CountersignConfig): Promise<RunningGateway | undefined> {
  try {
    const client = new ControlClient(config.stateDirectory);
    const before = await client.get<FixedSettings>('/v1/fixed-settings', PATIENCE_MS);
    return { unreloadable: unreloadableKeys(before, fixedSettings(config)) };
  } catch {
    return undefined;
  }
}

function reloadLines(config: CountersignConfig, { unreloadable }: RunningGateway): readonly string[] {
  if (unreloadable.length === 0) return [];
  const keys = unreloadable.join(', ');
  return [
    `${config.file}: warning: the running gateway cannot change ${keys}: it would refuse a reload (restart it instead)`,
  ];
}

function asProblem(detail: string | undefined, hint: string | undefined): ConfigProblem {
  const message = detail ?? 'cannot be used';
  const base = {
    severity: 'error',
    code: 'CS_CONFIG_INVALID',
    path: '',
    line: 0,
    column: 0,
    message,
  } as const;
  return hint === undefined ? base : { ...base, hint };
}

function summary(config: CountersignConfig): Record<string, unknown> {
  return {
    file: config.file,
    digest: config.digest,
    node: config.node,
    targets: config.targets.map((target) => target.name),
    principals: config.principals.map((principal) => principal.name),
    grants: config.grants.map((grant) => grant.id),
  };
}

function describe(config: CountersignConfig): string {
  return [
    plural(config.targets.length, 'target'),
    plural(config.principals.length, 'principal'),
    plural(config.grants.length, 'grant'),
  ].join(', ');
}

function plural(count: number, word: string): string {
  return `${count} ${count === 1 ? word : `${word.replace(/y$/, 'ie')}s`}`;
}
