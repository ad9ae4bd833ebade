import type { Payload } from '../../record/recorder.ts';
import type { Intent } from '../../session/session.ts';
import { HEADER_BYTES } from '../wire/framer.ts';
import { parameterFormat } from '../wire/frontend/bind.ts';
import type { ByteRange } from '../wire/reader.ts';
import type { Exchange } from './exchange.ts';
import type { Portal } from './prepared-statements.ts';
import type { BoundValues } from './series-window.ts';

export interface CommittedIntent {
  readonly intent: Intent;
  readonly payloads: readonly Payload[];
}

/** More parameters than this get one commitment to the whole message: a leaf holds 65,535 bytes at most. */
export const MAX_PARAMETER_COMMITMENTS = 128;

export function commitStatement(exchange: Exchange, text: Buffer): { digest: string; payloads: Payload[] } {
  const commitment = exchange.session.commit(text);
  return { digest: commitment.digest, payloads: [{ field: 'statement', commitment }] };
}

/** A Bind that no Execute has come for: planning alone can run functions. */
export function describePlan(
  exchange: Exchange,
  portal: Portal,
  values: BoundValues | undefined,
): CommittedIntent {
  return describe(exchange, 'plan', portal, values, undefined);
}

/**
 * An Execute. With its Bind in hand it has statement and parameters. A portal that was planned or run before `resumes` that
 * call, which has the parameters; `fetch` if it ran. A portal that we do not know (a cursor made by SQL) has its name.
 */
export function describeExecute(
  exchange: Exchange,
  portal: Portal | undefined,
  portalName: string,
  values: BoundValues | undefined,
): CommittedIntent {
  if (portal === undefined) {
    const commitment = exchange.session.commit(Buffer.from(portalName));
    return {
      intent: {
        kind: 'fetch',
        effect: 'unknown',
        statementName: commitment.digest,
        txn: exchange.transaction,
      },
      payloads: [{ field: 'statement_name', commitment }],
    };
  }
  const kind = portal.wasExecuted ? 'fetch' : kindOf(portal);
  return describe(exchange, kind, portal, values, portal.lastCall);
}

function kindOf(portal: Portal): string {
  return textOf(portal) === undefined ? 'execute' : portal.judgement.reading.meaning.kind;
}

/** A statement that SQL made has no text of its own: the record has its name. */
function textOf({ statement }: Portal): Buffer | undefined {
  return statement?.sqlName === undefined ? statement?.text : undefined;
}

function describe(
  exchange: Exchange,
  kind: string,
  portal: Portal,
  values: BoundValues | undefined,
  resumes: string | undefined,
): CommittedIntent {
  const { statement } = portal;
  const payloads: Payload[] = [];
  const intent: { -readonly [K in keyof Intent]: Intent[K] } = {
    kind,
    effect: statement === undefined ? 'unknown' : portal.judgement.reading.meaning.effect,
    txn: exchange.transaction,
  };
  const text = textOf(portal);
  if (text === undefined) {
    const commitment = exchange.session.commit(Buffer.from(portal.statementName));
    payloads.push({ field: 'statement_name', commitment });
    intent.statementName = commitment.digest;
  } else {
    const commitment = exchange.session.commit(text);
    payloads.push({ field: 'statement', commitment });
    intent.statement = commitment.digest;
  }
  if (resumes !== undefined) intent.resumes = resumes;
  if (values !== undefined) addValues(exchange, intent, payloads, values, statement?.parameterTypes ?? []);
  return { intent, payloads };
}

function addValues(
  exchange: Exchange,
  intent: { -readonly [K in keyof Intent]: Intent[K] },
  payloads: Payload[],
  values: BoundValues,
  types: readonly number[],
): void {
  if (values.kind === 'spooled') {
    payloads.push({ field: 'message', commitment: values.commitment });
    intent.message = values.commitment.digest;
    return;
  }
  const { buffer, start, end, bind } = values;
  if (bind.parameters.length > MAX_PARAMETER_COMMITMENTS) {
    const commitment = exchange.session.commit(buffer.subarray(start + HEADER_BYTES, end));
    payloads.push({ field: 'message', commitment });
    intent.message = commitment.digest;
    return;
  }
  const { digests } = commitParameters(
    exchange,
    payloads,
    buffer,
    bind.parameters,
    bind.parameterFormats,
    types,
  );
  if (digests.length > 0) intent.params = digests;
}

/** One commitment per value, to u32 type OID ‖ u16 format ‖ i32 length (-1: null) ‖ bytes, big-endian. */
export function commitParameters(
  exchange: Exchange,
  payloads: Payload[],
  buffer: Buffer,
  ranges: readonly (ByteRange | undefined)[],
  formats: readonly number[],
  types: readonly number[],
): { readonly digests: string[] } {
  const digests: string[] = [];
  for (const [index, range] of ranges.entries()) {
    const length = range === undefined ? 0 : range.end - range.start;
    const bytes = Buffer.allocUnsafe(10 + length);
    bytes.writeUInt32BE(types[index] ?? 0, 0);
    bytes.writeUInt16BE(parameterFormat(formats, index), 4);
    bytes.writeInt32BE(range === undefined ? -1 : length, 6);
    if (range !== undefined) buffer.copy(bytes, 10, range.start, range.end);
    const commitment = exchange.session.commit(bytes);
    payloads.push({ field: `params.${index}`, commitment });
    digests.push(commitment.digest);
  }
  return { digests };
}
