/**
 * Cuts a byte stream into protocol messages, without copying what already lies in one piece.
 *
 * Pure: it knows no socket. The hot path (a run of small messages in one chunk) makes no allocation and one call of
 * the handler per message. Nothing is ever allocated because a length word says so: a message that straddles
 * chunks is assembled in a buffer that grows with the bytes that really came.
 */
import { LARGE_MESSAGE_LIMIT, protocolMaxBodyBytes } from './message-types.ts';
import type { Side } from './message-types.ts';
import { protocolViolation } from './violation.ts';

/** Type byte and length word. */
export const HEADER_BYTES = 5;

/** Longest message (header included) that is assembled when it straddles chunks. */
export const DEFAULT_WHOLE_LIMIT_BYTES = 65_536;

export interface FramerHandler {
  /**
   * A whole message: `buffer[start, end)`, header included. `buffer` is the pushed chunk or a fresh buffer; it is
   * never written to again by the framer. A message longer than the whole limit also comes here when it lies wholly
   * in one chunk.
   */
  message(type: number, buffer: Buffer, start: number, end: number): void;
  /** A message that is not assembled begins. `header` holds its five bytes and is the handler's to keep. */
  largeStart(type: number, bodyLength: number, header: Buffer): void;
  /** A piece of its body, `buffer[start, end)`, never empty. */
  largeChunk(buffer: Buffer, start: number, end: number): void;
  /** All of its body was handed over. */
  largeEnd(): void;
}

export interface FramerOptions {
  /** Who sends the stream. */
  readonly side: Side;
  /**
   * Cap on a message body in bytes, or -1 to refuse the type; asked once per type at construction. The protocol's
   * own cap always holds as well. Default: the protocol's own cap.
   */
  readonly maxBodyBytes?: (type: number) => number;
  /** Default 65,536; a function is asked once per type. */
  readonly wholeLimitBytes?: number | ((type: number) => number);
  /** Types that are assembled whatever their length (up to their cap); asked once per type. Default: none. */
  readonly needsWhole?: (type: number) => boolean;
}

const UNKNOWN_TYPE = -1;
const FIRST_ASSEMBLY_BYTES = 1024;

/** What is under way between two pushes. */
type Partial = 'none' | 'header' | 'body' | 'large' | 'largeEnd';

const NOTHING = Buffer.alloc(0);

export class MessageFramer {
  readonly #handler: FramerHandler;
  /** Body cap by type byte; -1 = no such message on this side. */
  readonly #caps = new Int32Array(256).fill(UNKNOWN_TYPE);
  /** Longest body that is assembled, by type byte. */
  readonly #wholeBodies = new Int32Array(256);
  #partial: Partial = 'none';
  /** `header`, `body`: the bytes so far, in `#assembly[0, #assembled)`. */
  #assembly = Buffer.alloc(0);
  #assembled = 0;
  /** `body`: length of the whole message. `large`: bytes of the body still to come. */
  #wanted = 0;
  /** Chunks that wait because of `stop()`; the first may be the rest of one. */
  #waiting: Buffer[] = [];
  #stopped = false;
  #running = false;
  #broken = false;

  constructor(options: FramerOptions, handler: FramerHandler) {
    this.#handler = handler;
    const limit = options.wholeLimitBytes ?? DEFAULT_WHOLE_LIMIT_BYTES;
    for (let type = 0; type < 256; type++) {
      const own = protocolMaxBodyBytes(options.side, type);
      if (own === UNKNOWN_TYPE) continue;
      const cap = Math.min(own, options.maxBodyBytes?.(type) ?? own);
      this.#caps[type] = cap;
      const whole = (typeof limit === 'number' ? limit : limit(type)) - HEADER_BYTES;
      this.#wholeBodies[type] = options.needsWhole?.(type) === true ? cap : Math.min(cap, whole);
    }
  }

  /** True when no message is half read and nothing waits: the only state in which a stream may lawfully end. */
  get atBoundary(): boolean {
    return this.#partial === 'none' && this.#waiting.length === 0;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Bytes that wait unparsed because of `stop()`. */
  get waitingBytes(): number {
    return this.#waiting.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** Length of the message that is being assembled from several chunks, as it said itself; 0 when there is none. */
  get assemblingBytes(): number {
    return this.#partial === 'body' ? this.#wanted : 0;
  }

  /**
   * Parse `chunk`; the handler is called before this returns. Parts of `chunk` are handed on without a copy, so the
   * caller must not reuse its memory while the handler (or this framer, when stopped) may hold it.
   *
   * @throws CountersignError CS_PROTOCOL_VIOLATION on an unknown type or a length out of bounds; the framer is
   * unusable afterwards. What the handler throws also passes through and leaves it unusable.
   */
  push(chunk: Buffer): void {
    if (this.#broken) throw protocolViolation('bytes after a violation');
    if (chunk.length === 0) return;
    if (this.#stopped || this.#running) {
      this.#waiting.push(chunk);
      return;
    }
    this.#run(chunk);
  }

  /** Parse nothing more after the current callback returns; what was pushed waits. May be called from a callback. */
  stop(): void {
    this.#stopped = true;
  }

  /** Continue with what waits, then with what is pushed. Throws as `push` does. */
  resume(): void {
    this.#stopped = false;
    if (this.#running) return;
    if (this.#partial === 'largeEnd') this.#run(NOTHING);
    while (!this.#stopped) {
      const chunk = this.#waiting.shift();
      if (chunk === undefined) return;
      this.#run(chunk);
    }
  }

  /**
   * Take away the unparsed bytes of a stopped framer, to hand them to the next reader of the connection.
   * Only at a message boundary (which a `stop()` inside `message` always is).
   */
  takeRest(): Buffer {
    if (this.#partial !== 'none') throw protocolViolation('stream handed over in the middle of a message');
    const rest = this.#waiting.length === 1 ? this.#waiting[0]! : Buffer.concat(this.#waiting);
    this.#waiting = [];
    return rest;
  }

  #run(chunk: Buffer): void {
    this.#running = true;
    this.#broken = true; // until this run is known to end well
    let offset = 0;
    while ((offset < chunk.length || this.#partial === 'largeEnd') && !this.#stopped) {
      offset =
        this.#partial === 'none' ? this.#readMessages(chunk, offset) : this.#readPartial(chunk, offset);
    }
    this.#broken = false;
    this.#running = false;
    if (offset < chunk.length) this.#waiting.unshift(chunk.subarray(offset));
    else if (!this.#stopped && this.#waiting.length > 0) this.resume();
  }

  /** The hot loop: whole messages in one chunk. Returns the offset it came to. */
  #readMessages(chunk: Buffer, from: number): number {
    const handler = this.#handler;
    const size = chunk.length;
    let offset = from;
    while (offset + HEADER_BYTES <= size) {
      const type = chunk[offset]!;
      const body = this.#bodyLength(chunk, offset);
      const next = offset + HEADER_BYTES + body;
      if (next > size) {
        if (body > this.#wholeBodies[type]!) return this.#startLarge(chunk, offset, body);
        this.#wanted = HEADER_BYTES + body;
        return this.#startAssembly('body', chunk, offset);
      }
      handler.message(type, chunk, offset, next);
      offset = next;
      if (this.#stopped) return offset;
    }
    if (offset === size) return offset;
    return this.#startAssembly('header', chunk, offset);
  }

  #bodyLength(buffer: Buffer, offset: number): number {
    const cap = this.#caps[buffer[offset]!]!;
    if (cap < 0) throw protocolViolation('unknown message type');
    const length =
      buffer[offset + 1]! * 0x1000000 +
      ((buffer[offset + 2]! << 16) | (buffer[offset + 3]! << 8) | buffer[offset + 4]!);
    if (length < 4 || length > LARGE_MESSAGE_LIMIT || length - 4 > cap) {
      throw protocolViolation('message length out of bounds');
    }
    return length - 4;
  }

  #startAssembly(partial: 'header' | 'body', chunk: Buffer, offset: number): number {
    const have = chunk.length - offset;
    const wanted = partial === 'body' ? this.#wanted : FIRST_ASSEMBLY_BYTES;
    this.#assembly = Buffer.allocUnsafeSlow(Math.min(wanted, Math.max(FIRST_ASSEMBLY_BYTES, 2 * have)));
    this.#assembled = chunk.copy(this.#assembly, 0, offset);
    this.#partial = partial;
    return chunk.length;
  }

  #startLarge(chunk: Buffer, offset: number, body: number): number {
    this.#partial = 'large';
    this.#wanted = body;
    const header = Buffer.from(chunk.subarray(offset, offset + HEADER_BYTES));
    this.#handler.largeStart(header[0]!, body, header);
    return offset + HEADER_BYTES;
  }

  #readPartial(chunk: Buffer, offset: number): number {
    switch (this.#partial) {
      case 'header':
        return this.#readHeader(chunk, offset);
      case 'body':
        return this.#readBody(chunk, offset);
      case 'largeEnd':
        return this.#endLarge(offset);
      default:
        return this.#readLarge(chunk, offset);
    }
  }

  #readHeader(chunk: Buffer, offset: number): number {
    const take = Math.min(HEADER_BYTES - this.#assembled, chunk.length - offset);
    this.#append(chunk, offset, take);
    if (this.#assembled < HEADER_BYTES) return offset + take;
    const header = this.#assembly;
    const body = this.#bodyLength(header, 0);
    if (body > this.#wholeBodies[header[0]!]!) {
      this.#startLarge(header, 0, body);
      return offset + take;
    }
    this.#wanted = HEADER_BYTES + body;
    this.#partial = 'body';
    if (body === 0) this.#finishBody();
    return offset + take;
  }

  #readBody(chunk: Buffer, offset: number): number {
    const take = Math.min(this.#wanted - this.#assembled, chunk.length - offset);
    this.#append(chunk, offset, take);
    if (this.#assembled === this.#wanted) this.#finishBody();
    return offset + take;
  }

  #finishBody(): void {
    const message = this.#assembly;
    this.#assembly = Buffer.alloc(0);
    this.#partial = 'none';
    this.#handler.message(message[0]!, message, 0, this.#wanted);
  }

  #readLarge(chunk: Buffer, offset: number): number {
    const take = Math.min(this.#wanted, chunk.length - offset);
    this.#wanted -= take;
    this.#handler.largeChunk(chunk, offset, offset + take);
    // The end is a callback of its own: it waits if the last chunk said stop.
    if (this.#wanted === 0) this.#partial = 'largeEnd';
    return offset + take;
  }

  #endLarge(offset: number): number {
    this.#partial = 'none';
    this.#handler.largeEnd();
    return offset;
  }

  /** Grow by doubling with what arrives, so a declared length alone costs nothing. */
  #append(chunk: Buffer, offset: number, take: number): void {
    const needed = this.#assembled + take;
    if (needed > this.#assembly.length) {
      const grown = Buffer.allocUnsafeSlow(
        Math.min(Math.max(needed, this.#wanted), Math.max(needed, 2 * this.#assembly.length)),
      );
      this.#assembly.copy(grown, 0, 0, this.#assembled);
      this.#assembly = grown;
    }
    chunk.copy(this.#assembly, this.#assembled, offset, offset + take);
    this.#assembled = needed;
  }
}
