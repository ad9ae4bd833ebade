import type { CountersignConfig } from '../config/config.ts';
import { CountersignError } from '../errors.ts';

/**
 * What a running gateway cannot change: where it listens and what it writes to. Throws `CS_CONFIG_INVALID`, naming the
 * keys, when the new configuration differs there.
 */
export function assertReloadable(before: CountersignConfig, after: CountersignConfig): void {
  const fixed: readonly (readonly [string, (config: CountersignConfig) => unknown])[] = [
    ['node', (config) => config.node],
    ['state', (config) => config.stateDirectory],
    ['log', (config) => config.log],
    ['vault', (config) => config.vault],
    ['record', (config) => config.record],
    ['listen.postgres.address', ({ listen }) => [listen.postgres.host, listen.postgres.port]],
    ['listen.health', ({ listen }) => listen.health ?? null],
  ];
  const changed = fixed.filter(([, read]) => JSON.stringify(read(before)) !== JSON.stringify(read(after)));
  if (changed.length === 0) return;
  throw new CountersignError('CS_CONFIG_INVALID', {
    detail: `a running gateway cannot change ${changed.map(([key]) => key).join(', ')}`,
    hint: 'Restart it instead; the configuration in force stays as it was.',
  });
}
