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
  // Before the start: whoever reads that the gateway listens may signal at once.
  const signals = new Signals(options.logger, ended.resolve);
  try {
    const gateway = await startGateway(config, {
      ...options,
      ...(faults === undefined ? {} : { faults }),
      onFatal: (error) => {
        fatal = error;
        ended.resolve();
      },
    });
    signals.serve(gateway);
    options.onListening?.(gateway);
    await ended.promise;
    // A record that failed for good takes nothing more: there is nothing to wait for.
    await (fatal === undefined ? gateway.close() : gateway.closeNow());
  } finally {
    signals.forget();
  }
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

/** Signals from the first moment on; those that come while the gateway starts are acted on when it has started. */
class Signals {
  readonly #logger: Logger;
  readonly #end: () => void;
  #gateway: Gateway | undefined;
  #isStopping = false;
  #isReloadWanted = false;
  readonly #onStop = (signal: NodeJS.Signals): void => this.#stop(signal);
  readonly #onReload = (signal: NodeJS.Signals): void => this.#reload(signal);

  constructor(logger: Logger, end: () => void) {
    this.#logger = logger;
    this.#end = end;
    process.on('SIGTERM', this.#onStop);
    process.on('SIGINT', this.#onStop);
    process.on('SIGHUP', this.#onReload);
  }

  /** The gateway is there. */
  serve(gateway: Gateway): void {
    this.#gateway = gateway;
    if (this.#isReloadWanted) void reloadFile(gateway, this.#logger);
  }

  forget(): void {
    process.off('SIGTERM', this.#onStop);
    process.off('SIGINT', this.#onStop);
    process.off('SIGHUP', this.#onReload);
  }

  #stop(signal: NodeJS.Signals): void {
    this.#logger.info('signal', { signal });
    if (this.#isStopping && this.#gateway === undefined) {
      // A start that hangs has nothing to drain: the signal does what it does without us.
      this.forget();
      process.kill(process.pid, signal);
    } else if (this.#isStopping) void this.#gateway?.closeNow();
    this.#isStopping = true;
    this.#end();
  }

  #reload(signal: NodeJS.Signals): void {
    this.#logger.info('signal', { signal });
    if (this.#gateway === undefined) this.#isReloadWanted = true;
    else void reloadFile(this.#gateway, this.#logger);
  }
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
