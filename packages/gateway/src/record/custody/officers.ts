/** Officers as the configuration names them, in the shape of the record. */

import type { CustodyConfig, RetentionConfig } from '../../config/config.ts';
import type { OfficersInForce } from './custody-state.ts';
import { ownerKey, type OfficersScope } from './scopes.ts';

/** Undefined when no officers are configured. */
export function officersOfConfig(
  custody: CustodyConfig | undefined,
  retention: RetentionConfig | undefined,
): OfficersScope | undefined {
  if (custody === undefined) return undefined;
  const owners = new Map<string, { readonly index: number; readonly text: string }>();
  const officers = custody.officers.map(({ key, name, owner }) => {
    const known = owners.get(ownerKey(owner)) ?? { index: owners.size, text: owner };
    owners.set(ownerKey(owner), known);
    return { officer: name, key, owner: known.index };
  });
  return {
    officers,
    owners: [...owners.values()].map(({ text }) => text),
    approvals: custody.approvals,
    unattended: retention?.requireApproval === false,
  };
}

/** Whether names, keys, shared owners and rules are those in force; the owners' own names are sealed and not compared. */
export function isSameOfficers(proposal: OfficersScope, inForce: OfficersInForce | undefined): boolean {
  if (inForce === undefined) return false;
  return text(proposal) === text(inForce);
}

function text({ approvals, officers, unattended }: OfficersInForce): string {
  return JSON.stringify([
    approvals,
    unattended,
    officers.map(({ key, officer, owner }) => [officer, key, owner]),
  ]);
}
