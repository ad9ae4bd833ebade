import type { Exchange } from './exchange.ts';
import { Unit } from './expected-answers.ts';
import { KeyedDigest } from './keyed-digest.ts';

/**
 * CopyData from the client, whole or a piece of a large one: it belongs to the newest command, behind whose intent it is
 * queued. The target ignores it when no COPY is under way (a client may still be sending when its COPY has failed).
 */
export function onCopyData(
  exchange: Exchange,
  buffer: Buffer,
  start: number,
  end: number,
  partial = false,
): void {
  const call = exchange.newestCall;
  exchange.heldSyncs = 0;
  exchange.toTarget.add(buffer, start, end, undefined, partial);
  if (call === undefined) return;
  call.bytesUp += end - start;
  call.copied ??= new KeyedDigest(exchange.session.digestKey);
  call.copied.update(buffer, start, end);
}

/** CopyDone or CopyFail. */
export function onCopyEnd(exchange: Exchange, buffer: Buffer, start: number, end: number): void {
  exchange.heldSyncs = 0;
  exchange.toTarget.add(buffer, start, end);
  exchange.copyIn = undefined;
  exchange.expect(new Unit('copyEnd'));
}
