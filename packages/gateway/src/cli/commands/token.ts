import { existsSync } from 'node:fs';

import type { Command } from 'commander';

import { ControlClient } from '../../api/control-client.ts';
import type { TokenAnswer } from '../../api/issue-token.ts';
import { formatDuration, parseDuration } from '../../config/units.ts';
import { CountersignError } from '../../errors.ts';
import { makeVerifier } from '../../identity/scram-verifier.ts';
import { TOKEN_MAX_TTL_MS } from '../../identity/token.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { createOutput, fileExists, inputError, usageError } from '../output.ts';
import { generatePassword, writePrivateFile } from '../private-file.ts';

interface CreateOptions extends CommonOptions {
  readonly output?: string;
  readonly force?: boolean;
}

interface IssueOptions extends CommonOptions {
  readonly target: string;
  readonly ttl: string;
}

export function addTokenCommand(program: Command): void {
  const token = program
    .command('token')
    .summary('credentials of principals')
    .description('Long-lived passwords (create) and short-lived tokens (issue).')
    .addHelpText(
      'after',
      `
Examples:
  countersign token create report-agent
  countersign token issue jane --target bank --ttl 5m`,
    );
  addCreate(token);
  addIssue(token);
}

function addCreate(token: Command): void {
  const command = token
    .command('create')
    .argument('<principal>', 'name of the principal')
    .summary('make a password for a principal')
    .description(
      'Makes a password, prints it once, and writes only its SCRAM verifier to the file that the configuration names. A running gateway takes it at the next SIGHUP.',
    )
    .option('-o, --output <file>', 'write the verifier there instead')
    .option('--force', 'replace an existing verifier: the old password stops working')
    .addHelpText(
      'after',
      `
Examples:
  countersign token create report-agent
  countersign token create report-agent --force && systemctl reload countersign
  countersign token create new-agent -o secrets/new-agent.verifier --json`,
    )
    .action(async (principal: string, options: CreateOptions) => {
      const file = options.output ?? verifierFile(principal, options);
      if (existsSync(file) && options.force !== true) {
        throw fileExists(file, 'Add --force to replace it; the old password then stops working.');
      }
      const password = generatePassword();
      writePrivateFile(file, `${await makeVerifier(password)}\n`, options.force === true);
      const output = createOutput(options.json ?? false);
      output.result({ principal, password, file }, () => password);
      output.note(
        `Verifier written to ${file}. The password above is shown once. Reload the gateway to put it in force.`,
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

function verifierFile(principal: string, options: CreateOptions): string {
  const config = configOf(options);
  const found = config.principals.find(({ name }) => name === principal);
  if (found === undefined) {
    throw inputError(
      `${config.file} has no principal ${principal}`,
      'Add it first, or name a file with --output.',
    );
  }
  if (found.credential?.kind === 'file') return found.credential.name;
  throw new CountersignError('CS_CONFIG_INVALID', {
    detail: `principal ${principal} has no credential in a file`,
    hint: 'Give it "credential: file:…", or name a file with --output.',
  });
}

function addIssue(token: Command): void {
  const command = token
    .command('issue')
    .argument(
      '[principal]',
      'name of the principal; may be left out when only one has a grant for the target',
    )
    .requiredOption('--target <name>', 'the target that the token is for')
    .option('--ttl <duration>', 'how long it is good for, at most 15m', '15m')
    .summary('a short-lived token from the running gateway')
    .description(
      'Asks the running gateway for a token for one target. It is given as password with options=-c countersign.auth=token, over TLS or from loopback. The issue is recorded.',
    )
    .addHelpText(
      'after',
      `
Examples:
  countersign token issue jane --target bank
  PGPASSWORD=$(countersign token issue jane --target bank) PGOPTIONS='-c countersign.auth=token' \\
      psql -h 127.0.0.1 -p 6432 -U jane bank`,
    )
    .action(async (principal: string | undefined, options: IssueOptions) => {
      const answer = await requestToken(options, options.target, principal, parseTtl(options.ttl));
      const output = createOutput(options.json ?? false);
      output.result(answer, () => answer.token);
      output.note(`For ${answer.principal} on ${answer.target}, until ${answer.expiresAt}.`);
    });
  addConfigOption(command);
  addJsonOption(command);
}

/** Asks the running gateway of the configuration. Throws what it answers, or `CS_GATEWAY_UNAVAILABLE`. */
export async function requestToken(
  options: CommonOptions,
  target: string,
  principal: string | undefined,
  ttlMs: number,
): Promise<TokenAnswer> {
  const client = new ControlClient(configOf(options).stateDirectory);
  return await client.post<TokenAnswer>('/v1/tokens', {
    target,
    ttlMs,
    ...(principal === undefined ? {} : { principal }),
  });
}

export function parseTtl(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 1_000 || ms > TOKEN_MAX_TTL_MS) {
    throw usageError(`--ttl needs a duration from 1s to ${formatDuration(TOKEN_MAX_TTL_MS)}, such as 5m`);
  }
  return ms;
}
