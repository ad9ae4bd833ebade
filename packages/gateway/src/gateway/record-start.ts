import type { CountersignConfig, GrantConfig } from '../config/config.ts';
import { canonicalMasking } from '../grants/live-grant.ts';
import { Scope } from '../grants/scope.ts';
import type { RecordEvent } from '../record/events.ts';
import type { Appended, Payload, Recorder } from '../record/recorder.ts';
import { gatewayGrants } from './gateway-principal.ts';

/** Control events have their own room in the journal (decision 20): a full disk does not hide a change of rules. */
const CONTROL = { control: true } as const;

/**
 * Puts a configuration on the record before it is applied: the sealed text, then who may come and what was granted, as
 * far as `previous` does not say the same. Resolves when all of it is on disk.
 */
export async function recordConfiguration(
  recorder: Recorder,
  config: CountersignConfig,
  cause: 'start' | 'reload',
  previous?: CountersignConfig,
): Promise<void> {
  const text = recorder.commit(Buffer.from(config.text));
  let last = append(recorder, { type: 'config.changed', config: config.digest, text: text.digest, cause }, [
    { field: 'text', commitment: text },
  ]);
  for (const principal of config.principals) {
    const before = previous?.principals.find(({ name }) => name === principal.name);
    if (before !== undefined && before.owner === principal.owner && before.kind === principal.kind) continue;
    const owner = recorder.commit(Buffer.from(principal.owner));
    last = append(
      recorder,
      { type: 'identity.registered', principal: principal.name, owner: owner.digest, kind: principal.kind },
      [{ field: 'owner', commitment: owner }],
    );
  }
  for (const event of issuedGrants(config, previous)) last = append(recorder, event, []);
  // Leaves become durable in order, so the last one stands for all.
  await last.durable();
}

/** Grants that `previous` did not hold in the same words, the gateway's own among them. */
function issuedGrants(config: CountersignConfig, previous: CountersignConfig | undefined): RecordEvent[] {
  const known = new Set(
    [...(previous?.grants ?? []), ...gatewayGrants(previous?.targets ?? [])].map(identity),
  );
  return [...config.grants, ...gatewayGrants(config.targets)]
    .filter((grant) => !known.has(identity(grant)))
    .map((grant) => issued(grant));
}

function issued(grant: GrantConfig): RecordEvent {
  const { id, principal, target, login, expiresAtUs } = grant;
  return {
    type: 'grant.issued',
    grant: id,
    standing: true,
    principal,
    target,
    ...(login === undefined ? {} : { login }),
    scope: new Scope(grant.scope).digest,
    expiresAtUs,
  };
}

function identity(grant: GrantConfig): string {
  const { id, principal, target, login, databases, expiresAtUs } = grant;
  const scope = new Scope(grant.scope).digest;
  const masking = canonicalMasking(grant.masking);
  return JSON.stringify([
    id,
    principal,
    target,
    login ?? null,
    databases,
    String(expiresAtUs),
    scope,
    masking,
  ]);
}

function append(recorder: Recorder, event: RecordEvent, payloads: readonly Payload[]): Appended {
  return recorder.append(event, payloads, CONTROL);
}
