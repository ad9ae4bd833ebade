import { createPrivateKey } from 'node:crypto';
import { dirname, join } from 'node:path';

import { formatReport, VaultChecks, VaultReader, verifyLog } from 'countersign-verify';
import type { VerifyOptions } from 'countersign-verify';
import type { Command } from 'commander';

import { addConfigOption, addJsonOption, configOf, logDirectoryOf, logSourceOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { parseCount, readInput, readVerifierKey, readWitnessKey, withLogErrors } from '../log-errors.ts';
import { createOutput, inputError, usageError } from '../output.ts';
import type { SetExitCode } from '../program.ts';
import { authoritiesOf } from '../timestamped-state.ts';
import { witnessesOf } from '../witnessed-state.ts';

interface VerifyCommandOptions extends CommonOptions {
  readonly key?: string;
  readonly earlier: readonly string[];
  readonly witness: readonly string[];
  readonly requireWitness?: string;
  readonly maxUnwitnessed?: string;
  readonly tsaCa: readonly string[];
  readonly custodianKey?: string;
  readonly vault?: string;
}

export function addLogVerifyCommand(log: Command, setExitCode: SetExitCode): void {
  const command = log
    .command('verify')
    .argument('[log]', 'directory or URL; default: the log of the configuration')
    .summary('re-walk everything, offline')
    .description(
      'Checks signatures, every leaf, every tile, sequence numbers, heartbeats, and intents without results.',
    )
    .option(
      '--key <key>',
      'verifier key of the log, or a file that holds it; without, log.vkey beside the log',
    )
    .option(
      '--earlier <file>',
      'a checkpoint kept elsewhere that the log must extend (repeatable)',
      collect,
      [],
    )
    .option(
      '--witness <key>',
      'verifier key of a witness, as ORG=KEY when its organisation has several (repeatable)',
      collect,
      [],
    )
    .option(
      '--require-witness <n>',
      'how many organisations must have witnessed; default: the quorum of the configuration, or 1 with --witness',
    )
    .option('--max-unwitnessed <seconds>', 'how far the log may be ahead of its witnesses; default 90')
    .option(
      '--tsa-ca <file>',
      'certificates (PEM) that the authorities of time stamps must lead to (repeatable); default: as configured, for its own log',
      collect,
      [],
    )
    .option('--custodian-key <file>', "the custodian's private key: check every sealed content too")
    .option('--vault <directory>', 'vault to check; default: beside the log')
    .addHelpText(
      'after',
      `
The first word is the verdict, and each has its exit code:
  0 VERIFIED, 10 VERIFIED-WITH-GAPS, 11 INCOMPLETE, 12 DISPOSED, 13 UNWITNESSED, 20 ALTERED, 21 FORKED, 30 CANNOT-VERIFY

Examples:
  countersign log verify
  countersign log verify /var/lib/countersign/log --key log.vkey --earlier yesterday.checkpoint
  countersign log verify https://logs.example.com/gateway-1 --json
  countersign log verify --custodian-key custodian.private.pem`,
    )
    .action(async (place: string | undefined, options: VerifyCommandOptions) => {
      const verifyOptions: VerifyOptions = {
        ...(options.key === undefined ? {} : { key: await readVerifierKey(options.key) }),
        earlier: await Promise.all(options.earlier.map(readInput)),
        ...(await witnessOptions(place, options)),
        timestampAuthorities: await authoritiesOf(place, options),
        ...(await vaultCheck(place, options)),
      };
      const report = await withLogErrors(() => verifyLog(logSourceOf(place, options), verifyOptions));
      createOutput(options.json ?? false).result(report, () => formatReport(report));
      setExitCode(report.exitCode);
    });
  addConfigOption(command);
  addJsonOption(command);
}

/** From the command line; what it leaves open, for the log of the configuration, from there. */
async function witnessOptions(
  place: string | undefined,
  options: VerifyCommandOptions,
): Promise<Pick<VerifyOptions, 'witnesses' | 'requireWitnesses' | 'maxUnwitnessedSeconds'>> {
  const { maxUnwitnessed, requireWitness } = options;
  const stated = {
    ...(requireWitness !== undefined && {
      requireWitnesses: parseCount(requireWitness, '--require-witness'),
    }),
    ...(maxUnwitnessed !== undefined && {
      maxUnwitnessedSeconds: parseCount(maxUnwitnessed, '--max-unwitnessed'),
    }),
  };
  if (options.witness.length > 0)
    return { witnesses: await Promise.all(options.witness.map(readWitnessKey)), ...stated };
  const config = place === undefined ? configOf(options) : undefined;
  if (config?.witness === undefined) return stated;
  return { witnesses: witnessesOf(config), requireWitnesses: config.witness.quorum, ...stated };
}

async function vaultCheck(
  place: string | undefined,
  options: VerifyCommandOptions,
): Promise<Pick<VerifyOptions, 'visitor'>> {
  if (options.custodianKey === undefined) {
    if (options.vault !== undefined) throw usageError('--vault needs --custodian-key');
    return {};
  }
  const reader = await openVault(place, options, options.custodianKey);
  return { visitor: (findings) => new VaultChecks(reader, findings) };
}

/** The vault beside a log, opened with the custodian's private key. Throws `CS_INPUT_UNUSABLE`. */
export async function openVault(
  place: string | undefined,
  options: CommonOptions & { readonly vault?: string },
  custodianKeyFile: string,
): Promise<VaultReader> {
  const directory = options.vault ?? join(dirname(logDirectoryOf(place, options)), 'vault');
  const pem = await readInput(custodianKeyFile);
  try {
    return new VaultReader(directory, createPrivateKey(pem));
  } catch {
    throw inputError(`${custodianKeyFile} is not a private key in PEM`);
  }
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
