import type { Command } from 'commander';

import { createSecrets } from '../../config/secrets.ts';
import { naming } from '../../gateway/listen-error.ts';
import { lockState } from '../../gateway/state-lock.ts';
import { createLogger, errorFields } from '../../observe/logger.ts';
import type { Logger } from '../../observe/logger.ts';
import { startWitness } from '../../witness/start-witness.ts';
import type { RunningWitness } from '../../witness/start-witness.ts';
import { addJsonOption } from '../common-options.ts';
import { addWitnessPlace, witnessConfigOf } from './witness-place.ts';
import type { WitnessPlaceOptions } from './witness-place.ts';

export function addWitnessRunCommand(witness: Command): void {
  const command = addWitnessPlace(witness.command('run'))
    .summary('run the witness')
    .description('Runs the witness until SIGTERM or SIGINT. SIGHUP takes new logs and a new certificate.')
    .addHelpText(
      'after',
      `
With --json, one line on stdout when logs may submit, then nothing more:
  {"listening":{"witness":"127.0.0.1:7380","health":"127.0.0.1:7381"},"pid":4711}
The log is on stderr either way.

Examples:
  countersign witness run /etc/countersign-witness`,
    )
    .action(async (directory: string, options: WitnessPlaceOptions) => {
      await run(directory, options);
    });
  addJsonOption(command);
}

async function run(directory: string, options: WitnessPlaceOptions): Promise<void> {
  const config = witnessConfigOf(directory, options);
  const logger = createLogger();
  const lock = lockState(config.stateDirectory, {
    detail: 'another witness works in',
    hint: 'Two witnesses with one memory could each sign another past. Stop it first.',
  });
  try {
    const running = await naming('listen.address', config.listen, () =>
      startWitness(config, { secrets: createSecrets(), logger }),
    );
    const ended = handleSignals(running, logger, directory, options);
    if (options.json === true) {
      const { health } = running;
      const listening = {
        witness: `${running.host}:${running.port}`,
        ...(health === undefined ? {} : { health: `${health.host}:${health.port}` }),
      };
      process.stdout.write(`${JSON.stringify({ listening, pid: process.pid })}\n`);
    }
    await ended;
    await running.close();
  } finally {
    lock.release();
  }
}

/** Resolves at the first SIGTERM or SIGINT. */
function handleSignals(
  running: RunningWitness,
  logger: Logger,
  directory: string,
  options: WitnessPlaceOptions,
): Promise<void> {
  const ended = Promise.withResolvers<void>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ended.resolve());
  process.on('SIGHUP', () => {
    void reload(running, logger, directory, options);
  });
  return ended.promise;
}

/** Never rejects: a reload that fails leaves everything as it was and is told to the log. */
async function reload(
  running: RunningWitness,
  logger: Logger,
  directory: string,
  options: WitnessPlaceOptions,
): Promise<void> {
  try {
    await running.reload(witnessConfigOf(directory, options));
    logger.info('configuration reloaded');
  } catch (error) {
    logger.error('reload refused; the configuration in force stays', errorFields(error));
  }
}
