/**
 * A log of any size as a busy gateway leaves it, written straight to its tiles: 16 sessions at a time, 100 statements
 * each, a context per session, a heartbeat every 20,000 leaves. The journal and the vault are left out. It streams: a
 * million leaves need no more memory than a bundle.
 */

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  createSignerFromSeed,
  encodeCanonical,
  encodeEntryBundle,
  entriesPath,
  formatVerifierKey,
  hashLeaf,
  rollDigest,
  ROLLING_START,
  sha256,
  signCheckpoint,
  TILE_WIDTH,
  TileBuilder,
  tilePath,
  timeExtension,
  type EncodableValue,
  type Tile,
} from 'countersign-verify';

const ORIGIN = 'bench.example/log';
const START_US = 1_790_000_000_000_000;
const OPEN_SESSIONS = 16;
const CALLS_PER_SESSION = 100;
const LEAVES_PER_HEARTBEAT = 20_000;
const NAMES = {
  node: 'bench',
  version: '0.1.0',
  boot: '7e371369-7d53-4357-ad57-b8e6a3e04b5e',
  clock: 'system',
};

function bytesFor(label: string): Buffer {
  return createHash('sha256').update(label).digest();
}

interface OpenSession {
  readonly id: string;
  readonly context: EncodableValue;
  seq: number;
  calls: number;
  rolling: Buffer;
}

/** Gives the leaves of one run, one at a time. */
class Leaves {
  #jseq = 0;
  #ids = 0;
  #sessionNumber = 0;
  #beat = { calls: 0, denied: 0, bytes_up: 0, bytes_down: 0 };
  readonly #digest = bytesFor('digest').toString('base64url');
  readonly #genesis: EncodableValue;

  constructor(key: string) {
    this.#genesis = { origin: ORIGIN, key, custodian: this.#digest };
  }

  #uuid(): string {
    const hex = bytesFor(String(this.#ids++)).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }

  #leaf(type: string, fields: object, id: string = this.#uuid()): Buffer {
    const jseq = this.#jseq++;
    const clock = jseq * 1000;
    const envelope = { v: 1, type, at: START_US + clock, mono: 5_000_000 + clock, journal: 'w0', jseq };
    return Buffer.from(encodeCanonical({ ...envelope, ...(type !== 'call.result' && { id }), ...fields }));
  }

  #inSession(session: OpenSession, type: string, fields: object, id?: string): Buffer {
    const place = { session: session.id, seq: session.seq++ };
    const leaf = this.#leaf(type, { ...place, ...fields }, id);
    session.rolling = rollDigest(session.rolling, leaf);
    return leaf;
  }

  *#open(): Generator<Buffer, OpenSession> {
    const digest = this.#digest;
    const context = { jseq: this.#jseq, digest: '' };
    const grant = { id: 'daily-report', standing: true, expires_at_us: START_US * 2 };
    const target = { name: 'bank', protocol: 'postgres', login: 'reader' };
    const principal = {
      principal: 'report-agent',
      principal_kind: 'agent',
      owner: digest,
      analysis: 'lexical',
    };
    const leaf = this.#leaf('context', {
      ...NAMES,
      software: digest,
      config: digest,
      ...principal,
      grant,
      target,
    });
    context.digest = sha256(leaf).toString('base64url');
    yield leaf;
    const id = this.#uuid();
    const session: OpenSession = { id, context, seq: 0, calls: 0, rolling: ROLLING_START };
    yield this.#inSession(session, 'session.opened', {
      context,
      protocol: 'postgres',
      protocol_version: '3.0',
      channel: { binding: false, method: 'scram-sha-256' },
      peer: digest,
      client: digest,
      backend: { pid: 1000 + this.#sessionNumber++, server_version: '18.4' },
      digest_key: digest,
    });
    return session;
  }

  *#call(session: OpenSession): Generator<Buffer> {
    const id = this.#uuid();
    const decision = { effect: 'permit', policies: ['daily-report'], reasons: [] };
    const statement = bytesFor(`statement ${id}`).toString('base64url');
    const intent = {
      context: session.context,
      decision,
      kind: 'select',
      effect: 'read',
      txn: 'I',
      statement,
    };
    yield this.#inSession(session, 'call.intent', intent, id);
    session.calls++;
    this.#beat.calls++;
    this.#beat.bytes_up += 62;
    this.#beat.bytes_down += 81;
    const amounts = { rows: 1, bytes_up: 62, bytes_down: 81, duration_us: 250 + (this.#jseq % 100) };
    yield this.#inSession(session, 'call.result', {
      call: id,
      status: 'ok',
      ...amounts,
      delivered: statement,
    });
  }

  #close(session: OpenSession): Buffer {
    const { calls } = session;
    const totals = { calls, bytes_up: 70 * calls, bytes_down: 90 * calls };
    const rolling = session.rolling.toString('base64url');
    return this.#inSession(session, 'session.closed', {
      context: session.context,
      reason: 'client',
      ...totals,
      rolling,
    });
  }

  #heartbeat(sessions: number): Buffer {
    const counters = this.#beat;
    this.#beat = { calls: 0, denied: 0, bytes_up: 0, bytes_down: 0 };
    return this.#leaf('heartbeat', {
      ...counters,
      sessions,
      journals: [{ journal: 'w0', jseq: this.#jseq - 1 }],
    });
  }

  *run(): Generator<Buffer> {
    yield this.#leaf('log.genesis', this.#genesis as object);
    const started = { version: NAMES.version, software: this.#digest, node: NAMES.node, boot: NAMES.boot };
    yield this.#leaf('software.started', { ...started, previous: 'first' });
    const sessions: OpenSession[] = [];
    for (let turn = 0; ; turn = (turn + 1) % OPEN_SESSIONS) {
      if (this.#jseq % LEAVES_PER_HEARTBEAT < 3) yield this.#heartbeat(sessions.length);
      const session = (sessions[turn] ??= yield* this.#open());
      yield* this.#call(session);
      if (session.calls < CALLS_PER_SESSION) continue;
      yield this.#close(session);
      sessions[turn] = yield* this.#open();
    }
  }
}

/** Writes a log of `size` leaves into `directory`. The last sessions stay open, as in a gateway that runs. */
export function writeLargeLog(directory: string, size: number): void {
  const signer = createSignerFromSeed(ORIGIN, bytesFor('log key'));
  const put = (path: string, bytes: Uint8Array | string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), bytes);
  };
  const putTile = (tile: Tile): void => put(tilePath(tile.level, tile.index, tile.width), tile.bytes);
  const builder = new TileBuilder(putTile);
  let bundle: Buffer[] = [];
  const putBundle = (): void => {
    put(entriesPath(Math.floor((builder.size - 1) / TILE_WIDTH), bundle.length), encodeEntryBundle(bundle));
    bundle = [];
  };
  for (const leaf of new Leaves(formatVerifierKey(signer)).run()) {
    builder.append(hashLeaf(leaf));
    bundle.push(leaf);
    if (bundle.length === TILE_WIDTH) putBundle();
    if (builder.size === size) break;
  }
  if (bundle.length > 0) putBundle();
  builder.partials().forEach(putTile);
  const extensions = [timeExtension(START_US + size * 1000)];
  put('checkpoint', signCheckpoint({ origin: ORIGIN, size, root: builder.root(), extensions }, signer));
  put('log.vkey', `${formatVerifierKey(signer)}\n`);
}

if (import.meta.main) {
  const [directory, size] = process.argv.slice(2);
  if (directory === undefined || size === undefined)
    throw new Error('usage: large-log.ts <directory> <leaves>');
  writeLargeLog(directory, Number(size));
}
