import type { Command } from 'commander';

import { ControlClient } from '../../api/control-client.ts';
import { parseCatalog, writeCatalogFile } from '../../postgres/catalog/catalog-file.ts';
import { addConfigOption, addJsonOption, configOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { createOutput, formatTable } from '../output.ts';

interface CatalogOptions extends CommonOptions {
  readonly database?: string;
  readonly out: string;
}

export function addCatalogCommand(program: Command): void {
  const command = program
    .command('catalog <target>')
    .summary('write the catalog by which statements are understood to a file')
    .description(
      'Asks the running gateway for its snapshot of the catalog of a database: names and definitions, no rows. It reads the target if it has to, on the record.',
    )
    .option('--database <name>', 'database of the target (default: the configured one)')
    .requiredOption('-o, --out <file>', 'a new file, mode 0600')
    .addHelpText(
      'after',
      `
Examples:
  countersign catalog bank --out bank.catalog.json
  countersign catalog bank --database archive --out archive.catalog.json --json`,
    )
    .action(async (target: string, options: CatalogOptions) => {
      const client = new ControlClient(configOf(options).stateDirectory);
      const { database, out } = options;
      const answer = await client.post<unknown>('/v1/catalog', {
        target,
        ...(database === undefined ? {} : { database }),
      });
      const data = parseCatalog(JSON.stringify(answer), 'the answer of the gateway');
      await writeCatalogFile(out, data);
      const summary = {
        file: out,
        target: data.target,
        database: data.database,
        serverVersion: data.serverVersion,
        epoch: data.epoch,
        relations: data.relations.length,
        routines: data.routines.length,
      };
      createOutput(options.json ?? false).result(summary, () =>
        formatTable(Object.entries(summary).map(([name, value]) => [name, String(value)])),
      );
    });
  addConfigOption(command);
  addJsonOption(command);
}
