import type { CountersignConfig } from '../config/config.ts';
import { CountersignError } from '../errors.ts';

/** What a running gateway cannot change, by configuration key: where it listens and what it writes to. As JSON texts. */
export type FixedSettings = Readonly<Record<string, string>>;

/** Names, numbers and references to secrets; no secret. */
export function fixedSettings(config: CountersignConfig): FixedSettings {
  const { postgres, health } = config.listen;
  const settings: Readonly<Record<string, unknown>> = {
    node: config.node,
    state: config.stateDirectory,
    log: config.log,
    'vault.retentionClass': config.vault.retentionClass,
    record: config.record,
    witness: config.witness ?? null,
    timestamp: config.timestamp ?? null,
    // Values that were masked under one key are unknown under another, and a session that began without masking would go on without.
    'masking.key': config.masking?.key ?? null,
    'listen.postgres.address': [postgres.host, postgres.port],
    'listen.health': health ?? null,
  };
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, JSON.stringify(value)]));
}

/** The keys for which a gateway that runs with `before` would refuse to reload `after`. */
export function unreloadableKeys(before: FixedSettings, after: FixedSettings): readonly string[] {
  return Object.keys(after).filter((key) => before[key] !== after[key]);
}

/** Throws `CS_CONFIG_INVALID`, naming the keys, when the new configuration differs in what cannot be changed. */
export function assertReloadable(before: CountersignConfig, after: CountersignConfig): void {
  const changed = unreloadableKeys(fixedSettings(before), fixedSettings(after));
  if (changed.length === 0) return;
  throw new CountersignError('CS_CONFIG_INVALID', {
    detail: `a running gateway cannot change ${changed.join(', ')}`,
    hint: 'Restart it instead; the configuration in force stays as it was.',
  });
}
