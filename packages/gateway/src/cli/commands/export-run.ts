import type { Command } from 'commander';

import { createSecrets } from '../../config/secrets.ts';
import { CountersignError } from '../../errors.ts';
import { Exporter } from '../../export/exporter.ts';
import type { ExportStatus } from '../../export/export-status.ts';
import { createSink } from '../../export/sinks/create-sink.ts';
import { runningSoftware } from '../../gateway/software.ts';
import { lockState } from '../../gateway/state-lock.ts';
import { readCursor } from '../../export/cursor.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { withLogErrors } from '../log-errors.ts';
import { createOutput, inputError } from '../output.ts';
import { exportNamed, followLog } from './export-offline.ts';

export function addExportRunCommand(parent: Command): void {
  const command = parent
    .command('run')
    .argument('<name>', 'of the export')
    .summary('deliver what is there, without a gateway')
    .description(
      'Delivers every leaf of the log that is not delivered yet, and ends. Tries until the receiver takes them; Ctrl-C ends it, and the next run goes on. The gateway must not run.',
    )
    .addHelpText(
      'after',
      `
Examples:
  countersign export run siem`,
    )
    .action(async (name: string, options: CommonOptions) => {
      const status = await withLogErrors(() => run(name, options));
      createOutput(options.json ?? false).result(
        status,
        () => `${name}: ${status.delivered} of ${status.treeSize} leaves are delivered`,
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}

async function run(name: string, options: CommonOptions): Promise<ExportStatus> {
  const config = configOf(options);
  const one = exportNamed(config, name);
  const output = createOutput(options.json ?? false);
  const lock = lockState(config.stateDirectory);
  try {
    const { version } = runningSoftware();
    let reason: string | undefined;
    const exporter = new Exporter({
      config: one,
      stateDirectory: config.stateDirectory,
      follower: await followLog(config),
      sink: createSink(one, { node: config.node, version, secrets: createSecrets() }),
      version,
      onStatus: (status) => {
        if (status.reason !== undefined && status.reason !== reason) output.note(`${name}: ${status.reason}`);
        ({ reason } = status);
      },
      onMoved: () => Promise.reject(new Error('only a gateway can record it')),
    });
    if (readCursor(config.stateDirectory, name)?.moved !== undefined) {
      throw inputError(
        'the cursor was moved, and that is not on the record yet',
        'Start the gateway: it records it.',
      );
    }
    exporter.finish();
    const stop = (): void => void exporter.stop();
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    await exporter.run();
    await exporter.stop();
    const { status } = exporter;
    if (status.state === 'stopped')
      throw new CountersignError('CS_GATEWAY_UNAVAILABLE', {
        detail: `export ${name} stopped: ${status.reason ?? 'unknown'}`,
        hint: 'docs/export.md says what stops an export.',
      });
    return status;
  } finally {
    lock.release();
  }
}
