import { existsSync } from 'node:fs';
import { join } from 'node:path';

import type { Command } from 'commander';

import type { CountersignConfig } from '../config/config.ts';
import { readConfig } from '../config/read-config.ts';
import { directorySource, httpSource } from 'countersign-verify';
import type { LogSource } from 'countersign-verify';

/** What every command understands. */
export interface CommonOptions {
  readonly json?: boolean;
  readonly config: string;
}

const DEFAULT_CONFIG = 'countersign.yaml';

export function addJsonOption(command: Command): Command {
  return command.option('--json', 'print one JSON document');
}

export function addConfigOption(command: Command): Command {
  return command.option(
    '-c, --config <file>',
    'configuration file (or the variable COUNTERSIGN_CONFIG)',
    process.env['COUNTERSIGN_CONFIG'] ?? DEFAULT_CONFIG,
  );
}

/**
 * The state directory that a command works on. A demo's configuration is as good as any here: nothing is served.
 * Throws `ConfigError`.
 */
export function configOf(options: CommonOptions): CountersignConfig {
  return readConfig(options.config).config;
}

/** A log given as directory or URL; without one, that of the configuration. A state directory stands for its log. */
export function logSourceOf(place: string | undefined, options: CommonOptions): LogSource {
  if (place !== undefined && /^https?:\/\//.test(place)) return httpSource(place);
  return directorySource(logDirectoryOf(place, options), { isBlocking: true });
}

export function logDirectoryOf(place: string | undefined, options: CommonOptions): string {
  if (place === undefined) return join(configOf(options).stateDirectory, 'log');
  const inside = join(place, 'log');
  return !existsSync(join(place, 'checkpoint')) && existsSync(join(inside, 'checkpoint')) ? inside : place;
}
