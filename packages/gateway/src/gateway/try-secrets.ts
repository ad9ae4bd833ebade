import { createSecureContext } from 'node:tls';

import type { CountersignConfig, PostgresTargetConfig, Secrets } from '../config/config.ts';
import { readEverySecret } from '../config/custody.ts';
import { ConfigError } from '../config/problem.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { CountersignError, isCountersignError } from '../errors.ts';
import { deriveMaskingKeys } from '../masking/derive-keys.ts';
import { PrincipalRegistry } from '../identity/principal-registry.ts';
import { loadServerTls } from '../postgres/tls-server.ts';
import { timestampAuthority } from './timestamping.ts';
import { witnessParts } from './witness-start.ts';
import { readCustodianKey, readPreviousKey, readSigningKey } from './record-keys.ts';

/** One use of secrets: what `serve` does with them later, under the key that is named when it fails. */
interface Trial {
  readonly path: string;
  readonly attempt: () => Promise<unknown>;
}

/**
 * Reads every secret once and tries what it is for. `check`, the start and a reload ask the same, so that what the one
 * refuses the others refuse too, in the same words. Every problem is an error and names the key of the configuration.
 */
export async function trySecrets(config: CountersignConfig, secrets: Secrets): Promise<ConfigProblem[]> {
  const problems = await readEverySecret(config, secrets);
  const unreadable = problems.map((problem) => problem.path);
  for (const { path, attempt } of trialsOf(config, secrets)) {
    // What cannot be read has been told.
    if (unreadable.some((one) => one === path || one.startsWith(`${path}.`))) continue;
    try {
      await attempt();
    } catch (error) {
      if (!isCountersignError(error)) throw error;
      problems.push(asProblem(path, error));
    }
  }
  return problems;
}

/** Throws `ConfigError` with everything that {@link trySecrets} finds. */
export async function assertSecrets(config: CountersignConfig, secrets: Secrets): Promise<void> {
  const problems = await trySecrets(config, secrets);
  if (problems.length > 0) throw new ConfigError(config.file, problems);
}

function trialsOf(config: CountersignConfig, secrets: Secrets): readonly Trial[] {
  const { masking } = config;
  const { tls } = config.listen.postgres;
  return [
    { path: 'log.signingKey', attempt: () => readSigningKey(config, secrets) },
    { path: 'log.previousKey', attempt: () => readPreviousKey(config, secrets) },
    { path: 'vault.custodianKey', attempt: () => readCustodianKey(config, secrets) },
    ...(config.witness === undefined
      ? []
      : [{ path: 'witness.witnesses', attempt: () => witnessParts(config, secrets) }]),
    ...(masking === undefined
      ? []
      : [
          {
            path: 'masking.key',
            attempt: async () => deriveMaskingKeys(await secrets.read(masking.key)),
          },
        ]),
    { path: 'timestamp.ca', attempt: () => timestampAuthority(config, secrets) },
    ...(tls === undefined
      ? []
      : [{ path: 'listen.postgres.tls', attempt: () => loadServerTls(tls, secrets) }]),
    ...config.targets.map((target) => ({
      path: `targets.${target.name}.tls`,
      attempt: () => loadTargetTls(target, secrets),
    })),
    ...config.principals.map((principal, index) => ({
      path: `principals[${index}].credential`,
      attempt: () => PrincipalRegistry.load([principal], secrets),
    })),
  ];
}

async function loadTargetTls(target: PostgresTargetConfig, secrets: Secrets): Promise<void> {
  const { cert, key } = target.tls;
  if (cert === undefined || key === undefined) return;
  const pair = { cert: await secrets.read(cert), key: await secrets.read(key) };
  try {
    createSecureContext(pair);
  } catch (cause) {
    throw new CountersignError('CS_CONFIG_INVALID', {
      detail: 'the certificate and key for the target cannot be used together',
      cause,
    });
  }
}

function asProblem(path: string, { code, detail, hint }: CountersignError): ConfigProblem {
  const base = {
    severity: 'error',
    code: code === 'CS_SECRET_UNAVAILABLE' ? code : 'CS_CONFIG_INVALID',
    path,
    line: 0,
    column: 0,
    message: withoutPath(detail ?? 'cannot be used', path),
  } as const;
  return hint === undefined ? base : { ...base, hint };
}

/** Some details begin with the key already. */
function withoutPath(detail: string, path: string): string {
  return detail.startsWith(path) ? detail.slice(path.length).replace(/^:? /, '') : detail;
}
