import { CountersignError } from '../../errors.ts';
import { MASKED_VALUE_CAME_BACK } from '../../session/mask-refusal-text.ts';
import { encodeCopyData } from '../wire/copy-data.ts';
import { HEADER_BYTES } from '../wire/framer.ts';
import { encodeCopyFail } from '../wire/frontend/copy-fail.ts';
import type { Call } from './call.ts';
import type { Exchange } from './exchange.ts';
import { Unit } from './expected-answers.ts';
import { KeyedDigest } from './keyed-digest.ts';

/**
 * CopyData from the client: it belongs to the newest command, behind whose intent it is
 * queued. The target ignores it when no COPY is under way (a client may still be sending when its COPY has failed).
 */
export function onCopyData(exchange: Exchange, buffer: Buffer, start: number, end: number): void {
  exchange.heldSyncs = 0;
  if (isGuarded(exchange.newestCall)) guard(exchange, exchange.newestCall, buffer, start + HEADER_BYTES, end);
  else pass(exchange, buffer, start, end, false);
}

/** The header of a CopyData that comes in pieces. */
export function onCopyStart(exchange: Exchange, header: Buffer): void {
  exchange.heldSyncs = 0;
  if (!isGuarded(exchange.newestCall)) pass(exchange, header, 0, header.length, true);
}

/** A piece of its body. */
export function onCopyPiece(exchange: Exchange, buffer: Buffer, start: number, end: number): void {
  if (isGuarded(exchange.newestCall)) guard(exchange, exchange.newestCall, buffer, start, end);
  else pass(exchange, buffer, start, end, true);
}

type Guarded = Call & { readonly mask: NonNullable<Call['mask']> };

/** Masked values that come back in its data are to be found. */
function isGuarded(call: Call | undefined): call is Guarded {
  return call?.mask?.guard !== undefined;
}

function pass(exchange: Exchange, buffer: Buffer, start: number, end: number, partial: boolean): void {
  const call = exchange.newestCall;
  exchange.toTarget.add(buffer, start, end, undefined, partial);
  if (call === undefined) return;
  call.bytesUp += end - start;
  call.copied ??= new KeyedDigest(exchange.session.digestKey);
  call.copied.update(buffer, start, end);
}

/** What was looked at goes on, in messages of its own. */
function guard(exchange: Exchange, call: Guarded, buffer: Buffer, start: number, end: number): void {
  if (call.stopped !== undefined) return;
  const checked = call.mask.guard!.take(buffer.subarray(start, end));
  if (call.mask.guard!.hasFound) stopCopy(exchange, call);
  else send(exchange, checked);
}

function send(exchange: Exchange, data: Buffer): void {
  if (data.length === 0) return;
  const message = encodeCopyData(data);
  pass(exchange, message, 0, message.length, false);
}

/** The COPY is made to fail in the target, so that it undoes what came before; its error becomes ours. */
function stopCopy(exchange: Exchange, call: Call): void {
  call.stopped = new CountersignError('CS_MASK_WRITE_BACK', { told: MASKED_VALUE_CAME_BACK });
  exchange.toTarget.addAll(encodeCopyFail('countersign refused this data'));
  exchange.copyIn = undefined;
  exchange.expect(new Unit('copyEnd'));
}

/** CopyDone or CopyFail. */
export function onCopyEnd(exchange: Exchange, buffer: Buffer, start: number, end: number): void {
  exchange.heldSyncs = 0;
  const call = exchange.newestCall;
  // The target was told of the end already.
  if (call?.stopped !== undefined) return;
  if (isGuarded(call)) send(exchange, call.mask.guard!.finish());
  exchange.toTarget.add(buffer, start, end);
  exchange.copyIn = undefined;
  exchange.expect(new Unit('copyEnd'));
}
