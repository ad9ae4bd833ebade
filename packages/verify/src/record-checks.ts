/** Everything that is checked of the leaves themselves, in log order: schema, ids, genesis, journals, sessions, references. */

import { CompactSet } from './compact-set.ts';
import { CustodyChecks } from './custody-checks.ts';
import type { Findings } from './findings.ts';
import { HeartbeatChecks } from './heartbeat-checks.ts';
import { JournalChecks, type JournalState } from './journal-checks.ts';
import { checkLeaf, type Leaf } from './leaf.ts';
import { sha256 } from './merkle.ts';
import { SessionChecks } from './session-checks.ts';

interface Reference {
  readonly journal?: string;
  readonly jseq: number;
  readonly digest?: string;
}

/** What the log must say of itself in its first leaf. */
export interface ExpectedGenesis {
  readonly origin: string;
  /** The verifier key that the check uses; undefined leaves it unchecked. */
  readonly key?: string;
}

function contextKey(journal: string, jseq: number, digest: string): Buffer {
  return sha256(Buffer.from(`${journal}\n${jseq}\n${digest}`));
}

export class RecordChecks {
  readonly journals: JournalChecks;
  readonly sessions: SessionChecks;
  readonly custody: CustodyChecks;
  firstAtUs: number | undefined;
  lastAtUs: number | undefined;
  readonly #findings: Findings;
  readonly #heartbeats: HeartbeatChecks;
  readonly #genesis: ExpectedGenesis;
  readonly #ids = new CompactSet();
  readonly #contexts = new CompactSet();

  constructor(findings: Findings, genesis: ExpectedGenesis) {
    this.#findings = findings;
    this.#genesis = genesis;
    this.journals = new JournalChecks(findings);
    this.#heartbeats = new HeartbeatChecks(findings);
    this.sessions = new SessionChecks(findings, this.journals);
    this.custody = new CustodyChecks(findings, genesis.origin);
  }

  /** Checks the next leaf of the log. Gives it back when it is sound. */
  consume(index: number, bytes: Buffer): Leaf | undefined {
    const { leaf, isSound, problems } = checkLeaf(bytes);
    for (const problem of problems) this.#findings.report('leaf-schema', 'INCOMPLETE', problem, index);
    if (index === 0 || leaf?.type === 'log.genesis') this.#checkGenesis(index, leaf);
    if (leaf === undefined) return undefined;
    this.firstAtUs ??= leaf.at;
    this.lastAtUs = leaf.at;
    const journal = this.journals.consumeEnvelope(index, leaf);
    this.#heartbeats.consume(index, leaf, isSound, journal);
    if (!isSound) {
      this.sessions.consumeUnknown(index, leaf, bytes, journal);
      return undefined;
    }
    this.#checkId(index, leaf);
    this.journals.consume(index, leaf, journal);
    this.#checkReferences(index, leaf, journal);
    if (leaf.type === 'context') {
      this.#contexts.add(contextKey(leaf.journal, leaf.jseq, sha256(bytes).toString('base64url')));
    }
    if (leaf['seq'] !== undefined) this.sessions.consume(index, leaf, bytes, journal);
    else this.custody.consume(index, leaf);
    return leaf;
  }

  finish(): void {
    this.journals.finish();
    this.sessions.finish();
  }

  #checkGenesis(index: number, leaf: Leaf | undefined): void {
    if (index !== 0) {
      this.#findings.report('genesis', 'ALTERED', 'a log.genesis is not the first leaf', index);
    } else if (leaf?.type !== 'log.genesis') {
      this.#findings.report('genesis', 'INCOMPLETE', 'the log does not begin with log.genesis', index);
    } else if (leaf['origin'] !== this.#genesis.origin) {
      this.#findings.report('genesis', 'ALTERED', 'the first leaf names another origin', index);
    } else if (this.#genesis.key !== undefined && leaf['key'] !== this.#genesis.key) {
      this.#findings.report('genesis', 'ALTERED', 'the first leaf names another key', index);
    } else {
      this.#reportPredecessor(leaf);
    }
  }

  /** A log that took the place of another is not the whole record: it says so, and names what is lost. */
  #reportPredecessor(leaf: Leaf): void {
    const succeeds = leaf['succeeds'] as
      | { readonly origin?: unknown; readonly size?: unknown; readonly kept?: unknown }
      | undefined;
    if (succeeds === undefined) return;
    const { kept, origin, size } = succeeds;
    const lost = typeof size === 'number' && typeof kept === 'number' ? Math.max(0, size - kept) : 'unknown';
    this.#findings.report(
      'succeeds',
      'VERIFIED-WITH-GAPS',
      `this log succeeds ${String(origin)}, of which ${String(size)} leaves are known and ${lost} are lost; verify that log too`,
      0,
    );
  }

  #checkId(index: number, leaf: Leaf): void {
    const id = leaf['id'];
    if (typeof id !== 'string') return;
    if (!this.#ids.addUuid(id))
      this.#findings.report('id-repeated', 'ALTERED', 'the id of a leaf was used before', index);
  }

  #checkReferences(index: number, leaf: Leaf, own: JournalState): void {
    const context = leaf['context'] as Reference | undefined;
    if (context?.digest !== undefined) {
      const journal = context.journal ?? own.name;
      const isKnown = this.#contexts.has(contextKey(journal, context.jseq, context.digest));
      if (!isKnown) {
        const missing = { from: context.jseq, to: context.jseq, count: 1 };
        this.journals.accuseUnlessLost(this.journals.journal(journal), missing, {
          code: 'context',
          verdict: 'ALTERED',
          message: 'the context that a leaf cites is not before it',
          index,
        });
      }
    }
    const after = leaf['after'] as Reference | undefined;
    if (after === undefined) return;
    const cited = this.journals.journal(after.journal ?? own.name);
    const isBefore = cited === own ? after.jseq < leaf.jseq : after.jseq < cited.next;
    if (!isBefore)
      this.#findings.report('after', 'ALTERED', 'a leaf comes before one that it is after', index);
  }
}
