import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

import type { Command } from 'commander';

import {
  generateSigningKey,
  generateVaultKeyPair,
  parseVaultPublicKey,
  vaultKeyFingerprint,
} from '../../record/keys.ts';
import { addJsonOption } from '../common-options.ts';
import { createOutput, fileExists, usageError } from '../output.ts';
import { writePrivateFile } from '../private-file.ts';

interface CreateOptions {
  readonly output: string;
  readonly publicOutput?: string;
  readonly json?: boolean;
}

export function addKeyCreateCommand(key: Command): void {
  const command = key
    .command('create')
    .argument('<purpose>', 'log-signing or vault-custodian')
    .requiredOption('-o, --output <file>', 'where the private key goes (0600)')
    .option('--public-output <file>', "vault-custodian: where the public key goes, for the gateway's machine")
    .summary('make a key, offline')
    .description(
      "Makes a key for one of the secrets that do not belong to the gateway. Overwrites nothing. Make the custodian's on the custodian's machine.",
    )
    .addHelpText(
      'after',
      `
Examples:
  countersign key create log-signing -o keys/log-signing-2027.pem
  countersign key create vault-custodian -o custodian.private.pem --public-output custodian.public.pem`,
    )
    .action((purpose: string, options: CreateOptions) => {
      const output = createOutput(options.json ?? false);
      const files = filesOf(purpose, options);
      const existing = files.map(([file]) => file).filter((file) => existsSync(file));
      if (existing.length > 0) throw fileExists(existing.join(', '), 'Choose another name.');
      for (const [file, text] of files) writePrivateFile(file, text, false);
      const fingerprint =
        purpose === 'vault-custodian' ? vaultKeyFingerprint(parseVaultPublicKey(files[1]![1])) : undefined;
      output.result({ purpose, files: files.map(([file]) => file), fingerprint }, () =>
        files.map(([file]) => file).join('\n'),
      );
    });
  addJsonOption(command);
}

function filesOf(purpose: string, options: CreateOptions): (readonly [string, string])[] {
  const file = resolve(options.output);
  if (purpose === 'log-signing') return [[file, generateSigningKey()]];
  if (purpose !== 'vault-custodian') throw usageError(`${purpose} is none of log-signing, vault-custodian`);
  if (options.publicOutput === undefined)
    throw usageError('--public-output is missing', 'The gateway needs the public key, and only that.');
  const { privateKey, publicKey } = generateVaultKeyPair();
  return [
    [file, privateKey],
    [resolve(options.publicOutput), publicKey],
  ];
}
