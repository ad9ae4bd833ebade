import { CountersignError } from '../../errors.ts';
import { Denied } from '../../session/denied.ts';
import { MASKED_VALUE_CAME_BACK } from '../../session/mask-refusal-text.ts';
import type { Spool } from '../../record/recorder.ts';
import { FRONTEND } from '../wire/message-types.ts';
import { protocolViolation } from '../wire/violation.ts';
import type { Exchange } from './exchange.ts';
import { claimWindow, holdBind, type Taken } from './extended-query.ts';
import { expectFunction, judgeFunction } from './function-call.ts';
import { touchedOf, WAIT } from './judgement.ts';
import { withLineage } from './lineage-of-command.ts';
import { CopyGuard } from '../mask/copy-guard.ts';
import { refuseQuery } from './refusal.ts';
import type { StreamedBytes } from './gated-writer.ts';
import type { SeriesWindow } from './series-window.ts';
import { commitStatement } from './series-intents.ts';

/** Names and OID stand at the beginning of the body; names longer than this are refused. */
const PREFIX_BYTES = 4_096;

/**
 * A Bind or FunctionCall too large to hold (decision 22): its body goes to the sealed vault as it comes, the intent commits
 * to the whole body, and once that is durable the body is read back from the vault and forwarded.
 */
export class SpooledMessage {
  readonly #exchange: Exchange;
  readonly #window: SeriesWindow;
  readonly #type: number;
  readonly #bytes: number;
  readonly #header: Buffer;
  readonly #spool: Promise<Spool>;
  /** Looks for masked values that come back. */
  readonly #guard: CopyGuard | undefined;
  #prefix = Buffer.alloc(0);

  constructor(exchange: Exchange, window: SeriesWindow, type: number, bytes: number, header: Buffer) {
    this.#exchange = exchange;
    this.#window = window;
    this.#type = type;
    this.#bytes = bytes;
    this.#header = header;
    this.#guard =
      exchange.mask?.isClassified === true ? new CopyGuard(exchange.mask.context.keys) : undefined;
    this.#spool = exchange.session.openSpool();
    this.#spool.catch(() => {}); // whoever awaits it is told
  }

  async write(chunk: Buffer): Promise<void> {
    if (this.#prefix.length < PREFIX_BYTES) {
      this.#prefix = Buffer.concat([this.#prefix, chunk.subarray(0, PREFIX_BYTES - this.#prefix.length)]);
    }
    this.#guard?.take(chunk);
    const spool = await this.#spool;
    await spool.write(chunk);
  }

  /** It will not be forwarded. What was spooled and is on no record goes with it. */
  async abort(): Promise<void> {
    try {
      await (await this.#spool).abort();
    } catch {
      // It could not even be opened.
    }
  }

  /** Makes the body durable in the vault. What it resolves to takes the message down the path. */
  async finish(): Promise<() => Taken> {
    const spool = await this.#spool;
    const commitment = await spool.finish();
    const stream: StreamedBytes = { read: () => spool.read(), drop: () => void this.abort() };
    const header = this.#header;
    if (this.#type === FRONTEND.functionCall) {
      return () => this.#callFunction(stream, commitment);
    }
    const { portal, statement } = this.#names();
    const holdsMasked = this.#guard?.hasFound ?? false;
    const values = { kind: 'spooled', commitment, bytes: this.#bytes, stream, holdsMasked } as const;
    const bytes = { buffer: header, start: 0, end: header.length };
    return () => holdBind(this.#exchange, this.#window, portal, statement, values, bytes);
  }

  #callFunction(stream: StreamedBytes, commitment: Awaited<ReturnType<Spool['finish']>>): Taken {
    const exchange = this.#exchange;
    if (!claimWindow(exchange, this.#window)) {
      stream.drop();
      return 'taken';
    }
    const oid = this.#prefix.readUInt32BE(0);
    const judgement = judgeFunction(exchange, oid);
    if (judgement === WAIT) return 'wait';
    const { digest, payloads } = commitStatement(exchange, Buffer.from(`function ${oid}`));
    payloads.push({ field: 'message', commitment });
    const intent = {
      kind: 'function',
      effect: judgement.reading.meaning.effect,
      statement: digest,
      message: commitment.digest,
      txn: exchange.transaction,
    } as const;
    try {
      if (judgement.refusal !== undefined) throw exchange.session.deny(judgement.refusal, intent, payloads);
      const touched = withLineage(exchange, touchedOf(judgement, undefined), judgement);
      if (this.#guard?.hasFound === true && touched.lineage?.isFree === false) {
        throw exchange.session.deny(
          new CountersignError('CS_MASK_WRITE_BACK', { told: MASKED_VALUE_CAME_BACK }),
          intent,
          payloads,
        );
      }
      const call = exchange.begin(intent, payloads, 'query', touched);
      call.bytesUp = this.#header.length + this.#bytes;
      exchange.toTarget.add(this.#header, 0, this.#header.length, call.gate, true);
      exchange.toTarget.addStream(stream, call.gate);
      expectFunction(exchange, call, judgement);
    } catch (error) {
      if (!(error instanceof Denied)) throw error;
      stream.drop();
      refuseQuery(exchange, error);
    }
    return 'taken';
  }

  #names(): { readonly portal: string; readonly statement: string } {
    const portalEnd = this.#prefix.indexOf(0);
    const statementEnd = this.#prefix.indexOf(0, portalEnd + 1);
    if (portalEnd < 0 || statementEnd < 0) throw protocolViolation('Bind: names too long');
    return {
      portal: this.#prefix.toString('utf8', 0, portalEnd),
      statement: this.#prefix.toString('utf8', portalEnd + 1, statementEnd),
    };
  }
}
