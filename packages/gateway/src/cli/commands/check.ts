import type { Command } from 'commander';

import type { CountersignConfig } from '../../config/config.ts';
import { checkCustody } from '../../config/custody.ts';
import { refuseDemo } from '../../config/demo-rule.ts';
import { ConfigError, formatProblem } from '../../config/problem.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import { readConfig } from '../../config/read-config.ts';
import { createSecrets } from '../../config/secrets.ts';
import { isCountersignError } from '../../errors.ts';
import { readRecordKeys } from '../../gateway/record-keys.ts';
import { PrincipalRegistry } from '../../identity/principal-registry.ts';
import { loadServerTls } from '../../postgres/tls-server.ts';
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
    .description('Validates the configuration and everything it refers to. Connects to nothing.')
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
      const problems = [...warnings, ...(options.secrets ? await checkSecrets(config) : [])];
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
      createOutput(options.json ?? false).result({ ok: true, ...summary(config), warnings: problems }, () =>
        [
          ...problems.map((problem) => formatProblem(config.file, problem)),
          `${config.file}: valid (${describe(config)})`,
        ].join('\n'),
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

/** Reads every secret once, and tries what `serve` would try with it. */
async function checkSecrets(config: CountersignConfig): Promise<ConfigProblem[]> {
  const secrets = createSecrets();
  const problems = await checkCustody(config, secrets);
  const { tls } = config.listen.postgres;
  const trials: readonly (() => unknown)[] = [
    () => readRecordKeys(config, secrets),
    () => PrincipalRegistry.load(config.principals, secrets),
    () => (tls === undefined ? undefined : loadServerTls(tls, secrets)),
    () => refuseDemo(config),
  ];
  for (const trial of trials) {
    try {
      await trial();
    } catch (error) {
      // A secret that cannot be read was found above, with its key.
      if (!isCountersignError(error)) throw error;
      if (error.code !== 'CS_SECRET_UNAVAILABLE') problems.push(asProblem(error.detail, error.hint));
    }
  }
  return problems;
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
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
