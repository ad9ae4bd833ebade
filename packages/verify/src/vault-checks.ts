/** Compares every commitment of a log with the opened contents of its vault. */

import { FormatError } from './errors.ts';
import type { Findings } from './findings.ts';
import { commitmentsOf, type Leaf } from './leaf.ts';
import { SourceError } from './log-source.ts';
import type { VaultEntry, VaultScope } from './vault-format.ts';
import type { BlockPlace, VaultReader } from './vault-reader.ts';
import type { LeafVisitor } from './verify-log.ts';

interface Block {
  readonly firstJseq: number;
  readonly scope: VaultScope;
  readonly place: BlockPlace;
}

interface OpenEntry {
  readonly entry: VaultEntry;
  readonly scope: VaultScope;
}

/** The blocks of one journal, read as its leaves go by. */
interface JournalBlocks {
  readonly blocks: Block[];
  next: number;
  readonly entries: Map<number, OpenEntry[]>;
}

export class VaultChecks implements LeafVisitor {
  commitments = 0;
  readonly #reader: VaultReader;
  readonly #findings: Findings;
  #journals: Map<string, JournalBlocks> | undefined;

  constructor(reader: VaultReader, findings: Findings) {
    this.#reader = reader;
    this.#findings = findings;
  }

  async visit(index: number, leaf: Leaf): Promise<void> {
    const journal = (this.#journals ??= await this.#indexBlocks()).get(leaf.journal);
    if (journal !== undefined) await this.#advance(journal, leaf.jseq);
    const entries = journal?.entries.get(leaf.jseq) ?? [];
    journal?.entries.delete(leaf.jseq);
    for (const { field, digest } of commitmentsOf(leaf)) {
      this.commitments++;
      const found = entries.filter(({ entry }) => entry.field === field);
      if (found.length === 0) {
        this.#findings.report('payload-missing', 'INCOMPLETE', `the vault does not hold ${field}`, index);
      }
      for (const { entry, scope } of found) await this.#compare(index, field, digest, entry, scope);
    }
  }

  async finish(): Promise<void> {
    // Nothing is left to compare: entries of leaves that are not in the log were never referred to.
    this.#journals = undefined;
    return Promise.resolve();
  }

  async #compare(
    index: number,
    field: string,
    digest: string,
    entry: VaultEntry,
    scope: VaultScope,
  ): Promise<void> {
    await this.#guard(index, async () => {
      if ((await this.#reader.commitmentOf(entry, scope)) === digest) return;
      this.#findings.report(
        'payload-mismatch',
        'ALTERED',
        `the content of ${field} is not what was committed to`,
        index,
      );
    });
  }

  async #advance(journal: JournalBlocks, jseq: number): Promise<void> {
    for (; (journal.blocks[journal.next]?.firstJseq ?? Infinity) <= jseq; journal.next++) {
      const { place, scope } = journal.blocks[journal.next]!;
      await this.#guard(undefined, async () => {
        for (const entry of await this.#reader.readBlock(place)) {
          if (entry.jseq < jseq) continue;
          const others = journal.entries.get(entry.jseq);
          if (others === undefined) journal.entries.set(entry.jseq, [{ entry, scope }]);
          else others.push({ entry, scope });
        }
      });
    }
  }

  async #indexBlocks(): Promise<Map<string, JournalBlocks>> {
    const journals = new Map<string, JournalBlocks>();
    await this.#guard(undefined, async () => {
      for await (const { header, place } of this.#reader.blocks()) {
        let journal = journals.get(header.journal);
        if (journal === undefined)
          journals.set(header.journal, (journal = { blocks: [], next: 0, entries: new Map() }));
        const scope = { retentionClass: header.retentionClass, period: header.period };
        journal.blocks.push({ firstJseq: header.firstJseq, scope, place });
      }
    });
    for (const { blocks } of journals.values()) blocks.sort((a, b) => a.firstJseq - b.firstJseq);
    return journals;
  }

  async #guard(index: number | undefined, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof SourceError) {
        this.#findings.report('vault-unreadable', 'CANNOT-VERIFY', error.message, index);
      } else if (error instanceof FormatError) {
        this.#findings.report('vault-malformed', 'ALTERED', error.message, index);
      } else {
        throw error;
      }
    }
  }
}
