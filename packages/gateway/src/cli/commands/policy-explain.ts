import type { Command } from 'commander';

import type { CountersignConfig } from '../../config/config.ts';
import { loadPoliciesOf } from '../../gateway/policies.ts';
import type { PolicyDecision, PolicyRequest } from '../../policy/policy-request.ts';
import { accessOf, describeQuestion, parseAccessWords } from '../../policy/policy-tests.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { withLogErrors } from '../log-errors.ts';
import { createOutput, inputError, usageError } from '../output.ts';
import { explainCall } from '../recorded-decision.ts';
import type { RecordedDecision } from '../recorded-decision.ts';

export interface ExplainOptions extends CommonOptions {
  readonly log?: string;
  readonly reader?: string;
  readonly readerKey?: string;
  readonly custodianKey?: string;
  readonly vault?: string;
  readonly principal?: string;
  readonly target?: string;
  readonly database?: string;
  readonly grant?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly columns?: string;
  readonly class?: string;
  readonly via?: string;
}

export function addPolicyExplainCommand(policy: Command): void {
  const command = policy
    .command('explain')
    .argument('[call]', 'id of a recorded call; its last characters are enough')
    .summary('say which policies decided')
    .description(
      'Names the policies that decided a recorded call, with their texts as they were in force; or says what the policies of the configuration would answer.',
    )
    .option('--log <place>', 'of a call: directory or URL of the log; default: that of the configuration')
    .option('--reader <name>', 'your name in custody.readers, where the gateway asks for one')
    .option('--reader-key <file>', 'your private key, PEM')
    .option('--custodian-key <file>', "open sealed texts offline with the custodian's private key")
    .option('--vault <directory>', 'vault to open; default: beside the log')
    .option('--principal <name>', 'who would ask: a principal of the configuration')
    .option(
      '--action <action>',
      'select, insert, update, delete, truncate, maintain, execute, ddl, special, admin, unmask or connect',
    )
    .option('--resource <name>', 'schema.name; of ddl a schema, of special its name, of unmask a class')
    .option('--columns <names>', 'with commas between them; * (default): all')
    .option('--class <class>', 'of the resource, where it is not plain data or an ordinary function')
    .option('--via <schema.name>', 'the view through which it is reached')
    .option('--grant <id>', "the principal's grant; default: its only one")
    .option('--target <name>', 'default: that of the grant')
    .option('--database <name>', "default: the target's")
    .addHelpText(
      'after',
      `
Texts that are no longer in force are sealed: they are read through the running gateway, which records the reading first.

Examples:
  countersign policy explain 5d01a2b3
  countersign policy explain --principal report-agent --action select --resource bank.customers --columns ssn`,
    )
    .action(async (call: string | undefined, options: ExplainOptions) => {
      if (call === undefined) explainHypothetical(options);
      else if (options.principal !== undefined || options.action !== undefined)
        throw usageError('either a recorded call or --principal and --action');
      else {
        const found = await withLogErrors(() => explainCall(call, options));
        createOutput(options.json ?? false).result(found, () => formatRecorded(found));
      }
    });
  addConfigOption(command);
  addJsonOption(command);
}

function explainHypothetical(options: ExplainOptions): void {
  if (options.principal === undefined || options.action === undefined)
    throw usageError('name a recorded call, or --principal and --action');
  const config = configOf(options);
  const request = requestOf(config, options);
  const { set } = loadPoliciesOf(config);
  const decision = set.decide(request);
  const policies = decision.policies.map((id) => {
    const known = set.policies.find((policy) => policy.id === id);
    return { id, ...(known === undefined ? {} : { file: known.file, line: known.line, text: known.text }) };
  });
  createOutput(options.json ?? false).result(
    { request, effect: decision.effect, policies, errors: decision.errors, digest: set.digest },
    () => formatHypothetical(request, decision, policies),
  );
}

function requestOf(config: CountersignConfig, options: ExplainOptions): PolicyRequest {
  const principal = config.principals.find(({ name }) => name === options.principal);
  if (principal === undefined)
    throw inputError(`the configuration has no principal ${options.principal ?? ''}`);
  const grants = config.grants.filter(
    (grant) =>
      grant.principal === principal.name &&
      (options.grant === undefined || grant.id === options.grant) &&
      (options.target === undefined || grant.target === options.target),
  );
  const [grant, ...more] = grants;
  if (grant === undefined)
    throw inputError(`${principal.name} has no such grant: nothing would be asked of policies`);
  if (more.length > 0)
    throw inputError(
      `${principal.name} has several grants: ${grants.map(({ id }) => id).join(', ')}`,
      'Choose one with --grant.',
    );
  const target = config.targets.find(({ name }) => name === grant.target);
  try {
    return {
      principal,
      grant: {
        id: grant.id,
        standing: true,
        ...(grant.purpose === undefined ? {} : { purpose: grant.purpose }),
      },
      target: grant.target,
      database: options.database ?? grant.databases[0] ?? target?.database ?? grant.target,
      access: accessOf(
        parseAccessWords({
          action: options.action,
          resource: options.resource,
          class: options.class,
          columns:
            options.columns === undefined || options.columns === '*' ? '*' : options.columns.split(','),
          via: options.via,
        }),
      ),
    };
  } catch (error) {
    throw usageError((error as Error).message);
  }
}

interface ShownPolicy {
  readonly id: string;
  readonly file?: string;
  readonly line?: number;
  readonly text?: string;
}

function formatHypothetical(
  request: PolicyRequest,
  { effect, errors }: PolicyDecision,
  policies: readonly ShownPolicy[],
): string {
  return [
    `${effect}: ${describeQuestion(request)}`,
    ...errors.map(({ message, policy }) => `error: ${policy}: ${message}`),
    ...formatPolicies(policies, effect),
    '',
    'The scope of the grant is judged apart from this, and first.',
  ].join('\n');
}

const NOTHING_PERMITS = 'No policy permits it. (None forbids it either.)';

function formatPolicies(policies: readonly ShownPolicy[], effect: string): readonly string[] {
  if (policies.length === 0) return effect === 'permit' ? [] : ['', NOTHING_PERMITS];
  return policies.flatMap(({ file, id, line, text }) => [
    '',
    file === undefined ? `${id}:` : `${id} (${file}:${line ?? 0}):`,
    ...(text ?? '(the text is not at hand)').split('\n').map((one) => `  ${one}`),
  ]);
}

/** Policies are asked last: a call may have been refused by the scope before, or for a name that the target does not have. */
const REASONS_OF_POLICIES: ReadonlySet<string> = new Set(['policy', 'policy-error']);

function formatRecorded(found: RecordedDecision): string {
  const { call, decision, digest, grant, index, objects, source } = found;
  const at = new Date(Math.floor(found.atUs / 1_000)).toISOString();
  const isOfPolicy =
    decision.effect === 'permit' || decision.reasons.some((reason) => REASONS_OF_POLICIES.has(reason));
  return [
    `${decision.effect}: call ${call}, leaf ${index}, ${at}`,
    `  what:     ${[found.kind, found.effect].filter((word) => word !== undefined).join(', ')}`,
    ...(objects.length === 0 ? [] : [`  touches:  ${objects.join('; ')}`]),
    `  who:      ${found.principal ?? 'not named'} under grant ${grant ?? 'not named'}`,
    ...(decision.reasons.length === 0 ? [] : [`  because:  ${decision.reasons.join(', ')}`]),
    `  policies: ${digest ?? 'the record of this call names none'}${source === undefined ? '' : ` (${source})`}`,
    ...(isOfPolicy || found.policies.length > 0 ? formatPolicies(found.policies, decision.effect) : []),
    ...(isOfPolicy ? [] : ['', 'No policy refused it: it was refused because of what is said above.']),
  ].join('\n');
}
