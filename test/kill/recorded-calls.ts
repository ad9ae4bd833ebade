/** The calls on the record, with their contents and the target's backend each ran in, in the order of each session. */

import { readLeaves, Vault } from '../support/record-view.ts';
import type { Leaf } from '../support/record-view.ts';
import type { RecordedCall } from './compare.ts';

interface OpenedBackend {
  readonly pid: number;
  readonly started_at_us?: number;
}

/** Parameter payload: u32 type OID, u16 format, i32 length (-1 is null), value. */
function parameterText(payload: Buffer): string | null {
  const length = payload.readInt32BE(6);
  return length === -1 ? null : payload.subarray(10, 10 + length).toString('utf8');
}

function contents(leaf: Leaf, vault: Vault): Pick<RecordedCall, 'text' | 'params'> {
  const statement = leaf['statement'] as string | undefined;
  const params = (leaf['params'] as readonly string[] | undefined) ?? [];
  return {
    text: statement === undefined ? '' : vault.open(leaf, 'statement', statement).toString('utf8'),
    params: params.map((commitment, index) => parameterText(vault.open(leaf, `params.${index}`, commitment))),
  };
}

/** Statuses of results by the call they belong to. */
function statuses(leaves: readonly Leaf[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const leaf of leaves) {
    if (leaf.type === 'call.result') found.set(String(leaf['call']), String(leaf['status']));
  }
  return found;
}

export interface RecordAccount {
  readonly leaves: number;
  readonly calls: readonly RecordedCall[];
}

/** Throws when a content is missing from the vault or differs from its commitment. */
export function readRecordedCalls(stateDirectory: string, custodianKeyPem: string): RecordAccount {
  const leaves = readLeaves(stateDirectory);
  const vault = new Vault(stateDirectory, custodianKeyPem);
  const results = statuses(leaves);
  const backends = new Map<string, string>();
  const byId = new Map<string, RecordedCall>();
  const calls: RecordedCall[] = [];
  for (const leaf of leaves) {
    const session = String(leaf.session);
    if (leaf.type === 'session.opened') {
      const backend = leaf['backend'] as OpenedBackend;
      const start = backend.started_at_us === undefined ? '?' : Math.floor(backend.started_at_us / 1e6);
      backends.set(session, `${backend.pid}/${start}`);
    }
    if (leaf.type !== 'call.intent') continue;
    const backend = backends.get(session);
    if (backend === undefined) throw new Error(`session ${session} has a call before it was opened`);
    const resumed = byId.get(String(leaf['resumes']));
    const status = results.get(String(leaf.id));
    const call: RecordedCall = {
      backend,
      ...(resumed === undefined ? contents(leaf, vault) : { text: resumed.text, params: resumed.params }),
      ...(status === undefined ? {} : { status }),
    };
    byId.set(String(leaf.id), call);
    calls.push(call);
  }
  return { leaves: leaves.length, calls };
}
