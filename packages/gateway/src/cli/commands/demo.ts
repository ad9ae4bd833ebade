import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import type { Command } from 'commander';

import { CountersignError } from '../../errors.ts';
import { addJsonOption } from '../common-options.ts';
import { usageError } from '../output.ts';
import type { SetExitCode } from '../program.ts';

interface DemoOptions {
  readonly port?: string;
  readonly dir: string;
  readonly traffic: boolean;
  readonly json?: boolean;
}

/** What `examples/bank/demo.ts` exports. It stands outside the package: the demo is part of the repository only. */
interface DemoModule {
  runDemo(options: {
    readonly port?: number;
    readonly directory: string;
    readonly traffic: boolean;
    readonly json: boolean;
  }): Promise<number | void>;
}

export function addDemoCommand(program: Command, setExitCode: SetExitCode): void {
  const command = program
    .command('demo')
    .summary('a bank, an MCP server and the gateway between them')
    .description(
      'Starts a real PostgreSQL with a synthetic bank, the gateway and an MCP server; stays up until Ctrl-C.',
    )
    .option('--port <port>', 'port of the gateway (default: a free one)')
    .option('--dir <directory>', 'where the demo keeps its data', '.countersign')
    .option('--no-traffic', 'make no tool calls')
    .addHelpText(
      'after',
      `
Examples:
  countersign demo
  countersign demo --port 6432 --no-traffic
  countersign demo --dir /tmp/bank`,
    )
    .action(async (options: DemoOptions) => {
      const demo = await loadDemo();
      const port = options.port === undefined ? {} : { port: parsePort(options.port) };
      const code = await demo.runDemo({
        ...port,
        directory: options.dir,
        traffic: options.traffic,
        json: options.json ?? false,
      });
      if (typeof code === 'number') setExitCode(code);
    });
  addJsonOption(command);
}

async function loadDemo(): Promise<DemoModule> {
  const url = new URL('../../../../../examples/bank/demo.ts', import.meta.url);
  if (!existsSync(fileURLToPath(url))) {
    throw new CountersignError('CS_PROGRAM_UNAVAILABLE', {
      detail: 'the demo is not part of the installed package',
      hint: 'Clone the repository and run npm start.',
    });
  }
  return (await import(url.href)) as DemoModule;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw usageError('--port needs a port number');
  return port;
}
