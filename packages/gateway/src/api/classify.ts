import { z } from 'zod';

/** Rows of each table that are looked at. */
export const DEFAULT_SAMPLE = 200;
export const MAX_SAMPLE = 1_000;

export const classifyRequestSchema = z.strictObject({
  target: z.string().min(1).max(63),
  /** Default: the target's. */
  database: z.string().min(1).max(63).optional(),
  /** Name of the login that reads. Default: the one that reads the catalog. */
  login: z.string().min(1).max(63).optional(),
  /** 0: no row is read, names and types have to do. */
  sample: z.int().min(0).max(MAX_SAMPLE).default(DEFAULT_SAMPLE),
});

export type ClassifyRequest = z.infer<typeof classifyRequestSchema>;

/** What a column probably is, and why. No value of the target, not even a part of one. */
export interface ProposedColumn {
  readonly schema: string;
  readonly relation: string;
  readonly column: string;
  /** Of the base type, as the server calls it. */
  readonly type: string;
  /** Absent: nothing speaks for any class. */
  readonly class?: string;
  /** What it is in force, by configuration, comment or label. */
  readonly current?: string;
  /** In fixed words. */
  readonly why: readonly string[];
  /** Values that were looked at, those that are null or empty left out. */
  readonly values: number;
}

export interface ClassificationProposal {
  readonly target: string;
  readonly database: string;
  /** Of the catalog. */
  readonly epoch: string;
  readonly sample: number;
  /** Tables and materialized views that were looked at. */
  readonly relations: number;
  /** Those alone that have a class, in force or proposed; in the order of names. */
  readonly columns: readonly ProposedColumn[];
  /** Whose values were not read, and why: an SQLSTATE or fixed words. */
  readonly unread: readonly { readonly schema: string; readonly relation: string; readonly reason: string }[];
  /** Only if the recogniser of the configuration was asked and did not answer: the detectors alone looked on. */
  readonly recogniser?: string;
}

/** Reads a sample of every table and says what its columns probably are. */
export interface ClassifyService {
  /** Throws `CS_REQUEST_INVALID`, `CS_CATALOG_UNAVAILABLE`, `CS_TARGET_*`, `CS_RECORD_*`. */
  propose(request: ClassifyRequest): Promise<ClassificationProposal>;
}
