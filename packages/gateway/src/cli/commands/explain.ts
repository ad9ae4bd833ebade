import { existsSync, readFileSync } from 'node:fs';

import type { Command } from 'commander';

import { ControlClient } from '../../api/control-client.ts';
import type { CountersignConfig, GrantConfig, PostgresTargetConfig } from '../../config/config.ts';
import { optionsOf } from '../../gateway/masking.ts';
import { loadPoliciesOf } from '../../gateway/policies.ts';
import { parseCatalog, readCatalogFile } from '../../postgres/catalog/catalog-file.ts';
import { indexCatalog } from '../../postgres/catalog/catalog-index.ts';
import type { CatalogData } from '../../postgres/catalog/catalog.ts';
import { classifyCatalog } from '../../postgres/classify/classify-catalog.ts';
import { indexClassification } from '../../postgres/classify/classification.ts';
import type { Masking } from '../../postgres/lineage/lineage-of.ts';
import { initParser } from '../../postgres/inspect/parse/parse-statement.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { decideStatement, explainStatement } from '../explained-statement.ts';
import type { ExplainedDecision, ExplainedStatement } from '../explained-statement.ts';
import { createOutput, inputError } from '../output.ts';
import type { SetExitCode } from '../program.ts';

interface ExplainOptions extends CommonOptions {
  readonly principal?: string;
  readonly grant?: string;
  readonly database?: string;
  readonly catalog?: string;
  readonly searchPath: string;
}

/** What a session has unless something sets another; the schema of the user's own name aside. */
const DEFAULT_PATH = 'public';
const EXIT_UNREADABLE = 2;
const EXIT_DENIED = 4;

export function addExplainCommand(program: Command, setExitCode: SetExitCode): void {
  const command = program
    .command('explain')
    .argument('<target>', 'a target of the configuration')
    .argument('<sql>', 'the statement; - reads it from standard input')
    .summary('say what a statement would do, and whether it may')
    .description(
      'Analyses a statement as the gateway would, on the catalog of the running gateway or of a file, and asks the scopes and policies of the configuration. Nothing of it is run or sent anywhere.',
    )
    .option('--principal <name>', "only this principal's grants")
    .option('--grant <id>', 'only this grant')
    .option('--database <name>', 'database of the target (default: the configured one)')
    .option('--catalog <file>', 'a snapshot written by `countersign catalog`; no gateway is needed then')
    .option('--search-path <schemas>', 'as the session would have it', DEFAULT_PATH)
    .addHelpText(
      'after',
      `
Without --catalog the running gateway gives its snapshot of the catalog, which it reads from the target on the record if it has none yet.
With --catalog and no configuration the statement is analysed and nothing is decided.

Examples:
  countersign explain bank "select name from bank.customers"
  countersign explain bank "update bank.accounts set status = 'closed'" --principal jane
  countersign explain bank - --catalog bank.catalog.json --json < report.sql

Exit code: 0 when one of the grants permits it, ${EXIT_DENIED} when none does, ${EXIT_UNREADABLE} when it cannot be read.`,
    )
    .action(async (target: string, sql: string, options: ExplainOptions) => {
      const text = sql === '-' ? readFileSync(0, 'utf8') : sql;
      const config = configFor(options);
      const data = await catalogOf(target, options);
      await initParser();
      const configured = config === undefined ? undefined : targetOf(config, target);
      const explanation = explainStatement({
        text,
        catalog: indexCatalog(data),
        searchPath: options.searchPath,
        allowedSettings: configured?.allowedSettings ?? [],
        masking: maskingOf(config, configured, data),
      });
      const { statement } = explanation;
      const isReadable = statement.unreadable === undefined;
      const grants = config === undefined ? [] : grantsFor(config, target, data.database, options);
      const decisions =
        config === undefined || !isReadable
          ? []
          : decideStatement(explanation, text, {
              config,
              grants,
              policies: loadPoliciesOf(config).set,
              database: data.database,
            });
      createOutput(options.json ?? false).result({ ...statement, decisions }, () =>
        [...formatStatement(statement), ...decisions.flatMap(formatDecision)].join('\n'),
      );
      if (!isReadable) setExitCode(EXIT_UNREADABLE);
      else if (config !== undefined && !decisions.some(({ effect }) => effect === 'permit'))
        setExitCode(EXIT_DENIED);
    });
  addConfigOption(command);
  addJsonOption(command);
}

/** Undefined: there is none, and a snapshot in a file needs none. */
function configFor(options: ExplainOptions): CountersignConfig | undefined {
  const isNeeded =
    options.catalog === undefined || options.principal !== undefined || options.grant !== undefined;
  return isNeeded || existsSync(options.config) ? configOf(options) : undefined;
}

async function catalogOf(target: string, options: ExplainOptions): Promise<CatalogData> {
  const { catalog, database } = options;
  if (catalog === undefined) {
    const client = new ControlClient(configOf(options).stateDirectory);
    const answer = await client.post<unknown>('/v1/catalog', {
      target,
      ...(database === undefined ? {} : { database }),
    });
    return parseCatalog(JSON.stringify(answer), 'the answer of the gateway');
  }
  const data = await readCatalogFile(catalog);
  if (data.target !== target) throw inputError(`${catalog} is of target ${data.target}, not ${target}`);
  if (database !== undefined && data.database !== database)
    throw inputError(`${catalog} is of database ${data.database}, not ${database}`);
  return data;
}

/** Undefined: nothing is masked. */
function maskingOf(
  config: CountersignConfig | undefined,
  target: PostgresTargetConfig | undefined,
  data: CatalogData,
): Masking | undefined {
  const rules = config?.masking?.rules;
  if (rules === undefined || target === undefined) return undefined;
  const classification = indexClassification(classifyCatalog(data, optionsOf(target, rules)).data);
  return classification.isEmpty ? undefined : { rules, classification };
}

function targetOf(config: CountersignConfig, name: string): CountersignConfig['targets'][number] {
  const target = config.targets.find((each) => each.name === name);
  if (target === undefined) throw inputError(`the configuration has no target ${name}`);
  return target;
}

/** Grants that a session on this database could be under. */
function grantsFor(
  config: CountersignConfig,
  target: string,
  database: string,
  { grant, principal }: ExplainOptions,
): readonly GrantConfig[] {
  if (principal !== undefined && !config.principals.some(({ name }) => name === principal))
    throw inputError(`the configuration has no principal ${principal}`);
  const byDefault = targetOf(config, target).database === database;
  const found = config.grants.filter(
    (each) =>
      each.target === target &&
      (grant === undefined || each.id === grant) &&
      (principal === undefined || each.principal === principal) &&
      (each.databases.length === 0 ? byDefault : each.databases.includes(database)),
  );
  if (found.length === 0) throw inputError(`no such grant is for database ${database} of ${target}`);
  return found;
}

function list(title: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [`${title}:`, ...items.map((item) => `  ${item}`)];
}

function formatStatement(statement: ExplainedStatement): readonly string[] {
  const { catalog, effect, fingerprint, kind, searchPath, setting, statements, unreadable } = statement;
  if (unreadable !== undefined) {
    const { message, position, reason } = unreadable;
    const where = position === undefined ? '' : ` at character ${position}`;
    return [
      `cannot be read: ${reason}${message === undefined ? '' : `: ${message}${where}`}`,
      'It would be refused (docs/analysis.md).',
    ];
  }
  const count = statements === 1 ? '' : `, ${statements} statements`;
  return [
    `${kind}, ${effect}${count}${fingerprint === undefined ? '' : `, fingerprint ${fingerprint}`}`,
    `on ${catalog.target}/${catalog.database}, search_path ${searchPath.join(', ') || '(empty)'}`,
    ...list('demands', statement.demands),
    ...(statement.demands.length === 0 ? ['demands nothing'] : []),
    ...list('reaches, on the authority of others', statement.reaches),
    ...list(
      'names that the catalog does not have',
      statement.unknownNames.map(({ kind: of, written }) => `${of} ${written}`),
    ),
    ...list('executes, and is judged with', statement.executes),
    ...list('leaves in the session', statement.changes),
    ...list('regulated values', statement.values ?? []),
    ...(setting === undefined
      ? []
      : [
          `may not change the setting${setting.name === undefined ? '' : ` ${setting.name}`}: ${setting.reason}`,
        ]),
  ];
}

function formatDecision(decision: ExplainedDecision): readonly string[] {
  const { effect, grant, masking, missing, policies, principal, reasons, told } = decision;
  return [
    '',
    `${effect}: ${principal} under grant ${grant}`,
    ...(reasons.length === 0 ? [] : [`  because:  ${reasons.join(', ')}`]),
    `  decided:  ${policies.join(', ')}`,
    ...(missing.length === 0 ? [] : [`  missing:  ${missing.join('; ')}`]),
    ...(masking?.refused ?? []).map((reason) => `  refused:  ${reason}`),
    ...(masking?.masked ?? []).map((column) => `  masked:   ${column}`),
    ...(masking?.unmasked ?? []).map((object) => `  unmasked: ${object}`),
    ...(masking?.counted ?? []).map((budget) => `  counted:  ${budget}; what is left is not looked at`),
    ...(masking?.notPermitted ?? []).map(
      (name) =>
        `  masked:   ${name}, although the grant unmasks it: no policy permits the action unmask for it`,
    ),
    ...(told?.hint === undefined ? [] : [`  to ask:   ${told.hint}`]),
  ];
}
