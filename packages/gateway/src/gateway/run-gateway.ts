import type { CountersignConfig } from '../config/config.ts';
import { formatProblem } from '../config/problem.ts';
import { readConfig } from '../config/read-config.ts';
import { CountersignError } from '../errors.ts';
import { errorFields } from '../observe/logger.ts';
import type { Logger } from '../observe/logger.ts';
import { startGateway } from './gateway.ts';
import type { Gateway, GatewayOptions } from './gateway.ts';
import type { OpenRecordOptions } from './open-record.ts';

export interface RunOptions extends GatewayOptions {
  readonly logger: Logger;
  /** Admits the variable COUNTERSIGN_FAULTS. Default false: with the variable set, the start is refused. */
  readonly unsafeFaults?: boolean;
  /** Called once, when clients may connect. */
  readonly onListening?: (gateway: Gateway) => void;
}

/**
 * Runs a gateway until a signal ends it. SIGTERM and SIGINT drain, a second one ends at once; SIGHUP reloads the file.
 * Rejects when the start fails, and with the record's error when the record failed for good.
 */
export async function runGateway(config: CountersignConfig, options: RunOptions): Promise<void> {
  const faults = readFaults(options.unsafeFaults ?? false);
  const ended = Promise.withResolvers<void>();
  let fatal: unknown;
  const gateway = await startGateway(config, {
    ...options,
    ...(faults === undefined ? {} : { faults }),
    onFatal: (error) => {
      fatal = error;
      ended.resolve();
    },
  });
  const forget = handleSignals(gateway, options.logger, ended.resolve);
  options.onListening?.(gateway);
  await ended.promise;
  // A record that failed for good takes nothing more: there is nothing to wait for.
  await (fatal === undefined ? gateway.close() : gateway.closeNow());
  forget();
  if (fatal !== undefined) throw fatal instanceof Error ? fatal : new CountersignError('CS_RECORD_FAILED');
}

/** Faults for tests. The variable alone does nothing but stop the start: production must not fail on purpose. */
function readFaults(isAllowed: boolean): OpenRecordOptions['faults'] {
  const text = process.env['COUNTERSIGN_FAULTS'];
  if (text === undefined) return undefined;
  if (!isAllowed) {
    throw new CountersignError('CS_CONFIG_INVALID', {
      detail: 'COUNTERSIGN_FAULTS is set: the disk would be made to fail on purpose',
      hint: 'Unset it. Tests add --unsafe-faults.',
    });
  }
  return JSON.parse(text) as OpenRecordOptions['faults'];
}

function handleSignals(gateway: Gateway, logger: Logger, end: () => void): () => void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    logger.info('signal', { signal });
    if (stopping) void gateway.closeNow();
    stopping = true;
    end();
  };
  const reload = (signal: NodeJS.Signals): void => {
    logger.info('signal', { signal });
    void reloadFile(gateway, logger);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('SIGHUP', reload);
  return () => {
    process.off('SIGTERM', stop);
    process.off('SIGINT', stop);
    process.off('SIGHUP', reload);
  };
}

/** Never rejects: a reload that fails leaves everything as it was and is told to the log. */
async function reloadFile(gateway: Gateway, logger: Logger): Promise<void> {
  const { file, demo } = gateway.config;
  try {
    const { config, warnings } = readConfig(file, { demo });
    for (const problem of warnings) logger.warn('configuration', { detail: formatProblem(file, problem) });
    await gateway.reload(config);
  } catch (error) {
    logger.error('reload refused; the configuration in force stays', errorFields(error));
  }
}
