import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';

import { CountersignError } from '../../errors.ts';
import type { OwnSession, TextRow } from '../upstream/own-session.ts';
import { CatalogBuilder } from './catalog-builder.ts';
import { catalogText, OPENING_TEXT, parseProbe, probeText } from './catalog-queries.ts';
import type { CatalogProbe } from './catalog-queries.ts';
import type { CatalogData } from './catalog.ts';

/** Oldest and newest major version whose catalogs are known. */
const MAJORS = { oldest: 13, newest: 18 } as const;

/** A catalog of 100,000 tables is near 200 MiB. */
const MAX_CATALOG_BYTES = 536_870_912;
const LOAD_OPTIONS = {
  timeoutMs: 120_000,
  maxBytes: MAX_CATALOG_BYTES,
  words: { kind: 'multi', effect: 'read' },
} as const;

/** A probe is a pass over the catalogs at most. */
const PROBE_OPTIONS = {
  timeoutMs: 30_000,
  maxBytes: 1_048_576,
  words: { kind: 'multi', effect: 'read' },
} as const;
const EXECUTE_WORDS = { kind: 'execute', effect: 'read' } as const;

export interface LoadedCatalog {
  readonly data: CatalogData;
  /** State of the catalogs at the moment of the snapshot: for `isCatalogUnchanged`. */
  readonly probe: CatalogProbe;
}

/** Makes a session fit for `loadCatalog` and `probeCatalog`: once, before anything else. Throws as they do. */
export async function openCatalogSession(session: OwnSession): Promise<void> {
  const { major } = session;
  if (!(major >= MAJORS.oldest && major <= MAJORS.newest)) {
    throw unavailable(
      `the target is PostgreSQL ${major}; ${MAJORS.oldest} to ${MAJORS.newest} can be analysed`,
    );
  }
  const { sqlState } = await session.run(OPENING_TEXT, PROBE_OPTIONS);
  if (sqlState !== undefined) throw unavailable(`SQLSTATE ${sqlState} from the target`);
}

/**
 * Reads the catalog of the session's database, all of it at one moment. The epoch is the digest of what the server answered: equal
 * for equal catalogs, whatever happened in between. One command on the record.
 * `openCatalogSession` comes first.
 *
 * Throws `CS_CATALOG_UNAVAILABLE`, what the record refuses, and `CS_TARGET_LOST`.
 */
export async function loadCatalog(session: OwnSession, target: string): Promise<LoadedCatalog> {
  const { text, queries } = catalogText(session.major);
  const builder = new CatalogBuilder();
  const digest = createHash('sha256');
  let probe: CatalogProbe | undefined;
  let failure: unknown;
  const outcome = await session.run(text, LOAD_OPTIONS, (statement, row) => {
    const query = queries.get(statement);
    if (query === undefined || failure !== undefined) return;
    if (query === 'probe') {
      probe = parseProbe(row[0], row[1] ?? '');
      return;
    }
    addToDigest(digest, query, row);
    try {
      builder.add(query, row);
    } catch (error) {
      failure = error;
    }
  });
  if (outcome.sqlState !== undefined) throw unavailable(`SQLSTATE ${outcome.sqlState} from the target`);
  if (failure !== undefined) throw unavailable('the catalog has something that is not understood', failure);
  if (probe === undefined || outcome.transactionStatus !== 'I')
    throw unavailable('the target gave no state of its catalogs');
  return { data: builder.finish(target, digest.digest('base64url')), probe };
}

/**
 * Whether the catalogs are as they were at `before`, and the state to ask about next time. Costs the target next to nothing
 * while nothing is committed at all, else a pass over its catalogs. Throws as `loadCatalog`.
 */
export async function probeCatalog(
  session: OwnSession,
  before: CatalogProbe,
): Promise<{ readonly changed: boolean; readonly probe: CatalogProbe }> {
  let row: TextRow | undefined;
  const options = { ...PROBE_OPTIONS, words: EXECUTE_WORDS };
  const outcome = await session.run(probeText(before), options, (_statement, values) => {
    row = values;
  });
  if (outcome.sqlState !== undefined) throw unavailable(`SQLSTATE ${outcome.sqlState} from the target`);
  const probe = parseProbe(row?.[0], row?.[1] ?? before.fingerprint);
  if (probe === undefined) throw unavailable('the target gave no state of its catalogs');
  return { changed: probe.fingerprint !== before.fingerprint, probe };
}

/** Lengths in front, so that no two answers have the same bytes. */
function addToDigest(digest: Hash, query: string, row: TextRow): void {
  let line = query;
  for (const value of row) line += value === null ? '|-' : `|${value.length}:${value}`;
  digest.update(line).update('\n');
}

function unavailable(detail: string, cause?: unknown): CountersignError {
  return new CountersignError('CS_CATALOG_UNAVAILABLE', { detail, cause });
}
