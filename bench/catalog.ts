/**
 * What a catalog snapshot costs: time and memory to load it, and the question whether it still holds, with no tables of one's own,
 * 1,000 and 10,000. Every tenth table has a view over it, every tenth a function.
 *
 *     node --expose-gc bench/catalog.ts
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Client } from 'pg';

import { indexCatalog } from '../packages/gateway/src/postgres/catalog/catalog-index.ts';
import {
  loadCatalog,
  openCatalogSession,
  probeCatalog,
} from '../packages/gateway/src/postgres/catalog/load-catalog.ts';
import { openOwnSession } from '../test/support/catalog.ts';
import { startTestPostgres } from '../test/support/postgres-server.ts';

const SIZES = [0, 1_000, 10_000];
const LOADS = 5;
const PROBES = 20;

/** In pieces, because a transaction has room for so many locks only. */
const PIECE = 500;

function makeTables(from: number, to: number): string {
  return `do $$ begin for i in ${from}..${to - 1} loop
    execute format('create table t%s (id int primary key, customer int not null, status text default ''new'',
      amount numeric(12,2) check (amount >= 0), note text, created timestamptz default now(), updated timestamptz, a int, b text, c jsonb)', i);
    if i % 10 = 0 then
      execute format('create view v%s as select t.id, u.amount from t%s t join t%s u using (id)', i, i, greatest(i - 1, 0));
    elsif i % 10 = 1 then
      execute format('create function f%s(a int, b text) returns int language sql as ''select 1''', i);
    end if; end loop; end $$`;
}

async function median(times: number, what: () => Promise<unknown>): Promise<number> {
  const took: number[] = [];
  for (let turn = 0; turn < times; turn++) {
    const startedAt = performance.now();
    await what();
    took.push(performance.now() - startedAt);
  }
  return took.toSorted((a, b) => a - b)[times >> 1] ?? 0;
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const MIB = 1_048_576;
const server = await startTestPostgres({ settings: { max_locks_per_transaction: '2000' } });
try {
  const admin = new Client({ connectionString: server.url() });
  await admin.connect();
  const rows: Record<string, string | number>[] = [];
  let made = 0;
  for (const tables of SIZES) {
    for (; made < tables; made += PIECE) await admin.query(makeTables(made, made + PIECE));
    await admin.query('vacuum analyze');
    const session = await openOwnSession(server);
    await openCatalogSession(session);
    const before = heapBytes();
    let loaded = await loadCatalog(session, 'bench');
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const loadMs = await median(LOADS, async () => {
      loaded = await loadCatalog(session, 'bench');
    });
    delay.disable();
    const { data, probe } = loaded;
    const catalog = indexCatalog(data);
    const snapshotBytes = heapBytes() - before;
    const jsonBytes = Buffer.byteLength(JSON.stringify(data));
    const sameMs = await median(PROBES, async () => probeCatalog(session, probe));
    // Another snapshot of transactions than the present one: as after any commit.
    const movedMs = await median(PROBES, async () =>
      probeCatalog(session, { ...probe, transactions: '1:1:' }),
    );
    rows.push({
      tables,
      relations: catalog.data.relations.length,
      'load, ms': Math.round(loadMs),
      'longest stall, ms': Math.round(delay.max / 1e6),
      'in memory, MiB': Number((snapshotBytes / MIB).toFixed(1)),
      'as JSON, MiB': Number((jsonBytes / MIB).toFixed(1)),
      'probe, nothing committed, ms': Number(sameMs.toFixed(1)),
      'probe after a commit, ms': Number(movedMs.toFixed(1)),
    });
    session.end();
  }
  await admin.end();
  console.table(rows);
} finally {
  await server.stop();
}
