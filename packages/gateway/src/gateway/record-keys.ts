import type { CountersignConfig, Secrets } from '../config/config.ts';
import { formatSecretRef } from '../config/secrets.ts';
import { CountersignError } from '../errors.ts';
import { parseSigningKey, parseVaultPublicKey } from '../record/keys.ts';

/** The keys of the record as text: one signs checkpoints, to the other contents are sealed. Checked, not parsed. */
export interface RecordKeys {
  readonly signingKey: string;
  readonly previousKey?: string;
  readonly custodianKey: string;
}

/** Reads both. Throws `CS_SECRET_UNAVAILABLE`, or `CS_CONFIG_INVALID` when the custodian's is a private key. */
export async function readRecordKeys(config: CountersignConfig, secrets: Secrets): Promise<RecordKeys> {
  const previousKey = await readPreviousKey(config, secrets);
  return {
    signingKey: await readSigningKey(config, secrets),
    ...(previousKey === undefined ? {} : { previousKey }),
    custodianKey: await readCustodianKey(config, secrets),
  };
}

export async function readSigningKey(config: CountersignConfig, secrets: Secrets): Promise<string> {
  const signingKey = (await secrets.read(config.log.signingKey)).toString('utf8');
  parseSigningKey(signingKey, config.log.origin);
  return signingKey;
}

/** Undefined when none is configured. Throws `CS_CONFIG_INVALID` when it is the key in force. */
export async function readPreviousKey(
  config: CountersignConfig,
  secrets: Secrets,
): Promise<string | undefined> {
  if (config.log.previousKey === undefined) return undefined;
  const previousKey = (await secrets.read(config.log.previousKey)).toString('utf8');
  const before = parseSigningKey(previousKey, config.log.origin, 'log.previousKey');
  const now = parseSigningKey(await readSigningKey(config, secrets), config.log.origin);
  if (before.publicKey.equals(now.publicKey)) {
    throw new CountersignError('CS_CONFIG_INVALID', {
      detail: 'log.previousKey: it is the key of log.signingKey itself',
      hint: 'Name the key that signed before, or leave it out.',
    });
  }
  return previousKey;
}

export async function readCustodianKey(config: CountersignConfig, secrets: Secrets): Promise<string> {
  const custodianKey = (await secrets.read(config.vault.custodianKey)).toString('utf8');
  // A private key has a public half, so it would do; but it opens everything, and must not be on this machine.
  if (custodianKey.includes('PRIVATE KEY')) {
    throw new CountersignError('CS_CONFIG_INVALID', {
      detail: `vault.custodianKey: ${formatSecretRef(config.vault.custodianKey)} holds a private key`,
      hint: "Only the custodian's public key belongs on this machine.",
    });
  }
  parseVaultPublicKey(custodianKey);
  return custodianKey;
}
