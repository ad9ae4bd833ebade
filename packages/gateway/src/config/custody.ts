import { createPublicKey } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import type { CountersignConfig, SecretRef, Secrets } from './config.ts';
import { exportSecrets } from './export-section.ts';
import type { ConfigProblem } from './problem.ts';
import { formatSecretRef } from './secrets.ts';
import { tracesSecrets } from './traces-section.ts';

/** A reference with the key that holds it. */
interface SecretUse {
  readonly path: string;
  readonly reference: SecretRef;
  /** What the secret is for; `undefined` for something public. */
  readonly custody?:
    | 'log-signing key'
    | 'target credential'
    | 'listener key'
    | 'client credential'
    | 'masking key';
}

/** Every reference of a configuration. */
export function secretUses(config: CountersignConfig): readonly SecretUse[] {
  const uses: SecretUse[] = [
    { path: 'log.signingKey', reference: config.log.signingKey, custody: 'log-signing key' },
    { path: 'vault.custodianKey', reference: config.vault.custodianKey },
  ];
  const { previousKey } = config.log;
  if (previousKey !== undefined)
    uses.push({ path: 'log.previousKey', reference: previousKey, custody: 'log-signing key' });
  if (config.masking !== undefined)
    uses.push({ path: 'masking.key', reference: config.masking.key, custody: 'masking key' });
  const { tls } = config.listen.postgres;
  if (tls !== undefined) {
    uses.push({ path: 'listen.postgres.tls.cert', reference: tls.cert });
    uses.push({ path: 'listen.postgres.tls.key', reference: tls.key, custody: 'listener key' });
  }
  for (const target of config.targets) {
    const path = `targets.${target.name}`;
    for (const [name, login] of Object.entries(target.logins)) {
      if (login.password === undefined) continue;
      uses.push({
        path: `${path}.logins.${name}.password`,
        reference: login.password,
        custody: 'target credential',
      });
    }
    if (target.tls.ca !== undefined) uses.push({ path: `${path}.tls.ca`, reference: target.tls.ca });
    if (target.tls.cert !== undefined) uses.push({ path: `${path}.tls.cert`, reference: target.tls.cert });
    if (target.tls.key !== undefined)
      uses.push({ path: `${path}.tls.key`, reference: target.tls.key, custody: 'target credential' });
  }
  for (const [index, { ca }] of (config.witness?.witnesses ?? []).entries()) {
    if (ca !== undefined) uses.push({ path: `witness.witnesses[${index}].ca`, reference: ca });
  }
  for (const [index, principal] of config.principals.entries()) {
    if (principal.credential === undefined) continue;
    uses.push({
      path: `principals[${index}].credential`,
      reference: principal.credential,
      custody: 'client credential',
    });
  }
  uses.push(...exportSecrets(config.exports), ...tracesSecrets(config.traces));
  return uses;
}

/** Reads every secret once and forgets it. Those that cannot be read are errors under their key. */
export async function readEverySecret(config: CountersignConfig, secrets: Secrets): Promise<ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  for (const { path, reference } of secretUses(config)) {
    try {
      await secrets.read(reference);
    } catch (error) {
      const detail = (error as { detail?: string }).detail ?? formatSecretRef(reference);
      problems.push(problem('error', 'CS_SECRET_UNAVAILABLE', path, detail));
    }
  }
  return problems;
}

/**
 * Looks at who holds the secrets: files that others can read, and two of the three keys of decision 17 in one hand, are
 * warnings. Reads no secret but what looks like the custodian's private key, which is not for this machine.
 */
export function checkCustody(config: CountersignConfig): ConfigProblem[] {
  const uses = secretUses(config);
  const open = uses.flatMap(({ custody, path, reference }) =>
    custody === undefined ? [] : checkMode(path, reference),
  );
  return [...open, ...checkOwners(uses), ...checkCustodian(config)];
}

/** Group- or world-readable files that hold a secret. */
function checkMode(path: string, reference: SecretRef): ConfigProblem[] {
  const stat = statOf(reference);
  if (stat === undefined || (stat.mode & 0o077) === 0) return [];
  const mode = (stat.mode & 0o777).toString(8).padStart(4, '0');
  return [
    problem(
      'warning',
      'CS_CONFIG_INVALID',
      path,
      `${formatSecretRef(reference)} has mode ${mode}: others than its owner can reach it`,
      'chmod 600',
    ),
  ];
}

/** Whoever owns a file can read it: one owner of the log key and of a target credential can act and rewrite the book. */
function checkOwners(uses: readonly SecretUse[]): ConfigProblem[] {
  const logKey = uses.find((use) => use.custody === 'log-signing key');
  const owner = logKey === undefined ? undefined : statOf(logKey.reference)?.uid;
  if (owner === undefined) return [];
  const same = uses.filter(
    (use) => use.custody === 'target credential' && statOf(use.reference)?.uid === owner,
  );
  if (same.length === 0) return [];
  return [
    problem(
      'warning',
      'CS_CONFIG_INVALID',
      'log.signingKey',
      `uid ${owner} owns the log-signing key and ${same.map((use) => use.path).join(', ')}: one person could act and sign the record of it`,
      'give the files different owners and let the gateway read them by systemd credentials or group',
    ),
  ];
}

/**
 * The custodian's private half opens everything: it does not belong on the gateway's machine. Looked for by its content, under any name,
 * where such files are put: beside the public half, beside the configuration, beside the log-signing key.
 */
function checkCustodian(config: CountersignConfig): ConfigProblem[] {
  const { custodianKey } = config.vault;
  if (custodianKey.kind !== 'file') return [];
  const custodian = publicHalf(custodianKey.name);
  const directories = new Set([dirname(custodianKey.name), dirname(config.file)]);
  if (config.log.signingKey.kind === 'file') directories.add(dirname(config.log.signingKey.name));
  const found = [...directories].flatMap(smallFiles).find((file) => {
    if (file === join(dirname(custodianKey.name), CUSTODIAN_PRIVATE_FILE)) return true;
    return custodian !== undefined && file !== custodianKey.name && isPrivateHalf(file, custodian);
  });
  if (found === undefined) return [];
  return [
    problem(
      'warning',
      'CS_CONFIG_INVALID',
      'vault.custodianKey',
      `${found} ${dirname(found) === dirname(custodianKey.name) ? 'lies beside the public half' : "is the custodian's private key"}: whoever has this machine can open every sealed content`,
      'move the private key to the custodian, off this machine',
    ),
  ];
}

/** A key file is a few hundred bytes; a folder of thousands of files is none of keys. */
const MAX_KEY_FILE_BYTES = 8_192;
const MAX_FILES = 256;

function smallFiles(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .slice(0, MAX_FILES)
      .map((entry) => join(directory, entry.name))
      .filter((file) => (statSync(file, { throwIfNoEntry: false })?.size ?? Infinity) <= MAX_KEY_FILE_BYTES);
  } catch {
    return [];
  }
}

/** The public half of the key in a file, in DER; undefined where there is none. */
function publicHalf(file: string): Buffer | undefined {
  try {
    return createPublicKey(readFileSync(file)).export({ type: 'spki', format: 'der' });
  } catch {
    return undefined;
  }
}

function isPrivateHalf(file: string, publicKey: Buffer): boolean {
  try {
    const text = readFileSync(file, 'utf8');
    return text.includes('PRIVATE KEY') && publicHalf(file)?.equals(publicKey) === true;
  } catch {
    return false;
  }
}

/** The name that `countersign init` gives the custodian's private half. */
export const CUSTODIAN_PRIVATE_FILE = 'custodian.private.pem';

function statOf(reference: SecretRef): { readonly uid: number; readonly mode: number } | undefined {
  if (reference.kind !== 'file') return undefined;
  return statSync(reference.name, { throwIfNoEntry: false });
}

function problem(
  severity: ConfigProblem['severity'],
  code: ConfigProblem['code'],
  path: string,
  message: string,
  hint?: string,
): ConfigProblem {
  const base = { severity, code, path, line: 0, column: 0, message };
  return hint === undefined ? base : { ...base, hint };
}
