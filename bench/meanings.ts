/**
 * What it costs to know what a statement would do: looked up, read at first sight, and the memory that distinct statements take. On the catalog of
 * a real server; nothing is recorded.
 */

import { MeaningCache } from '../packages/gateway/src/postgres/analysis/meaning-cache.ts';
import { readStatement } from '../packages/gateway/src/postgres/analysis/read-statement.ts';
import type { StatementReading } from '../packages/gateway/src/postgres/analysis/reading.ts';
import type { SessionNames } from '../packages/gateway/src/postgres/inspect/meaning.ts';
import { initParser } from '../packages/gateway/src/postgres/inspect/parse/parse-statement.ts';
import type { Authorization } from '../packages/gateway/src/session/authorizer.ts';
import { catalogWith } from '../test/support/catalog.ts';

const SCHEMA = `create schema bank;
create table bank.accounts (id int primary key, customer_id int, status text, balance numeric, opened_at timestamptz);
create table bank.customers (id int primary key, name text, segment text);`;

const NAMES: SessionNames = { searchPath: ['bank'], temporary: new Set() };

/** 200 bytes, no two alike. */
function statement(index: number): Buffer {
  return Buffer.from(
    `select a.id, a.status, a.balance, c.segment from bank.accounts a join bank.customers c on c.id = a.customer_id where a.status = 'open' and a.balance > 100.00 and a.id <> ${index} order by a.id limit 25`.padEnd(
      200,
    ),
  );
}

export interface MeaningFigures {
  /** Bytes of the statement that is measured. */
  readonly statementBytes: number;
  /** Looked up by its bytes, and the remembered decision: what a known statement costs. Mean of rounds, µs. */
  readonly knownUs: number;
  /** Parsed, analysed, settings looked for: what a new statement costs before it is decided. µs. */
  readonly firstSightUs: { readonly median: number; readonly p99: number };
  /** After that many distinct statements. */
  readonly distinct: {
    readonly statements: number;
    readonly kept: number;
    readonly cacheBytes: number;
    readonly rssBefore: number;
    readonly rssAfter: number;
  };
}

export async function measureMeanings(
  authorization: Authorization,
  distinct: number,
): Promise<MeaningFigures> {
  const catalog = await catalogWith(SCHEMA);
  await initParser();
  const cache = new MeaningCache();
  const read = (text: Buffer): StatementReading => {
    const known = cache.find(text, NAMES, catalog.epoch);
    if (known !== undefined) return known;
    const reading = readStatement(text, catalog, NAMES);
    cache.add(text, NAMES, catalog.epoch, reading);
    return reading;
  };
  const texts = Array.from({ length: 512 }, (_, index) => statement(index));
  for (const text of texts) {
    if (authorization.decide(read(text).meaning.demands).decision.effect !== 'permit')
      throw new Error('the benchmark is refused');
  }
  const knownUs = rounds(
    200_000,
    (index) => void authorization.decide(read(texts[index & 511]!).meaning.demands),
  );
  const took = Array.from({ length: 4_000 }, (_, index) => {
    const text = statement(1_000_000 + index);
    const startedAt = process.hrtime.bigint();
    readStatement(text, catalog, NAMES);
    return Number(process.hrtime.bigint() - startedAt) / 1_000;
  })
    .slice(1_000)
    .toSorted((a, b) => a - b);
  globalThis.gc?.();
  const rssBefore = process.memoryUsage().rss;
  for (let index = 0; index < distinct; index++) read(statement(10_000_000 + index));
  globalThis.gc?.();
  const { bytes, entries } = cache.counts;
  return {
    statementBytes: statement(0).length,
    knownUs,
    firstSightUs: { median: took[took.length >> 1] ?? 0, p99: took[Math.floor(took.length * 0.99)] ?? 0 },
    distinct: {
      statements: distinct,
      kept: entries,
      cacheBytes: bytes,
      rssBefore,
      rssAfter: process.memoryUsage().rss,
    },
  };
}

/** Median of nine means, µs. */
function rounds(count: number, work: (index: number) => void): number {
  const means = Array.from({ length: 9 }, () => {
    const startedAt = process.hrtime.bigint();
    for (let index = 0; index < count; index++) work(index);
    return Number(process.hrtime.bigint() - startedAt) / 1_000 / count;
  });
  return means.toSorted((a, b) => a - b)[4] ?? Number.NaN;
}
