/** Composition of a witness: keys, memory, listener, health. */

import type { Secrets } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import { startHealthServer } from '../observe/health-server.ts';
import type { HealthServer } from '../observe/health-server.ts';
import { errorFields } from '../observe/logger.ts';
import type { Logger } from '../observe/logger.ts';
import { realFileLayer } from '../record/journal/file-layer.ts';
import type { FileLayer } from '../record/journal/file-layer.ts';
import type { WitnessConfig } from './witness-config.ts';
import { loadCosigners } from './witness-key.ts';
import { createWitnessMetrics } from './witness-metrics.ts';
import type { WitnessMetrics } from './witness-metrics.ts';
import { startWitnessServer } from './witness-server.ts';
import type { HttpRefusal, ServerCertificate, WitnessServer } from './witness-server.ts';
import { Witness } from './witness.ts';
import type { Decision } from './witness.ts';

export interface WitnessOptions {
  readonly secrets: Secrets;
  readonly logger: Logger;
  /** Tests only. Default: the disk. */
  readonly layer?: FileLayer;
  /** Tests only: seconds since the epoch. */
  readonly now?: () => number;
}

/** A running witness. The caller holds the lock of its state directory. */
export interface RunningWitness {
  readonly witness: Witness;
  readonly host: string;
  readonly port: number;
  readonly health?: { readonly host: string; readonly port: number };
  /** Takes logs and certificate of a new configuration. Rejects, with everything as it was, when anything else differs. */
  reload(next: WitnessConfig): Promise<void>;
  close(): Promise<void>;
}

/** Throws a `CountersignError`; then nothing is left running. */
export async function startWitness(config: WitnessConfig, options: WitnessOptions): Promise<RunningWitness> {
  const { logger, secrets } = options;
  const cosigners = await loadCosigners(config.keys, secrets);
  const certificate = await loadCertificate(config, secrets);
  const witness = new Witness({
    layer: options.layer ?? realFileLayer,
    stateDirectory: config.stateDirectory,
    cosigners,
    logs: config.logs,
    checkpointsPerMinute: config.checkpointsPerMinute,
    ...(options.now !== undefined && { now: options.now }),
  });
  let isFailing = false;
  const metrics = createWitnessMetrics(witness, () => isFailing);
  const onDecision = (decision: Decision | HttpRefusal, address: string): void => {
    if (decision.status === 200 || decision.status === 503) isFailing = decision.status === 503;
    metrics.count(decision.status, decision.reason);
    report(logger, decision, address);
  };
  const server = await startWitnessServer(witness, {
    ...config.listen,
    ...(certificate !== undefined && { certificate }),
    prefix: config.prefix,
    connections: config.connections,
    connectionsPerAddress: config.connectionsPerAddress,
    onDecision,
  });
  let health: HealthServer | undefined;
  try {
    health = await startHealth(config, metrics, () => isFailing);
  } catch (error) {
    await server.close();
    throw error;
  }
  logger.info('witness listening', { address: server.host, port: server.port, count: config.logs.length });
  return {
    witness,
    host: server.host,
    port: server.port,
    ...(health !== undefined && { health: { host: health.host, port: health.port } }),
    reload: (next) => reload(config, next, witness, server, secrets),
    close: async () => {
      await server.close();
      await health?.close();
      logger.info('witness stopped');
      logger.flush();
    },
  };
}

/** One line per decision: a configured origin, numbers and fixed words; nothing that a request made up. */
function report(logger: Logger, decision: Decision | HttpRefusal, address: string): void {
  const { reason, status } = decision;
  const about = 'origin' in decision ? { origin: decision.origin, size: decision.size ?? 0 } : {};
  const fields = { ...about, status, reason, address };
  if ('evidence' in decision && decision.evidence !== undefined)
    logger.error('a log contradicts itself', { ...fields, path: decision.evidence });
  if (decision.cause !== undefined)
    logger.error('witness failure', { ...fields, ...errorFields(decision.cause) });
  else if (status === 200) logger.info('cosigned', fields);
  else logger.warn('refused', fields);
}

async function loadCertificate(
  config: WitnessConfig,
  secrets: Secrets,
): Promise<ServerCertificate | undefined> {
  if (config.tls === undefined) return undefined;
  const [cert, key] = await Promise.all([secrets.read(config.tls.cert), secrets.read(config.tls.key)]);
  return { cert, key };
}

async function startHealth(
  config: WitnessConfig,
  metrics: WitnessMetrics,
  isFailing: () => boolean,
): Promise<HealthServer | undefined> {
  if (config.health === undefined) return undefined;
  const { registry } = metrics;
  return startHealthServer(config.health, {
    notReady: () => (isFailing() ? 'the witness cannot write its state' : undefined),
    metrics: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  });
}

/** What a reload may change. */
function fixed(config: WitnessConfig): string {
  const { checkpointsPerMinute, connections, connectionsPerAddress, health, keys, listen, prefix } = config;
  const { stateDirectory, tls } = config;
  const parts = [stateDirectory, listen, prefix, health, keys, tls, checkpointsPerMinute];
  return JSON.stringify([...parts, connections, connectionsPerAddress]);
}

async function reload(
  before: WitnessConfig,
  next: WitnessConfig,
  witness: Witness,
  server: WitnessServer,
  secrets: Secrets,
): Promise<void> {
  if (fixed(before) !== fixed(next)) {
    throw new CountersignError('CS_CONFIG_INVALID', {
      detail: 'a reload takes new logs and new bytes of the certificate; the rest needs a restart',
    });
  }
  const certificate = await loadCertificate(next, secrets);
  if (certificate !== undefined) server.setCertificate(certificate);
  witness.setLogs(next.logs);
}
