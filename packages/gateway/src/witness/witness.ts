/**
 * The decisions of a witness: `add-checkpoint` of C2SP tlog-witness (https://c2sp.org/tlog-witness), without HTTP. One
 * call is one synchronous step, so that no two requests can be compared with the same memory.
 */

import {
  cosign,
  cosignatureVerifierOf,
  EMPTY_ROOT,
  FormatError,
  formatNote,
  formatSignatureLines,
  formatTreeSize,
  parseAddCheckpoint,
  parseCheckpoint,
  TREE_SIZE_CONTENT_TYPE,
  verifyConsistency,
  verifySignature,
} from 'countersign-verify';
import type { AddCheckpoint, Checkpoint, Cosigner, NoteSignature, NoteVerifier } from 'countersign-verify';

import type { FileLayer } from '../record/journal/file-layer.ts';
import { EvidenceFiles, judgeSmaller } from './evidence.ts';
import type { EvidenceKind } from './evidence.ts';
import { RateLimit } from './rate-limit.ts';
import type { WitnessedLog } from './witness-config.ts';
import { cosignedAt, WitnessStore } from './witness-store.ts';
import type { Known } from './witness-store.ts';

/** The same checkpoint again within this time gets the cosignature that it has: repeating one costs no write. */
const REPEAT_SECONDS = 10;

/** What a request came to. */
export interface Decision {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422 | 429 | 503;
  readonly contentType: string;
  readonly body: string;
  /** For the witness's own log: a fixed word. */
  readonly reason: string;
  /** Of a known log only: what a stranger calls his log is not repeated. */
  readonly origin?: string;
  readonly size?: number;
  /** New evidence that was kept, by the name of its directory. */
  readonly evidence?: string;
  /** Why the state could not be written. */
  readonly cause?: unknown;
}

export interface WitnessParts {
  readonly layer: FileLayer;
  readonly stateDirectory: string;
  readonly cosigners: readonly [Cosigner, ...Cosigner[]];
  readonly logs: readonly WitnessedLog[];
  readonly checkpointsPerMinute: number;
  /** Seconds since the epoch. Default: the system's clock. */
  readonly now?: () => number;
}

const TEXT = 'text/plain; charset=utf-8';

/** A request as far as it was understood. */
interface Offer {
  readonly request: AddCheckpoint;
  readonly checkpoint: Checkpoint;
  readonly log: WitnessedLog;
  /** The log's signature lines that were verified. */
  readonly signatures: readonly NoteSignature[];
}

export class Witness {
  readonly store: WitnessStore;
  readonly evidence: EvidenceFiles;
  readonly #ownKeys: readonly NoteVerifier[];
  readonly #cosigners: readonly Cosigner[];
  readonly #rate: RateLimit;
  readonly #now: () => number;
  #logs: ReadonlyMap<string, WitnessedLog>;

  /** Reads the memory. Throws `CS_RECORD_CORRUPT`. */
  constructor(parts: WitnessParts) {
    this.#cosigners = parts.cosigners;
    this.#ownKeys = parts.cosigners.map(cosignatureVerifierOf);
    this.store = WitnessStore.open(parts.layer, parts.stateDirectory, this.#ownKeys);
    this.store.completeOrigins();
    this.evidence = new EvidenceFiles(parts.layer, parts.stateDirectory);
    this.#rate = new RateLimit(parts.checkpointsPerMinute);
    this.#now = parts.now ?? (() => Math.floor(Date.now() / 1000));
    this.#logs = byOrigin(parts.logs);
  }

  get logs(): Iterable<WitnessedLog> {
    return this.#logs.values();
  }

  /** Takes another list of logs; what was cosigned of others stays known. */
  setLogs(logs: readonly WitnessedLog[]): void {
    this.#logs = byOrigin(logs);
  }

  /** Decides a request that came to `path` (empty for the prefix itself). Never throws for what a request contains. */
  addCheckpoint(text: string, path = ''): Decision {
    const offer = this.#understand(text, path);
    if ('status' in offer) return offer;
    return this.#decide(offer);
  }

  #understand(text: string, path: string): Offer | Decision {
    let request: AddCheckpoint;
    let checkpoint: Checkpoint;
    try {
      request = parseAddCheckpoint(text);
      checkpoint = parseCheckpoint(request.checkpoint);
    } catch (error) {
      if (error instanceof FormatError) return refusal(400, 'malformed', error.message);
      throw error;
    }
    const log = this.#logs.get(checkpoint.origin);
    if (log === undefined || log.path !== path)
      return refusal(404, 'unknown-log', 'this log is not known here');
    const { origin, size } = checkpoint;
    const signatures = trustedSignatures(checkpoint, log.keys);
    if (signatures === undefined)
      return { ...refusal(403, 'signature', 'no valid signature of a known key of this log'), origin, size };
    if (request.oldSize > size)
      return { ...refusal(400, 'old-size', 'the old size is larger than the checkpoint'), origin, size };
    return { request, checkpoint, log, signatures };
  }

  #decide(offer: Offer): Decision {
    const { checkpoint, request } = offer;
    const { origin, size } = checkpoint;
    const known = this.store.get(origin);
    // Before the old size is looked at: contradictory signatures are evidence whatever else is wrong with the request.
    const evidence = known === undefined ? {} : this.#lookForEvidence(known, offer);
    const about = { origin, size, ...evidence };
    const knownSize = known?.checkpoint.size ?? 0;
    if (request.oldSize !== knownSize) {
      const body = formatTreeSize(knownSize);
      return { status: 409, contentType: TREE_SIZE_CONTENT_TYPE, body, reason: 'old-size', ...about };
    }
    const flaw = inconsistency(offer, known);
    if (flaw !== undefined) return { ...refusal(422, 'inconsistent', flaw), ...about };
    return this.#cosign(offer, known);
  }

  /** A disk that cannot keep evidence changes no answer: none of them cosigns. */
  #lookForEvidence(known: Known, offer: Offer): Pick<Decision, 'evidence' | 'cause'> {
    const kind = judge(known, offer);
    if (kind === undefined) return {};
    try {
      const name = this.evidence.keep(kind, known, offer.request, offer.checkpoint);
      return name === undefined ? {} : { evidence: name };
    } catch (cause) {
      return { cause };
    }
  }

  #cosign(offer: Offer, known: Known | undefined): Decision {
    const { checkpoint, signatures } = offer;
    const { origin, size } = checkpoint;
    const now = this.#now();
    if (known?.checkpoint.note.body === checkpoint.note.body) {
      const own = this.#cosignaturesOf(known.checkpoint);
      if (own.length === this.#cosigners.length && Math.abs(now - known.cosignedAt) < REPEAT_SECONDS)
        return answer(own, 'repeated', { origin, size });
    }
    if (!this.#rate.take(origin)) {
      return { ...refusal(429, 'rate', 'too many checkpoints of this log'), origin, size };
    }
    // "The largest tree as of this time" must not be said of a larger tree with an earlier time, whatever the clock does.
    const seconds = Math.max(now, known?.cosignedAt ?? 0, 1);
    const lines = this.#cosigners.map((cosigner) => cosign(checkpoint.note.body, cosigner, seconds));
    const note = { body: checkpoint.note.body, signatures: [...signatures, ...lines] };
    try {
      const text = formatNote(note);
      this.store.put({ text, checkpoint: { ...checkpoint, note }, cosignedAt: seconds });
    } catch (cause) {
      return { ...refusal(503, 'state', 'the witness cannot write its state'), origin, size, cause };
    }
    return answer(lines, seconds === now ? 'cosigned' : 'cosigned-clock-behind', { origin, size });
  }

  #cosignaturesOf(checkpoint: Checkpoint): NoteSignature[] {
    const { body, signatures } = checkpoint.note;
    return signatures.filter((line) => this.#ownKeys.some((key) => verifySignature(body, line, key)));
  }

  /** Seconds since the epoch of our newest cosignature in a note. */
  cosignedAt(checkpoint: Checkpoint): number | undefined {
    return cosignedAt(checkpoint, this.#ownKeys);
  }
}

function byOrigin(logs: readonly WitnessedLog[]): ReadonlyMap<string, WitnessedLog> {
  return new Map(logs.map((log) => [log.origin, log]));
}

function refusal(status: Decision['status'], reason: string, sentence: string): Decision {
  return { status, contentType: TEXT, body: `${sentence}\n`, reason };
}

function answer(
  lines: readonly NoteSignature[],
  reason: string,
  about: { readonly origin: string; readonly size: number },
): Decision {
  return { status: 200, contentType: TEXT, body: formatSignatureLines(lines), reason, ...about };
}

/**
 * The lines of known keys of the log; undefined when there is none, or when a line that names a known key does not verify:
 * such a note is malformed (signed-note). Lines of other keys are not looked at and not kept.
 */
function trustedSignatures(
  checkpoint: Checkpoint,
  keys: readonly NoteVerifier[],
): readonly NoteSignature[] | undefined {
  const { body, signatures } = checkpoint.note;
  const trusted: NoteSignature[] = [];
  for (const line of signatures) {
    const key = keys.find(({ keyId, name }) => line.name === name && line.keyId === keyId);
    if (key === undefined) continue;
    if (!verifySignature(body, line, key)) return undefined;
    trusted.push(line);
  }
  return trusted.length === 0 ? undefined : trusted;
}

/** What contradicts what is known, as far as both are signed by the log. */
function judge(known: Known, { checkpoint, request }: Offer): EvidenceKind | undefined {
  const before = known.checkpoint;
  if (checkpoint.size === before.size) return checkpoint.root.equals(before.root) ? undefined : 'fork';
  if (checkpoint.size < before.size) return judgeSmaller(before, checkpoint);
  if (request.oldSize !== before.size || before.size === 0) return undefined;
  const { root, size } = checkpoint;
  return verifyConsistency(before.size, size, request.proof, before.root, root) ? undefined : 'unproven';
}

/** Why the checkpoint does not continue the known tree; undefined when it does. */
function inconsistency({ checkpoint, request }: Offer, known: Known | undefined): string | undefined {
  const { root, size } = checkpoint;
  const { oldSize, proof } = request;
  if (size === 0 && !root.equals(EMPTY_ROOT)) return 'the root of an empty tree is wrong';
  if (oldSize === 0) return proof.length === 0 ? undefined : 'a proof from nothing must be empty';
  const oldRoot = known!.checkpoint.root;
  if (oldSize === size && !oldRoot.equals(root)) return 'another root was cosigned for this size';
  return verifyConsistency(oldSize, size, proof, oldRoot, root)
    ? undefined
    : 'the consistency proof does not hold';
}
