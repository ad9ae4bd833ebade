import { createPrivateKey, type KeyObject } from 'node:crypto';
import { resolve } from 'node:path';

import type { Command } from 'commander';
import { FormatError } from 'countersign-verify';

import { ControlClient } from '../../api/control-client.ts';
import type { KeyDeskAnswer, KeyRequest } from '../../api/keys.ts';
import { parseVaultPublicKey } from '../../record/keys.ts';
import { rewrapKeys } from '../../record/vault/key-archive.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { readInput } from '../log-errors.ts';
import { createOutput, inputError, usageError } from '../output.ts';
import { addKeyCreateCommand } from './key-create.ts';
import { addKeyListCommand, addKeyShowCommand } from './key-list.ts';

export function addKeyCommand(program: Command): void {
  const key = program
    .command('key')
    .summary('keys of the record: list, make, rotate, revoke, archive')
    .description(
      'What the record says of its keys, and what can be done with them. What a running gateway does with a key is on the record before it has an effect.',
    )
    .addHelpText(
      'after',
      `
Examples:
  countersign key list
  countersign key rotate identity
  countersign key revoke vault-gateway --cause compromised
  countersign key archive /media/usb/keys-2026 --period 2026-11
  countersign key rewrap /media/usb/keys-2026 --old-key old.private.pem --new-key new.public.pem
  countersign key import /media/usb/keys-2026`,
    );
  addKeyListCommand(key);
  addKeyShowCommand(key);
  addKeyCreateCommand(key);
  addRotate(key);
  addRevoke(key);
  addArchive(key);
  addImport(key);
  addRewrap(key);
}

async function ask(
  options: CommonOptions,
  request: KeyRequest,
  text: (answer: KeyDeskAnswer) => string,
): Promise<void> {
  const client = new ControlClient(configOf(options).stateDirectory);
  const answer = await client.post<KeyDeskAnswer>('/v1/keys', request);
  createOutput(options.json ?? false).result(answer, () => text(answer));
}

function addRotate(key: Command): void {
  const command = key
    .command('rotate')
    .argument('<purpose>', 'identity')
    .summary('give the running gateway another key')
    .description(
      'identity: another secret for short-lived tokens; those given out before are refused from now on, sessions go on. The other keys are changed by configuration: docs/custody.md says how.',
    )
    .addHelpText('after', '\nExamples:\n  countersign key rotate identity')
    .action(async (purpose: string, options: CommonOptions) => {
      if (purpose !== 'identity') {
        throw usageError(
          `${purpose} is not rotated by this command`,
          'log-signing: log.previousKey; vault-custodian: SIGHUP; vault-gateway: every month by itself, or key revoke.',
        );
      }
      await ask(options, { act: 'rotate', purpose }, (answer) => `identity key now: ${answer.key ?? ''}`);
    });
  addConfigOption(command);
  addJsonOption(command);
}

interface RevokeOptions extends CommonOptions {
  readonly cause: string;
  readonly key?: string;
}

function addRevoke(key: Command): void {
  const command = key
    .command('revoke')
    .argument('<purpose>', 'vault-gateway, identity, log-signing or vault-custodian')
    .requiredOption('--cause <cause>', 'compromised, lost or retired')
    .option(
      '--key <key>',
      "a key that is not in force any more, or not the gateway's own, as key list shows it",
    )
    .summary('take a key out of service, on the record')
    .description(
      'vault-gateway and identity without --key: the key in force is replaced at once. Others: the record says from here on that the key is not to be trusted; replace it by configuration.',
    )
    .addHelpText(
      'after',
      `
Examples:
  countersign key revoke vault-gateway --cause compromised
  countersign key revoke log-signing --cause compromised --key 'example.com/log+1a2b3c4d+AQ…'`,
    )
    .action(async (purpose: string, options: RevokeOptions) => {
      const request = {
        act: 'revoke',
        purpose: oneOf(purpose, ['vault-gateway', 'identity', 'log-signing', 'vault-custodian']),
        cause: oneOf(options.cause, ['compromised', 'lost', 'retired']),
        ...(options.key === undefined ? {} : { key: options.key }),
      } as const;
      await ask(options, request, (answer) =>
        answer.key === undefined
          ? `revoked ${answer.revoked ?? ''}`
          : `revoked ${answer.revoked ?? ''}, in force now: ${answer.key}`,
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

interface ArchiveOptions extends CommonOptions {
  readonly class?: string;
  readonly period?: string;
}

function addArchive(key: Command): void {
  const command = key
    .command('archive')
    .argument('<directory>', 'new or empty; the gateway writes there')
    .option('--class <name>', 'only this retention class')
    .option('--period <YYYY-MM>', 'only this period')
    .summary('copy the wrapped data keys out, for the custodian')
    .description(
      "Copies data keys as they are wrapped to the custodian: ciphertext, of use only to the holder of the custodian's private key. Recorded first. What is erased later must be destroyed in every archive by its holder.",
    )
    .addHelpText('after', '\nExamples:\n  countersign key archive /media/usb/keys-2026-11 --period 2026-11')
    .action(async (directory: string, options: ArchiveOptions) => {
      const request = {
        act: 'archive',
        directory: resolve(directory),
        ...(options.class === undefined ? {} : { retentionClass: options.class }),
        ...(options.period === undefined ? {} : { period: options.period }),
      } as const;
      await ask(options, request, (answer) => `${answer.count ?? 0} data keys archived in ${directory}`);
    });
  addConfigOption(command);
  addJsonOption(command);
}

function addImport(key: Command): void {
  const command = key
    .command('import')
    .argument('<directory>', 'an archive that key rewrap has rewritten')
    .summary('take in data keys that the custodian has wrapped anew')
    .description(
      "Replaces the custodian's copies of data keys by those of an archive that are wrapped to the custodian of the configuration in force. Keys that were erased do not come back. Recorded first.",
    )
    .addHelpText('after', '\nExamples:\n  countersign key import /media/usb/keys-2026-11')
    .action(async (directory: string, options: CommonOptions) => {
      await ask(options, { act: 'import', directory: resolve(directory) }, (answer) => {
        return `${answer.count ?? 0} data keys replaced`;
      });
    });
  addConfigOption(command);
  addJsonOption(command);
}

interface RewrapOptions {
  readonly oldKey: string;
  readonly newKey: string;
  readonly json?: boolean;
}

function addRewrap(key: Command): void {
  const command = key
    .command('rewrap')
    .argument('<directory>', 'an archive, or a vault that no gateway works in')
    .requiredOption('--old-key <file>', "the custodian's private key that opens the data keys now")
    .requiredOption('--new-key <file>', 'the public key to wrap them to')
    .summary('wrap data keys to another custodian, offline')
    .description(
      'For the custodian, on their own machine: every data key that is wrapped to the old key is wrapped to the new one, in place. May be cut off and repeated.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  countersign key rewrap /media/usb/keys-2026-11 --old-key old.private.pem --new-key new.public.pem',
    )
    .action(async (directory: string, options: RewrapOptions) => {
      const oldKey = await readPrivateKey(options.oldKey);
      const newKey = await readPublicKey(options.newKey);
      const result = await formatErrors(() => rewrapKeys(resolve(directory), oldKey, newKey));
      if (result.rewrapped === 0)
        throw inputError(
          `${directory} holds no data key that is wrapped to this custodian (${result.others} others)`,
        );
      createOutput(options.json ?? false).result(
        result,
        () => `${result.rewrapped} data keys wrapped anew, ${result.others} left as they are`,
      );
    });
  addJsonOption(command);
}

async function readPrivateKey(file: string): Promise<KeyObject> {
  const pem = await readInput(file);
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'x25519') return key;
  } catch {
    // The reason could quote the key.
  }
  throw inputError(`${file} is not an X25519 private key in PEM`);
}

async function readPublicKey(file: string): Promise<KeyObject> {
  const text = await readInput(file);
  // A private key has a public half, but where a public one is asked for it is in the wrong place.
  if (text.includes('PRIVATE KEY')) throw inputError(`${file} holds a private key`);
  try {
    return parseVaultPublicKey(text);
  } catch {
    throw inputError(`${file} is not an X25519 public key`);
  }
}

async function formatErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FormatError) throw inputError(error.message);
    throw error;
  }
}

function oneOf<const T extends string>(text: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === text);
  if (found === undefined) throw usageError(`${text} is none of ${allowed.join(', ')}`);
  return found;
}
