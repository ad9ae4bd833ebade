import type { Command } from 'commander';

import { formatProblem } from '../../config/problem.ts';
import { readConfig } from '../../config/read-config.ts';
import { runGateway } from '../../gateway/run-gateway.ts';
import { createLogger } from '../../observe/logger.ts';
import { addConfigOption, addJsonOption } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';

interface ServeOptions extends CommonOptions {
  readonly acceptLoss?: boolean;
  readonly unsafeFaults?: boolean;
}

export function addServeCommand(program: Command): void {
  const command = program
    .command('serve')
    .summary('run the gateway')
    .description(
      'Runs the gateway until SIGTERM or SIGINT. SIGHUP reloads configuration, certificates and secrets.',
    )
    .option('--accept-loss', 'start although acknowledged leaves are damaged; the loss is put on the record')
    .option('--unsafe-faults', 'for tests: let COUNTERSIGN_FAULTS make the disk fail')
    .addHelpText(
      'after',
      `
Signals:
  SIGTERM, SIGINT   drain: sessions end after their transaction, at most limits.drainTimeout; a second one ends them at once
  SIGHUP            reload, all or nothing; sessions stay

With --json, one line on stdout when clients may connect, with the real ports, then nothing more:
  {"listening":{"postgres":"127.0.0.1:6432","health":"127.0.0.1:9090"},"state":"/var/lib/countersign","pid":4711}
The log is on stderr either way.

Examples:
  countersign serve
  countersign serve -c /etc/countersign/countersign.yaml
  kill -HUP $(countersign status --json | jq .pid)    # or: systemctl reload countersign`,
    )
    .action(async (options: ServeOptions) => {
      const { config, warnings } = readConfig(options.config);
      const logger = createLogger();
      for (const problem of warnings) {
        logger.warn('configuration', { detail: formatProblem(config.file, problem) });
      }
      await runGateway(config, {
        logger,
        acceptLoss: options.acceptLoss ?? false,
        unsafeFaults: options.unsafeFaults ?? false,
        onListening: ({ status }) => {
          if (options.json !== true) return;
          const document = { listening: status.listen, state: config.stateDirectory, pid: status.pid };
          process.stdout.write(`${JSON.stringify(document)}\n`);
        },
      });
    });
  addConfigOption(command);
  addJsonOption(command);
}
