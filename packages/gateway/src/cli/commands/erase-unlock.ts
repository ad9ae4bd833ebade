import { createPrivateKey } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { FormatError, unwrapDataKey, wrapDataKey, x25519PublicKey } from 'countersign-verify';
import type { Command } from 'commander';

import { addJsonOption } from '../common-options.ts';
import { readRequestFile, writeRequestFile } from '../custody-file.ts';
import { readInput } from '../log-errors.ts';
import { createOutput, inputError, usageError } from '../output.ts';

interface UnlockOptions {
  readonly vault: string;
  readonly class: string;
  readonly period: string;
  readonly custodianKey: string;
  readonly gatewayKey: string;
  readonly json?: boolean;
}

/** What one request may carry. */
const MAX_KEYS = 200;

/** `erase unlock`: the custodian's part in erasing single contents of a month that is over. */
export function addUnlockCommand(erase: Command): void {
  const command = erase
    .command('unlock')
    .argument('<request>', 'file')
    .requiredOption('--vault <directory>', 'the vault, or an archive of its keys with the same layout')
    .requiredOption('--class <class>', 'retention class')
    .requiredOption('--period <YYYY-MM>', 'month')
    .requiredOption('--custodian-key <file>', "the custodian's private key, PEM")
    .requiredOption('--gateway-key <key>', 'the key of the gateway, as countersign custody status shows it')
    .summary('let the gateway open a month that is over, for this request')
    .description(
      'For the custodian, offline: adds the data keys of a class and month to the request, wrapped to the gateway. It needs them to take single contents out of a month that it cannot open any more. They go with the request; the gateway keeps none.',
    )
    .action(async (file: string, options: UnlockOptions) => {
      const found = await readRequestFile(file);
      const keys = [...(found.keys ?? []), ...(await wrappedKeys(options))];
      if (keys.length > MAX_KEYS)
        throw inputError(`${keys.length} data keys are more than one request may carry (${MAX_KEYS})`);
      writeRequestFile(file, { ...found, keys }, true);
      createOutput(options.json ?? false).result(
        { keys: keys.length },
        () => `${keys.length} data keys added`,
      );
    });
  addJsonOption(command);
}

async function wrappedKeys(options: UnlockOptions): Promise<string[]> {
  if (!/^[a-z0-9-]{1,32}$/.test(options.class) || !/^\d{4}-\d{2}$/.test(options.period))
    throw usageError('--class and --period are written as in the vault');
  const directory = join(options.vault, 'keys', options.class, options.period);
  const names = await readdir(directory).catch(() => {
    throw inputError(`${directory} cannot be read`);
  });
  const recipient = gatewayKeyOf(options.gatewayKey);
  const custodian = createPrivateKey(await readInput(options.custodianKey));
  const keys: string[] = [];
  for (const name of names.filter((each) => each.endsWith('.custodian'))) {
    try {
      const { dataKey, keyId, period, retentionClass } = unwrapDataKey(
        await readFile(join(directory, name)),
        custodian,
      );
      keys.push(wrapDataKey({ keyId, period, retentionClass }, dataKey, recipient).toString('base64'));
      dataKey.fill(0);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      throw inputError(`${name} does not open with this key`);
    }
  }
  return keys;
}

function gatewayKeyOf(text: string): ReturnType<typeof x25519PublicKey> {
  const raw = Buffer.from(text, 'base64url');
  if (raw.length !== 32) throw usageError('--gateway-key is 32 bytes in base64url');
  return x25519PublicKey(raw);
}
