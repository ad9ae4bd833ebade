import { existsSync, mkdirSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join, resolve } from 'node:path';

import type { Command } from 'commander';

import { parseConfig } from '../../config/read-config.ts';
import { makeVerifier } from '../../identity/scram-verifier.ts';
import { generateSigningKey, generateVaultKeyPair } from '../../record/keys.ts';
import { addJsonOption } from '../common-options.ts';
import { STARTER_POLICIES } from '../init-policies.ts';
import { initialConfig } from '../init-template.ts';
import type { InitSettings } from '../init-template.ts';
import { createOutput, fileExists, usageError } from '../output.ts';
import { generatePassword, writePrivateFile } from '../private-file.ts';
import { readInput } from '../log-errors.ts';

interface InitOptions {
  readonly origin?: string;
  readonly target: string;
  readonly host: string;
  readonly database: string;
  readonly login: string;
  readonly passwordFile?: string;
  readonly principal?: string;
  readonly owner?: string;
  readonly kind: string;
  readonly days: string;
  readonly custodianOut?: string;
  readonly json?: boolean;
}

export function addInitCommand(program: Command): void {
  const command = program
    .command('init')
    .argument('[directory]', 'where to write', '.')
    .summary('write a configuration with keys')
    .description(
      'Writes countersign.yaml, policies, the keys of the record and a first principal. Overwrites nothing.',
    )
    .option('--origin <name>', 'name of the log: a URL without scheme (default: <host name>/countersign)')
    .option('--target <name>', 'name of the first target', 'bank')
    .option('--host <host:port>', 'its server', '127.0.0.1:5432')
    .option('--database <name>', 'its default database', 'postgres')
    .option('--login <role>', 'the role that the gateway is in it', 'postgres')
    .option('--password-file <file>', "file with that role's password (default: you put it in later)")
    .option('--principal <name>', 'the first principal (default: your user name)')
    .option('--owner <text>', 'who is accountable for it (default: its name)')
    .option('--kind <kind>', 'what it is: human, agent or service', 'human')
    .option('--days <n>', 'how long its grant lasts', '90')
    .option('--custodian-out <file>', "write the custodian's private key there instead of printing it")
    .addHelpText(
      'after',
      `
Examples:
  countersign init
  countersign init /etc/countersign --target bank --host db.internal:5432 --login bank_reporting \\
      --password-file reporting.password --custodian-out /media/usb/custodian.private.pem`,
    )
    .action(async (directory: string, options: InitOptions) => {
      await init(resolve(directory), options);
    });
  addJsonOption(command);
}

async function init(directory: string, options: InitOptions): Promise<void> {
  const settings = settingsOf(options);
  const file = join(directory, 'countersign.yaml');
  const config = initialConfig(settings);
  // Wrong names are found before anything is written.
  parseConfig(config, file);
  const password = generatePassword();
  const custodian = generateVaultKeyPair();
  const targetPassword = options.passwordFile === undefined ? '' : await readInput(options.passwordFile);
  const files: readonly (readonly [string, string])[] = [
    [file, config],
    [join(directory, 'policies', 'starter.cedar'), STARTER_POLICIES],
    [join(directory, 'keys', 'log-signing.pem'), generateSigningKey()],
    [join(directory, 'keys', 'custodian.public.pem'), custodian.publicKey],
    [join(directory, 'secrets', `${settings.principal}.verifier`), `${await makeVerifier(password)}\n`],
    [join(directory, 'secrets', `${settings.target}.password`), targetPassword],
    ...(options.custodianOut === undefined
      ? []
      : ([[resolve(options.custodianOut), custodian.privateKey]] as const)),
  ];
  const existing = files.filter(([path]) => existsSync(path)).map(([path]) => path);
  if (existing.length > 0) {
    throw fileExists(existing.join(', '), 'init overwrites nothing; choose another directory.');
  }
  mkdirSync(join(directory, 'state'), { recursive: true, mode: 0o700 });
  for (const [path, content] of files) writePrivateFile(path, content, false);

  const printed = options.custodianOut === undefined ? { custodianPrivateKey: custodian.privateKey } : {};
  const { principal, target } = settings;
  createOutput(options.json ?? false).result({ file, principal, password, target, ...printed }, () =>
    describe(directory, settings, password, options, custodian.privateKey),
  );
}

function settingsOf(options: InitOptions): InitSettings {
  if (!/^[1-9]\d{0,4}$/.test(options.days)) throw usageError('--days needs a number of days');
  const principal = options.principal ?? nameFrom(userInfo().username);
  const expires = new Date(Date.now() + Number(options.days) * 86_400_000).toISOString();
  return {
    origin: options.origin ?? `${nameFrom(hostname())}/countersign`,
    target: options.target,
    host: options.host,
    database: options.database,
    login: options.login,
    principal,
    owner: options.owner ?? principal,
    kind: options.kind,
    expires: `${expires.slice(0, 19)}Z`,
  };
}

/** A user or host name in the letters that names of ours may have. */
function nameFrom(text: string): string {
  return (
    text
      .toLowerCase()
      .replaceAll(/[^a-z0-9._-]/g, '-')
      .replace(/^[^a-z0-9]+/, '') || 'operator'
  );
}

function describe(
  directory: string,
  settings: InitSettings,
  password: string,
  options: InitOptions,
  custodianKey: string,
): string {
  const { principal, target } = settings;
  const custodian =
    options.custodianOut === undefined
      ? `The custodian's private key. It opens every sealed content and is nowhere else: take it off this machine now.\n\n${custodianKey}`
      : `The custodian's private key is in ${resolve(options.custodianOut)}: take it off this machine.\n`;
  const passwordFile = join(directory, 'secrets', `${target}.password`);
  const steps = [
    ...(options.passwordFile === undefined
      ? [`put the password of role ${settings.login} into ${passwordFile}`]
      : []),
    `put into grants[].scope of ${directory}/countersign.yaml what ${principal} may touch: now it may read schema public`,
    `countersign check -c ${join(directory, 'countersign.yaml')}`,
    `countersign serve -c ${join(directory, 'countersign.yaml')}`,
    `psql "host=127.0.0.1 port=6432 user=${principal} dbname=${target}"`,
  ];
  return `Wrote ${directory}/countersign.yaml, policies/, keys/ and secrets/ (all 0600).

Principal ${principal} has this password; it is shown once:

  ${password}

${custodian}
Next:
${steps.map((step, index) => `  ${index + 1}. ${step}`).join('\n')}
`;
}
