/** Compares every commitment of a log with the opened contents of its vault, and with what the log says was erased. */

import { ContentClasses } from './content-classes.ts';
import { describeErasure, isErased, readErasures, type Erasure } from './erasures.ts';
import { FormatError } from './errors.ts';
import type { Findings } from './findings.ts';
import { commitmentsOf, type Leaf } from './leaf.ts';
import { SourceError, type LogSource } from './log-source.ts';
import { SealingPeriods } from './sealing-periods.ts';
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

/** An erasure, and what was found of it. */
interface Disposal {
  readonly erasure: Erasure;
  missing: number;
}

export class VaultChecks implements LeafVisitor {
  commitments = 0;
  /** Contents that are missing because they were erased. */
  erased = 0;
  readonly #reader: VaultReader;
  readonly #findings: Findings;
  #journals: Map<string, JournalBlocks> | undefined;
  #disposals: readonly Disposal[] = [];
  #periods = new SealingPeriods();
  #notBeforeUs = 0;
  readonly #classes = new ContentClasses();

  constructor(reader: VaultReader, findings: Findings) {
    this.#reader = reader;
    this.#findings = findings;
  }

  /** Reads what the log says was erased: those leaves come after the ones that they are about. */
  async begin(source: LogSource): Promise<void> {
    try {
      const { erasures, periods } = await readErasures(source);
      this.#disposals = erasures.map((erasure) => ({ erasure, missing: 0 }));
      this.#periods = periods;
    } catch (error) {
      // What is wrong with the log is for its own check to find.
      if (!(error instanceof SourceError || error instanceof FormatError)) throw error;
    }
  }

  async visit(index: number, leaf: Leaf): Promise<void> {
    const journal = (this.#journals ??= await this.#indexBlocks()).get(leaf.journal);
    if (journal !== undefined) await this.#advance(journal, leaf.jseq);
    const entries = journal?.entries.get(leaf.jseq) ?? [];
    journal?.entries.delete(leaf.jseq);
    const retentionClass = this.#classes.take(leaf);
    this.#notBeforeUs = Math.max(this.#notBeforeUs, leaf.at);
    const sealed = { periods: this.#periods, notBeforeUs: this.#notBeforeUs };
    for (const { field, digest } of commitmentsOf(leaf)) {
      this.commitments++;
      const found = entries.filter(({ entry }) => entry.field === field);
      const disposals = this.#disposals.filter(({ erasure }) =>
        isErased(erasure, { index, leaf, field, retentionClass, sealed }),
      );
      if (found.length === 0) this.#onMissing(index, field, disposals);
      else this.#onPresent(index, field, disposals, found);
      for (const { entry, scope } of found) {
        this.#compareClass(index, field, retentionClass, scope);
        await this.#compare(index, field, digest, entry, scope);
      }
    }
  }

  async finish(): Promise<void> {
    // Nothing is left to compare: entries of leaves that are not in the log were never referred to.
    this.#journals = undefined;
    for (const { erasure, missing } of this.#disposals) {
      const { contents, index, isExecuted, scope } = erasure;
      const end = isExecuted ? '' : ', and its end is not recorded';
      const message = `${missing} contents were erased: ${describeErasure(erasure)}${end}`;
      this.#findings.report('erased', 'DISPOSED', message, index);
      if (scope['kind'] !== 'period' || missing <= contents) continue;
      const excess = `${missing} contents are missing where an erasure states ${contents}`;
      this.#findings.report('erasure-excess', 'INCOMPLETE', excess, index);
    }
    return Promise.resolve();
  }

  /** What several erasures cover, the first of them made to go. */
  #onMissing(index: number, field: string, [disposal]: readonly Disposal[]): void {
    if (disposal === undefined) {
      this.#findings.report('payload-missing', 'INCOMPLETE', `the vault does not hold ${field}`, index);
      return;
    }
    disposal.missing++;
    this.erased++;
  }

  #onPresent(
    index: number,
    field: string,
    disposals: readonly Disposal[],
    found: readonly OpenEntry[],
  ): void {
    const isBroken = disposals.some(
      ({ erasure: { isExecuted, scope } }) =>
        isExecuted &&
        (scope['kind'] !== 'period' ||
          found.some(
            (open) => open.scope.retentionClass === scope['class'] && open.scope.period === scope['period'],
          )),
    );
    if (!isBroken) return;
    const message = `${field} is still in the vault although the record says that it was erased`;
    this.#findings.report('erased-present', 'INCOMPLETE', message, index);
  }

  /** What lies under another class is kept, and erased, by another rule than the record says. */
  #compareClass(index: number, field: string, stated: string | undefined, scope: VaultScope): void {
    if (stated === undefined || stated === scope.retentionClass) return;
    const message = `the content of ${field} is sealed under another retention class than the log states`;
    this.#findings.report('payload-class', 'ALTERED', message, index);
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
