import type { CatalogLease } from '../catalog/catalog-lease.ts';
import { MeaningCache, type MeaningCacheOptions } from './meaning-cache.ts';
import { SessionNamesPool } from './names-pool.ts';
import { parseNames } from './read-back.ts';
import { type AnalysisMasking, SessionAnalysis } from './session-analysis.ts';
import { SessionNamesTracker } from './session-names.ts';
import { TextReader, type TextReaderOptions } from './text-reader.ts';

export interface AnalysisServiceOptions extends MeaningCacheOptions {
  readonly texts?: TextReaderOptions;
}

export interface AnalyzedSession {
  /** In whose name long texts are read. */
  readonly principal: string;
  readonly lease: CatalogLease;
  /** ParameterStatus values that the target reported at the start. */
  readonly parameters: ReadonlyMap<string, string>;
  /** What the target said of the names at the start, as `ASK_NAMES` gives it; absent: it was not asked. */
  readonly names?: string | undefined;
  /** What is regulated in the target. Absent: nothing is masked. */
  readonly masking?: AnalysisMasking | undefined;
}

/** What all sessions of the process share of the analysis: meanings of texts, and the thread that reads long ones. */
export class AnalysisService {
  readonly cache: MeaningCache;
  readonly texts: TextReader;
  readonly #pool = new SessionNamesPool();

  constructor(options: AnalysisServiceOptions = {}) {
    this.cache = new MeaningCache(options);
    this.texts = new TextReader(options.texts);
  }

  /** For one session; it gives the lease back when the session ends. */
  open({ principal, lease, masking, parameters, names }: AnalyzedSession): SessionAnalysis {
    const path = parameters.get('search_path');
    const tracker = new SessionNamesTracker({
      pool: this.#pool,
      reportsPath: path !== undefined,
      start: names === undefined ? undefined : parseNames(names),
    });
    if (path !== undefined) tracker.onReported(path);
    return new SessionAnalysis({
      lease,
      cache: this.cache,
      names: tracker,
      masking,
      readElsewhere: (text, basis) => this.texts.read(principal, text, basis),
    });
  }

  close(): Promise<void> {
    return this.texts.close();
  }
}
