/** The keys of a record as its own leaves tell of them: nothing else says which are in force. */

import { iterateLeaves, readCheckpoint, type LogSource } from 'countersign-verify';

export type KeyState = 'active' | 'superseded' | 'destroyed' | 'revoked';

export interface KeyStory {
  readonly purpose: string;
  readonly key: string;
  readonly class?: string;
  readonly period?: string;
  readonly state: KeyState;
  /** Of a data key: fingerprint of the custodian who has an archived copy. */
  readonly archivedTo: readonly string[];
  /** µs since the epoch. */
  readonly sinceUs: number;
  /** Leaves that tell of it, by index. */
  readonly leaves: readonly number[];
  /** Of a revoked key. */
  readonly cause?: string;
}

interface Story {
  purpose: string;
  key: string;
  class?: string;
  period?: string;
  state: KeyState;
  archivedTo: string[];
  sinceUs: number;
  leaves: number[];
  cause?: string;
}

interface KeyLeaf {
  readonly type: string;
  readonly at: number;
  readonly purpose?: string;
  readonly key?: string;
  readonly previous?: string;
  readonly class?: string;
  readonly period?: string;
  readonly cause?: string;
  readonly custodian?: string;
  readonly scope?: { readonly kind?: string; readonly class?: string; readonly period?: string };
  readonly keys?: readonly string[];
}

const TOLD = ['"type":"key.', '"type":"erasure.started"', '"type":"log.genesis"'].map((text) =>
  Buffer.from(text),
);

/** Reads the leaves of a log that tell of keys. Verifies nothing. Throws `SourceError`, `FormatError`. */
export async function readKeyHistory(source: LogSource): Promise<KeyStory[]> {
  const { size } = await readCheckpoint(source);
  const history = new KeyHistory();
  for await (const { bytes, index } of iterateLeaves(source, { size })) {
    if (TOLD.some((text) => bytes.includes(text)))
      history.take(index, JSON.parse(bytes.toString('utf8')) as KeyLeaf);
  }
  return history.stories;
}

export class KeyHistory {
  readonly #stories = new Map<string, Story>();

  get stories(): KeyStory[] {
    return [...this.#stories.values()];
  }

  take(index: number, leaf: KeyLeaf): void {
    switch (leaf.type) {
      case 'log.genesis':
        // Older logs announce only these two.
        this.#begin(index, leaf, { purpose: 'log-signing', key: leaf.key! });
        this.#begin(index, leaf, { purpose: 'vault-custodian', key: leaf.custodian! });
        break;
      case 'key.created':
        this.#begin(index, leaf, { purpose: leaf.purpose!, key: leaf.key! });
        break;
      case 'key.rotated':
        if (leaf.purpose === 'vault-data') this.#rewrap(index, leaf);
        else this.#rotate(index, leaf);
        break;
      case 'key.revoked':
        this.#tell(index, leaf, leaf.key!, (story) => {
          story.state = 'revoked';
          if (leaf.cause !== undefined) story.cause = leaf.cause;
        });
        break;
      case 'key.archived':
        this.#dataKeys(index, leaf.class, leaf.period, (story) => {
          if (!story.archivedTo.includes(leaf.key!)) story.archivedTo.push(leaf.key!);
        });
        break;
      case 'erasure.started':
        if (leaf.scope?.kind === 'period')
          this.#dataKeys(index, leaf.scope.class, leaf.scope.period, (story) => {
            story.state = 'destroyed';
          });
        for (const key of leaf.keys ?? []) {
          const story = this.#stories.get(`vault-data ${key}`);
          if (story !== undefined) story.state = 'destroyed';
        }
        break;
      default:
        break;
    }
  }

  #begin(index: number, leaf: KeyLeaf, { key, purpose }: { purpose: string; key: string }): Story {
    const id = `${purpose} ${key}`;
    let story = this.#stories.get(id);
    if (story === undefined) {
      story = { purpose, key, state: 'active', archivedTo: [], sinceUs: leaf.at, leaves: [] };
      if (leaf.class !== undefined) story.class = leaf.class;
      if (leaf.period !== undefined) story.period = leaf.period;
      this.#stories.set(id, story);
    }
    story.leaves.push(index);
    return story;
  }

  /** The gateway destroys its vault key of a month that is over, and its identity key; others are only not used any more. */
  #rotate(index: number, leaf: KeyLeaf): void {
    const isDestroyed = leaf.purpose === 'vault-gateway' || leaf.purpose === 'identity';
    this.#tell(index, leaf, leaf.previous!, (story) => {
      if (story.state === 'active') story.state = isDestroyed ? 'destroyed' : 'superseded';
    });
    this.#begin(index, leaf, { purpose: leaf.purpose!, key: leaf.key! }).state = 'active';
  }

  #rewrap(index: number, leaf: KeyLeaf): void {
    this.#dataKeys(index, leaf.class, leaf.period, () => undefined);
  }

  #tell(index: number, leaf: KeyLeaf, key: string, change: (story: Story) => void): void {
    const story = this.#stories.get(`${leaf.purpose!} ${key}`);
    if (story === undefined) return;
    story.leaves.push(index);
    change(story);
  }

  #dataKeys(
    index: number,
    retentionClass: string | undefined,
    period: string | undefined,
    change: (story: Story) => void,
  ): void {
    for (const story of this.#stories.values()) {
      const isMeant = story.class === retentionClass && story.period === period;
      if (story.purpose !== 'vault-data' || !isMeant || story.state === 'destroyed') continue;
      story.leaves.push(index);
      change(story);
    }
  }
}
