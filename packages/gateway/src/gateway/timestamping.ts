/** The time stamps of a running gateway: reads what the configuration names and tells the log what comes of it. */

import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';

import { FormatError, parseCertificates } from 'countersign-verify';

import type { CountersignConfig, Secrets } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import type { Logger } from '../observe/logger.ts';
import type { Recorder } from '../record/recorder.ts';
import type { TimestampAuthority } from '../record/timestamp/request-timestamp.ts';
import { TimestampService } from '../record/timestamp/timestamp-service.ts';
import type { TimestampAttempt } from '../record/timestamp/timestamp-service.ts';

export interface TimestampingParts {
  readonly config: CountersignConfig;
  readonly secrets: Secrets;
  readonly recorder: Recorder;
  readonly logger: Logger;
  /** Tests only. */
  readonly retryMs?: number;
}

/** Undefined without the section. Throws `CS_SECRET_UNAVAILABLE` when the certificates cannot be read. */
export async function startTimestamping(parts: TimestampingParts): Promise<TimestampService | undefined> {
  const { config, logger, recorder, retryMs, secrets } = parts;
  const authority = await timestampAuthority(config, secrets);
  if (config.timestamp === undefined || authority === undefined) return undefined;
  return new TimestampService({
    authority,
    intervalMs: config.timestamp.intervalMs,
    logDirectory: join(config.stateDirectory, 'log'),
    recorder,
    onOutcome: (outcome) => tell(logger, outcome),
    ...(retryMs !== undefined && { retryMs }),
  });
}

/** Whom the configuration names, with its certificates. Throws `CS_SECRET_UNAVAILABLE`. */
export async function timestampAuthority(
  config: CountersignConfig,
  secrets: Secrets,
): Promise<TimestampAuthority | undefined> {
  const { timestamp } = config;
  if (timestamp === undefined) return undefined;
  const { ca, timeoutMs, url } = timestamp;
  if (ca === undefined)
    return { url, timeoutMs, trusted: rootCertificates.map((pem) => new X509Certificate(pem)) };
  const pem = (await secrets.read(ca)).toString('utf8');
  try {
    return { url, timeoutMs, trusted: parseCertificates(pem), tlsTrusted: [...rootCertificates, pem] };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new CountersignError('CS_SECRET_UNAVAILABLE', { detail: `timestamp.ca: ${error.message}` });
  }
}

function tell(logger: Logger, outcome: TimestampAttempt): void {
  if (outcome.kind === 'stamped') {
    logger.info('checkpoint timestamped', { size: outcome.size });
    return;
  }
  const { detail, reason } = outcome;
  logger.error('no time stamp; it is tried again', { reason, detail });
}
