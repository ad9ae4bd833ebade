import { CountersignError, isCountersignError } from '../../errors.ts';
import type { Classification, MaskingRules } from '../../masking/rules.ts';
import { CatalogOverlay, type MovedObject } from '../catalog/catalog-overlay.ts';
import type { CatalogLease } from '../catalog/catalog-lease.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { definitionUseOf, type Accesses, type EnteredUse } from '../catalog/definition-uses.ts';
import type { ClassificationData } from '../classify/classification.ts';
import type { Meaning, SessionNames } from '../inspect/meaning.ts';
import type { Masking } from '../lineage/lineage-of.ts';
import type { TransactionStatus } from '../wire/backend/ready-for-query.ts';
import { readCall, readType } from './call-reading.ts';
import type { MeaningCache } from './meaning-cache.ts';
import { readStatement } from './read-statement.ts';
import type { StatementReading } from './reading.ts';
import type { MaskingBasis } from './text-worker.ts';
import type { Missing, MoveOutcome, NameMove, NamesReading, SessionNamesTracker } from './session-names.ts';

/** What is regulated in a target, as it is now: asked at each use, because a reload changes it. */
export interface AnalysisMasking {
  readonly rules: MaskingRules;
  classification(catalog: Catalog): Classification;
  classificationData(catalog: Catalog): ClassificationData;
}

/** A text that is read on another thread. */
export interface PendingReading {
  /** Never rejects: a text that cannot be read is unreadable. */
  readonly reading: Promise<StatementReading>;
  /** Nobody wants it any more: `reading` resolves as unreadable. */
  cancel(): void;
}

/** What another thread needs to read a text. */
export interface ReadingBasis {
  /** A snapshot of its own, or one with an overlay: `moved` over `base`. */
  readonly base: Catalog;
  readonly moved: readonly MovedObject[];
  readonly names: SessionNames;
  /** Absent: nothing is classified. */
  readonly masking?: MaskingBasis | undefined;
}

/** Reads a text elsewhere. It must not change until the reading is settled. */
export type ReadElsewhere = (text: Uint8Array, basis: ReadingBasis) => PendingReading;

export interface SessionAnalysisOptions {
  readonly lease: CatalogLease;
  readonly cache: MeaningCache;
  readonly names: SessionNamesTracker;
  /** Where long texts are read. Absent: here. */
  readonly readElsewhere?: ReadElsewhere | undefined;
  /** Absent: nothing is masked. */
  readonly masking?: AnalysisMasking | undefined;
}

/** What was found of a text, and in which catalog. */
export interface Judged {
  readonly kind: 'judged';
  readonly reading: StatementReading;
  /** Epoch of the snapshot, for the record. */
  readonly recorded: string;
  /** To be given back when the same text is judged again. */
  readonly kept: KeptReading;
}

/** What a prepared statement was last judged by, so that its text need not be looked up. */
export interface KeptReading {
  readonly epoch: string;
  readonly names: SessionNames;
  /** Of the classification. */
  readonly digest: string | undefined;
  readonly reading: StatementReading;
}

/**
 * Why a text cannot be judged yet. `answers`: commands under way may move its names. `names`: they have to be read back. `elsewhere`: the catalog is being
 * asked for, or another thread reads the text; `onResume` follows.
 */
export type Wait =
  | { readonly kind: 'answers' }
  | { readonly kind: 'names'; readonly missing: NonNullable<Missing> }
  | { readonly kind: 'elsewhere' };

export interface Failed {
  readonly kind: 'failed';
  readonly error: CountersignError;
}

/**
 * Texts up to this length are read where they are met. Handing a longer one to another thread costs about 0.1 ms.
 */
export const SHORT_TEXT_BYTES = 16_384;

/** How long a command waits for the catalog before it is refused. */
const CATALOG_DEADLINE_MS = 30_000;

/** How long a command waits for the ones of other sessions that it must not run beside, before it is refused. */
const USES_DEADLINE_MS = 10_000;

/** Unknown names make the session ask for the catalog no more often: a caller cannot make the gateway load it in a loop. */
const REFRESH_PAUSE_MS = 1_000;

/** A long text whose names move while it is read is read again, but not for ever. */
const MAX_READINGS = 4;

const ANSWERS: Wait = { kind: 'answers' };
const ELSEWHERE: Wait = { kind: 'elsewhere' };

/** Makes the epochs of overlays unlike any other. */
let overlays = 0;

/**
 * Judges the texts of one session: what each means now, on the catalog in force and the session's names (decision 3). A message whose text cannot be judged
 * yet is held by its relay and comes again; what was already done for it (names read back, catalog refreshed) is remembered until `settle`.
 *
 * Data thread; one message at a time.
 */
export class SessionAnalysis {
  readonly names: SessionNamesTracker;
  /** Called when a wait `elsewhere` is over. */
  onResume: () => void = () => {};
  readonly #lease: CatalogLease;
  readonly #cache: MeaningCache;
  readonly #readElsewhere: ReadElsewhere | undefined;
  readonly #masking: AnalysisMasking | undefined;
  /** What was done for the message that waits. */
  #hasReadBack = false;
  #hasRefreshed = false;
  #hasWaitedForUses = false;
  #failure: CountersignError | undefined;
  #readings = 0;
  #elsewhere:
    | {
        readonly text: Buffer;
        readonly epoch: string;
        readonly names: SessionNames;
        readonly digest: string | undefined;
        readonly reading: StatementReading;
      }
    | undefined;
  #pendingReading: PendingReading | undefined;
  #isWaiting = false;
  #isClosed = false;
  #refreshedAtMs = Number.NEGATIVE_INFINITY;
  /** DDL that the snapshot does not show: of the open transaction, or under way. */
  #moved: MovedObject[] = [];
  #ddlUnderWay = 0;
  #hasMoved = false;
  #overlay: { readonly base: Catalog; readonly count: number; readonly catalog: Catalog } | undefined;
  /** What this session has under way, and the changes of its open transaction. */
  readonly #uses = new Set<EnteredUse>();

  constructor(options: SessionAnalysisOptions) {
    this.#lease = options.lease;
    this.#cache = options.cache;
    this.names = options.names;
    this.#readElsewhere = options.readElsewhere;
    this.#masking = options.masking;
  }

  /** A wait `elsewhere` is not over. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** The catalog in force with what this session has moved over it. Undefined: none is in force. */
  get catalog(): Catalog | undefined {
    const base = this.#lease.current;
    if (base === undefined || this.#moved.length === 0) return base;
    const overlay = this.#overlay;
    if (overlay !== undefined && overlay.base === base && overlay.count === this.#moved.length)
      return overlay.catalog;
    overlays += 1;
    const catalog = new CatalogOverlay(base, this.#moved, `${base.epoch}+${overlays}`);
    this.#overlay = { base, count: this.#moved.length, catalog };
    return catalog;
  }

  /**
   * What a text means now.
   * @param text must not change while it waits. @param status of the target's transaction, as last reported. @param mayWait false: what cannot be told at once
   * is told as unknown. @param kept of the same text, when it was judged before.
   */
  judge(text: Buffer, status: TransactionStatus, mayWait = true, kept?: KeptReading): Judged | Wait | Failed {
    const catalog = this.catalog;
    if (catalog === undefined) return mayWait ? this.#awaitCatalog(() => this.#lease.get()) : unavailable();
    const names = mayWait ? this.names.names(catalog) : this.#surely(catalog);
    const masking = this.#maskingOf(catalog);
    const digest = masking?.classification.digest;
    const holds = kept !== undefined && kept.digest === digest && stillHolds(kept, catalog, names);
    const reading = holds ? kept.reading : this.#read(text, catalog, names, masking, mayWait);
    if (reading === undefined) return this.#failure === undefined ? ELSEWHERE : failed(this.#failure);
    if (!mayWait) return judged(reading, catalog, names, digest);
    const found =
      this.#checkNames(reading, catalog, status) ?? this.#checkUnknown(reading, catalog, names, digest);
    return masking === undefined || found.kind !== 'judged' ? found : this.#checkUses(found);
  }

  /** What is regulated must not come under a name that was judged when it meant something else: see `DefinitionUses`. */
  #checkUses(found: Judged): Judged | Wait {
    const use = definitionUseOf(found.reading.meaning);
    if (this.#hasWaitedForUses || !this.#lease.uses.conflicts(this, use)) return found;
    this.#hasWaitedForUses = true;
    void this.#await(() => this.#lease.uses.whenFree(this, use, USES_DEADLINE_MS));
    return ELSEWHERE;
  }

  /**
   * A command that was judged is under way until it leaves; what it changes, until its transaction ends. Undefined: nothing is regulated, or nothing of it depends
   * on definitions.
   * @throws CountersignError CS_CATALOG_MOVED: another session changes what its names mean, or uses what it would change
   */
  enter(accesses: Accesses): EnteredUse | undefined {
    const catalog = this.#lease.current;
    if (this.#masking === undefined) return undefined;
    if (catalog !== undefined && this.#maskingOf(catalog) === undefined) return undefined;
    const use = definitionUseOf(accesses);
    if (use.names !== '*' && use.names.size === 0) return undefined;
    const { uses } = this.#lease;
    if (uses.conflicts(this, use)) {
      throw new CountersignError('CS_CATALOG_MOVED', { detail: 'Another session changes or uses it now.' });
    }
    const end = uses.enter(this, use);
    const entered: EnteredUse = {
      isChange: use.isChange,
      leave: () => {
        this.#uses.delete(entered);
        end();
      },
    };
    this.#uses.add(entered);
    return entered;
  }

  /** Undefined: nothing is classified there. */
  #maskingOf(catalog: Catalog): Masking | undefined {
    const masking = this.#masking;
    if (masking === undefined) return undefined;
    const classification = masking.classification(catalog);
    return classification.isEmpty ? undefined : { rules: masking.rules, classification };
  }

  /** What calling a routine by its OID means. */
  judgeCall(oid: number): Judged | Wait | Failed {
    const catalog = this.catalog;
    if (catalog === undefined) return this.#awaitCatalog(() => this.#lease.get());
    const isMasked = this.#maskingOf(catalog) !== undefined;
    return this.#checkUnknown(readCall(oid, catalog, isMasked), catalog, this.names.unknownNames());
  }

  /** What a value of a type runs when it comes in, the type given by its OID: the parameter types of a Parse. */
  judgeType(oid: number, mayWait: boolean): Judged | Wait | Failed {
    const catalog = this.catalog;
    if (catalog === undefined) return mayWait ? this.#awaitCatalog(() => this.#lease.get()) : unavailable();
    const names = this.names.unknownNames();
    const reading = readType(oid, catalog, names);
    return mayWait ? this.#checkUnknown(reading, catalog, names) : judged(reading, catalog, names);
  }

  /** The names were read back, or could not be; the message that waits comes again and is judged by what is known then. */
  noteReadBack(): void {
    this.#hasReadBack = true;
  }

  /** What the target says of the names of the session. */
  noteNames(names: NamesReading, status: TransactionStatus): void {
    this.names.onReadBack(names, status, this.#lease.current?.epoch);
  }

  /** The message that was judged is taken. */
  settle(): void {
    this.#hasReadBack = false;
    this.#hasRefreshed = false;
    this.#hasWaitedForUses = false;
    this.#failure = undefined;
    this.#readings = 0;
    this.#elsewhere = undefined;
  }

  /**
   * A command was queued for the target. What it may change of names or of the catalog is open until it is settled. Undefined: it changes nothing,
   * whatever comes of it.
   */
  expect(meaning: Meaning): NameMove | undefined {
    const move = this.names.expect(meaning);
    if (!isDdl(meaning)) return move;
    this.#noteDdl(meaning);
    return {
      settle: (outcome: MoveOutcome) => {
        move?.settle(outcome);
        this.#ddlUnderWay -= 1;
      },
    };
  }

  #noteDdl({ demands }: Meaning): void {
    this.#ddlUnderWay += 1;
    this.#hasMoved = true;
    for (const access of demands) {
      if (access.kind !== 'schema') continue;
      const { schema, name } = access;
      this.#moved.push(name === undefined ? { schema } : { schema, name });
    }
  }

  /** The target is between two commands. After DDL was committed nobody's snapshot counts until the target was asked. */
  onReady(status: TransactionStatus): void {
    this.names.onReady(status);
    if (status !== 'I' || this.#ddlUnderWay > 0) return;
    if (this.#hasMoved) {
      this.#hasMoved = false;
      this.#moved = [];
      this.#overlay = undefined;
      this.#lease.invalidate();
    }
    for (const use of this.#uses) if (use.isChange) use.leave();
  }

  /** The session has ended. */
  close(): void {
    this.#isClosed = true;
    this.#pendingReading?.cancel();
    // What it changed and did not tell the end of may have been committed.
    if (this.#hasMoved) this.#lease.invalidate();
    for (const use of this.#uses) use.leave();
    this.#lease.release();
  }

  /** Names that nothing under way can move; where that is not sure, unknown ones. */
  #surely(catalog: Catalog): SessionNames {
    return this.names.isSettled ? this.names.names(catalog) : this.names.unknownNames();
  }

  #checkNames(
    reading: StatementReading,
    catalog: Catalog,
    status: TransactionStatus,
  ): Wait | Failed | undefined {
    const { meaning } = reading;
    if (!dependsOnNames(meaning)) return undefined;
    if (!this.names.isSettled) return ANSWERS;
    // What stands behind the end of a transaction that moved names is looked up by other names than these.
    if (this.names.isTouched && meaning.statements > 1 && endsTransaction(meaning)) {
      return failed(unreadable('unknown-search-path'));
    }
    if (this.#hasReadBack || status === 'E') return undefined;
    const base = this.#lease.current?.epoch ?? catalog.epoch;
    const missing = this.names.missing(base, status === 'I');
    return missing === undefined ? undefined : { kind: 'names', missing };
  }

  /** Names that the catalog does not have may be newer than it: it is asked for once more. */
  #checkUnknown(
    reading: StatementReading,
    catalog: Catalog,
    names: SessionNames,
    digest?: string,
  ): Judged | Wait | Failed {
    const found = judged(reading, catalog, names, digest);
    if (reading.meaning.unknownNames.length === 0 || this.#hasRefreshed) return found;
    const nowMs = performance.now();
    if (nowMs - this.#refreshedAtMs < REFRESH_PAUSE_MS) return found;
    this.#hasRefreshed = true;
    this.#refreshedAtMs = nowMs;
    return this.#awaitCatalog(() => this.#lease.refresh());
  }

  /** Undefined: it is read elsewhere, or could not be (`#failure`). */
  #read(
    text: Buffer,
    catalog: Catalog,
    names: SessionNames,
    masking: Masking | undefined,
    mayWait: boolean,
  ): StatementReading | undefined {
    const digest = masking?.classification.digest;
    const known = this.#cache.find(text, names, catalog.epoch, digest);
    if (known !== undefined) return known;
    const readElsewhere = this.#readElsewhere;
    if (text.length > SHORT_TEXT_BYTES && readElsewhere !== undefined) {
      const read = this.#elsewhere;
      const isCurrent =
        read !== undefined &&
        isSameText(read.text, text) &&
        read.epoch === catalog.epoch &&
        read.names === names &&
        read.digest === digest;
      if (isCurrent) return read.reading;
      if (mayWait) this.#readLong(text, catalog, names, digest, readElsewhere);
      else this.#failure = new CountersignError('CS_CATALOG_MOVED');
      return undefined;
    }
    const reading = readStatement(text, catalog, names, masking);
    this.#cache.add(text, names, catalog.epoch, reading, digest);
    return reading;
  }

  #readLong(
    text: Buffer,
    catalog: Catalog,
    names: SessionNames,
    digest: string | undefined,
    readElsewhere: ReadElsewhere,
  ): void {
    if (this.#isWaiting) return;
    this.#readings += 1;
    if (this.#readings > MAX_READINGS) {
      this.#failure = new CountersignError('CS_CATALOG_MOVED');
      return;
    }
    const base = this.#lease.current ?? catalog;
    const masking = digest === undefined ? undefined : this.#basisOf(catalog);
    const pending = readElsewhere(text, { base, moved: [...this.#moved], names, masking });
    this.#pendingReading = pending;
    void this.#await(async () => {
      const reading = await pending.reading;
      this.#pendingReading = undefined;
      this.#elsewhere = { text, epoch: catalog.epoch, names, digest, reading };
      if (reading.meaning.unreadable?.reason !== 'deadline') {
        this.#cache.add(text, names, catalog.epoch, reading, digest);
      }
    });
  }

  #basisOf(catalog: Catalog): MaskingBasis | undefined {
    const masking = this.#masking;
    return masking === undefined
      ? undefined
      : { rules: masking.rules, data: masking.classificationData(catalog) };
  }

  #awaitCatalog(ask: () => Promise<Catalog>): Wait | Failed {
    if (this.#failure !== undefined) return failed(this.#failure);
    if (!this.#isWaiting) void this.#await(() => inTime(ask()));
    return ELSEWHERE;
  }

  async #await(step: () => Promise<unknown>): Promise<void> {
    this.#isWaiting = true;
    try {
      await step();
    } catch (cause) {
      this.#failure = isCountersignError(cause)
        ? cause
        : new CountersignError('CS_CATALOG_UNAVAILABLE', { cause });
    }
    this.#isWaiting = false;
    if (!this.#isClosed) this.onResume();
  }
}

/** Whether both are the same bytes in the same place. */
function isSameText(one: Buffer, other: Buffer): boolean {
  return one.buffer === other.buffer && one.byteOffset === other.byteOffset && one.length === other.length;
}

/** Whether the meaning is that of the session's names: of those that were looked up, or could not be for want of them. */
function dependsOnNames(meaning: Meaning): boolean {
  return meaning.usesSearchPath || meaning.unreadable?.reason === 'unknown-search-path';
}

function endsTransaction(meaning: Meaning): boolean {
  return meaning.changes.some(
    (change) =>
      change.kind === 'transaction' &&
      (change.verb === 'commit' || change.verb === 'rollback' || change.verb === 'rollback-to'),
  );
}

/** Whether the catalog is another one after it. Own code that runs DDL is not seen: the poll of the catalog is the window for that. */
function isDdl(meaning: Meaning): boolean {
  return (
    meaning.effect === 'admin' ||
    meaning.demands.some(
      (access) =>
        access.kind === 'schema' ||
        (access.kind === 'special' && (access.verb === 'admin' || access.verb === 'create-function')),
    )
  );
}

export function unreadable(reason: NonNullable<Meaning['unreadable']>['reason']): CountersignError {
  return new CountersignError('CS_STATEMENT_UNREADABLE', { detail: reason, ruleIds: [reason] });
}

/** What is in an open transaction is in no snapshot: the record names the one under it. */
function judged(reading: StatementReading, catalog: Catalog, names: SessionNames, digest?: string): Judged {
  return {
    kind: 'judged',
    reading,
    recorded: catalog.data.epoch,
    kept: { epoch: catalog.epoch, names, digest, reading },
  };
}

function stillHolds({ epoch, names, reading }: KeptReading, catalog: Catalog, now: SessionNames): boolean {
  const { meaning } = reading;
  return (epoch === catalog.epoch || !meaning.usesCatalog) && (names === now || !dependsOnNames(meaning));
}

function failed(error: CountersignError): Failed {
  return { kind: 'failed', error };
}

function unavailable(): Failed {
  return failed(new CountersignError('CS_CATALOG_UNAVAILABLE'));
}

/** The catalog may take long to load, but nobody waits for ever. */
async function inTime(catalog: Promise<Catalog>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new CountersignError('CS_CATALOG_UNAVAILABLE', { detail: 'not loaded in time' })),
    CATALOG_DEADLINE_MS,
  );
  try {
    await Promise.race([catalog, promise]);
  } finally {
    clearTimeout(timer);
  }
}
