import { statSync } from 'node:fs';
import { join } from 'node:path';

import type { Command } from 'commander';

import { readWitnessConfig } from '../../witness/witness-config.ts';
import type { WitnessConfig } from '../../witness/witness-config.ts';

export interface WitnessPlaceOptions {
  readonly config?: string;
  readonly json?: boolean;
}

const FILE = 'witness.yaml';

/** Every command on a witness names its directory, or its file with `--config`. */
export function addWitnessPlace(command: Command): Command {
  return command
    .argument('[directory]', 'directory that holds witness.yaml', '.')
    .option('-c, --config <file>', 'the configuration file, when it lies elsewhere');
}

/** Throws `ConfigError`. */
export function witnessConfigOf(directory: string, options: WitnessPlaceOptions): WitnessConfig {
  if (options.config !== undefined) return readWitnessConfig(options.config);
  const isFile = statSync(directory, { throwIfNoEntry: false })?.isFile() === true;
  return readWitnessConfig(isFile ? directory : join(directory, FILE));
}
