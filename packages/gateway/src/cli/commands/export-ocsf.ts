import { once } from 'node:events';

import { parseVerifierKey } from 'countersign-verify';
import type { NoteVerifier } from 'countersign-verify';
import type { Command } from 'commander';

import { rebuildMemory } from '../../export/exporter.ts';
import { LogFollower } from '../../export/log-follower.ts';
import { eventOf } from '../../export/ocsf/map-leaf.ts';
import { runningSoftware } from '../../gateway/software.ts';
import { addConfigOption, addJsonOption, logSourceOf } from '../common-options.ts';
import type { CommonOptions } from '../common-options.ts';
import { parseCount, readVerifierKey, withLogErrors } from '../log-errors.ts';

interface OcsfOptions extends CommonOptions {
  readonly from: string;
  readonly to?: string;
  readonly key?: string;
}

export function addExportOcsfCommand(parent: Command): void {
  const command = parent
    .command('ocsf')
    .argument('[log]', 'directory or URL; default: the log of the configuration')
    .summary('print a log as OCSF events')
    .description(
      'Prints each leaf that the checkpoint covers as one OCSF 1.8.0 event per line, after proving it.',
    )
    .option('--from <index>', 'first leaf', '0')
    .option('--to <index>', 'leaf after the last; default: all')
    .option(
      '--key <key>',
      'verifier key of the log, or a file that holds it; without, log.vkey beside the log',
    )
    .addHelpText(
      'after',
      `
One JSON document per line, with --json and without.

Examples:
  countersign export ocsf
  countersign export ocsf /backup/state/log --from 4711 --to 4811`,
    )
    .action((place: string | undefined, options: OcsfOptions) =>
      withLogErrors(() => printEvents(place, options)),
    );
  addConfigOption(command);
  addJsonOption(command);
}

async function printEvents(place: string | undefined, options: OcsfOptions): Promise<void> {
  const source = logSourceOf(place, options);
  const keys: NoteVerifier[] = [];
  if (options.key === undefined) {
    const beside = await source.read('log.vkey');
    if (beside !== undefined) keys.push(parseVerifierKey(beside.toString('utf8').trim()));
  } else {
    keys.push(await readVerifierKey(options.key));
  }
  const follower = new LogFollower(source, keys);
  const { size } = await follower.refresh();
  const from = Math.min(size, parseCount(options.from, '--from'));
  const to = Math.min(size, options.to === undefined ? size : parseCount(options.to, '--to'));
  // Leaves before the first are read as well: later ones refer to them.
  const memory = await rebuildMemory(follower, from);
  const { version } = runningSoftware();
  for (let next = from; next < to;) {
    const leaves = (await follower.read(next)).slice(0, to - next);
    for (const proven of leaves) {
      const event = eventOf(proven, memory, follower, { version, nowUs: Date.now() * 1_000 });
      if (process.stdout.errored !== null) return;
      if (!process.stdout.write(`${JSON.stringify(event)}\n`)) await once(process.stdout, 'drain');
    }
    next += leaves.length;
  }
}
