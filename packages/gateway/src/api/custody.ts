import type { Approval } from 'countersign-verify';
import { z } from 'zod';

import type { ErasureScope } from '../record/events/custody.ts';
import type { ControlServices } from './control-services.ts';

/** What the control socket needs of the desk that decides over contents. */
export interface CustodyService {
  submit(
    document: Uint8Array,
    approvals: readonly Approval[],
    wrappedKeys: readonly Uint8Array[],
  ): Promise<unknown>;
  status(): Promise<unknown>;
  /** The scope of a request that would put the configured officers in force. */
  officersProposal(): unknown;
  /** Erases what is due, where the officers let the schedule do so. */
  runSchedule(): Promise<unknown>;
  /** Erasures that concern a range of leaves (jseq, both included). */
  erasuresIn(journal: string, from: number, to: number): Promise<readonly ErasedRange[]>;
}

export interface ErasedRange {
  readonly erasure: string;
  readonly scope: ErasureScope;
  readonly ranges: readonly { readonly journal: string; readonly from: number; readonly to: number }[];
}

const approval = z.strictObject({
  officer: z.string().min(1).max(63),
  key: z.string().length(43),
  signature: z.string().length(86),
});

/** `document`: the canonical request, as it was signed. */
export const custodyRequestSchema = z.strictObject({
  document: z.string().min(2).max(32_768),
  approvals: z.array(approval).max(50),
  /** Data keys that the custodian wrapped to the gateway for this, base64. */
  keys: z.array(z.base64().max(1_024)).max(200).optional(),
});

export function submitRequest(
  { approvals, document, keys = [] }: z.infer<typeof custodyRequestSchema>,
  { custody }: ControlServices,
): Promise<unknown> {
  return custody.desk.submit(
    Buffer.from(document, 'utf8'),
    approvals,
    keys.map((key) => Buffer.from(key, 'base64')),
  );
}

export const scheduleSchema = z.strictObject({});

export async function runSchedule({ custody }: ControlServices): Promise<unknown> {
  return { erased: await custody.desk.runSchedule() };
}
