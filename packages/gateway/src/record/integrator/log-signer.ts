/**
 * Signs checkpoints: with the log's key and, while one key takes another's place, with the one before as well. The leaf that says
 * so is proved under a checkpoint that both signed (`rotation/<n>`, see `key-chain.ts` of countersign-verify), so that whoever
 * pinned the old key can follow, and the old key can go.
 */

import { join } from 'node:path';
import {
  directorySource,
  formatProof,
  formatVerifierKey,
  inclusionProof,
  isCheckpointOf,
  parseCheckpoint,
  parseProof,
  rotationPath,
  signCheckpoint,
  verifierOf,
  type Checkpoint,
  type NoteSigner,
} from 'countersign-verify';
import { readWhole, replaceFile, type FileLayer } from '../journal/file-layer.ts';
import { parseSigningKey } from '../keys.ts';
import type { IntegratorOptions } from './integrator-protocol.ts';

interface Rotation {
  readonly index: number;
  readonly leaf: Buffer;
}

const ROTATED = Buffer.from('"type":"key.rotated"');

export class LogSigner {
  /** Verifier key, as text. */
  readonly key: string;
  readonly #signer: NoteSigner;
  readonly #previous: NoteSigner | undefined;
  readonly #layer: FileLayer;
  readonly #directory: string;
  /** Leaves that the next checkpoint covers first. */
  #rotations: Rotation[] = [];

  constructor(options: IntegratorOptions, layer: FileLayer) {
    const { logDirectory, origin, previousKey, signingKey } = options;
    this.#signer = parseSigningKey(signingKey, origin);
    this.#previous = previousKey === undefined ? undefined : parseSigningKey(previousKey, origin);
    this.#layer = layer;
    this.#directory = logDirectory;
    this.key = formatVerifierKey(this.#signer);
  }

  /** Whether this gateway may write on after a checkpoint. */
  accepts(checkpoint: Checkpoint): boolean {
    const signers = this.#previous === undefined ? [this.#signer] : [this.#signer, this.#previous];
    return signers.some((signer) => isCheckpointOf(checkpoint, verifierOf(signer)));
  }

  /** Forgets leaves that come again. */
  reset(): void {
    this.#rotations = [];
  }

  /** Sees every leaf that is appended; costs nothing while there is only one key. */
  watch(index: number, leaf: Buffer): void {
    if (this.#previous === undefined || !leaf.includes(ROTATED)) return;
    const { key, previous, purpose } = JSON.parse(leaf.toString('utf8')) as Readonly<Record<string, unknown>>;
    if (purpose !== 'log-signing' || key !== this.key || previous !== formatVerifierKey(this.#previous))
      return;
    this.#rotations.push({ index, leaf: Buffer.from(leaf) });
  }

  sign(body: Parameters<typeof signCheckpoint>[0]): string {
    if (this.#previous === undefined) return signCheckpoint(body, this.#signer);
    const { signatures } = parseCheckpoint(signCheckpoint(body, this.#previous)).note;
    return signCheckpoint(body, this.#signer, signatures);
  }

  /**
   * Writes the proofs that are due under a checkpoint whose tiles are in place. Before that checkpoint is published, so that no
   * log covers a change of key without its proof; a crash in between writes the same proof again.
   */
  async prove(checkpointText: string): Promise<void> {
    const { size } = parseCheckpoint(checkpointText);
    for (const { index, leaf } of this.#rotations) {
      const hashes = await inclusionProof(directorySource(this.#directory), index, size);
      const path = join(this.#directory, this.#pathFor(leaf));
      this.#layer.makeDirectory(join(path, '..'));
      replaceFile(this.#layer, path, Buffer.from(formatProof({ leaf, index, hashes, checkpointText })));
      this.#layer.syncDirectory(join(path, '..'));
    }
    this.#rotations = [];
  }

  /** The first free number, or the one that this very leaf has. */
  #pathFor(leaf: Buffer): string {
    for (let n = 0; ; n++) {
      const present = readWhole(this.#layer, join(this.#directory, rotationPath(n)));
      if (present === undefined || parseProof(present.toString('utf8')).leaf.equals(leaf)) {
        return rotationPath(n);
      }
    }
  }
}
