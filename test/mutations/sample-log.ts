/**
 * A small, deterministic log as a gateway would write it: used for test vectors and as the thing to mutate. The same
 * numbers give the same bytes; nothing here is secret.
 */

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  commitmentOf,
  createSignerFromSeed,
  encodeCanonical,
  encodeEntryBundle,
  entriesPath,
  formatVerifierKey,
  hashLeaf,
  rollDigest,
  ROLLING_START,
  sealBlock,
  sha256,
  signCheckpoint,
  TILE_WIDTH,
  TileBuilder,
  tilePath,
  timeExtension,
  vaultEntryBytes,
  wrapDataKey,
  wrappedKeyPath,
  blockFilePath,
  writeVaultEntry,
  x25519PrivateKey,
  type EncodableValue,
  type NoteSigner,
  type Tile,
} from 'countersign-verify';

export const ORIGIN = 'log.bank.example/node-1';
export const START_US = 1_790_000_000_000_000;
const SCOPE = { retentionClass: 'standard', period: '2026-09' };

type LeafFields = Readonly<Record<string, EncodableValue | undefined>>;

/** 32 bytes that depend on a label only. */
export function bytesFor(label: string): Buffer {
  return createHash('sha256').update(label).digest();
}

export function sampleSigner(name: string = ORIGIN, label = 'log key'): NoteSigner {
  return createSignerFromSeed(name, bytesFor(label));
}

export interface SampleEntry {
  readonly jseq: number;
  readonly field: string;
  readonly salt: Buffer;
  readonly bytes: Buffer;
}

/** Builds leaves with a correct envelope; everything moves on by 1 ms per leaf. */
export class SampleWriter {
  readonly leaves: Buffer[] = [];
  readonly payloads: SampleEntry[] = [];
  readonly journal: string;
  readonly #rolling = new Map<string, Buffer>();
  readonly #seq = new Map<string, number>();
  readonly #bytes = new Map<string, { bytes_up: number; bytes_down: number }>();
  #beat = { calls: 0, denied: 0, bytes_up: 0, bytes_down: 0 };
  #jseq = 0;
  #clockUs = 0;

  constructor(journal = 'w0') {
    this.journal = journal;
  }

  get jseq(): number {
    return this.#jseq;
  }

  /** Leaves out `n` numbers, as when leaves are lost. */
  skip(n: number): void {
    this.#jseq += n;
  }

  /** The same for the counter of a session. */
  skipSeq(session: string, n: number): void {
    this.#seq.set(session, (this.#seq.get(session) ?? 0) + n);
  }

  pass(us: number): void {
    this.#clockUs += us;
  }

  uuid(label: string): string {
    const hex = bytesFor(label).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }

  /** A commitment in the leaf that comes next. */
  commit(field: string, text: string): string {
    const salt = bytesFor(`salt ${this.#jseq} ${field}`);
    const bytes = Buffer.from(text);
    this.payloads.push({ jseq: this.#jseq, field, salt, bytes });
    return commitmentOf(salt, bytes).toString('base64url');
  }

  add(
    type: string,
    fields: LeafFields,
  ): { readonly jseq: number; readonly id: string; readonly digest: string } {
    this.#clockUs += 1000;
    const jseq = this.#jseq++;
    const id = this.uuid(`${this.journal} ${jseq}`);
    const envelope = {
      v: 1,
      type,
      at: START_US + this.#clockUs,
      mono: 5_000_000 + this.#clockUs,
      journal: this.journal,
      jseq,
      ...(type !== 'call.result' && { id }),
    };
    const leaf = Buffer.from(encodeCanonical({ ...envelope, ...fields }));
    this.leaves.push(leaf);
    return { jseq, id, digest: sha256(leaf).toString('base64url') };
  }

  /** Counters since the last call, as a heartbeat states them. */
  takeCounters(): LeafFields {
    const counters = this.#beat;
    this.#beat = { calls: 0, denied: 0, bytes_up: 0, bytes_down: 0 };
    return counters;
  }

  /** What the results of a session add up to. */
  bytesOf(session: string): LeafFields {
    return this.#bytes.get(session) ?? { bytes_up: 0, bytes_down: 0 };
  }

  #count(session: string, type: string, fields: LeafFields): void {
    if (type === 'call.intent') this.#beat.calls++;
    if (type === 'call.denied') this.#beat.denied++;
    if (type !== 'call.result') return;
    const sums = this.#bytes.get(session) ?? { bytes_up: 0, bytes_down: 0 };
    this.#bytes.set(session, sums);
    for (const counters of [sums, this.#beat]) {
      counters.bytes_up += Number(fields['bytes_up']);
      counters.bytes_down += Number(fields['bytes_down']);
    }
  }

  inSession(
    session: string,
    type: string,
    fields: LeafFields,
  ): { readonly jseq: number; readonly id: string } {
    const seq = this.#seq.get(session) ?? 0;
    const rolling = this.#rolling.get(session) ?? ROLLING_START;
    const closing = type === 'session.closed' ? { rolling: rolling.toString('base64url') } : {};
    this.#count(session, type, fields);
    const added = this.add(type, { session, seq, ...closing, ...fields });
    this.#seq.set(session, seq + 1);
    this.#rolling.set(session, rollDigest(rolling, this.leaves.at(-1)!));
    return added;
  }
}

export function startRun(
  writer: SampleWriter,
  previous: 'first' | 'stopped' | 'crashed',
  signer: NoteSigner = sampleSigner(),
): void {
  // A new process counts from nothing.
  writer.takeCounters();
  if (previous === 'first') {
    const custodian = bytesFor('custodian fingerprint').toString('base64url');
    writer.add('log.genesis', { origin: signer.name, key: formatVerifierKey(signer), custodian });
  }
  const software = bytesFor('software').toString('base64url');
  writer.add('software.started', { version: '0.1.0', software, node: 'node-1', boot: 'boot-1', previous });
}

export function addHeartbeat(writer: SampleWriter): void {
  writer.add('heartbeat', {
    ...writer.takeCounters(),
    sessions: 0,
    journals: [{ journal: writer.journal, jseq: writer.jseq - 1 }],
  });
}

export function openSession(
  writer: SampleWriter,
  label: string,
): { readonly session: string; readonly context: { readonly digest: string; readonly jseq: number } } {
  const session = writer.uuid(`session ${label}`);
  const { digest, jseq } = writer.add('context', {
    node: 'node-1',
    version: '0.1.0',
    software: bytesFor('software').toString('base64url'),
    config: bytesFor('config').toString('base64url'),
    boot: 'boot-1',
    clock: 'system',
    principal: 'teller-agent',
    principal_kind: 'agent',
    owner: writer.commit('owner', 'Retail Banking'),
    grant: { id: 'g-1', standing: true, expires_at_us: START_US + 3_600_000_000 },
    target: { name: 'bank', protocol: 'postgres', login: 'reader' },
    analysis: 'lexical',
  });
  const context = { digest, jseq };
  writer.inSession(session, 'session.opened', {
    context,
    protocol: 'postgres',
    protocol_version: '3.0',
    channel: { binding: false, method: 'scram-sha-256' },
    peer: writer.commit('peer', '127.0.0.1:50000'),
    backend: { pid: 4711, server_version: '15.12' },
    digest_key: writer.commit('digest_key', `key of ${label}`),
  });
  return { session, context };
}

export function addCall(
  writer: SampleWriter,
  session: string,
  context: EncodableValue,
  statement: string,
): void {
  const { id } = addIntent(writer, session, context, statement);
  writer.inSession(session, 'call.result', {
    call: id,
    status: 'ok',
    rows: 1,
    bytes_up: statement.length + 6,
    bytes_down: 64,
    duration_us: 250,
    delivered: bytesFor(`rows ${writer.jseq}`).toString('base64url'),
  });
}

export function addIntent(
  writer: SampleWriter,
  session: string,
  context: EncodableValue,
  statement: string,
): { readonly id: string } {
  return writer.inSession(session, 'call.intent', {
    context,
    decision: { effect: 'permit', policies: ['g-1'], reasons: [] },
    kind: 'select',
    effect: 'read',
    txn: 'I',
    statement: writer.commit('statement', statement),
  });
}

export function closeSession(writer: SampleWriter, session: string, calls: number, reason = 'client'): void {
  writer.inSession(session, 'session.closed', { reason, calls, ...writer.bytesOf(session) });
}

/** A whole run: `sessions` one after another, each with `calls`, and a heartbeat after each. */
export function sampleLog(
  sessions: number,
  calls: number,
  signer: NoteSigner = sampleSigner(),
): SampleWriter {
  const writer = new SampleWriter();
  startRun(writer, 'first', signer);
  for (let s = 0; s < sessions; s++) {
    const { context, session } = openSession(writer, String(s));
    for (let c = 0; c < calls; c++)
      addCall(writer, session, context, `SELECT balance FROM account WHERE id = ${c}`);
    closeSession(writer, session, calls);
    addHeartbeat(writer);
  }
  writer.add('software.stopped', { reason: 'sigterm' });
  return writer;
}

function put(directory: string, path: string, bytes: Uint8Array | string): void {
  const file = join(directory, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
}

export interface WriteOptions {
  readonly signer?: NoteSigner;
  /** µs since the epoch that the checkpoint states. */
  readonly signedAtUs?: number;
  /** Size of the checkpoint, when it is to cover fewer leaves. */
  readonly size?: number;
}

/** Writes leaves as a C2SP log with its checkpoint. Returns the checkpoint's text. */
export function writeLog(directory: string, leaves: readonly Buffer[], options: WriteOptions = {}): string {
  const signer = options.signer ?? sampleSigner();
  const size = options.size ?? leaves.length;
  const putTile = (tile: Tile): void =>
    put(directory, tilePath(tile.level, tile.index, tile.width), tile.bytes);
  const builder = new TileBuilder(putTile);
  for (const leaf of leaves.slice(0, size)) builder.append(hashLeaf(leaf));
  builder.partials().forEach(putTile);
  for (let from = 0; from < size; from += TILE_WIDTH) {
    const bundle = leaves.slice(from, Math.min(from + TILE_WIDTH, size));
    put(directory, entriesPath(from / TILE_WIDTH, bundle.length), encodeEntryBundle(bundle));
  }
  const extensions = options.signedAtUs === undefined ? [] : [timeExtension(options.signedAtUs)];
  const checkpoint = signCheckpoint({ origin: signer.name, size, root: builder.root(), extensions }, signer);
  put(directory, 'checkpoint', checkpoint);
  put(directory, 'log.vkey', `${formatVerifierKey(signer)}\n`);
  return checkpoint;
}

export const custodianKey = x25519PrivateKey(bytesFor('custodian key'));

/** Writes the payloads as a vault with one data key, `perBlock` entries in a block. */
export function writeVault(directory: string, writer: SampleWriter, perBlock = 4): void {
  const dataKey = bytesFor('data key');
  const keyId = bytesFor('data key id').subarray(0, 16);
  const blocks: Buffer[] = [];
  for (let from = 0; from < writer.payloads.length; from += perBlock) {
    const entries = writer.payloads.slice(from, from + perBlock);
    const firstJseq = entries[0]!.jseq;
    const plaintext = Buffer.alloc(
      entries.reduce((sum, e) => sum + vaultEntryBytes(e.field, e.bytes.length), 0),
    );
    let at = 0;
    for (const { jseq, ...entry } of entries) {
      at = writeVaultEntry(plaintext, at, { ...entry, relativeJseq: jseq - firstJseq, isSpool: false });
    }
    const nonce = bytesFor(`nonce ${from}`).subarray(0, 12);
    const header = { ...SCOPE, journal: writer.journal, keyId, firstJseq, count: entries.length, nonce };
    blocks.push(sealBlock(header, dataKey, plaintext));
  }
  put(directory, blockFilePath(SCOPE, 0), Buffer.concat(blocks));
  const ephemeral = x25519PrivateKey(bytesFor('ephemeral key'));
  put(
    directory,
    wrappedKeyPath(SCOPE, keyId, 'custodian'),
    wrapDataKey({ ...SCOPE, keyId }, dataKey, custodianKey, ephemeral),
  );
}
